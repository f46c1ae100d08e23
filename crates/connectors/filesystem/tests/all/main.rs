//! The filesystem connector through its public face, on a directory of its own for each test.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod conformance;
mod harness;
mod sink;
mod source;
