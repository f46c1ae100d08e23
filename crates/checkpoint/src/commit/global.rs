//! The commits of one sink for the whole job, as the job master sees them.
//!
//! ```text
//! subtask: handed over ── in each acknowledgement until its checkpoint is told complete
//! manifest: what they have handed over, and what is not committed of checkpoints before
//! durable ── every subtask has committed its own of this checkpoint ──> one question to the committer, checkpoint by checkpoint
//! ```
//!
//! Invariants:
//!
//! - **Nothing is asked for that is not in a durable checkpoint**, and what is not known to be committed is
//!   in every manifest after it.
//! - **Each is taken once.** A subtask that has not heard that a checkpoint is complete hands over again what
//!   that checkpoint holds, and all of it is told by its checkpoint: a snapshot holds what was handed over
//!   for those before it, so what comes again is known or done.
//! - What subtasks commit of a checkpoint comes before what is committed globally of it. When they start from
//!   a snapshot they have committed their part of it when they run.

use flott_types::{CheckpointId, Result, SubtaskIndex, Timestamp};

use super::{Answered, CommitOutcome, CommitQueue, CommitRequest, CommitRetries};

/// What the global committer of a sink has to commit.
#[derive(Clone, Debug)]
pub struct GlobalCommits<C> {
    retries: CommitRetries,
    queue: CommitQueue<C>,
    /// The last that is durable and commits.
    complete: CheckpointId,
    /// Up to where each subtask has committed its own.
    confirmed: Vec<CheckpointId>,
}

impl<C: Clone + PartialEq> GlobalCommits<C> {
    /// Of a sink of so many subtasks.
    pub fn new(retries: CommitRetries, parallelism: u32) -> Self {
        GlobalCommits {
            retries,
            queue: CommitQueue::by_checkpoint(retries),
            complete: CheckpointId(0),
            confirmed: vec![CheckpointId(0); parallelism as usize],
        }
    }

    /// The job starts again, from a snapshot that holds this. Answers to what was asked before are not wanted
    /// any more.
    pub fn restart(
        &mut self,
        restored: Option<CheckpointId>,
        requests: impl IntoIterator<Item = CommitRequest<C>>,
    ) {
        self.queue = CommitQueue::by_checkpoint(self.retries);
        self.queue.restore_incomplete(requests);
        self.complete = restored.unwrap_or(CheckpointId(0));
        self.confirmed.fill(CheckpointId(0));
    }

    /// All subtasks run: each has committed what the snapshot holds of its own.
    pub fn running(&mut self) {
        self.confirmed.fill(self.complete);
        self.queue.complete(self.complete);
    }

    /// All subtasks have acknowledged a checkpoint, and handed this over; answers what its manifest must
    /// hold.
    pub fn acknowledged(
        &mut self,
        checkpoint: CheckpointId,
        handed_over: impl IntoIterator<Item = CommitRequest<C>>,
    ) -> Vec<CommitRequest<C>> {
        for request in handed_over {
            if request.checkpoint > self.complete && !self.queue.holds(&request) {
                self.queue.add_request(request);
            }
        }
        self.queue.pending(checkpoint).cloned().collect()
    }

    /// A checkpoint with which sinks commit is durable.
    pub fn complete(&mut self, checkpoint: CheckpointId) {
        self.complete = self.complete.max(checkpoint);
        self.release();
    }

    /// A subtask has committed its own of all checkpoints up to this one.
    pub fn confirmed(&mut self, subtask: SubtaskIndex, checkpoint: CheckpointId) {
        if let Some(confirmed) = self.confirmed.get_mut(subtask.index()) {
            *confirmed = (*confirmed).max(checkpoint);
        }
        self.release();
    }

    fn release(&mut self) {
        let all = self.confirmed.iter().copied().min().unwrap_or(self.complete);
        self.queue.complete(all.min(self.complete));
    }

    /// Whether nothing of the checkpoints up to this one is due or being committed, nor awaited from
    /// subtasks. What the committer lets wait is [another matter](GlobalCommits::waiting).
    pub fn is_settled(&self, checkpoint: CheckpointId) -> bool {
        let confirmed = self.confirmed.iter().all(|confirmed| *confirmed >= checkpoint);
        confirmed && self.complete >= checkpoint && !self.queue.is_busy()
    }

