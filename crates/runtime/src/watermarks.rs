//! Event time of a source whose connector lets watermarks be generated for each split by itself.
//!
//! Two splits that are read side by side may be hours of event time apart. A watermark over their mixed rows is that of
//! the split ahead, and makes every row of the other one late. So each split has a watermark of its own, and the subtask's is
//! the minimum over the splits that it is reading. A split that was read to its end counts no longer, nor does one that is
//! idle: without rows for `table.exec.source.idle-timeout`, not counting time in which receivers had no room. When all are
//! idle the subtask is, having advanced to the highest watermark of any of them: what the splits would have come to if
//! each were read by a subtask of its own. A reader without splits is idle too; that is the head's business.
//!
//! State: each split takes its watermark and the subtask's last one along in its entry of the snapshot. Without them the
//! subtask would begin again at the least possible watermark. No row would become late by that, and window operators remember
//! themselves what they have fired; but a row that is late in an undisturbed run would not be late for whatever else asks
//! until the watermark has caught up, and a restore must not change a result. A subtask that takes over splits of several
//! others goes on from the least of what they had said.
//!
//! Cost: per batch a look at each split of the reader, three atomic stores; per row what the generator costs.

use std::sync::Arc;

use flott_batch::{Batch, WatermarkStatus};
use flott_connector::Split;
use flott_operator::Output;
use flott_operators::{EventTime, WatermarkGenerator};
use flott_plan::WatermarkSpec;
use flott_types::{Error, Result, Timestamp, Watermark};

use crate::TaskMetrics;
use crate::metrics::SplitMetrics;

/// The watermarks of the splits of one reader.
pub struct SplitWatermarks {
    generator: WatermarkGenerator,
    interval: i64,
    idle_timeout: i64,
    /// Few, in the order in which they came.
    splits: Vec<SplitTime>,
    /// The subtask's watermark.
    sent: Timestamp,
    /// `sent` comes out of a snapshot and was not sent in this run.
    restored: bool,
    /// A small advance is sent then.
    flush_at: Option<Timestamp>,
    /// All splits are idle, and that was said.
    idle: bool,
    task: Arc<TaskMetrics>,
}

struct SplitTime {
    id: String,
    current: Timestamp,
    /// By the clock that stands still while receivers have no room.
    last_row_at: Timestamp,
    idle: bool,
    metrics: SplitMetrics,
}

impl SplitWatermarks {
    /// Before the reader has splits.
    pub fn new(spec: &WatermarkSpec, generator: WatermarkGenerator, task: Arc<TaskMetrics>) -> Self {
        SplitWatermarks {
            generator,
            interval: spec.interval,
            idle_timeout: spec.idle_timeout,
            splits: Vec::new(),
            sent: Timestamp::MIN,
            restored: false,
            flush_at: None,
            idle: false,
            task,
        }
    }

    /// The reader is given splits; those out of a snapshot with the event time that they had.
    pub fn add<'a>(
        &mut self,
        splits: impl IntoIterator<Item = (&'a Split, Option<EventTime>)>,
        now: Timestamp,
    ) {
        let fresh = self.splits.is_empty() && self.sent == Timestamp::MIN;
        let mut sent: Option<Timestamp> = None;
        for (split, time) in splits {
            let time = time.unwrap_or(EventTime { current: Timestamp::MIN, sent: Timestamp::MIN });
            sent = Some(sent.map_or(time.sent, |least| least.min(time.sent)));
            let metrics = self.task.add_split(&split.id);
            metrics.watermark.set(time.current);
            self.splits.push(SplitTime {
                id: split.id.clone(),
                current: time.current,
                last_row_at: self.running(now),
                idle: false,
                metrics,
            });
        }
        if let Some(sent) = sent.filter(|sent| fresh && *sent > Timestamp::MIN) {
            self.sent = sent;
            self.restored = true;
        }
        self.idle = false;
    }

    /// What goes into the snapshot with a split.
    pub fn time_of(&self, split: &Split) -> Option<EventTime> {
        let found = self.splits.iter().find(|time| time.id == split.id)?;
        Some(EventTime { current: found.current, sent: self.sent })
    }

