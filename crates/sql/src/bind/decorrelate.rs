//! Decorrelation: removes references to the outer query from subqueries.
//!
//! In a subquery's relation, `$outer(i)` stands for a column of the outer query. [`decorrelate`] pulls the
//! conditions with such columns up through filters, projections, inner joins, aggregations and Top-N, until
//! they become the condition of a join of both queries. Below an aggregation or a Top-N they must be
//! equalities: their inner sides become additional keys, so that there is a result for each value of the
//! outer columns.

use flott_expr::Functions;
use flott_plan::{Expr, JoinKind};
use flott_types::{Error, Result, TypeKind};

use super::placeholder::{self, Placeholder, conjunction, shift, substitute};
use crate::disjunction::factored;
use crate::logical::{Rel, RelNode};

/// A relation without references to the outer query.
pub(super) struct Decorrelated {
    pub rel: Rel,
    /// The columns of the subquery, over the relation's columns and `$outer`.
    pub outputs: Vec<Expr>,
    /// Additional conditions, over the same columns.
    pub conditions: Vec<Expr>,
}

/// A relation whose conditions were all equalities.
pub(super) struct Keyed {
    /// The columns of the subquery, then a key for each equality.
    pub rel: Rel,
    /// How many columns the subquery has.
    pub width: usize,
    /// The other sides of the equalities, over `$outer` only.
    pub outers: Vec<Expr>,
}

/// Numbers the columns of the outer query that a subquery reads, and returns them: `$outer(k)` then means the
/// k-th of them. A column of a query further out is one of the outer query's own `$outer`.
pub(super) fn number_outer_columns(rel: Rel) -> (Rel, Vec<Expr>) {
    let mut outers: Vec<Expr> = Vec::new();
    let rel = rel.map_exprs(&mut |expr| {
        expr.transform(&mut |node| {
            let Some(column) = placeholder::one_level_out(&node) else { return node };
            let index = outers.iter().position(|known| *known == column).unwrap_or_else(|| {
                outers.push(column);
                outers.len() - 1
            });
            Placeholder::Outer.expr(index, node.ty().clone())
        })
    });
    (rel, outers)
}

/// Whether any expression in the relation reads the outer query.
fn reads_outer(rel: &Rel) -> bool {
    rel.exprs().into_iter().any(Placeholder::reads_outer) || rel.inputs().into_iter().any(reads_outer)
}

/// Pulls up what reads the outer query.
pub(super) fn decorrelate(rel: Rel, functions: &Functions) -> Result<Decorrelated> {
    if !reads_outer(&rel) {
        return Ok(Decorrelated { outputs: rel.columns(), rel, conditions: Vec::new() });
    }
    let Rel { node, fields } = rel;
    match node {
        RelNode::Filter { input, condition } => {
            let Decorrelated { rel: input, outputs, mut conditions } = decorrelate(*input, functions)?;
            let (outer, own): (Vec<Expr>, Vec<Expr>) = factored(substitute(condition, &outputs), functions)
                .into_iter()
                .partition(Placeholder::reads_outer);
            conditions.extend(outer);
            Ok(Decorrelated { rel: filtered(input, own), outputs, conditions })
        }
        RelNode::Project { input, exprs } => {
            let Decorrelated { rel, outputs, conditions } = decorrelate(*input, functions)?;
            let outputs = exprs.into_iter().map(|expr| substitute(expr, &outputs)).collect();
            Ok(Decorrelated { rel, outputs, conditions })
        }
        RelNode::Join { left, right, kind: kind @ (JoinKind::Inner | JoinKind::Left), condition } => {
            let left = decorrelate(*left, functions)?;
            let right = decorrelate(*right, functions)?;
            let width = left.rel.fields.len();
            let inner = kind == JoinKind::Inner;
            let correlated = !right.conditions.is_empty() || !right.is_plain();
            if !inner && correlated {
                return Err(correlation_in("the right side of a LEFT JOIN"));
            }
            let mut outputs = left.outputs;
            outputs.extend(right.outputs.into_iter().map(|expr| shift(expr, width)));
            let mut conditions = left.conditions;
            conditions.extend(right.conditions.into_iter().map(|condition| shift(condition, width)));
            let (outer, own): (Vec<Expr>, Vec<Expr>) = condition
                .into_iter()
                .flat_map(|condition| factored(substitute(condition, &outputs), functions))
                .partition(Placeholder::reads_outer);
            if !inner && !outer.is_empty() {
                return Err(correlation_in("the condition of a LEFT JOIN"));
            }
            conditions.extend(outer);
            let rel = left.rel.join(right.rel, kind, conjunction(own));
            // Columns that the join may fill with NULL are nullable from here on.
            let joined = rel.columns();
            let outputs = outputs.into_iter().map(|expr| substitute(expr, &joined)).collect();
            Ok(Decorrelated { rel, outputs, conditions })
        }
        RelNode::Aggregate { input, keys, calls } => {
            let names = input.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
            let Keyed { rel: input, width, outers } = decorrelate(*input, functions)?.keyed(&names)?;
            let own = keys.len();
            let all = keys.into_iter().chain(width..width + outers.len()).collect();
            let rel = input.aggregate(all, calls);
            let conditions = equalities(&rel, own, outers);
            let columns = (0..own).chain(own + conditions.len()..rel.fields.len());
            let outputs = columns.map(|index| rel.column(index)).collect();
            Ok(Decorrelated { rel, outputs, conditions })
        }
        // Flink's planner accepts a correlated Top-N only with a single sort key.
        RelNode::TopN { order, .. } if order.len() > 1 => {
            Err(correlation_in("a query ordered by several keys with LIMIT"))
        }
        RelNode::TopN { input, mut partition, order, from, to, rank } => {
            let names = input.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
            let Keyed { rel: input, width, outers } = decorrelate(*input, functions)?.keyed(&names)?;
            partition.extend(width..width + outers.len());
            let mut out = input.fields.clone();
            out.extend(rank.then(|| fields[fields.len() - 1].clone()));
            let node = RelNode::TopN { input: Box::new(input), partition, order, from, to, rank };
            let rel = Rel::new(node, out);
            let conditions = equalities(&rel, width, outers);
            let columns = (0..width).chain(width + conditions.len()..rel.fields.len());
            let outputs = columns.map(|index| rel.column(index)).collect();
            Ok(Decorrelated { rel, outputs, conditions })
        }
        _ => Err(correlation_in("an outer join, a set operation, an OVER or a window")),
    }
}

