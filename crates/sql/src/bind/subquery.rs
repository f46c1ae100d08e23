//! Subqueries become joins.
//!
//! `EXISTS` and `IN` as operands of AND in a WHERE become semi and anti joins; a scalar subquery becomes a left join whose
//! column replaces the placeholder. A subquery that refers to the query around it (`$outer`) is decorrelated: its
//! conditions on outer columns are pulled up through filters, projections and inner joins into the join's condition; below an
//! aggregation they must be equalities, whose inner sides become further keys of the aggregation.

use flott_expr::bind;
use flott_plan::{AggregateCall, Expr, JoinKind, Literal};
use flott_types::{Error, Result, TypeKind};
use sqlparser::ast::{BinaryOperator, Expr as Ast, Query, UnaryOperator};

use super::expr::ExprBinder;
use super::placeholder::{self, Placeholder, conjunction, conjuncts, shift};
use super::{Binder, Scope, at, unsupported, wrong};
use crate::logical::{Rel, RelNode};

/// A scalar subquery whose place in an expression is held by a placeholder.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct ScalarSubquery {
    rel: Rel,
}

impl ScalarSubquery {
    /// Whether it refers to the query around.
    pub fn correlated(&self) -> bool {
        reads_outer(&self.rel)
    }
}

/// A relation freed of references to the query around, and what held them: conditions over outer columns
/// (placeholders) and the relation's columns.
struct Decorrelated {
    rel: Rel,
    conditions: Vec<Expr>,
}

impl ExprBinder<'_, '_> {
    /// `(SELECT ...)` as a value.
    pub fn scalar_subquery(&self, query: &Query, ast: &Ast) -> Result<Expr> {
        let Some(subqueries) = &self.subqueries else {
            return Err(unsupported("a subquery in this place", ast));
        };
        let rel = self.binder.query(query, Some(self.scope))?;
        let [field] = rel.fields.as_slice() else {
            return Err(wrong(
                format!("a subquery as a value has one column; this one has {}", rel.fields.len()),
                ast,
            ));
        };
        let ty = field.ty.clone().with_nullable(true);
        let mut subqueries = subqueries.borrow_mut();
        subqueries.push(ScalarSubquery { rel });
        Ok(Placeholder::Subquery.expr(subqueries.len() - 1, ty))
    }
}

