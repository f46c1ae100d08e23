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

    /// Makes a new folder for a savepoint under `target`; its URL. Its name comes from `random`; no two savepoints share one.
    ///
    /// # Errors
    /// If the folder cannot be made.
    fn savepoint_folder(&self, place: &Place<'_>, target: &str, random: u64) -> Result<String>;

    /// Makes a snapshot durable by writing its manifest; answers where it lies.
    ///
    /// # Errors
    /// If it is not written, and never will be.
    fn write(&self, place: &Place<'_>, destination: &Destination, manifest: &Manifest) -> Result<String>;

    /// Reads the manifest of one of the job's own checkpoints.
    ///
    /// # Errors
    /// If it is missing or damaged; the message names the file.
    fn read(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<Manifest>;

    /// Reads the manifest of any snapshot: `execution.state-recovery.path`. Its paths are made such that the job can read them.
    ///
    /// # Errors
    /// If it is missing or damaged; the message names the file.
    fn read_path(&self, place: &Place<'_>, path: &str) -> Result<Manifest>;

    /// Deletes a checkpoint, except what others share.
    ///
    /// # Errors
    /// If something cannot be deleted.
    fn discard(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<()>;

    /// Deletes everything of a job that has finished.
    ///
    /// # Errors
    /// If something cannot be deleted.
    fn discard_all(&self, place: &Place<'_>) -> Result<()>;
}

/// Whose snapshots.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The job.
    pub job: JobId,
    /// The job's configuration, which names the folder (`execution.checkpointing.dir`).
    pub configuration: &'a BTreeMap<String, String>,
}

/// Where a manifest goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destination {
    /// Into the job's folder.
    Checkpoint,
    /// Into this folder.
    Savepoint {
        /// The URL, as [`Storage::savepoint_folder`] gave it.
        folder: String,
        /// The job stops with it, so that it is the job's newest state from then on.
        stop: bool,
    },
}
