//! What several operators need.

mod changelog;
mod expression;
mod rows;

pub(crate) use changelog::Changelog;
pub(crate) use expression::Expression;
pub(crate) use rows::{Equality, columns_of, kernel, record_batch, selected, take_columns};
