//! The loop that rows go through. Performance critical: runs once per record.

use flott_batch::{Batch, Record};
use flott_operator::event_time::{EventTime, EventTimeGenerator};
use flott_types::{Result, Timestamp};

use super::{TimestampAssigner, WatermarkGenerator, WatermarkOutput};

/// Assigns timestamps, and runs the generator of one split or stream.
pub(crate) struct Timed<T> {
    assigner: TimestampAssigner<T>,
    generator: Box<dyn Loop<T>>,
    interval: i64,
}

/// A generator with the loop around it, compiled for the generator's type.
pub(super) trait Loop<T>: Send {
    /// Shows the generator the events of a batch.
    fn run(&mut self, events: &[T], times: &[Timestamp], interval: i64, time: &mut EventTime);

    /// Calls the generator for a pending watermark.
    fn ask(&mut self, time: &mut EventTime);
}

/// A user's generator.
pub(super) struct Looped<G>(pub(super) G);

impl<T, G: WatermarkGenerator<T>> Loop<T> for Looped<G> {
    fn run(&mut self, events: &[T], times: &[Timestamp], interval: i64, time: &mut EventTime) {
        let mut output = WatermarkOutput { watermark: None, idle: time.is_idle() };
        for (row, (event, at)) in events.iter().zip(times).enumerate() {
            time.row(row, *at);
            output.idle = false;
            self.0.on_event(event, *at, &mut output);
            if let Some(watermark) = output.watermark.take() {
                time.reach(watermark);
                time.say_at_once();
            }
            if interval > 0 && time.is_due(*at, interval) {
                self.0.on_periodic_emit(&mut output);
                if let Some(watermark) = output.watermark.take() {
                    time.reach(watermark);
                    time.say();
                }
            }
        }
        time.set_idle(output.idle);
    }

    fn ask(&mut self, time: &mut EventTime) {
        let mut output = WatermarkOutput { watermark: None, idle: time.is_idle() };
        self.0.on_periodic_emit(&mut output);
        time.set_idle(output.idle);
        if let Some(watermark) = output.watermark {
            time.reach(watermark);
        }
    }
}

impl<T: Record> Timed<T> {
    pub(super) fn new(assigner: TimestampAssigner<T>, generator: Box<dyn Loop<T>>, interval: i64) -> Self {
        Timed { assigner, generator, interval }
    }
}

impl<T: Record> EventTimeGenerator for Timed<T> {
    fn rows(&mut self, batch: Batch, time: &mut EventTime, now: Timestamp) -> Result<Batch> {
        let mut records = batch.into_records::<T>()?;
        records.timestamps = self.assigner.assign(&records.values, records.timestamps.take(), now);
        // An event without a timestamp gets the earliest possible one, as in Flink.
        let none = match records.timestamps {
            Some(_) => Vec::new(),
            None => vec![Timestamp::MIN; records.values.len()],
        };
        let times = records.timestamps.as_deref().unwrap_or(&none);
        self.generator.run(&records.values, times, self.interval, time);
        Ok(records.into())
    }

    fn periodic(&mut self, time: &mut EventTime, _: Timestamp) {
        if self.interval > 0 {
            self.generator.ask(time);
        }
    }

    fn is_periodic(&self) -> bool {
        self.interval > 0
    }
}
