//! The environment: where a program begins and where it is executed.

mod sources;

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_batch::Record;
use flott_cluster::{LocalCluster, LocalClusterOptions};
use flott_connector::{Registry, Source};
use flott_runtime::OperatorFactory;
use flott_types::config::parse_duration;
use flott_types::{Error, Result};
use parking_lot::Mutex;

use crate::DataStream;
use crate::graph::{Graph, NodeKind, Settings};
use crate::job::{Executor, JobClient, JobExecutionResult};

/// Slots of the local cluster: a limit of bookkeeping, not of threads.
const SLOTS: u32 = 65_536;

/// Whether the job is a stream or a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuntimeMode {
    /// Results as they come; event time advances with the watermarks.
    Streaming,
    /// Bounded inputs: event time is told once, at the end, so that no record is late; aggregates of keys put out their final
    /// results only.
    Batch,
    /// Batch if all sources are bounded, streaming otherwise.
    Automatic,
}

/// What the environment and its streams share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub graph: Graph,
    pub settings: Arc<Mutex<EnvironmentSettings>>,
    pub executor: Arc<Mutex<Option<Arc<Executor>>>>,
}

#[derive(Clone)]
pub(crate) struct EnvironmentSettings {
    pub configuration: BTreeMap<String, String>,
}

/// Where a program begins: it makes sources and executes what was made of them.
///
/// ```
/// # use flott_datastream::*;
/// # fn main() -> Result<()> {
/// let env = StreamExecutionEnvironment::new();
/// let squares = env.from_sequence(1, 5).map(|n| n * n).execute_and_collect("squares")?;
/// let mut squares: Vec<i64> = squares.collect::<Result<_>>()?;
/// squares.sort();
/// assert_eq!(squares, [1, 4, 9, 16, 25]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct StreamExecutionEnvironment {
    pub(crate) shared: Shared,
}

impl Default for StreamExecutionEnvironment {
    fn default() -> Self {
        StreamExecutionEnvironment::new()
    }
}

impl StreamExecutionEnvironment {
    /// With the default configuration; the parallelism is the number of cores.
    pub fn new() -> Self {
        StreamExecutionEnvironment::with_configuration(BTreeMap::new())
    }

    /// With this configuration, Flink's keys.
    pub fn with_configuration(configuration: BTreeMap<String, String>) -> Self {
        StreamExecutionEnvironment {
            shared: Shared {
                graph: Graph::default(),
                settings: Arc::new(Mutex::new(EnvironmentSettings { configuration })),
                executor: Arc::default(),
            },
        }
    }

    /// On a cluster that is there already (of a test, say).
    pub fn on(executor: Arc<Executor>) -> Self {
        let environment = StreamExecutionEnvironment::new();
        *environment.shared.executor.lock() = Some(executor);
        environment
    }

    /// Sets a key of the configuration.
    pub fn set(&self, key: &str, value: impl ToString) -> &Self {
        self.shared.settings.lock().configuration.insert(key.to_owned(), value.to_string());
        self
    }

    /// The value of a key of the configuration.
    pub fn get(&self, key: &str) -> Option<String> {
        self.shared.settings.lock().configuration.get(key).cloned()
    }

    /// `parallelism.default`: how many subtasks operators have that do not say otherwise.
    pub fn set_parallelism(&self, parallelism: u32) -> &Self {
        self.set("parallelism.default", parallelism)
    }

    /// `pipeline.max-parallelism`: the number of key groups, and so the largest parallelism that a job can be rescaled to.
    pub fn set_max_parallelism(&self, max_parallelism: u32) -> &Self {
        self.set("pipeline.max-parallelism", max_parallelism)
    }

    /// `execution.runtime-mode`
    pub fn set_runtime_mode(&self, mode: RuntimeMode) -> &Self {
        let mode = match mode {
            RuntimeMode::Streaming => "STREAMING",
            RuntimeMode::Batch => "BATCH",
            RuntimeMode::Automatic => "AUTOMATIC",
        };
        self.set("execution.runtime-mode", mode)
    }

    /// `execution.buffer-timeout.interval`, in milliseconds. A negative one: output is held back until a batch is full or the input
    /// is dry.
    pub fn set_buffer_timeout(&self, millis: i64) -> &Self {
        self.set("execution.buffer-timeout.enabled", millis >= 0);
        if millis < 0 {
            return self;
        }
        self.set("execution.buffer-timeout.interval", millis)
    }

    /// Takes a checkpoint every so many milliseconds; more with [`StreamExecutionEnvironment::set`] and the keys
    /// `execution.checkpointing.*`.
    pub fn enable_checkpointing(&self, interval_millis: u64) -> &Self {
        self.set("execution.checkpointing.interval", format!("{interval_millis} ms"))
    }

    /// Operators do not call each other directly, but through exchanges. For debugging.
    pub fn disable_operator_chaining(&self) -> &Self {
        self.set("pipeline.operator-chaining.enabled", false)
    }

