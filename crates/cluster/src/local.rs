//! A cluster in one process: the JobManager and the TaskManagers of any cluster, over an in-process
//! transport.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flott_checkpoint::JobStatus;
use flott_checkpoint::resources::{Config as Liveness, LeaderId};
use flott_connector::Registry;
use flott_plan::JobGraph;
use flott_runtime::{Exchanges, LocalExchanges, OperatorFactory, TaskEnvironment, Threads};
use flott_state::spill::StateMemory;
use flott_types::{Clock, JobId, Result, SystemClock};

use crate::archive::Archive;
use crate::client::JobClient;
use crate::client_messages::DispatcherGateway;
use crate::cluster_client::ClusterClient;
use crate::high_availability::JobRegistry;
use crate::job_manager::{JobManager, JobManagerServices};
use crate::messages::TaskManagerId;
use crate::snapshots::Snapshots;
use crate::storage::Storage;
use crate::task_manager::{TaskManager, TaskManagerOptions};
use crate::transport::{Wire, WiredJobManager, WiredTaskManager};

/// The only JobManager that its TaskManagers ever see.
const FIRST_LEADER: LeaderId = LeaderId(1);

/// How long an ending cluster waits for its tasks.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// And how long for its threads in any case.
const LEAVE: Duration = Duration::from_secs(1);

/// The parts of a local cluster.
pub struct LocalClusterOptions {
    /// How many TaskManagers.
    pub task_managers: u32,
    /// `taskmanager.numberOfTaskSlots`, of each.
    pub slots: u32,
    /// Sources and sinks.
    pub registry: Arc<Registry>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The operators of the tasks.
    pub operators: Arc<dyn OperatorFactory>,
    /// Snapshots.
    pub storage: Arc<dyn Storage>,
    /// The channels between tasks.
    pub exchanges: Arc<dyn Exchanges>,
    /// Threads, of which there may be a limit.
    pub threads: Threads,
    /// When a TaskManager counts as lost.
    pub liveness: Liveness,
    /// Where its jobs are recorded for the next leader.
    pub high_availability: Option<JobRegistry>,
    /// What is kept of jobs that have ended.
    pub archive: Option<Archive>,
}

impl LocalClusterOptions {
    /// One TaskManager with this many slots and the machine's clock.
    pub fn new(registry: Arc<Registry>, operators: Arc<dyn OperatorFactory>, slots: u32) -> Self {
        LocalClusterOptions {
            task_managers: 1,
            slots,
            registry,
            clock: Arc::new(SystemClock::new()),
            operators,
            storage: Arc::new(Snapshots::default()),
            exchanges: Arc::new(LocalExchanges::default()),
            threads: Threads::default(),
            liveness: Liveness::default(),
            high_availability: None,
            archive: None,
        }
    }
}

/// The cluster. Dropping it ends its jobs.
pub struct LocalCluster {
    manager: Arc<JobManager>,
    clients: ClusterClient,
    task_managers: Vec<(Arc<TaskManager>, Wire)>,
    threads: Threads,
}

