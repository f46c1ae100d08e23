//! Values into columns: a serialiser that appends to arrow's buffers.
//!
//! Cost of a value: one match per scalar, on what the column is; no allocation but the growth of buffers
//! (keys of maps within JSON excepted).

mod column;
mod compound;
mod serializer;

pub(super) use column::Column;
pub use column::limit_columns;
