//! Writes records.
//!
//! Records go into a batch for each partition; one thread sends what is ready, a round at a time: at most one
//! batch of each partition, to all leaders at once. While a round is on its way the next batches fill, so
//! that they are as large as the brokers are slow, and nobody waits for a batch to fill if there is nothing
//! on its way. Batches are numbered, so that one that is sent again is stored once.
//!
//! What is written between two calls of [`Producer::end_segment`] is a segment, and the thread finishes a
//! segment before it begins the next. With transactions a segment is one, under an id of its own; one in
//! which nothing was written is none. When a segment is ended everything in it is acknowledged, and of a
//! transaction there is what [`Client::end_transaction`](crate::Client::end_transaction) needs to commit it,
//! now or after a crash. A producer that is dropped aborts the transaction that is not ended.

mod round;
mod sender;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use flott_types::{FastMap, Waker};
use parking_lot::{Condvar, Mutex};

use crate::config::ClientConfig;
use crate::failure::{Failure, Result};
use crate::records::{BatchBuilder, Compression};
use crate::stop::Stop;

/// How records are written.
#[derive(Clone, Debug)]
pub struct ProducerConfig {
    /// `acks`: -1 of all replicas in sync, or 1 of the leader alone.
    pub acks: i16,
    /// `enable.idempotence`
    pub is_idempotent: bool,
    /// `compression.type`
    pub compression: Compression,
    /// `max.request.size`: no batch is larger.
    pub max_batch: usize,
    /// `buffer.memory`: with more bytes it is full.
    pub buffer: usize,
    /// `delivery.timeout.ms`
    pub delivery_timeout: Duration,
    /// Whether segments are transactions.
    pub transactions: Option<TransactionConfig>,
}

/// How transactions are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransactionConfig {
    /// `transaction.timeout.ms`: brokers abort one that is open longer.
    pub timeout: Duration,
}

/// A record to be written.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// In milliseconds since the epoch.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; none of a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers.
    pub headers: &'a [(&'a str, Option<&'a [u8]>)],
}

/// A transaction in which everything is written, and which is neither committed nor aborted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreparedTransaction {
    /// Its id.
    pub transactional_id: String,
    /// Its producer.
    pub producer_id: i64,
    /// The producer's epoch.
    pub epoch: i16,
}

type Ended = Result<Option<PreparedTransaction>, String>;

/// What is written until it is ended.
#[derive(Default)]
struct Segment {
    /// The id of the transaction.
    transactional_id: Option<String>,
    /// By topic and partition; the last one of each is still filled.
    batches: FastMap<(usize, i32), VecDeque<BatchBuilder>>,
    ended: Option<Sender<Ended>>,
}

#[derive(Default)]
struct State {
    topics: Vec<Arc<str>>,
    /// The last one is written to.
    segments: VecDeque<Segment>,
    /// What waits and is on its way.
    bytes: usize,
    /// Batches that are not full are to be sent too.
    flush: bool,
    failed: Option<String>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    stop: Arc<Stop>,
    client: Arc<ClientConfig>,
    config: ProducerConfig,
    waker: Waker,
}

/// Writes records, on a thread of its own.
pub struct Producer {
    shared: Arc<Shared>,
}

