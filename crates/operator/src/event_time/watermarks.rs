//! Combines the watermarks of a stream's splits. See the module's header.

use std::sync::Arc;

use flott_batch::{Batch, WatermarkStatus};
use flott_types::{Error, Result, Timestamp, Watermark};

use super::cut::{self, Cut};
use super::observer::{SplitMetrics, SplitObserver, Unobserved};
use super::{EventTime, EventTimeGenerator, EventTimeProgress, GeneratorFactory};
use crate::Output;

/// The watermarks of the splits of one stream.
pub struct SplitWatermarks {
    generators: GeneratorFactory,
    interval: i64,
    idle_timeout: i64,
    /// There is no event time at or before this.
    start: Timestamp,
    /// Few, in the order in which they were added.
    splits: Vec<SplitTime>,
    /// The stream's watermark.
    sent: Timestamp,
    /// `sent` comes from a snapshot and was not sent in this run.
    restored: bool,
    /// When to send a small advance and to ask the generators.
    flush_at: Option<Timestamp>,
    /// All splits are idle, and this was announced.
    idle: bool,
    /// Since when the reader has been held back by watermark alignment.
    held_since: Option<Timestamp>,
    /// For how long in total it was held back before.
    held: i64,
    /// The cuts of a batch; kept to reuse its memory.
    cuts: Vec<Cut>,
    observer: Arc<dyn SplitObserver>,
}

struct SplitTime {
    id: String,
    generator: Box<dyn EventTimeGenerator>,
    current: Timestamp,
    asked: Timestamp,
    /// By a clock that is paused while receivers have no room.
    last_row_at: Timestamp,
    idle: bool,
    metrics: SplitMetrics,
}

impl SplitTime {
    fn progress(&self, sent: Timestamp) -> EventTimeProgress {
        EventTimeProgress { current: self.current, sent, asked: self.asked }
    }

    fn advance(&mut self, progress: &EventTimeProgress) {
        (self.current, self.asked) = (progress.current, progress.asked);
        self.metrics.watermark.set(progress.current);
    }

    /// Returns whether this changed anything.
    fn set_idle(&mut self, idle: bool) -> bool {
        let new = std::mem::replace(&mut self.idle, idle) != idle;
        if new {
            self.metrics.idle.set(i64::from(idle));
        }
        new
    }
}

impl SplitWatermarks {
    /// Starts without splits. An advance of at most `interval` is sent when that time has passed by the
    /// clock; a split without rows for `idle_timeout` is idle, or never if that is 0. Both are in
    /// milliseconds.
    pub fn new(generators: GeneratorFactory, interval: i64, idle_timeout: i64) -> Self {
        SplitWatermarks {
            generators,
            interval,
            idle_timeout,
            start: Timestamp::MIN,
            splits: Vec::new(),
            sent: Timestamp::MIN,
            restored: false,
            flush_at: None,
            idle: false,
            held_since: None,
            held: 0,
            cuts: Vec::new(),
            observer: Arc::new(Unobserved),
        }
    }

    /// There is no event time at or before this.
    #[must_use]
    pub fn starting_at(self, start: Timestamp) -> Self {
        SplitWatermarks { start, sent: start, ..self }
    }