impl Binder<'_> {
    /// WHERE.
    pub(crate) fn filter(&self, rel: Rel, scope: &Scope<'_>, condition: &Ast) -> Result<Rel> {
        let mut operands = Vec::new();
        split_and(condition, &mut operands);
        let (joins, plain): (Vec<&Ast>, Vec<&Ast>) =
            operands.into_iter().partition(|ast| is_subquery_test(ast));
        let binder = ExprBinder::scalar(self, scope).with_subqueries();
        let mut conditions =
            plain.into_iter().map(|ast| binder.condition(ast)).collect::<Result<Vec<_>>>()?;
        let subqueries = binder.subqueries.map(std::cell::RefCell::into_inner).unwrap_or_default();
        let mut rel = self.join_scalar_subqueries(rel, subqueries, conditions.iter_mut().collect())?;
        if let Some(condition) = conjunction(conditions) {
            rel = rel.filter(condition);
        }
        for test in joins {
            rel = self.subquery_test(rel, scope, test)?;
        }
        Ok(rel)
    }

    /// Joins scalar subqueries to the relation, behind its columns; the placeholders in `exprs` become columns.
    pub(crate) fn join_scalar_subqueries(
        &self,
        mut rel: Rel,
        subqueries: Vec<ScalarSubquery>,
        exprs: Vec<&mut Expr>,
    ) -> Result<Rel> {
        let mut values = Vec::with_capacity(subqueries.len());
        for ScalarSubquery { rel: subquery } in subqueries {
            let (joined, value) = join_scalar(rel, subquery)?;
            rel = joined;
            values.push(value);
        }
        for expr in exprs {
            let taken = std::mem::replace(expr, Expr::column(0, TypeKind::Null.nullable()));
            *expr = placeholder::replace(taken, Placeholder::Subquery, &mut |index, _| values[index].clone());
        }
        Ok(rel)
    }

    /// `[NOT] EXISTS (...)`, `x [NOT] IN (...)`.
    fn subquery_test(&self, rel: Rel, scope: &Scope<'_>, ast: &Ast) -> Result<Rel> {
        match ast {
            Ast::Nested(inner) => self.subquery_test(rel, scope, inner),
            Ast::UnaryOp { op: UnaryOperator::Not, expr } => match strip(expr) {
                Ast::Exists { subquery, negated } => self.exists(rel, scope, subquery, !negated),
                Ast::InSubquery { expr, subquery, negated } => {
                    self.in_subquery(rel, scope, expr, subquery, !negated)
                }
                other => Err(unsupported("this use of a subquery", other)),
            },
            Ast::Exists { subquery, negated } => self.exists(rel, scope, subquery, *negated),
            Ast::InSubquery { expr, subquery, negated } => {
                self.in_subquery(rel, scope, expr, subquery, *negated)
            }
            other => Err(unsupported("this use of a subquery", other)),
        }
    }

    fn exists(&self, rel: Rel, scope: &Scope<'_>, query: &Query, negated: bool) -> Result<Rel> {
        let subquery = self.query(query, Some(scope))?;
        let Decorrelated { rel: subquery, conditions } = at(decorrelate(subquery), query)?;
        let kind = if negated { JoinKind::Anti } else { JoinKind::Semi };
        Ok(join(rel, subquery, kind, conditions, Vec::new()))
    }

    fn in_subquery(
        &self,
        rel: Rel,
        scope: &Scope<'_>,
        value: &Ast,
        query: &Query,
        negated: bool,
    ) -> Result<Rel> {
        let binder = ExprBinder::scalar(self, scope);
        let values = match strip(value) {
            Ast::Tuple(values) => {
                values.iter().map(|value| binder.bind(value)).collect::<Result<Vec<_>>>()?
            }
            value => vec![binder.bind(value)?],
        };
        let subquery = self.query(query, Some(scope))?;
        if subquery.fields.len() != values.len() {
            let message = format!("{} values IN a query of {} columns", values.len(), subquery.fields.len());
            return Err(wrong(message, value));
        }
        let width = rel.fields.len();
        let Decorrelated { rel: subquery, conditions } = at(decorrelate(subquery), query)?;
        let mut tests = Vec::with_capacity(values.len());
        for (index, value_expr) in values.into_iter().enumerate() {
            let column = shift(subquery.column(index), width);
            let equal = at(bind::call("=", vec![value_expr, column], self.context), value)?;
            // NOT IN: a row stays only if every comparison is FALSE; UNKNOWN counts as a match of the anti join.
            let test = if negated && equal.ty().nullable {
                Expr::call("IS NOT FALSE", vec![equal], TypeKind::Boolean.not_null())
            } else {
                equal
            };
            tests.push(test);
        }
        let kind = if negated { JoinKind::Anti } else { JoinKind::Semi };
        Ok(join(rel, subquery, kind, conditions, tests))
    }
}

/// Joins on decorrelated conditions and further ones that are over left, then right columns already.
fn join(left: Rel, right: Rel, kind: JoinKind, conditions: Vec<Expr>, more: Vec<Expr>) -> Rel {
    let width = left.fields.len();
    let conditions = conditions.into_iter().map(|condition| over_join(condition, width));
    let condition = conjunction(conditions.chain(more).collect::<Vec<_>>());
    left.join(right, kind, condition)
}

/// A condition over outer placeholders and the right relation's columns, as one over the join's columns.
fn over_join(condition: Expr, width: usize) -> Expr {
    placeholder::replace(shift(condition, width), Placeholder::Outer, &mut Expr::column)
}

/// Joins a scalar subquery; gives the expression of its value over the joined columns.
fn join_scalar(left: Rel, subquery: Rel) -> Result<(Rel, Expr)> {
    let width = left.fields.len();
    // The value is computed after the join, so that COUNT of no rows is 0 and not NULL.
    let (value, mut input) = match subquery {
        Rel { node: RelNode::Project { input, mut exprs }, .. } if exprs.len() == 1 => {
            (exprs.remove(0), *input)
        }
        other => (other.column(0), other),
    };
    if let Rel { node: RelNode::Aggregate { input: inner, keys, calls }, fields } = input {
        if keys.is_empty() {
            return join_scalar_aggregate(left, *inner, calls, value);
        }
        input = Rel { node: RelNode::Aggregate { input: inner, keys, calls }, fields };
    }
    let Decorrelated { rel: input, conditions } = decorrelate(input)?;
    if !conditions.is_empty() || Placeholder::reads_outer(&value) {
        return Err(Error::unsupported("a correlated subquery as a value that does not aggregate"));
    }
    let ty = value.ty().clone();
    let single = AggregateCall {
        function: "SINGLE_VALUE".to_owned(),
        args: vec![0],
        arg_types: vec![ty.clone()],
        distinct: false,
        filter: None,
        ty: ty.clone().with_nullable(true),
        name: "EXPR$0".to_owned(),
    };
    let one_row = input.project(vec![(value, "EXPR$0".to_owned())]).aggregate(Vec::new(), vec![single]);
    let joined = left.join(one_row, JoinKind::Left, None);
    Ok((joined, Expr::column(width, ty.with_nullable(true))))
}

