//! Rewrites that keep the meaning of a plan. Each pass is one function from relation to relation, bottom-up or top-down over the
//! whole tree; the order of passes is the order below.

mod fields;
mod filters;
mod fold;
mod prune;
mod time;
mod top_n;
mod window;

pub(crate) use filters::is_deterministic;
pub(crate) use window::window_of;

use flott_expr::PlanContext;
use flott_types::Result;

use crate::logical::Rel;

/// Applies all passes.
pub fn optimize(rel: Rel, context: &PlanContext) -> Result<Rel> {
    let rel = fold::fold_constants(rel, context)?;
    let rel = filters::push_down(rel, &context.functions);
    let rel = top_n::recognise(rel);
    let rel = time::settle(rel, context)?;
    let rel = window::recognise(rel)?;
    Ok(fields::read_fields(prune::prune_columns(rel)))
}
