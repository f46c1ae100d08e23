//! The loop that rows go through. Performance critical: once a record.

use flott_batch::{Batch, Record, Records};
use flott_connector::{EventTimeGenerator, EventTimeProgress, Timed};
use flott_types::{Result, Timestamp, Watermark};

use super::{TimestampAssigner, WatermarkGenerator, WatermarkOutput};

/// Assigns timestamps, and runs the generator of one split or stream.
pub(crate) struct Timer<T> {
    assigner: TimestampAssigner<T>,
    generator: Box<dyn Loop<T>>,
    interval: i64,
}

/// A watermark, and the row of the batch that it comes before.
type Cut = (usize, Timestamp);

/// A generator with the loop around it, compiled for the generator's type.
pub(super) trait Loop<T>: Send {
    /// Looks at the events of a batch; says which watermarks, none above `cap`, come before which of them.
    fn run(
        &mut self,
        events: &[T],
        times: &[Timestamp],
        interval: i64,
        cap: Timestamp,
        progress: &mut EventTimeProgress,
    ) -> Vec<Cut>;

    /// Asks the generator what it has not said yet.
    fn ask(&mut self, progress: &mut EventTimeProgress);
}

/// A user's generator.
pub(super) struct Looped<G>(pub(super) G);

impl<T, G: WatermarkGenerator<T>> Loop<T> for Looped<G> {
    fn run(
        &mut self,
        events: &[T],
        times: &[Timestamp],
        interval: i64,
        cap: Timestamp,
        progress: &mut EventTimeProgress,
    ) -> Vec<Cut> {
        let mut cuts = Vec::new();
        let mut output = WatermarkOutput { watermark: None, idle: progress.idle };
        // What was said and is not sent yet; and whether it comes before the next row, whatever that is.
        let (mut pending, mut at_once) = (progress.sent, false);
        for (row, (event, time)) in events.iter().zip(times).enumerate() {
            if pending > progress.sent && (at_once || *time <= pending.saturating_add(1)) {
                cuts.push((row, pending));
                progress.sent = pending;
                at_once = false;
            }
            output.idle = false;
            self.0.on_event(event, *time, &mut output);
            if let Some(watermark) = output.watermark.take() {
                progress.current = progress.current.max(watermark);
                let reached = progress.current.min(cap);
                at_once |= reached > pending;
                pending = pending.max(reached);
            }
            if interval > 0 && time.saturating_sub(progress.asked) > interval {
                progress.asked = *time;
                self.0.on_periodic_emit(&mut output);
                if let Some(watermark) = output.watermark.take() {
                    progress.current = progress.current.max(watermark);
                    pending = pending.max(progress.current.min(cap));
                }
            }
        }
        if pending > progress.sent {
            cuts.push((events.len(), pending));
            progress.sent = pending;
        }
        progress.idle = output.idle;
        cuts
    }

    fn ask(&mut self, progress: &mut EventTimeProgress) {
        let mut output = WatermarkOutput { watermark: None, idle: progress.idle };
        self.0.on_periodic_emit(&mut output);
        progress.idle = output.idle;
        if let Some(watermark) = output.watermark {
            progress.current = progress.current.max(watermark);
        }
    }
}

impl<T: Record> Timer<T> {
    pub(super) fn new(assigner: TimestampAssigner<T>, generator: Box<dyn Loop<T>>, interval: i64) -> Self {
        Timer { assigner, generator, interval }
    }
}

impl<T: Record> EventTimeGenerator for Timer<T> {
    fn rows(
        &mut self,
        batch: Batch,
        progress: &mut EventTimeProgress,
        cap: Timestamp,
        now: Timestamp,
        output: &mut dyn FnMut(Timed) -> Result<()>,
    ) -> Result<()> {
        let mut records = batch.into_records::<T>()?;
        let count = records.values.len();
        records.timestamps = self.assigner.assign(&records.values, records.timestamps.take(), now);
        // What has no timestamp is as early as can be, as in Flink.
        let none = if records.timestamps.is_none() { vec![Timestamp::MIN; count] } else { Vec::new() };
        let times = records.timestamps.as_deref().unwrap_or(&none);
        let cuts = self.generator.run(&records.values, times, self.interval, cap, progress);
        match cuts.as_slice() {
            [] => output(Timed::Rows(records.into())),
            [(row, watermark)] if *row == count => {
                output(Timed::Rows(records.into()))?;
                output(Timed::Watermark(Watermark(*watermark)))
            }
            _ => send_cut(records, &cuts, output),
        }
    }

    fn periodic(&mut self, progress: &mut EventTimeProgress, _: Timestamp) {
        if self.interval > 0 {
            self.generator.ask(progress);
        }
    }

    fn is_periodic(&self) -> bool {
        self.interval > 0
    }
}

fn send_cut<T: Record>(
    records: Records<T>,
    cuts: &[Cut],
    output: &mut dyn FnMut(Timed) -> Result<()>,
) -> Result<()> {
    let count = records.values.len();
    let mut values = records.values.into_iter();
    let mut times = records.timestamps.map(Vec::into_iter);
    let mut piece = |len: usize| {
        let timestamps = times.as_mut().map(|times| times.by_ref().take(len).collect());
        Records { timestamps, ..Records::new(values.by_ref().take(len).collect()) }
    };
    let mut start = 0;
    for (row, watermark) in cuts {
        if *row > start {
            output(Timed::Rows(piece(row - start).into()))?;
            start = *row;
        }
        output(Timed::Watermark(Watermark(*watermark)))?;
    }
    if count > start { output(Timed::Rows(piece(count - start).into())) } else { Ok(()) }
}
