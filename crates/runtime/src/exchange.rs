//! The output side of a task: partitions batches among the receiving subtasks.
//!
//! Small batches for one target are combined up to the batch size; a batch that is large enough on its own is
//! sent uncopied. Buffered rows are sent when they are large enough, when they are older than the buffer
//! timeout, when the task's input runs dry, and before every control element, so that order is kept.
//! Selections are compacted here: no row that was filtered out crosses a thread.
//!
//! Large enough means a number of rows or of bytes. A batch of wide rows with many times the bytes is cut
//! first: it is distributed piece by piece, and if a receiver is behind, the rest stays where it is,
//! uncopied.

use arrow::datatypes::SchemaRef;
use flott_batch::hash::partition;
use flott_batch::{AnyRecords, Batch, ChangeBatch};
use flott_plan::Exchange;
use flott_types::{Error, KeyGroup, Result, Timestamp, Waker};

use crate::connect::Sender;
use crate::gate::Element;

/// One stream out of a task.
pub struct ExchangeWriter {
    exchange: Exchange,
    /// The side output that this stream carries; `None` for the operator's main output.
    pub(crate) tag: Option<String>,
    schema: SchemaRef,
    senders: Vec<Box<dyn Sender>>,
    /// One per target where rows are distributed individually, otherwise a single one. Records are always
    /// distributed.
    buffers: Vec<Buffer>,
    /// Whose turn it is (rebalance, rescale).
    turn: usize,
    batch_size: usize,
    batch_bytes: usize,
    max_parallelism: u32,
    /// Since when something has been held back.
    held_since: Option<Timestamp>,
    buffer_timeout: Option<i64>,
    /// The target of each value, kept for its memory.
    targets: Vec<u32>,
    /// Barriers may overtake: senders are asked for room.
    overtakes: bool,
    /// Senders that were used since they last had room.
    used: Vec<usize>,
    /// What is sent precedes a barrier that overtakes, and waits for nothing.
    forces: bool,
}

#[derive(Default)]
struct Buffer {
    batches: Vec<ChangeBatch>,
    rows: usize,
    bytes: usize,
    records: Option<Box<dyn AnyRecords>>,
}

impl ExchangeWriter {
    /// A writer over these channels, one per receiving subtask. `turn` is the target that a round robin
    /// begins with.
    pub fn new(
        exchange: Exchange,
        schema: SchemaRef,
        senders: Vec<Box<dyn Sender>>,
        turn: usize,
        batch_size: usize,
        max_parallelism: u32,
    ) -> Self {
        ExchangeWriter {
            exchange,
            tag: None,
            schema,
            turn: turn % senders.len().max(1),
            buffers: senders.iter().map(|_| Buffer::default()).collect(),
            senders,
            batch_size,
            batch_bytes: usize::MAX / 4,
            max_parallelism,
            held_since: None,
            buffer_timeout: None,
            targets: Vec::new(),
            overtakes: false,
            used: Vec::new(),
            forces: false,
        }
    }

    /// In a job in which barriers may overtake: [`ExchangeWriter::has_room`] is asked.
    #[must_use]
    pub fn with_overtaking(mut self, overtakes: bool) -> Self {
        self.overtakes = overtakes;
        self
    }

    /// Whether its task may begin with something that it will send. If not, the waker is called when it may.
    ///
    /// # Errors
    /// If a channel is broken.
    pub fn has_room(&mut self, waker: &Waker) -> Result<bool> {
        while let Some(target) = self.used.last() {
            if !self.senders[*target].has_room(waker)? {
                return Ok(false);
            }
            self.used.pop();
        }
        Ok(true)
    }

    /// Since when something has been held back, if anything has.
    pub fn held_since(&self) -> Option<Timestamp> {
        self.held_since
    }

    /// Holds nothing back for longer than this many milliseconds; `None`: until a batch is full or the input
    /// is dry.
    #[must_use]
    pub fn with_buffer_timeout(mut self, timeout: Option<i64>) -> Self {
        self.buffer_timeout = timeout;
        self
    }

