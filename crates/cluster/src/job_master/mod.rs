//! The job master: drives one job. It contains no decision of its own about checkpoints and recovery; it asks the state
//! machines of `flott_checkpoint`, executes what they say, and tells them what came of it.

mod actions;
mod checkpoints;
mod recovery;
mod reports;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use flott_checkpoint::coordinator::{self, Coordinator, Request};
use flott_checkpoint::execution::{self, Execution};
use flott_checkpoint::manifest::{Manifest, TaskSnapshot};
use flott_checkpoint::{Attempt, JobStatus, RequestId, TaskId};
use flott_plan::JobGraph;
use flott_runtime::{Failure, TaskCommand, TaskReport, Threads};
use flott_types::{
    CheckpointId, Clock, Error, FastMap, FastSet, JobId, OperatorUid, Result, SubtaskIndex, Timestamp,
};

use crate::alignment::Alignments;
use crate::enumerators::Enumerators;
use crate::messages::ToTaskManager;
use crate::options::JobOptions;
use crate::results::ResultStore;
use crate::status::JobShared;
use crate::storage::{Place, Storage};
use crate::transport::TaskManagerGateway;
use crate::worker::Worker;

/// What a job master is told.
pub(crate) enum JobMessage {
    /// By a task.
    Report(Attempt, TaskId, TaskReport),
    /// By a user.
    Cancel,
    /// By a user; the answer is the path.
    Request(Request, Answer),
    /// By its own storage thread.
    Stored(CheckpointId, Result<String>),
    /// The JobManager goes away.
    Suspend,
    /// Somebody wants to know when everything before is done, and what is due by the clock.
    Look(SyncSender<()>),
}

/// Where an answer goes.
pub(crate) type Answer = Box<dyn FnOnce(Result<String>) + Send>;

/// What one job needs.
pub(crate) struct JobSetup {
    pub(crate) job: JobId,
    pub(crate) graph: JobGraph,
    pub(crate) json: Arc<str>,
    pub(crate) submitted_at: Timestamp,
    pub(crate) options: JobOptions,
    pub(crate) enumerators: Enumerators,
    /// Whether the end of the job needs a checkpoint, because a sink commits with it or the user wants checkpoints.
    pub(crate) final_checkpoint: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) results: Option<Arc<ResultStore>>,
    pub(crate) shared: Arc<JobShared>,
    pub(crate) threads: Threads,
    /// The TaskManager of each slot, numbered as in [`JobGraph::slots`]. Or why there are none.
    pub(crate) slots: Result<Vec<Arc<dyn TaskManagerGateway>>, Failure>,
    /// Tells itself something.
    pub(crate) own: Arc<dyn Fn(JobMessage) + Send + Sync>,
}

enum Action {
    Execution(execution::Action),
    Coordinator(coordinator::Action<TaskSnapshot>),
}

/// A job while it lives.
pub(crate) struct JobMaster {
    setup: JobSetup,
    /// For each vertex the slot of its first subtask.
    first_slots: Vec<u32>,
    execution: Execution,
    coordinator: Coordinator<TaskSnapshot>,
    actions: VecDeque<Action>,
    /// What the user gave to start from.
    initial: Option<Manifest>,
    /// Read for the attempt that is about to be deployed.
    restore: Option<Manifest>,
    /// Tasks of the current attempt were sent to TaskManagers.
    deployed: bool,
    /// What the enumerators knew when the checkpoint was triggered.
    enumerators: BTreeMap<CheckpointId, Vec<(OperatorUid, String)>>,
    /// Sources that wait for each other, in the current attempt.
    alignments: Alignments,
    answers: FastMap<RequestId, Answer>,
    /// Where completed snapshots lie, for answers.
    paths: FastMap<CheckpointId, String>,
    next_request: u64,
    /// Requests to stop with a savepoint that have no answer yet.
    stops: FastSet<RequestId>,
    /// The current attempt ends with the savepoint of a stop.
    stopped: bool,
    /// Answers that are given after the job has ended.
    farewells: Vec<(Answer, Result<String>)>,
    /// A checkpoint was found unusable, and why.
    unusable: Option<Error>,
    worker: Worker,
    /// How it ended.
    terminal: Option<(JobStatus, Option<Failure>)>,
}

impl JobMaster {
    pub(crate) fn new(setup: JobSetup) -> Result<Self> {
        let options = &setup.options;
        let initial = match &options.restore_path {
            Some(path) => {
                let place = Place { job: setup.job, configuration: &options.task.configuration };
                Some(setup.storage.read_path(&place, path)?)
            }
            None => None,
        };
        if let Some(manifest) = &initial {
            recovery::check_claims(manifest, &setup.graph, options.ignore_unclaimed)?;
        }
        let first = initial.as_ref().map_or(CheckpointId(1), |manifest| manifest.checkpoint.next());
        let tasks = setup.graph.vertices.iter().flat_map(|vertex| {
            (0..vertex.parallelism)
                .map(|subtask| TaskId { vertex: vertex.id, subtask: SubtaskIndex(subtask) })
        });
        let tasks: Vec<_> = tasks.collect();
        let seed = setup.job.0 as u64;
        let execution = Execution::new(tasks, options.strategy.clone(), Attempt::default(), seed);
        let coordinator = Coordinator::new(options.checkpoints.clone(), first, []);
        let worker = Worker::start(&format!("{} checkpoints", setup.graph.name), &setup.threads)?;
        Ok(JobMaster {
            first_slots: setup.graph.slots().0,
            execution,
            coordinator,
            actions: VecDeque::new(),
            initial,
            restore: None,
            deployed: false,
            enumerators: BTreeMap::new(),
            alignments: Alignments::default(),
            answers: FastMap::default(),
            paths: FastMap::default(),
            next_request: 0,
            stops: FastSet::default(),
            stopped: false,
            farewells: Vec::new(),
            unusable: None,
            worker,
            terminal: None,
            setup,
        })
    }

