//! What programs are told: of their states when they continue from a snapshot, of their failures, of what
//! they forgot. Each test starts with a look at the log of the process, so that it is there before a
//! program's own.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

mod failures;
mod state_fates;
#[path = "../all/support.rs"]
#[expect(dead_code, reason = "most of it is for the tests of the API")]
mod support;
mod uids;
