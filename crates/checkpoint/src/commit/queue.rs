//! What was handed over and is not committed.

use flott_types::{CheckpointId, Error, Result, Timestamp};

use super::{CommitOutcome, CommitRequest, CommitRetries};

/// What was handed over and is not committed. It is asked for one question at a time.
#[derive(Clone, Debug)]
pub struct CommitQueue<C> {
    retries: CommitRetries,
    order: Order,
    entries: Vec<Entry<C>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    /// Whatever is due is asked for.
    None,
    /// A checkpoint is asked for when all that those before it hold is committed, or waits.
    Checkpoints,
}

#[derive(Clone, Debug)]
struct Entry<C> {
    request: CommitRequest<C>,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Its checkpoint has not completed.
    Incomplete,
    /// To be committed then.
    Due(Timestamp),
    /// The committer has it.
    Asked,
    /// The committer wants it to wait: to be asked for with the next, or then.
    Waits(Option<Timestamp>),
}

/// The effect of an answer.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Answered {
    /// How many have become visible.
    pub committed: u64,
    /// How many were visible before.
    pub already: u64,
    /// How many are retried.
    pub retried: u64,
}

impl<C> Default for CommitQueue<C> {
    fn default() -> Self {
        CommitQueue::new(CommitRetries::default())
    }
}

impl<C> CommitQueue<C> {
    /// A queue without entries.
    pub fn new(retries: CommitRetries) -> Self {
        CommitQueue { retries, order: Order::None, entries: Vec::new() }
    }

    /// One in which checkpoints are committed one after the other, and a committer may let things wait.
    pub fn by_checkpoint(retries: CommitRetries) -> Self {
        CommitQueue { order: Order::Checkpoints, ..CommitQueue::new(retries) }
    }

    /// Handed over for a checkpoint.
    pub fn add(&mut self, checkpoint: CheckpointId, committables: Vec<C>) {
        for one in committables {
            self.add_request(CommitRequest::new(checkpoint, one));
        }
    }

    /// The same of one.
    pub(super) fn add_request(&mut self, request: CommitRequest<C>) {
        self.entries.push(Entry { request, state: State::Incomplete });
    }

    /// A checkpoint is complete, and all before it: what they hold is due.
    pub fn complete(&mut self, checkpoint: CheckpointId) {
        for entry in &mut self.entries {
            if entry.state == State::Incomplete && entry.request.checkpoint <= checkpoint {
                entry.state = State::Due(Timestamp::MIN);
            }
        }
    }

    /// When the committer is to be asked next.
    pub fn next_time(&self) -> Option<Timestamp> {
        let first = self.first_due();
        let due = |entry: &Entry<C>| match entry.state {
            State::Due(at) => first.is_none_or(|first| entry.request.checkpoint == first).then_some(at),
            State::Waits(at) => at,
            State::Incomplete | State::Asked => None,
        };
        self.entries.iter().filter_map(due).min()
    }

    /// In order: the checkpoint whose turn it is.
    fn first_due(&self) -> Option<CheckpointId> {
        if self.order == Order::None {
            return None;
        }
        let due = |entry: &&Entry<C>| matches!(entry.state, State::Due(_));
        self.entries.iter().filter(due).map(|entry| entry.request.checkpoint).min()
    }

