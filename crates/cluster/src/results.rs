//! Collected rows between the tasks and the client.
//!
//! With checkpoints and exactly-once, rows are given out when the checkpoint that they belong to has completed: what was given
//! out can then never come a second time. Otherwise they are given out at once.
//!
//! What is given out and not read is bounded; the tasks wait for the client. What waits for a checkpoint is not: a task that
//! waited for room here would hold back the very barrier that makes room. It is at most what one interval brings.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use flott_batch::{Batch, ChangeBatch};
use flott_operator::TaskInfo;
use flott_runtime::gate::CancelFlag;
use flott_runtime::{Collector, Results};
use flott_types::{CheckpointId, Clock, Error, FastMap, JobId, Result};
use parking_lot::{Condvar, Mutex};

/// Rows that may wait for the client before tasks do.
const LIMIT: usize = 100_000;

/// When rows are given out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Release {
    /// When their checkpoint has completed.
    OnCheckpoint,
    /// At once; after a restart some come again, and that is accepted.
    AtOnce,
    /// At once; a restart makes the result useless.
    AtOnceUnlessRestarted,
}

/// The rows of one job.
pub(crate) struct ResultStore {
    release: Release,
    state: Mutex<State>,
    readable: Condvar,
    writable: Condvar,
}

#[derive(Default)]
struct State {
    released: VecDeque<Batch>,
    rows: usize,
    /// Since the last barrier, for each subtask.
    open: BTreeMap<u32, Vec<Batch>>,
    sealed: BTreeMap<CheckpointId, Vec<Batch>>,
    given: bool,
    /// Who waits for rows without a thread.
    reader: Option<Waker>,
    abandoned: bool,
    end: Option<Result<(), String>>,
}

impl State {
    fn release(&mut self, batches: Vec<Batch>) {
        for batch in batches {
            self.rows += batch.num_rows();
            self.released.push_back(batch);
        }
    }

    fn completed(&mut self, checkpoint: CheckpointId) {
        let later = self.sealed.split_off(&checkpoint.next());
        for batches in std::mem::replace(&mut self.sealed, later).into_values() {
            self.release(batches);
        }
    }
}

impl ResultStore {
    pub(crate) fn new(release: Release) -> Self {
        ResultStore { release, state: Mutex::default(), readable: Condvar::new(), writable: Condvar::new() }
    }

    fn emit(&self, subtask: u32, batch: Batch, cancel: &CancelFlag, clock: &dyn Clock) -> Result<u64> {
        let mut state = self.state.lock();
        if self.release == Release::OnCheckpoint {
            state.open.entry(subtask).or_default().push(batch);
            return Ok(0);
        }
        let mut waited = 0;
        if state.rows >= LIMIT {
            let start = clock.nanos();
            while state.rows >= LIMIT && !state.abandoned {
                cancel.check()?;
                self.writable.wait_for(&mut state, Duration::from_millis(50));
            }
            waited = clock.nanos().saturating_sub(start);
        }
        if !state.abandoned {
            state.release(vec![batch]);
            self.tell_reader(&mut state);
        }
        Ok(waited)
    }

    fn seal(&self, subtask: u32, checkpoint: CheckpointId) {
        let mut state = self.state.lock();
        if let Some(batches) = state.open.remove(&subtask) {
            state.sealed.entry(checkpoint).or_default().extend(batches);
        }
    }

    /// A checkpoint has completed.
    pub(crate) fn completed(&self, checkpoint: CheckpointId) {
        let mut state = self.state.lock();
        state.completed(checkpoint);
        self.tell_reader(&mut state);
    }

