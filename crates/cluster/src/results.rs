//! Collected rows between the tasks and the client.
//!
//! With checkpoints and exactly-once, rows are given out when the checkpoint that they belong to has completed: what was given
//! out can then never come a second time. Otherwise they are given out at once.
//!
//! What is given out and not read is bounded; the tasks wait for the client. For what waits for a checkpoint nobody can wait: a task
//! that did would hold back the very barrier that makes room. It is what one interval brings; of that so much is held in
//! memory, and the rest on disk (`held.rs`).

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use flott_batch::{Batch, ChangeBatch};
use flott_operator::TaskInfo;
use flott_runtime::gate::CancelFlag;
use flott_runtime::options::Reader;
use flott_runtime::{Collector, Results};
use flott_types::{CheckpointId, Clock, Error, FastMap, JobId, Result};
use parking_lot::{Condvar, Mutex};

use crate::held::{Held, Room};

/// Rows that may wait for the client before tasks do.
const LIMIT: usize = 100_000;

/// So many bytes of rows that wait, for a checkpoint or the client, are held in memory.
const MEMORY: usize = 64 << 20;

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

struct State {
    room: Room,
    released: VecDeque<Held>,
    rows: usize,
    /// Since the last barrier, for each subtask.
    open: BTreeMap<u32, Vec<Held>>,
    sealed: BTreeMap<CheckpointId, Vec<Held>>,
    given: bool,
    /// Who waits for rows without a thread.
    reader: Option<Waker>,
    abandoned: bool,
    end: Option<Result<(), String>>,
}

impl State {
    fn release(&mut self, batches: Vec<Held>) {
        for batch in batches {
            self.rows += batch.rows;
            self.released.push_back(batch);
        }
    }

    /// Forgets what waits for a checkpoint.
    fn forget_waiting(&mut self) {
        let (open, sealed) = (std::mem::take(&mut self.open), std::mem::take(&mut self.sealed));
        self.room.forget(open.into_values().chain(sealed.into_values()).flatten());
    }

    /// Forgets what waits for the client.
    fn forget_released(&mut self) {
        let released = std::mem::take(&mut self.released);
        self.room.forget(released);
        self.rows = 0;
    }

    fn completed(&mut self, checkpoint: CheckpointId) {
        let later = self.sealed.split_off(&checkpoint.next());
        for batches in std::mem::replace(&mut self.sealed, later).into_values() {
            self.release(batches);
        }
    }
}

impl ResultStore {
    /// The rows of a job of this configuration.
    pub(crate) fn new(release: Release, configuration: &BTreeMap<String, String>) -> Self {
        ResultStore::with_memory(release, MEMORY, temporary(configuration))
    }

    fn with_memory(release: Release, bytes: usize, directory: PathBuf) -> Self {
        let state = State {
            room: Room::new(bytes, directory),
            released: VecDeque::new(),
            rows: 0,
            open: BTreeMap::new(),
            sealed: BTreeMap::new(),
            given: false,
            reader: None,
            abandoned: false,
            end: None,
        };
        ResultStore { release, state: Mutex::new(state), readable: Condvar::new(), writable: Condvar::new() }
    }

    fn emit(&self, subtask: u32, batch: Batch, cancel: &CancelFlag, clock: &dyn Clock) -> Result<u64> {
        let mut state = self.state.lock();
        let mut waited = 0;
        // For what is given out already, which needs no barrier to be read.
        if state.rows >= LIMIT {
            let start = clock.nanos();
            while state.rows >= LIMIT && !state.abandoned {
                cancel.check()?;
                self.writable.wait_for(&mut state, Duration::from_millis(50));
            }
            waited = clock.nanos().saturating_sub(start);
        }
        if state.abandoned {
            return Ok(waited);
        }
        let held = state.room.hold(batch)?;
        if self.release == Release::OnCheckpoint {
            state.open.entry(subtask).or_default().push(held);
        } else {
            state.release(vec![held]);
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
        state.forget_waiting();
        if self.release == Release::AtOnceUnlessRestarted {
            if state.given {
                let reason =
                    "the job was restarted without a checkpoint, after rows of its result had been given out";
                state.end = Some(Err(format!("{reason}; set 'execution.checkpointing.interval'")));
            }
            state.forget_released();
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
        state.forget_released();
        state.forget_waiting();
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
        if let Some(held) = state.released.pop_front() {
            state.given = true;
            state.rows -= held.rows;
            if state.rows < LIMIT {
                self.writable.notify_all();
            }
            return Ok(NextRows::Rows(state.room.take(held)?));
        }
        match &state.end {
            None => Ok(NextRows::NotYet),
            Some(Ok(())) => Ok(NextRows::End),
            Some(Err(reason)) => Err(Error::external(reason.clone())),
        }
    }
}

/// Where rows wait for which there is no memory. Flink divides folders by any of these.
fn temporary(configuration: &BTreeMap<String, String>) -> PathBuf {
    let folders = Reader(configuration).text("io.tmp.dirs").unwrap_or_default();
    let first = folders.split([',', '|', ':']).map(str::trim).find(|folder| !folder.is_empty());
    first.map_or_else(std::env::temp_dir, PathBuf::from)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, RecordBatch, StringArray};
    use flott_types::SystemClock;

    use super::*;

    #[test]
    fn rows_that_wait_for_a_checkpoint_do_not_fill_the_memory() {
        let directory = tempfile::tempdir().unwrap();
        let store = ResultStore::with_memory(Release::OnCheckpoint, 1 << 20, directory.path().to_owned());
        let (cancel, clock) = (CancelFlag::default(), SystemClock::new());
        let emit = |subtask, at: usize| {
            let texts: ArrayRef = Arc::new(StringArray::from(vec![format!("{at:>60000}")]));
            let columns = RecordBatch::try_from_iter([("s", texts)]).unwrap();
            store.emit(subtask, ChangeBatch::insert_only(columns).into(), &cancel, &clock).unwrap();
        };
        let seal = |checkpoint| (0..2).for_each(|subtask| store.seal(subtask, CheckpointId(checkpoint)));
        let read = || -> Vec<String> {
            let mut rows = Vec::new();
            while let NextRows::Rows(batch) = store.next(Duration::ZERO).unwrap() {
                let Batch::Changes(changes) = batch else { panic!("columns were emitted") };
                let texts = changes.column(0).as_any().downcast_ref::<StringArray>().unwrap();
                rows.push(texts.value(0).trim().to_owned());
            }
            rows
        };
        (0..50).for_each(|at| emit(at as u32 % 2, at));
        seal(1);
        (50..60).for_each(|at| emit(0, at));
        assert!(read().is_empty());
        store.completed(CheckpointId(1));
        let mut rows = read();
        rows.sort_by_key(|row| row.parse::<usize>().unwrap());
        assert_eq!(rows, (0..50).map(|at| at.to_string()).collect::<Vec<_>>());
        store.restored(Some(CheckpointId(1)));
        (50..70).for_each(|at| emit(1, at));
        seal(2);
        store.ended(Ok(()));
        assert_eq!(read(), (50..70).map(|at| at.to_string()).collect::<Vec<_>>(), "in order, and once");
        store.abandon();
        emit(0, 70);
        assert!(read().is_empty(), "nobody reads, nothing is kept");
    }
}
