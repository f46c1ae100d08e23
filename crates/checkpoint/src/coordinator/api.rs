//! The coordinator's events and actions.

use flott_types::{CheckpointId, Timestamp};

use crate::{Attempt, Barrier, CheckpointKind, JobStatus, RequestId, TaskId};

/// How checkpoints are taken. All durations in milliseconds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// `execution.checkpointing.interval`: from trigger to trigger. `None`: only on request, and the final
    /// one.
    pub interval: Option<i64>,
    /// `execution.checkpointing.min-pause`: from the end of one to the next periodic trigger.
    pub min_pause: i64,
    /// `execution.checkpointing.timeout`: from the trigger to the last acknowledgement.
    pub timeout: i64,
    /// `execution.checkpointing.tolerable-failed-checkpoints`: this many in a row may fail before the job
    /// does.
    pub tolerable_failures: u32,
    /// `execution.checkpointing.max-concurrent-checkpoints`.
    pub max_concurrent: usize,
    /// `execution.checkpointing.num-retained`; at least one is kept.
    pub retained: usize,
    /// `execution.checkpointing.mode`: the alignment of the tasks.
    pub mode: crate::alignment::Mode,
    /// `execution.checkpointing.unaligned.enabled`: how long a checkpoint is aligned before its barriers
    /// overtake what waits (`execution.checkpointing.aligned-checkpoint-timeout`). `None`: for as long as it
    /// takes.
    pub overtakes_after: Option<i64>,
    /// `execution.checkpointing.externalized-checkpoint-retention`.
    pub retention: Retention,
    /// Take full checkpoints until one has completed: the job starts from files that are not its own to keep.
    pub first_is_full: bool,
}

impl Default for Config {
    /// Flink's defaults; nothing periodic.
    fn default() -> Self {
        Config {
            interval: None,
            min_pause: 0,
            timeout: 600_000,
            tolerable_failures: 0,
            max_concurrent: 1,
            retained: 1,
            mode: crate::alignment::Mode::ExactlyOnce,
            overtakes_after: None,
            retention: Retention::NoExternalized,
            first_is_full: false,
        }
    }
}

/// What becomes of the retained checkpoints when the job has ended. They are always deleted when it has
/// finished, and always kept when it was suspended (the JobManager went away).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retention {
    /// Deleted.
    NoExternalized,
    /// Deleted when cancelled, kept when failed.
    DeleteOnCancellation,
    /// Kept when cancelled or failed.
    RetainOnCancellation,
}

impl Retention {
    /// Whether the checkpoints of a job that has ended so are deleted.
    pub fn discards(self, status: JobStatus) -> bool {
        match status {
            JobStatus::Finished => true,
            JobStatus::Canceled => self != Retention::RetainOnCancellation,
            JobStatus::Failed => self == Retention::NoExternalized,
            JobStatus::Initializing
            | JobStatus::Created
            | JobStatus::Running
            | JobStatus::Failing
            | JobStatus::Cancelling
            | JobStatus::Restarting
            | JobStatus::Suspended => false,
        }
    }
}

/// What happened. `S` is what a task hands in, opaque here; usually [`crate::manifest::TaskSnapshot`].
#[derive(Clone, PartialEq, Debug)]
pub enum Event<S> {
    /// Time has passed: [`super::Coordinator::next_deadline`] or later.
    Tick,
    /// All tasks of this attempt are running; these have to acknowledge.
    JobStarted {
        /// The attempt.
        attempt: Attempt,
        /// Every task of the job.
        tasks: Vec<TaskId>,
    },
    /// A task has failed, or the job is being cancelled: the attempt takes no further checkpoint.
    JobStopping {
        /// The attempt.
        attempt: Attempt,
        /// For the users whose requests fail because of it.
        reason: String,
    },
    /// The next attempt wants to know what to restore: answered by [`Action::Restore`].
    RestoreRequested,
    /// A completed checkpoint turned out to be damaged or missing: the one before it will be tried.
    Unusable(CheckpointId),
    /// A task has its snapshot stored.
    Ack {
        /// The attempt that the task belongs to.
        attempt: Attempt,
        /// The task.
        task: TaskId,
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// What to put into the manifest.
        snapshot: S,
    },
    /// A task cannot take the snapshot.
    Decline {
        /// The attempt that the task belongs to.
        attempt: Attempt,
        /// The task.
        task: TaskId,
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// Why.
        reason: DeclineReason,
    },
    /// The manifest is durable.
    StoreCompleted(CheckpointId),
    /// The manifest is not there *and never will be*. (A driver that does not know must find out, or delete
    /// it, before it says so.)
    StoreFailed {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// Why.
        reason: String,
    },
    /// Every task has drained: time for the final checkpoint.
    AllTasksDrained {
        /// The attempt.
        attempt: Attempt,
    },
    /// A user wants something.
    Request {
        /// For the answer.
        request: RequestId,
        /// What.
        what: Request,
    },
    /// The job has ended for good (or was suspended). The driver must have recorded that durably: the answer
    /// is to discard checkpoints, and a JobManager that found only some of them would run the job again.
    JobTerminal(JobStatus),
}

