//! What a job starts from: `execution.state-recovery.path` in its configuration names a checkpoint or a
//! savepoint, or says [`LATEST`].
//!
//! `latest` means the newest usable state of *this* job below `execution.checkpointing.dir`, across all its
//! starts. The job's id changes with each start, and other jobs may keep their checkpoints in the same
//! folder; the job's key (`pipeline.job-key`) stays the same. The cluster looks for the state when it accepts
//! the job, because only then is it certain that nobody else runs it;
//! [`JobClient::beginning`](flott_cluster::JobClient::beginning) returns what it found.

pub use flott_cluster::{BeganFrom, Beginning, LATEST, RestorePoint};

/// `execution.state-recovery.path`
pub const RESTORE_PATH: &str = "execution.state-recovery.path";
