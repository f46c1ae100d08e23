//! Reads partitions side by side.
//!
//! A thread for each broker asks for records of the partitions that it leads, and one more finds leaders.
//! What they bring waits in a queue for each partition, unpacked and without records of aborted
//! transactions, until somebody takes it: up to a bound in bytes, beyond which only partitions without
//! anything in their queue are asked for.
//!
//! A broker that does not answer is tried again for ever, as Kafka's own consumer does, and a warning says
//! so. A topic that is gone for longer than `default.api.timeout.ms` is an error, and so are records that
//! are gone, unless there is a policy for them.

mod broker;
mod chunk;
mod leaders;

use std::sync::Arc;

use flott_types::{FastMap, Waker};
use parking_lot::{Condvar, Mutex};

use crate::client::{Client, OffsetAt};
use crate::config::{ClientConfig, Isolation};
use crate::failure::{Failure, Result};
use crate::stop::Stop;

pub use chunk::{Chunk, Damaged};

/// How it reads.
#[derive(Clone, Debug)]
pub struct FetchConfig {
    /// Which records of transactions.
    pub isolation: Isolation,
    /// `fetch.max.bytes`
    pub max_bytes: i32,
    /// `max.partition.fetch.bytes`
    pub max_partition_bytes: i32,
    /// `fetch.min.bytes`
    pub min_bytes: i32,
    /// `fetch.max.wait.ms`
    pub max_wait_ms: i32,
    /// `check.crcs`
    pub check_crcs: bool,
    /// How many bytes may wait.
    pub buffer: usize,
    /// Where to go on if the next record is gone; an error if there is no such place.
    pub reset: Option<OffsetAt>,
}

/// Records that were gone before they were read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    /// Of this topic.
    pub topic: String,
    /// Of this partition.
    pub index: i32,
    /// The offset that was to be read.
    pub offset: i64,
    /// Where reading goes on.
    pub next: i64,
}

/// A partition that is read.
struct Reading {
    /// The next offset to ask for.
    offset: i64,
    leader: Option<i32>,
    paused: bool,
    in_flight: bool,
    chunks: std::collections::VecDeque<Chunk>,
    /// The topic is not found since then.
    missing_since: Option<u64>,
}

type Key = (Arc<str>, i32);

#[derive(Default)]
struct State {
    partitions: FastMap<Key, Reading>,
    /// Bytes that wait.
    waiting: usize,
    lost: Vec<Lost>,
    failed: Option<Failure>,
    /// Brokers with a thread.
    brokers: Vec<i32>,
    /// Where the search for the next chunk begins.
    turn: usize,
    order: Vec<Key>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    stop: Arc<Stop>,
    client: Arc<ClientConfig>,
    config: FetchConfig,
    waker: Waker,
}

/// Reads partitions side by side, on threads of its own.
pub struct Fetcher {
    shared: Arc<Shared>,
}

impl Fetcher {
    /// Reads nothing yet. The waker is called when there is something to take.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn new(client: Arc<ClientConfig>, config: FetchConfig, waker: Waker) -> Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            stop: Arc::default(),
            client,
            config,
            waker,
        });
        leaders::start(&shared)?;
        Ok(Fetcher { shared })
    }

    /// Reads a partition too, from this offset on.
    pub fn add(&self, topic: &str, index: i32, offset: i64) {
        let reading = Reading {
            offset,
            leader: None,
            paused: false,
            in_flight: false,
            chunks: std::collections::VecDeque::new(),
            missing_since: None,
        };
        let key: Key = (topic.into(), index);
        let mut state = self.shared.state.lock();
        if state.partitions.insert(key.clone(), reading).is_none() {
            state.order.push(key);
        }
        self.shared.changed.notify_all();
    }

    /// Reads a partition no longer.
    pub fn remove(&self, topic: &str, index: i32) {
        let mut state = self.shared.state.lock();
        let key: Key = (topic.into(), index);
        state.order.retain(|known| *known != key);
        if let Some(reading) = state.partitions.remove(&key) {
            state.waiting -= reading.chunks.iter().map(Chunk::bytes).sum::<usize>();
        }
        self.shared.changed.notify_all();
    }

    /// Leaves partitions alone for which this says so.
    pub fn pause(&self, mut paused: impl FnMut(&str, i32) -> bool) {
        let mut state = self.shared.state.lock();
        for ((topic, index), reading) in &mut state.partitions {
            reading.paused = paused(topic, *index);
        }
        self.shared.changed.notify_all();
    }

    /// Something of one of the partitions, each in its turn.
    ///
    /// # Errors
    /// What has gone wrong.
    pub fn take(&self) -> Result<Option<Chunk>> {
        let mut state = self.shared.state.lock();
        if let Some(failure) = state.failed.take() {
            return Err(failure);
        }
        let count = state.order.len();
        for step in 0..count {
            let at = (state.turn + step) % count;
            let State { partitions, order, .. } = &mut *state;
            let reading = order.get(at).and_then(|key| partitions.get_mut(key));
            let Some(reading) = reading.filter(|reading| !reading.paused) else { continue };
            if let Some(chunk) = reading.chunks.pop_front() {
                state.turn = at + 1;
                state.waiting -= chunk.bytes();
                self.shared.changed.notify_all();
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// Gives back what is left of a chunk, to be taken first the next time.
    pub fn put_back(&self, chunk: Chunk) {
        let mut state = self.shared.state.lock();
        let State { partitions, waiting, .. } = &mut *state;
        if let Some(reading) = partitions.get_mut(&(chunk.topic.clone(), chunk.index)) {
            *waiting += chunk.bytes();
            reading.chunks.push_front(chunk);
        }
    }

    /// Records that were gone, since this was asked last.
    pub fn take_lost(&self) -> Vec<Lost> {
        std::mem::take(&mut self.shared.state.lock().lost)
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        self.shared.stop.set();
        // A thread that is about to wait holds the lock until it does.
        drop(self.shared.state.lock());
        self.shared.changed.notify_all();
    }
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a fetcher of {} partitions", self.shared.state.lock().partitions.len())
    }
}

impl Shared {
    fn client(&self) -> Client {
        Client::new(self.client.clone(), self.stop.clone())
    }

    fn fail(&self, failure: Failure) {
        if !failure.is_stopped() {
            self.state.lock().failed.get_or_insert(failure);
            self.waker.wake();
        }
    }

    fn spawn(self: &Arc<Self>, name: String, run: impl FnOnce(Arc<Shared>) + Send + 'static) -> Result<()> {
        let shared = self.clone();
        let spawned = std::thread::Builder::new().name(name).spawn(move || run(shared));
        spawned.map(drop).map_err(|error| Failure::connection("cannot start a thread", error))
    }
}