/// What a user can ask for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// A checkpoint now, as soon as the number of concurrent ones allows.
    Checkpoint {
        /// With all state in new files.
        full: bool,
    },
    /// A savepoint; the job continues.
    Savepoint {
        /// The folder.
        target: String,
    },
    /// A savepoint with which the job ends.
    StopWithSavepoint {
        /// The folder.
        target: String,
        /// End the inputs first, as if the sources were at their end: windows fire, everything is flushed.
        drain: bool,
    },
}

/// Why a task declined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DeclineReason {
    /// A later barrier overtook it, or it was cancelled: not a failure.
    Superseded,
    /// The snapshot failed.
    Failed(String),
}

/// What the driver has to do, in this order.
#[derive(Clone, PartialEq, Debug)]
pub enum Action<S> {
    /// Send the trigger to **every** task of the current attempt, not only to sources: see
    /// [`crate::alignment`]. May get lost.
    Trigger {
        /// What to send.
        barrier: Barrier,
        /// The folder, if it is a savepoint.
        target: Option<String>,
    },
    /// Write the manifest, then report [`Event::StoreCompleted`] or [`Event::StoreFailed`]. If it is the
    /// savepoint of a stop ([`CheckpointKind::commits`] and a target), also note in the job's own folder that
    /// it is the [`RestorePoint`], before reporting it: sinks commit with it, so a recovery from an earlier
    /// checkpoint would write twice.
    WriteManifest(CompletedSnapshot<S>),
    /// The manifest is durable: tell every task of the current attempt. Sinks commit everything up to this
    /// checkpoint. May get lost: the next one, or the restore, does the same.
    NotifyComplete(CheckpointId),
    /// Tell every task of the current attempt that this checkpoint will not complete. Must not get lost: a
    /// task whose other inputs never saw the barrier keeps channels blocked until it hears this, or until a
    /// later barrier comes, which without an interval may be never; and a source that stands still behind the
    /// barrier of a stop goes on when it hears this.
    NotifyAborted(CheckpointId),
    /// Delete a completed checkpoint, except files that retained ones share.
    Discard(CheckpointId),
    /// Too many checkpoints failed in a row: fail the attempt ([`crate::execution::Event::Fail`]).
    FailJob(String),
    /// Answer a request. A stop is answered when the job has finished, not when its savepoint is complete: in
    /// between a sink may fail to commit, and the job is recovered.
    RequestDone {
        /// The request.
        request: RequestId,
        /// What was written.
        checkpoint: CheckpointId,
        /// Where, if it is a savepoint.
        target: Option<String>,
    },
    /// Answer a request.
    RequestFailed {
        /// The request.
        request: RequestId,
        /// Why.
        reason: String,
    },
    /// Tell the sources of the current attempt to end their input (final watermark, end of input). Must not
    /// get lost.
    DrainSources,
    /// The answer to [`Event::RestoreRequested`], given when no manifest is being written any more.
    Restore(Option<RestorePoint>),
    /// The last checkpoint is complete: tell the tasks to commit up to it and to finish
    /// ([`crate::execution::Event::LastCheckpointCompleted`]).
    Finish(CheckpointId),
}

/// What [`Action::WriteManifest`] writes.
#[derive(Clone, PartialEq, Debug)]
pub struct CompletedSnapshot<S> {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// What for.
    pub kind: CheckpointKind,
    /// When it was triggered.
    pub created_at: Timestamp,
    /// The folder, if it is a savepoint.
    pub target: Option<String>,
    /// To be found again in [`RestorePoint::drained`]; [`crate::manifest::Manifest::drained`] holds it.
    pub drained: bool,
    /// What each task handed in, in the order of the tasks.
    pub snapshots: Vec<(TaskId, S)>,
}

/// A completed snapshot that the job can be recovered from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RestorePoint {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// The folder, if it is the savepoint that the job was to stop with.
    pub savepoint: Option<String>,
    /// All inputs had ended: sources are to be at their end from the start, wherever their positions are.
    /// After a stop with `drain` they are not at the end of what there is to read, but everything behind them
    /// has been told that nothing follows.
    pub drained: bool,
}

impl RestorePoint {
    /// A checkpoint of the job.
    pub fn checkpoint(checkpoint: CheckpointId) -> Self {
        RestorePoint { checkpoint, savepoint: None, drained: false }
    }
}
