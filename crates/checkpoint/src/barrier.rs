//! What is sent through streams and over the wire: barriers, and the ids of tasks, attempts and requests.

use std::fmt;

use flott_types::{CheckpointId, SubtaskIndex, Timestamp, VertexId};
use serde::{Deserialize, Serialize};

/// The mark in the stream between what belongs to a checkpoint and what does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Barrier {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// When the coordinator began it.
    pub created_at: Timestamp,
    /// What for.
    pub kind: CheckpointKind,
    /// How many milliseconds after a task has heard of it it overtakes what waits in the channels that allow it,
    /// if it is not aligned by then; 0: at once; `None`: never. No time of day: clocks of machines differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overtakes_after: Option<i64>,
}

/// Why a snapshot is taken, as far as a task acts differently.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointKind {
    /// What changed since the last completed checkpoint.
    Checkpoint,
    /// All state in new files: the first one after a start from files that are not ours to keep.
    FullCheckpoint,
    /// All state, self-contained, in its own folder. Commits nothing: see [`CheckpointKind::commits`].
    Savepoint,
    /// Stop with savepoint. A source emits nothing after this barrier, until it is told to finish, or that
    /// the checkpoint is aborted ([`crate::coordinator::Action::NotifyAborted`]).
    Suspend,
    /// Stop with savepoint after draining: every task has drained already.
    Terminate,
    /// The last checkpoint of a job whose tasks have all drained.
    Final,
}

impl CheckpointKind {
    /// Whether the snapshot is self-contained and belongs to the user.
    pub fn is_savepoint(self) -> bool {
        matches!(self, CheckpointKind::Savepoint | CheckpointKind::Suspend | CheckpointKind::Terminate)
    }

    /// Whether the job may be recovered from it, and so whether sinks commit when it is complete. A savepoint
    /// on the side does neither: the job may fall back to a checkpoint before it, and would write the same
    /// again.
    pub fn commits(self) -> bool {
        self != CheckpointKind::Savepoint
    }

    /// Whether the job ends with it.
    pub fn is_last(self) -> bool {
        matches!(self, CheckpointKind::Suspend | CheckpointKind::Terminate | CheckpointKind::Final)
    }

    /// Whether its barrier may overtake rows. Savepoints are aligned: they hold nothing that is under way, so
    /// that any other job can continue from them.
    pub fn may_overtake(self) -> bool {
        matches!(self, CheckpointKind::Checkpoint | CheckpointKind::FullCheckpoint)
    }

    /// Whether files of earlier checkpoints must not be named in it.
    pub fn is_full(self) -> bool {
        self == CheckpointKind::FullCheckpoint || self.is_savepoint()
    }
}

/// One parallel instance of a vertex.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct TaskId {
    /// The vertex.
    pub vertex: VertexId,
    /// Which of its instances.
    pub subtask: SubtaskIndex,
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.vertex, self.subtask)
    }
}

/// How often the job (its one fail-over region) has been deployed, from 1. Every message of a task carries
/// it, so that one from before a restart is recognised. Grows over a restart of the JobManager too.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attempt(pub u32);

impl Attempt {
    /// The attempt that follows.
    #[must_use]
    pub fn next(self) -> Self {
        Attempt(self.0 + 1)
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A request of a user, under which the answer is delivered. Chosen by the driver.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub u64);
