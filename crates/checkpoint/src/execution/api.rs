//! The events and actions of a job's state machine.

use flott_types::{CheckpointId, Timestamp};

use super::{ExecutionState, JobStatus};
use crate::coordinator::RestorePoint;
use crate::{Attempt, TaskId};

/// Why something failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// For people.
    pub reason: String,
    /// Whether a restart may help ([`flott_types::Error::is_retryable`]).
    pub retryable: bool,
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// Begin.
    Start,
    /// The coordinator's answer to [`Action::RequestRestorePoint`].
    RestorePoint(Option<RestorePoint>),
    /// A task has come into a state.
    Task {
        /// The attempt that the task belongs to.
        attempt: Attempt,
        /// The task.
        task: TaskId,
        /// The state.
        state: ExecutionState,
        /// Of a failed one.
        failure: Option<Failure>,
    },
    /// The inputs of a task have ended (of a source: its splits), and all that follows from that is done and
    /// sent.
    Drained {
        /// The attempt that the task belongs to.
        attempt: Attempt,
        /// The task.
        task: TaskId,
    },
    /// The answer to [`Action::RequestSlots`]: there are as many as the job needs.
    SlotsGranted,
    /// There are not, so far.
    SlotsMissing {
        /// What is missing, for people.
        reason: String,
        /// The cluster does not have that many, and is not expected to get more.
        hopeless: bool,
        /// Of a job [that scales](Execution::that_scales): it could run with those that are there.
        enough: bool,
    },
    /// A TaskManager is lost, and these tasks with it.
    TaskManagerLost {
        /// The attempt that the tasks belong to.
        attempt: Attempt,
        /// The tasks.
        tasks: Vec<TaskId>,
        /// For people.
        reason: String,
    },
    /// The attempt as a whole failed: too many failed checkpoints, a damaged restore point.
    Fail(Failure),
    /// The final checkpoint, or the savepoint of a stop, is complete.
    LastCheckpointCompleted(CheckpointId),
    /// Of a job [that commits](Execution::that_commits): what the last checkpoint holds is committed.
    Committed {
        /// The attempt whose last checkpoint it is.
        attempt: Attempt,
    },
    /// The answer to [`Action::Resize`]: the tasks from now on.
    Resized(Vec<TaskId>),
    /// Of a job [that scales](Execution::that_scales): there are slots with which it would have more tasks, or no
    /// more.
    CouldGrow(bool),
    /// It is to run with other tasks, as soon as little is lost by that.
    Rescale,
    /// A checkpoint is complete.
    CheckpointCompleted,
    /// A user cancels the job.
    Cancel,
    /// The JobManager goes away and leaves the job to another.
    Suspend,
    /// Time has passed: [`Execution::next_deadline`] or later.
    Tick,
}

/// What the driver has to do, in this order.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// For listeners.
    StatusChanged(JobStatus),
    /// Ask the coordinator where to restore from.
    RequestRestorePoint,
    /// Ask for all slots that the job needs: those that it has are enough, or more are granted, or missing.
    RequestSlots,
    /// It no longer waits for slots.
    WithdrawSlots,
    /// Decide anew which tasks the job has.
    Resize {
        /// As many as it wishes; or else as many as there are slots for now.
        wished: bool,
    },
    /// Deploy all tasks of a region.
    Deploy {
        /// Its number.
        attempt: Attempt,
        /// The tasks.
        tasks: Vec<TaskId>,
        /// What they start from; `None`: from what the user gave, or from nothing. Mind
        /// [`RestorePoint::drained`].
        restore: Option<RestorePoint>,
    },
    /// All tasks are running: the coordinator may begin.
    AttemptRunning {
        /// Its number.
        attempt: Attempt,
        /// The tasks.
        tasks: Vec<TaskId>,
    },
    /// The attempt is over: the coordinator has to give up what tasks have not acknowledged yet.
    AttemptStopping {
        /// Its number.
        attempt: Attempt,
        /// Why.
        reason: String,
    },
    /// Tell the tasks to stop; each must report an end. Must not get lost.
    CancelTasks {
        /// The attempt.
        attempt: Attempt,
    },
    /// All tasks have drained: the coordinator has to take the final checkpoint.
    AllDrained {
        /// The attempt.
        attempt: Attempt,
    },
    /// Tell the tasks to commit everything up to this checkpoint, drop everything after it, and finish. Must
    /// not get lost.
    FinishTasks {
        /// The attempt.
        attempt: Attempt,
        /// The last checkpoint.
        checkpoint: CheckpointId,
    },
    /// The job will be deployed again then: `Tick`.
    ScheduleRestart {
        /// When.
        at: Timestamp,
        /// What happened.
        reason: String,
    },
    /// The job has ended.
    JobTerminal {
        /// How.
        status: JobStatus,
        /// Why, unless it finished.
        reason: Option<String>,
    },
}
