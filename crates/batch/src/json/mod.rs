//! JSON as Jackson reads and writes it: what formats, functions and values of type VARIANT have in common.
//!
//! Reading is in two steps. A [`Cursor`] finds where values begin and end, and checks that they are JSON, without building anything;
//! who needs a value takes it from its [`Span`]: a decoder puts it straight into a column, a function makes a tree of it. A
//! text is copied only where it has escape sequences ([`unescape`]).
//!
//! Some texts are JSON to one and not to another. Flink's json format lets control characters stand in texts, its functions do
//! not ([`Cursor::strict`]). What follows the first value is the caller's business: a record must end there, the functions do
//! not look.

mod cursor;
pub mod number;
mod text;

pub use cursor::{Cursor, Kind, NotJson, Span};
pub use text::{compact, unescape, write_text};
