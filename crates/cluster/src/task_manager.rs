//! The TaskManager: starts tasks, passes messages on to them, and their reports to the JobManager.
//!
//! Whom it belongs to is decided by [`Membership`]: it does what a message of its session says, and nothing
//! else. When the session ends it stops its tasks, and registers again when they have left.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use flott_checkpoint::resources::membership::{self, Membership};
use flott_checkpoint::resources::{Config, LeaderId};
use flott_checkpoint::{Attempt, TaskId};
use flott_plan::JobGraph;
use flott_runtime::{
    Failure, Reports, Results, TaskCommand, TaskDeployment, TaskEnvironment, TaskHandle, TaskOptions,
    TaskReport,
};
use flott_types::{FastMap, JobId, Result};

use crate::collecting::{Collecting, CollectsHere};
use crate::inspection::Inspection;
use crate::leaving::{Leaver, Leaving};
use crate::messages::{Answer, Deploy, Question, Session, TaskManagerId, ToJobManager, ToTaskManager, Work};
use crate::programs::{WorkerOptions, Workers};
use crate::transport::{JobManagerGateway, Mailbox, TaskManagerGateway};

/// How often the clock is looked at: it may be one that a test moves.
const LOOK: i64 = 1_000;

/// What is said before a process ends, is written within this time.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// The parts of a TaskManager.
pub struct TaskManagerOptions {
    /// Its name.
    pub id: TaskManagerId,
    /// `taskmanager.numberOfTaskSlots`
    pub slots: u32,
    /// When it counts itself as lost.
    pub liveness: Config,
    /// The JobManager; `None` until one was found ([`TaskManager::found`]).
    pub leader: Option<LeaderId>,
    /// How workers of programs are started, if they are.
    pub workers: Option<WorkerOptions>,
    /// Whether the process ends when a task does not (`task.cancellation.timeout`): it is there for one job alone.
    pub ends_with_hanging_tasks: bool,
}

/// A TaskManager of this process.
pub struct TaskManager {
    mailbox: Arc<Mailbox<Inbox>>,
    /// Messages that were sent and are not done.
    under_way: Arc<AtomicUsize>,
}

/// A plan that was read, and its text.
type Plan = (Arc<JobGraph>, TaskOptions, Arc<str>);

type Tasks = FastMap<(JobId, Attempt, TaskId), TaskHandle>;

/// The messages to its thread.
enum Inbox {
    Message(ToTaskManager),
    /// A report could not be delivered.
    Undelivered,
    /// What the connection to the JobManager says.
    Connection(membership::Event),
}

/// Reports of tasks as messages.
struct ReportsToJobManager {
    job_manager: Arc<dyn JobManagerGateway>,
    own: Arc<Mailbox<Inbox>>,
    under_way: Arc<AtomicUsize>,
}

impl ReportsToJobManager {
    fn send(&self, message: ToJobManager) {
        if !self.job_manager.send(message) {
            self.under_way.fetch_add(1, Ordering::SeqCst);
            if !self.own.send(Inbox::Undelivered) {
                self.under_way.fetch_sub(1, Ordering::SeqCst);
            }
        }
    }
}

impl Reports for ReportsToJobManager {
    fn report(&self, job: JobId, attempt: Attempt, task: TaskId, report: TaskReport) {
        self.send(ToJobManager::Report { job, attempt, task, report });
    }
}

