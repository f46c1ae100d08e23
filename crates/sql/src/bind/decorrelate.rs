//! Decorrelation: removes references to the outer query from subqueries.
//!
//! In a subquery's relation, `$outer(i)` stands for a column of the outer query. [`decorrelate`] pulls the
//! conditions with such columns up through filters, projections, inner joins, aggregations and Top-N, until
//! they become the condition of a join of both queries. Below an aggregation or a Top-N the inner sides of
//! equalities become additional keys, so that there is a result for each value of the outer columns. Where
//! something other than an equality stands there, no column of the subquery tells which of its rows belong
//! together: the subquery is joined with the outer columns' values ([`Outer::domain`]), which are the keys.

use flott_expr::Functions;
use flott_plan::{Expr, JoinKind};
use flott_types::{Error, Result, TypeKind};

use super::Binder;
use super::placeholder::{self, Placeholder, conjunction, shift, substitute};
use super::subquery::placed;
use crate::disjunction::factored;
use crate::logical::{Rel, RelNode};
use crate::optimize::is_deterministic;

/// The query that a subquery refers to.
#[derive(Clone, Copy)]
pub(super) struct Outer<'r, 'a> {
    pub binder: &'r Binder<'a>,
    pub rel: &'r Rel,
    /// The columns that the subquery reads: `$outer(k)` is the k-th.
    pub columns: &'r [Expr],
    /// Rows that it has none for are dropped, as in Flink also those of an aggregation.
    pub is_lateral: bool,
}

impl<'r> Outer<'r, '_> {
    fn functions(self) -> &'r Functions {
        &self.binder.context.functions
    }

    /// The values that the columns take together, each once.
    fn domain(self) -> Result<Rel> {
        // It is computed a second time.
        if is_volatile(self.rel, self.functions()) {
            return Err(correlation_in(
                "a query whose outer rows are computed by functions that give another value each time; write them to a \
                 table first. Such a subquery",
            ));
        }
        self.binder.expand(self.rel)?;
        let named =
            self.columns.iter().cloned().enumerate().map(|(index, column)| (column, format!("$o{index}")));
        let values = self.rel.clone().project(named.collect());
        Ok(values.aggregate((0..self.columns.len()).collect(), Vec::new()))
    }
}

/// Whether its rows may be others when it is computed again.
fn is_volatile(rel: &Rel, functions: &Functions) -> bool {
    !rel.exprs().into_iter().all(|expr| is_deterministic(expr, functions))
        || rel.inputs().into_iter().any(|input| is_volatile(input, functions))
}

/// A relation without references to the outer query.
pub(super) struct Decorrelated {
    pub rel: Rel,
    /// The columns of the subquery, over the relation's columns and `$outer`.
    pub outputs: Vec<Expr>,
    /// Additional conditions, over the same columns.
    pub conditions: Vec<Expr>,
}

/// A relation whose conditions are all equalities.
pub(super) struct Keyed {
    /// The columns of the subquery, then a key for each equality.
    pub rel: Rel,
    /// How many columns the subquery has.
    pub width: usize,
    /// The equalities' other sides.
    pub outers: Vec<Side>,
}

/// What a key is compared with.
pub(super) struct Side {
    /// Over `$outer` only.
    outer: Expr,
    /// NULL equals NULL.
    null_safe: bool,
}

