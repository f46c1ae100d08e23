//! Commits: what a committer is asked and answers, and what is remembered until all of it is committed.
//!
//! What is handed over is in checkpoints until it is committed, also while that is tried again: so a commit that fails costs no restart,
//! and none is lost. [`CommitQueue`] decides what is asked when; it is pure.

use flott_types::{CheckpointId, Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Committable;

/// Makes output visible. It runs on a thread of its own and may wait.
pub trait Committer: Send {
    /// Commits each of these; answers for each, in their order. Any of them may be committed already, by this
    /// committer or another one, before a failure or at this moment: a second time must be harmless.
    ///
    /// # Errors
    /// If there is no answer for any: all are tried again where the error allows it.
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>>;
}

/// Something to commit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CommitRequest {
    /// The checkpoint that holds it, which has completed.
    pub checkpoint: CheckpointId,
    /// What it is.
    pub committable: Committable,
    /// The job was restored from a checkpoint that holds it. It may have been committed before, and may even have been taken away since by
    /// whoever reads it: what cannot be found any more is no error then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restored: bool,
    /// How often it was tried without success.
    #[serde(default, skip)]
    pub attempts: u32,
}

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommitOutcome {
    /// It is visible.
    Committed,
    /// It was visible before.
    AlreadyCommitted,
    /// Not now: again in so many milliseconds, or when the queue thinks fit.
    Retry {
        /// When, if the outside has said it.
        after: Option<i64>,
        /// Why not now.
        reason: String,
    },
    /// Never: its rows are lost, and this is why. The job fails for good.
    Failed(String),
}

/// How often and when a commit is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommitRetries {
    /// So often, then the attempt fails, and a restart tries it anew.
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

/// What was handed over and is not committed.
#[derive(Debug, Default)]
pub struct CommitQueue {
    retries: CommitRetries,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    request: CommitRequest,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Its checkpoint has not completed.
    Waiting,
    /// To be committed then.
    Due(Timestamp),
    /// The committer has it.
    Asked,
}

/// What came of an answer.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Answered {
    /// So many are visible now.
    pub committed: u64,
    /// So many were before.
    pub already: u64,
    /// So many are tried again.
    pub retried: u64,
}

impl CommitQueue {
    /// A queue without entries.
    pub fn new(retries: CommitRetries) -> Self {
        CommitQueue { retries, entries: Vec::new() }
    }

    /// Handed over for a checkpoint.
    pub fn add(&mut self, checkpoint: CheckpointId, committables: Vec<Committable>) {
        let entry = |committable| Entry {
            request: CommitRequest { checkpoint, committable, restored: false, attempts: 0 },
            state: State::Waiting,
        };
        self.entries.extend(committables.into_iter().map(entry));
    }

    /// Held by the checkpoint that the job is restored from: due at once. The same twice counts once.
    pub fn restore(&mut self, requests: impl IntoIterator<Item = CommitRequest>) {
        for request in requests {
            let same = |entry: &Entry| {
                entry.request.checkpoint == request.checkpoint
                    && entry.request.committable == request.committable
            };
            if !self.entries.iter().any(same) {
                let request = CommitRequest { restored: true, attempts: 0, ..request };
                self.entries.push(Entry { request, state: State::Due(Timestamp::MIN) });
            }
        }
    }

    /// A checkpoint is complete, and all before it: what they hold is due.
    pub fn complete(&mut self, checkpoint: CheckpointId) {
        for entry in &mut self.entries {
            if entry.state == State::Waiting && entry.request.checkpoint <= checkpoint {
                entry.state = State::Due(Timestamp::MIN);
            }
        }
    }

    /// What the committer is to be asked now, if it has nothing to do.
    pub fn take_due(&mut self, now: Timestamp) -> Vec<CommitRequest> {
        if self.is_asked() {
            return Vec::new();
        }
        let is_due = |entry: &&mut Entry| matches!(entry.state, State::Due(at) if at <= now);
        let due = self.entries.iter_mut().filter(is_due);
        due.map(|entry| {
            entry.state = State::Asked;
            entry.request.clone()
        })
        .collect()
    }

