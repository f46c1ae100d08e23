//! Where the snapshots of jobs lie, as the JobManager sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_checkpoint::manifest::Manifest;
use flott_runtime::SnapshotStorage;
use flott_types::{CheckpointId, JobId, Result};

/// The storage of one cluster: the tasks' side and the JobManager's.
pub trait Storage: SnapshotStorage {
    /// The tasks' side.
    fn as_snapshot_storage(self: Arc<Self>) -> Arc<dyn SnapshotStorage>;

    /// Makes a snapshot durable by writing its manifest; answers where it lies, if that is a place with a name.
    ///
    /// # Errors
    /// If it is not written, and never will be.
    fn write(&self, place: &Place<'_>, manifest: &Manifest) -> Result<Option<String>>;

    /// Reads the manifest of a job's own checkpoint.
    ///
    /// # Errors
    /// If it is missing or damaged; the message names the file.
    fn read(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<Manifest>;

    /// Reads the manifest of any snapshot: `execution.state-recovery.path`.
    ///
    /// # Errors
    /// If it is missing or damaged; the message names the file.
    fn read_path(&self, path: &str) -> Result<Manifest>;

    /// Deletes a checkpoint, except what others share.
    ///
    /// # Errors
    /// If something cannot be deleted.
    fn discard(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<()>;
}

/// Whose snapshot it is and where it goes.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The job.
    pub job: JobId,
    /// The job's configuration, which names the folder (`execution.checkpointing.dir`).
    pub configuration: &'a BTreeMap<String, String>,
    /// The folder of a savepoint.
    pub savepoint: Option<&'a str>,
}
