//! What a test can rely on.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

mod async_functions;
mod beginning;
mod cluster;
mod ends;
mod functions;
mod harness;
mod two_inputs;
