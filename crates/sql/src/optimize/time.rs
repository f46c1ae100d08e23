//! Decides which columns remain time attributes.
//!
//! The binder keeps them through every join, because it does not see the whole condition of `FROM a, b WHERE
//! ...`. A join that does not bound how far apart in time its rows are emits them in any order, so its
//! columns are ordinary ones; operators above it that rely on a time attribute are refused here.

use flott_expr::PlanContext;
use flott_plan::Expr;
use flott_types::{Error, Result};

use crate::join_bound;
use crate::logical::{Field, Rel, RelNode};

pub(super) fn settle(rel: Rel, context: &PlanContext) -> Result<Rel> {
    let mut failed = None;
    let mut rel = rel.map_inputs(&mut |input| {
        settle(input, context).unwrap_or_else(|error| {
            failed.get_or_insert(error);
            Rel::new(RelNode::Values(Vec::new()), Vec::new())
        })
    });
    if let Some(error) = failed {
        return Err(error);
    }
    let lost = lost(&rel, context);
    for (field, lost) in rel.fields.iter_mut().zip(lost) {
        if lost {
            field.time = None;
        }
    }
    if context.streaming {
        check(&rel)?;
    }
    Ok(rel)
}

/// For each column, whether it is not a time attribute after all.
fn lost(rel: &Rel, context: &PlanContext) -> Vec<bool> {
    let ordinary = |field: &Field| field.time.is_none();
    // The input's columns come first; the columns after them are as assumed.
    let leading = |input: &Rel| input.fields.iter().map(ordinary).collect::<Vec<_>>();
    match &rel.node {
        RelNode::Scan(_)
        | RelNode::Values(_)
        | RelNode::Watermark { .. }
        | RelNode::Match { .. }
        | RelNode::ProcessTable { .. } => Vec::new(),
        RelNode::Project { input, exprs } => exprs
            .iter()
            .map(|expr| match expr {
                Expr::Column { index, .. } => ordinary(&input.fields[*index]),
                _ => false,
            })
            .collect(),
        RelNode::Filter { input, .. }
        | RelNode::WindowTvf { input, .. }
        | RelNode::Unnest { input, .. }
        | RelNode::Expand { input, .. }
        | RelNode::TopN { input, .. }
        | RelNode::AsyncCall { input, .. }
        | RelNode::TemporalSort { input, .. }
        | RelNode::Over { input, .. } => leading(input),
        RelNode::Aggregate { input, keys, .. } => {
            keys.iter().map(|key| ordinary(&input.fields[*key])).collect()
        }
        RelNode::WindowAggregate { .. } | RelNode::FromChangelog { .. } => Vec::new(),
        // The code comes first.
        RelNode::ToChangelog { input, .. } => [false].into_iter().chain(leading(input)).collect(),
        RelNode::Join { left, right, kind, condition } => {
            let bounded =
                context.streaming && join_bound::of(left, right, *kind, condition.as_ref()).is_some();
            match bounded {
                true => left.fields.iter().chain(&right.fields).map(ordinary).collect(),
                false => vec![true; rel.fields.len()],
            }
        }
        RelNode::TemporalJoin { left, right, .. } => {
            left.fields.iter().chain(&right.fields).map(ordinary).collect()
        }
        RelNode::LookupJoin { left, .. } => leading(left),
        RelNode::Union(inputs) => (0..rel.fields.len())
            .map(|column| inputs.iter().any(|input| ordinary(&input.fields[column])))
            .collect(),
    }
}

/// Refuses operators that need a time attribute and have none.
fn check(rel: &Rel) -> Result<()> {
    let (input, column, what) = match &rel.node {
        RelNode::WindowTvf { input, window, .. } => (input, window.time_column, "a window"),
        RelNode::TemporalSort { input, order } => (input, order[0].column, "ORDER BY of a stream"),
        RelNode::Match { input, spec } => match spec.time_column {
            Some(column) => (input, column, "MATCH_RECOGNIZE"),
            None => return Ok(()),
        },
        RelNode::TemporalJoin { left, left_time, .. } => (left, *left_time, "a temporal join"),
        _ => return Ok(()),
    };
    let field = &input.fields[column];
    if field.time.is_some() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{what} needs a time attribute, but '{}' is not one: it comes from a join that does not bound the time between the rows of \
         both sides, so that its rows are in no order of time",
        field.name
    )))
}
