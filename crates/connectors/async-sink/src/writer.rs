//! Collects values into batches.

use std::collections::VecDeque;
use std::sync::Arc;

use flott_batch::{Batch, Record};
use flott_connector::{Prepared, SinkContext, SinkWriter};
use flott_types::{CheckpointId, Clock, Result, Timestamp};

use crate::options::AsyncSinkOptions;
use crate::requests::Requests;

pub(crate) struct AsyncWriter<T> {
    options: AsyncSinkOptions,
    clock: Arc<dyn Clock>,
    requests: Requests<T>,
    waiting: VecDeque<T>,
    /// When the oldest of those was written.
    since: Timestamp,
}

impl<T: Record> AsyncWriter<T> {
    pub(crate) fn new<F, A>(send: F, options: AsyncSinkOptions, context: SinkContext) -> Result<Self>
    where
        F: Fn(Vec<T>) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Vec<T>>> + Send + 'static,
    {
        let requests = Requests::start(send, options.clone(), context.waker)?;
        Ok(AsyncWriter { options, clock: context.clock, requests, waiting: VecDeque::new(), since: 0 })
    }

    /// Whether another request may start now.
    fn has_turn(&self) -> bool {
        self.requests.shared.outstanding() < self.options.max_in_flight
    }

    fn send_batch(&mut self) {
        let size = self.waiting.len().min(self.options.max_batch_size);
        let batch: Vec<T> = self.waiting.drain(..size).collect();
        self.requests.send(batch);
        self.since = self.clock.now();
    }

    /// Full batches, as far as there are turns.
    fn send_full(&mut self) {
        while self.waiting.len() >= self.options.max_batch_size && self.has_turn() {
            self.send_batch();
        }
    }

    fn due(&self) -> Timestamp {
        let wait = i64::try_from(self.options.max_time_in_buffer.as_millis()).unwrap_or(i64::MAX);
        self.since.saturating_add(wait)
    }
}

impl<T: Record> SinkWriter for AsyncWriter<T> {
    fn write(&mut self, batch: Batch) -> Result<()> {
        self.requests.shared.check()?;
        if self.waiting.is_empty() {
            self.since = self.clock.now();
        }
        self.waiting.extend(batch.into_records::<T>()?.values);
        self.send_full();
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= self.options.max_buffered
    }

    fn woken(&mut self) -> Result<()> {
        self.requests.shared.check()?;
        self.send_full();
        if !self.waiting.is_empty() && self.due() <= self.clock.now() && self.has_turn() {
            self.send_batch();
        }
        Ok(())
    }

    /// Everything is on its way before the checkpoint, which waits until it has been acknowledged.
    fn prepare_commit(&mut self, _: CheckpointId, _: bool) -> Result<Prepared> {
        while !self.waiting.is_empty() {
            self.send_batch();
        }
        let (shared, all) = (self.requests.shared.clone(), self.requests.next());
        Ok(Prepared::Later(Box::new(move || shared.wait_for(all).map(|()| Vec::new()))))
    }

    fn next_time(&self) -> Option<Timestamp> {
        // Without a turn, the end of a request wakes the task.
        (!self.waiting.is_empty() && self.has_turn()).then(|| self.due())
    }

    fn on_time(&mut self, now: Timestamp) -> Result<()> {
        if !self.waiting.is_empty() && self.due() <= now && self.has_turn() {
            self.send_batch();
        }
        Ok(())
    }
}
