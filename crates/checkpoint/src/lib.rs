//! Checkpointing and recovery as pure protocol.
pub mod alignment;
mod barrier;
pub mod coordinator;
pub mod execution;
pub mod manifest;

pub use barrier::{Attempt, Barrier, CheckpointKind, RequestId, TaskId};
pub use execution::JobStatus;
