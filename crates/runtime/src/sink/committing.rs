//! Commits of one task: a queue, and a thread that asks the committer.
//!
//! The queue is shared with what runs later of a snapshot, on the snapshot's thread: that adds what the
//! writer hands over, and takes down all that the checkpoint must hold, in one step. Snapshots run in their
//! order there, so what one has added is in those after it.
//!
//! What is committed once for the whole job is only passed on: each snapshot holds it until its checkpoint is
//! told complete, for then the job master has it. That commits it when all subtasks have said that they have
//! committed their own.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use flott_checkpoint::commit::CommitQueue;
use flott_connector::{
    CommitOutcome, CommitRequest, CommitRetries, Committable, CommittedBy, CommitterContext, MadeCommitter,
    Prepared, Sink,
};
use flott_operator::{Committing, Counter, MetricGroup};
use flott_types::panics::guard;
use flott_types::{CheckpointId, Error, Result, Timestamp, Waker};
use parking_lot::{Condvar, Mutex};

use crate::{Thread, Threads};

/// How long a task that ends waits for a commit that is in progress.
const COMMITTER_ANSWERS_WITHIN: Duration = Duration::from_secs(5);
/// How often who waits looks whether anybody still wants it.
const LOOK: Duration = Duration::from_millis(20);

/// Tells that everything up to a checkpoint is committed that this subtask commits.
pub(crate) type Confirm = Box<dyn Fn(CheckpointId) + Send>;

pub(super) struct Commits {
    sink: Arc<dyn Sink>,
    context: CommitterContext,
    name: String,
    threads: Threads,
    waker: Waker,
    shared: Arc<Shared>,
    worker: Option<Worker>,
    metrics: Metrics,
    /// Of a sink with a global committer.
    confirm: Option<Confirm>,
    /// The last checkpoint that is known to be complete, and the last of which everything was told to be
    /// committed.
    complete: CheckpointId,
    confirmed: CheckpointId,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Default)]
struct State {
    queue: CommitQueue<Committable>,
    /// To be committed once for the job, and not known to be in the job master's hands.
    global: Vec<CommitRequest>,
    answer: Option<Result<Vec<CommitOutcome>>>,
    /// What was to be handed over later has failed.
    failure: Option<Error>,
}

/// What a snapshot holds.
pub(super) struct Held {
    pub(super) own: Vec<CommitRequest>,
    pub(super) global: Vec<CommitRequest>,
}

struct Worker {
    questions: Sender<Vec<CommitRequest>>,
    thread: Thread,
}

/// Flink's names.
struct Metrics {
    total: Counter,
    successful: Counter,
    already: Counter,
    retried: Counter,
}

impl Commits {
    pub(super) fn new(
        sink: Arc<dyn Sink>,
        context: CommitterContext,
        retries: CommitRetries,
        name: String,
        threads: Threads,
        waker: Waker,
    ) -> Self {
        // Sinks that commit nothing have no such metrics.
        let none = MetricGroup::default();
        let group = if sink.is_two_phase() { &context.metrics } else { &none };
        let metrics = Metrics {
            total: group.counter("totalCommittables"),
            successful: group.counter("successfulCommittables"),
            already: group.counter("alreadyCommittedCommittables"),
            retried: group.counter("retriedCommittables"),
        };
        let state = State { queue: CommitQueue::new(retries), ..State::default() };
        let shared = Arc::new(Shared { state: Mutex::new(state), answered: Condvar::new() });
        let counted = shared.clone();
        group.gauge_with("pendingCommittables", move || counted.state.lock().queue.len() as f64);
        Commits {
            sink,
            context,
            name,
            threads,
            waker,
            shared,
            worker: None,
            metrics,
            confirm: None,
            complete: CheckpointId(0),
            confirmed: CheckpointId(0),
        }
    }

    /// The sink has a global committer, which waits for what this subtask commits.
    pub(super) fn confirmed_by(mut self, confirm: Option<Confirm>) -> Self {
        self.confirm = confirm;
        self
    }

    /// Commits what the checkpoint holds from which the job is restored, and waits for it, as long as anybody
    /// wants it.
    pub(super) fn restore(
        &mut self,
        requests: Vec<CommitRequest>,
        wanted: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        self.shared.state.lock().queue.restore(requests);
        loop {
            self.go_on()?;
            let mut state = self.shared.state.lock();
            if !state.queue.is_busy() {
                return Ok(());
            }
            if state.answer.is_none() {
                self.shared.answered.wait_for(&mut state, LOOK);
            }
            drop(state);
            wanted()?;
        }
    }

