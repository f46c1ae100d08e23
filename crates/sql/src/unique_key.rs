//! Which columns of a relation identify its rows.

use flott_plan::{Expr, Literal};

use crate::bind::placeholder::conjuncts;
use crate::logical::{Rel, RelNode};

/// The columns of which each row has another value at any time, if they can be told: a declared primary key, the groups of
/// an aggregation, the partition of a first row.
pub(crate) fn unique_key(rel: &Rel) -> Option<Vec<usize>> {
    match &rel.node {
        RelNode::Scan(scan) => {
            let key = scan.table.primary_key.as_ref()?;
            let read = |name: &String| rel.fields.iter().position(|field| field.name == *name);
            key.columns.iter().map(read).collect()
        }
        RelNode::Project { input, exprs } => {
            let key = unique_key(input)?;
            let place = |column: &usize| {
                exprs.iter().position(|expr| matches!(expr, Expr::Column { index, .. } if index == column))
            };
            key.iter().map(place).collect()
        }
        RelNode::Filter { input, condition } => {
            first_of_partition(input, condition).or_else(|| unique_key(input))
        }
        RelNode::Watermark { input, .. } | RelNode::TemporalSort { input, .. } => unique_key(input),
        RelNode::Aggregate { keys, .. } => Some((0..keys.len()).collect()),
        RelNode::TopN { partition, from: 1, to: Some(1), .. } => Some(partition.clone()),
        RelNode::TopN { input, .. } | RelNode::Over { input, .. } => unique_key(input),
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
        | RelNode::Match { .. } => None,
    }
}

/// The partition of `WHERE ROW_NUMBER() OVER (PARTITION BY ...) = 1`.
fn first_of_partition(input: &Rel, condition: &Expr) -> Option<Vec<usize>> {
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
fn partition_of(rel: &Rel, column: usize) -> Option<Vec<usize>> {
    match &rel.node {
        RelNode::Project { input, exprs } => {
            let Expr::Column { index, .. } = exprs.get(column)? else { return None };
            let place = |key: &usize| {
                exprs.iter().position(|expr| matches!(expr, Expr::Column { index, .. } if index == key))
            };
            partition_of(input, *index)?.iter().map(place).collect()
        }
        RelNode::Over { input, spec, calls } => {
            let call = calls.get(column.checked_sub(input.fields.len())?)?;
            (call.function == "ROW_NUMBER").then(|| spec.partition.clone())
        }
        _ => None,
    }
}