    /// The parallelism of operators that do not say otherwise.
    pub fn parallelism(&self) -> Result<u32> {
        match self.number("parallelism.default")? {
            Some(parallelism) if parallelism > 0 => Ok(parallelism as u32),
            Some(_) => Err(Error::invalid("'parallelism.default' is 0; expected a positive number")),
            None => Ok(std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)),
        }
    }

    /// Reads a source that emits values of type `T`.
    pub(crate) fn add_source<T: Record>(&self, name: &'static str, source: Arc<dyn Source>) -> DataStream<T> {
        let node = self.shared.graph.add(name, NodeKind::Source(source), Vec::new());
        DataStream::of_node(self.shared.clone(), node).stateful()
    }

    /// Runs the job and waits for its end.
    ///
    /// # Errors
    /// If the program or its configuration is wrong, or the job fails.
    pub fn execute(&self, name: &str) -> Result<JobExecutionResult> {
        self.execute_async(name)?.execution_result()
    }

    /// Runs the job.
    ///
    /// # Errors
    /// If the program or its configuration is wrong.
    pub fn execute_async(&self, name: &str) -> Result<JobClient> {
        if self.shared.graph.is_empty() {
            return Err(Error::invalid(
                "the program has no operators that were not executed before; make a source and do something with it",
            ));
        }
        let settings = self.settings(name)?;
        let executor = self.executor()?;
        let client = executor.submit(&self.shared.graph, &settings)?;
        self.shared.graph.executed();
        Ok(client)
    }

    fn settings(&self, name: &str) -> Result<Settings> {
        let mut configuration = self.shared.settings.lock().configuration.clone();
        let mode = configuration.get("execution.runtime-mode").map(|mode| mode.to_ascii_lowercase());
        if mode.as_deref() == Some("automatic") {
            let mode = if self.shared.graph.is_bounded() { "BATCH" } else { "STREAMING" };
            configuration.insert("execution.runtime-mode".to_owned(), mode.to_owned());
        }
        if mode.as_deref() == Some("batch") && !self.shared.graph.is_bounded() {
            return Err(Error::invalid(
                "'execution.runtime-mode' is BATCH, but a source is unbounded; use STREAMING or AUTOMATIC",
            ));
        }
        for (key, value) in &configuration {
            let duration = key.ends_with(".interval") || key.ends_with(".timeout");
            if duration && key.starts_with("execution.checkpointing") && parse_duration(value).is_none() {
                return Err(Error::invalid(format!(
                    "'{key}' is '{value}'; expected a duration such as '10 s'"
                )));
            }
        }
        let chaining =
            configuration.get("pipeline.operator-chaining.enabled").is_none_or(|text| text != "false");
        let set = |key: &str| configuration.get(key).is_some_and(|text| !text.is_empty());
        let outlives = set("execution.checkpointing.interval") || set("execution.state-recovery.path");
        Ok(Settings {
            outlives,
            name: name.to_owned(),
            parallelism: self.parallelism()?,
            max_parallelism: self.number("pipeline.max-parallelism")?.unwrap_or(0) as u32,
            chaining,
            configuration,
        })
    }

    fn number(&self, key: &str) -> Result<Option<u64>> {
        let Some(text) = self.get(key) else { return Ok(None) };
        let wrong = |_| Error::invalid(format!("'{key}' is '{text}'; expected a whole number"));
        text.trim().parse().map(Some).map_err(wrong)
    }

    fn executor(&self) -> Result<Arc<Executor>> {
        let mut executor = self.shared.executor.lock();
        if let Some(executor) = &*executor {
            return Ok(executor.clone());
        }
        let local = Executor::local()?;
        Ok(executor.insert(local).clone())
    }
}

impl Executor {
    /// A cluster in this process.
    ///
    /// # Errors
    /// If the process gets no threads.
    pub fn local() -> Result<Arc<Executor>> {
        Executor::start(|registry| LocalClusterOptions::new(Arc::new(registry), SLOTS))
    }

    /// A cluster in this process, as `options` says; it gets the registry in which the programs' sources and sinks are found.
    ///
    /// # Errors
    /// If the process gets no threads.
    pub fn start(options: impl FnOnce(Registry) -> LocalClusterOptions) -> Result<Arc<Executor>> {
        Executor::start_with(options, |operators| operators)
    }

    /// As [`Executor::start`], with something around the factory of the programs' operators (for a test that disturbs them).
    ///
    /// # Errors
    /// If the process gets no threads.
    pub fn start_with(
        options: impl FnOnce(Registry) -> LocalClusterOptions,
        around: impl FnOnce(Arc<dyn OperatorFactory>) -> Arc<dyn OperatorFactory>,
    ) -> Result<Arc<Executor>> {
        let programs = crate::program::Programs::default();
        let mut options = options(programs.registry(Registry::default()));
        options.operators = around(Arc::new(programs.clone()));
        let cluster = LocalCluster::start(options)?;
        Ok(Arc::new(Executor::new(cluster, programs)))
    }
}