    /// Sets an observer.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn SplitObserver>) -> Self {
        SplitWatermarks { observer, ..self }
    }

    /// Adds splits to read; restored ones come with the event time that they had.
    pub fn add<'a>(
        &mut self,
        splits: impl IntoIterator<Item = (&'a str, Option<EventTimeProgress>)>,
        now: Timestamp,
    ) {
        let fresh = self.splits.is_empty() && self.sent == self.start;
        let mut sent: Option<Timestamp> = None;
        for (id, progress) in splits {
            let progress = progress.unwrap_or(EventTimeProgress::from(self.start));
            sent = Some(sent.map_or(progress.sent, |least| least.min(progress.sent)));
            let metrics = self.observer.added(id);
            metrics.watermark.set(progress.current);
            self.splits.push(SplitTime {
                id: id.to_owned(),
                generator: (self.generators)(),
                current: progress.current,
                asked: progress.asked,
                last_row_at: self.running(now),
                idle: false,
                metrics,
            });
        }
        if let Some(sent) = sent.filter(|sent| fresh && *sent > self.start) {
            self.sent = sent;
            self.restored = true;
        }
        self.idle = false;
        if self.interval > 0 {
            self.schedule(now);
        }
    }

    /// What a snapshot stores for a split.
    pub fn progress_of(&self, split: &str) -> Option<EventTimeProgress> {
        let found = self.splits.iter().find(|time| time.id == split)?;
        Some(found.progress(self.sent))
    }

    /// Sends rows of a split, and the watermarks that they cause.
    ///
    /// # Errors
    /// If a row has no time, or there is no such split.
    pub fn emit(&mut self, split: &str, batch: Batch, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        let at = self.active(split, output)?;
        self.resume(output)?;
        let (cap, running, cuts) = (self.cap(at), self.running(now), std::mem::take(&mut self.cuts));
        let split = &mut self.splits[at];
        let mut time = EventTime::new(split.progress(self.sent), false, cap, cuts);
        let batch = split.generator.rows(batch, &mut time, now)?;
        time.end(cut::rows(&batch));
        self.sent = time.progress.sent;
        split.advance(&time.progress);
        split.last_row_at = running;
        cut::send(batch, &time.cuts, output)?;
        self.cuts = time.cuts;
        self.cuts.clear();
        if time.idle {
            return self.set_idle(at, now, output);
        }
        self.schedule(now);
        Ok(())
    }

    /// Takes a watermark that the source states for a split.
    ///
    /// # Errors
    /// If there is no such split.
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
        // A source that states a watermark wants it sent; there is no interval to wait for.
        let reached = self.least();
        self.send(reached, output)?;
        self.schedule(now);
        Ok(())
    }

    /// Takes a status that the source states for a split: whether it holds back event time.
    ///
    /// # Errors
    /// If there is no such split.
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
                self.schedule(now);
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

    /// Finds a split that something arrived for, and marks it as active.
    fn active(&mut self, split: &str, output: &mut dyn Output) -> Result<usize> {
        let at = self.find(split)?;
        if std::mem::take(&mut self.idle) {
            output.watermark_status(WatermarkStatus::Active)?;
        }
        self.splits[at].set_idle(false);
        Ok(at)
    }

    fn set_idle(&mut self, at: usize, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        let last = self.least();
        if self.splits[at].set_idle(true) { self.settle(last, now, output) } else { Ok(()) }
    }

    /// The limit set by the splits other than this one.
    fn cap(&self, at: usize) -> Timestamp {
        let others = self.splits.iter().enumerate().filter(|(other, time)| *other != at && !time.idle);
        others.map(|(_, time)| time.current).min().unwrap_or(Timestamp::MAX)
    }

    /// A split was read to its end: it no longer holds back event time.
    ///
    /// # Errors
    /// If the output fails.
    pub fn finished(&mut self, split: &str, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        self.retain(|id| id != split, now, output)
    }

    /// Only these splits are left to read.
    ///
    /// # Errors
    /// If the output fails.
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
        self.observer.removed(&|id| !keep(id));
        self.splits.retain(|split| keep(&split.id));
        self.settle(last, now, output)
    }

    /// Time has passed: small advances are sent, and splits may become idle.
    ///
    /// # Errors
    /// If the output fails.
    pub fn on_time(&mut self, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        self.resume(output)?;
        if self.flush_at.is_some_and(|at| at <= now) {
            self.ask(now, output)?;
            let reached = self.least();
            self.send(reached, output)?;
            self.schedule(now);
        }
        if self.idle_timeout <= 0 {
            return Ok(());
        }
        let (running, timeout) = (self.running(now), self.idle_timeout);
        let rested = |split: &SplitTime| running.saturating_sub(split.last_row_at) >= timeout;
        if !self.splits.iter().any(|split| !split.idle && rested(split)) {
            return Ok(());
        }
        self.ask(now, output)?;
        let last = self.least();
        for split in self.splits.iter_mut().filter(|split| rested(split)) {
            split.set_idle(true);
        }
        self.settle(last, now, output)
    }

    /// Event time is at its end: no more rows will come.
    ///
    /// # Errors
    /// If the output fails.
    pub fn end(&mut self, output: &mut dyn Output) -> Result<()> {
        if std::mem::take(&mut self.idle) {
            output.watermark_status(WatermarkStatus::Active)?;
        }
        for split in &mut self.splits {
            split.set_idle(false);
            split.current = Timestamp::MAX;
        }
        self.restored = false;
        self.send(Timestamp::MAX, output)
    }

    /// Tells the receivers of this run what those of the previous run were told.
    fn resume(&mut self, output: &mut dyn Output) -> Result<()> {
        match std::mem::take(&mut self.restored) {
            true => output.watermark(Watermark(self.sent)),
            false => Ok(()),
        }
    }

    /// The interval has passed: generators announce what they have held back.
    fn ask(&mut self, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        for at in 0..self.splits.len() {
            let split = &mut self.splits[at];
            if split.idle {
                continue;
            }
            let mut time = EventTime::new(split.progress(self.sent), false, Timestamp::MAX, Vec::new());
            split.generator.periodic(&mut time, now);
            split.advance(&time.progress);
            if time.idle {
                self.set_idle(at, now, output)?;
            }
        }
        Ok(())
    }

    /// The event time of the stream as a whole, for an alignment group; `None` if it does not hold back the
    /// group.
    pub fn reached(&self) -> Option<Timestamp> {
        self.splits.iter().filter(|split| !split.idle).map(|split| split.current).min()
    }

    /// The splits that are above a limit.
    pub fn ahead_of(&self, limit: Timestamp) -> impl Iterator<Item = &str> {
        self.splits.iter().filter(move |split| split.current > limit).map(|split| split.id.as_str())
    }

    /// Notes that the reader is held back by watermark alignment, or no longer is: time in which it may not
    /// read does not make splits idle.
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

    /// The latest time to call `on_time`.
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let running = self.running(now);
        let idle = self.splits.iter().filter(|split| self.idle_timeout > 0 && !split.idle);
        let idle = idle.map(|split| {
            let rested = running.saturating_sub(split.last_row_at);
            now.saturating_add(self.idle_timeout.saturating_sub(rested))
        });
        [self.flush_at, idle.min()].into_iter().flatten().min()
    }

    /// Fewer splits count than before; `last` is what they had reached then.
    fn settle(&mut self, last: Timestamp, now: Timestamp, output: &mut dyn Output) -> Result<()> {
        if self.splits.iter().all(|split| split.idle) {
            // As in a task's input gate: the stream advances to the highest watermark that any split had
            // reached.
            let highest = self.splits.iter().map(|split| split.current).max();
            self.send(highest.unwrap_or(last), output)?;
            // The head of the task decides whether a reader without splits is idle.
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
        self.interval > 0 && self.splits.iter().any(|split| !split.idle && split.generator.is_periodic())
    }

    /// The minimum over the splits that count; the lowest timestamp if there are none.
    fn least(&self) -> Timestamp {
        self.reached().unwrap_or(Timestamp::MIN)
    }

    /// The clock minus the time in which receivers had no room or the reader was held back.
    fn running(&self, now: Timestamp) -> Timestamp {
        let held = self.held_since.map_or(0, |since| now.saturating_sub(since)).saturating_add(self.held);
        now.saturating_sub(self.observer.back_pressured()).saturating_sub(held)
    }
}
