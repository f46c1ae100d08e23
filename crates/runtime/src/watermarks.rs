//! Event time of a source whose connector lets watermarks be generated for each split by itself.
//!
//! How a split's watermark comes about is an [`EventTimeGenerator`]'s: a table's watermark expression, or what a source of the
//! DataStream API says ([`flott_connector::Source::event_time`]). What is made of them is the same for all.
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
use flott_connector::{
    EventTimeGenerator, EventTimePolicy, EventTimeProgress, GeneratorFactory, Split, Timed,
};
use flott_operator::Output;
use flott_types::{Error, Result, Timestamp, Watermark};

use crate::TaskMetrics;
use crate::metrics::SplitMetrics;

/// The watermarks of the splits of one reader.
pub struct SplitWatermarks {
    generators: GeneratorFactory,
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
    /// Since when the reader is held back for the sake of others.
    held_since: Option<Timestamp>,
    /// For how long it was, before.
    held: i64,
    task: Arc<TaskMetrics>,
}

struct SplitTime {
    id: String,
    generator: Box<dyn EventTimeGenerator>,
    current: Timestamp,
    asked: Timestamp,
    /// By the clock that stands still while receivers have no room.
    last_row_at: Timestamp,
    idle: bool,
    metrics: SplitMetrics,
}

impl SplitWatermarks {
    /// Before the reader has splits. A small advance is sent after `interval` milliseconds.
    pub fn of(policy: EventTimePolicy, interval: i64, task: Arc<TaskMetrics>) -> Self {
        SplitWatermarks {
            generators: policy.generators,
            interval,
            idle_timeout: policy.idle_timeout,
            splits: Vec::new(),
            sent: Timestamp::MIN,
            restored: false,
            flush_at: None,
            idle: false,
            held_since: None,
            held: 0,
            task,
        }
    }

