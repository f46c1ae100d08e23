//! A function under test.

use std::time::Duration;

use flott_batch::Record;
use flott_cluster::JobStatus;
use flott_datastream::{DataStream, JobClient, OutputTag, StreamExecutionEnvironment};
use flott_types::{Clock, Error, Result, SystemClock, Timestamp};

use crate::cluster::PATIENCE;
use crate::two_inputs::TwoInputs;
use crate::{MiniCluster, TestSink, TestSource};

type Pipeline<I, O> = Box<dyn Fn(DataStream<I>) -> DataStream<O> + Send>;
type Configure = Box<dyn Fn(&StreamExecutionEnvironment) + Send>;
type Side<O> = Box<dyn Fn(&DataStream<O>) + Send>;

/// A piece of a pipeline under test, from one stream to another: one function or several, keyed or not.
///
/// Each step waits until everything that follows from it has happened, and returns the output. The job starts
/// with the first step; configure it before. A failure of a function is the error of the step that caused it.
///
/// ```
/// # use flott_testkit::Harness;
/// # use flott_datastream::*;
/// # fn main() -> Result<()> {
/// let mut counts = Harness::new(|words: DataStream<(String, i64)>| {
///     words.key_by_ref(|(word, _)| word).sum(|(_, count)| count)
/// });
/// let word = |count| ("flott".to_owned(), count);
/// assert_eq!(counts.push(word(1))?, [word(1)]);
/// let snapshot = counts.snapshot()?;
/// assert_eq!(counts.push(word(1))?, [word(2)]);
///
/// counts.restore(&snapshot, 2)?;
/// assert_eq!(counts.push(word(5))?, [word(6)]);
/// # Ok(())
/// # }
/// ```
pub struct Harness<I, O> {
    pipeline: Pipeline<I, O>,
    configure: Vec<Configure>,
    sides: Vec<Side<O>>,
    parallelism: u32,
    input: TestSource<I>,
    output: TestSink<O>,
    timestamps: Vec<Option<Timestamp>>,
    further: Vec<Box<dyn Further>>,
    running: Option<Running>,
}

/// A further input of a pipeline.
trait Further: Send {
    fn position(&self) -> usize;
    fn rewind(&self, position: usize);
    fn end(&self);
}

impl<T: Record> Further for TestSource<T> {
    fn position(&self) -> usize {
        TestSource::position(self)
    }

    fn rewind(&self, position: usize) {
        TestSource::rewind(self, position);
    }

    fn end(&self) {
        TestSource::end(self);
    }
}

struct Running {
    cluster: MiniCluster,
    job: JobClient,
}

/// A snapshot of a harness, to continue from.
#[derive(Clone, Debug)]
pub struct Snapshot {
    path: String,
    pushed: usize,
    further: Vec<usize>,
}

impl<I: Record, O: Record> Harness<I, O> {
    /// A harness for this piece of a pipeline, with parallelism 1.
    pub fn new(pipeline: impl Fn(DataStream<I>) -> DataStream<O> + Send + 'static) -> Self {
        Harness {
            pipeline: Box::new(pipeline),
            configure: Vec::new(),
            sides: Vec::new(),
            parallelism: 1,
            input: TestSource::new(),
            output: TestSink::new(),
            timestamps: Vec::new(),
            further: Vec::new(),
            running: None,
        }
    }

    /// A harness for a piece of a pipeline that turns two streams into one: connected, joined or broadcast.
    pub fn with_two_inputs<J: Record>(
        pipeline: impl Fn(DataStream<I>, DataStream<J>) -> DataStream<O> + Send + 'static,
    ) -> TwoInputs<I, J, O> {
        TwoInputs::new(pipeline)
    }

    /// The parallelism of operators that do not set their own.
    #[must_use]
    pub fn parallelism(mut self, parallelism: u32) -> Self {
        self.parallelism = parallelism;
        self
    }

    /// Changes the configuration.
    #[must_use]
    pub fn configure(mut self, configure: impl Fn(&StreamExecutionEnvironment) + Send + 'static) -> Self {
        self.configure.push(Box::new(configure));
        self
    }

