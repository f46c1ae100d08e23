//! Drives a source as the runtime does: an enumerator, some readers, and the state of their splits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::{Batch, WatermarkStatus};
use flott_operator::MetricGroup;
use flott_types::clock::{ManualClock, SystemClock};
use flott_types::{CheckpointId, Clock, Result, SubtaskIndex, Watermark};

use super::{SourceUnderTest, broken};
use crate::{
    Discovery, EnumeratorContext, Messages, Payload, Poll, ReaderContext, SourceCoordinator, SourceOutput,
    SourceReader, Split, ToReader, Waker,
};

/// How many consecutive polls may yield nothing.
const PATIENCE: usize = 10_000;

/// What is in a checkpoint.
pub(super) struct Snapshot {
    pub(super) checkpoint: CheckpointId,
    enumerator: Payload,
    /// Of each reader.
    splits: Vec<Vec<Split>>,
}

/// A source while it is read.
pub(super) struct Run<'a> {
    test: &'a dyn SourceUnderTest,
    coordinator: SourceCoordinator,
    readers: Vec<Reader>,
    clock: Arc<ManualClock>,
    turn: usize,
    fruitless: usize,
    /// Since the last one that was not.
    fruitful: SystemClock,
    checkpoint: CheckpointId,
    pub(super) rows: Vec<String>,
    pub(super) polls: usize,
    /// The splits that were given to readers.
    pub(super) names: BTreeSet<String>,
}

struct Reader {
    reader: Box<dyn SourceReader>,
    /// The splits that it has.
    splits: BTreeSet<String>,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Reading,
    /// Until something comes for it.
    Waiting,
    /// Reads what it has, and will ask no more.
    Last,
    Ended,
}

/// What one poll gives.
struct Output<'a> {
    test: &'a dyn SourceUnderTest,
    splits: &'a mut BTreeSet<String>,
    rows: Vec<String>,
    events: Vec<Payload>,
}

impl Output<'_> {
    fn own(&self, split: &str, what: &str) -> Result<()> {
        match self.splits.contains(split) {
            true => Ok(()),
            false => Err(broken(format!("the reader {what} split '{split}', which it does not have"))),
        }
    }
}

impl SourceOutput for Output<'_> {
    fn emit(&mut self, split: &str, batch: Batch) -> Result<()> {
        self.own(split, "emits rows of")?;
        self.rows.extend(self.test.texts(batch)?);
        Ok(())
    }

    fn skipped(&mut self, _: u64) {}

    fn split_finished(&mut self, split: &str) -> Result<()> {
        self.own(split, "finishes")?;
        self.splits.remove(split);
        Ok(())
    }

    fn watermark(&mut self, split: &str, _: Watermark) -> Result<()> {
        self.own(split, "states the event time of")
    }

    fn watermark_status(&mut self, split: &str, _: WatermarkStatus) -> Result<()> {
        self.own(split, "states the event time of")
    }

    fn send(&mut self, event: Payload) -> Result<()> {
        self.events.push(event);
        Ok(())
    }
}

impl<'a> Run<'a> {
    /// Starts with this many readers, from scratch or from a snapshot.
    pub(super) fn new(
        test: &'a dyn SourceUnderTest,
        parallelism: u32,
        clock: &Arc<ManualClock>,
        snapshot: Option<&Snapshot>,
    ) -> Result<Self> {
        if snapshot.is_none() {
            test.begin();
        }
        let source = test.source()?;
        let context = EnumeratorContext { parallelism, clock: clock.clone(), waker: Waker::default() };
        let restored = snapshot.map(|snapshot| &snapshot.enumerator);
        let enumerator = source.enumerator(restored, context)?;
        let checkpoint = snapshot.map(|snapshot| snapshot.checkpoint);
        let coordinator = SourceCoordinator::new(enumerator).with_failing_readers(checkpoint);
        let mut run = Run {
            test,
            coordinator,
            readers: Vec::new(),
            clock: clock.clone(),
            turn: 0,
            fruitless: 0,
            fruitful: SystemClock::new(),
            checkpoint: checkpoint.unwrap_or(CheckpointId(0)),
            rows: Vec::new(),
            polls: 0,
            names: BTreeSet::new(),
        };
        for subtask in 0..parallelism {
            let reader = run.reader(subtask, parallelism)?;
            run.readers.push(reader);
        }
        let splits = snapshot.iter().flat_map(|snapshot| snapshot.splits.iter().flatten());
        for (at, split) in splits.enumerate() {
            run.readers[at % parallelism as usize].add(vec![split.clone()])?;
        }
        for at in 0..run.readers.len() {
            run.register(at)?;
        }
        Ok(run)
    }

