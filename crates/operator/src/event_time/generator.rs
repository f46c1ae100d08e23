//! Watermark generators, and their output.

use flott_batch::Batch;
use flott_types::{Result, Timestamp};
use serde::{Deserialize, Serialize};

use super::cut::Cut;

/// Brings about the timestamps and watermarks of the rows of one split or stream.
pub trait EventTimeGenerator: Send {
    /// Looks at rows in their order, and says to `time` how far they bring event time. Returns the rows, with
    /// the timestamps that they were given. `now` is the processing time.
    ///
    /// # Errors
    /// If a row has no time.
    fn rows(&mut self, batch: Batch, time: &mut EventTime, now: Timestamp) -> Result<Batch>;

    /// The watermark interval has passed by the clock: the generator says what it has not said yet.
    fn periodic(&mut self, time: &mut EventTime, now: Timestamp) {
        let _ = (time, now);
    }

    /// Whether `periodic` is to be called even if no rows come.
    fn is_periodic(&self) -> bool {
        false
    }
}

/// Makes the generator of one split.
pub type GeneratorFactory = Box<dyn Fn() -> Box<dyn EventTimeGenerator> + Send>;

/// How far the event time of one split has come: what a snapshot keeps of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EventTimeProgress {
    /// The highest watermark of the split.
    pub current: Timestamp,
    /// The last watermark that was sent, of all splits of the stream together.
    pub sent: Timestamp,
    /// The event time at which a generator that is asked now and then was asked last.
    #[serde(default = "never")]
    pub asked: Timestamp,
}

fn never() -> Timestamp {
    Timestamp::MIN
}

impl EventTimeProgress {
    /// Nothing has been read.
    pub const START: EventTimeProgress = EventTimeProgress::from(Timestamp::MIN);

    /// Nothing has been read, and there is no event time at or before this.
    pub const fn from(start: Timestamp) -> Self {
        EventTimeProgress { current: start, sent: start, asked: Timestamp::MIN }
    }

    /// The least of two, in every respect.
    #[must_use]
    pub fn least(self, other: Self) -> Self {
        EventTimeProgress {
            current: self.current.min(other.current),
            sent: self.sent.min(other.sent),
            asked: self.asked.min(other.asked),
        }
    }
}

/// The event time of a split while its generator looks at a batch. A generator that says how far time has
/// come behind a batch calls [`EventTime::reach`] and [`EventTime::say`] once; one that looks at each row
/// calls [`EventTime::row`] before.
#[derive(Debug)]
pub struct EventTime {
    pub(super) progress: EventTimeProgress,
    pub(super) idle: bool,
    /// What the other splits of the stream allow.
    cap: Timestamp,
    /// What was said and is not sent yet.
    pending: Timestamp,
    /// It is sent before the next row in any case.
    at_once: bool,
    pub(super) cuts: Vec<Cut>,
}

impl EventTime {
    pub(super) fn new(progress: EventTimeProgress, idle: bool, cap: Timestamp, cuts: Vec<Cut>) -> Self {
        EventTime { progress, idle, cap, pending: progress.sent, at_once: false, cuts }
    }

    /// Before the generator looks at a row of the batch: a watermark that makes a difference to it comes
    /// first.
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

    /// By how much a watermark that were sent now would be above what was said last.
    #[inline]
    pub fn advance(&self) -> i64 {
        self.advance_with(self.progress.current)
    }

    /// The same, if event time had advanced to this.
    #[inline]
    pub fn advance_with(&self, watermark: Timestamp) -> i64 {
        self.progress.current.max(watermark).min(self.cap).saturating_sub(self.pending)
    }

    /// The watermark is to be sent before the first row that it makes a difference to.
    #[inline]
    pub fn say(&mut self) {
        self.pending = self.pending.max(self.progress.current.min(self.cap));
    }

    /// The watermark is to be sent here, before the next row in any case.
    #[inline]
    pub fn say_at_once(&mut self) {
        self.at_once |= self.advance() > 0;
        self.say();
    }

    /// Whether event time has advanced by more than the interval since this last was so: a generator that
    /// says something only now and then is due to be asked.
    #[inline]
    pub fn is_due(&mut self, time: Timestamp, interval: i64) -> bool {
        let due = time.saturating_sub(self.progress.asked) > interval;
        if due {
            self.progress.asked = time;
        }
        due
    }

    /// Whether the split holds event time back no longer.
    pub fn is_idle(&self) -> bool {
        self.idle
    }

    /// Whether the split holds event time back no longer, until more rows come.
    pub fn set_idle(&mut self, idle: bool) {
        self.idle = idle;
    }

    /// All rows of a batch were looked at.
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
