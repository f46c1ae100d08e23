//! What several operators need.

mod changelog;
mod expression;
mod millis;
mod parts;
mod rows;
mod zone;

pub(crate) use changelog::Changelog;
pub(crate) use expression::Expression;
pub(crate) use millis::Millis;
pub(crate) use parts::in_parts;
pub(crate) use rows::{Equality, columns_of, kernel, record_batch, selected, take_columns};
pub(crate) use zone::Zone;
