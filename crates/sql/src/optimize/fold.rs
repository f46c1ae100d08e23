//! Calls on constants are computed once, during planning.

use flott_expr::{PlanContext, fold};
use flott_types::{Error, Result};

use crate::logical::Rel;

pub(super) fn fold_constants(rel: Rel, context: &PlanContext) -> Result<Rel> {
    let mut failed: Option<Error> = None;
    let rel = rel.map_exprs(&mut |expr| match fold(expr.clone(), context) {
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