impl LocalCluster {
    /// Starts it.
    ///
    /// # Errors
    /// If there are no threads for it.
    pub fn start(options: LocalClusterOptions) -> Result<Self> {
        let LocalClusterOptions {
            task_managers,
            slots,
            registry,
            clock,
            operators,
            storage,
            exchanges,
            threads,
            liveness,
            high_availability,
            archive,
        } = options;
        let manager = JobManager::start(JobManagerServices {
            clock: clock.clone(),
            registry: registry.clone(),
            storage: storage.clone(),
            threads: threads.clone(),
            resources: liveness,
            leader: FIRST_LEADER,
            defaults: BTreeMap::new(),
            high_availability,
            archive,
            programs: None,
            hosted: None,
        })?;
        // One process, one account.
        let memory = Arc::new(StateMemory::default());
        let environment = |reports, results| TaskEnvironment {
            clock: clock.clone(),
            registry: registry.clone(),
            operators: operators.clone(),
            exchanges: exchanges.clone(),
            storage: storage.clone().as_snapshot_storage(),
            results,
            reports,
            threads: threads.clone(),
            memory: memory.clone(),
        };
        let start = |id| {
            let wire = Wire::default();
            let join = |gateway| manager.join(id, Arc::new(WiredTaskManager(wire.clone(), gateway)));
            let options = TaskManagerOptions {
                id,
                slots,
                liveness,
                leader: Some(manager.leader()),
                workers: None,
                ends_with_hanging_tasks: false,
            };
            let gateway = Arc::new(WiredJobManager(wire.clone(), manager.clone()));
            Ok((TaskManager::start(options, environment, gateway, join)?, wire))
        };
        let task_managers = (0..task_managers).map(TaskManagerId).map(start).collect::<Result<_>>();
        // Without them the JobManager is of no use, and its thread ends.
        let task_managers = task_managers.inspect_err(|_| manager.shutdown(LEAVE))?;
        let clients = ClusterClient::new(manager.dispatcher());
        Ok(LocalCluster { manager, clients, task_managers, threads })
    }

    /// Runs a job.
    ///
    /// # Errors
    /// As [`ClusterClient::submit`].
    pub fn submit(&self, graph: &JobGraph) -> Result<JobClient> {
        self.clients.submit(graph)
    }

    /// Takes over the jobs of earlier leaders: [`JobManager::take_over`].
    ///
    /// # Errors
    /// As [`JobManager::take_over`].
    pub fn take_over(&self) -> Result<()> {
        self.manager.take_over()
    }

    /// The jobs, oldest first.
    pub fn jobs(&self) -> Vec<(JobId, String, JobStatus)> {
        self.manager.jobs()
    }

    /// A job that was submitted before.
    pub fn client(&self, job: JobId) -> Option<JobClient> {
        self.clients.client(job).ok().flatten()
    }

    /// The cluster as any client sees it.
    pub fn clients(&self) -> ClusterClient {
        self.clients.clone()
    }

    /// The way for clients that speak in messages.
    pub fn dispatcher(&self) -> Arc<dyn DispatcherGateway> {
        self.manager.dispatcher()
    }

    /// Total and free slots.
    pub fn slots(&self) -> (u32, u32) {
        self.manager.slots()
    }

    /// Lets every job do what it was told and what the clock says is due; and says whether nothing is in
    /// progress any more between JobManager and tasks then: no deployment, no message, no checkpoint. For
    /// clocks that a test moves.
    pub fn is_quiet(&self) -> bool {
        self.manager.tick();
        let jobs = self.jobs().into_iter();
        let quiet = jobs.map(|(job, _, _)| self.manager.settle(job)).fold(true, |all, quiet| all & quiet);
        quiet && self.task_managers.iter().all(|(manager, _)| manager.is_idle())
    }

    /// Cuts the connection between a TaskManager and the JobManager: what one of them sends from now on is
    /// lost. For tests.
    pub fn disconnect(&self, task_manager: TaskManagerId) {
        self.wire(task_manager).into_iter().for_each(|wire| wire.cut(true));
    }

    /// Repairs it. If anything was lost, the TaskManager loses its tasks and registers again.
    pub fn reconnect(&self, task_manager: TaskManagerId) {
        self.wire(task_manager).into_iter().for_each(|wire| wire.cut(false));
    }

    fn wire(&self, task_manager: TaskManagerId) -> Option<&Wire> {
        self.task_managers.get(task_manager.0 as usize).map(|(_, wire)| wire)
    }

    /// The threads that run.
    pub fn threads(&self) -> &Threads {
        &self.threads
    }
}

impl Drop for LocalCluster {
    fn drop(&mut self) {
        let clock = SystemClock::new();
        self.manager.shutdown(SHUTDOWN);
        if !self
            .threads
            .wait_until(0, SHUTDOWN.saturating_sub(Duration::from_nanos(clock.nanos())).max(LEAVE))
        {
            tracing::warn!(left = self.threads.running(), "threads of the cluster did not end in time");
        }
    }
}
