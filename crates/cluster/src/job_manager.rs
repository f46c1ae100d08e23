//! The JobManager: accepts jobs, gives them slots, runs a job master for each, and forwards reports of tasks
//! to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use flott_checkpoint::JobStatus;
use flott_checkpoint::alignment::Mode;
use flott_checkpoint::resources::{Config, Event, Hanging, LeaderId, Session, TaskManagerInfo};
use flott_connector::Registry;
use flott_plan::{JobGraph, OperatorSpec, Schema};
use flott_runtime::{Failure, Threads};
use flott_types::panics::guard;
use flott_types::{Clock, Error, JobId, Result, SystemClock, Timestamp};
use parking_lot::Mutex;

use crate::client_messages::{DispatcherGateway, JobDescription};
use crate::collected::{CollectorId, FromCollector};
use crate::dispatcher::{Dispatcher, Triggers};
use crate::enumerators::Enumerators;
use crate::global_commits::sinks;
use crate::identity::Identity;
use crate::job_master::{JobMaster, JobMessage, JobSetup};
use crate::messages::{TaskManagerId, ToJobManager, ToTaskManager, Work};
use crate::metrics::JobMetrics;
use crate::metrics_questions::MetricsQuestions;
use crate::options::JobOptions;
use crate::resource_manager::ResourceManager;
use crate::restored::Beginning;
use crate::results::{Credits, Release, ResultStore, ResultStores};
use crate::status::JobShared;
use crate::storage::{End, Origin, Outcome, Place, Start, Storage};
use crate::transport::{JobManagerGateway, Mailbox, TaskManagerGateway};

/// How many jobs are remembered, including ended ones.
const REMEMBERED: usize = 200;

/// The environment of a JobManager.
pub struct JobManagerServices {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Sources and sinks.
    pub registry: Arc<Registry>,
    /// Snapshots.
    pub storage: Arc<dyn Storage>,
    /// Threads.
    pub threads: Threads,
    /// When a TaskManager counts as lost.
    pub resources: Config,
    /// Which JobManager it is: larger than any that its TaskManagers have seen before.
    pub leader: LeaderId,
    /// The cluster's own configuration of jobs, for what a job does not set itself.
    pub defaults: BTreeMap<String, String>,
}

/// Dispatcher, resource manager, and a job master for each job.
pub struct JobManager {
    services: JobManagerServices,
    pub(crate) results: ResultStores,
    resources: Arc<ResourceManager>,
    jobs: Mutex<BTreeMap<JobId, Job>>,
    submitted: AtomicU64,
    /// Snapshots that clients have begun.
    triggers: Triggers,
    questions: MetricsQuestions,
}

struct Job {
    mailbox: Arc<Mailbox<JobMessage>>,
    shared: Arc<JobShared>,
    graph: Arc<JobGraph>,
    /// After the end.
    last_metrics: Option<JobMetrics>,
}

