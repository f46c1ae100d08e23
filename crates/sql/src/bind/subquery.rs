//! Subqueries become joins.
//!
//! `EXISTS` and `IN` as operands of AND in a WHERE become semi and anti joins. Everywhere else a subquery is
//! a value: in the expression it is represented by `$subquery(i, ...)`, whose further arguments are the outer
//! columns that it reads, then the values that it is compared with; [`Binder::join_subqueries`] joins the
//! relation that computes the value and replaces the placeholder by a column. [`super::decorrelate`] removes
//! the references to outer columns.

use flott_expr::bind;
use flott_plan::{Expr, JoinKind, Literal};
use flott_sql_parser::ast::{BinaryOp, Expr as Ast, ExprKind, Query, UnaryOp};
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::decorrelate::{Decorrelated, Outer, decorrelate, number_outer_columns};
use super::expr::ExprBinder;
use super::placeholder::{self, Placeholder, conjunction, shift};
use super::subquery_value::Joined;
use super::{Binder, Scope, at, unsupported, wrong};
use crate::logical::{Rel, RelNode};

/// A subquery that is represented by `$subquery` in an expression.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Subquery {
    pub(super) test: Test,
    pub(super) rel: Rel,
    /// How many columns of the outer query it reads.
    pub(super) outers: usize,
}

/// What a subquery is tested for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Test {
    /// `(SELECT ...)`: its value.
    Value,
    /// `EXISTS (SELECT ...)`
    Exists,
    /// `x IN (SELECT ...)`
    In,
    /// `x < SOME (SELECT ...)`: whether the comparison holds for a row.
    Some(&'static str),
}

const SUBQUERY: &str = "$subquery";

impl ExprBinder<'_, '_> {
    /// `(SELECT ...)` as a value.
    pub fn scalar_subquery(&self, query: &Query, ast: &Ast) -> Result<Expr> {
        let rel = self.subquery_relation(query, ast)?;
        let [field] = rel.fields.as_slice() else {
            return Err(wrong(
                format!("a subquery as a value has one column; this one has {}", rel.fields.len()),
                ast,
            ));
        };
        let ty = field.ty.clone().with_nullable(true);
        self.hold(Test::Value, rel, Vec::new(), ty, ast)
    }

    /// `EXISTS (SELECT ...)` as a value.
    pub fn exists_subquery(&self, query: &Query, ast: &Ast) -> Result<Expr> {
        let rel = self.subquery_relation(query, ast)?;
        if has_one_row(&rel) {
            return Ok(Expr::literal(Literal::Boolean(true), TypeKind::Boolean.not_null()));
        }
        self.hold(Test::Exists, rel, Vec::new(), TypeKind::Boolean.not_null(), ast)
    }

    /// `x [NOT] IN (SELECT ...)` as a value.
    pub fn in_subquery(&self, value: &Ast, query: &Query, negated: bool, ast: &Ast) -> Result<Expr> {
        let values = self.members(value)?;
        let rel = self.subquery_relation(query, ast)?;
        same_width(values.len(), &rel, value)?;
        let nullable = values.iter().any(|value| value.ty().nullable)
            || rel.fields.iter().any(|field| field.ty.nullable);
        let ty = TypeKind::Boolean.with_nullable(nullable);
        let found = self.hold(Test::In, rel, values, ty, ast)?;
        self.negate_if(negated, found, ast)
    }

    /// `x < SOME (SELECT ...)`, `x < ALL (SELECT ...)`.
    pub fn quantified(&self, left: &Ast, op: BinaryOp, query: &Ast, all: bool, ast: &Ast) -> Result<Expr> {
        let ExprKind::Subquery(query) = &query.kind else {
            return Err(unsupported("SOME and ALL of something other than a query", query));
        };
        // ALL: no row satisfies the opposite.
        let test = match (op, all) {
            (BinaryOp::Eq, false) => return self.in_subquery(left, query, false, ast),
            (BinaryOp::NotEq, true) => return self.in_subquery(left, query, true, ast),
            (BinaryOp::NotEq, false) | (BinaryOp::Eq, true) => "<>",
            (BinaryOp::Lt, false) | (BinaryOp::GtEq, true) => "<",
            (BinaryOp::LtEq, false) | (BinaryOp::Gt, true) => "<=",
            (BinaryOp::Gt, false) | (BinaryOp::LtEq, true) => ">",
            (BinaryOp::GtEq, false) | (BinaryOp::Lt, true) => ">=",
            _ => return Err(wrong(format!("'{}' takes no SOME or ALL", op.as_str()), ast)),
        };
        let value = self.bind(left)?;
        let rel = self.subquery_relation(query, ast)?;
        same_width(1, &rel, left)?;
        let some = self.hold(Test::Some(test), rel, vec![value], TypeKind::Boolean.nullable(), ast)?;
        self.negate_if(all, some, ast)
    }