impl Side {
    /// `key = outer`
    pub fn equals(self, key: Expr) -> Expr {
        match self.null_safe {
            true => Expr::call("IS NOT DISTINCT FROM", vec![key, self.outer], TypeKind::Boolean.not_null()),
            false => Expr::call("=", vec![key, self.outer], TypeKind::Boolean.nullable()),
        }
    }
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
pub(super) fn decorrelate(rel: Rel, outer: Outer<'_, '_>) -> Result<Decorrelated> {
    if !reads_outer(&rel) {
        return Ok(Decorrelated { outputs: rel.columns(), rel, conditions: Vec::new() });
    }
    let Rel { node, fields } = rel;
    match node {
        RelNode::Filter { input, condition } => {
            let Decorrelated { rel: input, outputs, mut conditions } = decorrelate(*input, outer)?;
            let (correlated, own): (Vec<Expr>, Vec<Expr>) =
                factored(substitute(condition, &outputs), outer.functions())
                    .into_iter()
                    .partition(Placeholder::reads_outer);
            conditions.extend(correlated);
            Ok(Decorrelated { rel: filtered(input, own), outputs, conditions })
        }
        RelNode::Project { input, exprs } => {
            let Decorrelated { rel, outputs, conditions } = decorrelate(*input, outer)?;
            let outputs = exprs.into_iter().map(|expr| substitute(expr, &outputs)).collect();
            Ok(Decorrelated { rel, outputs, conditions })
        }
        RelNode::Join {
            left,
            right,
            kind: kind @ (JoinKind::Inner | JoinKind::Left | JoinKind::Semi | JoinKind::Anti),
            condition,
        } => {
            let names = left.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
            let right_names = right.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
            let left = decorrelate(*left, outer)?;
            let mut right = decorrelate(*right, outer)?;
            if kind == JoinKind::Left {
                // What is computed above the join would not be NULL for rows without a partner.
                right = right.settled(&right_names);
            }
            decorrelated_join(left, right, kind, condition, &names, outer)
        }
        RelNode::Aggregate { input, keys, calls } => {
            let names = input.fields.iter().map(|field| field.name.clone()).collect::<Vec<_>>();
            let Keyed { rel: input, width, outers } = decorrelate(*input, outer)?.keyed(&names, outer)?;
            if keys.is_empty() && !outers.is_empty() && !outer.is_lateral {
                // Its row of no rows would be missing. Flink's planner refuses it, too.
                return Err(correlation_in(
                    "an aggregation without GROUP BY that is not the subquery's value",
                ));
            }
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
            let Keyed { rel: input, width, outers } = decorrelate(*input, outer)?.keyed(&names, outer)?;
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

/// A join whose sides are without references to the outer query.
fn decorrelated_join(
    mut left: Decorrelated,
    right: Decorrelated,
    kind: JoinKind,
    condition: Option<Expr>,
    names: &[String],
    outer: Outer<'_, '_>,
) -> Result<Decorrelated> {
    let correlated = condition.as_ref().is_some_and(Placeholder::reads_outer)
        || !right.conditions.is_empty()
        || !right.is_plain()
        || !left.is_plain();
    // Which right rows a left row meets must not be decided above the join: the outer columns that the
    // condition reads become columns of the left side.
    let mut values = None;
    if kind != JoinKind::Inner && correlated {
        let keyed = left.over_domain(names, outer)?;
        values = Some(keyed.rel.columns().split_off(keyed.width));
        left = keyed.decorrelated();
    }
    let width = left.rel.fields.len();
    let own = |expr: Expr| match &values {
        Some(values) => placed(expr, values),
        None => expr,
    };
    let reads_left = |expr: &Expr| {
        let mut columns = Vec::new();
        expr.collect_columns(&mut columns);
        columns.iter().any(|column| *column < width)
    };
    let right_outputs: Vec<Expr> = right.outputs.into_iter().map(|expr| own(shift(expr, width))).collect();
    if kind == JoinKind::Left && right_outputs.iter().any(reads_left) {
        return Err(correlation_in("the select list on the right side of a LEFT JOIN"));
    }
    let mut outputs = left.outputs.clone();
    outputs.extend(right_outputs);
    let right_conditions = right.conditions.into_iter().map(|condition| own(shift(condition, width)));
    let (correlated, own): (Vec<Expr>, Vec<Expr>) = condition
        .into_iter()
        .flat_map(|condition| factored(own(substitute(condition, &outputs)), outer.functions()))
        .chain(right_conditions)
        .partition(Placeholder::reads_outer);
    let mut conditions = left.conditions;
    conditions.extend(correlated);
    if matches!(kind, JoinKind::Semi | JoinKind::Anti) {
        outputs = left.outputs;
    }
    let rel = left.rel.join(right.rel, kind, conjunction(own));
    // Columns that the join may fill with NULL are nullable from here on.
    let joined = rel.columns();
    let outputs = outputs.into_iter().map(|expr| substitute(expr, &joined)).collect();
    Ok(Decorrelated { rel, outputs, conditions })
}

fn filtered(rel: Rel, conditions: Vec<Expr>) -> Rel {
    match conjunction(conditions) {
        Some(condition) => rel.filter(condition),
        None => rel,
    }
}

fn equalities(rel: &Rel, first: usize, outers: Vec<Side>) -> Vec<Expr> {
    outers.into_iter().enumerate().map(|(index, side)| side.equals(rel.column(first + index))).collect()
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

    /// The subquery's columns, followed by the inner sides of its conditions as keys; or by the outer columns
    /// themselves, where a condition is no equality or a column reads the outer query.
    pub fn keyed(self, names: &[String], outer: Outer<'_, '_>) -> Result<Keyed> {
        let split: Option<Vec<(Expr, Side)>> = self.conditions.iter().map(split_equality).collect();
        match split {
            Some(keys) if self.is_plain() => Ok(Keyed::new(self.rel, self.outputs, keys, names)),
            _ => self.over_domain(names, outer),
        }
    }

    /// Joins the subquery with the values of the outer columns, which are its keys then.
    fn over_domain(self, names: &[String], outer: Outer<'_, '_>) -> Result<Keyed> {
        let Decorrelated { rel, outputs, conditions } = self;
        let domain = outer.domain()?;
        let width = rel.fields.len();
        let values: Vec<Expr> = domain.columns().into_iter().map(|column| shift(column, width)).collect();
        let over_values = |expr| placed(expr, &values);
        let condition = conjunction(conditions.into_iter().map(over_values).collect::<Vec<_>>());
        let outputs = outputs.into_iter().map(over_values).collect();
        let side = |(index, value): (usize, &Expr)| {
            let null_safe = value.ty().nullable;
            (value.clone(), Side { outer: Placeholder::Outer.expr(index, value.ty().clone()), null_safe })
        };
        let keys = values.iter().enumerate().map(side).collect();
        Ok(Keyed::new(rel.join(domain, JoinKind::Inner, condition), outputs, keys, names))
    }
}

impl Keyed {
    fn new(rel: Rel, outputs: Vec<Expr>, keys: Vec<(Expr, Side)>, names: &[String]) -> Self {
        let width = outputs.len();
        let names = names.iter().cloned().chain((names.len()..width).map(|index| format!("$f{index}")));
        let mut columns: Vec<(Expr, String)> = outputs.into_iter().zip(names).collect();
        let mut outers = Vec::with_capacity(keys.len());
        for (own, side) in keys {
            columns.push((own, format!("$k{}", outers.len())));
            outers.push(side);
        }
        let unchanged = outers.is_empty() && columns.iter().map(|(expr, _)| expr).eq(rel.columns().iter());
        let rel = if unchanged { rel } else { rel.project(columns) };
        Keyed { rel, width, outers }
    }

    /// The keys' equalities as conditions.
    fn decorrelated(self) -> Decorrelated {
        let conditions = equalities(&self.rel, self.width, self.outers);
        let mut outputs = self.rel.columns();
        outputs.truncate(self.width);
        Decorrelated { rel: self.rel, outputs, conditions }
    }
}

/// Splits `own = outer`, in either order: only the subquery's columns on one side, only those of the outer
/// query on the other.
fn split_equality(condition: &Expr) -> Option<(Expr, Side)> {
    let Expr::Call { function, args, .. } = condition else { return None };
    let [left, right] = args.as_slice() else { return None };
    let null_safe = match function.as_str() {
        "=" => false,
        "IS NOT DISTINCT FROM" => true,
        _ => return None,
    };
    let own = |expr: &Expr| !Placeholder::reads_outer(expr);
    let outer = |expr: &Expr| {
        let mut columns = Vec::new();
        expr.collect_columns(&mut columns);
        columns.is_empty() && Placeholder::reads_outer(expr)
    };
    let (key, outer) = if own(left) && outer(right) {
        (left, right)
    } else if own(right) && outer(left) {
        (right, left)
    } else {
        return None;
    };
    Some((key.clone(), Side { outer: outer.clone(), null_safe }))
}

fn correlation_in(place: &str) -> Error {
    Error::unsupported(format!("a subquery that refers to the outer query inside {place} is not supported"))
}