    /// What the committer has answered to the last [`CommitQueue::take_due`].
    ///
    /// # Errors
    /// If something can never be committed, or was tried too often.
    pub fn answered(&mut self, outcomes: Result<Vec<CommitOutcome>>, now: Timestamp) -> Result<Answered> {
        let asked = self.entries.iter().filter(|entry| entry.state == State::Asked).count();
        let outcomes = match outcomes {
            Ok(outcomes) if outcomes.len() == asked => outcomes,
            Ok(outcomes) => {
                return Err(Error::internal(format!(
                    "a committer was asked for {asked} commits and answers {}",
                    outcomes.len()
                )));
            }
            Err(error) if error.is_retryable() => {
                vec![CommitOutcome::Retry { after: None, reason: error.to_string() }; asked]
            }
            Err(error) => return Err(error),
        };
        let (mut answered, retries) = (Answered::default(), self.retries);
        let mut outcomes = outcomes.into_iter();
        let mut failure = None;
        self.entries.retain_mut(|entry| {
            let outcome = match entry.state {
                State::Asked => outcomes.next(),
                State::Waiting | State::Due(_) => None,
            };
            match outcome {
                None => return true,
                Some(CommitOutcome::Committed) => answered.committed += 1,
                Some(CommitOutcome::AlreadyCommitted) => answered.already += 1,
                Some(CommitOutcome::Retry { after, reason }) => {
                    let request = &mut entry.request;
                    request.attempts += 1;
                    answered.retried += 1;
                    if request.attempts > retries.most {
                        failure.get_or_insert(Error::external(format!(
                            "output of checkpoint {} could not be committed, also when it was tried {} times: {reason}",
                            request.checkpoint, request.attempts
                        )));
                    }
                    let delay = after.unwrap_or_else(|| retries.delay(request.attempts));
                    entry.state = State::Due(now.saturating_add(delay.max(0)));
                    return true;
                }
                Some(CommitOutcome::Failed(reason)) => {
                    failure = Some(Error::data(format!(
                        "output that checkpoint {} promises cannot be committed: {reason}",
                        entry.request.checkpoint
                    )));
                    entry.state = State::Due(now);
                    return true;
                }
            }
            false
        });
        failure.map_or(Ok(answered), Err)
    }

    /// When the committer is to be asked next.
    pub fn next_time(&self) -> Option<Timestamp> {
        let due = |entry: &Entry| match entry.state {
            State::Due(at) => Some(at),
            State::Waiting | State::Asked => None,
        };
        self.entries.iter().filter_map(due).min()
    }

    /// Whether something is due or being committed.
    pub fn is_busy(&self) -> bool {
        self.entries.iter().any(|entry| entry.state != State::Waiting)
    }

    /// Whether the committer has been asked and has not answered.
    pub fn is_asked(&self) -> bool {
        self.entries.iter().any(|entry| entry.state == State::Asked)
    }

    /// What a checkpoint must hold: all that is not committed, as far as it was handed over for this checkpoint or one before.
    pub fn pending(&self, checkpoint: CheckpointId) -> impl Iterator<Item = &CommitRequest> {
        self.entries
            .iter()
            .map(|entry| &entry.request)
            .filter(move |request| request.checkpoint <= checkpoint)
    }

    /// How much there is.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether all is committed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Payload;

    fn committables(names: &[&str]) -> Vec<Committable> {
        names.iter().map(|name| Committable { payload: Payload::new(1, *name) }).collect()
    }

