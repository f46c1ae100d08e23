//! The job's and the tasks' states.

/// The state of a job, as in Flink.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
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
