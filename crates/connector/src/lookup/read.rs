//! Reads a bounded source to its end outside a job, with its enumerator and one reader.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use flott_batch::Batch;
use flott_operator::MetricGroup;
use flott_types::{Clock, Error, Result, SubtaskIndex, Waker};

use crate::{
    Discovery, EnumeratorContext, Messages, Poll, ReaderContext, Source, SourceCoordinator, SourceOutput,
    SourceReader, ToReader,
};

/// How many rows a batch has.
const BATCH_ROWS: usize = 8_192;
/// How long it waits at most before it looks again whether anybody wants the rows.
const LOOK: Duration = Duration::from_millis(50);

/// Reads all there is. `wanted` says whether to go on.
pub(super) fn read_all(
    source: &dyn Source,
    clock: &Arc<dyn Clock>,
    wanted: &dyn Fn() -> bool,
) -> Result<Vec<Batch>> {
    let (wake, woken) = channel();
    let waker = Waker::new(move || _ = wake.send(()));
    let context = EnumeratorContext { parallelism: 1, clock: clock.clone(), waker: waker.clone() };
    let reader = source.reader(ReaderContext {
        subtask: READER,
        parallelism: 1,
        batch_size: BATCH_ROWS,
        clock: clock.clone(),
        waker,
        metrics: MetricGroup::default(),
    })?;
    let coordinator = SourceCoordinator::new(source.enumerator(None, context)?);
    let mut reading =
        Reading { coordinator, reader, ended: false, clock: clock.clone(), woken, rows: Rows::default() };
    let messages = reading.coordinator.register(READER, &[])?;
    reading.deliver(messages)?;
    while reading.step()? {
        if !wanted() {
            return Err(Error::cancelled());
        }
    }
    Ok(reading.rows.0)
}

const READER: SubtaskIndex = SubtaskIndex(0);

struct Reading {
    coordinator: SourceCoordinator,
    reader: Box<dyn SourceReader>,
    /// There will be no more splits.
    ended: bool,
    clock: Arc<dyn Clock>,
    woken: Receiver<()>,
    rows: Rows,
}

impl Reading {
    /// Does a batch's worth of work; false when everything is read.
    fn step(&mut self) -> Result<bool> {
        let now = self.clock.now();
        let is_due = self.coordinator.next_time().is_some_and(|at| at <= now);
        if is_due || self.coordinator.discovery() > Discovery::None {
            let messages = self.coordinator.work(now)?;
            self.deliver(messages)?;
        }
        match self.reader.poll(&mut self.rows)? {
            Poll::More => {}
            Poll::Wait(_) => self.wait(),
            Poll::SplitsDone if self.ended => return Ok(false),
            Poll::SplitsDone => {
                let messages = self.coordinator.request(READER)?;
                if !self.deliver(messages)? {
                    self.wait();
                }
            }
        }
        Ok(true)
    }

    /// Until woken, or for a short time: the time that is waited for may be that of a clock that stands
    /// still.
    fn wait(&self) {
        match self.woken.recv_timeout(LOOK) {
            Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }

    /// Whether there is something to do for the reader, or nothing ever again.
    fn deliver(&mut self, messages: Messages) -> Result<bool> {
        let mut something = false;
        for (_, message) in messages {
            match message {
                ToReader::AddSplits(splits) => self.reader.add_splits(splits)?,
                ToReader::NoMoreSplits => self.ended = true,
                ToReader::Event(event) => self.reader.event(event)?,
                ToReader::NothingYet => continue,
            }
            something = true;
        }
        Ok(something)
    }
}

#[derive(Default)]
struct Rows(Vec<Batch>);

impl SourceOutput for Rows {
    fn emit(&mut self, _: &str, batch: Batch) -> Result<()> {
        self.0.push(batch);
        Ok(())
    }

    fn skipped(&mut self, _: u64) {}
}
