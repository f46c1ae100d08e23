//! Top-N: a filter on ROW_NUMBER() becomes an operator that keeps the first rows of each partition, instead
//! of one that numbers them all.

use flott_plan::{Expr, Literal};

use crate::bind::placeholder::{conjunction, conjuncts};
use crate::logical::{Rel, RelNode};

pub(super) fn recognise(rel: Rel) -> Rel {
    let rel = rel.map_inputs(&mut recognise);
    let Rel { node: RelNode::Filter { input, condition }, fields } = rel else { return rel };
    let Rel { node: RelNode::Over { input: source, spec, calls }, fields: over_fields } = *input else {
        return Rel::new(RelNode::Filter { input, condition }, fields);
    };
    let rank = over_fields.len() - 1;
    let numbered = matches!(calls.as_slice(), [call] if call.function == "ROW_NUMBER");
    let mut from = 1;
    let mut to: Option<u64> = None;
    let mut rest = Vec::new();
    for operand in conjuncts(condition.clone()) {
        match rank_bound(&operand, rank) {
            Some((low, high)) if numbered => {
                from = from.max(low);
                to = match (to, high) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
            _ => rest.push(operand),
        }
    }
    if !numbered || to.is_none() || spec.order.is_empty() {
        let over = Rel::new(RelNode::Over { input: source, spec, calls }, over_fields);
        return over.filter(condition);
    }
    let node =
        RelNode::TopN { input: source, partition: spec.partition, order: spec.order, from, to, rank: true };
    let top = Rel::new(node, over_fields);
    match conjunction(rest) {
        Some(rest) => top.filter(rest),
        None => top,
    }
}

/// The function of ranks by time that a filter bounds, which Flink takes for a Top-N that it does not know.
pub(crate) fn bounded_rank<'a>(input: &'a Rel, condition: &Expr) -> Option<&'a str> {
    let Rel { node: RelNode::Over { input: source, spec, calls }, fields } = input else { return None };
    let [call] = calls.as_slice() else { return None };
    let by_time = spec.order.first().is_some_and(|key| source.fields[key.column].time.is_some());
    let ranks = by_time && matches!(call.function.as_str(), "RANK" | "DENSE_RANK");
    let bounds = |operand: &Expr| rank_bound(operand, fields.len() - 1).is_some();
    (ranks && conjuncts(condition.clone()).iter().any(bounds)).then_some(&call.function)
}

/// The ranks that a condition on the rank column admits.
fn rank_bound(condition: &Expr, rank: usize) -> Option<(u64, Option<u64>)> {
    let Expr::Call { function, args, .. } = condition else { return None };
    let [left, right] = args.as_slice() else { return None };
    let (operator, value) = match (plain_column(left), literal(right), literal(left), plain_column(right)) {
        (Some(column), Some(value), _, _) if column == rank => (function.as_str(), value),
        (_, _, Some(value), Some(column)) if column == rank => {
            let mirrored = match function.as_str() {
                "<" => ">",
                "<=" => ">=",
                ">" => "<",
                ">=" => "<=",
                other => other,
            };
            (mirrored, value)
        }
        _ => return None,
    };
    let value = u64::try_from(value.max(0)).ok()?;
    match operator {
        "<=" => Some((1, Some(value))),
        "<" => Some((1, Some(value.saturating_sub(1)))),
        "=" => Some((value, Some(value))),
        ">=" => Some((value, None)),
        ">" => Some((value + 1, None)),
        _ => None,
    }
}

fn plain_column(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Column { index, .. } => Some(*index),
        Expr::Cast { input, .. } => plain_column(input),
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal { value: Literal::Integer(value), .. } => Some(*value),
        Expr::Cast { input, .. } => literal(input),
        _ => None,
    }
}