    /// The pipeline reads this source too (a second input, a broadcast stream, a side input): snapshots
    /// contain its position, and it ends with [`Harness::finish`]. What is pushed into it is processed by the
    /// next step, for instance [`Harness::step`].
    ///
    /// ```
    /// # use flott_testkit::{Harness, TestSource};
    /// # use flott_datastream::*;
    /// # fn main() -> Result<()> {
    /// let limits = TestSource::<i64>::new();
    /// let own = limits.clone();
    /// let mut both = Harness::new(move |numbers: DataStream<i64>| {
    ///     let limits = own.stream(&numbers.environment());
    ///     numbers.connect(&limits).map(|number| format!("number {number}"), |limit| format!("limit {limit}"))
    /// })
    /// .input(&limits);
    /// assert_eq!(both.push(1)?, ["number 1"]);
    /// limits.push(10)?;
    /// assert_eq!(both.step()?, ["limit 10"]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn input<X: Record>(mut self, source: &TestSource<X>) -> Self {
        self.further.push(Box::new(source.clone()));
        self
    }

    /// The side output of the pipeline's last operator.
    ///
    /// # Errors
    /// After the first step.
    pub fn side_output<X: Record>(&mut self, tag: &OutputTag<X>) -> Result<TestSink<X>> {
        if self.running.is_some() {
            return Err(Error::invalid("a side output is asked for before the first step"));
        }
        let sink = TestSink::new();
        let (tag, own) = (tag.clone(), sink.clone());
        self.sides.push(Box::new(move |stream| {
            stream.side_output(&tag).sink_to(own.clone()).name("Side Output");
        }));
        Ok(sink)
    }

    /// Pushes a record without a timestamp; returns the output.
    ///
    /// # Errors
    /// If a function fails, or the value cannot be copied by `serde`.
    pub fn push(&mut self, value: I) -> Result<Vec<O>> {
        self.running()?;
        self.input.push(value)?;
        self.step()
    }

    /// Pushes a record with a timestamp; returns the output.
    ///
    /// # Errors
    /// As [`Harness::push`].
    pub fn push_at(&mut self, value: I, timestamp: Timestamp) -> Result<Vec<O>> {
        self.running()?;
        self.input.push_at(value, timestamp)?;
        self.step()
    }

    /// Advances event time; returns the output.
    ///
    /// # Errors
    /// If a function fails.
    pub fn watermark(&mut self, at: Timestamp) -> Result<Vec<O>> {
        self.running()?;
        self.input.watermark(at);
        self.step()
    }

    /// Advances processing time; returns the output.
    ///
    /// # Errors
    /// If a function fails.
    pub fn advance(&mut self, by: Duration) -> Result<Vec<O>> {
        self.running()?.cluster.advance(by)?;
        self.step()
    }

    /// Ends the input, and with it event time; returns the output.
    ///
    /// # Errors
    /// If a function fails.
    pub fn finish(&mut self) -> Result<Vec<O>> {
        self.running()?;
        self.input.end();
        self.further.iter().for_each(|input| input.end());
        self.running()?.job.wait()?;
        Ok(self.take())
    }

    /// What the clock shows, in milliseconds.
    ///
    /// # Errors
    /// If the pipeline is wrong.
    pub fn now(&mut self) -> Result<Timestamp> {
        Ok(self.running()?.cluster.now())
    }

    /// The timestamps of the last step's output.
    pub fn timestamps(&self) -> &[Option<Timestamp>] {
        &self.timestamps
    }

    /// Takes a snapshot of all states and timers.
    ///
    /// # Errors
    /// Why there is none.
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        let pushed = self.input.position();
        let further = self.further.iter().map(|input| input.position()).collect();
        let Running { cluster, job } = self.running()?;
        Ok(Snapshot { path: cluster.savepoint(job)?, pushed, further })
    }

    /// Ends the job and continues from a snapshot, at this parallelism. What was pushed after the snapshot is
    /// forgotten; the clock keeps its time.
    ///
    /// # Errors
    /// Why that is not possible.
    pub fn restore(&mut self, snapshot: &Snapshot, parallelism: u32) -> Result<()> {
        self.running()?;
        let Some(Running { cluster, job }) = self.running.take() else { return Ok(()) };
        cluster.cancel(&job)?;
        self.output.take();
        self.input.rewind(snapshot.pushed);
        for (input, position) in self.further.iter().zip(&snapshot.further) {
            input.rewind(*position);
        }
        self.parallelism = parallelism;
        self.start(cluster, Some(&snapshot.path))
    }

    /// The cluster that it runs on, for instance to inject failures.
    ///
    /// # Errors
    /// If the pipeline is wrong.
    pub fn cluster(&mut self) -> Result<&MiniCluster> {
        Ok(&self.running()?.cluster)
    }

    fn running(&mut self) -> Result<&Running> {
        if self.running.is_none() {
            self.start(MiniCluster::new()?, None)?;
        }
        self.running.as_ref().ok_or_else(|| Error::internal("the harness does not run"))
    }

    fn start(&mut self, cluster: MiniCluster, from: Option<&str>) -> Result<()> {
        let env = cluster.environment();
        env.set_parallelism(self.parallelism).set("restart-strategy.type", "none");
        if let Some(path) = from {
            env.set("execution.state-recovery.path", path);
        }
        self.configure.iter().for_each(|configure| configure(&env));
        let output = (self.pipeline)(self.input.stream(&env));
        output.sink_to(self.output.clone()).name("Output");
        self.sides.iter().for_each(|side| side(&output));
        let job = env.execute_async("harness")?;
        self.running = Some(Running { cluster, job });
        self.rest()
    }

    /// Waits until everything has happened.
    fn rest(&mut self) -> Result<()> {
        let Running { cluster, job } = self.running()?;
        cluster.settle()?;
        // The job says why it failed.
        if job.status() == JobStatus::Failed { job.wait() } else { Ok(()) }
    }

    /// Waits until there are this many values of output, for functions that work on other threads: requests
    /// of an asynchronous function.
    ///
    /// # Errors
    /// If a function fails, or they do not come within a minute.
    pub fn wait_for(&mut self, count: usize) -> Result<Vec<O>> {
        let real = SystemClock::new();
        let mut came = self.step()?;
        let mut timestamps = std::mem::take(&mut self.timestamps);
        while came.len() < count {
            if real.nanos() > PATIENCE.as_nanos() as u64 {
                return Err(Error::internal(format!("{} of {count} values came", came.len())));
            }
            std::thread::park_timeout(Duration::from_millis(1));
            came.extend(self.step()?);
            timestamps.append(&mut self.timestamps);
        }
        self.timestamps = timestamps;
        Ok(came)
    }

    /// Waits until everything has happened; returns the output.
    ///
    /// # Errors
    /// If a function fails.
    pub fn step(&mut self) -> Result<Vec<O>> {
        self.running()?;
        self.rest()?;
        Ok(self.take())
    }

    fn take(&mut self) -> Vec<O> {
        let (values, timestamps) = self.output.take_with_timestamps().into_iter().unzip();
        self.timestamps = timestamps;
        values
    }
}
