//! Collected rows between the tasks and the client: the JobManager's part.
//!
//! Tasks send rows, and seal them with their checkpoints, as messages; the client fetches them, also by messages ([`crate::collected`]). Rows
//! of an attempt that is not the current one are thrown away.
//!
//! With checkpoints and exactly-once, rows are given out when the checkpoint that they belong to has
//! completed: what was given out can then never come a second time. Otherwise they are given out at once.
//!
//! What is given out and not read is bounded: while it is more than [`LIMIT`] rows, tasks get no more credit and wait for the client. For what
//! waits for a checkpoint nobody can wait: a task that did would hold back the very barrier that makes room. It is what one interval
//! brings; of that so much is held in memory, and the rest on disk (`held.rs`).
//!
//! What was fetched is kept until the client asks for what follows it, so that an answer that is lost is given again.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use flott_checkpoint::Attempt;
use flott_runtime::options::Reader;
use flott_types::{CheckpointId, FastMap, JobId, Result};
use parking_lot::{Condvar, Mutex};

use crate::collected::{CollectedBatch, CollectorId, Fetched, FromCollector};
use crate::collecting::CREDIT;
use crate::held::{Held, Room};

/// Rows that may wait for the client before tasks do.
const LIMIT: usize = 100_000;
/// Credit is given in pieces of so many rows.
const PIECE: usize = CREDIT / 8;
/// One answer holds at most about so many.
const ANSWER: usize = 20_000;

/// How many bytes of rows that wait for a checkpoint or the client are kept in memory.
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

/// Credit for rows that have come.
pub(crate) type Credits = Vec<(CollectorId, u64)>;

/// The rows of one job.
pub(crate) struct ResultStore {
    release: Release,
    state: Mutex<State>,
    readable: Condvar,
}

struct State {
    room: Room,
    attempt: Attempt,
    released: VecDeque<Held>,
    rows: usize,
    /// Since the last barrier, for each subtask.
    open: BTreeMap<u32, Vec<Held>>,
    sealed: BTreeMap<CheckpointId, Vec<Held>>,
    given: bool,
    /// Rows that have come and were not credited, for each subtask.
    owed: BTreeMap<u32, (CollectorId, usize)>,
    /// What the client has fetched and not acknowledged, and how many batches came before.
    fetched: (u64, Vec<CollectedBatch>),
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

    /// Credit for what has come, unless the client is behind.
    fn credits(&mut self) -> Credits {
        if self.rows >= LIMIT {
            return Credits::new();
        }
        let owed = self.owed.values_mut().filter(|(_, rows)| *rows >= PIECE);
        owed.map(|(to, rows)| (*to, std::mem::take(rows) as u64)).collect()
    }

