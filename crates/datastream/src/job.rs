//! Jobs that a program has submitted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use flott_cluster::{ClusterClient, LocalCluster};
#[cfg(feature = "cluster")]
use flott_network::process::JobManagerProcess;
use flott_rest::{Reporters, Rest, RestOptions};
use flott_types::{Error, JobId, Result, SystemClock};

use crate::graph::{Graph, Settings};
use crate::logging::tell_beginning;
use crate::program::Programs;
use crate::totals::Totals;
use flott_function::accumulator::Accumulator;

/// Where programs are executed.
pub struct Executor {
    clients: ClusterClient,
    host: Host,
    programs: Programs,
    submitted: AtomicU64,
    rest: OnceLock<Rest>,
    reporters: OnceLock<Reporters>,
}

/// What runs the jobs.
enum Host {
    /// This process alone.
    Local(LocalCluster),
    /// TaskManagers in other processes.
    #[cfg(feature = "cluster")]
    Processes(JobManagerProcess),
}

impl Drop for Host {
    fn drop(&mut self) {
        match self {
            Host::Local(_) => {}
            #[cfg(feature = "cluster")]
            Host::Processes(manager) => manager.dissolve(),
        }
    }
}

impl Executor {
    pub(crate) fn new(cluster: LocalCluster, programs: Programs) -> Self {
        Executor::with(cluster.clients(), Host::Local(cluster), programs)
    }

    #[cfg(feature = "cluster")]
    pub(crate) fn of_processes(manager: JobManagerProcess, programs: Programs) -> Self {
        Executor::with(ClusterClient::new(manager.dispatcher()), Host::Processes(manager), programs)
    }

    fn with(clients: ClusterClient, host: Host, programs: Programs) -> Self {
        Executor {
            clients,
            host,
            programs,
            submitted: AtomicU64::new(0),
            rest: OnceLock::new(),
            reporters: OnceLock::new(),
        }
    }

    /// Starts the REST server and the reporters of metrics that the configuration asks for.
    pub(crate) fn serve(&self, configuration: &BTreeMap<String, String>) -> Result<()> {
        // There is one environment that starts a cluster.
        if let Some(options) = RestOptions::parse(configuration, Arc::new(SystemClock::new()))? {
            self.rest.set(Rest::start(options, self.clients.dispatcher())?).ok();
        }
        let clock = Arc::new(SystemClock::new());
        self.reporters.set(Reporters::start(configuration, self.clients.dispatcher(), clock)?).ok();
        Ok(())
    }

    /// Where the REST server listens, if there is one.
    pub fn rest_address(&self) -> Option<SocketAddr> {
        self.rest.get().map(Rest::address)
    }

    /// The cluster, if it is in this process.
    pub fn cluster(&self) -> Option<&LocalCluster> {
        match &self.host {
            Host::Local(cluster) => Some(cluster),
            #[cfg(feature = "cluster")]
            Host::Processes(_) => None,
        }
    }

    /// The name by which plans call the program of the job with this number.
    pub(crate) fn program_name(settings: &Settings, number: u64) -> String {
        format!("{}-{number}", settings.name)
    }

    pub(crate) fn submit(self: &Arc<Self>, graph: &Graph, settings: &Settings) -> Result<JobClient> {
        let number = self.submitted.fetch_add(1, Ordering::Relaxed);
        if number > 0 && self.cluster().is_none() {
            return Err(Error::unsupported(
                "a second job of a program whose TaskManagers are other processes: they have the functions of the first",
            ));
        }
        let name = Executor::program_name(settings, number);
        let (plan, program) = graph.build(&name, settings)?;
        self.programs.add(&name, program);
        match self.clients.submit(&plan) {
            Ok(client) => {
                tell_beginning(&client);
                let program = Arc::new(Registered { name, executor: self.clone() });
                Ok(JobClient { client, program })
            }
            Err(error) => {
                self.programs.remove(&name);
                Err(error)
            }
        }
    }
}

/// Keeps a program registered with the cluster while its job has a client.
struct Registered {
    name: String,
    executor: Arc<Executor>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.executor.programs.remove(&self.name);
    }
}

/// A submitted job: its status, metrics and results; cancelling, savepoints. See
/// [`flott_cluster::JobClient`].
///
/// The job ends with the last client and environment, because they own the cluster of this process.
#[derive(Clone)]
pub struct JobClient {
    client: flott_cluster::JobClient,
    program: Arc<Registered>,
}

impl std::fmt::Debug for JobClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JobClient({})", self.client.job_id())
    }
}

impl Deref for JobClient {
    type Target = flott_cluster::JobClient;

    fn deref(&self) -> &Self::Target {
        &self.client
    }
}

impl JobClient {
    /// Waits for the end of the job.
    ///
    /// # Errors
    /// If it failed or was cancelled.
    pub fn execution_result(&self) -> Result<JobExecutionResult> {
        self.client.wait()?;
        let info = self.client.info();
        let at = |entry: Option<&(flott_cluster::JobStatus, i64)>| entry.map_or(0, |(_, at)| *at);
        let runtime = at(info.timestamps.last()) - at(info.timestamps.first());
        Ok(JobExecutionResult {
            job: self.client.job_id(),
            runtime: Duration::from_millis(runtime.max(0) as u64),
            accumulators: self.accumulators(),
        })
    }

    /// The current accumulators, merged over all subtasks.
    pub fn accumulators(&self) -> Totals {
        Totals::new(&self.client.metrics())
    }

    /// The cluster that runs it.
    pub fn executor(&self) -> &Arc<Executor> {
        &self.program.executor
    }
}

/// How a job has ended.
#[derive(Clone, Debug)]
pub struct JobExecutionResult {
    job: JobId,
    runtime: Duration,
    accumulators: Totals,
}

impl JobExecutionResult {
    /// The job.
    pub fn job_id(&self) -> JobId {
        self.job
    }

    /// The value of an accumulator, merged over all subtasks; `None` if there is none of that name.
    ///
    /// # Errors
    /// If it was created with another type.
    pub fn accumulator<A: Accumulator>(&self, name: &str) -> Result<Option<A::Output>> {
        self.accumulators.get::<A>(name)
    }

    /// All accumulators.
    pub fn accumulators(&self) -> &Totals {
        &self.accumulators
    }

    /// From submission to the end.
    pub fn net_runtime(&self) -> Duration {
        self.runtime
    }
}
