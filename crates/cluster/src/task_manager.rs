//! The TaskManager: starts tasks, passes messages on to them, and their reports to the JobManager.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use flott_checkpoint::{Attempt, TaskId};
use flott_plan::JobGraph;
use flott_runtime::{
    Failure, Reports, TaskCommand, TaskDeployment, TaskEnvironment, TaskHandle, TaskMetricsReport,
    TaskOptions, TaskReport,
};
use flott_types::{FastMap, JobId, Result};
use parking_lot::Mutex;

use crate::leaving::{Leaver, Leaving};
use crate::messages::{Deploy, TaskManagerId, ToJobManager, ToTaskManager};
use crate::transport::{JobManagerGateway, Mailbox, TaskManagerGateway};

/// A TaskManager of this process.
pub struct TaskManager {
    mailbox: Mailbox<ToTaskManager>,
    tasks: Arc<Tasks>,
    /// Messages that were sent and are not done.
    under_way: Arc<AtomicUsize>,
}

type Tasks = Mutex<FastMap<(JobId, Attempt, TaskId), TaskHandle>>;

/// Reports of tasks as messages.
pub(crate) struct ReportsToJobManager(pub(crate) Arc<dyn JobManagerGateway>);

impl Reports for ReportsToJobManager {
    fn report(&self, job: JobId, attempt: Attempt, task: TaskId, report: TaskReport) {
        self.0.send(ToJobManager::Report { job, attempt, task, report });
    }
}

impl TaskManager {
    /// Starts a TaskManager and registers it with the JobManager.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn start(
        id: TaskManagerId,
        slots: u32,
        environment: TaskEnvironment,
        job_manager: Arc<dyn JobManagerGateway>,
        register: impl FnOnce(Arc<dyn TaskManagerGateway>),
    ) -> Result<Arc<Self>> {
        let (mailbox, received) = Mailbox::new();
        let tasks = Arc::new(Tasks::default());
        let under_way = Arc::new(AtomicUsize::new(0));
        let worker = Worker {
            environment: environment.clone(),
            tasks: tasks.clone(),
            graphs: FastMap::default(),
            under_way: under_way.clone(),
            leaving: Leaving::default(),
            job_manager: job_manager.clone(),
        };
        environment.threads.spawn(&format!("taskmanager-{}", id.0), move || worker.run(received))?;
        let manager = Arc::new(TaskManager { mailbox, tasks, under_way });
        register(manager.clone());
        job_manager.send(ToJobManager::Register { task_manager: id, slots });
        Ok(manager)
    }

    /// Whether it has done all that it was told.
    pub(crate) fn is_idle(&self) -> bool {
        self.under_way.load(Ordering::SeqCst) == 0
    }
}

impl TaskManagerGateway for TaskManager {
    fn send(&self, message: ToTaskManager) {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        if !self.mailbox.send(message) {
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            tracing::debug!("a message to a TaskManager that has left is dropped");
        }
    }

    fn metrics(&self, job: JobId) -> Vec<(TaskId, TaskMetricsReport)> {
        let tasks: Vec<_> = self
            .tasks
            .lock()
            .iter()
            .filter(|((of, _, _), _)| *of == job)
            .map(|((_, _, task), handle)| (*task, handle.clone()))
            .collect();
        tasks.into_iter().map(|(task, handle)| (task, handle.metrics())).collect()
    }
}

struct Worker {
    environment: TaskEnvironment,
    tasks: Arc<Tasks>,
    /// The plans of the jobs here, read once.
    graphs: FastMap<JobId, (Arc<JobGraph>, TaskOptions)>,
    under_way: Arc<AtomicUsize>,
    /// Tasks that were told to leave.
    leaving: Leaving,
    job_manager: Arc<dyn JobManagerGateway>,
}

impl Worker {
    fn run(mut self, received: Receiver<ToTaskManager>) {
        loop {
            let message = match self.leaving.look_in() {
                None => received.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(time) => received.recv_timeout(time),
            };
            match message {
                Ok(ToTaskManager::Shutdown) => {
                    self.under_way.fetch_sub(1, Ordering::SeqCst);
                    break;
                }
                Ok(message) => {
                    self.message(message);
                    self.under_way.fetch_sub(1, Ordering::SeqCst);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let now = self.environment.clock.now();
            self.leaving.look(now).into_iter().for_each(|told| self.job_manager.send(told));
        }
        for (_, handle) in self.tasks.lock().drain() {
            handle.send(TaskCommand::Cancel);
        }
    }

    fn message(&mut self, message: ToTaskManager) {
        match message {
            ToTaskManager::Deploy(deploy) => self.deploy(deploy),
            ToTaskManager::Command { job, attempt, task, command } => {
                let tasks = self.tasks.lock();
                let meant = tasks.iter().filter(|((of, at, id), _)| {
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
            ToTaskManager::Forget(job) => self.forget(job),
            ToTaskManager::Shutdown => {}
        }
    }

    fn forget(&mut self, job: JobId) {
        // They have ended, unless their job master has died.
        let left = self.tasks.lock().extract_if(|(of, _, _), _| *of == job).collect::<Vec<_>>();
        for (key, handle) in left {
            handle.send(TaskCommand::Cancel);
            leaves(&mut self.leaving, &self.graphs, key, &handle, &self.environment);
        }
        self.graphs.remove(&job);
    }

    fn deploy(&mut self, deploy: Deploy) {
        let Deploy { job, attempt, graph, submitted_at, drained, restored, tasks } = deploy;
        // The tasks of the attempt before have ended, or this one would not begin.
        self.tasks.lock().retain(|(of, old, _), _| *of != job || *old == attempt);
        let plan = match self.plan(job, &graph, submitted_at) {
            Ok(plan) => plan,
            Err(error) => {
                for (task, _) in tasks {
                    self.failed(job, attempt, task, &error);
                }
                return;
            }
        };
        for (task, restore) in tasks {
            let started = TaskDeployment::new(&plan.0, job, attempt, task, restore, plan.1.clone())
                .map(|deployment| TaskDeployment { drained, restored, ..deployment })
                .and_then(|deployment| TaskHandle::start(deployment, self.environment.clone()));
            match started {
                Ok(handle) => {
                    self.tasks.lock().insert((job, attempt, task), handle);
                }
                Err(error) => self.failed(job, attempt, task, &error),
            }
        }
    }

    fn plan(&mut self, job: JobId, json: &str, submitted_at: i64) -> Result<(Arc<JobGraph>, TaskOptions)> {
        if let Some(plan) = self.graphs.get(&job) {
            return Ok(plan.clone());
        }
        let graph = JobGraph::from_json(json)?;
        let mut options = TaskOptions::parse(&graph.configuration)?;
        options.submitted_at = submitted_at;
        let plan = (Arc::new(graph), options);
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
    graphs: &FastMap<JobId, (Arc<JobGraph>, TaskOptions)>,
    (job, attempt, task): (JobId, Attempt, TaskId),
    handle: &TaskHandle,
    environment: &TaskEnvironment,
) {
    let Some((graph, options)) = graphs.get(&job) else { return };
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
