//! Operators without keyed state.

pub(crate) mod calc;
pub(crate) mod changelog;
pub(crate) mod drop_update_before;
pub(crate) mod expand;
mod shared;
pub(crate) mod union;
pub(crate) mod unnest;
pub(crate) mod watermark_assigner;
pub(crate) mod watermark_expression;
