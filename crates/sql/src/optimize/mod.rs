//! Rewrites that preserve the meaning of a plan. Each pass is one function from relation to relation,
//! bottom-up or top-down over the whole tree; the passes run in the order below.

mod async_calls;
mod empty;
mod fields;
mod filters;
mod fold;
mod join_order;
mod prune;
mod sources;
mod time;
mod top_n;
mod watermarks;
mod window;

pub(crate) use filters::is_deterministic;
pub(crate) use top_n::bounded_rank;
pub(crate) use window::window_of;

use flott_expr::PlanContext;
use flott_types::Result;

use crate::logical::Rel;
use crate::plan::limits;

/// Applies all passes. Both input and output are within the limits of a plan.
pub fn optimize(rel: Rel, context: &PlanContext) -> Result<Rel> {
    limits::check(&rel)?;
    let rel = async_calls::separate(rel, &context.functions)?;
    let rel = fold::fold_constants(rel, context)?;
    let rel = filters::push_down(rel, &context.functions);
    let rel = if context.streaming { empty::settle(rel) } else { rel };
    let rel = join_order::order_joins(rel, context);
    let rel = top_n::recognise(rel);
    let rel = time::settle(rel, context)?;
    let rel = window::recognise(rel)?;
    let rel = fields::read_fields(prune::prune_columns(rel));
    limits::check(&rel)?;
    Ok(rel)
}

/// Makes what several queries of a job read of one table one scan, and their watermarks over it one relation.
pub(crate) fn share(roots: Vec<Rel>, context: &PlanContext) -> Vec<Rel> {
    watermarks::share(sources::share_sources(roots), &context.functions)
}
