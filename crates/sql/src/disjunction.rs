//! What an OR implies as a whole.
//!
//! `(a AND x) OR (a AND y)` is `a AND (x OR y)`, even if something is UNKNOWN: conditions that all
//! alternatives share are factored out, where they can become the key of a join or correlate a subquery with
//! its outer query. If all alternatives restrict one side of a join, that side can be filtered early: `(l = 1
//! AND r = 2) OR (l = 3 AND r = 4)` implies `l = 1 OR l = 3`.

use flott_expr::Functions;
use flott_plan::Expr;
use flott_types::TypeKind;

use crate::bind::placeholder::{conjunction, conjuncts};
use crate::optimize::is_deterministic;

/// The operands of ANDs, with the conditions that the alternatives of an OR share as operands of their own.
pub(crate) fn factored(condition: Expr, functions: &Functions) -> Vec<Expr> {
    conjuncts(condition).into_iter().flat_map(|operand| factored_or(operand, functions)).collect()
}

fn factored_or(condition: Expr, functions: &Functions) -> Vec<Expr> {
    if !is_or(&condition) {
        return vec![condition];
    }
    let mut alternatives: Vec<Vec<Expr>> =
        alternatives(condition).into_iter().map(|alternative| factored(alternative, functions)).collect();
    let Some((first, others)) = alternatives.split_first() else { return Vec::new() };
    let shared = |operand: &&Expr| others.iter().all(|other| other.contains(operand));
    let common: Vec<Expr> =
        first.iter().filter(shared).filter(|operand| is_deterministic(operand, functions)).cloned().collect();
    for alternative in &mut alternatives {
        alternative.retain(|operand| !common.contains(operand));
    }
    let mut operands = common;
    // If one alternative has no further conditions, the shared ones are all: `a OR (a AND x)` is `a`.
    if alternatives.iter().all(|alternative| !alternative.is_empty()) {
        operands.extend(disjunction(alternatives.into_iter().filter_map(conjunction).collect()));
    }
    operands
}

/// What an OR implies for conditions that `own` accepts, if each of its alternatives has such a condition.
pub(crate) fn implied(condition: &Expr, own: impl Fn(&Expr) -> bool) -> Option<Expr> {
    if !is_or(condition) {
        return None;
    }
    let parts = alternatives(condition.clone())
        .into_iter()
        .map(|alternative| conjunction(conjuncts(alternative).into_iter().filter(&own).collect::<Vec<_>>()));
    disjunction(parts.collect::<Option<Vec<_>>>()?)
}

fn is_or(expr: &Expr) -> bool {
    matches!(expr, Expr::Call { function, .. } if function == "OR")
}

/// The operands of ORs within ORs.
fn alternatives(expr: Expr) -> Vec<Expr> {
    match expr {
        Expr::Call { function, args, .. } if function == "OR" => {
            args.into_iter().flat_map(alternatives).collect()
        }
        other => vec![other],
    }
}

fn disjunction(mut operands: Vec<Expr>) -> Option<Expr> {
    if operands.len() < 2 {
        return operands.pop();
    }
    let nullable = operands.iter().any(|operand| operand.ty().nullable);
    Some(Expr::call("OR", operands, TypeKind::Boolean.with_nullable(nullable)))
}