fn filtered(rel: Rel, conditions: Vec<Expr>) -> Rel {
    match conjunction(conditions) {
        Some(condition) => rel.filter(condition),
        None => rel,
    }
}

fn equalities(rel: &Rel, first: usize, outers: Vec<Expr>) -> Vec<Expr> {
    let equal = |(index, outer)| {
        Expr::call("=", vec![rel.column(first + index), outer], TypeKind::Boolean.nullable())
    };
    outers.into_iter().enumerate().map(equal).collect()
}

impl Decorrelated {
    /// Whether no column of the subquery reads the outer query.
    pub fn is_plain(&self) -> bool {
        !self.outputs.iter().any(Placeholder::reads_outer)
    }

    /// Computes the outputs that do not read the outer query, and puts them first; after them come the
    /// columns that the other outputs and the conditions need.
    #[must_use]
    pub fn settled(self, names: &[String]) -> Self {
        let Decorrelated { rel, outputs, conditions } = self;
        if conditions.is_empty() && outputs.iter().eq(rel.columns().iter()) {
            return Decorrelated { rel, outputs, conditions };
        }
        let mut columns: Vec<(Expr, String)> = Vec::new();
        let outputs: Vec<Result<Expr, Expr>> = outputs
            .into_iter()
            .enumerate()
            .map(|(index, expr)| {
                if Placeholder::reads_outer(&expr) {
                    return Err(expr);
                }
                let column = Expr::column(columns.len(), expr.ty().clone());
                columns.push((expr, names.get(index).cloned().unwrap_or_default()));
                Ok(column)
            })
            .collect();
        let mut behind = |expr: Expr| {
            expr.transform(&mut |node| match node {
                Expr::Column { index, ty } => {
                    let column = rel.column(index);
                    let place = columns.iter().position(|(known, _)| *known == column).unwrap_or_else(|| {
                        columns.push((column, format!("$c{index}")));
                        columns.len() - 1
                    });
                    Expr::column(place, ty)
                }
                other => other,
            })
        };
        let outputs = outputs.into_iter().map(|output| output.unwrap_or_else(&mut behind)).collect();
        let conditions = conditions.into_iter().map(&mut behind).collect();
        Decorrelated { rel: rel.project(columns), outputs, conditions }
    }

    /// The subquery's columns, followed by the inner sides of its conditions as keys.
    pub fn keyed(self, names: &[String]) -> Result<Keyed> {
        if !self.is_plain() {
            return Err(correlation_in("an aggregation's arguments"));
        }
        let Decorrelated { rel, outputs, conditions } = self;
        let width = outputs.len();
        let names = names.iter().cloned().chain((names.len()..width).map(|index| format!("$f{index}")));
        let mut columns: Vec<(Expr, String)> = outputs.into_iter().zip(names).collect();
        let mut outers = Vec::with_capacity(conditions.len());
        for condition in conditions {
            let Some((own, outer)) = split_equality(condition) else {
                return Err(Error::unsupported(
                    "a correlated subquery that aggregates under a condition other than equality is not supported",
                ));
            };
            columns.push((own, format!("$k{}", outers.len())));
            outers.push(outer);
        }
        let unchanged = outers.is_empty() && columns.iter().map(|(expr, _)| expr).eq(rel.columns().iter());
        let rel = if unchanged { rel } else { rel.project(columns) };
        Ok(Keyed { rel, width, outers })
    }
}

/// Splits `own = outer`, in either order: only the subquery's columns on one side, only those of the outer
/// query on the other.
fn split_equality(condition: Expr) -> Option<(Expr, Expr)> {
    let Expr::Call { function, mut args, .. } = condition else { return None };
    if function != "=" || args.len() != 2 {
        return None;
    }
    let right = args.remove(1);
    let left = args.remove(0);
    let own = |expr: &Expr| !Placeholder::reads_outer(expr);
    let outer = |expr: &Expr| {
        let mut columns = Vec::new();
        expr.collect_columns(&mut columns);
        columns.is_empty() && Placeholder::reads_outer(expr)
    };
    if own(&left) && outer(&right) {
        Some((left, right))
    } else if own(&right) && outer(&left) {
        Some((right, left))
    } else {
        None
    }
}

fn correlation_in(place: &str) -> Error {
    Error::unsupported(format!("a subquery that refers to the outer query inside {place} is not supported"))
}
