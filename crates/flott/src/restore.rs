//! What a job starts from: `execution.state-recovery.path` in its configuration names a checkpoint or a savepoint, or says
//! [`LATEST`].
//!
//! `latest` means the newest usable state of *this* job below `execution.checkpointing.dir`, over all its starts. The job's id is
//! another at each start, and other jobs may keep their checkpoints in the same folder; what stays the same is the job's key
//! (`pipeline.job-key`). The cluster finds the state when it takes the job, because only then is it sure that nobody else runs the
//! job; what it found is told by [`JobClient::beginning`](flott_cluster::JobClient::beginning).

pub use flott_cluster::{BeganFrom, Beginning, LATEST, RestorePoint};

/// `execution.state-recovery.path`
pub const RESTORE_PATH: &str = "execution.state-recovery.path";