    fn names(requests: &[CommitRequest]) -> String {
        let name = |request: &CommitRequest| request.committable.payload.text("").unwrap().to_owned();
        requests.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    fn retry(after: Option<i64>) -> CommitOutcome {
        CommitOutcome::Retry { after, reason: "busy".to_owned() }
    }

    fn pending(queue: &CommitQueue) -> String {
        names(&queue.pending(CheckpointId(u64::MAX)).cloned().collect::<Vec<_>>())
    }

    #[test]
    fn each_committable_has_its_own_answer() {
        let mut queue = CommitQueue::new(CommitRetries::default());
        queue.add(CheckpointId(1), committables(&["a", "b", "c"]));
        queue.add(CheckpointId(2), committables(&["d"]));
        assert_eq!(queue.take_due(0), []);
        queue.complete(CheckpointId(1));
        assert_eq!(names(&queue.take_due(0)), "a b c");
        assert_eq!(queue.take_due(0), [], "one question at a time");
        let answer = vec![CommitOutcome::Committed, retry(Some(50)), CommitOutcome::AlreadyCommitted];
        let answered = queue.answered(Ok(answer), 10).unwrap();
        assert_eq!(answered, Answered { committed: 1, already: 1, retried: 1 });
        // What is tried again is in checkpoints as long as it is.
        assert_eq!((pending(&queue).as_str(), queue.next_time()), ("b d", Some(60)));
        queue.complete(CheckpointId(2));
        assert_eq!(names(&queue.take_due(10)), "d");
        queue.answered(Ok(vec![CommitOutcome::Committed]), 11).unwrap();
        assert!(queue.is_busy());
        assert_eq!(names(&queue.take_due(60)), "b");
        queue.answered(Ok(vec![CommitOutcome::Committed]), 61).unwrap();
        assert!(queue.is_empty() && !queue.is_busy());
    }

    #[test]
    fn the_time_between_tries_grows_and_they_end() {
        let mut queue = CommitQueue::new(CommitRetries { most: 4, first: 100, longest: 350 });
        queue.add(CheckpointId(1), committables(&["a"]));
        queue.complete(CheckpointId(1));
        let mut now = 0;
        for delay in [100, 200, 350, 350] {
            assert_eq!(queue.take_due(now).len(), 1);
            queue.answered(Err(Error::external("no broker")), now).unwrap();
            assert_eq!(queue.next_time(), Some(now + delay));
            assert_eq!(queue.take_due(now + delay - 1), []);
            now += delay;
        }
        queue.take_due(now);
        let error = queue.answered(Ok(vec![retry(None)]), now).unwrap_err();
        assert!(error.is_retryable() && error.message().contains("tried 5 times: busy"), "{error}");
        assert_eq!(pending(&queue), "a");
    }

    #[test]
    fn what_fails_for_good_is_told_and_not_forgotten() {
        let mut queue = CommitQueue::new(CommitRetries::default());
        queue.add(CheckpointId(3), committables(&["a", "b"]));
        queue.complete(CheckpointId(3));
        queue.take_due(0);
        let answer = vec![CommitOutcome::Failed("gone".to_owned()), CommitOutcome::Committed];
        let error = queue.answered(Ok(answer), 0).unwrap_err();
        assert!(!error.is_retryable(), "{error}");
        assert_eq!(error.message(), "output that checkpoint 3 promises cannot be committed: gone");
        assert_eq!(pending(&queue), "a");
        queue.take_due(0);
        assert!(queue.answered(Ok(Vec::new()), 0).is_err(), "an answer for each");
    }

    #[test]
    fn what_is_restored_is_due_at_once_and_counts_once() {
        let mut queue = CommitQueue::new(CommitRetries::default());
        let restored = |name: &str| CommitRequest {
            checkpoint: CheckpointId(1),
            committable: committables(&[name]).remove(0),
            restored: false,
            attempts: 3,
        };
        queue.restore([restored("a"), restored("a"), restored("b")]);
        let due = queue.take_due(0);
        assert_eq!((names(&due).as_str(), due[0].restored, due[0].attempts), ("a b", true, 0));
    }
}
