//! A source that the test feeds, and a cluster whose clock it moves.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use flott_batch::{Batch, Records};
use flott_cluster::LocalClusterOptions;
use flott_connector::{
    Boundedness, EnumeratorContext, FixedSplits, Payload, Poll, Produces, ReaderContext, Source,
    SourceOutput, SourceReader, Split, SplitEnumerator, Waker,
};
use flott_datastream::{
    DataStream, Executor, JobClient, Record, Result, StreamExecutionEnvironment, WatermarkStrategy,
};
use flott_types::CheckpointId;
use flott_types::clock::ManualClock;
use parking_lot::Mutex;

/// Nothing that a test waits for takes this long.
pub const LONG: Duration = Duration::from_secs(60);

/// Values that the test gives when it likes. Clones are one.
pub struct Feed<T>(Arc<Mutex<Given<T>>>);

struct Given<T> {
    values: VecDeque<T>,
    wakers: Vec<Waker>,
}

impl<T> Clone for Feed<T> {
    fn clone(&self) -> Self {
        Feed(self.0.clone())
    }
}

impl<T: Record> Feed<T> {
    pub fn new() -> Self {
        Feed(Arc::new(Mutex::new(Given { values: VecDeque::new(), wakers: Vec::new() })))
    }

    pub fn push(&self, values: impl IntoIterator<Item = T>) {
        let mut given = self.0.lock();
        given.values.extend(values);
        given.wakers.iter().for_each(Waker::wake);
    }

    /// The stream of the values, read by one subtask.
    pub fn stream(&self, env: &StreamExecutionEnvironment) -> DataStream<T> {
        env.from_source(self.clone(), WatermarkStrategy::no_watermarks(), "feed").parallelism(1).uid("feed")
    }
}

impl<T: Record> Source for Feed<T> {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Unbounded
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let split = Split { id: "all".to_owned(), payload: Payload::default() };
        Ok(Box::new(FixedSplits::new(restored, || Ok(vec![split]))?.shared_by(context.parallelism)))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        self.0.lock().wakers.push(context.waker);
        Ok(Box::new(FeedReader { feed: self.clone(), splits: Vec::new() }))
    }
}

impl<T: Record> Produces<T> for Feed<T> {}

struct FeedReader<T> {
    feed: Feed<T>,
    splits: Vec<Split>,
}

impl<T: Record> SourceReader for FeedReader<T> {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        self.splits.extend(splits);
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if self.splits.is_empty() {
            return Ok(Poll::SplitsDone);
        }
        let values: Vec<T> = self.feed.0.lock().values.drain(..).collect();
        if values.is_empty() {
            return Ok(Poll::Wait(i64::MAX));
        }
        output.emit("all", Batch::from(Records { values, timestamps: None, routes: None }))?;
        Ok(Poll::More)
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        Ok(self.splits.clone())
    }
}

/// What came out of a job. Clones are one.
pub struct Seen<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Seen<T> {
    fn clone(&self) -> Self {
        Seen(self.0.clone())
    }
}

impl<T: Record + Ord + Sync> Seen<T> {
    pub fn of(stream: &DataStream<T>) -> Self {
        Seen::named(stream, "seen")
    }

    /// Where there are several sinks.
    pub fn named(stream: &DataStream<T>, uid: &str) -> Self {
        let seen = Seen(Arc::default());
        let own = seen.clone();
        let sink = stream.add_sink(move |value| {
            own.0.lock().push(value);
            Ok(())
        });
        sink.uid(uid);
        seen
    }

    /// What there is now.
    pub fn now(&self) -> Vec<T> {
        std::mem::take(&mut *self.0.lock())
    }

    /// The next this many values, sorted. Fails the test if they do not come, or the job fails.
    pub fn take(&self, count: usize, job: &JobClient) -> Vec<T> {
        let mut taken = Vec::new();
        let came = wait_until(|| {
            let mut seen = self.0.lock();
            let missing = count - taken.len();
            let ready = missing.min(seen.len());
            taken.extend(seen.drain(..ready));
            taken.len() == count || job.status().is_terminal()
        });
        assert!(came && taken.len() == count, "{} of {count} values came: {:?}", taken.len(), job.info());
        taken.sort();
        taken
    }
}

/// Whether something holds within a long time.
#[expect(clippy::disallowed_methods, reason = "what is waited for does not tell when it comes")]
pub fn wait_until(mut holds: impl FnMut() -> bool) -> bool {
    for _ in 0..LONG.as_millis() / 2 {
        if holds() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

/// A cluster that goes by this clock.
pub fn cluster(clock: &Arc<ManualClock>) -> Arc<Executor> {
    let clock = clock.clone();
    Executor::start(move |registry, operators| LocalClusterOptions {
        clock,
        ..LocalClusterOptions::new(Arc::new(registry), operators, 1_000)
    })
    .unwrap()
}

/// A program with this parallelism, that starts from a savepoint if there is one.
pub fn environment(parallelism: u32, savepoint: Option<&str>) -> StreamExecutionEnvironment {
    Log::global();
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(parallelism).set_max_parallelism(16);
    if let Some(path) = savepoint {
        env.set("execution.state-recovery.path", path);
    }
    env
}

/// Asks for a snapshot, again if that was too early: values may come before the last of the tasks has said
/// that it runs.
pub fn once_running(ask: impl Fn() -> Result<String>) -> Result<String> {
    let mut answer = None;
    wait_until(|| {
        let early = |error: &flott_datastream::Error| error.to_string() == "the job is not running";
        !answer.insert(ask()).as_ref().is_err_and(early)
    });
    answer.unwrap()
}

/// Stops the job; answers where its savepoint lies.
pub fn stop(job: &JobClient, folder: &tempfile::TempDir) -> String {
    let target = folder.path().to_str().unwrap();
    let path = once_running(|| job.stop_with_savepoint(Some(target), false)).unwrap();
    job.wait_for(LONG).unwrap();
    path
}

/// What the program has logged about its states.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// The log of this process, from the first call on.
    pub fn global() -> Log {
        static LOG: OnceLock<Log> = OnceLock::new();
        let install = || {
            let log = Log::default();
            // Where tests look at it, this comes before the first program; elsewhere a program's own log may
            // be there.
            tracing::subscriber::set_global_default(log.clone()).ok();
            log
        };
        LOG.get_or_init(install).clone()
    }

    /// The lines in which this occurs.
    pub fn lines(&self, text: &str) -> Vec<String> {
        self.0.lock().iter().filter(|line| line.contains(text)).cloned().collect()
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("flott")
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Line(String);

        impl tracing::field::Visit for Line {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                write!(self.0, "{field}={value:?} ").unwrap();
            }
        }

        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().push(line.0);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
