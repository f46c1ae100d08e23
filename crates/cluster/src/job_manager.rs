//! The JobManager: accepts jobs, gives them slots, runs a job master for each, and forwards reports of tasks
//! to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use flott_checkpoint::JobStatus;
use flott_checkpoint::resources::{Config, Event, Hanging, LeaderId, Session, TaskManagerInfo};
use flott_connector::Registry;
use flott_plan::{JobGraph, Schema};
use flott_runtime::{Failure, Threads};
use flott_storage::block_on;
use flott_types::{Clock, JobId, Result, SystemClock, Timestamp};
use parking_lot::Mutex;

use crate::archive::{Archive, ArchivedJob};
use crate::client_messages::{DispatcherGateway, JobDescription};
use crate::collected::{CollectorId, FromCollector};
use crate::dispatcher::{Dispatcher, Triggers};
use crate::high_availability::JobRegistry;
use crate::inspection::{Inspection, ProcessAnswer, ProcessQuestion, Processes};
use crate::job_master::JobMessage;
use crate::messages::{Answer, Question, TaskManagerId, ToJobManager, ToTaskManager, Work};
use crate::metrics::JobMetrics;
use crate::programs::{Hosted, Programs};
use crate::questions::Questions;
use crate::resource_manager::ResourceManager;
use crate::results::{Credits, ResultStores};
use crate::status::JobShared;
use crate::storage::Storage;
use crate::takeover::Takeovers;
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
    /// Where the next leader finds the jobs.
    pub high_availability: Option<JobRegistry>,
    /// What is kept of jobs that have ended.
    pub archive: Option<Archive>,
    /// Programs that are uploaded, and those that run.
    pub programs: Option<Programs>,
    /// The session that has started this process, as the JobManager of a program.
    pub hosted: Option<Arc<Hosted>>,
}

/// Dispatcher, resource manager, and a job master for each job.
pub struct JobManager {
    pub(crate) services: JobManagerServices,
    pub(crate) results: ResultStores,
    pub(crate) resources: Arc<ResourceManager>,
    /// By the ids under which they run.
    pub(crate) jobs: Mutex<BTreeMap<JobId, Job>>,
    /// Those that run under another id than the one that clients know.
    pub(crate) aliases: Mutex<BTreeMap<JobId, JobId>>,
    /// The jobs of earlier leaders that do not run yet.
    pub(crate) takeovers: Mutex<Takeovers>,
    pub(crate) submitted: AtomicU64,
    /// Snapshots that clients have begun.
    triggers: Triggers,
    questions: Questions,
    inspection: Inspection,
}