impl JobManager {
    /// A JobManager without TaskManagers.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn start(services: JobManagerServices) -> Result<Arc<Self>> {
        let resources = ResourceManager::start(
            services.resources,
            services.leader,
            services.clock.clone(),
            &services.threads,
        )?;
        Ok(Arc::new(JobManager {
            services,
            results: ResultStores::default(),
            resources,
            jobs: Mutex::default(),
            submitted: AtomicU64::new(0),
            triggers: Triggers::default(),
            questions: MetricsQuestions::default(),
        }))
    }

    /// Which JobManager this is, for those that register.
    pub fn leader(&self) -> LeaderId {
        self.resources.leader()
    }

    /// Says how to reach a TaskManager, before it registers.
    pub fn join(&self, id: TaskManagerId, gateway: Arc<dyn TaskManagerGateway>) {
        self.resources.join(id, gateway);
    }

    /// The way to a TaskManager has ended: it is lost, unless it has joined by another way since.
    pub fn part(&self, id: TaskManagerId, gateway: &Arc<dyn TaskManagerGateway>, reason: &str) {
        self.resources.part(id, gateway, reason);
    }

    /// Total and free slots.
    pub fn slots(&self) -> (u32, u32) {
        self.resources.counts()
    }

    /// Runs a job.
    ///
    /// # Errors
    /// If the plan, its configuration, or what it is to be restored from is wrong. What goes wrong later is
    /// the job's failure.
    pub(crate) fn submit(self: &Arc<Self>, graph: &JobGraph) -> Result<JobDescription> {
        let mut graph = graph.clone();
        for (key, value) in &self.services.defaults {
            graph.configuration.entry(key.clone()).or_insert_with(|| value.clone());
        }
        // The job that runs is the one that was serialised.
        let json: Arc<str> = graph.to_json()?.into();
        let graph = JobGraph::from_json(&json)?;
        if graph.vertices.is_empty() {
            return Err(Error::invalid("the job has no operators"));
        }
        let JobManagerServices { clock, registry, storage, threads, .. } = &self.services;
        let now = clock.now();
        let mut options = JobOptions::parse(&graph.configuration)?;
        // Options that only operators and connectors read are checked here too, and not only when a task
        // starts.
        graph.configuration.iter().try_for_each(|(key, value)| flott_types::config::check(key, value))?;
        options.task.submitted_at = now;
        let context = options.task.table_context()?;
        let enumerators = Enumerators::new(&graph, registry, &context)?;
        let (two_phase, global) = sinks(&graph, registry, &context)?;
        let collected = collected(&graph)?;
        let job = self.new_job_id();
        let identity = Identity::of(&graph);
        let begun = storage.begin(
            &Place { job, configuration: &graph.configuration },
            &Start {
                identity: &identity,
                restore: options.restore_path.as_deref(),
                commits: two_phase,
                allow_older: options.allow_older,
                now,
            },
        )?;
        let beginning = Beginning::new(&graph, &begun);
        let shared = JobShared::new(job, graph.name.clone(), beginning, now, enumerators.all_bounded());
        let mode = graph.configuration.get("execution.runtime-mode");
        shared.update(|info| info.is_batch = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("batch")));
        let shared = Arc::new(shared);
        let is_leased = begun.is_leased;
        let (initial, restored_from) = match begun.origin {
            Origin::Snapshot { manifest, url } => (Some(Arc::from(manifest)), Some(url)),
            Origin::Anew | Origin::Nothing { .. } => (None, None),
            Origin::Finished { .. } => return Ok(self.finished_before(shared, graph, collected)),
        };
        let checkpointing = options.checkpoints.interval.is_some();
        let release = match (checkpointing, options.task.mode) {
            (true, Mode::ExactlyOnce) => Release::OnCheckpoint,
            (true, Mode::AtLeastOnce) => Release::AtOnce,
            (false, _) => Release::AtOnceUnlessRestarted,
        };
        let store = || Arc::new(ResultStore::new(release, &options.task.configuration));
        let results = collected.is_some().then(store);
        let (mailbox, received) = Mailbox::new();
        let mailbox = Arc::new(mailbox);
        let savepoint_dir = options.savepoint_dir.clone();
        let own = mailbox.clone();
        let graph = Arc::new(graph);
        let setup = JobSetup {
            job,
            graph: (*graph).clone(),
            json,
            submitted_at: now,
            final_checkpoint: two_phase || checkpointing,
            options,
            enumerators,
            global,
            key: identity.key,
            initial,
            restored_from,
            is_leased,
            commits: two_phase,
            clock: clock.clone(),
            storage: storage.clone(),
            results: results.clone(),
            shared: shared.clone(),
            threads: threads.clone(),
            resources: self.resources.clone(),
            own: Arc::new(move |message| {
                own.send(message);
            }),
        };
        let master = JobMaster::new(setup).inspect_err(|_| self.came_to_nothing(job, &graph, now))?;
        if let Some(store) = results {
            self.results.add(job, store);
        }
        self.resources.add_job(job, mailbox.clone());
        let (planned, own_graph) = (graph.clone(), graph.clone());
        let entry = Job { mailbox, shared: shared.clone(), graph, last_metrics: None };
        self.remember(job, entry);
        let manager = self.clone();
        let name = format!("jobmaster {}", shared.name);
        let watched = shared.clone();
        let clock = clock.clone();
        let spawned = threads.spawn(&name, move || {
            let ran = guard("job master", || {
                master.run(&received, || manager.ended(job));
                Ok(())
            });
            if let Err(error) = ran {
                // A defect; but a client that waits must not wait for ever, nor tasks run on.
                manager.came_to_nothing(job, &planned, clock.now());
                manager.resources.remove_job(job);
                if let Some(results) = manager.results.get(job) {
                    results.ended(Err(error.to_string()));
                }
                manager.ended(job);
                let failure = Failure::new(&error, clock.now());
                watched.update(|info| {
                    info.status = JobStatus::Failed;
                    info.failure = Some(failure);
                });
            }
        });
        if let Err(error) = spawned {
            // There never was such a job.
            self.jobs.lock().remove(&job);
            self.resources.remove_job(job);
            self.results.remove(job);
            self.came_to_nothing(job, &own_graph, now);
            return Err(error);
        }
        Ok(description(&shared, collected, savepoint_dir))
    }

    /// A job that has finished at an earlier start, and was to continue from there: there is nothing to do.
    fn finished_before(
        self: &Arc<Self>,
        shared: Arc<JobShared>,
        graph: JobGraph,
        collected: Option<Schema>,
    ) -> JobDescription {
        let now = self.services.clock.now();
        shared.update(|info| {
            info.status = JobStatus::Finished;
            info.timestamps.push((JobStatus::Finished, now));
        });
        if collected.is_some() {
            let store = ResultStore::new(Release::AtOnce, &graph.configuration);
            store.ended(Ok(()));
            self.results.add(shared.job, Arc::new(store));
        }
        // Nobody reads it: who asks for something is told that the job has ended.
        let mailbox = Arc::new(Mailbox::new().0);
        let (job, graph) = (shared.job, Arc::new(graph));
        let last_metrics = Some(JobMetrics::default());
        self.remember(job, Job { mailbox, shared: shared.clone(), graph, last_metrics });
        description(&shared, collected, None)
    }

    /// A start that has no job master to note its end.
    fn came_to_nothing(&self, job: JobId, graph: &JobGraph, now: Timestamp) {
        let place = Place { job, configuration: &graph.configuration };
        if let Err(error) = self.services.storage.end(&place, &End::new(Outcome::Failed, now)) {
            tracing::warn!(%job, %error, "the end of the job could not be recorded");
        }
        self.services.storage.release(&place);
    }

    /// Keeps what is known of a job, and forgets the oldest of those that have ended when there are many.
    fn remember(&self, job: JobId, entry: Job) {
        let mut jobs = self.jobs.lock();
        jobs.insert(job, entry);
        while jobs.len() > REMEMBERED {
            let start = |job: &Job| job.shared.lock().timestamps.first().map(|(_, at)| *at);
            let ended = jobs.iter().filter(|(_, job)| job.shared.lock().status.is_terminal());
            let Some(oldest) = ended.min_by_key(|(_, job)| start(job)).map(|(id, _)| *id) else { return };
            jobs.remove(&oldest);
            self.results.remove(oldest);
        }
    }

    /// The jobs, oldest first.
    pub fn jobs(&self) -> Vec<(JobId, String, JobStatus)> {
        let jobs = self.jobs.lock();
        let mut all: Vec<_> = jobs
            .values()
            .map(|job| {
                let info = job.shared.lock();
                let start = info.timestamps.first().map_or(0, |(_, at)| *at);
                (start, (job.shared.job, job.shared.name.clone(), info.status))
            })
            .collect();
        all.sort_by_key(|(start, (id, _, _))| (*start, *id));
        all.into_iter().map(|(_, job)| job).collect()
    }

    /// What a client has to know of a job that was submitted before. It does not get at collected rows.
    pub(crate) fn describe(&self, job: JobId) -> Option<JobDescription> {
        let jobs = self.jobs.lock();
        let entry = jobs.get(&job)?;
        let savepoint_dir = entry.graph.configuration.get("execution.checkpointing.savepoint-dir").cloned();
        Some(description(&entry.shared, None, savepoint_dir))
    }

    /// The way for clients.
    pub fn dispatcher(self: &Arc<Self>) -> Arc<dyn DispatcherGateway> {
        Arc::new(Dispatcher(self.clone()))
    }

    pub(crate) fn task_managers(&self) -> Vec<TaskManagerInfo> {
        self.resources.task_managers()
    }

    pub(crate) fn graph(&self, job: JobId) -> Option<Arc<JobGraph>> {
        self.jobs.lock().get(&job).map(|job| job.graph.clone())
    }

    /// The state of a job.
    pub(crate) fn shared(&self, job: JobId) -> Option<Arc<JobShared>> {
        self.jobs.lock().get(&job).map(|job| job.shared.clone())
    }

    pub(crate) fn triggers(&self) -> &Triggers {
        &self.triggers
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.services.clock.now()
    }

    /// Lets a job master do what it was told, and what the clock says is due; and says whether it expects
    /// nothing more then from its tasks and its storage.
    pub(crate) fn settle(&self, job: JobId) -> bool {
        let (answer, answered) = sync_channel(1);
        // A job that has ended answers nothing.
        let idle = !self.tell(job, JobMessage::Look(answer)) || answered.recv().unwrap_or(true);
        idle && self.shared(job).is_none_or(|shared| shared.lock().is_quiet())
    }

    /// The metrics of a job.
    pub(crate) fn metrics(&self, job: JobId) -> JobMetrics {
        let graph = match self.jobs.lock().get(&job) {
            None => return JobMetrics::default(),
            Some(Job { last_metrics: Some(metrics), .. }) => return metrics.clone(),
            Some(entry) => entry.graph.clone(),
        };
        JobMetrics::new(&graph, self.questions.ask(job, &self.resources))
    }

    /// Ends all jobs and waits for them; then tells the TaskManagers to leave.
    pub fn shutdown(&self, timeout: Duration) {
        let jobs: Vec<_> =
            self.jobs.lock().values().map(|job| (job.mailbox.clone(), job.shared.clone())).collect();
        for (mailbox, _) in &jobs {
            mailbox.send(JobMessage::Suspend);
        }
        // All together, not one after the other.
        let clock = SystemClock::new();
        for (_, shared) in &jobs {
            let left = timeout.saturating_sub(Duration::from_nanos(clock.nanos()));
            if !shared.wait(left, |info| info.status.is_terminal()) {
                tracing::warn!(job = %shared.job, "the job did not end in time");
            }
        }
        self.resources.tell_all(&ToTaskManager::Shutdown);
        self.resources.close();
    }

    /// A task has rows for the client.
    fn collected(&self, from: CollectorId, said: FromCollector) {
        // Those of a job that has ended nobody wants.
        let Some(store) = self.results.get(from.job) else { return };
        match store.receive(from, said) {
            Ok(credits) => self.credit(credits),
            Err(error) => _ = self.tell(from.job, JobMessage::Uncollected(error)),
        }
    }

    /// Tasks may go on sending rows.
    pub(crate) fn credit(&self, credits: Credits) {
        for (to, rows) in credits {
            // One whose TaskManager is lost sends nothing any more.
            self.resources.send_work(to.task_manager, Work::Credit { to, rows });
        }
    }

    /// Time that has passed is acted on.
    pub(crate) fn tick(&self) {
        self.resources.tick();
    }

    /// The last look at a job before its status says that it has ended.
    fn ended(&self, job: JobId) {
        let metrics = self.metrics(job);
        self.results.job_ended(job);
        if let Some(entry) = self.jobs.lock().get_mut(&job) {
            entry.last_metrics = Some(metrics);
        }
        for member in self.resources.members() {
            // A lost one has nothing left to forget.
            member.gateway.send(ToTaskManager::Work(member.slot.session, Work::Forget(job)));
        }
    }

    /// Unique within the process and, by the clock, beyond it; nothing more is asked of it.
    fn new_job_id(&self) -> JobId {
        let count = self.submitted.fetch_add(1, Ordering::Relaxed);
        let clock = &self.services.clock;
        let mix = |mut x: u64| {
            x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            x ^ (x >> 31)
        };
        let high = mix(clock.now() as u64 ^ (u64::from(std::process::id()) << 42));
        let low = mix(clock.nanos() ^ high.rotate_left(17) ^ (count << 48));
        JobId((u128::from(high) << 64) | u128::from(low))
    }
}

