//! Calls on constants are computed once, at planning.

use flott_expr::{PlanContext, fold};
use flott_plan::{Expr, Literal};
use flott_types::{Error, Result, TypeKind};

use crate::logical::{Rel, RelNode};

pub(super) fn fold_constants(rel: Rel, context: &PlanContext) -> Result<Rel> {
    let mut failed: Option<Error> = None;
    let rel = walk(rel, &mut |expr| match fold(expr.clone(), context) {
        Ok(folded) => folded,
        Err(error) => {
            failed.get_or_insert(error);
            expr
        }
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(rel),
    }
}

fn walk(rel: Rel, change: &mut impl FnMut(Expr) -> Expr) -> Rel {
    let mut rel = rel.map_inputs(&mut |input| walk(input, change));
    let mut each = |exprs: &mut Vec<Expr>| {
        for expr in exprs {
            replace(expr, change);
        }
    };
    match &mut rel.node {
        RelNode::Project { exprs, .. } => each(exprs),
        RelNode::Values(rows) => rows.iter_mut().for_each(each),
        RelNode::Expand { projections, .. } => projections.iter_mut().for_each(each),
        RelNode::Filter { condition, .. } => replace(condition, change),
        RelNode::Watermark { expr, .. } => replace(expr, change),
        RelNode::Unnest { collection, .. } => replace(collection, change),
        RelNode::Join { condition: Some(condition), .. }
        | RelNode::TemporalJoin { condition: Some(condition), .. } => replace(condition, change),
        RelNode::Match { spec, .. } => {
            each(&mut spec.measures);
            spec.conditions_mut().for_each(|condition| replace(condition, change));
        }
        // These name columns by their position.
        RelNode::Scan(_)
        | RelNode::WindowTvf { .. }
        | RelNode::Aggregate { .. }
        | RelNode::WindowAggregate { .. }
        | RelNode::Join { condition: None, .. }
        | RelNode::TemporalJoin { condition: None, .. }
        | RelNode::Union(_)
        | RelNode::TopN { .. }
        | RelNode::TemporalSort { .. }
        | RelNode::Over { .. } => {}
    }
    rel
}

fn replace(slot: &mut Expr, change: &mut impl FnMut(Expr) -> Expr) {
    let taken = std::mem::replace(slot, Expr::literal(Literal::Null, TypeKind::Null.nullable()));
    *slot = change(taken);
}
