//! The output side of a task: spreads batches over the receiving subtasks.
//!
//! Small batches for one target are put together up to the batch size; a batch that is large enough alone goes out uncopied.
//! What is held back is sent on when it is large enough, when it is older than the buffer timeout, when the task's input runs
//! dry, and before every control element, so that order is kept. Selections are compacted here: no row that was filtered
//! out crosses a thread.

use arrow::datatypes::SchemaRef;
use flott_batch::hash::partition;
use flott_batch::{Batch, ChangeBatch};
use flott_plan::Exchange;
use flott_types::{Error, Result, Timestamp};

use crate::connect::Sender;
use crate::gate::Element;

/// One stream out of a task.
pub struct ExchangeWriter {
    exchange: Exchange,
    schema: SchemaRef,
    senders: Vec<Box<dyn Sender>>,
    /// One a target for a hash exchange, one alone for the others.
    buffers: Vec<Buffer>,
    /// Whose turn it is (rebalance).
    turn: usize,
    batch_size: usize,
    max_parallelism: u32,
    /// Since when something has been held back.
    held_since: Option<Timestamp>,
}

#[derive(Default)]
struct Buffer {
    batches: Vec<ChangeBatch>,
    rows: usize,
}

impl ExchangeWriter {
    /// A writer over these channels, one per receiving subtask. `turn` is the target that a round robin begins with.
    pub fn new(
        exchange: Exchange,
        schema: SchemaRef,
        senders: Vec<Box<dyn Sender>>,
        turn: usize,
        batch_size: usize,
        max_parallelism: u32,
    ) -> Self {
        let buffers = if matches!(exchange, Exchange::Hash(_)) { senders.len() } else { 1 };
        ExchangeWriter {
            exchange,
            schema,
            turn: turn % senders.len().max(1),
            senders,
            buffers: (0..buffers).map(|_| Buffer::default()).collect(),
            batch_size,
            max_parallelism,
            held_since: None,
        }
    }

    /// Since when something has been held back, if anything is.
    pub fn held_since(&self) -> Option<Timestamp> {
        self.held_since
    }

    /// Sends rows.
    ///
    /// # Errors
    /// If the task is cancelled while it waits for room, or the batch cannot be partitioned.
    pub fn emit(&mut self, batch: Batch, now: Timestamp) -> Result<()> {
        let changes = match batch {
            Batch::Changes(changes) => changes,
            Batch::Records(_) if matches!(self.exchange, Exchange::Hash(_)) => {
                return Err(Error::unsupported("a hash exchange of values that are not columns"));
            }
            records @ Batch::Records(_) => return self.send(0, records),
        };
        match &self.exchange {
            Exchange::Hash(columns) => {
                let targets = self.senders.len() as u32;
                let parts = partition(&changes, columns, self.max_parallelism, targets)?;
                for (target, part) in parts.into_iter().enumerate() {
                    if let Some(part) = part {
                        self.hold(target, part, now)?;
                    }
                }
                Ok(())
            }
            _ => self.hold(0, changes, now),
        }
    }

    /// Sends on what is held back.
    ///
    /// # Errors
    /// As [`ExchangeWriter::emit`].
    pub fn flush(&mut self) -> Result<()> {
        self.held_since = None;
        for target in 0..self.buffers.len() {
            self.flush_one(target)?;
        }
        Ok(())
    }

    /// Sends a control element to every receiver, after everything before it.
    ///
    /// # Errors
    /// As [`ExchangeWriter::emit`].
    pub fn broadcast(&mut self, element: &Element) -> Result<()> {
        self.flush()?;
        self.senders.iter_mut().try_for_each(|sender| sender.send(element.clone()))
    }

    fn hold(&mut self, target: usize, changes: ChangeBatch, now: Timestamp) -> Result<()> {
        let changes = changes.compact()?;
        let rows = changes.physical_rows();
        if rows == 0 {
            return Ok(());
        }
        let buffer = &mut self.buffers[target];
        if buffer.batches.is_empty() && rows * 2 >= self.batch_size {
            return self.send(target, changes.into());
        }
        buffer.rows += rows;
        buffer.batches.push(changes);
        if buffer.rows >= self.batch_size {
            return self.flush_one(target);
        }
        self.held_since.get_or_insert(now);
        Ok(())
    }

    fn flush_one(&mut self, target: usize) -> Result<()> {
        let buffer = std::mem::take(&mut self.buffers[target]);
        if buffer.batches.is_empty() {
            return Ok(());
        }
        let changes = ChangeBatch::concat(&self.schema, buffer.batches)?;
        self.send(target, changes.into())
    }

    fn send(&mut self, target: usize, batch: Batch) -> Result<()> {
        match self.exchange {
            Exchange::Hash(_) => self.senders[target].send(Element::Batch(batch)),
            Exchange::Forward | Exchange::Global => self.senders[0].send(Element::Batch(batch)),
            Exchange::Rebalance => {
                let target = self.turn;
                self.turn = (target + 1) % self.senders.len();
                self.senders[target].send(Element::Batch(batch))
            }
            Exchange::Broadcast => {
                self.senders.iter_mut().try_for_each(|sender| sender.send(Element::Batch(batch.clone())))
            }
        }
    }
}
