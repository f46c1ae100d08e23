//! Columns into values: a deserialiser over a row of arrow's arrays.
//!
//! [`Reader::new`] brings together what is stored and what the type asks for, once per column: fields are
//! found by name, numbers are widened, what cannot be read is refused before the first row.
//! [`Cell`](cell::Cell) then reads row by row.

mod cell;
mod parts;
mod plan;

pub(super) use plan::Reader;

use std::fmt;

use serde::de;

/// Why a row cannot be read.
#[derive(Debug)]
pub(super) struct ReadError(Box<str>);

impl ReadError {
    fn new(message: impl Into<Box<str>>) -> Self {
        ReadError(message.into())
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        ReadError(message.to_string().into())
    }
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        ReadError(error.to_string().into())
    }
}
