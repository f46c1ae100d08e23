//! The environment: where a program begins and where it is executed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flott_cluster::programs::hosted;
use flott_cluster::{LocalCluster, LocalClusterOptions};
use flott_connector::Registry;
use flott_runtime::OperatorFactory;
use flott_runtime::options::Reader;
use flott_types::config::secrets::is_of_processes;
use flott_types::{Configuration, Error, Result};
use parking_lot::Mutex;

use super::listener::Listeners;
use crate::configuration::Load;
use crate::graph::{Graph, Settings};
use crate::job::{Executor, JobClient, JobExecutionResult};

/// Slots of the local cluster: a limit of bookkeeping, not of threads.
const SLOTS: u32 = 65_536;

const ROLE: &str = "program.role";

/// Whether the job is a stream or a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuntimeMode {
    /// Results are emitted as they come; event time advances with the watermarks.
    Streaming,
    /// Bounded inputs: event time advances once, at the end, so no record is late; keyed aggregates emit only
    /// their final results.
    Batch,
    /// Batch if all sources are bounded, streaming otherwise.
    Automatic,
}

/// What a program's process is (`program.role`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Role {
    /// It runs its jobs.
    Submits(Cluster),
    /// It runs tasks for the process that does: a TaskManager.
    Works,
}

/// Where a program runs its jobs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cluster {
    /// In this process.
    Local,
    /// In TaskManagers that are processes of their own; this one is their JobManager.
    Processes,
}

impl Role {
    fn of(configuration: &BTreeMap<String, String>) -> Result<Role> {
        let role = Reader(configuration).text(ROLE).unwrap_or("alone");
        match role.to_ascii_lowercase().as_str() {
            "alone" => Ok(Role::Submits(Cluster::Local)),
            "jobmanager" => Ok(Role::Submits(Cluster::Processes)),
            "taskmanager" => Ok(Role::Works),
            _ => Err(Reader(configuration).wrong(ROLE, "alone, jobmanager or taskmanager")),
        }
    }
}

#[cfg(not(feature = "cluster"))]
fn no_processes() -> Error {
    Error::unsupported(format!("'{ROLE}' in a program that was built without the feature `cluster` of flott"))
}

/// The job of the next execution, once there is one.
pub(crate) type JobToCome = Arc<Mutex<Option<JobClient>>>;

/// What the environment and its streams share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub graph: Graph,
    pub settings: Arc<Mutex<EnvironmentSettings>>,
    pub executor: Arc<Mutex<Option<Arc<Executor>>>>,
    pub listeners: Listeners,
    /// Where the next execution puts its job, for a stream that is collected.
    pub collecting: Arc<Mutex<Option<JobToCome>>>,
}

#[derive(Clone)]
pub(crate) struct EnvironmentSettings {
    pub configuration: Configuration,
    /// The program's own.
    pub parameters: BTreeMap<String, String>,
}