    /// The job begins anew from this checkpoint; rows after it will come again.
    pub(crate) fn restored(&self, checkpoint: Option<CheckpointId>) {
        let mut state = self.state.lock();
        if let Some(checkpoint) = checkpoint {
            state.completed(checkpoint);
        }
        state.open.clear();
        state.sealed.clear();
        if self.release == Release::AtOnceUnlessRestarted {
            if state.given {
                let reason =
                    "the job was restarted without a checkpoint, after rows of its result had been given out";
                state.end = Some(Err(format!("{reason}; set 'execution.checkpointing.interval'")));
            }
            state.released.clear();
            state.rows = 0;
        }
        self.tell_reader(&mut state);
    }

    /// The job has ended; an error says why the result is not complete.
    pub(crate) fn ended(&self, end: Result<(), String>) {
        let mut state = self.state.lock();
        if end.is_ok() {
            state.completed(CheckpointId(u64::MAX - 1));
            for batches in std::mem::take(&mut state.open).into_values() {
                state.release(batches);
            }
        }
        state.end.get_or_insert(end);
        self.tell_reader(&mut state);
    }

    /// Nobody reads any more.
    pub(crate) fn abandon(&self) {
        let mut state = self.state.lock();
        state.abandoned = true;
        state.released.clear();
        state.rows = 0;
        self.writable.notify_all();
    }

    fn tell_reader(&self, state: &mut State) {
        self.readable.notify_all();
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    /// The next rows, waiting at most so long.
    pub(crate) fn next(&self, timeout: Duration) -> Result<NextRows<Batch>> {
        let mut state = self.state.lock();
        let nothing = |state: &mut State| state.released.is_empty() && state.end.is_none();
        self.readable.wait_while_for(&mut state, nothing, timeout);
        self.take(&mut state)
    }

    /// The next rows. If there are none yet, whoever waits here is woken when there are; only the last one to ask is.
    pub(crate) fn poll_next(&self, context: &mut Context<'_>) -> Poll<Result<NextRows<Batch>>> {
        let mut state = self.state.lock();
        match self.take(&mut state) {
            Ok(NextRows::NotYet) => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
            found => Poll::Ready(found),
        }
    }

    fn take(&self, state: &mut State) -> Result<NextRows<Batch>> {
        if let Some(batch) = state.released.pop_front() {
            state.given = true;
            state.rows -= batch.num_rows();
            if state.rows < LIMIT {
                self.writable.notify_all();
            }
            return Ok(NextRows::Rows(batch));
        }
        match &state.end {
            None => Ok(NextRows::NotYet),
            Some(Ok(())) => Ok(NextRows::End),
            Some(Err(reason)) => Err(Error::external(reason.clone())),
        }
    }
}

/// What [`ResultStore::next`] found.
#[derive(Debug)]
pub enum NextRows<B = ChangeBatch> {
    /// Rows.
    Rows(B),
    /// Nothing within the time.
    NotYet,
    /// There are no more.
    End,
}

/// The stores of all jobs of the process.
#[derive(Default)]
pub(crate) struct ResultStores(Mutex<FastMap<JobId, Arc<ResultStore>>>);

impl ResultStores {
    pub(crate) fn add(&self, job: JobId, store: Arc<ResultStore>) {
        self.0.lock().insert(job, store);
    }

    pub(crate) fn remove(&self, job: JobId) {
        self.0.lock().remove(&job);
    }
}

impl Results for ResultStores {
    fn collector(&self, info: &TaskInfo) -> Result<Box<dyn Collector>> {
        let store = self.0.lock().get(&info.job).cloned();
        let store = store.ok_or_else(|| Error::internal("nobody collects the rows of this job"))?;
        Ok(Box::new(StoreCollector { store, subtask: info.subtask.0 }))
    }
}

struct StoreCollector {
    store: Arc<ResultStore>,
    subtask: u32,
}

impl Collector for StoreCollector {
    fn emit(&mut self, batch: Batch, cancel: &CancelFlag, clock: &dyn Clock) -> Result<u64> {
        self.store.emit(self.subtask, batch, cancel, clock)
    }

    fn seal(&mut self, checkpoint: CheckpointId) {
        self.store.seal(self.subtask, checkpoint);
    }
}