    /// Whether something is due or being committed.
    pub fn is_busy(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.state, State::Due(_) | State::Asked))
    }

    /// Whether the committer has been asked and has not answered.
    pub fn is_asked(&self) -> bool {
        self.entries.iter().any(|entry| entry.state == State::Asked)
    }

    /// How much of what has completed the committer lets wait.
    pub fn waiting(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.state, State::Waits(_))).count()
    }

    /// What a checkpoint must hold: all that is not committed, as far as it was handed over for this
    /// checkpoint or one before.
    pub fn pending(&self, checkpoint: CheckpointId) -> impl Iterator<Item = &CommitRequest<C>> {
        self.entries
            .iter()
            .map(|entry| &entry.request)
            .filter(move |request| request.checkpoint <= checkpoint)
    }

    /// How much there is.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether everything is committed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<C: Clone + PartialEq> CommitQueue<C> {
    /// Held by the checkpoint that the job is restored from: due at once. The same twice counts once.
    pub fn restore(&mut self, requests: impl IntoIterator<Item = CommitRequest<C>>) {
        self.restore_as(requests, State::Due(Timestamp::MIN));
    }

    /// The same, due when it is [complete](CommitQueue::complete).
    pub(super) fn restore_incomplete(&mut self, requests: impl IntoIterator<Item = CommitRequest<C>>) {
        self.restore_as(requests, State::Incomplete);
    }

    fn restore_as(&mut self, requests: impl IntoIterator<Item = CommitRequest<C>>, state: State) {
        for request in requests {
            if !self.holds(&request) {
                let request = CommitRequest { restored: true, attempts: 0, ..request };
                self.entries.push(Entry { request, state });
            }
        }
    }

    /// Whether it is there already.
    pub(super) fn holds(&self, request: &CommitRequest<C>) -> bool {
        self.entries.iter().any(|entry| {
            entry.request.checkpoint == request.checkpoint && entry.request.committable == request.committable
        })
    }

    /// What the committer is to be asked now, if it has nothing to do. In order, it is asked for what one
    /// checkpoint holds, with all that it has let wait before.
    pub fn take_due(&mut self, now: Timestamp) -> Vec<CommitRequest<C>> {
        if self.is_asked() || self.next_time().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let first = self.first_due();
        let is_due = |entry: &&mut Entry<C>| match entry.state {
            State::Due(at) => at <= now && first.is_none_or(|first| entry.request.checkpoint == first),
            State::Waits(_) => true,
            State::Incomplete | State::Asked => false,
        };
        let due = self.entries.iter_mut().filter(is_due);
        due.map(|entry| {
            entry.state = State::Asked;
            entry.request.clone()
        })
        .collect()
    }

    /// The committer's answer to the last [`CommitQueue::take_due`].
    ///
    /// # Errors
    /// If something can never be committed, or was tried too often.
    pub fn answered(&mut self, outcomes: Result<Vec<CommitOutcome>>, now: Timestamp) -> Result<Answered> {
        let asked = self.entries.iter().filter(|entry| entry.state == State::Asked).count();
        let outcomes = match outcomes {
            Ok(outcomes) if outcomes.len() == asked => outcomes,
            Ok(outcomes) => {
                return Err(Error::internal(format!(
                    "a committer got {asked} requests and returned {} outcomes",
                    outcomes.len()
                )));
            }
            Err(error) if error.is_retryable() => {
                vec![CommitOutcome::Retry { after: None, reason: error.to_string() }; asked]
            }
            Err(error) => return Err(error),
        };
        let (mut answered, retries, order) = (Answered::default(), self.retries, self.order);
        let mut outcomes = outcomes.into_iter();
        let mut failure = None;
        self.entries.retain_mut(|entry| {
            let outcome = match entry.state {
                State::Asked => outcomes.next(),
                State::Incomplete | State::Due(_) | State::Waits(_) => None,
            };
            let request = &mut entry.request;
            match outcome {
                None => return true,
                Some(CommitOutcome::Committed) => answered.committed += 1,
                Some(CommitOutcome::AlreadyCommitted) => answered.already += 1,
                Some(CommitOutcome::Retry { after, reason }) => {
                    request.attempts += 1;
                    answered.retried += 1;
                    if request.attempts > retries.most {
                        failure.get_or_insert(Error::external(format!(
                            "output of checkpoint {} could not be committed in {} attempts: {reason}",
                            request.checkpoint, request.attempts
                        )));
                    }
                    let delay = after.unwrap_or_else(|| retries.delay(request.attempts));
                    entry.state = State::Due(now.saturating_add(delay.max(0)));
                    return true;
                }
                Some(CommitOutcome::Wait { after }) if order == Order::Checkpoints => {
                    request.attempts = 0;
                    entry.state = State::Waits(after.map(|after| now.saturating_add(after.max(1))));
                    return true;
                }
                Some(CommitOutcome::Wait { .. }) => {
                    failure = Some(Error::internal("only a global committer may let something wait"));
                    entry.state = State::Due(now);
                    return true;
                }
                Some(CommitOutcome::Failed(reason)) => {
                    failure = Some(Error::data(format!(
                        "output of checkpoint {} cannot be committed: {reason}",
                        request.checkpoint
                    )));
                    entry.state = State::Due(now);
                    return true;
                }
            }
            false
        });
        failure.map_or(Ok(answered), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committables(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn names(requests: &[CommitRequest<String>]) -> String {
        requests.iter().map(|request| request.committable.clone()).collect::<Vec<_>>().join(" ")
    }

    fn retry(after: Option<i64>) -> CommitOutcome {
        CommitOutcome::Retry { after, reason: "busy".to_owned() }
    }

    fn pending(queue: &CommitQueue<String>) -> String {
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
        // Committables that are retried stay in checkpoints.
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
        assert!(error.is_retryable() && error.message().contains("in 5 attempts: busy"), "{error}");
        assert_eq!(pending(&queue), "a");
    }

    #[test]
    fn permanent_failures_are_reported_and_not_forgotten() {
        let mut queue = CommitQueue::new(CommitRetries::default());
        queue.add(CheckpointId(3), committables(&["a", "b"]));
        queue.complete(CheckpointId(3));
        queue.take_due(0);
        let answer = vec![CommitOutcome::Failed("gone".to_owned()), CommitOutcome::Committed];
        let error = queue.answered(Ok(answer), 0).unwrap_err();
        assert!(!error.is_retryable(), "{error}");
        assert_eq!(error.message(), "output of checkpoint 3 cannot be committed: gone");
        assert_eq!(pending(&queue), "a");
        queue.take_due(0);
        assert!(queue.answered(Ok(Vec::new()), 0).is_err(), "an answer for each");
        let wait = vec![CommitOutcome::Wait { after: None }];
        assert!(queue.answered(Ok(wait), 0).unwrap_err().message().contains("global committer"));
    }

    #[test]
    fn what_is_restored_is_due_at_once_and_counts_once() {
        let mut queue = CommitQueue::new(CommitRetries::default());
        let restored = |name: &str| CommitRequest {
            checkpoint: CheckpointId(1),
            committable: name.to_owned(),
            restored: false,
            attempts: 3,
        };
        queue.restore([restored("a"), restored("a"), restored("b")]);
        let due = queue.take_due(0);
        assert_eq!((names(&due).as_str(), due[0].restored, due[0].attempts), ("a b", true, 0));
    }

    #[test]
    fn in_order_a_checkpoint_comes_after_those_before_it() {
        let mut queue = CommitQueue::by_checkpoint(CommitRetries::default());
        queue.add(CheckpointId(1), committables(&["a", "b"]));
        queue.add(CheckpointId(2), committables(&["c"]));
        queue.complete(CheckpointId(2));
        assert_eq!(names(&queue.take_due(0)), "a b");
        queue.answered(Ok(vec![CommitOutcome::Committed, retry(Some(50))]), 0).unwrap();
        assert_eq!((queue.take_due(49), queue.next_time()), (vec![], Some(50)));
        assert_eq!(names(&queue.take_due(50)), "b");
        queue.answered(Ok(vec![CommitOutcome::Committed]), 50).unwrap();
        assert_eq!(names(&queue.take_due(50)), "c");
    }

    #[test]
    fn what_waits_is_asked_for_with_the_next_or_when_its_time_has_come() {
        let mut queue = CommitQueue::by_checkpoint(CommitRetries { most: 0, ..CommitRetries::default() });
        queue.add(CheckpointId(1), committables(&["a", "b"]));
        queue.complete(CheckpointId(1));
        queue.take_due(0);
        let wait = |after| CommitOutcome::Wait { after };
        queue.answered(Ok(vec![wait(None), wait(Some(30))]), 0).unwrap();
        assert!(!queue.is_busy() && queue.waiting() == 2);
        assert_eq!((queue.take_due(29), pending(&queue).as_str()), (vec![], "a b"));
        assert_eq!(names(&queue.take_due(30)), "a b");
        queue.answered(Ok(vec![wait(None), wait(None)]), 30).unwrap();
        assert_eq!(queue.next_time(), None);
        queue.add(CheckpointId(2), committables(&["c"]));
        queue.complete(CheckpointId(2));
        assert_eq!(names(&queue.take_due(40)), "a b c");
        queue.answered(Ok(vec![CommitOutcome::Committed; 3]), 40).unwrap();
        assert!(queue.is_empty());
    }
}
