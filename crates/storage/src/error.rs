//! Errors about files, in one form.

use std::error::Error as StdError;
use std::fmt::Display;

use flott_types::Error;

/// What went wrong with which file: `cannot write file:///a/b`, and the cause.
pub fn failed(action: &str, path: impl Display, cause: impl StdError + Send + Sync + 'static) -> Error {
    Error::external(format!("cannot {action} '{path}'")).with_source(cause)
}