impl Producer {
    /// Its first segment is a transaction of this id, if there are transactions. The waker is called when it
    /// is no longer full, and when something has gone wrong.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn new(
        client: Arc<ClientConfig>,
        config: ProducerConfig,
        transactional_id: Option<String>,
        waker: Waker,
    ) -> Result<Self> {
        let segment = Segment { transactional_id, ..Segment::default() };
        let state = State { segments: VecDeque::from([segment]), ..State::default() };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            stop: Arc::default(),
            client,
            config,
            waker,
        });
        let of_thread = shared.clone();
        let spawned = std::thread::Builder::new()
            .name("kafka producer".to_owned())
            .spawn(move || sender::run(&of_thread));
        spawned.map_err(|error| Failure::connection("cannot start a thread", error))?;
        Ok(Producer { shared })
    }

    /// The number of a topic, for [`Writing::push`].
    pub fn topic(&self, name: &str) -> usize {
        let mut state = self.shared.state.lock();
        let known = state.topics.iter().position(|topic| **topic == *name);
        known.unwrap_or_else(|| {
            state.topics.push(name.into());
            state.topics.len() - 1
        })
    }

    /// For as long as this is there, the thread waits: take it for a batch of records.
    pub fn write(&self) -> Writing<'_> {
        Writing { shared: &self.shared, state: self.shared.state.lock() }
    }

    /// Sends everything on its way.
    pub fn flush(&self) {
        self.shared.state.lock().flush = true;
        self.shared.changed.notify_all();
    }

    /// Whether so much waits that no more should come.
    pub fn is_full(&self) -> bool {
        self.shared.state.lock().bytes >= self.shared.config.buffer
    }

    /// What has gone wrong, if anything has: then nothing more is written.
    ///
    /// # Errors
    /// That.
    pub fn check(&self) -> Result<()> {
        self.shared.state.lock().failed.clone().map_or(Ok(()), |failed| Err(Failure::last(failed)))
    }

    /// Ends the segment and begins the next, with this id. Its outcome comes when all of it is acknowledged.
    pub fn end_segment(&self, next: Option<String>) -> EndOfSegment {
        let (sender, outcome) = channel();
        let mut state = self.shared.state.lock();
        if let Some(failed) = &state.failed {
            // The thread has ended: nobody else would answer. If the receiver is gone, nobody asks.
            let _ = sender.send(Err(failed.clone()));
        } else if let Some(segment) = state.segments.back_mut() {
            segment.ended = Some(sender);
        }
        state.segments.push_back(Segment { transactional_id: next, ..Segment::default() });
        self.shared.changed.notify_all();
        EndOfSegment(outcome)
    }
}

/// A segment that is ended and perhaps not all acknowledged.
pub struct EndOfSegment(Receiver<Ended>);

impl EndOfSegment {
    /// Waits until all of it is acknowledged; then there is a transaction to commit, if it was one and
    /// something was written.
    ///
    /// # Errors
    /// If a record could not be written.
    pub fn wait(self) -> Result<Option<PreparedTransaction>> {
        match self.0.recv() {
            Ok(ended) => ended.map_err(Failure::last),
            Err(_) => Err(Failure::stopped()),
        }
    }
}

/// Takes records.
pub struct Writing<'a> {
    shared: &'a Shared,
    state: parking_lot::MutexGuard<'a, State>,
}

impl Writing<'_> {
    /// A record for a partition of a topic.
    ///
    /// # Errors
    /// If it is larger than a request may be.
    pub fn push(&mut self, topic: usize, index: i32, record: Record<'_>) -> Result<()> {
        let Record { timestamp, key, value, headers } = record;
        let size = BatchBuilder::size_of(key, value, headers);
        let most = self.shared.config.max_batch;
        let state = &mut *self.state;
        let Some(segment) = state.segments.back_mut() else { return Err(Failure::stopped()) };
        let batches = segment.batches.entry((topic, index)).or_default();
        let fits = |batch: &&mut BatchBuilder| batch.is_empty() || batch.len() + size <= most;
        let batch = match batches.back_mut().filter(fits) {
            Some(_) => batches.back_mut(),
            None => {
                batches.push_back(BatchBuilder::default());
                batches.back_mut()
            }
        };
        let Some(batch) = batch else { return Err(Failure::stopped()) };
        if batch.len() + size > most {
            return Err(Failure::last(format!(
                "a record takes {size} bytes, and 'max.request.size' is {most}"
            )));
        }
        let before = batch.len();
        batch.push(timestamp, key, value, headers);
        state.bytes += batch.len() - before;
        Ok(())
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.shared.changed.notify_all();
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        self.shared.stop.set();
        // A thread that is about to wait holds the lock until it does.
        drop(self.shared.state.lock());
        self.shared.changed.notify_all();
    }
}

impl std::fmt::Debug for Producer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a producer with {} bytes", self.shared.state.lock().bytes)
    }
}
