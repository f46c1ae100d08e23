//! The states of jobs and tasks, named as in Flink.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a job.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStatus {
    /// The JobManager prepares it.
    Initializing,
    /// Nothing is deployed yet.
    Created,
    /// Tasks are deployed or running.
    Running,
    /// A failure is final; tasks are being cancelled.
    Failing,
    /// Ended by a failure.
    Failed,
    /// A user cancelled it; tasks are being cancelled.
    Cancelling,
    /// Ended by a user.
    Canceled,
    /// Ended by itself, or stopped with a savepoint.
    Finished,
    /// A failure is being recovered from.
    Restarting,
    /// The JobManager lets go of it; another may take it up.
    Suspended,
}

impl JobStatus {
    /// Whether it will never run again, under any JobManager.
    pub fn is_globally_terminal(self) -> bool {
        matches!(self, JobStatus::Failed | JobStatus::Canceled | JobStatus::Finished)
    }

    /// Whether this JobManager has nothing more to do with it.
    pub fn is_terminal(self) -> bool {
        self.is_globally_terminal() || self == JobStatus::Suspended
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JobStatus::Initializing => "INITIALIZING",
            JobStatus::Created => "CREATED",
            JobStatus::Running => "RUNNING",
            JobStatus::Failing => "FAILING",
            JobStatus::Failed => "FAILED",
            JobStatus::Cancelling => "CANCELLING",
            JobStatus::Canceled => "CANCELED",
            JobStatus::Finished => "FINISHED",
            JobStatus::Restarting => "RESTARTING",
            JobStatus::Suspended => "SUSPENDED",
        })
    }
}

/// The state of one task in one attempt. Later in the list is later in life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExecutionState {
    /// Known, nothing done.
    Created,
    /// Waits for a slot.
    Scheduled,
    /// On its way to a slot.
    Deploying,
    /// Restores its state.
    Initializing,
    /// Works. Also when drained.
    Running,
    /// Told to stop.
    Canceling,
    /// Ended after it was told to finish.
    Finished,
    /// Ended after it was told to stop.
    Canceled,
    /// Ended by a failure.
    Failed,
}

impl ExecutionState {
    /// Whether it has ended.
    pub fn is_terminal(self) -> bool {
        self >= ExecutionState::Finished
    }
}

impl fmt::Display for ExecutionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ExecutionState::Created => "CREATED",
            ExecutionState::Scheduled => "SCHEDULED",
            ExecutionState::Deploying => "DEPLOYING",
            ExecutionState::Initializing => "INITIALIZING",
            ExecutionState::Running => "RUNNING",
            ExecutionState::Canceling => "CANCELING",
            ExecutionState::Finished => "FINISHED",
            ExecutionState::Canceled => "CANCELED",
            ExecutionState::Failed => "FAILED",
        })
    }
}