    /// Each task makes the source for itself.
    fn reader(&self, subtask: u32, parallelism: u32) -> Result<Reader> {
        let context = ReaderContext {
            subtask: SubtaskIndex(subtask),
            parallelism,
            batch_size: self.test.batch_size(),
            clock: self.clock.clone(),
            waker: Waker::default(),
            metrics: MetricGroup::default(),
        };
        let reader = self.test.source()?.reader(context)?;
        Ok(Reader { reader, splits: BTreeSet::new(), stage: Stage::Reading })
    }

    fn register(&mut self, at: usize) -> Result<()> {
        let reading: Vec<String> = self.readers[at].splits.iter().cloned().collect();
        let messages = self.coordinator.register(SubtaskIndex(at as u32), &reading)?;
        self.deliver(messages)
    }

    fn deliver(&mut self, messages: Messages) -> Result<()> {
        for (subtask, message) in messages {
            let Some(reader) = self.readers.get_mut(subtask.index()) else {
                return Err(broken(format!(
                    "the enumerator addresses reader {subtask}, which does not exist"
                )));
            };
            match message {
                ToReader::AddSplits(splits) => {
                    self.fruitless = 0;
                    reader.stage = Stage::Reading;
                    self.names.extend(splits.iter().map(|split| split.id.clone()));
                    reader.add(splits)?;
                }
                ToReader::NothingYet => {}
                ToReader::NoMoreSplits => reader.stage = Stage::Last,
                ToReader::Event(event) => reader.reader.event(event)?,
            }
        }
        Ok(())
    }

    /// Lets the enumerator work, if it is time; where nobody has anything to read, it is time soon.
    fn discover(&mut self, nobody_reads: bool) -> Result<()> {
        if nobody_reads {
            let now = self.clock.now();
            match self.coordinator.next_time() {
                _ if self.coordinator.discovery() > Discovery::None => {
                    std::thread::park_timeout(Duration::from_micros(50));
                }
                Some(at) if at > now => self.clock.set(at),
                _ => self.clock.advance(1),
            }
        }
        let due = self.coordinator.next_time().is_some_and(|at| at <= self.clock.now());
        if due || self.coordinator.discovery() > Discovery::None {
            let messages = self.coordinator.work(self.clock.now())?;
            self.deliver(messages)?;
        }
        Ok(())
    }

    /// Lets the next reader work. False when there is nothing more to read, ever.
    pub(super) fn step(&mut self) -> Result<bool> {
        let count = self.readers.len();
        if self.readers.iter().all(|reader| reader.stage == Stage::Ended) {
            return Ok(false);
        }
        let reads = |at: &usize| matches!(self.readers[*at].stage, Stage::Reading | Stage::Last);
        let next = (0..count).map(|offset| (self.turn + offset) % count).find(reads);
        self.polls += 1;
        self.discover(next.is_none())?;
        let Some(at) = next else { return self.patience(true) };
        self.turn = at + 1;
        let reader = &mut self.readers[at];
        let mut output =
            Output { test: self.test, splits: &mut reader.splits, rows: Vec::new(), events: Vec::new() };
        let poll = reader.reader.poll(&mut output)?;
        let Output { rows, events, .. } = output;
        let most = self.test.most_rows_per_poll();
        if rows.len() > most {
            return Err(broken(format!(
                "one poll emits {} rows; barriers wait for it: no more than {most} are expected",
                rows.len()
            )));
        }
        let fruitless = rows.is_empty();
        self.rows.extend(rows);
        for event in events {
            let messages = self.coordinator.event(SubtaskIndex(at as u32), event)?;
            self.deliver(messages)?;
        }
        match poll {
            Poll::More => {}
            Poll::Wait(until) => {
                let now = self.clock.now();
                // Time stands still while somebody looks elsewhere, or there would always be somebody who
                // does.
                if self.coordinator.discovery() == Discovery::None {
                    self.clock.set(until.min(now.saturating_add(1_000)).max(now + 1));
                }
                std::thread::park_timeout(Duration::from_micros(50));
            }
            Poll::SplitsDone => {
                let reader = &mut self.readers[at];
                reader.splits.clear();
                if reader.stage == Stage::Last {
                    reader.stage = Stage::Ended;
                } else {
                    reader.stage = Stage::Waiting;
                    let messages = self.coordinator.request(SubtaskIndex(at as u32))?;
                    self.deliver(messages)?;
                }
            }
        }
        self.patience(fruitless)
    }

