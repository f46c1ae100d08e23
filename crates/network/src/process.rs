//! A JobManager or a TaskManager as a process of its own: its parts, put together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use flott_checkpoint::resources::{LeaderId, TaskManagerId};
use flott_cluster::client_messages::DispatcherGateway;
use flott_cluster::high_availability::{JobRegistry, Leading};
use flott_cluster::messages::ToTaskManager;
use flott_cluster::programs::{Hosted, Programs, WorkerOptions};
use flott_cluster::transport::TaskManagerGateway;
use flott_cluster::{Archive, JobManager, JobManagerServices, Snapshots, Storage, TaskManager};
use flott_connector::Registry;
use flott_runtime::{OperatorFactory, TaskEnvironment, Threads};
use flott_types::{Clock, Error, Result};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::VERSION;
use crate::control::{ControlClient, ControlOptions, ControlServer, Ending, Hello, Joining};
use crate::exchange::{ExchangeOptions, NetworkExchanges};
use crate::find::Find;
use crate::options::{JobManagerOptions, TaskManagerOptions, at};
use crate::tls::Tls;

/// How long an ending process waits for its jobs or tasks.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// A JobManager and the server for its TaskManagers. Dropping it suspends its jobs.
pub struct JobManagerProcess {
    manager: Arc<JobManager>,
    server: ControlServer,
    threads: Threads,
    announced_host: String,
    /// Whose program it is of.
    hosted: Option<Arc<Hosted>>,
}

impl JobManagerProcess {
    /// Starts one that is alone: of a cluster, or of the `program` with this executable.
    ///
    /// # Errors
    /// If a value of the configuration cannot work, the port is taken, or there are no threads.
    pub fn start(
        configuration: &BTreeMap<String, String>,
        registry: Arc<Registry>,
        clock: Arc<dyn Clock>,
        program: Option<String>,
    ) -> Result<Self> {
        // Another one than that of the one before it. Usually it is larger, but clocks may go back: a TaskManager
        // takes whichever a new connection names.
        let leader = LeaderId(clock.now().unsigned_abs());
        Self::start_as(configuration, registry, clock, leader, program, None, None)
    }

    /// Starts that of a program which a session cluster has started.
    ///
    /// # Errors
    /// As [`JobManagerProcess::start`].
    pub fn of_session(
        configuration: &BTreeMap<String, String>,
        registry: Arc<Registry>,
        clock: Arc<dyn Clock>,
        program: String,
        hosted: &Arc<Hosted>,
    ) -> Result<Self> {
        let leader = LeaderId(clock.now().unsigned_abs());
        let (program, session) = (Some(program), Some(hosted.clone()));
        let process = Self::start_as(configuration, registry, clock, leader, program, None, session)?;
        hosted.serve(&process.manager)?;
        hosted.listens(process.announced());
        Ok(process)
    }

    /// Starts one that leads its cluster.
    ///
    /// # Errors
    /// As [`JobManagerProcess::start`].
    pub(crate) fn lead(
        configuration: &BTreeMap<String, String>,
        registry: Arc<Registry>,
        clock: Arc<dyn Clock>,
        leading: Arc<Leading>,
    ) -> Result<Self> {
        let leader = LeaderId(leading.term().0);
        Self::start_as(configuration, registry, clock, leader, None, Some(JobRegistry::new(leading)), None)
    }

    fn start_as(
        configuration: &BTreeMap<String, String>,
        registry: Arc<Registry>,
        clock: Arc<dyn Clock>,
        leader: LeaderId,
        program: Option<String>,
        high_availability: Option<JobRegistry>,
        hosted: Option<Arc<Hosted>>,
    ) -> Result<Self> {
        let JobManagerOptions { host, port, announced_host, liveness, defaults } =
            JobManagerOptions::parse(configuration)?;
        let tls = Tls::parse(configuration)?;
        warn_of_strangers(&host, tls.is_some(), "jobmanager.bind-host");
        let (threads, session) = (Threads::default(), hosted.clone());
        // A program has none of its own; and a standby JobManager would not have them.
        let programs = match program.is_none() && high_availability.is_none() {
            true => Programs::open(configuration, clock.clone(), threads.clone())?,
            false => None,
        };
        let manager = JobManager::start(JobManagerServices {
            leader,
            clock,
            registry,
            storage: Arc::new(Snapshots::of_several_processes()),
            threads: threads.clone(),
            resources: liveness,
            defaults,
            high_availability,
            archive: Archive::parse(configuration)?,
            programs,
            hosted,
        })?;
        let options = ControlOptions { host, port, liveness, tls, program };
        let server = ControlServer::start(&options, manager.clone())
            .inspect_err(|_| manager.shutdown(Duration::ZERO))?;
        Ok(JobManagerProcess { manager, server, threads, announced_host, hosted: session })
    }

    /// Where TaskManagers of other machines find it.
    pub(crate) fn announced(&self) -> String {
        at(&self.announced_host, self.address().port())
    }

    /// Takes over what earlier leaders have left.
    pub(crate) fn take_over(&self) -> Result<()> {
        self.manager.take_over()
    }

    /// The program whose cluster this is has ended: TaskManagers leave, unless a job is to be continued.
    pub fn dissolve(&self) {
        self.manager.dissolve(SHUTDOWN);
    }

    /// The way for clients.
    pub fn dispatcher(&self) -> Arc<dyn DispatcherGateway> {
        self.manager.dispatcher()
    }

    /// Where TaskManagers find it.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// How many slots there are, and how many of them are free.
    pub fn slots(&self) -> (u32, u32) {
        self.manager.slots()
    }
}