    /// The later part of a snapshot: adds what the writer hands over, and answers all that the checkpoint
    /// must hold.
    pub(super) fn hand_over(
        &self,
        checkpoint: CheckpointId,
        prepared: Prepared,
    ) -> impl FnOnce() -> Result<Held> + Send + 'static {
        let (shared, waker, total) = (self.shared.clone(), self.waker.clone(), self.metrics.total.clone());
        let is_global = self.confirm.is_some();
        move || {
            let prepared = guard("what a sink hands over", || split(prepared.wait()?, is_global));
            let mut state = shared.state.lock();
            match prepared {
                Ok((own, global)) => {
                    total.add((own.len() + global.len()) as u64);
                    state.queue.add(checkpoint, own);
                    state.global.extend(global.into_iter().map(|one| CommitRequest::new(checkpoint, one)));
                    let held = |request: &&CommitRequest| request.checkpoint <= checkpoint;
                    Ok(Held {
                        own: state.queue.pending(checkpoint).cloned().collect(),
                        global: state.global.iter().filter(held).cloned().collect(),
                    })
                }
                Err(error) => {
                    let told = Error::external(format!("what a sink hands over failed: {error}"));
                    state.failure.get_or_insert(error);
                    drop(state);
                    waker.wake();
                    Err(told)
                }
            }
        }
    }

    /// What a checkpoint holds may be committed.
    pub(super) fn complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        {
            let mut state = self.shared.state.lock();
            state.queue.complete(checkpoint);
            state.global.retain(|request| request.checkpoint > checkpoint);
        }
        self.complete = self.complete.max(checkpoint);
        self.go_on()
    }

    /// Tells the job master how far this subtask has committed, if it wants to know and does not.
    fn tell(&mut self, state: &State) {
        let all = self.complete > self.confirmed && state.queue.pending(self.complete).next().is_none();
        if let Some(confirm) = self.confirm.as_ref().filter(|_| all) {
            self.confirmed = self.complete;
            confirm(self.complete);
        }
    }

    /// Takes note of what has been answered, and asks what is due.
    pub(super) fn go_on(&mut self) -> Result<()> {
        let now = self.context.clock.now();
        let shared = self.shared.clone();
        let due = {
            let mut state = shared.state.lock();
            if let Some(failure) = state.failure.take() {
                return Err(failure);
            }
            if let Some(answer) = state.answer.take() {
                let answered = state.queue.answered(answer, now)?;
                self.metrics.successful.add(answered.committed);
                self.metrics.already.add(answered.already);
                self.metrics.retried.add(answered.retried);
            }
            self.tell(&state);
            state.queue.take_due(now)
        };
        if due.is_empty() {
            return Ok(());
        }
        let worker = match &self.worker {
            Some(worker) => worker,
            None => {
                let started = self.start()?;
                self.worker.insert(started)
            }
        };
        worker.questions.send(due).map_err(|_| Error::internal("the thread of a committer has died"))
    }

    fn start(&self) -> Result<Worker> {
        let (questions, received) = channel::<Vec<CommitRequest>>();
        let (sink, context) = (self.sink.clone(), self.context.clone());
        let (shared, waker) = (self.shared.clone(), self.waker.clone());
        let thread = self.threads.spawn(&self.name, move || {
            let mut committer = MadeCommitter::new(|| sink.committer(context.clone()));
            for requests in received {
                let answer = guard("committer", || committer.commit(&requests));
                shared.state.lock().answer = Some(answer);
                shared.answered.notify_all();
                waker.wake();
            }
        })?;
        Ok(Worker { questions, thread })
    }

    pub(super) fn next_time(&self) -> Option<Timestamp> {
        self.shared.state.lock().queue.next_time()
    }

    pub(super) fn stage(&self) -> Committing {
        let queue = &self.shared.state.lock().queue;
        match (queue.is_asked(), queue.is_busy()) {
            (true, _) => Committing::UnderWay,
            (false, true) => Committing::Waiting,
            (false, false) => Committing::None,
        }
    }
}

/// What this subtask commits, and what is committed once for the job.
fn split(committables: Vec<Committable>, is_global: bool) -> Result<(Vec<Committable>, Vec<Committable>)> {
    let (own, global): (Vec<_>, Vec<_>) =
        committables.into_iter().partition(|one| one.by == CommittedBy::Subtask);
    if !is_global && !global.is_empty() {
        return Err(Error::internal("a sink without a global committer hands over what one is to commit"));
    }
    Ok((own, global))
}

impl Drop for Commits {
    /// Waits for the commit that is in progress: a task that has ended does nothing any more. One that hangs
    /// is left alone; what it does later, the next attempt will find done.
    fn drop(&mut self) {
        let Some(Worker { questions, thread }) = self.worker.take() else { return };
        drop(questions);
        if !thread.wait_for(COMMITTER_ANSWERS_WITHIN) {
            tracing::warn!("{}: the committer does not answer; the task does not wait for it", self.name);
            thread.abandon();
        }
    }
}