impl TaskManager {
    /// Starts a TaskManager and registers it with the JobManager.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn start(
        options: TaskManagerOptions,
        environment: impl FnOnce(Arc<dyn Reports>, Arc<dyn Results>) -> TaskEnvironment,
        job_manager: Arc<dyn JobManagerGateway>,
        join: impl FnOnce(Arc<dyn TaskManagerGateway>),
    ) -> Result<Arc<Self>> {
        let TaskManagerOptions { id, slots, liveness, leader, workers, ends_with_hanging_tasks } = options;
        let (mailbox, received) = Mailbox::new();
        let mailbox = Arc::new(mailbox);
        let under_way = Arc::new(AtomicUsize::new(0));
        let reports = Arc::new(ReportsToJobManager {
            job_manager: job_manager.clone(),
            own: mailbox.clone(),
            under_way: under_way.clone(),
        });
        let (sender, of_workers) = (reports.clone(), reports.clone());
        let collecting = Arc::new(Collecting::new(id, Arc::new(move |message| sender.send(message))));
        let environment = environment(reports, Arc::new(CollectsHere(collecting.clone())));
        let threads = environment.threads.clone();
        let report = move |report| of_workers.send(ToJobManager::Worker { task_manager: id, report });
        let workers =
            workers.map(|options| Workers::start(options, Arc::new(report), &threads)).transpose()?;
        let inspection = Arc::new(Inspection::new(threads.clone(), environment.memory.clone()));
        // A process that has died and comes back under its name has a later time.
        let first = environment.clock.now().unsigned_abs();
        let mut worker = Worker {
            id,
            slots,
            membership: Membership::new(liveness, first, slots),
            environment,
            collecting,
            tasks: Tasks::default(),
            graphs: FastMap::default(),
            under_way: under_way.clone(),
            leaving: Leaving::default(),
            withheld: 0,
            job_manager,
            inspection,
            workers,
            ends_with_hanging_tasks,
        };
        let manager = Arc::new(TaskManager { mailbox, under_way });
        join(manager.clone());
        if let Some(leader) = leader {
            worker.belong(membership::Event::Leader(leader));
        }
        threads.spawn(&format!("taskmanager-{}", id.0), move || worker.run(received))?;
        Ok(manager)
    }

    /// There is a connection to this JobManager.
    pub fn found(&self, leader: LeaderId) {
        self.tell(Inbox::Connection(membership::Event::Connected(leader)));
    }

    /// The connection that carried this session has ended.
    pub fn disconnected(&self, session: Session) {
        self.tell(Inbox::Connection(membership::Event::Unreachable(session)));
    }

    fn tell(&self, message: Inbox) -> bool {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let delivered = self.mailbox.send(message);
        if !delivered {
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            tracing::debug!("a message to a lost TaskManager is dropped");
        }
        delivered
    }

    /// Whether it has handled all its messages.
    pub(crate) fn is_idle(&self) -> bool {
        self.under_way.load(Ordering::SeqCst) == 0
    }
}

impl TaskManagerGateway for TaskManager {
    fn send(&self, message: ToTaskManager) -> bool {
        self.tell(Inbox::Message(message))
    }
}

struct Worker {
    id: TaskManagerId,
    slots: u32,
    membership: Membership,
    environment: TaskEnvironment,
    collecting: Arc<Collecting>,
    tasks: Tasks,
    /// The plans of the jobs here, read once.
    graphs: FastMap<JobId, Plan>,
    under_way: Arc<AtomicUsize>,
    /// Tasks that were told to leave.
    leaving: Leaving,
    /// Slots that were not announced, because tasks of an earlier session do not leave.
    withheld: u32,
    job_manager: Arc<dyn JobManagerGateway>,
    inspection: Arc<Inspection>,
    workers: Option<Workers>,
    ends_with_hanging_tasks: bool,
}

