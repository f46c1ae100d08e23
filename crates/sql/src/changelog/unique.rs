//! Unique keys of relations that are not planned yet: what the binder asks of a versioned table.

use flott_plan::{Expr, Literal};

use super::Keys;
use crate::bind::placeholder::conjuncts;
use crate::logical::{Rel, RelNode};

/// The columns of which each row has another value at any time, if they can be told: a declared primary key, the groups of
/// an aggregation, the partition of a first row.
pub(crate) fn unique_keys(rel: &Rel) -> Keys {
    match &rel.node {
        RelNode::Scan(scan) => {
            let Some(key) = &scan.table.primary_key else { return Keys::none() };
            let read = |name: &String| rel.fields.iter().position(|field| field.name == *name);
            let columns: Option<Vec<usize>> = key.columns.iter().map(read).collect();
            columns.map_or_else(Keys::none, Keys::one)
        }
        RelNode::Project { input, exprs } => unique_keys(input).projected(exprs),
        RelNode::Filter { input, condition } => {
            first_of_partition(input, condition).unwrap_or_else(|| unique_keys(input))
        }
        RelNode::Watermark { input, .. } | RelNode::TemporalSort { input, .. } => unique_keys(input),
        RelNode::Aggregate { keys, .. } => Keys::one(0..keys.len()),
        RelNode::TopN { partition, from, to: Some(to), .. } if *to == (*from).max(1) => {
            Keys::one(partition.iter().copied())
        }
        RelNode::TopN { input, .. } | RelNode::Over { input, .. } => unique_keys(input),
        RelNode::TemporalJoin { .. }
        | RelNode::LookupJoin { .. }
        | RelNode::Values(_)
        | RelNode::WindowTvf { .. }
        | RelNode::WindowAggregate { .. }
        | RelNode::Join { .. }
        | RelNode::Union(_)
        | RelNode::Expand { .. }
        | RelNode::Unnest { .. }
        | RelNode::ToChangelog { .. }
        | RelNode::FromChangelog { .. }
        | RelNode::ProcessTable { .. }
        | RelNode::AsyncCall { .. }
        | RelNode::Match { .. } => Keys::none(),
    }
}

/// The partition of `WHERE ROW_NUMBER() OVER (PARTITION BY ...) = 1`.
fn first_of_partition(input: &Rel, condition: &Expr) -> Option<Keys> {
    let number = conjuncts(condition.clone()).iter().find_map(|test| {
        let Expr::Call { function, args, .. } = test else { return None };
        match (function.as_str(), args.as_slice()) {
            ("=" | "<=", [Expr::Column { index, .. }, one]) if is_one(one) => Some(*index),
            ("=" | ">=", [one, Expr::Column { index, .. }]) if is_one(one) => Some(*index),
            _ => None,
        }
    })?;
    partition_of(input, number)
}

/// Whether an expression is the number 1, of whatever type.
fn is_one(expr: &Expr) -> bool {
    match expr {
        Expr::Literal { value: Literal::Integer(1), ty } => ty.kind.is_integer(),
        Expr::Cast { input, ty, .. } => ty.kind.is_integer() && is_one(input),
        _ => false,
    }
}

/// The partition, if the column is a ROW_NUMBER() of one.
fn partition_of(rel: &Rel, column: usize) -> Option<Keys> {
    match &rel.node {
        RelNode::Project { input, exprs } => {
            let Expr::Column { index, .. } = exprs.get(column)? else { return None };
            let partition = partition_of(input, *index)?.projected(exprs);
            (!partition.is_empty()).then_some(partition)
        }
        RelNode::Over { input, spec, calls } => {
            let call = calls.get(column.checked_sub(input.fields.len())?)?;
            (call.function == "ROW_NUMBER").then(|| Keys::one(spec.partition.iter().copied()))
        }
        _ => None,
    }
}