pub(crate) struct Job {
    pub(crate) mailbox: Arc<Mailbox<JobMessage>>,
    pub(crate) shared: Arc<JobShared>,
    /// As parallel as it runs.
    pub(crate) graph: Arc<Mutex<Arc<JobGraph>>>,
    /// After the end.
    pub(crate) last_metrics: Option<JobMetrics>,
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
            services.hosted.clone(),
        )?;
        let inspection = Inspection::new(services.threads.clone(), Arc::default());
        Ok(Arc::new(JobManager {
            services,
            results: ResultStores::default(),
            resources,
            jobs: Mutex::default(),
            aliases: Mutex::default(),
            takeovers: Mutex::default(),
            submitted: AtomicU64::new(0),
            triggers: Triggers::default(),
            questions: Questions::default(),
            inspection,
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

    /// Keeps what is known of a job, and forgets the oldest of those that have ended when there are many.
    pub(crate) fn remember(&self, job: JobId, entry: Job) {
        let forgotten = self.remember_some(job, entry);
        let Some(registry) = &self.services.high_availability else { return };
        for job in forgotten.into_iter().filter(|job| registry.knows(*job)) {
            if let Err(error) = block_on(registry.forget(job)) {
                tracing::warn!(%job, %error, "the record of a job that has ended could not be deleted");
            }
        }
    }

    /// Returns those that are forgotten.
    fn remember_some(&self, job: JobId, entry: Job) -> Vec<JobId> {
        let mut forgotten = Vec::new();
        let mut jobs = self.jobs.lock();
        let public = entry.shared.job;
        if public != job {
            // In the place of what clients have seen of it until now.
            self.aliases.lock().insert(public, job);
            jobs.remove(&public);
        }
        jobs.insert(job, entry);
        while jobs.len() > REMEMBERED {
            let start = |job: &Job| job.shared.lock().timestamps.first().map(|(_, at)| *at);
            let ended = jobs.iter().filter(|(_, job)| job.shared.lock().status.is_terminal());
            let Some(oldest) = ended.min_by_key(|(_, job)| start(job)).map(|(id, _)| *id) else { break };
            if let Some(job) = jobs.remove(&oldest) {
                self.aliases.lock().remove(&job.shared.job);
                forgotten.push(job.shared.job);
            }
            self.results.remove(oldest);
        }
        forgotten
    }

    /// Looks at a job that clients know by this id.
    pub(crate) fn of_clients<T>(&self, job: JobId, look: impl FnOnce(&Job) -> T) -> Option<T> {
        let jobs = self.jobs.lock();
        jobs.get(&self.run_of(job)).map(look)
    }

    /// The id under which a job runs that a client knows by this one.
    pub(crate) fn run_of(&self, job: JobId) -> JobId {
        self.aliases.lock().get(&job).copied().unwrap_or(job)
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
        drop(jobs);
        all.extend(self.services.programs.iter().flat_map(Programs::jobs));
        all.sort_by_key(|(start, (id, _, _))| (*start, *id));
        all.into_iter().map(|(_, job)| job).collect()
    }

    /// What a client has to know of a job that was submitted before. It does not get at collected rows.
    pub(crate) fn describe(&self, job: JobId) -> Option<JobDescription> {
        self.of_clients(job, |entry| {
            let savepoint_dir =
                entry.graph.lock().configuration.get("execution.checkpointing.savepoint-dir").cloned();
            description(&entry.shared, None, savepoint_dir)
        })
    }

    /// The way for clients.
    pub fn dispatcher(self: &Arc<Self>) -> Arc<dyn DispatcherGateway> {
        Arc::new(Dispatcher(self.clone()))
    }

    pub(crate) fn task_managers(&self) -> Vec<TaskManagerInfo> {
        self.resources.task_managers()
    }

    pub(crate) fn graph(&self, job: JobId) -> Option<Arc<JobGraph>> {
        self.of_clients(job, |job| job.graph.lock().clone())
    }

    /// The state of a job.
    pub(crate) fn shared(&self, job: JobId) -> Option<Arc<JobShared>> {
        self.of_clients(job, |job| job.shared.clone())
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
        let (job, (answer, answered)) = (self.run_of(job), sync_channel(1));
        // A job that has ended answers nothing.
        let idle = !self.tell(job, JobMessage::Look(answer)) || answered.recv().unwrap_or(true);
        idle && self.shared(job).is_none_or(|shared| shared.lock().is_quiet())
    }

    /// The metrics of a job.
    pub(crate) fn metrics(&self, job: JobId) -> JobMetrics {
        let graph = match self.jobs.lock().get(&job) {
            None => return JobMetrics::default(),
            Some(Job { last_metrics: Some(metrics), .. }) => return metrics.clone(),
            Some(entry) => entry.graph.lock().clone(),
        };
        let answers = self.questions.ask(&Question::Metrics(job), self.resources.members());
        let reports = answers.into_iter().flat_map(|(_, answer)| match answer {
            Answer::Metrics(tasks) => tasks,
            Answer::Process(_) => Vec::new(),
        });
        JobMetrics::new(&graph, reports.collect())
    }

    /// Asks processes about themselves; those that answer soon are told, the JobManager without an id.
    pub(crate) fn inspect(
        &self,
        of: Processes,
        question: ProcessQuestion,
    ) -> Vec<(Option<TaskManagerId>, ProcessAnswer)> {
        let mut members = match of {
            Processes::JobManager => return vec![(None, self.inspection.answer(&question))],
            Processes::TaskManager(_) | Processes::TaskManagers => self.resources.members(),
        };
        if let Processes::TaskManager(id) = of {
            members.retain(|member| member.slot.task_manager == id);
        }
        let answers = self.questions.ask(&Question::Process(question), members).into_iter();
        let of_processes = answers.filter_map(|(by, answer)| match answer {
            Answer::Process(answer) => Some((Some(by), answer)),
            Answer::Metrics(_) => None,
        });
        of_processes.collect()
    }

    /// Tells the TaskManagers that nothing will be deployed any more, and waits for them to leave; unless a job is
    /// still to be continued, by another JobManager.
    pub fn dissolve(&self, timeout: Duration) {
        let jobs = self.jobs();
        if jobs.is_empty() || !jobs.iter().all(|(_, _, status)| status.is_globally_terminal()) {
            return;
        }
        let failed = jobs.iter().any(|(_, _, status)| *status == JobStatus::Failed);
        self.resources.tell_all(&ToTaskManager::Over { failed });
        self.resources.await_leaving(timeout);
    }

    /// Ends all jobs and waits for them; then tells the TaskManagers to leave.
    pub fn shutdown(&self, timeout: Duration) {
        self.close_takeovers();
        if let Some(programs) = &self.services.programs {
            programs.end();
        }
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
    pub(crate) fn ended(&self, job: JobId, how: Option<&(JobStatus, Option<Failure>)>) {
        let public = self.jobs.lock().get(&job).map(|job| job.shared.job);
        if let (Some(public), Some((status, failure))) = (public, how) {
            self.note_end_at_last(public, *status, failure.as_ref());
        }
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
}

impl JobManager {
    /// Keeps what is known of a job, if it has ended for good.
    pub(crate) fn archive(&self, job: JobId) {
        if self.services.archive.is_none() && self.services.hosted.is_none() {
            return;
        }
        if let Some(registry) = &self.services.high_availability
            && block_on(registry.leading().check()).is_err()
        {
            // Its end was none: another leader continues the job.
            return;
        }
        let archived = self.jobs.lock().get(&job).and_then(|entry| {
            let description = description(&entry.shared, None, None);
            let has_ended = description.info.status.is_globally_terminal();
            let metrics = entry.last_metrics.clone().unwrap_or_default();
            has_ended.then(|| ArchivedJob::new(description, &entry.graph.lock(), metrics))
        });
        let Some(archived) = archived else { return };
        if let Some(archive) = &self.services.archive
            && let Err(error) = archive.keep(&archived)
        {
            let job = archived.description.job;
            tracing::warn!(%job, %error, "the job could not be archived for the history server");
        }
        if let Some(hosted) = &self.services.hosted {
            hosted.ended(archived);
        }
    }

    /// Returns whether the job still exists to read it.
    pub(crate) fn tell(&self, job: JobId, message: JobMessage) -> bool {
        let mailbox = self.jobs.lock().get(&job).map(|job| job.mailbox.clone());
        mailbox.is_some_and(|mailbox| mailbox.send(message))
    }

    /// The same for a job that clients know by this id. What is sent while it is being taken over reaches it.
    pub(crate) fn tell_public(&self, job: JobId, message: JobMessage) -> bool {
        self.of_clients(job, |job| job.mailbox.send(message)).unwrap_or(false)
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
            ToJobManager::Answer { task_manager, session, question, answer } => {
                // Numbers of another JobManager mean other questions.
                if session.leader == self.leader() {
                    self.questions.answered(task_manager, question, answer);
                }
            }
            ToJobManager::Worker { task_manager, report } => {
                if let Some(programs) = &self.services.programs {
                    programs.worker(task_manager, report);
                }
            }
            ToJobManager::Returned { job, attempt, task } => {
                self.resources.tell(Event::Returned(Hanging { job, attempt, task }));
            }
        }
        true
    }
}

pub(crate) fn description(
    shared: &JobShared,
    results: Option<Schema>,
    savepoint_dir: Option<String>,
) -> JobDescription {
    JobDescription {
        job: shared.job,
        name: shared.name.clone(),
        beginning: shared.beginning.clone(),
        results,
        savepoint_dir,
        info: shared.lock().clone(),
    }
}