impl Worker {
    fn run(mut self, received: Receiver<Inbox>) {
        loop {
            let received = match self.wait() {
                None => received.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(time) => received.recv_timeout(time),
            };
            match received {
                Ok(Inbox::Message(ToTaskManager::Shutdown)) => {
                    self.under_way.fetch_sub(1, Ordering::SeqCst);
                    break;
                }
                Ok(received) => {
                    match received {
                        Inbox::Message(message) => self.message(message),
                        Inbox::Undelivered => self.unreachable(),
                        Inbox::Connection(event) => self.belong(event),
                    }
                    self.under_way.fetch_sub(1, Ordering::SeqCst);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.look();
        }
        for (_, handle) in self.tasks.drain() {
            handle.send(TaskCommand::Cancel);
        }
    }

    /// How long at most, until something is to be looked at.
    fn wait(&self) -> Option<Duration> {
        let silence = self.membership.next_deadline().map(|at| {
            let millis = at.saturating_sub(self.environment.clock.now()).clamp(0, LOOK);
            Duration::from_millis(millis.unsigned_abs())
        });
        self.leaving.look_in().into_iter().chain(silence).min()
    }

    /// Looks at the tasks that are leaving, and at the time.
    fn look(&mut self) {
        let now = self.environment.clock.now();
        for told in self.leaving.look(now) {
            let is_given_up = matches!(told, ToJobManager::Abandoned { .. });
            self.tell(told);
            if is_given_up && self.ends_with_hanging_tasks {
                tracing::error!("a task does not end, so this process does");
                std::thread::park_timeout(LAST_WORDS);
                std::process::exit(1);
            }
        }
        if self.membership.next_deadline().is_some_and(|at| at <= now) {
            self.belong(membership::Event::Tick);
        }
        if self.membership.is_leaving() && self.leaving.waited_for() == 0 {
            self.leaving.end_session();
            self.withheld = self.leaving.of_earlier_sessions();
            self.belong(membership::Event::AllLeft { slots: self.slots.saturating_sub(self.withheld) });
        }
        let withheld = self.leaving.of_earlier_sessions();
        if withheld < self.withheld {
            self.withheld = withheld;
            self.belong(membership::Event::Slots(self.slots.saturating_sub(withheld)));
        }
    }

    fn tell(&mut self, message: ToJobManager) {
        if !self.job_manager.send(message) {
            self.unreachable();
        }
    }

    fn unreachable(&mut self) {
        if let Some(session) = self.membership.session() {
            self.belong(membership::Event::Unreachable(session));
        }
    }

    /// Something that has to do with whom this TaskManager belongs to.
    fn belong(&mut self, event: membership::Event) {
        let task_manager = self.id;
        for action in self.membership.step(event, self.environment.clock.now()) {
            match action {
                membership::Action::Register { session, slots } => {
                    // One that is not delivered is sent again.
                    self.job_manager.send(ToJobManager::Register { task_manager, session, slots });
                }
                membership::Action::Answer(session) => {
                    self.tell(ToJobManager::Heartbeat { task_manager, session });
                }
                membership::Action::StopTasks { reason } => {
                    tracing::warn!(task_manager = task_manager.0, reason, "all tasks are stopped");
                    self.stop(|_| true);
                    self.workers.iter().for_each(Workers::stop_all);
                    self.graphs.clear();
                }
            }
        }
    }

    fn message(&mut self, message: ToTaskManager) {
        match message {
            ToTaskManager::Welcome(session) => self.belong(membership::Event::Welcome(session)),
            ToTaskManager::Heartbeat(session) => self.belong(membership::Event::Heartbeat(session)),
            ToTaskManager::Dismiss(session) => self.belong(membership::Event::Dismissed(session)),
            ToTaskManager::Work(session, work) if self.membership.accepts(session) => self.work(work),
            ToTaskManager::Work(..) => tracing::debug!("work of an ended session is ignored"),
            // Its process ends it.
            ToTaskManager::Over { .. } | ToTaskManager::Shutdown => {}
        }
    }

    fn work(&mut self, work: Work) {
        match work {
            Work::Deploy(deploy) => self.deploy(deploy),
            Work::Command { job, attempt, task, command } => {
                let meant = self.tasks.iter().filter(|((of, at, id), _)| {
                    (*of, *at) == (job, attempt) && task.is_none_or(|task| task == *id)
                });
                for ((_, _, id), handle) in meant {
                    handle.send(command.clone());
                    if command == TaskCommand::Cancel {
                        leaves(
                            &mut self.leaving,
                            &self.graphs,
                            (job, attempt, *id),
                            handle,
                            &self.environment,
                        );
                    }
                }
            }
            Work::Worker(order) => match &self.workers {
                Some(workers) => workers.order(order),
                None => tracing::error!("this TaskManager starts no workers of programs"),
            },
            Work::Credit { to, rows } => self.collecting.grant(to.job, to.attempt, to.subtask, rows),
            Work::Answer { question, what } => self.answer(question, what),
            Work::Forget(job) => {
                // They have ended, unless their job master has died.
                self.stop(|of| of == job);
                self.graphs.remove(&job);
                self.collecting.forget(job);
                self.environment.exchanges.forget(job);
            }
        }
    }

    fn answer(&mut self, question: u64, what: Question) {
        let (task_manager, Some(session)) = (self.id, self.membership.session()) else { return };
        let message = move |answer| ToJobManager::Answer { task_manager, session, question, answer };
        match what {
            Question::Metrics(job) => {
                let own = self.tasks.iter().filter(|((of, _, _), _)| *of == job);
                let tasks = own.map(|((_, _, task), handle)| (*task, handle.metrics())).collect();
                self.tell(message(Answer::Metrics(tasks)));
            }
            // Files are read: nothing else waits for that. Whoever asks waits for a limited time.
            Question::Process(what) => {
                let (inspection, job_manager) = (self.inspection.clone(), self.job_manager.clone());
                let answers = move || {
                    job_manager.send(message(Answer::Process(inspection.answer(&what))));
                };
                if let Err(error) = self.environment.threads.spawn("inspection", answers) {
                    tracing::warn!(%error, "a question about this process is not answered");
                }
            }
        }
    }

    /// Ends all tasks of such jobs.
    fn stop(&mut self, whose: impl Fn(JobId) -> bool) {
        let left = self.tasks.extract_if(|(of, _, _), _| whose(*of)).collect::<Vec<_>>();
        for (key, handle) in left {
            handle.send(TaskCommand::Cancel);
            leaves(&mut self.leaving, &self.graphs, key, &handle, &self.environment);
        }
    }

    fn deploy(&mut self, deploy: Deploy) {
        let Deploy { job, attempt, graph, submitted_at, drained, restored, succession, homes, tasks } =
            deploy;
        // The tasks of the attempt before have ended, or this one would not begin.
        self.tasks.retain(|(of, old, _), _| *of != job || *old == attempt);
        let plan = match self.plan(job, &graph, submitted_at) {
            Ok(plan) => plan,
            Err(error) => {
                for (task, _) in tasks {
                    self.failed(job, attempt, task, &error);
                }
                return;
            }
        };
        self.environment.exchanges.place(job, attempt, &homes);
        for (task, restore) in tasks {
            let started = TaskDeployment::new(&plan.0, job, attempt, task, restore, plan.1.clone())
                .map(|deployment| TaskDeployment { drained, restored, succession, ..deployment })
                .and_then(|deployment| TaskHandle::start(deployment, self.environment.clone()));
            match started {
                Ok(handle) => {
                    self.tasks.insert((job, attempt, task), handle);
                }
                Err(error) => self.failed(job, attempt, task, &error),
            }
        }
    }

    fn plan(&mut self, job: JobId, json: &Arc<str>, submitted_at: i64) -> Result<Plan> {
        // It is another one when the job has been rescaled.
        if let Some(plan) = self.graphs.get(&job)
            && plan.2 == *json
        {
            return Ok(plan.clone());
        }
        let graph = JobGraph::from_json(json)?;
        self.environment.operators.check(&graph)?;
        let mut options = TaskOptions::parse(&graph.configuration)?;
        options.submitted_at = submitted_at;
        let plan = (Arc::new(graph), options, json.clone());
        self.graphs.insert(job, plan.clone());
        Ok(plan)
    }

    fn failed(&self, job: JobId, attempt: Attempt, task: TaskId, error: &flott_types::Error) {
        let failure = Failure::new(error, self.environment.clock.now());
        self.environment.reports.report(job, attempt, task, TaskReport::Failed(failure));
    }
}

/// A task was told to leave: it is watched until it has.
fn leaves(
    leaving: &mut Leaving,
    graphs: &FastMap<JobId, Plan>,
    (job, attempt, task): (JobId, Attempt, TaskId),
    handle: &TaskHandle,
    environment: &TaskEnvironment,
) {
    let Some((graph, options, _)) = graphs.get(&job) else { return };
    let Some(vertex) = graph.vertices.get(task.vertex.0 as usize) else { return };
    let leaver = Leaver {
        job,
        attempt,
        task,
        handle: handle.clone(),
        name: format!("{} ({}/{})", vertex.name, task.subtask.0 + 1, vertex.parallelism),
        operators: vertex.operators.iter().map(|operator| operator.node.name.clone()).collect(),
        interval: options.cancellation_interval,
        timeout: options.cancellation_timeout,
    };
    leaving.add(leaver, environment.clock.now());
}
