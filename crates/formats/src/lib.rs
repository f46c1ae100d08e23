//! Formats: rows from bytes and bytes from rows.
//!
//! A [`Format`] is found by the name in `'format' = '...'` and holds the checked options. It makes a [`RowDecoder`], which
//! parses bytes straight into arrow columns, and a [`RowEncoder`].
//!
//! - Only the columns that are asked for are converted; the others are skipped as text.
//! - A record that cannot be read is an error that names line, column and text, or is counted where the user said
//!   `ignore-parse-errors`: as in Flink a field that cannot be read is then NULL, and a record that cannot be taken apart is
//!   left out.
//! - Options with the format's prefix that it does not have are ignored, as in Flink, with a warning in the log.
//! - No input whatsoever panics.
//!
//! A decoder consumes whole records only, so that `offset of the bytes given + bytes consumed` is a position to restart
//! from.

mod column;
mod csv;
mod decode;
mod encode;
mod format;
mod json;
mod raw;
mod scalar;
mod write;

pub use column::single_value;
pub use decode::{Progress, RowDecoder};
pub use encode::RowEncoder;
pub use format::Format;