fn join_scalar_aggregate(
    left: Rel,
    inner: Rel,
    mut calls: Vec<AggregateCall>,
    value: Expr,
) -> Result<(Rel, Expr)> {
    let width = left.fields.len();
    let Decorrelated { rel: mut input, conditions } = decorrelate(inner)?;
    // Each condition is `inner = outer`; the inner side becomes a key.
    let mut keys: Vec<Expr> = Vec::new();
    let mut outers: Vec<Expr> = Vec::new();
    for condition in conditions {
        let Some((own, outer)) = split_equality(condition) else {
            return Err(Error::unsupported(
                "a correlated subquery that aggregates under a condition other than equality",
            ));
        };
        keys.push(own);
        outers.push(outer);
    }
    if !keys.is_empty() {
        let before = input.fields.len();
        let names: Vec<String> = input.fields.iter().map(|field| field.name.clone()).collect();
        let columns = input.columns().into_iter().zip(names);
        let named_keys = keys.into_iter().enumerate().map(|(index, key)| (key, format!("$k{index}")));
        input = input.project(columns.chain(named_keys).collect());
        let count = outers.len();
        let aggregated = input.aggregate((before..before + count).collect(), std::mem::take(&mut calls));
        let on = outers.into_iter().enumerate().map(|(index, outer)| {
            let key = aggregated.column(index);
            Expr::call("=", vec![key, outer], TypeKind::Boolean.nullable())
        });
        let on: Vec<Expr> = on.map(|condition| over_join(condition, width)).collect();
        return Ok(with_value(left, aggregated, conjunction(on), value, count));
    }
    let aggregated = input.aggregate(Vec::new(), calls);
    Ok(with_value(left, aggregated, None, value, 0))
}

/// Left-joins an aggregation and gives the value over the joined columns; counts of no group are 0.
fn with_value(left: Rel, aggregated: Rel, condition: Option<Expr>, value: Expr, keys: usize) -> (Rel, Expr) {
    let width = left.fields.len();
    let RelNode::Aggregate { calls, .. } = &aggregated.node else { return (left, value) };
    let columns: Vec<Expr> = calls
        .iter()
        .enumerate()
        .map(|(index, call)| {
            let column = Expr::column(width + keys + index, call.ty.clone().with_nullable(true));
            if !matches!(call.function.as_str(), "COUNT" | "APPROX_COUNT_DISTINCT" | "SUM0") {
                return column;
            }
            let zero = Expr::literal(Literal::Integer(0), call.ty.clone());
            let ty = call.ty.clone().with_nullable(true);
            Expr::call("COALESCE", vec![column, zero], ty)
        })
        .collect();
    let value = placeholder::substitute(value, &columns);
    let value = placeholder::replace(value, Placeholder::Outer, &mut Expr::column);
    (left.join(aggregated, JoinKind::Left, condition), value)
}

/// `own = outer` in either order: own columns alone on one side, outer placeholders alone on the other.
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

/// Whether any expression in the relation refers to the query around.
fn reads_outer(rel: &Rel) -> bool {
    let here = match &rel.node {
        RelNode::Project { exprs, .. } => exprs.iter().any(Placeholder::reads_outer),
        RelNode::Filter { condition, .. } => Placeholder::reads_outer(condition),
        RelNode::Join { condition, .. } => condition.as_ref().is_some_and(Placeholder::reads_outer),
        RelNode::Expand { projections, .. } => projections.iter().flatten().any(Placeholder::reads_outer),
        RelNode::Values(rows) => rows.iter().flatten().any(Placeholder::reads_outer),
        _ => false,
    };
    here || rel.inputs().into_iter().any(reads_outer)
}

