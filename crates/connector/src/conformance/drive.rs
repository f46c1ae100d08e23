//! Drives a source as the runtime does: an enumerator, some readers, and what is known of their splits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::{Batch, WatermarkStatus};
use flott_types::clock::ManualClock;
use flott_types::{Clock, Result, SubtaskIndex, Watermark};

use super::{SourceUnderTest, broken};
use crate::{
    EnumeratorContext, Poll, ReaderContext, Source, SourceOutput, SourceReader, Split, SplitEnumerator, Waker,
};

/// So many polls in a row may come to nothing.
const PATIENCE: usize = 10_000;

/// What is in a checkpoint.
pub(super) struct Snapshot {
    enumerator: String,
    splits: Vec<Split>,
}

/// A source while it is read.
pub(super) struct Run<'a> {
    test: &'a dyn SourceUnderTest,
    enumerator: Box<dyn SplitEnumerator>,
    readers: Vec<Reader>,
    clock: Arc<ManualClock>,
    turn: usize,
    fruitless: usize,
    pub(super) rows: Vec<String>,
    pub(super) polls: usize,
}

struct Reader {
    reader: Box<dyn SourceReader>,
    /// The splits that it has.
    splits: BTreeSet<String>,
    ended: bool,
}

/// What one poll gives.
struct Output<'a> {
    test: &'a dyn SourceUnderTest,
    splits: &'a mut BTreeSet<String>,
    rows: Vec<String>,
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
}

impl<'a> Run<'a> {
    /// Begins with so many readers, anew or from a snapshot.
    pub(super) fn new(
        test: &'a dyn SourceUnderTest,
        parallelism: u32,
        clock: &Arc<ManualClock>,
        snapshot: Option<&Snapshot>,
    ) -> Result<Self> {
        let source = test.source()?;
        let context = EnumeratorContext { parallelism, clock: clock.clone() };
        let restored = snapshot.map(|snapshot| snapshot.enumerator.as_str());
        let enumerator = source.enumerator(restored, context)?;
        // Each task makes the source for itself.
        let reader = |subtask| reader(&*test.source()?, SubtaskIndex(subtask), parallelism, test, clock);
        let mut readers = (0..parallelism).map(reader).collect::<Result<Vec<_>>>()?;
        for (at, split) in snapshot.iter().flat_map(|snapshot| &snapshot.splits).enumerate() {
            let count = readers.len();
            readers[at % count].add(vec![split.clone()])?;
        }
        let (rows, clock) = (Vec::new(), clock.clone());
        Ok(Run { test, enumerator, readers, clock, turn: 0, fruitless: 0, rows, polls: 0 })
    }

    /// Lets the next reader work. False when there is nothing more to read, ever.
    pub(super) fn step(&mut self) -> Result<bool> {
        let count = self.readers.len();
        let open = (0..count).map(|offset| (self.turn + offset) % count).find(|at| !self.readers[*at].ended);
        let Some(at) = open else { return Ok(false) };
        self.turn = at + 1;
        self.polls += 1;
        let reader = &mut self.readers[at];
        let mut output = Output { test: self.test, splits: &mut reader.splits, rows: Vec::new() };
        let poll = reader.reader.poll(&mut output)?;
        let rows = output.rows;
        let most = self.test.most_rows_per_poll();
        if rows.len() > most {
            return Err(broken(format!(
                "one poll emits {} rows; barriers wait for it: no more than {most} are expected",
                rows.len()
            )));
        }
        self.fruitless = if rows.is_empty() { self.fruitless + 1 } else { 0 };
        self.rows.extend(rows);
        match poll {
            Poll::More => {}
            Poll::Wait(until) => {
                let now = self.clock.now();
                self.clock.set(until.min(now.saturating_add(1_000)).max(now + 1));
                std::thread::park_timeout(Duration::from_micros(50));
            }
            Poll::SplitsDone => {
                reader.splits.clear();
                match self.enumerator.next_splits(SubtaskIndex(at as u32))? {
                    None => reader.ended = true,
                    Some(splits) if splits.is_empty() => {
                        self.clock.advance(self.enumerator.discovery_interval().max(1));
                    }
                    Some(splits) => {
                        self.fruitless = 0;
                        reader.add(splits)?;
                    }
                }
            }
        }
        if self.fruitless > PATIENCE {
            return Err(broken(format!(
                "{PATIENCE} polls in a row emit nothing, and the source does not end"
            )));
        }
        Ok(true)
    }

    /// Reads to the end; of a source without an end, until all rows that are expected have come and no other comes for a while.
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
        let enumerator = self.enumerator.snapshot()?;
        let mut splits = Vec::new();
        for reader in &mut self.readers {
            let taken = reader.reader.snapshot()?;
            if taken != reader.reader.snapshot()? {
                return Err(broken("a second snapshot right after the first differs from it"));
            }
            if let Some(split) = taken.iter().find(|split| !reader.splits.contains(&split.id)) {
                return Err(broken(format!(
                    "the snapshot has split '{}', which the reader does not have",
                    split.id
                )));
            }
            splits.extend(taken);
        }
        let mut ids: Vec<&str> = splits.iter().map(|split| split.id.as_str()).collect();
        ids.sort_unstable();
        match ids.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(broken(format!("two readers have split '{}' in their snapshots", pair[0]))),
            None => Ok(Snapshot { enumerator, splits }),
        }
    }
}

impl Reader {
    fn add(&mut self, splits: Vec<Split>) -> Result<()> {
        self.splits.extend(splits.iter().map(|split| split.id.clone()));
        self.reader.add_splits(splits)
    }
}

fn reader(
    source: &dyn Source,
    subtask: SubtaskIndex,
    parallelism: u32,
    test: &dyn SourceUnderTest,
    clock: &Arc<ManualClock>,
) -> Result<Reader> {
    let context = ReaderContext {
        subtask,
        parallelism,
        batch_size: test.batch_size(),
        clock: clock.clone(),
        waker: Waker::default(),
    };
    Ok(Reader { reader: source.reader(context)?, splits: BTreeSet::new(), ended: false })
}