    /// Sends on rows of a split, and the watermarks that they bring about.
    ///
    /// # Errors
    /// If a time attribute is NULL, or the reader does not have this split.
    pub fn emit(&mut self, split: &str, batch: Batch, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        let Batch::Changes(batch) = batch else {
            return Err(Error::internal("watermarks are generated from columns"));
        };
        let Some(at) = self.splits.iter().position(|time| time.id == split) else {
            return Err(Error::internal(format!(
                "the reader emitted rows of split '{split}', which it does not have"
            )));
        };
        if std::mem::take(&mut self.idle) {
            output.watermark_status(WatermarkStatus::Active)?;
        }
        if std::mem::take(&mut self.splits[at].idle) {
            self.splits[at].metrics.idle.set(0);
        }
        let others = self.splits.iter().enumerate().filter(|(other, time)| *other != at && !time.idle);
        let cap = others.map(|(_, time)| time.current).min().unwrap_or(Timestamp::MAX);
        let mut time = EventTime { current: self.splits[at].current, sent: self.sent };
        self.generator.emit(&batch.compact()?, &mut time, cap, now, output)?;
        self.sent = time.sent;
        let running = self.running(now);
        let split = &mut self.splits[at];
        split.current = time.current;
        split.metrics.watermark.set(time.current);
        split.last_row_at = running;
        self.schedule(now);
        Ok(())
    }

    /// A split was read to its end: it holds event time back no longer.
    pub fn finished(&mut self, split: &str, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        self.retain(|id| id != split, now, output)
    }

    /// Only these splits are left to read.
    pub fn retain(
        &mut self,
        keep: impl Fn(&str) -> bool,
        now: Timestamp,
        output: &mut dyn Output,
    ) -> Result<()> {
        if self.splits.iter().all(|split| keep(&split.id)) {
            return Ok(());
        }
        let last = self.least();
        self.task.remove_splits(|id| !keep(id));
        self.splits.retain(|split| keep(&split.id));
        self.settle(last, now, output)
    }

    /// Time has passed: small advances are sent, splits become idle.
    pub fn on_time(&mut self, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        if std::mem::take(&mut self.restored) {
            output.watermark(Watermark(self.sent))?;
        }
        if self.flush_at.is_some_and(|at| at <= now) {
            let reached = self.least();
            self.send(reached, output)?;
        }
        if self.idle_timeout <= 0 {
            return Ok(());
        }
        let (running, last) = (self.running(now), self.least());
        let mut changed = false;
        for split in &mut self.splits {
            if !split.idle && running.saturating_sub(split.last_row_at) >= self.idle_timeout {
                split.idle = true;
                split.metrics.idle.set(1);
                changed = true;
            }
        }
        if changed { self.settle(last, now, output) } else { Ok(()) }
    }

    /// When `on_time` is to be called at the latest.
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let running = self.running(now);
        let idle = self.splits.iter().filter(|split| self.idle_timeout > 0 && !split.idle);
        let idle = idle.map(|split| split.last_row_at + self.idle_timeout - running + now).min();
        [self.flush_at, idle].into_iter().flatten().min()
    }

    /// Fewer splits count than before, when `last` was what they had reached.
    fn settle(&mut self, last: Timestamp, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        if self.splits.iter().all(|split| split.idle) {
            // As at the gate of a task: nobody holds back what any of them had reached.
            let highest = self.splits.iter().map(|split| split.current).max();
            self.send(highest.unwrap_or(last), output)?;
            // Whether a reader without splits is idle, its head says.
            self.idle = !self.splits.is_empty();
            return match self.idle {
                true => output.watermark_status(WatermarkStatus::Idle),
                false => Ok(()),
            };
        }
        let reached = self.least();
        if reached.saturating_sub(self.sent) > self.interval {
            self.send(reached, output)?;
        }
        self.schedule(now);
        Ok(())
    }

    fn send(&mut self, reached: Timestamp, output: &mut dyn Output) -> Result<()> {
        self.flush_at = None;
        if reached > self.sent {
            self.sent = reached;
            output.watermark(Watermark(reached))?;
        }
        Ok(())
    }

    fn schedule(&mut self, now: Timestamp) {
        if self.least() <= self.sent {
            self.flush_at = None;
        } else if self.flush_at.is_none() {
            self.flush_at = Some(now.saturating_add(self.interval));
        }
    }

    /// What the splits that count have reached; the least possible if there are none.
    fn least(&self) -> Timestamp {
        let counting = self.splits.iter().filter(|split| !split.idle);
        counting.map(|split| split.current).min().unwrap_or(Timestamp::MIN)
    }

    /// The clock less the time in which receivers had no room.
    fn running(&self, now: Timestamp) -> Timestamp {
        now.saturating_sub((self.task.back_pressured.get() / 1_000_000) as Timestamp)
    }
}