    /// The reader is given splits; those out of a snapshot with the event time that they had.
    pub fn add<'a>(
        &mut self,
        splits: impl IntoIterator<Item = (&'a Split, Option<EventTimeProgress>)>,
        now: Timestamp,
    ) {
        let fresh = self.splits.is_empty() && self.sent == Timestamp::MIN;
        let mut sent: Option<Timestamp> = None;
        for (split, time) in splits {
            let time = time.unwrap_or(EventTimeProgress::START);
            sent = Some(sent.map_or(time.sent, |least| least.min(time.sent)));
            let metrics = self.task.add_split(&split.id);
            metrics.watermark.set(time.current);
            self.splits.push(SplitTime {
                id: split.id.clone(),
                generator: (self.generators)(),
                current: time.current,
                asked: time.asked,
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
        if self.is_periodic() {
            self.schedule(now);
        }
    }

    /// What goes into the snapshot with a split.
    pub fn time_of(&self, split: &Split) -> Option<EventTimeProgress> {
        let found = self.splits.iter().find(|time| time.id == split.id)?;
        let SplitTime { current, asked, .. } = *found;
        Some(EventTimeProgress { current, sent: self.sent, asked, idle: false })
    }

    /// Sends on rows of a split, and the watermarks that they bring about.
    ///
    /// # Errors
    /// If a time attribute is NULL, or the reader does not have this split.
    pub fn emit(&mut self, split: &str, batch: Batch, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        let at = self.active(split, output)?;
        let cap = self.cap(at);
        let running = self.running(now);
        let split = &mut self.splits[at];
        let mut progress =
            EventTimeProgress { current: split.current, sent: self.sent, asked: split.asked, idle: false };
        let mut send = |timed| match timed {
            Timed::Rows(batch) => output.emit(batch),
            Timed::Watermark(watermark) => output.watermark(watermark),
        };
        split.generator.rows(batch, &mut progress, cap, now, &mut send)?;
        (split.current, split.asked, self.sent) = (progress.current, progress.asked, progress.sent);
        split.metrics.watermark.set(progress.current);
        split.last_row_at = running;
        if progress.idle {
            return self.set_idle(at, now, output);
        }
        self.schedule(now);
        Ok(())
    }

    /// The reader states how far a split has come.
    ///
    /// # Errors
    /// If the reader does not have this split.
    pub fn stated(
        &mut self,
        split: &str,
        watermark: Watermark,
        now: Timestamp,
        output: &mut dyn Output,
    ) -> Result<()> {
        let at = self.active(split, output)?;
        let running = self.running(now);
        let split = &mut self.splits[at];
        split.current = split.current.max(watermark.0);
        split.metrics.watermark.set(split.current);
        split.last_row_at = running;
        // Who states a watermark wants it sent; there is no interval to wait for.
        let reached = self.least();
        self.send(reached, output)?;
        self.schedule(now);
        Ok(())
    }

    /// The reader states whether a split holds event time back.
    ///
    /// # Errors
    /// If the reader does not have this split.
    pub fn stated_status(
        &mut self,
        split: &str,
        status: WatermarkStatus,
        now: Timestamp,
        output: &mut dyn Output,
    ) -> Result<()> {
        match status {
            WatermarkStatus::Active => {
                let at = self.active(split, output)?;
                self.splits[at].last_row_at = self.running(now);
                Ok(())
            }
            WatermarkStatus::Idle => {
                let at = self.find(split)?;
                self.set_idle(at, now, output)
            }
        }
    }

    fn find(&self, split: &str) -> Result<usize> {
        self.splits.iter().position(|time| time.id == split).ok_or_else(|| {
            Error::internal(format!("the reader emitted rows of split '{split}', which it does not have"))
        })
    }

    /// Finds a split of which something has come, so that it is idle no longer.
    fn active(&mut self, split: &str, output: &mut dyn Output) -> Result<usize> {
        let at = self.find(split)?;
        if std::mem::take(&mut self.idle) {
            output.watermark_status(WatermarkStatus::Active)?;
        }
        if std::mem::take(&mut self.splits[at].idle) {
            self.splits[at].metrics.idle.set(0);
        }
        Ok(at)
    }

    fn set_idle(&mut self, at: usize, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        let last = self.least();
        let split = &mut self.splits[at];
        if std::mem::replace(&mut split.idle, true) {
            return Ok(());
        }
        split.metrics.idle.set(1);
        self.settle(last, now, output)
    }

    /// What the splits other than this one allow.
    fn cap(&self, at: usize) -> Timestamp {
        let others = self.splits.iter().enumerate().filter(|(other, time)| *other != at && !time.idle);
        others.map(|(_, time)| time.current).min().unwrap_or(Timestamp::MAX)
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
        self.ask(now, output)?;
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
            self.ask(now, output)?;
            let reached = self.least();
            self.send(reached, output)?;
            self.schedule(now);
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

    /// The interval has passed: generators say what they have not said yet.
    fn ask(&mut self, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        let sent = self.sent;
        for at in 0..self.splits.len() {
            let split = &mut self.splits[at];
            if split.idle {
                continue;
            }
            let mut progress =
                EventTimeProgress { current: split.current, sent, asked: split.asked, idle: false };
            split.generator.periodic(&mut progress, now);
            split.asked = progress.asked;
            if progress.current > split.current {
                split.current = progress.current;
                split.metrics.watermark.set(progress.current);
            }
            if progress.idle {
                self.set_idle(at, now, output)?;
            }
        }
        Ok(())
    }

    /// The event time of the reader as a whole, for an alignment group; `None` if it holds nobody back.
    pub fn reached(&self) -> Option<Timestamp> {
        self.splits.iter().filter(|split| !split.idle).map(|split| split.current).min()
    }

    /// The splits that are above a limit.
    pub fn ahead_of(&self, limit: Timestamp) -> impl Iterator<Item = &str> {
        self.splits.iter().filter(move |split| split.current > limit).map(|split| split.id.as_str())
    }

    /// The reader is held back for the sake of others, or no longer: time in which it may not read makes nothing idle.
    pub fn hold(&mut self, held: bool, now: Timestamp) {
        match (self.held_since, held) {
            (None, true) => self.held_since = Some(now),
            (Some(since), false) => {
                self.held = self.held.saturating_add(now.saturating_sub(since));
                self.held_since = None;
            }
            _ => {}
        }
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
        if !self.is_periodic() && self.least() <= self.sent {
            self.flush_at = None;
        } else if self.flush_at.is_none() {
            self.flush_at = Some(now.saturating_add(self.interval));
        }
    }

    fn is_periodic(&self) -> bool {
        self.interval > 0 && self.splits.iter().any(|split| split.generator.is_periodic())
    }

    /// What the splits that count have reached; the least possible if there are none.
    fn least(&self) -> Timestamp {
        let counting = self.splits.iter().filter(|split| !split.idle);
        counting.map(|split| split.current).min().unwrap_or(Timestamp::MIN)
    }

    /// The clock less the time in which receivers had no room, or the reader was held back.
    fn running(&self, now: Timestamp) -> Timestamp {
        let held = self.held_since.map_or(0, |since| now.saturating_sub(since)).saturating_add(self.held);
        let full = (self.task.back_pressured.get() / 1_000_000) as Timestamp;
        now.saturating_sub(full).saturating_sub(held)
    }
}
