//! A source that a test controls.

use std::sync::Arc;

use flott_batch::{Batch, Record, Records, WatermarkStatus};
use flott_connector::{
    Boundedness, EnumeratorContext, EventTimePolicy, FixedSplits, Payload, Poll, Produces, ReaderContext,
    Source, SourceOutput, SourceReader, Split, SplitEnumerator, Waker,
};
use flott_datastream::{DataStream, StreamExecutionEnvironment, WatermarkStrategy};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};
use parking_lot::Mutex;

/// Emits what a test pushes, in that order. It is replayable: after a failure it continues at the position of
/// the checkpoint.
///
/// Clones are one source. It may be used before the job runs and after it has been restarted; use one for
/// each stream.
///
/// ```
/// # use flott_testkit::*;
/// # use flott_datastream::{Result, WatermarkStrategy};
/// # fn main() -> Result<()> {
/// let cluster = MiniCluster::new()?;
/// let (source, sink) = (TestSource::new(), TestSink::new());
/// let env = cluster.environment();
/// source.stream(&env).map(|n: i64| n * n).sink_to(sink.clone());
/// let job = env.execute_async("squares")?;
/// source.push(3)?;
/// cluster.settle()?;
/// assert_eq!(sink.take(), [9]);
/// source.end();
/// job.execution_result()?;
/// # Ok(())
/// # }
/// ```
pub struct TestSource<T>(Arc<Mutex<Log>>, std::marker::PhantomData<fn(T)>);

#[derive(Default)]
struct Log {
    items: Vec<Item>,
    ended: bool,
    /// The reader at work.
    waker: Waker,
    failure: Option<String>,
}

enum Item {
    Records(Batch),
    Watermark(Watermark),
    Status(WatermarkStatus),
}

const SPLIT: &str = "test";

impl<T> Clone for TestSource<T> {
    fn clone(&self) -> Self {
        TestSource(self.0.clone(), std::marker::PhantomData)
    }
}

impl<T: Record> Default for TestSource<T> {
    fn default() -> Self {
        TestSource::new()
    }
}

impl<T: Record> TestSource<T> {
    /// A source that has emitted nothing.
    pub fn new() -> Self {
        TestSource(Arc::default(), std::marker::PhantomData)
    }

    /// The stream of what is pushed, with the pushed timestamps and watermarks. To use a watermark strategy
    /// instead, pass the source to `from_source`.
    pub fn stream(&self, env: &StreamExecutionEnvironment) -> DataStream<T> {
        env.from_source(self.clone(), WatermarkStrategy::no_watermarks(), "Test Source").parallelism(1)
    }

    /// Emits a value without a timestamp.
    ///
    /// # Errors
    /// If the value cannot be copied by `serde`: a pushed value must be available again after a failure.
    pub fn push(&self, value: T) -> Result<()> {
        self.add(Records::new(vec![value]))
    }

    /// Emits a value with a timestamp.
    ///
    /// # Errors
    /// As [`TestSource::push`].
    pub fn push_at(&self, value: T, timestamp: Timestamp) -> Result<()> {
        self.add(Records::with_timestamps(vec![value], vec![timestamp]))
    }

    /// Emits values in one batch.
    ///
    /// # Errors
    /// As [`TestSource::push`].
    pub fn push_all(&self, values: impl IntoIterator<Item = T>) -> Result<()> {
        self.add(Records::new(values.into_iter().collect()))
    }

    /// Declares that no value with a timestamp at or below this one follows, unless it is late.
    pub fn watermark(&self, at: Timestamp) {
        self.item(Item::Watermark(Watermark(at)));
    }

    /// Declares the source idle until something is pushed: it no longer holds back event time.
    pub fn idle(&self) {
        self.item(Item::Status(WatermarkStatus::Idle));
    }

    /// Ends the stream after what was pushed.
    pub fn end(&self) {
        let mut log = self.0.lock();
        log.ended = true;
        log.waker.wake();
    }

    /// Makes the reader fail once with this message, the next time it is polled.
    pub fn fail(&self, message: &str) {
        let mut log = self.0.lock();
        log.failure = Some(message.to_owned());
        log.waker.wake();
    }

    /// The number of pushes.
    pub(crate) fn position(&self) -> usize {
        self.0.lock().items.len()
    }

    /// Forgets what was pushed after a position.
    pub(crate) fn rewind(&self, position: usize) {
        let mut log = self.0.lock();
        log.items.truncate(position);
        log.ended = false;
    }

    fn add(&self, records: Records<T>) -> Result<()> {
        // A value that cannot be copied is refused here, where the test sees it.
        let batch = Batch::from(records);
        batch.try_clone()?;
        self.item(Item::Records(batch));
        Ok(())
    }

    fn item(&self, item: Item) {
        let mut log = self.0.lock();
        log.items.push(item);
        log.waker.wake();
    }
}

impl<T: Record> Source for TestSource<T> {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Unbounded
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let split = Split { id: SPLIT.to_owned(), payload: Payload::new(1, "0") };
        Ok(Box::new(FixedSplits::new(restored, || Ok(vec![split]))?.shared_by(context.parallelism)))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(Reader { log: self.0.clone(), position: None, waker: context.waker }))
    }

    fn event_time(&self, _: i64) -> Option<EventTimePolicy> {
        Some(EventTimePolicy::stated())
    }
}

impl<T: Record> Produces<T> for TestSource<T> {}

struct Reader {
    log: Arc<Mutex<Log>>,
    /// Behind the last item emitted, once there is a split.
    position: Option<usize>,
    waker: Waker,
}

impl SourceReader for Reader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in splits {
            let position = split.payload.text("the position of a TestSource")?.parse();
            self.position = Some(position.map_err(|_| Error::state("the position of a TestSource"))?);
            self.log.lock().waker = self.waker.clone();
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        let Some(position) = &mut self.position else {
            return Ok(Poll::SplitsDone);
        };
        let mut log = self.log.lock();
        if let Some(failure) = log.failure.take() {
            return Err(Error::external(failure));
        }
        match log.items.get(*position) {
            None if log.ended => {
                self.position = None;
                output.split_finished(SPLIT)?;
                return Ok(Poll::SplitsDone);
            }
            None => return Ok(Poll::Wait(Timestamp::MAX)),
            Some(Item::Watermark(watermark)) => output.watermark(SPLIT, *watermark)?,
            Some(Item::Status(status)) => output.watermark_status(SPLIT, *status)?,
            Some(Item::Records(batch)) => {
                let batch = batch.try_clone()?;
                // Downstream may be full, and the test continues in the meantime.
                drop(log);
                output.emit(SPLIT, batch)?;
            }
        }
        *position += 1;
        Ok(Poll::More)
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        let split =
            |position: usize| Split { id: SPLIT.to_owned(), payload: Payload::new(1, position.to_string()) };
        Ok(self.position.map(split).into_iter().collect())
    }
}