/// The entry point of a program: it creates sources and executes the pipelines built on them.
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
    /// With the configuration of `config.yaml` in the folder that `FLOTT_CONF_DIR` names, if there is one;
    /// the parallelism is the number of cores. Errors in the file are reported when the program is executed.
    ///
    /// A program that also takes `-D key=value`, `--restore` and `--parallelism` begins with `flott::args`.
    pub fn new() -> Self {
        match Load::new(None) {
            Ok(load) => {
                load.notes.iter().for_each(|warning| tracing::warn!("{warning}"));
                StreamExecutionEnvironment::with_configuration(load.configuration)
            }
            Err(error) => {
                let environment = StreamExecutionEnvironment::with_configuration(Configuration::default());
                environment.shared.graph.fail(error);
                environment
            }
        }
    }

    /// With exactly this configuration (Flink's keys).
    pub fn with_configuration(configuration: Configuration) -> Self {
        let settings = EnvironmentSettings { configuration, parameters: BTreeMap::new() };
        StreamExecutionEnvironment {
            shared: Shared {
                graph: Graph::default(),
                settings: Arc::new(Mutex::new(settings)),
                executor: Arc::default(),
                listeners: Listeners::default(),
                collecting: Arc::default(),
            },
        }
    }

    /// On an existing cluster (of a test, say). No file is read.
    pub fn on(executor: Arc<Executor>) -> Self {
        let environment = StreamExecutionEnvironment::with_configuration(Configuration::default());
        *environment.shared.executor.lock() = Some(executor);
        environment
    }

    /// Sets a configuration key. An unknown key or an invalid value is an error when the program is executed,
    /// and the error suggests the nearest key. The program's own parameters are set with
    /// [`StreamExecutionEnvironment::set_parameter`].
    pub fn set(&self, key: &str, value: impl ToString) -> &Self {
        if let Err(error) = self.shared.settings.lock().configuration.set(key, &value.to_string()) {
            self.shared.graph.fail(error);
        }
        self
    }

    /// The value of a configuration key.
    pub fn get(&self, key: &str) -> Option<String> {
        self.shared.settings.lock().configuration.get(key).map(str::to_owned)
    }

    /// Sets one of the program's own parameters (global job parameters in Flink); functions find it in
    /// [`RuntimeContext::configuration`](flott_function::runtime_context::RuntimeContext::configuration).
    pub fn set_parameter(&self, name: &str, value: impl ToString) -> &Self {
        if flott_types::config::option(name).is_ok() {
            let error = format!("'{name}' is an option of Flott, not a parameter; use `set`");
            self.shared.graph.fail(Error::invalid(error));
        }
        self.shared.settings.lock().parameters.insert(name.to_owned(), value.to_string());
        self
    }

    /// `parallelism.default`: the number of subtasks of operators that do not set their own.
    pub fn set_parallelism(&self, parallelism: u32) -> &Self {
        self.set("parallelism.default", parallelism)
    }

    /// `pipeline.max-parallelism`: the number of key groups, and so the largest parallelism that a job can be
    /// rescaled to.
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

    /// `execution.buffer-timeout.interval`. `None`: output is held back until a batch is full or the input
    /// runs dry.
    pub fn set_buffer_timeout(&self, timeout: impl Into<Option<Duration>>) -> &Self {
        let timeout = timeout.into();
        self.set("execution.buffer-timeout.enabled", timeout.is_some());
        match timeout {
            None => self,
            Some(timeout) => {
                self.set("execution.buffer-timeout.interval", format!("{} ms", timeout.as_millis()))
            }
        }
    }

    /// Takes a checkpoint this often; for more options use [`StreamExecutionEnvironment::set`] and the keys
    /// `execution.checkpointing.*`.
    pub fn enable_checkpointing(&self, interval: Duration) -> &Self {
        self.set("execution.checkpointing.interval", format!("{} ms", interval.as_millis()))
    }

    /// Makes operators communicate through exchanges instead of direct calls. For debugging.
    pub fn disable_operator_chaining(&self) -> &Self {
        self.set("pipeline.operator-chaining.enabled", false)
    }

    /// The parallelism of operators that do not set their own.
    pub fn parallelism(&self) -> Result<u32> {
        match self.number("parallelism.default")? {
            Some(parallelism) if parallelism > 0 => Ok(parallelism as u32),
            Some(_) => Err(Error::invalid("'parallelism.default' is 0; expected a positive number")),
            None => Ok(std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32)),
        }
    }

    /// Runs the job and waits for its end.
    ///
    /// With `program.role` a program is several processes. The one with the role `jobmanager` goes on when the job has
    /// ended; those with the role `taskmanager` build the program up to here, run its tasks, and end with the program.
    ///
    /// # Errors
    /// If the program or its configuration is wrong, or the job fails.
    pub fn execute(&self, name: &str) -> Result<JobExecutionResult> {
        self.run(name, &[]).map(|(_, result)| result)
    }

    /// Runs the job, which has these settings besides those of the program, and waits for its end.
    pub(crate) fn run(&self, name: &str, more: &[(&str, &str)]) -> Result<(JobClient, JobExecutionResult)> {
        let job = self.begin(name, more)?;
        let result = job.execution_result();
        self.shared.listeners.executed(&result);
        Ok((job, result?))
    }

    /// Runs the job.
    ///
    /// # Errors
    /// If the program or its configuration is wrong.
    pub fn execute_async(&self, name: &str) -> Result<JobClient> {
        self.begin(name, &[])
    }

    fn begin(&self, name: &str, more: &[(&str, &str)]) -> Result<JobClient> {
        let submitted = self.submit(name, more);
        self.shared.listeners.submitted(&submitted);
        submitted
    }

    /// The operators that the next execution runs, and the streams between them, as JSON
    /// (`getExecutionPlan` in Flink): for looking at and for Flink's plan visualizer.
    ///
    /// # Errors
    /// If the configuration is wrong.
    pub fn execution_plan(&self) -> Result<String> {
        self.shared.graph.shown(&self.settings("plan")?)
    }

    fn submit(&self, name: &str, more: &[(&str, &str)]) -> Result<JobClient> {
        if self.shared.graph.is_empty() {
            return Err(Error::invalid(
                "the program has no new operators to execute; create a source and use it",
            ));
        }
        let mut settings = self.settings(name)?;
        settings.outlives |= !more.is_empty();
        settings
            .configuration
            .extend(more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let of_process = self.of_this_process()?;
        let cluster = match Role::of(&of_process)? {
            Role::Submits(cluster) => cluster,
            #[cfg(feature = "cluster")]
            Role::Works => {
                self.prepare()?;
                match crate::processes::work(&self.shared.graph, &settings, &of_process)? {}
            }
            #[cfg(not(feature = "cluster"))]
            Role::Works => return Err(no_processes()),
        };
        let executor = self.executor(cluster, &of_process)?;
        let client = executor.submit(&self.shared.graph, &settings)?;
        self.shared.graph.executed();
        if let Some(collecting) = self.shared.collecting.lock().take() {
            *collecting.lock() = Some(client.clone());
        }
        Ok(client)
    }

    pub(crate) fn settings(&self, name: &str) -> Result<Settings> {
        let mut configuration: BTreeMap<String, String> = {
            let settings = self.shared.settings.lock();
            let of_jobs = settings.configuration.iter().filter(|(key, _)| !is_of_processes(key));
            let own = of_jobs.map(|(key, value)| (key.to_owned(), value.to_owned()));
            own.chain(settings.parameters.clone()).collect()
        };
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

    /// The configuration of this process, without the program's parameters.
    fn of_process(&self) -> BTreeMap<String, String> {
        self.configuration().iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// The same, as a session cluster forces it on a process that it has started.
    fn of_this_process(&self) -> Result<BTreeMap<String, String>> {
        let mut all = self.of_process();
        if let Some(session) = hosted()? {
            all.extend(session.forced().iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        Ok(all)
    }

    /// Whether the program is the JobManager or a TaskManager of a cluster of its own.
    pub(crate) fn is_several_processes(&self) -> Result<bool> {
        Ok(Role::of(&self.of_this_process()?)? != Role::Submits(Cluster::Local))
    }

    /// What a process needs before it runs anything.
    pub(crate) fn prepare(&self) -> Result<()> {
        crate::logging::install();
        flott_storage::configure(self.shared.settings.lock().configuration.iter())
    }

    fn executor(&self, cluster: Cluster, of_process: &BTreeMap<String, String>) -> Result<Arc<Executor>> {
        let mut executor = self.shared.executor.lock();
        if let Some(executor) = &*executor {
            return Ok(executor.clone());
        }
        self.prepare()?;
        let started = match cluster {
            Cluster::Local => Executor::local()?,
            #[cfg(feature = "cluster")]
            Cluster::Processes => Executor::job_manager(of_process)?,
            #[cfg(not(feature = "cluster"))]
            Cluster::Processes => return Err(no_processes()),
        };
        started.serve(of_process)?;
        Ok(executor.insert(started).clone())
    }
}

impl Executor {
    /// A cluster in this process.
    ///
    /// # Errors
    /// If the process gets no threads.
    pub fn local() -> Result<Arc<Executor>> {
        Executor::start(|registry, operators| LocalClusterOptions::new(Arc::new(registry), operators, SLOTS))
    }

    /// A cluster in this process with these `options`; it gets the registry of the programs' sources and
    /// sinks, and the factory of their operators (which a test that injects failures may wrap).
    ///
    /// # Errors
    /// If the process gets no threads.
    pub fn start(
        options: impl FnOnce(Registry, Arc<dyn OperatorFactory>) -> LocalClusterOptions,
    ) -> Result<Arc<Executor>> {
        let programs = crate::program::Programs::default();
        let options = options(programs.registry(Registry::default()), Arc::new(programs.clone()));
        let cluster = LocalCluster::start(options)?;
        Ok(Arc::new(Executor::new(cluster, programs)))
    }
}