    fn subquery_relation(&self, query: &Query, ast: &Ast) -> Result<Rel> {
        if self.subqueries.is_none() {
            return Err(unsupported("a subquery here", ast));
        }
        self.binder.query(query, Some(self.scope))
    }

    /// The values on the left of IN.
    fn members(&self, value: &Ast) -> Result<Vec<Expr>> {
        match &value.kind {
            ExprKind::Row(values) => values.iter().map(|value| self.bind(value)).collect(),
            _ => Ok(vec![self.bind(value)?]),
        }
    }

    fn hold(&self, test: Test, rel: Rel, values: Vec<Expr>, ty: LogicalType, ast: &Ast) -> Result<Expr> {
        let Some(subqueries) = &self.subqueries else {
            return Err(unsupported("a subquery here", ast));
        };
        let (rel, mut args) = number_outer_columns(rel);
        let subquery = Subquery { test, rel, outers: args.len() };
        args.extend(values);
        let mut subqueries = subqueries.borrow_mut();
        let index = subqueries.iter().position(|known| *known == subquery).unwrap_or_else(|| {
            subqueries.push(subquery);
            subqueries.len() - 1
        });
        args.insert(0, Expr::literal(Literal::Integer(index as i64), TypeKind::Int.not_null()));
        Ok(Expr::call(SUBQUERY, args, ty))
    }
}

impl Binder<'_> {
    /// WHERE, and ON of inner joins.
    pub(crate) fn filter(&self, rel: Rel, scope: &Scope<'_>, condition: &Ast) -> Result<Rel> {
        let mut operands = Vec::new();
        split_and(condition, &mut operands);
        let (joins, plain): (Vec<&Ast>, Vec<&Ast>) =
            operands.into_iter().partition(|ast| is_subquery_test(ast));
        let binder = ExprBinder::scalar(self, scope).with_subqueries();
        let alone = plain.len() + joins.len() == 1;
        let bind = |ast: &Ast| if alone { binder.condition(ast) } else { binder.typed_condition(ast) };
        let mut conditions = plain.into_iter().map(bind).collect::<Result<Vec<_>>>()?;
        let subqueries = binder.subqueries.map(std::cell::RefCell::into_inner).unwrap_or_default();
        let mut rel = at(self.join_subqueries(rel, &subqueries, conditions.iter_mut().collect()), condition)?;
        if let Some(condition) = conjunction(conditions) {
            rel = rel.filter(condition);
        }
        for test in joins {
            rel = self.subquery_test(rel, scope, test, false)?;
        }
        Ok(rel)
    }

    /// `[NOT] EXISTS (...)`, `x [NOT] IN (...)` as a semi or anti join.
    fn subquery_test(&self, rel: Rel, scope: &Scope<'_>, ast: &Ast, not: bool) -> Result<Rel> {
        match &ast.kind {
            ExprKind::Unary { op: UnaryOp::Not, operand } => self.subquery_test(rel, scope, operand, !not),
            ExprKind::Exists(query) => {
                let inner = self.query(query, Some(scope))?;
                if has_one_row(&inner) {
                    let kept = Expr::literal(Literal::Boolean(!not), TypeKind::Boolean.not_null());
                    return Ok(if not { rel.filter(kept) } else { rel });
                }
                at(self.semi_join(rel, inner, not, |_| Ok(Vec::new())), ast)
            }
            ExprKind::InQuery { operand: value, query, negated } => {
                let negated = *negated != not;
                let values = ExprBinder::scalar(self, scope).members(value)?;
                let inner = self.query(query, Some(scope))?;
                same_width(values.len(), &inner, value)?;
                let tests = |outputs: Vec<Expr>| {
                    values
                        .into_iter()
                        .zip(outputs)
                        .map(|(value, output)| {
                            let equal = bind::call("=", vec![value, output], self.context)?;
                            // NOT IN: a row is kept only if every comparison is FALSE; UNKNOWN counts as a
                            // match of the anti join.
                            Ok(match negated && equal.ty().nullable {
                                true => Expr::call("IS NOT FALSE", vec![equal], TypeKind::Boolean.not_null()),
                                false => equal,
                            })
                        })
                        .collect()
                };
                at(self.semi_join(rel, inner, negated, tests), ast)
            }
            _ => Err(unsupported("this use of a subquery", ast)),
        }
    }

    /// Joins the relations that compute the subqueries in `exprs`, adding their columns after those of the
    /// relation, and replaces the placeholders by their values.
    pub(crate) fn join_subqueries(
        &self,
        rel: Rel,
        subqueries: &[Subquery],
        exprs: Vec<&mut Expr>,
    ) -> Result<Rel> {
        let mut joined = Joined { binder: self, base: rel.clone(), rel, values: Vec::new() };
        for expr in exprs {
            let mut failed = None;
            let taken = std::mem::replace(expr, Expr::column(0, TypeKind::Null.nullable()));
            *expr = taken.transform(&mut |node| match &node {
                Expr::Call { function, args, ty } if function == SUBQUERY && failed.is_none() => {
                    match joined.value(subqueries, args, ty) {
                        Ok(value) => value,
                        Err(error) => {
                            failed = Some(error);
                            node
                        }
                    }
                }
                _ => node,
            });
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(joined.rel)
    }

    /// `left [LEFT] JOIN LATERAL (SELECT ...) ON condition`; the condition is bound over the columns of both.
    pub(super) fn join_lateral(
        &self,
        left: Rel,
        subquery: Rel,
        kind: JoinKind,
        condition: Option<Expr>,
    ) -> Result<Rel> {
        let width = left.fields.len();
        let names: Vec<String> =
            left.fields.iter().chain(&subquery.fields).map(|field| field.name.clone()).collect();
        let (subquery, outers) = number_outer_columns(subquery);
        let outer = Outer { binder: self, rel: &left, columns: &outers, is_lateral: true };
        let inner = decorrelate(subquery, outer)?.settled(&names[width..]);
        if kind != JoinKind::Inner && !inner.is_plain() {
            return Err(Error::unsupported(
                "LEFT JOIN LATERAL of a query whose select list reads the outer query is not supported",
            ));
        }
        let over_join = |expr| placed(shift(expr, width), &outers);
        let outputs: Vec<Expr> = inner.outputs.into_iter().map(over_join).collect();
        let on = condition.map(|condition| {
            let columns: Vec<Expr> = left.columns().into_iter().chain(outputs.iter().cloned()).collect();
            placeholder::substitute(condition, &columns)
        });
        let conditions = inner.conditions.into_iter().map(over_join).chain(on);
        let rel = left.join(inner.rel, kind, conjunction(conditions));
        // Columns that the join may fill with NULL are nullable from here on.
        let joined = rel.columns();
        let outputs = outputs.into_iter().map(|output| placeholder::substitute(output, &joined));
        let columns = joined[..width].iter().cloned().chain(outputs).zip(names).collect();
        Ok(rel.project(columns))
    }

    /// A semi or anti join with a subquery. `tests` returns further conditions over its columns.
    fn semi_join(
        &self,
        left: Rel,
        subquery: Rel,
        anti: bool,
        tests: impl FnOnce(Vec<Expr>) -> Result<Vec<Expr>>,
    ) -> Result<Rel> {
        let width = left.fields.len();
        let names: Vec<String> = subquery.fields.iter().map(|field| field.name.clone()).collect();
        let (subquery, outers) = number_outer_columns(subquery);
        let outer = Outer { binder: self, rel: &left, columns: &outers, is_lateral: false };
        let Decorrelated { rel, outputs, conditions } = decorrelate(subquery, outer)?.settled(&names);
        let conditions = conditions.into_iter().map(|condition| placed(shift(condition, width), &outers));
        let outputs = outputs.into_iter().map(|output| placed(shift(output, width), &outers)).collect();
        let condition = conjunction(conditions.chain(tests(outputs)?).collect::<Vec<_>>());
        Ok(left.join(rel, if anti { JoinKind::Anti } else { JoinKind::Semi }, condition))
    }
}