    /// Runs the job to its end.
    /// `before_end` is called with the last look at the job, before its status says that it has ended.
    pub(crate) fn run(mut self, received: &Receiver<JobMessage>, before_end: impl FnOnce()) {
        self.execute(execution::Event::Start);
        while self.terminal.is_none() {
            let now = self.setup.clock.now();
            let deadlines = [
                self.execution.next_deadline(),
                self.coordinator.next_deadline(),
                self.alignments.next_deadline(),
            ];
            let wait =
                deadlines.into_iter().flatten().min().map(|at| at.saturating_sub(now).clamp(0, 1_000) as u64);
            match received.recv_timeout(Duration::from_millis(wait.unwrap_or(1_000))) {
                Ok(message) => self.message(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tick();
        }
        if self.finished() && !self.stopped {
            let (storage, job) = (self.setup.storage.clone(), self.setup.job);
            let configuration = self.setup.options.task.configuration.clone();
            self.worker.run(move || {
                let place = Place { job, configuration: &configuration };
                if let Err(error) = storage.discard_all(&place) {
                    tracing::warn!(%job, %error, "the checkpoints of a finished job could not be deleted");
                }
            });
        }
        // Checkpoints that are to be discarded are, before the job counts as gone.
        drop(self.worker);
        before_end();
        if let Some((status, failure)) = self.terminal {
            let now = self.setup.clock.now();
            self.setup.shared.update(|info| {
                info.failure = failure;
                info.status = status;
                info.timestamps.push((status, now));
            });
        }
        for (answer, result) in self.farewells {
            answer(result);
        }
        for (_, answer) in self.answers.drain() {
            answer(Err(Error::cancelled().context("the job has ended")));
        }
    }

    fn finished(&self) -> bool {
        matches!(self.terminal, Some((JobStatus::Finished, _)))
    }

    fn tick(&mut self) {
        let now = self.setup.clock.now();
        if self.coordinator.next_deadline().is_some_and(|at| at <= now) {
            self.coordinate(coordinator::Event::Tick);
        }
        if self.execution.next_deadline().is_some_and(|at| at <= now) {
            self.execute(execution::Event::Tick);
        }
        let attempt = self.execution.region().attempt();
        for (task, least) in self.alignments.due(now) {
            self.send(attempt, Some(task), &TaskCommand::Align(least));
        }
    }

    fn message(&mut self, message: JobMessage) {
        match message {
            JobMessage::Report(attempt, task, report) => self.report(attempt, task, report),
            JobMessage::Cancel => self.execute(execution::Event::Cancel),
            JobMessage::Suspend => self.execute(execution::Event::Suspend),
            JobMessage::Request(what, answer) => self.request(what, answer),
            JobMessage::Stored(checkpoint, result) => self.stored(checkpoint, result),
            JobMessage::Look(answer) => {
                self.tick();
                // Who has asked may have gone.
                let _ = answer.send(());
            }
        }
    }

    fn execute(&mut self, event: execution::Event) {
        let actions = self.execution.step(event, self.setup.clock.now());
        self.actions.extend(actions.into_iter().map(Action::Execution));
        self.work();
    }

    fn coordinate(&mut self, event: coordinator::Event<TaskSnapshot>) {
        let actions = self.coordinator.step(event, self.setup.clock.now());
        self.actions.extend(actions.into_iter().map(Action::Coordinator));
        self.work();
    }

    /// Executes what is to be done, in order. What an action brings about comes after it, at the end of the queue.
    fn work(&mut self) {
        while let Some(action) = self.actions.pop_front() {
            let now = self.setup.clock.now();
            let mut execute = None;
            let mut coordinate = None;
            match action {
                Action::Execution(action) => self.on_execution(action, &mut execute, &mut coordinate),
                Action::Coordinator(action) => self.on_coordinator(action, &mut execute, &mut coordinate),
            }
            if let Some(event) = coordinate {
                let actions = self.coordinator.step(event, now);
                self.actions.extend(actions.into_iter().map(Action::Coordinator));
            }
            for event in execute.into_iter().flatten() {
                let actions = self.execution.step(event, now);
                self.actions.extend(actions.into_iter().map(Action::Execution));
            }
        }
    }

    fn send(&self, attempt: Attempt, task: Option<TaskId>, command: &TaskCommand) {
        let Ok(slots) = &self.setup.slots else { return };
        let job = self.setup.job;
        let message = || ToTaskManager::Command { job, attempt, task, command: command.clone() };
        match task {
            Some(task) => slots[self.slot_of(task)].send(message()),
            None => self.each_manager(|gateway| gateway.send(message())),
        }
    }

    /// The number of the slot that holds a task.
    fn slot_of(&self, task: TaskId) -> usize {
        self.first_slots[task.vertex.0 as usize] as usize + task.subtask.index()
    }

    fn each_manager(&self, call: impl Fn(&dyn TaskManagerGateway)) {
        let Ok(slots) = &self.setup.slots else { return };
        for (at, slot) in slots.iter().enumerate() {
            if !slots[..at].iter().any(|earlier| Arc::ptr_eq(earlier, slot)) {
                call(&**slot);
            }
        }
    }
}
