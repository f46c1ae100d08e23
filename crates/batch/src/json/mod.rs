//! JSON as Jackson reads and writes it: what formats, functions and values of type VARIANT have in common.
//!
//! Reading has two steps. A [`Cursor`] finds where values begin and end, and checks that they are JSON,
//! without building anything; the caller extracts a value from its [`Span`]: a decoder writes it straight
//! into a column, a function builds a tree from it. A text is copied only if it has escape sequences
//! ([`unescape`]).
//!
//! Not all readers agree on what is JSON. Flink's json format allows control characters in texts, its
//! functions do not ([`Cursor::strict`]). What follows the first value is up to the caller: a record must end
//! there, while the functions do not look.

mod cursor;
pub mod number;
mod text;

pub use cursor::{Cursor, Kind, NotJson, Span};
pub use text::{compact, unescape, write_text};