/// Pulls conditions on outer columns up. The relation keeps its columns in front; more may follow behind.
fn decorrelate(rel: Rel) -> Result<Decorrelated> {
    if !reads_outer(&rel) {
        return Ok(Decorrelated { rel, conditions: Vec::new() });
    }
    let Rel { node, fields } = rel;
    match node {
        RelNode::Filter { input, condition } => {
            let Decorrelated { rel: input, mut conditions } = decorrelate(*input)?;
            let (outer, own): (Vec<Expr>, Vec<Expr>) =
                conjuncts(condition).into_iter().partition(Placeholder::reads_outer);
            conditions.extend(outer);
            let rel = match conjunction(own) {
                Some(condition) => input.filter(condition),
                None => input,
            };
            Ok(Decorrelated { rel, conditions })
        }
        RelNode::Project { input, exprs } => {
            if exprs.iter().any(Placeholder::reads_outer) {
                return Err(correlation_in("a select list"));
            }
            let Decorrelated { rel: input, conditions } = decorrelate(*input)?;
            let mut columns: Vec<(Expr, String)> =
                exprs.into_iter().zip(fields.iter().map(|field| field.name.clone())).collect();
            // Columns that the conditions read follow behind.
            let conditions = conditions
                .into_iter()
                .map(|condition| {
                    condition.transform(&mut |node| match node {
                        Expr::Column { index, ty } => {
                            let column = input.column(index);
                            let place =
                                columns.iter().position(|(known, _)| *known == column).unwrap_or_else(|| {
                                    columns.push((column, format!("$c{index}")));
                                    columns.len() - 1
                                });
                            Expr::column(place, ty)
                        }
                        other => other,
                    })
                })
                .collect();
            Ok(Decorrelated { rel: input.project(columns), conditions })
        }
        RelNode::Join { left, right, kind: JoinKind::Inner, condition } => {
            let width = left.fields.len();
            let Decorrelated { rel: left, conditions: from_left } = decorrelate(*left)?;
            if left.fields.len() != width {
                return Err(correlation_in("a join"));
            }
            let Decorrelated { rel: right, conditions: from_right } = decorrelate(*right)?;
            let mut conditions = from_left;
            conditions.extend(from_right.into_iter().map(|condition| shift(condition, width)));
            let (outer, own): (Vec<Expr>, Vec<Expr>) =
                condition.into_iter().flat_map(conjuncts).partition(Placeholder::reads_outer);
            conditions.extend(outer);
            Ok(Decorrelated { rel: left.join(right, JoinKind::Inner, conjunction(own)), conditions })
        }
        // SELECT DISTINCT in EXISTS or IN: the columns that the conditions read become keys too.
        RelNode::Aggregate { input, keys, calls } if calls.is_empty() => {
            let Decorrelated { rel: input, conditions } = decorrelate(*input)?;
            let mut keys = keys;
            let conditions = conditions
                .into_iter()
                .map(|condition| {
                    condition.transform(&mut |node| match node {
                        Expr::Column { index, ty } => {
                            let place = keys.iter().position(|key| *key == index).unwrap_or_else(|| {
                                keys.push(index);
                                keys.len() - 1
                            });
                            Expr::column(place, ty)
                        }
                        other => other,
                    })
                })
                .collect();
            Ok(Decorrelated { rel: input.aggregate(keys, calls), conditions })
        }
        _ => Err(correlation_in("an aggregation, outer join, union or window")),
    }
}

fn correlation_in(place: &str) -> Error {
    Error::unsupported(format!("a subquery that refers to the query around it inside of {place}"))
}

fn split_and<'a>(ast: &'a Ast, operands: &mut Vec<&'a Ast>) {
    match ast {
        Ast::BinaryOp { left, op: BinaryOperator::And, right } => {
            split_and(left, operands);
            split_and(right, operands);
        }
        Ast::Nested(inner) if matches!(strip(inner), Ast::BinaryOp { op: BinaryOperator::And, .. }) => {
            split_and(inner, operands);
        }
        other => operands.push(other),
    }
}

fn strip(ast: &Ast) -> &Ast {
    match ast {
        Ast::Nested(inner) => strip(inner),
        other => other,
    }
}

fn is_subquery_test(ast: &Ast) -> bool {
    match strip(ast) {
        Ast::Exists { .. } | Ast::InSubquery { .. } => true,
        Ast::UnaryOp { op: UnaryOperator::Not, expr } => is_subquery_test(expr),
        _ => false,
    }
}
