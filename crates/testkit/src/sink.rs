//! A sink that a test controls.

use std::marker::PhantomData;
use std::sync::Arc;

use flott_batch::{Batch, Record, Records};
use flott_connector::{
    CommitOutcome, CommitRequest, Committable, Committer, CommitterContext, Consumes, Payload, Prepared,
    Sink, SinkContext, SinkWriter,
};
use flott_types::{CheckpointId, Error, FastMap, Result, Timestamp};
use parking_lot::Mutex;

/// Keeps what is written for the test. Clones are one sink.
///
/// [`TestSink::new`] shows values as soon as they are written; after a failure it sees some of them again.
/// [`TestSink::transactional`] shows them when the checkpoint that they belong to has completed, and so each
/// of them once.
pub struct TestSink<T>(Arc<Shared<T>>);

struct Shared<T> {
    transactional: bool,
    state: Mutex<State<T>>,
}

struct State<T> {
    visible: Vec<(T, Option<Timestamp>)>,
    /// Handed over by writers but not committed, by number.
    prepared: FastMap<u64, Vec<(T, Option<Timestamp>)>>,
    next: u64,
}

impl<T> Clone for TestSink<T> {
    fn clone(&self) -> Self {
        TestSink(self.0.clone())
    }
}

impl<T: Record> Default for TestSink<T> {
    fn default() -> Self {
        TestSink::new()
    }
}

impl<T: Record> TestSink<T> {
    /// A sink that shows values as soon as they are written.
    pub fn new() -> Self {
        TestSink::of(false)
    }

    /// A sink that shows values when the checkpoint that they belong to has completed.
    pub fn transactional() -> Self {
        TestSink::of(true)
    }

    fn of(transactional: bool) -> Self {
        let state = State { visible: Vec::new(), prepared: FastMap::default(), next: 0 };
        TestSink(Arc::new(Shared { transactional, state: Mutex::new(state) }))
    }

    /// The values that have become visible since the last call, in that order.
    pub fn take(&self) -> Vec<T> {
        self.take_with_timestamps().into_iter().map(|(value, _)| value).collect()
    }

    /// As [`TestSink::take`], with the values' timestamps.
    pub fn take_with_timestamps(&self) -> Vec<(T, Option<Timestamp>)> {
        std::mem::take(&mut self.0.state.lock().visible)
    }

    /// As [`TestSink::take`], sorted: there is no order between subtasks.
    pub fn take_sorted(&self) -> Vec<T>
    where
        T: Ord,
    {
        let mut values = self.take();
        values.sort();
        values
    }
}

impl<T: Record> Sink for TestSink<T> {
    fn writer(&self, _: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(Writer { shared: self.0.clone(), open: Vec::new(), of: PhantomData::<fn(T)> }))
    }

    fn committer(&self, _: CommitterContext) -> Result<Box<dyn Committer>> {
        Ok(Box::new(Transactions(self.0.clone())))
    }

    fn is_two_phase(&self) -> bool {
        self.0.transactional
    }
}

impl<T: Record> Consumes<T> for TestSink<T> {}

struct Transactions<T>(Arc<Shared<T>>);

impl<T: Record> Committer for Transactions<T> {
    fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
        let mut guard = self.0.state.lock();
        let state = &mut *guard;
        let mut outcome = |request: &CommitRequest| {
            let number = request.committable.payload.text("a committable of a TestSink")?.parse::<u64>();
            let number = number.map_err(|_| Error::state("a committable of a TestSink"))?;
            Ok(match state.prepared.remove(&number) {
                Some(values) => {
                    state.visible.extend(values);
                    CommitOutcome::Committed
                }
                None => CommitOutcome::AlreadyCommitted,
            })
        };
        requests.iter().map(&mut outcome).collect()
    }
}

struct Writer<T> {
    shared: Arc<Shared<T>>,
    /// The open transaction.
    open: Vec<(T, Option<Timestamp>)>,
    of: PhantomData<fn(T)>,
}

impl<T: Record> SinkWriter for Writer<T> {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<T>()?;
        let timestamp = |at: usize| timestamps.as_ref().map(|timestamps| timestamps[at]);
        let values = values.into_iter().enumerate().map(|(at, value)| (value, timestamp(at)));
        if self.shared.transactional {
            self.open.extend(values);
        } else {
            self.shared.state.lock().visible.extend(values);
        }
        Ok(())
    }

    fn prepare_commit(&mut self, _: CheckpointId, _: bool) -> Result<Prepared> {
        if self.open.is_empty() {
            return Ok(Prepared::default());
        }
        let mut state = self.shared.state.lock();
        let number = state.next;
        state.next += 1;
        state.prepared.insert(number, std::mem::take(&mut self.open));
        Ok(vec![Committable::new(Payload::new(1, number.to_string()))].into())
    }
}