/// Whether it is an aggregation without GROUP BY, which has a row whatever comes in.
fn has_one_row(rel: &Rel) -> bool {
    match &rel.node {
        RelNode::Project { input, .. } => has_one_row(input),
        RelNode::Aggregate { keys, .. } => keys.is_empty(),
        _ => false,
    }
}

/// Replaces outer references by the columns of the outer query.
pub(super) fn placed(expr: Expr, outers: &[Expr]) -> Expr {
    placeholder::replace(expr, Placeholder::Outer, &mut |index, _| outers[index].clone())
}

fn same_width(values: usize, rel: &Rel, ast: &Ast) -> Result<()> {
    match rel.fields.len() == values {
        true => Ok(()),
        false => Err(wrong(format!("{values} values IN a query of {} columns", rel.fields.len()), ast)),
    }
}

/// The operands of ANDs within ANDs.
fn split_and<'a>(ast: &'a Ast, operands: &mut Vec<&'a Ast>) {
    match &ast.kind {
        ExprKind::And(conditions) => {
            for condition in conditions {
                split_and(condition, operands);
            }
        }
        _ => operands.push(ast),
    }
}

fn is_subquery_test(ast: &Ast) -> bool {
    match &ast.kind {
        ExprKind::Exists(_) | ExprKind::InQuery { .. } => true,
        ExprKind::Unary { op: UnaryOp::Not, operand } => is_subquery_test(operand),
        _ => false,
    }
}
