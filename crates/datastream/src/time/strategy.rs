//! How a stream gets its timestamps and watermarks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::Record;
use flott_connector::{EventTimePolicy, GeneratorFactory, WatermarkAlignment};
use flott_operator::event_time::EventTimeOperator;
use flott_types::Timestamp;

use super::timed::{Loop, Looped};
use super::{
    AscendingTimestamps, BoundedOutOfOrderness, NoWatermarks, Timed, TimestampAssigner, WatermarkGenerator,
};

/// Where the timestamps of events come from, how watermarks are derived from them, and when a stream or split
/// counts as idle.
///
/// ```
/// use std::time::Duration;
/// use flott_datastream::time::WatermarkStrategy;
///
/// // (user, time in milliseconds)
/// let strategy = WatermarkStrategy::<(String, i64)>::for_bounded_out_of_orderness(Duration::from_secs(5))
///     .with_timestamp_assigner(|event, _| event.1)
///     .with_idleness(Duration::from_secs(60));
/// ```
pub struct WatermarkStrategy<T> {
    assigner: TimestampAssigner<T>,
    generator: Arc<dyn Fn() -> Box<dyn Loop<T>> + Send + Sync>,
    /// The generator never sends anything.
    silent: bool,
    pub(super) idle_timeout: i64,
    alignment: Option<WatermarkAlignment>,
}

impl<T: Record> WatermarkStrategy<T> {
    /// Events come in the order of their timestamps, within each split.
    pub fn for_monotonous_timestamps() -> Self {
        WatermarkStrategy::for_generator(AscendingTimestamps::new)
    }

    /// Within each split, no event is later than this after one with a higher timestamp. The watermark is the
    /// highest timestamp minus the bound, minus a millisecond.
    pub fn for_bounded_out_of_orderness(bound: Duration) -> Self {
        WatermarkStrategy::for_generator(move || BoundedOutOfOrderness::new(bound))
    }

    /// Event time does not advance before the end of the stream, unless the source itself sends watermarks.
    pub fn no_watermarks() -> Self {
        WatermarkStrategy { silent: true, ..WatermarkStrategy::for_generator(|| NoWatermarks) }
    }

    /// The same timestamps, and no watermark but the last.
    pub(crate) fn timestamps_only(&self) -> Self {
        WatermarkStrategy {
            assigner: self.assigner.clone(),
            alignment: None,
            idle_timeout: 0,
            ..WatermarkStrategy::no_watermarks()
        }
    }

    /// The timestamp of an event is the time of its arrival. Such results differ between runs.
    pub fn ingestion_time() -> Self {
        let strategy = WatermarkStrategy::for_monotonous_timestamps();
        WatermarkStrategy { assigner: TimestampAssigner::ingestion(), ..strategy }
    }

    /// With your own generator, periodic or punctuated. The function creates one for each split, or for each
    /// subtask of a stream.
    pub fn for_generator<G: WatermarkGenerator<T> + 'static>(
        generator: impl Fn() -> G + Send + Sync + 'static,
    ) -> Self {
        WatermarkStrategy {
            assigner: TimestampAssigner::recorded(),
            generator: Arc::new(move || Box::new(Looped(generator()))),
            silent: false,
            idle_timeout: 0,
            alignment: None,
        }
    }

    /// Timestamps come from the events. The function also gets an event's previous timestamp, if it has one.
    #[must_use]
    pub fn with_timestamp_assigner(
        self,
        assign: impl Fn(&T, Option<Timestamp>) -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        WatermarkStrategy { assigner: TimestampAssigner::function(assign), ..self }
    }

    /// A split or stream without events for this long by the clock is idle until the next one: it no longer
    /// holds back event time.
    #[must_use]
    pub fn with_idleness(self, timeout: Duration) -> Self {
        WatermarkStrategy { idle_timeout: millis(timeout).max(1), ..self }
    }

    /// Sources of the job with the same group wait for each other: none continues reading while its watermark
    /// is more than `max_drift` above the group's minimum. They are updated once per `update_interval`. Only
    /// for sources.
    #[must_use]
    pub fn with_watermark_alignment(
        self,
        group: impl Into<String>,
        max_drift: Duration,
        update_interval: Duration,
    ) -> Self {
        let alignment = WatermarkAlignment {
            group: group.into(),
            max_drift: millis(max_drift),
            update_interval: millis(update_interval).max(1),
        };
        WatermarkStrategy { alignment: Some(alignment), ..self }
    }

    /// Creates generators with the loop around them. `interval` is `pipeline.auto-watermark-interval`.
    fn generators(&self, interval: i64) -> GeneratorFactory {
        let WatermarkStrategy { assigner, generator, .. } = self.clone();
        Box::new(move || Box::new(Timed::new(assigner.clone(), generator(), interval)))
    }

    /// `assign_timestamps_and_watermarks`: the strategy in the middle of a stream. `interval` is
    /// `pipeline.auto-watermark-interval` in milliseconds, 0 if generators are not called periodically.
    pub fn operator(&self, interval: i64) -> EventTimeOperator {
        EventTimeOperator::new(self.generators(interval), interval, self.idle_timeout)
    }

    /// As a source says it; `None` if there is nothing to say.
    pub(super) fn policy(&self, interval: i64) -> Option<EventTimePolicy> {
        let nothing = self.silent && self.assigner.is_recorded() && self.idle_timeout == 0;
        if nothing && self.alignment.is_none() {
            return None;
        }
        Some(EventTimePolicy {
            generators: self.generators(interval),
            idle_timeout: self.idle_timeout,
            alignment: self.alignment.clone(),
        })
    }

    /// Whether it aligns sources.
    pub fn is_aligned(&self) -> bool {
        self.alignment.is_some()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl<T> Clone for WatermarkStrategy<T> {
    fn clone(&self) -> Self {
        WatermarkStrategy {
            assigner: self.assigner.clone(),
            generator: self.generator.clone(),
            silent: self.silent,
            idle_timeout: self.idle_timeout,
            alignment: self.alignment.clone(),
        }
    }
}

impl<T> fmt::Debug for WatermarkStrategy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatermarkStrategy")
            .field("assigner", &self.assigner)
            .field("idle_timeout", &self.idle_timeout)
            .field("alignment", &self.alignment)
            .finish_non_exhaustive()
    }
}
