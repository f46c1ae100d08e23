//! A cluster whose clock the test controls.

use std::sync::Arc;
use std::time::Duration;

use flott_cluster::{LocalCluster, LocalClusterOptions};
use flott_datastream::{Executor, JobClient, StreamExecutionEnvironment};
use flott_types::clock::ManualClock;
use flott_types::{Clock, Error, Result, SystemClock, Timestamp};
use tempfile::TempDir;

use crate::fault::{Fault, Faults};
use crate::gates::Gates;

/// The initial time of the clock: round, so that results are easy to read, and not zero, so that a forgotten
/// timestamp is noticed.
const START: Timestamp = 1_000_000_000;
/// Slots: a limit of bookkeeping, not of threads.
const SLOTS: u32 = 1_024;
/// A cluster that is not at rest after this long never will be.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster in this process for tests: the test controls its clock, and its snapshots are in a temporary
/// folder.
///
/// ```
/// # use flott_testkit::*;
/// # use flott_datastream::Result;
/// # fn main() -> Result<()> {
/// let cluster = MiniCluster::new()?;
/// let (source, sink) = (TestSource::new(), TestSink::transactional());
/// let env = cluster.environment();
/// let numbers = source.stream(&env).map(|n: i64| n + 1).name("plus one");
/// numbers.sink_to(sink.clone());
/// let job = env.execute_async("numbers")?;
///
/// source.push(1)?;
/// cluster.checkpoint(&job)?;
/// cluster.fail(Fault::at_record("plus one", 2));
/// source.push_all([2, 3])?;
/// cluster.settle()?;
/// assert_eq!(job.info().checkpoints.restored, 1);
///
/// cluster.checkpoint(&job)?;
/// assert_eq!(sink.take(), [2, 3, 4]);
/// # Ok(())
/// # }
/// ```
pub struct MiniCluster {
    executor: Arc<Executor>,
    clock: Arc<ManualClock>,
    gates: Arc<Gates>,
    faults: Faults,
    snapshots: TempDir,
}

impl MiniCluster {
    /// A cluster without jobs.
    ///
    /// # Errors
    /// If the process gets no threads, or no folder for snapshots.
    pub fn new() -> Result<Self> {
        let clock = Arc::new(ManualClock::new(START));
        let (gates, faults) = (Arc::<Gates>::default(), Faults::default());
        let options = |registry, operators| {
            let mut options = LocalClusterOptions::new(Arc::new(registry), faults.around(operators), SLOTS);
            options.clock = clock.clone();
            options.exchanges = gates.clone();
            options
        };
        let executor = Executor::start(options)?;
        let no_folder = |error| Error::external("there is no folder for snapshots").with_source(error);
        let snapshots = tempfile::tempdir().map_err(no_folder)?;
        Ok(MiniCluster { executor, clock, gates, faults, snapshots })
    }

    /// An environment whose jobs run here. Its parallelism is 1, and a job that fails is restarted at once,
    /// from its last checkpoint; both can be changed.
    pub fn environment(&self) -> StreamExecutionEnvironment {
        let env = StreamExecutionEnvironment::on(self.executor.clone());
        let folder = self.snapshots.path().display();
        env.set_parallelism(1)
            .set("execution.checkpointing.dir", &folder)
            .set("execution.checkpointing.savepoint-dir", &folder)
            .set("restart-strategy.type", "fixed-delay")
            .set("restart-strategy.fixed-delay.attempts", i32::MAX)
            .set("restart-strategy.fixed-delay.delay", "0 ms");
        env
    }

    /// What the clock shows, in milliseconds.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Advances the clock, and waits until everything that is due has happened.
    ///
    /// # Errors
    /// As [`MiniCluster::settle`].
    pub fn advance(&self, by: Duration) -> Result<()> {
        // What was pushed before must see the old time.
        self.settle()?;
        self.clock.advance(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
        self.gates.wake();
        self.settle()
    }

    /// Waits until everything that follows from the test's actions has happened: no record, watermark or
    /// message is in flight, every timer that is due has fired, and no job is being deployed or restarted.
    ///
    /// # Errors
    /// If the cluster does not come to rest within a minute of real time: a function blocks, or a timer
    /// registers itself for a time in the past.
    pub fn settle(&self) -> Result<()> {
        let real = SystemClock::new();
        loop {
            // In this order: what a job master sends to a task is seen by the second check.
            let before = self.gates.at_rest();
            if before.is_some()
                && self.executor.cluster().is_none_or(LocalCluster::is_quiet)
                && self.gates.at_rest() == before
            {
                return Ok(());
            }
            if real.nanos() > PATIENCE.as_nanos() as u64 {
                return Err(Error::internal("the cluster does not come to rest"));
            }
            std::thread::park_timeout(Duration::from_micros(100));
        }
    }

    /// Takes a checkpoint of a job; everything pushed before is in it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn checkpoint(&self, job: &JobClient) -> Result<()> {
        self.settle()?;
        let taken = job.trigger_checkpoint(false);
        self.settle()?;
        taken.map(|_| ())
    }

    /// Takes a savepoint of a job, including everything pushed before; returns its path. A job with
    /// `execution.state-recovery.path` set to the path starts from it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn savepoint(&self, job: &JobClient) -> Result<String> {
        self.settle()?;
        let taken = job.trigger_savepoint(None);
        self.settle()?;
        taken
    }

    /// Cancels a job and waits for its end.
    ///
    /// # Errors
    /// If it does not end.
    pub fn cancel(&self, job: &JobClient) -> Result<()> {
        job.cancel();
        match job.wait_for(PATIENCE) {
            Some(_) => Ok(()),
            None => Err(Error::internal("the job does not end")),
        }
    }

    /// Makes an operator fail once at a chosen point.
    pub fn fail(&self, fault: Fault) {
        self.faults.add(fault);
    }

    /// The failures that have not happened yet; at the end of a test there should be none.
    pub fn pending_faults(&self) -> Vec<Fault> {
        self.faults.pending()
    }
}