    /// How much the committer lets wait.
    pub fn waiting(&self) -> usize {
        self.queue.waiting()
    }

    /// See [`CommitQueue::take_due`].
    pub fn take_due(&mut self, now: Timestamp) -> Vec<CommitRequest<C>> {
        self.queue.take_due(now)
    }

    /// See [`CommitQueue::answered`].
    ///
    /// # Errors
    /// If something can never be committed, or was tried too often.
    pub fn answered(&mut self, outcomes: Result<Vec<CommitOutcome>>, now: Timestamp) -> Result<Answered> {
        self.queue.answered(outcomes, now)
    }

    /// When the committer is to be asked next.
    pub fn next_time(&self) -> Option<Timestamp> {
        if self.queue.is_asked() { None } else { self.queue.next_time() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(checkpoint: u64, name: &str) -> CommitRequest<String> {
        CommitRequest::new(CheckpointId(checkpoint), name.to_owned())
    }

    fn names(requests: &[CommitRequest<String>]) -> String {
        requests.iter().map(|request| request.committable.clone()).collect::<Vec<_>>().join(" ")
    }

    fn two() -> GlobalCommits<String> {
        GlobalCommits::new(CommitRetries::default(), 2)
    }

    #[test]
    fn nothing_is_committed_before_it_is_durable_and_the_subtasks_are_done() {
        let mut commits = two();
        let held = commits.acknowledged(CheckpointId(1), [request(1, "a"), request(1, "b")]);
        assert_eq!((names(&held).as_str(), commits.take_due(0)), ("a b", vec![]));
        commits.confirmed(SubtaskIndex(0), CheckpointId(1));
        commits.complete(CheckpointId(1));
        assert_eq!(commits.take_due(0), [], "the second subtask has not committed its own");
        assert!(!commits.is_settled(CheckpointId(1)));
        commits.confirmed(SubtaskIndex(1), CheckpointId(1));
        assert_eq!(names(&commits.take_due(0)), "a b");
        commits.answered(Ok(vec![CommitOutcome::Committed; 2]), 0).unwrap();
        assert!(commits.is_settled(CheckpointId(1)));
    }

    #[test]
    fn what_is_handed_over_again_counts_once() {
        let mut commits = two();
        // 1 comes to nothing, or is a savepoint on the side; 2 holds what was handed over for both.
        commits.acknowledged(CheckpointId(1), [request(1, "a")]);
        let held = commits.acknowledged(CheckpointId(2), [request(1, "a"), request(2, "b")]);
        assert_eq!(names(&held), "a b");
        commits.complete(CheckpointId(2));
        (0..2).for_each(|subtask| commits.confirmed(SubtaskIndex(subtask), CheckpointId(2)));
        assert_eq!(names(&commits.take_due(0)), "a");
        commits.answered(Ok(vec![CommitOutcome::Committed]), 0).unwrap();
        // The task has not heard that 2 is complete.
        let held = commits.acknowledged(CheckpointId(3), [request(1, "a"), request(2, "b"), request(3, "c")]);
        assert_eq!(names(&held), "b c", "not yet committed, and new");
        assert_eq!(names(&commits.take_due(0)), "b");
    }

    #[test]
    fn what_a_snapshot_holds_is_committed_when_all_run() {
        let mut commits = two();
        commits.acknowledged(CheckpointId(4), [request(4, "lost")]);
        commits.restart(Some(CheckpointId(3)), [request(2, "a"), request(3, "b")]);
        assert_eq!(commits.take_due(0), []);
        commits.running();
        let due = commits.take_due(0);
        assert!(names(&due) == "a" && due[0].restored, "{due:?}");
        commits.answered(Ok(vec![CommitOutcome::AlreadyCommitted]), 0).unwrap();
        assert_eq!(names(&commits.acknowledged(CheckpointId(5), [request(5, "c")])), "b c");
        assert!(!commits.is_settled(CheckpointId(3)));
        assert_eq!(names(&commits.take_due(0)), "b");
    }
}
