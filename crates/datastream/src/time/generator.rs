//! Generators of watermarks: Flink's three, and the trait for others.

use std::time::Duration;

use flott_types::{Timestamp, Watermark};

/// Derives event time from the events of one split or stream, each of which has its own generator.
pub trait WatermarkGenerator<T>: Send {
    /// Called for each event. A punctuated generator sends its watermark here; others remember what they
    /// need.
    fn on_event(&mut self, event: &T, timestamp: Timestamp, output: &mut WatermarkOutput);

    /// Called when event time or the clock has advanced by `pipeline.auto-watermark-interval`. A periodic
    /// generator sends its watermark here.
    fn on_periodic_emit(&mut self, output: &mut WatermarkOutput);
}

/// Receives a generator's watermarks.
#[derive(Default, Debug)]
pub struct WatermarkOutput {
    pub(super) watermark: Option<Timestamp>,
    pub(super) idle: bool,
}

impl WatermarkOutput {
    /// No event with a timestamp at or below this will follow. A watermark that is not above the last one is
    /// ignored.
    #[inline]
    pub fn emit(&mut self, watermark: Watermark) {
        self.watermark = Some(self.watermark.map_or(watermark.0, |before| before.max(watermark.0)));
        self.idle = false;
    }

    /// Declares the split idle until its next event: it no longer holds back event time.
    #[inline]
    pub fn mark_idle(&mut self) {
        self.idle = true;
    }
}

/// For events that are out of order by at most a bound: `highest timestamp - bound - 1 ms`.
#[derive(Clone, Debug)]
pub struct BoundedOutOfOrderness {
    bound: i64,
    highest: Timestamp,
}

impl BoundedOutOfOrderness {
    /// With this bound, in whole milliseconds.
    pub fn new(bound: Duration) -> Self {
        BoundedOutOfOrderness {
            bound: i64::try_from(bound.as_millis()).unwrap_or(i64::MAX),
            highest: Timestamp::MIN,
        }
    }
}

impl<T> WatermarkGenerator<T> for BoundedOutOfOrderness {
    #[inline]
    fn on_event(&mut self, _: &T, timestamp: Timestamp, _: &mut WatermarkOutput) {
        self.highest = self.highest.max(timestamp);
    }

    #[inline]
    fn on_periodic_emit(&mut self, output: &mut WatermarkOutput) {
        output.emit(Watermark(self.highest.saturating_sub(self.bound).saturating_sub(1)));
    }
}

/// For events in the order of their timestamps: a bound of zero.
#[derive(Clone, Debug)]
pub struct AscendingTimestamps(BoundedOutOfOrderness);

impl AscendingTimestamps {
    /// Nothing seen yet.
    pub fn new() -> Self {
        AscendingTimestamps(BoundedOutOfOrderness::new(Duration::ZERO))
    }
}

impl Default for AscendingTimestamps {
    fn default() -> Self {
        AscendingTimestamps::new()
    }
}

impl<T> WatermarkGenerator<T> for AscendingTimestamps {
    #[inline]
    fn on_event(&mut self, event: &T, timestamp: Timestamp, output: &mut WatermarkOutput) {
        self.0.on_event(event, timestamp, output);
    }

    #[inline]
    fn on_periodic_emit(&mut self, output: &mut WatermarkOutput) {
        WatermarkGenerator::<T>::on_periodic_emit(&mut self.0, output);
    }
}

/// Sends nothing until the end.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoWatermarks;

impl<T> WatermarkGenerator<T> for NoWatermarks {
    #[inline]
    fn on_event(&mut self, _: &T, _: Timestamp, _: &mut WatermarkOutput) {}

    #[inline]
    fn on_periodic_emit(&mut self, _: &mut WatermarkOutput) {}
}
