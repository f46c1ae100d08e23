//! Records in motion.
//!
//! A task processes **batches**. Two kinds share one runtime: [`Records`] hold values of a user's own type
//! (DataStream), [`ChangeBatch`] holds arrow columns with an optional column of row kinds and an optional
//! selection (SQL and Table API). Between operators a batch is a [`Batch`]; an operator checks its kind once
//! per batch, and the loops inside are typed.
//!
//! [`codec`] writes both kinds as bytes. [`arrow_type`] defines how Flink's logical types are represented in
//! memory, [`mod@bytes`] how large rows are. [`hash`] is the hash for key groups and partitioning, fixed
//! forever because snapshots are laid out by it. [`text`] prints values as Flink's SQL client does, and
//! parses them; [`json`] reads and writes JSON. [`bitmap`] and [`variant`] are the bytes of BITMAP and
//! VARIANT values.

pub mod arrow_type;
pub mod bitmap;
pub mod bytes;
mod change;
pub mod codec;
pub mod copy;
pub mod hash;
pub mod json;
pub mod pretty;
mod records;
mod row_kind;
pub mod size;
pub mod text;
pub mod variant;
mod watermark_status;

pub use change::ChangeBatch;
pub use records::{AnyRecords, Batch, Record, Records, downcast};
pub use row_kind::{RowKind, RowKinds};
pub use watermark_status::WatermarkStatus;
