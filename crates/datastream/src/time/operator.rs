//! Timestamps and watermarks of a stream that is no source.

use std::marker::PhantomData;

use flott_batch::{Batch, Record, WatermarkStatus};
use flott_connector::{EventTimeGenerator, EventTimeProgress, Timed};
use flott_operator::{Context, Operator};
use flott_state::{ListState, OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};
use serde::{Deserialize, Serialize};

use super::{Timer, WatermarkStrategy};

/// `assign_timestamps_and_watermarks`: gives events timestamps and says how far event time has come. What upstream says of
/// event time counts for nothing, except its end.
///
/// Its event time is in the snapshot: a run that is restored makes the same events late. Restored at another parallelism, each
/// subtask goes on from the least.
pub struct TimestampsAndWatermarks<T> {
    timer: Timer<T>,
    interval: i64,
    idle_timeout: i64,
    progress: EventTimeProgress,
    idle: bool,
    last_event_at: Timestamp,
    /// The generator is asked then.
    ask_at: Timestamp,
    /// The watermark sent last comes out of a snapshot and was not sent in this run.
    restored: bool,
    done: bool,
    event: PhantomData<fn(T)>,
}

/// The name of the state.
const STATE: &str = "watermark";

/// An entry of the state.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Entry {
    current: Timestamp,
    sent: Timestamp,
    asked: Timestamp,
}

impl<T: Record> TimestampsAndWatermarks<T> {
    /// By a strategy; `interval` is `pipeline.auto-watermark-interval` in milliseconds, 0 if generators are not to be asked.
    pub fn new(strategy: &WatermarkStrategy<T>, interval: i64) -> Self {
        TimestampsAndWatermarks {
            timer: strategy.timer(interval),
            interval,
            idle_timeout: strategy.idle_timeout,
            progress: EventTimeProgress::START,
            idle: false,
            last_event_at: 0,
            ask_at: 0,
            restored: false,
            done: false,
            event: PhantomData,
        }
    }

    fn activate(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.last_event_at = context.now;
        self.set_idle(false, context)
    }

    fn set_idle(&mut self, idle: bool, context: &mut Context<'_>) -> Result<()> {
        if std::mem::replace(&mut self.idle, idle) == idle {
            return Ok(());
        }
        let status = if idle { WatermarkStatus::Idle } else { WatermarkStatus::Active };
        context.output.watermark_status(status)
    }

    /// The interval has passed by the clock.
    fn ask(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.ask_at = context.now.saturating_add(self.interval);
        self.timer.periodic(&mut self.progress, context.now);
        if self.progress.current > self.progress.sent {
            self.progress.sent = self.progress.current;
            context.output.watermark(Watermark(self.progress.sent))?;
        }
        if self.progress.idle { self.set_idle(true, context) } else { Ok(()) }
    }

    fn schedule(&self, context: &mut Context<'_>) {
        if self.interval > 0 && !self.idle {
            context.schedule(self.ask_at);
        }
        if self.idle_timeout > 0 && !self.idle {
            context.schedule(self.last_event_at.saturating_add(self.idle_timeout));
        }
    }
}

impl<T: Record> Operator for TimestampsAndWatermarks<T> {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let parse = |entry: &String| serde_json::from_str::<Entry>(entry);
        let entries = restored.take_list(STATE);
        let all: Vec<Entry> = entries.iter().map(parse).collect::<Result<_, _>>().map_err(|error| {
            Error::state("the watermarks of a TimestampsAndWatermarks cannot be read").with_source(error)
        })?;
        let mine = match all.get(context.info.subtask.index()) {
            Some(mine) if all.len() == context.info.parallelism as usize => Some(*mine),
            _ => all.into_iter().reduce(|a, b| Entry {
                current: a.current.min(b.current),
                sent: a.sent.min(b.sent),
                asked: a.asked.min(b.asked),
            }),
        };
        if let Some(Entry { current, sent, asked }) = mine {
            self.progress = EventTimeProgress { current, sent, asked, idle: false };
            self.restored = sent > Timestamp::MIN;
        }
        self.last_event_at = context.now;
        self.ask_at = context.now.saturating_add(self.interval);
        self.schedule(context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        self.activate(context)?;
        if std::mem::take(&mut self.restored) {
            context.output.watermark(Watermark(self.progress.sent))?;
        }
        let output = &mut *context.output;
        let mut send = |timed| match timed {
            Timed::Rows(batch) => output.emit(batch),
            Timed::Watermark(watermark) => output.watermark(watermark),
        };
        self.timer.rows(batch, &mut self.progress, Timestamp::MAX, context.now, &mut send)?;
        if self.progress.idle {
            self.set_idle(true, context)?;
        }
        // A stream that is never at rest gets no call of `processing_time` between its batches.
        if self.interval > 0 && self.ask_at <= context.now {
            self.ask(context)?;
        }
        self.schedule(context);
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId, _: bool) -> Result<OperatorSnapshot> {
        let EventTimeProgress { current, sent, asked, .. } = self.progress;
        let entry = serde_json::to_string(&Entry { current, sent, asked })
            .map_err(|error| Error::internal("a watermark cannot be written").with_source(error))?;
        let list =
            ListState { name: STATE.to_owned(), redistribution: Redistribution::Union, entries: vec![entry] };
        Ok(OperatorSnapshot { lists: vec![list], ..OperatorSnapshot::default() })
    }

    /// Watermarks from upstream count for nothing, except the end of event time.
    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        if watermark == Watermark::MAX && !self.done {
            self.done = true;
            self.activate(context)?;
            (self.progress.current, self.progress.sent) = (Timestamp::MAX, Timestamp::MAX);
            context.output.watermark(watermark)?;
        }
        Ok(())
    }

    /// This operator says itself whether its stream is idle, unless it has no opinion.
    fn watermark_status(&mut self, status: WatermarkStatus, context: &mut Context<'_>) -> Result<()> {
        if self.idle_timeout > 0 || self.done {
            return Ok(());
        }
        if status == WatermarkStatus::Active {
            self.activate(context)?;
        } else {
            self.set_idle(true, context)?;
        }
        self.schedule(context);
        Ok(())
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        if self.done {
            return Ok(());
        }
        if self.interval > 0 && self.ask_at <= now {
            self.ask(context)?;
        }
        let timeout = self.idle_timeout;
        if timeout > 0 && now.saturating_sub(self.last_event_at) >= timeout {
            self.set_idle(true, context)?;
        }
        self.schedule(context);
        Ok(())
    }
}
