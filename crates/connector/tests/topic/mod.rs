//! A source as those of brokers are, over a topic in memory: partitions are found while readers are at work,
//! are read side by side, never end before the topic is closed, and what was read is acknowledged with
//! checkpoints, after which the topic has it no longer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use flott_batch::Records;
use flott_connector::{
    Assignments, Background, Boundedness, Discovery, EnumeratorContext, Payload, Poll, Produces,
    ReaderContext, Source, SourceOutput, SourceReader, Split, SplitEnumerator, Waker,
};
use flott_types::{CheckpointId, Error, Result, SubtaskIndex, Timestamp};
use parking_lot::Mutex;

/// Looks for partitions so often, in milliseconds.
pub const LOOKS_EVERY: i64 = 1_000;

/// What is wrong with the source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    Nothing,
    /// Acknowledges all that it has read, whatever checkpoint is complete.
    AcknowledgesAll,
    /// Does not look for partitions again.
    LooksOnce,
    /// Gives a partition that came back to nobody.
    LosesReturned,
    /// Does not know after a restart which partitions it had assigned.
    AssignsTwice,
}

/// The topic, and the source of it. Clones are one.
#[derive(Clone)]
pub struct Topic {
    pub state: Arc<Mutex<State>>,
    pub wrong: Wrong,
}

#[derive(Default)]
pub struct State {
    pub partitions: Vec<Partition>,
    closed: bool,
    wakers: Vec<Waker>,
    /// What readers have told the enumerator.
    pub told: BTreeSet<String>,
}

#[derive(Default)]
pub struct Partition {
    rows: Vec<u64>,
    /// Rows before this one are gone.
    pub acknowledged: usize,
}

impl Topic {
    pub fn new(partitions: usize, rows: u64, wrong: Wrong) -> Self {
        let topic = Topic { state: Arc::default(), wrong };
        (0..partitions).for_each(|_| _ = topic.add_partition(rows));
        topic
    }

    /// Adds a partition with so many rows, and answers them.
    pub fn add_partition(&self, rows: u64) -> Vec<u64> {
        let mut state = self.state.lock();
        let number = state.partitions.len() as u64;
        let rows: Vec<u64> = (0..rows).map(|row| number * 1_000 + row).collect();
        state.partitions.push(Partition { rows: rows.clone(), acknowledged: 0 });
        rows
    }

    /// No partition follows, and no row.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.wakers.iter().for_each(Waker::wake);
    }

    pub fn rows(&self) -> Vec<u64> {
        self.state.lock().partitions.iter().flat_map(|partition| partition.rows.clone()).collect()
    }
}

impl Source for Topic {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Unbounded
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let known = match restored.filter(|_| self.wrong != Wrong::AssignsTwice) {
            None => 0,
            Some(payload) => payload.from_json(&[1], "the number of partitions")?,
        };
        Ok(Box::new(Partitions {
            topic: self.clone(),
            parallelism: context.parallelism,
            readers: BTreeSet::new(),
            known,
            pending: VecDeque::new(),
            look: Background::new("a look at a topic", context.waker),
            looked: restored.is_some(),
            next_look: context.clock.now(),
            closed: false,
        }))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        self.state.lock().wakers.push(context.waker.clone());
        Ok(Box::new(Reader {
            topic: self.clone(),
            context,
            positions: VecDeque::new(),
            notes: BTreeMap::new(),
            closed: false,
        }))
    }
}

impl Produces<u64> for Topic {}

struct Partitions {
    topic: Topic,
    parallelism: u32,
    readers: BTreeSet<SubtaskIndex>,
    /// So many partitions are assigned or pending.
    known: usize,
    /// Splits whose readers are not there yet.
    pending: VecDeque<Split>,
    look: Background<(usize, bool)>,
    looked: bool,
    next_look: Timestamp,
    closed: bool,
}

fn split(partition: usize, offset: usize) -> Split {
    // Bytes that are no text.
    let mut bytes = vec![0xff];
    bytes.extend((offset as u64).to_be_bytes());
    Split { id: partition.to_string(), payload: Payload::new(1, bytes) }
}

impl Partitions {
    /// Each partition has its reader.
    fn assign(&mut self, assignments: &mut Assignments) {
        for split in std::mem::take(&mut self.pending) {
            let reader = SubtaskIndex(split.id.parse::<u32>().unwrap() % self.parallelism);
            match self.readers.contains(&reader) {
                true => assignments.assign(reader, vec![split]),
                false => self.pending.push_back(split),
            }
        }
    }
}

impl SplitEnumerator for Partitions {
    fn reader_registered(
        &mut self,
        reader: SubtaskIndex,
        _: &[String],
        assignments: &mut Assignments,
    ) -> Result<()> {
        self.readers.insert(reader);
        self.assign(assignments);
        if self.closed {
            assignments.send(reader, Payload::new(1, "closed"));
            assignments.no_more_splits(reader);
        }
        Ok(())
    }

