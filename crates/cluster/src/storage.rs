//! Where the snapshots of jobs lie, as the JobManager sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_checkpoint::manifest::Manifest;
use flott_runtime::SnapshotStorage;
pub use flott_state::store::{End, Outcome};
use flott_types::{CheckpointId, Error, JobId, Result, Succession, Timestamp};

use crate::high_availability::Leading;
use crate::identity::Identity;

/// The storage of one cluster: the tasks' side and the JobManager's.
pub trait Storage: SnapshotStorage {
    /// The tasks' side.
    fn as_snapshot_storage(self: Arc<Self>) -> Arc<dyn SnapshotStorage>;

    /// Makes a new folder for a savepoint under `target`; its URL. Its name comes from `random`; no two
    /// savepoints share one.
    ///
    /// # Errors
    /// If the folder cannot be made.
    fn savepoint_folder(&self, place: &Place<'_>, target: &str, random: u64) -> Result<String>;

    /// Makes a snapshot durable by writing its manifest; returns its path.
    ///
    /// # Errors
    /// If it is not written, and never will be.
    fn write(&self, place: &Place<'_>, destination: &Destination, manifest: &Manifest) -> Result<String>;

    /// Reads the manifest of one of the job's own checkpoints.
    ///
    /// # Errors
    /// If it is missing or damaged; the message names the file.
    fn read(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<Manifest>;

    /// Reads the manifest of any snapshot: `execution.state-recovery.path`. Its paths are made such that the
    /// job can read them.
    ///
    /// # Errors
    /// If it is missing or damaged; the message names the file.
    fn read_path(&self, place: &Place<'_>, path: &str) -> Result<Manifest>;

    /// Deletes a checkpoint, except what others share.
    ///
    /// # Errors
    /// If something cannot be deleted.
    fn discard(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<()>;

    /// Deletes a savepoint, which belongs to no job.
    ///
    /// # Errors
    /// If there is none, it is a checkpoint, or something cannot be deleted.
    fn dispose(&self, savepoint: &str) -> Result<()>;

    /// Begins a start of a job: nobody else may run it, and what it continues from is found. To be ended with
    /// [`Storage::end`] and [`Storage::release`], also if it comes to nothing.
    ///
    /// # Errors
    /// If somebody else runs the job, there is no such snapshot, or it may not be used.
    fn begin(&self, place: &Place<'_>, start: &Start<'_>) -> Result<Begun>;

    /// Announces that the job is alive.
    ///
    /// # Errors
    /// If that cannot be written, or somebody else runs the job by now: [`Storage::deposed`].
    fn renew(&self, place: &Place<'_>, now: Timestamp) -> Result<()>;

    /// Who runs the job instead, if somebody does. Then nothing more of it is written, committed or deleted
    /// here.
    fn deposed(&self, place: &Place<'_>) -> Option<Error>;

    /// Deletes what earlier starts of the job have left behind, now that a checkpoint of this one has
    /// completed.
    ///
    /// # Errors
    /// If something cannot be read or deleted.
    fn sweep(&self, place: &Place<'_>) -> Result<()>;

    /// Takes back a checkpoint whose writing was reported as failed, and which may be there all the same: nobody may
    /// continue from it any more.
    ///
    /// # Errors
    /// If it cannot be known to be gone.
    fn withdraw(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<()>;

    /// Deletes what checkpoints of the job that did not complete have left behind. Only while no task of it
    /// runs.
    ///
    /// # Errors
    /// If something cannot be read or deleted.
    fn sweep_aborted(&self, place: &Place<'_>) -> Result<()>;

    /// Notes durably how the job has ended; and if it has finished, deletes everything of it then.
    ///
    /// # Errors
    /// If it cannot be noted; nothing is deleted then, now or later. Or if something cannot be deleted.
    fn end(&self, place: &Place<'_>, end: &End) -> Result<()>;

    /// Forgets the job: another start of it may begin.
    fn release(&self, place: &Place<'_>);
}

/// The description of a job's start.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Which job it is.
    pub identity: &'a Identity,
    /// `execution.state-recovery.path`
    pub restore: Option<&'a str>,
    /// Whether its sinks publish output with checkpoints, so that to go back before one writes it again.
    pub commits: bool,
    /// `execution.state-recovery.allow-older-checkpoint`
    pub allow_older: bool,
    /// As what the job has run under earlier leaders of the cluster: if the last of its starts is one of these, it is
    /// continued, whatever else was asked for when it was submitted.
    pub continues: &'a [JobId],
    /// One of these has held the lease of the job: then its start must be found.
    pub has_run: bool,
    /// The leadership on which this start depends.
    pub leading: Option<&'a Leading>,
    /// Now.
    pub now: Timestamp,
}

/// What came of the beginning of a start.
#[derive(Clone, Debug)]
pub struct Begun {
    /// What it continues from.
    pub origin: Origin,
    /// Where it stands among the starts of the job, if it has a lease: then others want to hear of it now and then.
    pub succession: Option<Succession>,
    /// Warnings.
    pub warnings: Vec<String>,
}

/// What a start continues from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// From nothing, as requested.
    Anew,
    /// From nothing, because there was nothing.
    Nothing {
        /// Where it was looked for.
        dir: String,
        /// How many other jobs have not finished there.
        others: usize,
    },
    /// A snapshot, with paths that the job can read.
    Snapshot {
        /// Its manifest.
        manifest: Box<Manifest>,
        /// Its location.
        url: String,
    },
    /// The job has finished, and there is nothing to do.
    Finished {
        /// When.
        at: Timestamp,
    },
    /// The job of an earlier leader is not run here: another start has its key.
    Refused {
        /// For people.
        why: String,
    },
    /// The job of an earlier leader has ended otherwise, and is not run again.
    Ended {
        /// How.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
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
