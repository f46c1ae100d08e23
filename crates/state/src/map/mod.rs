//! Keys with any number of rows, each with values.
//!
//! [`GroupedRows`] hold, for each slot of an index, distinct rows (a map's keys), and for each of them values
//! in the operator's columns: what a join remembers of a side, what DISTINCT has seen, the candidates of a
//! top-n. [`Arrivals`] are such rows that only their order of arrival tells apart. Changes are tracked by
//! row, so that a snapshot of a key with a million rows writes only those that changed. The rows of a key are
//! unordered, or sorted by chosen columns, at 4 bytes per row more than the row itself.
//!
//! # Cost
//!
//! A batch of rows is encoded at once into arrow-row bytes in a reused buffer. Per row there is one hash over
//! key slot and bytes and one probe; a new row is appended to one buffer, and in a sorted map placed by a
//! binary search that compares bytes. Memory per row: 8 bytes a bucket, 24 a slot, 8 in the key's list, and
//! the encoded row. For a single integer it is 16 a bucket and 12 a slot in all, and one multiplication
//! instead of a hash over bytes. Rows that are seldom found may stay in the batches in which they came
//! ([`GroupedRows::kept`]).

mod arrivals;
mod entries;
mod grouped;
mod kept_entries;
mod lists;
mod multiset;
mod rows_of_keys;
mod tag_table;

pub use arrivals::Arrivals;
pub use grouped::GroupedRows;
pub use multiset::{Multiset, prefixed};