    /// Cuts batches to about this many bytes.
    #[must_use]
    pub fn with_batch_bytes(mut self, bytes: usize) -> Self {
        self.batch_bytes = bytes.clamp(1, usize::MAX / 4);
        self
    }

    /// Carries this side output of its operator.
    #[must_use]
    pub fn with_tag(mut self, tag: Option<String>) -> Self {
        self.tag = tag;
        self
    }

    /// Sends on what has been held back for as long as it may.
    ///
    /// # Errors
    /// As [`ExchangeWriter::emit`].
    pub fn flush_overdue(&mut self, now: Timestamp) -> Result<()> {
        match (self.buffer_timeout, self.held_since) {
            (Some(timeout), Some(held)) if now.saturating_sub(timeout) >= held => self.flush(),
            _ => Ok(()),
        }
    }

    /// Sends rows.
    ///
    /// # Errors
    /// If the task is cancelled while it waits for room, or the batch cannot be partitioned.
    pub fn emit(&mut self, batch: Batch, now: Timestamp) -> Result<()> {
        match batch {
            Batch::Changes(changes) => {
                if changes.bytes() > self.bytes_to_cut() {
                    return self.emit_cut(changes.compact()?, now);
                }
                self.emit_changes(changes, now)
            }
            Batch::Records(records) => {
                if records.bytes() > self.bytes_to_cut() {
                    return self.emit_records_cut(records, now);
                }
                self.emit_records(records, now)
            }
        }
    }

    /// A batch with more bytes is cut. A slightly larger one is sent whole.
    fn bytes_to_cut(&self) -> usize {
        self.batch_bytes * 2
    }

    /// Cuts in the middle until the pieces are small enough; rows may be of very different size.
    fn emit_cut(&mut self, changes: ChangeBatch, now: Timestamp) -> Result<()> {
        let rows = changes.physical_rows();
        if rows < 2 || changes.bytes() <= self.bytes_to_cut() {
            return self.emit_changes(changes, now);
        }
        self.emit_cut(changes.slice(0, rows / 2), now)?;
        self.emit_cut(changes.slice(rows / 2, rows - rows / 2), now)
    }

    fn emit_records_cut(&mut self, mut records: Box<dyn AnyRecords>, now: Timestamp) -> Result<()> {
        let len = records.len();
        if len < 2 || records.bytes() <= self.bytes_to_cut() {
            return self.emit_records(records, now);
        }
        let behind = records.split_off(len / 2);
        self.emit_records_cut(records, now)?;
        self.emit_records_cut(behind, now)
    }