impl Drop for JobManagerProcess {
    fn drop(&mut self) {
        self.manager.shutdown(SHUTDOWN);
        if let Some(hosted) = &self.hosted {
            hosted.settle();
        }
        self.threads.wait_until(0, SHUTDOWN);
    }
}

/// A TaskManager and its connections. Dropping it ends its tasks.
pub struct TaskManagerProcess {
    manager: Arc<TaskManager>,
    control: Option<ControlClient>,
    ending: Receiver<Ending>,
    address: String,
    threads: Threads,
    runtime: Option<Runtime>,
}

impl TaskManagerProcess {
    /// Starts one: of a cluster, or of the `program` with this executable. It looks for its JobManager until there is
    /// one, or `taskmanager.registration.timeout` has passed.
    ///
    /// # Errors
    /// If a value of the configuration cannot work, the port is taken, or there are no threads.
    pub fn start(
        configuration: &BTreeMap<String, String>,
        registry: Arc<Registry>,
        operators: Arc<dyn OperatorFactory>,
        clock: Arc<dyn Clock>,
        program: Option<String>,
    ) -> Result<Self> {
        let options = TaskManagerOptions::parse(configuration)?;
        let (liveness, tls) = (options.liveness, Tls::parse(configuration)?);
        warn_of_strangers(&options.host, tls.is_some(), "taskmanager.bind-host");
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).thread_name("network").enable_all();
        let failed = |error: std::io::Error| {
            let TaskManagerOptions { host, port, .. } = &options;
            let what =
                format!("the TaskManager cannot listen on {host}:{port} ('taskmanager.data.port'): {error}");
            Error::external(what)
        };
        let runtime = builder.build().map_err(failed)?;
        let listener = runtime.block_on(TcpListener::bind((options.host.as_str(), options.port)));
        let listener = listener.map_err(failed)?;
        let port = options.announced_port.unwrap_or(listener.local_addr().map_err(failed)?.port());
        let address = at(&options.announced_host, port);
        let id = new_id(&*clock, port);
        let millis = |time: i64| Duration::from_millis(time.unsigned_abs());
        let exchange = ExchangeOptions {
            compression: options.compression,
            alive_every: millis(liveness.heartbeat_interval),
            silent_for: millis(liveness.heartbeat_timeout),
            tls: tls.clone(),
        };
        let exchanges = NetworkExchanges::start(id, exchange, listener, runtime.handle().clone());
        let threads = Threads::default();
        let control = ControlClient::new();
        let environment = |reports, results| TaskEnvironment {
            clock,
            registry,
            operators,
            exchanges,
            storage: Arc::new(Snapshots::of_several_processes()).as_snapshot_storage(),
            results,
            reports,
            threads: threads.clone(),
            memory: Arc::default(),
        };
        let of_cluster = flott_cluster::TaskManagerOptions {
            id,
            slots: options.slots,
            liveness,
            leader: None,
            // A program starts none.
            workers: program.is_none().then(|| WorkerOptions { configuration: configuration.clone() }),
            ends_with_hanging_tasks: flott_cluster::programs::hosted()?.is_some(),
        };
        let manager = TaskManager::start(of_cluster, environment, control.gateway(), |_| {})?;
        let name = options.name.unwrap_or_else(|| format!("{address}-{:08x}", id.0));
        let hello = Hello {
            version: VERSION.to_owned(),
            task_manager: id.0,
            name,
            address: address.clone(),
            program,
        };
        let find = Find::parse(configuration, &options.job_manager)?;
        let joining = Joining { find, hello, liveness, tls, patience: options.registration };
        let ending = control.connect(joining, manager.clone(), runtime.handle())?;
        Ok(TaskManagerProcess {
            manager,
            control: Some(control),
            ending,
            address,
            threads,
            runtime: Some(runtime),
        })
    }

    /// Where other TaskManagers find it.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Waits so long. Whether the process goes on then: it does not if the program whose cluster it belonged to
    /// has ended.
    ///
    /// # Errors
    /// The JobManager refuses it, or the program has failed.
    pub fn run_for(&self, time: Duration) -> Result<bool> {
        match self.ending.recv_timeout(time) {
            Ok(Ending::Refused(error)) => Err(error),
            Ok(Ending::Over { failed: true }) => Err(Error::external("the program's job has failed")),
            Ok(Ending::Over { failed: false }) => Ok(false),
            Err(_) => Ok(true),
        }
    }
}

impl Drop for TaskManagerProcess {
    fn drop(&mut self) {
        // First the JobManager hears of it, so that it deploys elsewhere.
        drop(self.control.take());
        self.manager.send(ToTaskManager::Shutdown);
        if !self.threads.wait_until(0, SHUTDOWN) {
            tracing::warn!(left = self.threads.running(), "tasks did not end in time");
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Without TLS, whoever reaches the port belongs to the cluster.
fn warn_of_strangers(host: &str, tls: bool, key: &str) {
    if !tls && !matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]") {
        tracing::warn!(
            host,
            "'{key}' is not this machine alone, and 'security.ssl.internal.enabled' is not set: whoever reaches the port can run jobs"
        );
    }
}

/// Another one for each process: in a cluster nobody has the id of one that was lost.
fn new_id(clock: &dyn Clock, port: u16) -> TaskManagerId {
    let mut mixed =
        clock.now().unsigned_abs() ^ (u64::from(std::process::id()) << 32) ^ (u64::from(port) << 20);
    mixed ^= clock.nanos().rotate_left(40);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    TaskManagerId((mixed ^ (mixed >> 31)) as u32)
}
