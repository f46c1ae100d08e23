//! What JobManager and TaskManagers say to each other: plain data.

use std::sync::Arc;

use flott_checkpoint::{Attempt, TaskId};
use flott_runtime::{OperatorRestore, TaskCommand, TaskReport};
use flott_types::{JobId, Timestamp};
use serde::{Deserialize, Serialize};

/// A TaskManager.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskManagerId(pub u32);

/// To a TaskManager. Messages arrive in the order in which they were sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ToTaskManager {
    /// Start tasks.
    Deploy(Deploy),
    /// Tell tasks of a job something; those that are not there are passed over.
    Command {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: Attempt,
        /// One task, or all of them.
        task: Option<TaskId>,
        /// What.
        command: TaskCommand,
    },
    /// The job has ended; what is kept of it can go.
    Forget(JobId),
    /// Leave.
    Shutdown,
}

/// Tasks to start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deploy {
    /// The job.
    pub job: JobId,
    /// The attempt.
    pub attempt: Attempt,
    /// The serialised plan.
    pub graph: Arc<str>,
    /// When the job was submitted.
    pub submitted_at: Timestamp,
    /// The inputs had ended before: sources are at their end from the start.
    pub drained: bool,
    /// The tasks for this TaskManager and what they start from.
    pub tasks: Vec<(TaskId, Vec<OperatorRestore>)>,
}

/// To the JobManager. Messages of one task arrive in the order in which they were sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ToJobManager {
    /// A TaskManager is there.
    Register {
        /// It.
        task_manager: TaskManagerId,
        /// How many slots it has.
        slots: u32,
    },
    /// A task reports.
    Report {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: Attempt,
        /// The task.
        task: TaskId,
        /// What.
        report: TaskReport,
    },
}