    fn emit_changes(&mut self, changes: ChangeBatch, now: Timestamp) -> Result<()> {
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
            // Exchanges to one receiver at a time, or to all.
            Exchange::Forward
            | Exchange::Rebalance
            | Exchange::Rescale
            | Exchange::Broadcast
            | Exchange::Global => self.hold(0, changes, now),
            Exchange::Custom => Err(Error::internal("rows of a table cannot use a program's partitioner")),
        }
    }

    /// Flushes what is held back.
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

    /// Until the barrier is sent, what is sent precedes it: if it may overtake, that waits for nothing.
    pub fn prepare(&mut self, barrier: &Element) {
        let overtakes = matches!(barrier, Element::Barrier(barrier, _) if barrier.overtakes_after.is_some());
        self.forces = self.overtakes && overtakes;
    }

    /// Sends a control element to every receiver, after everything before it.
    ///
    /// # Errors
    /// As [`ExchangeWriter::emit`].
    pub fn broadcast(&mut self, element: &Element) -> Result<()> {
        if matches!(element, Element::Barrier(..)) {
            self.prepare(element);
        }
        self.flush()?;
        self.senders.iter_mut().try_for_each(|sender| sender.send(element.try_clone()?))?;
        if matches!(element, Element::Barrier(..)) {
            self.forces = false;
        }
        Ok(())
    }

    /// Every batch leaves here.
    fn deliver(&mut self, target: usize, batch: Batch) -> Result<()> {
        let sender = &mut self.senders[target];
        if self.overtakes {
            if !self.used.contains(&target) {
                self.used.push(target);
            }
            if self.forces {
                return sender.force(Element::Batch(batch));
            }
        }
        sender.send(Element::Batch(batch))
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
        buffer.bytes += changes.bytes();
        buffer.batches.push(changes);
        if buffer.rows >= self.batch_size || buffer.bytes >= self.batch_bytes {
            return self.flush_one(target);
        }
        self.held_since.get_or_insert(now);
        Ok(())
    }

    fn emit_records(&mut self, records: Box<dyn AnyRecords>, now: Timestamp) -> Result<()> {
        let parts = self.senders.len();
        if parts == 1 {
            return self.hold_records(0, records, now);
        }
        self.targets.clear();
        let routes = records.routes();
        let routed = || routes.ok_or_else(|| Error::internal("records of a keyed stream without their keys"));
        match self.exchange {
            Exchange::Forward | Exchange::Global | Exchange::Broadcast => {
                return self.hold_records(0, records, now);
            }
            Exchange::Hash(_) => {
                let (groups, parallelism) = (self.max_parallelism, parts as u32);
                let target = |hash: &u64| KeyGroup::of_hash(*hash, groups).subtask(groups, parallelism).0;
                self.targets.extend(routed()?.iter().map(target));
            }
            Exchange::Custom => {
                let routes = routed()?;
                if let Some(wrong) = routes.iter().find(|target| **target >= parts as u64) {
                    return Err(Error::invalid(format!(
                        "a partitioner chose receiver {wrong}; there are {parts}, numbered from 0"
                    )));
                }
                self.targets.extend(routes.iter().map(|target| *target as u32));
            }
            Exchange::Rebalance | Exchange::Rescale => {
                let turn = self.turn;
                self.targets.extend((0..records.len()).map(|at| ((turn + at) % parts) as u32));
                self.turn = (turn + records.len()) % parts;
            }
        }
        for (target, part) in records.deal(&self.targets, parts).into_iter().enumerate() {
            if let Some(part) = part {
                self.hold_records(target, part, now)?;
            }
        }
        Ok(())
    }

    fn hold_records(&mut self, target: usize, records: Box<dyn AnyRecords>, now: Timestamp) -> Result<()> {
        let buffer = &mut self.buffers[target];
        let bytes = records.bytes();
        let held = match &mut buffer.records {
            Some(held) => {
                held.append(records)?;
                held.len()
            }
            None => buffer.records.insert(records).len(),
        };
        buffer.bytes += bytes;
        if held * 2 >= self.batch_size || buffer.bytes >= self.batch_bytes {
            return self.flush_one(target);
        }
        self.held_since.get_or_insert(now);
        Ok(())
    }

    fn flush_one(&mut self, target: usize) -> Result<()> {
        let Buffer { batches, records, .. } = std::mem::take(&mut self.buffers[target]);
        if let Some(records) = records {
            if self.exchange == Exchange::Broadcast {
                return self.send(target, Batch::Records(records));
            }
            return self.deliver(target, Batch::Records(records));
        }
        if batches.is_empty() {
            return Ok(());
        }
        let changes = ChangeBatch::concat(&self.schema, batches)?;
        self.send(target, changes.into())
    }

    fn send(&mut self, target: usize, batch: Batch) -> Result<()> {
        match self.exchange {
            Exchange::Hash(_) => self.deliver(target, batch),
            Exchange::Forward | Exchange::Global => self.deliver(0, batch),
            Exchange::Rebalance | Exchange::Rescale => {
                let target = self.turn;
                self.turn = (target + 1) % self.senders.len();
                self.deliver(target, batch)
            }
            Exchange::Broadcast => {
                let Some(last) = self.senders.len().checked_sub(1) else { return Ok(()) };
                for other in 0..last {
                    self.deliver(other, batch.try_clone()?)?;
                }
                self.deliver(last, batch)
            }
            Exchange::Custom => Err(Error::internal("columns cannot be sent through a user's partitioner")),
        }
    }
}
