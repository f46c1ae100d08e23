//! What several operators share.

mod changelog;
mod expression;
mod millis;
mod parts;
mod pending;
mod rows;
mod timed_rows;
mod zone;

pub(crate) use changelog::{Changelog, whole_updates};
pub(crate) use expression::Expression;
pub(crate) use millis::Millis;
pub(crate) use parts::{in_parts, whole_keys};
pub(crate) use pending::Pending;
pub(crate) use rows::{Equality, columns_of, gather, kernel, record_batch, selected, take_columns};
pub(crate) use timed_rows::{TimedRows, batch_in_time, insertions};
pub(crate) use zone::Zone;
