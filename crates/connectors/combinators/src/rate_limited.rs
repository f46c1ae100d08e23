//! A source with a rate limit.

use flott_batch::{Batch, WatermarkStatus};
use flott_connector::{
    Boundedness, EnumeratorContext, EventTimePolicy, Payload, Poll, Produces, RateLimiter, ReaderContext,
    Source, SourceOutput, SourceReader, Split, SplitEnumerator,
};
use flott_types::{CheckpointId, Error, Result, Watermark};

/// A source whose readers together read at most this many records per second, each its share. Batches hold at
/// most a tenth of a second's worth, so that records arrive evenly.
#[derive(Clone, Debug)]
pub struct RateLimited<S> {
    source: S,
    records_per_second: f64,
}

impl<S> RateLimited<S> {
    /// This source at this rate.
    ///
    /// # Errors
    /// If the rate is not a number above 0.
    pub fn new(source: S, records_per_second: f64) -> Result<Self> {
        if !(records_per_second > 0.0 && records_per_second.is_finite()) {
            return Err(Error::invalid(format!(
                "a rate of {records_per_second} records per second; expected a number above 0"
            )));
        }
        Ok(RateLimited { source, records_per_second })
    }
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl<S: Source> Source for RateLimited<S> {
    fn boundedness(&self) -> Boundedness {
        self.source.boundedness()
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        self.source.enumerator(restored, context)
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        let rate = self.records_per_second / f64::from(context.parallelism.max(1));
        let limiter = RateLimiter::new(rate, context.clock.clone());
        let batch_size = context.batch_size.min(((rate / 10.0) as usize).max(1));
        let reader = self.source.reader(ReaderContext { batch_size, ..context })?;
        Ok(Box::new(LimitedReader { reader, limiter }))
    }

    fn watermark_per_split(&self) -> bool {
        self.source.watermark_per_split()
    }

    fn event_time(&self, interval: i64) -> Option<EventTimePolicy> {
        self.source.event_time(interval)
    }
}

impl<T, S: Produces<T>> Produces<T> for RateLimited<S> {}

struct LimitedReader {
    reader: Box<dyn SourceReader>,
    limiter: RateLimiter,
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl SourceReader for LimitedReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        self.reader.add_splits(splits)
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if self.limiter.permits() == 0 {
            return Ok(Poll::Wait(self.limiter.next_time()));
        }
        let mut counted = Counted { output, records: 0 };
        let poll = self.reader.poll(&mut counted)?;
        self.limiter.taken(counted.records);
        Ok(poll)
    }

    fn snapshot(&mut self, checkpoint: CheckpointId) -> Result<Vec<Split>> {
        self.reader.snapshot(checkpoint)
    }

    fn pause_splits(&mut self, paused: &[&str]) -> Result<()> {
        self.reader.pause_splits(paused)
    }

    fn event(&mut self, event: Payload) -> Result<()> {
        self.reader.event(event)
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.reader.checkpoint_complete(checkpoint)
    }

    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.reader.checkpoint_aborted(checkpoint)
    }
}

struct Counted<'a> {
    output: &'a mut dyn SourceOutput,
    records: usize,
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl SourceOutput for Counted<'_> {
    fn emit(&mut self, split: &str, batch: Batch) -> Result<()> {
        self.records += batch.num_rows();
        self.output.emit(split, batch)
    }

    fn skipped(&mut self, rows: u64) {
        self.output.skipped(rows);
    }

    fn rejected(&mut self, batch: Batch) -> Result<()> {
        self.output.rejected(batch)
    }

    fn split_finished(&mut self, split: &str) -> Result<()> {
        self.output.split_finished(split)
    }

    fn watermark(&mut self, split: &str, watermark: Watermark) -> Result<()> {
        self.output.watermark(split, watermark)
    }

    fn watermark_status(&mut self, split: &str, status: WatermarkStatus) -> Result<()> {
        self.output.watermark_status(split, status)
    }

    fn send(&mut self, event: Payload) -> Result<()> {
        self.output.send(event)
    }
}
