//! Watermark generators and their output.

use flott_batch::Batch;
use flott_types::{Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::cut::Cut;

/// Generates the timestamps and watermarks for the rows of one split or stream.
pub trait EventTimeGenerator: Send {
    /// Looks at rows in order, and reports the progress of event time to `time`. Returns the rows with their
    /// assigned timestamps. `now` is the processing time.
    ///
    /// # Errors
    /// If a row has no time.
    fn rows(&mut self, batch: Batch, time: &mut EventTime, now: Timestamp) -> Result<Batch>;

    /// Called when the watermark interval has passed by the clock: the generator announces what it has held
    /// back.
    fn periodic(&mut self, time: &mut EventTime, now: Timestamp) {
        let _ = (time, now);
    }

    /// Whether `periodic` must be called even if no rows arrive.
    fn is_periodic(&self) -> bool {
        false
    }
}

/// Creates the generator of one split.
pub type GeneratorFactory = Box<dyn Fn() -> Box<dyn EventTimeGenerator> + Send>;

/// The progress of one split's event time, as stored in a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EventTimeProgress {
    /// The highest watermark of the split.
    pub current: Timestamp,
    /// The last watermark that was sent for all splits of the stream together.
    pub sent: Timestamp,
    /// The event time at which a generator that emits periodically was last asked.
    #[serde(default = "never")]
    pub asked: Timestamp,
}

fn never() -> Timestamp {
    Timestamp::MIN
}

impl EventTimeProgress {
    /// Nothing has been read yet.
    pub const START: EventTimeProgress = EventTimeProgress::from(Timestamp::MIN);

    /// Nothing has been read yet, and there is no event time at or before this.
    pub const fn from(start: Timestamp) -> Self {
        EventTimeProgress { current: start, sent: start, asked: Timestamp::MIN }
    }

    /// The minimum of two, field by field.
    #[must_use]
    pub fn least(self, other: Self) -> Self {
        EventTimeProgress {
            current: self.current.min(other.current),
            sent: self.sent.min(other.sent),
            asked: self.asked.min(other.asked),
        }
    }
}

/// The event time of a split while its generator looks at a batch. A generator that reports progress once per
/// batch calls [`EventTime::reach`] and [`EventTime::say`] once; one that looks at each row calls
/// [`EventTime::row`] before.
#[derive(Debug)]
pub struct EventTime {
    pub(super) progress: EventTimeProgress,
    pub(super) idle: bool,
    /// The limit set by the other splits of the stream.
    cap: Timestamp,
    /// Announced but not sent yet.
    pending: Timestamp,
    /// It must be sent before the next row, whatever that row is.
    at_once: bool,
    pub(super) cuts: Vec<Cut>,
}

impl EventTime {
    pub(super) fn new(progress: EventTimeProgress, idle: bool, cap: Timestamp, cuts: Vec<Cut>) -> Self {
        EventTime { progress, idle, cap, pending: progress.sent, at_once: false, cuts }
    }

    /// Called before the generator looks at a row of the batch: a pending watermark that affects the row is
    /// sent first.
    #[inline]
    pub fn row(&mut self, row: usize, time: Timestamp) {
        if self.pending > self.progress.sent && (self.at_once || time <= self.pending.saturating_add(1)) {
            self.cut(row);
        }
    }

    /// Advances event time to this, without sending anything.
    #[inline]
    pub fn reach(&mut self, watermark: Timestamp) {
        self.progress.current = self.progress.current.max(watermark);
    }

    /// By how much a watermark sent now would exceed the last announced one.
    #[inline]
    pub fn advance(&self) -> i64 {
        self.advance_with(self.progress.current)
    }

    /// The same, if event time had advanced to `watermark`.
    #[inline]
    pub fn advance_with(&self, watermark: Timestamp) -> i64 {
        self.progress.current.max(watermark).min(self.cap).saturating_sub(self.pending)
    }

    /// Announces the watermark: it is sent before the first row that it affects.
    #[inline]
    pub fn say(&mut self) {
        self.pending = self.pending.max(self.progress.current.min(self.cap));
    }

    /// Announces the watermark and has it sent right here, before the next row.
    #[inline]
    pub fn say_at_once(&mut self) {
        self.at_once |= self.advance() > 0;
        self.say();
    }

    /// Whether event time has advanced by more than the interval since this last returned true. If so, a
    /// generator that emits only periodically is due to be asked.
    #[inline]
    pub fn is_due(&mut self, time: Timestamp, interval: i64) -> bool {
        let due = time.saturating_sub(self.progress.asked) > interval;
        if due {
            self.progress.asked = time;
        }
        due
    }

    /// Whether the split no longer holds back event time.
    pub fn is_idle(&self) -> bool {
        self.idle
    }

    /// Sets whether the split no longer holds back event time until more rows arrive.
    pub fn set_idle(&mut self, idle: bool) {
        self.idle = idle;
    }

    /// Called after all rows of a batch.
    pub(super) fn end(&mut self, rows: usize) {
        if self.pending > self.progress.sent {
            self.cut(rows);
        }
    }

    fn cut(&mut self, row: usize) {
        self.cuts.push(Cut { row, watermark: self.pending });
        self.progress.sent = self.pending;
        self.at_once = false;
    }
}