impl JobManager {
    /// Returns whether the job still exists to read it.
    pub(crate) fn tell(&self, job: JobId, message: JobMessage) -> bool {
        let mailbox = self.jobs.lock().get(&job).map(|job| job.mailbox.clone());
        mailbox.is_some_and(|mailbox| mailbox.send(message))
    }
}

impl JobManagerGateway for JobManager {
    fn send(&self, message: ToJobManager) -> bool {
        match message {
            ToJobManager::Register { task_manager, session: Session { leader, number }, slots } => {
                if leader != self.leader() {
                    tracing::warn!(?task_manager, ?leader, "it registers with another JobManager");
                    return true;
                }
                self.resources.tell(Event::Register { task_manager, number, slots });
            }
            ToJobManager::Heartbeat { task_manager, session } => {
                self.resources.tell(Event::Heartbeat { task_manager, session });
            }
            ToJobManager::Report { job, attempt, task, report } => {
                self.tell(job, JobMessage::Report(attempt, task, report));
            }
            ToJobManager::Abandoned { job, attempt, task, failure } => {
                self.tell(job, JobMessage::Abandoned(attempt, task, failure));
            }
            ToJobManager::Collected(from, said) => self.collected(from, said),
            ToJobManager::Metrics { question, tasks } => self.questions.answered(question, tasks),
            ToJobManager::Returned { job, attempt, task } => {
                self.resources.tell(Event::Returned(Hanging { job, attempt, task }));
            }
        }
        true
    }
}

fn description(shared: &JobShared, results: Option<Schema>, savepoint_dir: Option<String>) -> JobDescription {
    JobDescription {
        job: shared.job,
        name: shared.name.clone(),
        beginning: shared.beginning.clone(),
        results,
        savepoint_dir,
        info: shared.lock().clone(),
    }
}

/// The columns that the job collects.
fn collected(graph: &JobGraph) -> Result<Option<Schema>> {
    let operators = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    let mut collects = operators.filter(|operator| operator.node.spec == OperatorSpec::Collect);
    let schema = collects.next().map(|operator| operator.inputs.first().cloned().unwrap_or_default());
    if collects.next().is_some() {
        return Err(Error::unsupported("a job that collects more than one result"));
    }
    Ok(schema)
}