    fn is_readable(&self) -> bool {
        !self.released.is_empty() || self.end.is_some()
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
            attempt: Attempt(1),
            released: VecDeque::new(),
            rows: 0,
            open: BTreeMap::new(),
            sealed: BTreeMap::new(),
            given: false,
            owed: BTreeMap::new(),
            fetched: (0, Vec::new()),
            reader: None,
            abandoned: false,
            end: None,
        };
        ResultStore { release, state: Mutex::new(state), readable: Condvar::new() }
    }

    /// A task says something; answers the credit that follows.
    ///
    /// # Errors
    /// If rows cannot be kept.
    pub(crate) fn receive(&self, from: CollectorId, said: FromCollector) -> Result<Credits> {
        let mut state = self.state.lock();
        if from.attempt != state.attempt {
            return Ok(Credits::new());
        }
        match said {
            FromCollector::Sealed(checkpoint) => {
                if let Some(batches) = state.open.remove(&from.subtask) {
                    state.sealed.entry(checkpoint).or_default().extend(batches);
                }
            }
            FromCollector::Rows(batch) => {
                state.owed.entry(from.subtask).or_insert((from, 0)).1 += batch.rows();
                if !state.abandoned {
                    let held = state.room.hold(batch)?;
                    if self.release == Release::OnCheckpoint {
                        state.open.entry(from.subtask).or_default().push(held);
                    } else {
                        state.release(vec![held]);
                        self.tell_reader(&mut state);
                    }
                }
            }
        }
        Ok(state.credits())
    }

    /// A checkpoint has completed.
    pub(crate) fn completed(&self, checkpoint: CheckpointId) {
        let mut state = self.state.lock();
        state.completed(checkpoint);
        self.tell_reader(&mut state);
    }

    /// The job begins anew from this checkpoint; rows after it will come again.
    pub(crate) fn restored(&self, attempt: Attempt, checkpoint: Option<CheckpointId>) {
        let mut state = self.state.lock();
        state.attempt = attempt;
        state.owed.clear();
        if let Some(checkpoint) = checkpoint {
            state.completed(checkpoint);
        }
        state.forget_waiting();
        if self.release == Release::AtOnceUnlessRestarted {
            if state.given {
                let reason =
                    "the job was restarted without a checkpoint after rows of its result had been returned";
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
    fn abandon(&self) -> Credits {
        let mut state = self.state.lock();
        state.abandoned = true;
        state.forget_released();
        state.forget_waiting();
        state.fetched.1.clear();
        self.tell_reader(&mut state);
        state.credits()
    }

    fn tell_reader(&self, state: &mut State) {
        self.readable.notify_all();
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    /// The batches from this one on, as soon as there are some, or what there is after so long. Those before it have arrived.
    pub(crate) fn fetch(&self, from: u64, timeout: Duration) -> (Fetched, Credits) {
        let mut state = self.state.lock();
        let (first, last) = (state.fetched.0, state.fetched.0 + state.fetched.1.len() as u64);
        if from == last {
            state.fetched = (last, Vec::new());
        } else if from == first {
            return (Fetched::Batches(state.fetched.1.clone()), Credits::new());
        } else {
            return (
                Fetched::Failed(format!("rows up to batch {last} were given to another reader")),
                Credits::new(),
            );
        }
        self.readable.wait_while_for(&mut state, |state| !state.is_readable() && !state.abandoned, timeout);
        match self.take(&mut state) {
            Ok(fetched) => (fetched, state.credits()),
            Err(error) => (Fetched::Failed(error.to_string()), Credits::new()),
        }
    }

    fn take(&self, state: &mut State) -> Result<Fetched> {
        let (mut batches, mut rows) = (Vec::new(), 0);
        while let Some(held) = state.released.pop_front_if(|held| rows == 0 || rows + held.rows <= ANSWER) {
            rows += held.rows;
            batches.push(state.room.take(held)?);
        }
        if !batches.is_empty() {
            state.given = true;
            state.rows -= rows;
            state.fetched.1.clone_from(&batches);
            return Ok(Fetched::Batches(batches));
        }
        Ok(match &state.end {
            None if state.abandoned => Fetched::End,
            None => Fetched::NotYet,
            Some(Ok(())) => Fetched::End,
            Some(Err(reason)) => Fetched::Failed(reason.clone()),
        })
    }

    /// Wakes when there is something to fetch; only the last one to ask.
    fn wake_when_readable(&self, reader: Waker) {
        let mut state = self.state.lock();
        match state.is_readable() {
            true => reader.wake(),
            false => state.reader = Some(reader),
        }
    }

    fn is_abandoned(&self) -> bool {
        self.state.lock().abandoned
    }

    fn has_ended(&self) -> bool {
        self.state.lock().end.is_some()
    }
}

/// Where rows wait for which there is no memory. Flink divides folders by any of these.
fn temporary(configuration: &BTreeMap<String, String>) -> PathBuf {
    let folders = Reader(configuration).text("io.tmp.dirs").unwrap_or_default();
    let first = folders.split([',', '|', ':']).map(str::trim).find(|folder| !folder.is_empty());
    first.map_or_else(std::env::temp_dir, PathBuf::from)
}

/// The rows of all jobs, until the client of a job has gone and the job has ended.
#[derive(Default)]
pub(crate) struct ResultStores(Mutex<FastMap<JobId, Arc<ResultStore>>>);

impl ResultStores {
    pub(crate) fn add(&self, job: JobId, store: Arc<ResultStore>) {
        self.0.lock().insert(job, store);
    }

    pub(crate) fn get(&self, job: JobId) -> Option<Arc<ResultStore>> {
        self.0.lock().get(&job).cloned()
    }

    /// Nobody will ask for them, or bring them.
    pub(crate) fn remove(&self, job: JobId) {
        self.0.lock().remove(&job);
    }

    /// The job has ended: what its client has not read is kept for it.
    pub(crate) fn job_ended(&self, job: JobId) {
        if self.get(job).is_some_and(|store| store.is_abandoned()) {
            self.remove(job);
        }
    }

    /// The client has gone.
    pub(crate) fn abandon(&self, job: JobId) -> Credits {
        let Some(store) = self.get(job) else { return Credits::new() };
        let credits = store.abandon();
        if store.has_ended() {
            self.remove(job);
        }
        credits
    }

    pub(crate) fn wake_when_readable(&self, job: JobId, reader: Waker) {
        match self.get(job) {
            Some(store) => store.wake_when_readable(reader),
            None => reader.wake(),
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, RecordBatch, StringArray};
    use flott_batch::{Batch, ChangeBatch};

    use super::*;
    use crate::messages::TaskManagerId;

    fn id(subtask: u32, attempt: u32) -> CollectorId {
        CollectorId { task_manager: TaskManagerId(0), job: JobId(7), attempt: Attempt(attempt), subtask }
    }

    /// A batch of one row, `{at}`, as long as this.
    fn batch(at: usize, length: usize) -> FromCollector {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![format!("{at:>length$}")]));
        let columns = RecordBatch::try_from_iter([("s", texts)]).unwrap();
        FromCollector::Rows(Batch::from(ChangeBatch::insert_only(columns)).into())
    }

    fn text(batch: CollectedBatch) -> String {
        let Batch::Changes(changes) = batch.into_batch(None).unwrap() else { panic!("columns were emitted") };
        let texts = changes.column(0).as_any().downcast_ref::<StringArray>().unwrap();
        texts.value(0).trim().to_owned()
    }

    /// Everything that can be fetched from here on.
    fn read(store: &ResultStore, from: &mut u64) -> Vec<String> {
        let mut rows = Vec::new();
        while let (Fetched::Batches(batches), _) = store.fetch(*from, Duration::ZERO) {
            *from += batches.len() as u64;
            rows.extend(batches.into_iter().map(text));
        }
        rows
    }

    #[test]
    fn rows_that_wait_for_a_checkpoint_do_not_fill_the_memory() {
        let directory = tempfile::tempdir().unwrap();
        let store = ResultStore::with_memory(Release::OnCheckpoint, 1 << 20, directory.path().to_owned());
        let emit = |subtask, at| store.receive(id(subtask, 1), batch(at, 60_000)).unwrap();
        let seal = |checkpoint| {
            let sealed = FromCollector::Sealed(CheckpointId(checkpoint));
            (0..2).for_each(|subtask| _ = store.receive(id(subtask, 1), sealed.clone()).unwrap());
        };
        let mut from = 0;
        (0..50).for_each(|at| _ = emit(at as u32 % 2, at));
        seal(1);
        (50..60).for_each(|at| _ = emit(0, at));
        assert!(read(&store, &mut from).is_empty());
        store.completed(CheckpointId(1));
        let mut rows = read(&store, &mut from);
        rows.sort_by_key(|row| row.parse::<usize>().unwrap());
        assert_eq!(rows, (0..50).map(|at| at.to_string()).collect::<Vec<_>>());
        store.restored(Attempt(1), Some(CheckpointId(1)));
        (50..70).for_each(|at| _ = emit(1, at));
        seal(2);
        store.ended(Ok(()));
        assert_eq!(
            read(&store, &mut from),
            (50..70).map(|at| at.to_string()).collect::<Vec<_>>(),
            "in order, and once"
        );
        store.abandon();
        emit(0, 70);
        assert!(read(&store, &mut from).is_empty(), "nobody reads, nothing is kept");
    }

    #[test]
    fn an_answer_that_is_lost_is_given_again_and_no_other() {
        let store = ResultStore::new(Release::AtOnce, &BTreeMap::new());
        store.receive(id(0, 1), batch(1, 1)).unwrap();
        store.receive(id(0, 1), batch(2, 1)).unwrap();
        let fetch = |from| match store.fetch(from, Duration::ZERO).0 {
            // As through a network: what was given stays where it is.
            Fetched::Batches(batches) => batches
                .iter()
                .map(|batch| text(crate::codec::decode(&crate::codec::encode(batch).unwrap()).unwrap()))
                .collect::<Vec<_>>()
                .join(" "),
            other => format!("{other:?}"),
        };
        assert_eq!((fetch(0), fetch(0)), ("1 2".to_owned(), "1 2".to_owned()));
        store.receive(id(0, 1), batch(3, 1)).unwrap();
        assert_eq!((fetch(0), fetch(2), fetch(2)), ("1 2".to_owned(), "3".to_owned(), "3".to_owned()));
        assert_eq!(fetch(3), "NotYet");
        assert!(fetch(0).contains("another reader"), "what has arrived is not kept");
    }

    #[test]
    fn rows_of_an_attempt_that_is_over_are_not_taken() {
        let store = ResultStore::new(Release::OnCheckpoint, &BTreeMap::new());
        store.receive(id(0, 1), batch(1, 1)).unwrap();
        store.restored(Attempt(2), None);
        // A task that does not know that it is over.
        store.receive(id(0, 1), batch(1, 1)).unwrap();
        store.receive(id(0, 1), FromCollector::Sealed(CheckpointId(5))).unwrap();
        store.receive(id(0, 2), batch(1, 1)).unwrap();
        store.receive(id(0, 2), FromCollector::Sealed(CheckpointId(5))).unwrap();
        store.completed(CheckpointId(5));
        assert_eq!(read(&store, &mut 0), ["1"]);
    }

    #[test]
    fn tasks_get_credit_as_long_as_the_client_keeps_up() {
        let store = ResultStore::new(Release::AtOnce, &BTreeMap::new());
        let rows = |count: usize| {
            let texts: ArrayRef = Arc::new(StringArray::from(vec!["x"; count]));
            let columns = RecordBatch::try_from_iter([("s", texts)]).unwrap();
            FromCollector::Rows(Batch::from(ChangeBatch::insert_only(columns)).into())
        };
        let receive = |count| store.receive(id(0, 1), rows(count)).unwrap();
        assert_eq!(receive(PIECE - 1), [], "in pieces");
        assert_eq!(receive(1), [(id(0, 1), PIECE as u64)]);
        let mut credited = PIECE as u64;
        let mut sent = PIECE;
        // Until the client is behind; what a task may have sent then is bounded.
        while sent - (credited as usize) < CREDIT {
            credited += receive(1_000).iter().map(|(_, rows)| rows).sum::<u64>();
            sent += 1_000;
        }
        assert!((LIMIT..=LIMIT + CREDIT + 1_000).contains(&sent), "{sent}");
        let mut from = 0;
        let mut more = 0;
        while let (Fetched::Batches(batches), credits) = store.fetch(from, Duration::ZERO) {
            from += batches.len() as u64;
            more += credits.iter().map(|(_, rows)| rows).sum::<u64>();
        }
        assert!(more >= CREDIT as u64, "it goes on: {more}");
    }
}
