//! Commits: what is asked of a committer and when, and what is remembered until all of it is committed.
//!
//! What is handed over is in checkpoints until it is committed, also while that is tried again: so a commit
//! that fails costs no restart, and none is lost. A [`CommitQueue`] belongs to whoever asks a committer: a
//! subtask for what it commits itself, and the job master for what the global committer of a sink commits
//! ([`GlobalCommits`]).

mod global;
mod queue;

use flott_types::CheckpointId;
use serde::{Deserialize, Serialize};

pub use global::GlobalCommits;
pub use queue::{Answered, CommitQueue};

/// Something to commit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CommitRequest<C> {
    /// The checkpoint that holds it, which has completed.
    pub checkpoint: CheckpointId,
    /// What it is.
    pub committable: C,
    /// The job was restored from a checkpoint that holds it. It may have been committed before, and may even
    /// have been taken away since by whoever reads it: what cannot be found any more is no error then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restored: bool,
    /// How often it was tried without success.
    #[serde(default, skip)]
    pub attempts: u32,
}

impl<C> CommitRequest<C> {
    /// Handed over for this checkpoint, and never asked for.
    pub fn new(checkpoint: CheckpointId, committable: C) -> Self {
        CommitRequest { checkpoint, committable, restored: false, attempts: 0 }
    }
}

/// Its outcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommitOutcome {
    /// It is visible.
    Committed,
    /// It was visible before.
    AlreadyCommitted,
    /// Not now: retry in this many milliseconds, or when the queue decides.
    Retry {
        /// When, if the outside has said it.
        after: Option<i64>,
        /// Why not now.
        reason: String,
    },
    /// Its time has not come, which is nobody's failure: it stays in checkpoints, and is asked for again with
    /// whatever is to be committed next, and in so many milliseconds at the latest. A job that ends for good
    /// has nothing that waits; one that is stopped leaves it to the next. Only a global committer may say so.
    Wait {
        /// When to ask, if nothing comes before.
        after: Option<i64>,
    },
    /// Never: its rows are lost, and this is why. The job fails for good.
    Failed(String),
}

/// How often and when a commit is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommitRetries {
    /// The maximum number of retries; then the attempt fails, and a restart tries again.
    pub most: u32,
    /// The first time after so many milliseconds; each time after twice as long.
    pub first: i64,
    /// But no longer than this.
    pub longest: i64,
}

impl Default for CommitRetries {
    fn default() -> Self {
        CommitRetries { most: 10, first: 100, longest: 10_000 }
    }
}

impl CommitRetries {
    fn delay(&self, attempts: u32) -> i64 {
        let doublings = attempts.saturating_sub(1).min(30);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }
}