    fn splits_requested(&mut self, _: SubtaskIndex, _: &mut Assignments) -> Result<()> {
        Ok(())
    }

    fn splits_returned(
        &mut self,
        reader: SubtaskIndex,
        splits: Vec<Split>,
        _: &mut Assignments,
    ) -> Result<()> {
        self.readers.remove(&reader);
        if self.topic.wrong != Wrong::LosesReturned {
            self.pending.extend(splits);
        }
        Ok(())
    }

    fn reader_event(&mut self, reader: SubtaskIndex, event: Payload, _: &mut Assignments) -> Result<()> {
        let text = format!("{reader}: {}", event.text("an event")?);
        self.topic.state.lock().told.insert(text);
        Ok(())
    }

    fn work(&mut self, now: Timestamp, assignments: &mut Assignments) -> Result<()> {
        if let Some(found) = self.look.take() {
            let (partitions, closed) = found?;
            self.pending.extend((self.known..partitions).map(|partition| split(partition, 0)));
            self.known = self.known.max(partitions);
            self.looked = true;
            self.assign(assignments);
            if closed && !self.closed {
                self.closed = true;
                for reader in &self.readers {
                    assignments.send(*reader, Payload::new(1, "closed"));
                    assignments.no_more_splits(*reader);
                }
            }
        }
        let again = !self.looked || self.topic.wrong != Wrong::LooksOnce;
        if now >= self.next_look && !self.look.is_busy() && again {
            self.next_look = now + LOOKS_EVERY;
            let topic = self.topic.clone();
            self.look.start(move || {
                let state = topic.state.lock();
                Ok((state.partitions.len(), state.closed))
            })?;
        }
        Ok(())
    }

    fn next_time(&self) -> Option<Timestamp> {
        (!self.look.is_busy()).then_some(self.next_look)
    }

    fn discovery(&self) -> Discovery {
        match (self.looked, self.look.is_busy()) {
            (false, _) => Discovery::First,
            (true, true) => Discovery::Again,
            (true, false) => Discovery::None,
        }
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Payload> {
        // What is pending here is found again: it is the last of what is known.
        let assigned = self.pending.iter().map(|split| split.id.parse::<usize>().unwrap()).min();
        Payload::json(1, &assigned.unwrap_or(self.known))
    }
}

struct Reader {
    topic: Topic,
    context: ReaderContext,
    /// Partitions with the next offset, read in turn.
    positions: VecDeque<(usize, usize)>,
    /// Where they stood at the snapshots of checkpoints that are in progress.
    notes: BTreeMap<CheckpointId, Vec<(usize, usize)>>,
    closed: bool,
}

impl SourceReader for Reader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in splits {
            split.payload.check(&[1], "an offset")?;
            let offset = u64::from_be_bytes(split.payload.bytes()[1..].try_into().unwrap());
            self.positions.push_back((split.id.parse().unwrap(), offset as usize));
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if self.positions.is_empty() {
            return Ok(Poll::SplitsDone);
        }
        for _ in 0..self.positions.len() {
            let Some((partition, offset)) = self.positions.pop_front() else { break };
            let state = self.topic.state.lock();
            let Partition { rows, acknowledged } = &state.partitions[partition];
            if offset < *acknowledged {
                return Err(Error::external(format!(
                    "rows {offset} to {acknowledged} of partition {partition} were acknowledged and are gone"
                )));
            }
            let batch: Vec<u64> = rows.iter().skip(offset).take(self.context.batch_size).copied().collect();
            drop(state);
            if batch.is_empty() && self.closed {
                output.split_finished(&partition.to_string())?;
                return Ok(Poll::More);
            }
            self.positions.push_back((partition, offset + batch.len()));
            if !batch.is_empty() {
                if offset == 0 {
                    output.send(Payload::new(1, format!("reads {partition}")))?;
                }
                output.emit(&partition.to_string(), Records::new(batch).into())?;
                return Ok(Poll::More);
            }
        }
        Ok(Poll::Wait(Timestamp::MAX))
    }

    fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<Vec<Split>> {
        let positions: Vec<_> = self.positions.iter().copied().collect();
        self.notes.insert(checkpoint, positions.clone());
        Ok(positions.into_iter().map(|(partition, offset)| split(partition, offset)).collect())
    }

    fn event(&mut self, event: Payload) -> Result<()> {
        assert_eq!(event, Payload::new(1, "closed"));
        self.closed = true;
        Ok(())
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        let noted = match self.topic.wrong {
            Wrong::AcknowledgesAll => self.positions.iter().copied().collect(),
            _ => self.notes.remove(&checkpoint).unwrap_or_default(),
        };
        self.notes = self.notes.split_off(&checkpoint);
        let mut state = self.topic.state.lock();
        for (partition, offset) in noted {
            let acknowledged = &mut state.partitions[partition].acknowledged;
            *acknowledged = offset.max(*acknowledged);
        }
        Ok(())
    }

    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.notes.remove(&checkpoint);
        Ok(())
    }
}
