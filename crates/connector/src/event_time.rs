//! Event time of a source: how timestamps and watermarks come out of the rows of its splits.
//!
//! The source says *how* ([`Source::event_time`](crate::Source::event_time)); the task does the rest for every source alike: one
//! generator for each split, the minimum over those that count, idleness, alignment with other sources, and the state that a
//! split takes along in the snapshot.

use std::fmt;

use flott_batch::Batch;
use flott_types::{Result, Timestamp, Watermark};
use serde::{Deserialize, Serialize};

/// How far the event time of one split has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventTimeProgress {
    /// The highest watermark of the split.
    pub current: Timestamp,
    /// The last watermark that was sent, of all splits of the reader together.
    pub sent: Timestamp,
    /// The event time at which a generator that is asked now and then was asked last.
    pub asked: Timestamp,
    /// The generator says that its split holds event time back no longer.
    pub idle: bool,
}

impl EventTimeProgress {
    /// Nothing has been read.
    pub const START: EventTimeProgress = EventTimeProgress {
        current: Timestamp::MIN,
        sent: Timestamp::MIN,
        asked: Timestamp::MIN,
        idle: false,
    };
}

/// What comes out of an [`EventTimeGenerator`], in order.
#[derive(Debug)]
pub enum Timed {
    /// Rows, with timestamps if they have any.
    Rows(Batch),
    /// What was said by the rows before.
    Watermark(Watermark),
}

/// Brings the timestamps and watermarks of one split's rows about.
pub trait EventTimeGenerator: Send {
    /// Passes rows on, and the watermarks that they bring about between and after them. None is above `cap`, which is what the
    /// other splits of the reader allow, nor at or below `progress.sent`, which it keeps, like `progress.current`, up to
    /// date. `now` is the processing time.
    ///
    /// # Errors
    /// If a row has no time, or the output fails.
    fn rows(
        &mut self,
        batch: Batch,
        progress: &mut EventTimeProgress,
        cap: Timestamp,
        now: Timestamp,
        output: &mut dyn FnMut(Timed) -> Result<()>,
    ) -> Result<()>;

    /// The watermark interval has passed by the clock: brings `progress.current` up to date.
    fn periodic(&mut self, progress: &mut EventTimeProgress, now: Timestamp) {
        let _ = (progress, now);
    }

    /// Whether `periodic` is to be called even if no rows come.
    fn is_periodic(&self) -> bool {
        false
    }
}

/// Makes the generator of one split.
pub type GeneratorFactory = Box<dyn Fn() -> Box<dyn EventTimeGenerator> + Send>;

/// How a source's watermarks come about.
pub struct EventTimePolicy {
    /// Makes the generator of one split.
    pub generators: GeneratorFactory,
    /// A split without rows for so many milliseconds holds event time back no longer; 0 never.
    pub idle_timeout: i64,
    /// Keeps the source from running ahead of others.
    pub alignment: Option<WatermarkAlignment>,
}

impl EventTimePolicy {
    /// For a source that states its watermarks itself, with [`SourceOutput::watermark`](crate::SourceOutput::watermark).
    pub fn stated() -> Self {
        EventTimePolicy { generators: Box::new(|| Box::new(Stated)), idle_timeout: 0, alignment: None }
    }
}

impl fmt::Debug for EventTimePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventTimePolicy")
            .field("idle_timeout", &self.idle_timeout)
            .field("alignment", &self.alignment)
            .finish_non_exhaustive()
    }
}

/// Sources of one job in one group wait for each other: none reads on while its watermark is more than `max_drift`
/// above the least of the group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WatermarkAlignment {
    /// The group's name.
    pub group: String,
    /// In milliseconds of event time.
    pub max_drift: i64,
    /// How often a reader tells its watermark, and is told what it may come to, in milliseconds.
    pub update_interval: i64,
}

/// Rows say nothing about event time; the reader does.
struct Stated;

impl EventTimeGenerator for Stated {
    fn rows(
        &mut self,
        batch: Batch,
        _: &mut EventTimeProgress,
        _: Timestamp,
        _: Timestamp,
        output: &mut dyn FnMut(Timed) -> Result<()>,
    ) -> Result<()> {
        output(Timed::Rows(batch))
    }
}