    fn patience(&mut self, fruitless: bool) -> Result<bool> {
        // How long a look elsewhere takes is not the source's fault.
        let looking = self.coordinator.discovery() > Discovery::None;
        if !fruitless {
            self.fruitless = 0;
        } else if !looking {
            self.fruitless += 1;
        }
        if self.fruitless <= 1 {
            self.fruitful = SystemClock::new();
        }
        if self.fruitless > PATIENCE && u128::from(self.fruitful.nanos()) > self.test.patience().as_nanos() {
            return Err(broken(format!(
                "{PATIENCE} polls in a row emit nothing, and the source does not end"
            )));
        }
        Ok(true)
    }

    /// Reads to the end; of a source without an end, until all rows that are expected have come and no other
    /// comes for a while.
    pub(super) fn finish(&mut self) -> Result<()> {
        let expected = self.test.expected().len();
        let mut over = 0;
        while self.step()? {
            over = if self.rows.len() >= expected && self.test.is_endless() { over + 1 } else { 0 };
            if over > 20 * self.readers.len() {
                break;
            }
        }
        Ok(())
    }

    /// Takes a snapshot; in the order of the runtime, the enumerator first.
    pub(super) fn snapshot(&mut self) -> Result<Snapshot> {
        self.checkpoint = self.checkpoint.next();
        let checkpoint = self.checkpoint;
        let enumerator = self.coordinator.snapshot(checkpoint)?;
        let mut splits = Vec::new();
        for reader in &mut self.readers {
            let taken = reader.reader.snapshot(checkpoint)?;
            if taken != reader.reader.snapshot(checkpoint)? {
                return Err(broken("a second snapshot right after the first differs from it"));
            }
            if let Some(split) = taken.iter().find(|split| !reader.splits.contains(&split.id)) {
                return Err(broken(format!(
                    "the snapshot has split '{}', which the reader does not have",
                    split.id
                )));
            }
            splits.push(taken);
        }
        let mut ids: Vec<&str> = splits.iter().flatten().map(|split| split.id.as_str()).collect();
        ids.sort_unstable();
        match ids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(broken(format!("two readers have split '{}' in their snapshots", pair[0]))),
            None => Ok(Snapshot { checkpoint, enumerator, splits }),
        }
    }

    /// Tells everybody that a checkpoint is complete.
    pub(super) fn complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.coordinator.complete(checkpoint)?;
        self.readers.iter_mut().try_for_each(|reader| reader.reader.checkpoint_complete(checkpoint))
    }

    /// Tells everybody that a checkpoint will not be complete.
    pub(super) fn aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.coordinator.aborted(checkpoint)?;
        self.readers.iter_mut().try_for_each(|reader| reader.reader.checkpoint_aborted(checkpoint))
    }

    /// One reader fails and begins again from a snapshot of this run, while all others go on.
    pub(super) fn fail_alone(&mut self, at: usize, snapshot: &Snapshot) -> Result<()> {
        let messages = self.coordinator.failed(SubtaskIndex(at as u32), Some(snapshot.checkpoint))?;
        self.readers[at] = self.reader(at as u32, self.readers.len() as u32)?;
        self.deliver(messages)?;
        if !snapshot.splits[at].is_empty() {
            self.readers[at].add(snapshot.splits[at].clone())?;
        }
        self.register(at)
    }

    /// Whether a reader has anything to read.
    pub(super) fn has_splits(&self, at: usize) -> bool {
        !self.readers[at].splits.is_empty()
    }

    /// Lets one reader work, if it has something to read; answers its rows, which do not count for the whole.
    pub(super) fn read_by(&mut self, at: usize) -> Result<Vec<String>> {
        self.turn = at;
        let before = self.rows.len();
        match self.readers[at].stage {
            Stage::Reading | Stage::Last => _ = self.step()?,
            // What it waits for may have to be looked for.
            Stage::Waiting => self.discover(true)?,
            Stage::Ended => {}
        }
        Ok(self.rows.split_off(before))
    }
}

impl Reader {
    fn add(&mut self, splits: Vec<Split>) -> Result<()> {
        self.splits.extend(splits.iter().map(|split| split.id.clone()));
        self.reader.add_splits(splits)
    }
}
