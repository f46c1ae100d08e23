//! Panics in functions, operators and connectors. They become errors, so that the job fails and not the
//! process.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, Result};

/// Calls into an operator or connector: errors get its name, panics become errors.
///
/// # Errors
/// That of the call, or what it panicked with.
pub fn guard<T>(name: &str, call: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(call).map_err(|error| error.in_operator(name))
}

/// Calls code that may panic: panics become errors.
///
/// # Errors
/// That of the call, or what it panicked with.
pub fn caught<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|panic| Err(Error::internal(format!("panicked: {}", panic_text(&*panic)))))
}

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text,
        _ => "without a message",
    }
}
