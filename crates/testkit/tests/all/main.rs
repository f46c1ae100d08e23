//! What a test can rely on.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

mod async_functions;
mod beginning;
mod cluster;
mod commits;
mod discovery;
mod ends;
mod file_sinks;
mod functions;
mod harness;
#[expect(dead_code, reason = "other tests use other parts of it")]
#[path = "../../../connector/tests/topic/mod.rs"]
mod topic;
mod two_inputs;
