//! Event time of a source: how timestamps and watermarks are derived from the rows of its splits.
//!
//! The source says *how* ([`Source::event_time`](crate::Source::event_time)); the task does the rest for
//! every source alike ([`flott_operator::event_time`]): one generator for each split, the minimum over the
//! active ones, idleness, alignment with other sources, and the split's event-time state in snapshots.

use std::fmt;

use flott_batch::Batch;
use flott_operator::event_time::{EventTime, EventTimeGenerator, GeneratorFactory};
use flott_types::{Result, Timestamp};
use serde::{Deserialize, Serialize};

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
    /// For a source that states its watermarks itself, with
    /// [`SourceOutput::watermark`](crate::SourceOutput::watermark).
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

/// Sources of one job in one group wait for each other: none reads on while its watermark is more than
/// `max_drift` above the least of the group.
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
    fn rows(&mut self, batch: Batch, _: &mut EventTime, _: Timestamp) -> Result<Batch> {
        Ok(batch)
    }
}
