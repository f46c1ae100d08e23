//! The TaskManager: starts tasks, passes messages on to them, and their reports to the JobManager.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;

use flott_checkpoint::{Attempt, TaskId};
use flott_plan::JobGraph;
use flott_runtime::{
    Failure, Reports, TaskCommand, TaskDeployment, TaskEnvironment, TaskHandle, TaskMetricsReport,
    TaskOptions, TaskReport,
};
use flott_types::{FastMap, JobId, Result};
use parking_lot::Mutex;

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
        job_manager: &dyn JobManagerGateway,
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
}

impl Worker {
    fn run(mut self, received: Receiver<ToTaskManager>) {
        for message in received {
            match message {
                ToTaskManager::Deploy(deploy) => self.deploy(deploy),
                ToTaskManager::Command { job, attempt, task: Some(task), command } => {
                    if let Some(handle) = self.tasks.lock().get(&(job, attempt, task)) {
                        handle.send(command);
                    }
                }
                ToTaskManager::Command { job, attempt, task: None, command } => {
                    for ((_, _, _), handle) in
                        self.tasks.lock().iter().filter(|(key, _)| (key.0, key.1) == (job, attempt))
                    {
                        handle.send(command.clone());
                    }
                }
                ToTaskManager::Forget(job) => self.forget(job),
                ToTaskManager::Shutdown => break,
            }
            self.under_way.fetch_sub(1, Ordering::SeqCst);
        }
        for (_, handle) in self.tasks.lock().drain() {
            handle.send(TaskCommand::Cancel);
        }
    }

    fn forget(&mut self, job: JobId) {
        self.graphs.remove(&job);
        // They have ended, unless their job master has died.
        self.tasks
            .lock()
            .extract_if(|(of, _, _), _| *of == job)
            .for_each(|(_, handle)| handle.send(TaskCommand::Cancel));
    }

    fn deploy(&mut self, deploy: Deploy) {
        let Deploy { job, attempt, graph, submitted_at, drained, tasks } = deploy;
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
                .map(|deployment| TaskDeployment { drained, ..deployment })
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
        options.query_time = submitted_at;
        let plan = (Arc::new(graph), options);
        self.graphs.insert(job, plan.clone());
        Ok(plan)
    }

    fn failed(&self, job: JobId, attempt: Attempt, task: TaskId, error: &flott_types::Error) {
        let failure = Failure::new(error, self.environment.clock.now());
        self.environment.reports.report(job, attempt, task, TaskReport::Failed(failure));
    }
}
