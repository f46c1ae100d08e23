//! Watermarks in the middle of a stream.

use flott_batch::{Batch, WatermarkStatus};
use flott_state::{ListState, OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};

use super::{EventTimeProgress, GeneratorFactory, SplitWatermarks};
use crate::{Context, Operator};

/// Assigns timestamps and generates watermarks: SQL's WatermarkAssigner, and
/// `assign_timestamps_and_watermarks` of the DataStream API. Upstream watermarks are ignored, except for the
/// end of event time.
///
/// Its progress is in the snapshot, so a restored run makes the same rows late. Restored at another
/// parallelism, each subtask continues from the minimum.
pub struct EventTimeOperator {
    watermarks: SplitWatermarks,
    /// It detects itself whether its stream is idle.
    finds_idle: bool,
    ended: bool,
}

/// The name of the state.
const STATE: &str = "watermark";

/// The only split.
const STREAM: &str = "";

impl EventTimeOperator {
    /// `interval` and `idle_timeout` as in [`SplitWatermarks::new`].
    pub fn new(generator: GeneratorFactory, interval: i64, idle_timeout: i64) -> Self {
        EventTimeOperator {
            watermarks: SplitWatermarks::new(generator, interval, idle_timeout),
            finds_idle: idle_timeout > 0,
            ended: false,
        }
    }

    /// There is no event time at or before this.
    #[must_use]
    pub fn starting_at(self, start: Timestamp) -> Self {
        EventTimeOperator { watermarks: self.watermarks.starting_at(start), ..self }
    }

    fn schedule(&self, context: &mut Context<'_>) {
        if let Some(at) = self.watermarks.wake_at(context.now) {
            context.schedule(at);
        }
    }
}

/// An entry of the state. SQL used to write two numbers, `current sent`.
fn read(entry: &str) -> Result<EventTimeProgress> {
    let numbers = || {
        let (current, sent) = entry.split_once(' ')?;
        Some(EventTimeProgress {
            current: current.parse().ok()?,
            sent: sent.parse().ok()?,
            ..EventTimeProgress::START
        })
    };
    if let Some(progress) = numbers() {
        return Ok(progress);
    }
    serde_json::from_str(entry)
        .map_err(|error| Error::state("the watermarks of a stream cannot be read").with_source(error))
}

impl Operator for EventTimeOperator {
    /// If there are as many entries as subtasks, each subtask continues from its own, so that the run
    /// continues as it would have; otherwise from the minimum.
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let entries = restored.take_list(STATE);
        let all: Vec<EventTimeProgress> = entries.iter().map(|entry| read(entry)).collect::<Result<_>>()?;
        let mine = match all.get(context.info.subtask.index()) {
            Some(mine) if all.len() == context.info.parallelism as usize => Some(*mine),
            _ => all.into_iter().reduce(EventTimeProgress::least),
        };
        // A stream that ended continues with other rows; they are not late.
        let mine = mine.filter(|progress| progress.sent < Watermark::MAX.0);
        self.watermarks.add([(STREAM, mine)], context.now);
        self.schedule(context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        self.watermarks.emit(STREAM, batch, context.now, context.output)?;
        // Handles what became due while rows kept arriving.
        self.watermarks.on_time(context.now, context.output)?;
        self.schedule(context);
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId, _: bool) -> Result<OperatorSnapshot> {
        let progress = self.watermarks.progress_of(STREAM).unwrap_or(EventTimeProgress::START);
        let entry = serde_json::to_string(&progress)
            .map_err(|error| Error::internal("a watermark cannot be written").with_source(error))?;
        let list =
            ListState { name: STATE.to_owned(), redistribution: Redistribution::Union, entries: vec![entry] };
        Ok(OperatorSnapshot { lists: vec![list], ..OperatorSnapshot::default() })
    }

    /// Ignores watermarks from upstream, except for the end of event time.
    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        if watermark == Watermark::MAX && !std::mem::replace(&mut self.ended, true) {
            self.watermarks.end(context.output)?;
        }
        Ok(())
    }

    /// Ignores the upstream status, unless this operator does not detect idleness itself.
    fn watermark_status(&mut self, status: WatermarkStatus, context: &mut Context<'_>) -> Result<()> {
        if self.finds_idle || self.ended {
            return Ok(());
        }
        self.watermarks.stated_status(STREAM, status, context.now, context.output)?;
        self.schedule(context);
        Ok(())
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        if self.ended {
            return Ok(());
        }
        self.watermarks.on_time(now, context.output)?;
        self.schedule(context);
        Ok(())
    }
}
