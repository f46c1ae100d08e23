//! The job master: drives one job. It contains no decision of its own about checkpoints and recovery; it asks the state
//! machines of `flott_checkpoint`, executes what they say, and tells them what came of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use flott_checkpoint::coordinator::{
    self, CompletedSnapshot, Coordinator, DeclineReason, Request, RestorePoint,
};
use flott_checkpoint::execution::{self, Execution};
use flott_checkpoint::manifest::{Manifest, ManifestKind, TaskSnapshot};
use flott_checkpoint::{Attempt, Barrier, CheckpointKind, ExecutionState, JobStatus, RequestId, TaskId};
use flott_plan::JobGraph;
use flott_runtime::{Failure, FailureKind, TaskCommand, TaskReport, Threads};
use flott_types::{CheckpointId, Clock, Error, FastMap, JobId, OperatorUid, Result, SubtaskIndex, Timestamp};

use crate::enumerators::Enumerators;
use crate::messages::{Deploy, ToTaskManager};
use crate::options::JobOptions;
use crate::results::ResultStore;
use crate::status::JobShared;
use crate::storage::{Destination, Place, Storage};
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
    /// The TaskManager of each slot; slot `i` holds subtask `i` of every vertex. Or why there are none.
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
    answers: FastMap<RequestId, Answer>,
    /// Where completed snapshots lie, for answers.
    paths: FastMap<CheckpointId, String>,
    next_request: u64,
    /// The folders of savepoints that are asked for and not triggered yet.
    folders: Vec<(RequestId, CheckpointKind, String)>,
    stopping: bool,
    /// It was asked for and granted that the job stops with a savepoint.
    stopped: bool,
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
            check_claims(manifest, &setup.graph, options.ignore_unclaimed)?;
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
            execution,
            coordinator,
            actions: VecDeque::new(),
            initial,
            restore: None,
            deployed: false,
            enumerators: BTreeMap::new(),
            answers: FastMap::default(),
            paths: FastMap::default(),
            next_request: 0,
            folders: Vec::new(),
            stopping: false,
            stopped: false,
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
            let deadlines = [self.execution.next_deadline(), self.coordinator.next_deadline()];
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
    }

    fn message(&mut self, message: JobMessage) {
        match message {
            JobMessage::Report(attempt, task, report) => self.report(attempt, task, report),
            JobMessage::Cancel => self.execute(execution::Event::Cancel),
            JobMessage::Suspend => self.execute(execution::Event::Suspend),
            JobMessage::Request(what, answer) => self.request(what, answer),
            JobMessage::Stored(checkpoint, result) => self.stored(checkpoint, result),
        }
    }

    fn request(&mut self, what: Request, answer: Answer) {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        let status = self.execution.status();
        if status != JobStatus::Running {
            answer(Err(Error::invalid(format!(
                "the job is {status}; savepoints need a job that is RUNNING"
            ))));
            return;
        }
        let what = match self.with_folder(request, what) {
            Ok(what) => what,
            Err(error) => return answer(Err(error)),
        };
        self.stopping |= matches!(what, Request::StopWithSavepoint { .. });
        self.answers.insert(request, answer);
        self.coordinate(coordinator::Event::Request { request, what });
    }

    /// Savepoints go to a new folder under the one that the user named.
    fn with_folder(&mut self, request: RequestId, what: Request) -> Result<Request> {
        let place = Place { job: self.setup.job, configuration: &self.setup.options.task.configuration };
        let random = self.setup.clock.nanos().rotate_left(24) ^ self.setup.clock.now() as u64 ^ request.0;
        let folder = |target: &str| self.setup.storage.savepoint_folder(&place, target, random);
        Ok(match what {
            Request::Savepoint { target } => {
                let target = folder(&target)?;
                self.folders.push((request, CheckpointKind::Savepoint, target.clone()));
                Request::Savepoint { target }
            }
            Request::StopWithSavepoint { target, drain } => {
                let target = folder(&target)?;
                let kind = if drain { CheckpointKind::Terminate } else { CheckpointKind::Suspend };
                self.folders.push((request, kind, target.clone()));
                Request::StopWithSavepoint { target, drain }
            }
            other @ Request::Checkpoint { .. } => other,
        })
    }

    fn stored(&mut self, checkpoint: CheckpointId, result: Result<String>) {
        let now = self.setup.clock.now();
        match result {
            Ok(path) => {
                self.paths.insert(checkpoint, path.clone());
                self.setup.shared.update(|job| job.checkpoints.ended(checkpoint, Some(path), now));
                self.coordinate(coordinator::Event::StoreCompleted(checkpoint));
            }
            Err(error) => {
                tracing::warn!(job = %self.setup.job, %checkpoint, %error, "a checkpoint could not be stored");
                self.coordinate(coordinator::Event::StoreFailed { checkpoint, reason: error.to_string() });
            }
        }
    }

    fn report(&mut self, attempt: Attempt, task: TaskId, report: TaskReport) {
        let current = attempt == self.execution.region().attempt();
        let state = |job: &mut Self, state, failure| {
            if current {
                job.setup.shared.update(|info| {
                    info.tasks.insert(task, state);
                });
            }
            job.execute(execution::Event::Task { attempt, task, state, failure });
        };
        match report {
            TaskReport::Running => state(self, ExecutionState::Running, None),
            TaskReport::Finished => state(self, ExecutionState::Finished, None),
            TaskReport::Canceled => state(self, ExecutionState::Canceled, None),
            TaskReport::Failed(failure) => {
                if !current {
                    return;
                }
                tracing::warn!(job = %self.setup.job, %task, reason = failure.message, "a task failed");
                self.setup.shared.update(|info| info.failed(failure.clone(), Some(task)));
                let retryable = failure.retryable || self.blame_checkpoint(&failure);
                let failure = execution::Failure { reason: failure.message, retryable };
                state(self, ExecutionState::Failed, Some(failure));
            }
            TaskReport::Drained => self.execute(execution::Event::Drained { attempt, task }),
            TaskReport::RequestSplits { operator } => {
                if current {
                    match self.setup.enumerators.next(&operator, task) {
                        Ok(command) => self.send(attempt, Some(task), &command),
                        Err(error) => self.fail(&error),
                    }
                }
            }
            TaskReport::Ack { checkpoint, snapshot, metrics } => {
                let now = self.setup.clock.now();
                self.setup.shared.update(|job| job.checkpoints.acked(checkpoint, task, metrics, now));
                self.coordinate(coordinator::Event::Ack { attempt, task, checkpoint, snapshot });
            }
            TaskReport::Decline { checkpoint, failure } => {
                let reason = failure.map_or(DeclineReason::Superseded, DeclineReason::Failed);
                self.coordinate(coordinator::Event::Decline { attempt, task, checkpoint, reason });
            }
        }
    }

    /// A task could not read what it was to start from: the checkpoint before it is tried.
    fn blame_checkpoint(&mut self, failure: &Failure) -> bool {
        let Some(manifest) = self.restore.as_ref().filter(|_| failure.kind == FailureKind::State) else {
            return false;
        };
        let checkpoint = manifest.checkpoint;
        self.unusable = Some(failure.to_error());
        self.coordinate(coordinator::Event::Unusable(checkpoint));
        self.coordinator.latest().is_some()
    }

    fn fail(&mut self, error: &Error) {
        let failure = Failure::new(error, self.setup.clock.now());
        self.setup.shared.update(|info| info.failed(failure, None));
        let failure = execution::Failure { reason: error.to_string(), retryable: error.is_retryable() };
        self.execute(execution::Event::Fail(failure));
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

    fn on_execution(
        &mut self,
        action: execution::Action,
        execute: &mut Option<Vec<execution::Event>>,
        coordinate: &mut Option<coordinator::Event<TaskSnapshot>>,
    ) {
        use execution::Action as A;
        match action {
            A::StatusChanged(status) => {
                let now = self.setup.clock.now();
                tracing::info!(job = %self.setup.job, %status, "job status");
                if !status.is_terminal() {
                    self.setup.shared.update(|info| {
                        info.status = status;
                        info.timestamps.push((status, now));
                    });
                }
            }
            A::RequestRestorePoint => *coordinate = Some(coordinator::Event::RestoreRequested),
            A::Deploy { attempt, tasks, restore } => {
                let drained = restore.is_some_and(|point| point.drained);
                if let Err(error) = self.deploy(attempt, &tasks, drained) {
                    let failure = Failure::new(&error, self.setup.clock.now());
                    self.setup.shared.update(|info| info.failed(failure, None));
                    let failure =
                        execution::Failure { reason: error.to_string(), retryable: error.is_retryable() };
                    *execute = Some(vec![execution::Event::Fail(failure)]);
                }
            }
            A::AttemptRunning { attempt, tasks } => {
                *coordinate = Some(coordinator::Event::JobStarted { attempt, tasks });
            }
            A::AttemptStopping { attempt, reason } => {
                *coordinate = Some(coordinator::Event::JobStopping { attempt, reason });
            }
            A::CancelTasks { attempt } if self.deployed => self.send(attempt, None, &TaskCommand::Cancel),
            A::CancelTasks { attempt } => {
                // They never came to a TaskManager that could answer.
                let tasks = self.execution.region().tasks().to_vec();
                let ended = |task| execution::Event::Task {
                    attempt,
                    task,
                    state: ExecutionState::Canceled,
                    failure: None,
                };
                *execute = Some(tasks.into_iter().map(ended).collect());
            }
            A::AllDrained { attempt } if self.final_checkpoint() => {
                *coordinate = Some(coordinator::Event::AllTasksDrained { attempt });
            }
            A::AllDrained { .. } => {
                *execute = Some(vec![execution::Event::LastCheckpointCompleted(CheckpointId(0))])
            }
            A::FinishTasks { attempt, checkpoint } => {
                let checkpoint = (checkpoint.0 > 0).then_some(checkpoint);
                self.send(attempt, None, &TaskCommand::Finish(checkpoint));
            }
            A::ScheduleRestart { at, reason } => {
                tracing::info!(job = %self.setup.job, at, reason, "the job will be restarted");
            }
            A::JobTerminal { status, reason } => {
                self.terminal(status, reason);
                *coordinate = Some(coordinator::Event::JobTerminal(status));
            }
            _ => {}
        }
    }

    fn on_coordinator(
        &mut self,
        action: coordinator::Action<TaskSnapshot>,
        execute: &mut Option<Vec<execution::Event>>,
        coordinate: &mut Option<coordinator::Event<TaskSnapshot>>,
    ) {
        use coordinator::Action as A;
        let attempt = self.execution.region().attempt();
        let now = self.setup.clock.now();
        match action {
            A::Trigger(barrier) => *coordinate = self.trigger(attempt, barrier),
            A::WriteManifest(snapshot) => self.write(snapshot),
            A::NotifyComplete(checkpoint) => {
                self.send(attempt, None, &TaskCommand::Complete(checkpoint));
                if let Some(results) = &self.setup.results {
                    results.completed(checkpoint);
                }
            }
            A::NotifyAborted(checkpoint) => {
                self.enumerators.remove(&checkpoint);
                self.setup.shared.update(|job| job.checkpoints.ended(checkpoint, None, now));
                self.send(attempt, None, &TaskCommand::Aborted(checkpoint));
            }
            A::Discard(checkpoint) => {
                self.paths.remove(&checkpoint);
                let (storage, job) = (self.setup.storage.clone(), self.setup.job);
                let configuration = self.setup.options.task.configuration.clone();
                self.worker.run(move || {
                    let place = Place { job, configuration: &configuration };
                    if let Err(error) = storage.discard(&place, checkpoint) {
                        tracing::warn!(%job, %checkpoint, %error, "a checkpoint could not be deleted");
                    }
                });
            }
            A::FailJob(reason) => {
                let failure = Failure {
                    kind: FailureKind::External,
                    message: reason.clone(),
                    retryable: true,
                    at: now,
                };
                self.setup.shared.update(|info| info.failed(failure, None));
                let failure = execution::Failure { reason, retryable: true };
                *execute = Some(vec![execution::Event::Fail(failure)]);
            }
            A::RequestDone { request, checkpoint, target } => {
                let path = self.paths.get(&checkpoint).cloned().or(target);
                if let Some(answer) = self.answers.remove(&request) {
                    answer(Ok(path.unwrap_or_else(|| format!("checkpoint {checkpoint}"))));
                }
            }
            A::RequestFailed { request, reason } => {
                self.stopping = false;
                self.folders.retain(|(of, _, _)| *of != request);
                if let Some(answer) = self.answers.remove(&request) {
                    answer(Err(Error::external(reason)));
                }
            }
            A::DrainSources => self.send(attempt, None, &TaskCommand::Drain),
            A::Restore(point) => self.restore_point(point, execute, coordinate),
            A::Finish(checkpoint) => {
                self.stopped = self.stopping;
                if let Some(results) = &self.setup.results {
                    results.completed(checkpoint);
                }
                *execute = Some(vec![execution::Event::LastCheckpointCompleted(checkpoint)]);
            }
            _ => {}
        }
    }

    /// Without sinks that commit, checkpoints, or somebody who waits for one, a job ends without a last checkpoint.
    fn final_checkpoint(&self) -> bool {
        self.setup.final_checkpoint || self.stopping || !self.answers.is_empty()
    }

    /// Reads what the next attempt starts from; if that cannot be read, the one before it.
    fn restore_point(
        &mut self,
        point: Option<RestorePoint>,
        execute: &mut Option<Vec<execution::Event>>,
        coordinate: &mut Option<coordinator::Event<TaskSnapshot>>,
    ) {
        self.restore = None;
        if let Some(point) = &point {
            let place = Place { job: self.setup.job, configuration: &self.setup.options.task.configuration };
            let read = match &point.savepoint {
                Some(path) => self.setup.storage.read_path(&place, path),
                None => self.setup.storage.read(&place, point.checkpoint),
            };
            match read {
                Ok(manifest) => self.restore = Some(manifest),
                Err(error) => {
                    tracing::warn!(job = %self.setup.job, checkpoint = %point.checkpoint, %error, "cannot be restored");
                    self.unusable = Some(error);
                    let actions = self
                        .coordinator
                        .step(coordinator::Event::Unusable(point.checkpoint), self.setup.clock.now());
                    self.actions.extend(actions.into_iter().map(Action::Coordinator));
                    *coordinate = Some(coordinator::Event::RestoreRequested);
                    return;
                }
            }
        } else if let Some(error) = self.unusable.take() {
            // There were checkpoints, and none can be read: to begin from nothing would lose what they held.
            let reason = format!("no checkpoint can be restored: {error}");
            let failure = execution::Failure { reason, retryable: false };
            *execute = Some(vec![execution::Event::Fail(failure)]);
            return;
        }
        if self.restore.is_none() {
            self.restore = self.initial.clone();
        }
        *execute = Some(vec![execution::Event::RestorePoint(point)]);
    }

    fn deploy(&mut self, attempt: Attempt, tasks: &[TaskId], drained: bool) -> Result<()> {
        self.deployed = false;
        let checkpoint = self.restore.as_ref().map(|manifest| manifest.checkpoint);
        self.setup.shared.update(|info| {
            info.attempt = attempt;
            info.tasks = tasks.iter().map(|task| (*task, ExecutionState::Deploying)).collect();
            info.checkpoints.restored += u64::from(checkpoint.is_some());
            info.checkpoints.restored_from = checkpoint;
        });
        if let Some(results) = self.setup.results.as_ref().filter(|_| attempt.0 > 1) {
            results.restored(checkpoint);
        }
        let slots = match &self.setup.slots {
            Ok(slots) => slots.clone(),
            Err(failure) => return Err(failure.to_error()),
        };
        self.setup.enumerators.restart(self.restore.as_ref(), &self.setup.clock)?;
        self.enumerators.clear();
        let mut deploys: Vec<(Arc<dyn TaskManagerGateway>, Vec<_>)> = Vec::new();
        for task in tasks {
            let restore = self.restore_of(*task)?;
            let slot = &slots[task.subtask.index()];
            match deploys.iter_mut().find(|(gateway, _)| Arc::ptr_eq(gateway, slot)) {
                Some((_, tasks)) => tasks.push((*task, restore)),
                None => deploys.push((slot.clone(), vec![(*task, restore)])),
            }
        }
        self.deployed = true;
        for (gateway, tasks) in deploys {
            gateway.send(ToTaskManager::Deploy(Deploy {
                job: self.setup.job,
                attempt,
                graph: self.setup.json.clone(),
                submitted_at: self.setup.submitted_at,
                drained,
                tasks,
            }));
        }
        Ok(())
    }

    fn restore_of(&self, task: TaskId) -> Result<Vec<flott_runtime::OperatorRestore>> {
        let Some(manifest) = &self.restore else {
            return Ok(Vec::new());
        };
        let vertex = &self.setup.graph.vertices[task.vertex.0 as usize];
        let mut restores = Vec::new();
        for operator in &vertex.operators {
            let uid = &operator.node.uid;
            let state = manifest
                .restore(uid, task.subtask, vertex.parallelism, vertex.max_parallelism)
                .map_err(|error| error.in_operator(&operator.node.name))?;
            if let Some(state) = state {
                restores.push(flott_runtime::OperatorRestore { uid: uid.clone(), state });
            }
        }
        Ok(restores)
    }

    fn trigger(&mut self, attempt: Attempt, barrier: Barrier) -> Option<coordinator::Event<TaskSnapshot>> {
        self.setup.shared.update(|job| job.checkpoints.triggered(barrier));
        match self.setup.enumerators.snapshot() {
            Ok(snapshot) => {
                self.enumerators.insert(barrier.checkpoint, snapshot);
                let at = self.folders.iter().position(|(_, kind, _)| *kind == barrier.kind);
                let target = at.map(|at| self.folders.remove(at).2);
                self.send(attempt, None, &TaskCommand::Trigger { barrier, target });
                None
            }
            Err(error) => {
                let task = *self.execution.region().tasks().first()?;
                let reason = DeclineReason::Failed(error.to_string());
                Some(coordinator::Event::Decline { attempt, task, checkpoint: barrier.checkpoint, reason })
            }
        }
    }

    fn write(&mut self, snapshot: CompletedSnapshot<TaskSnapshot>) {
        let CompletedSnapshot { checkpoint, kind, created_at, target, drained, snapshots } = snapshot;
        let job = self.setup.job;
        let manifest_kind =
            if kind.is_savepoint() { ManifestKind::Savepoint } else { ManifestKind::Checkpoint };
        let mut manifest = Manifest::new(job, checkpoint, manifest_kind, created_at);
        manifest.drained = drained;
        manifest.restored_from.clone_from(&self.setup.options.restore_path);
        for (task, snapshot) in snapshots {
            let parallelism = self.setup.graph.vertices[task.vertex.0 as usize].parallelism;
            manifest.add_task(task.subtask, parallelism, snapshot);
        }
        for (uid, text) in self.enumerators.remove(&checkpoint).unwrap_or_default() {
            if let Some(operator) = manifest.operators.iter_mut().find(|operator| operator.uid == uid) {
                operator.enumerator = Some(text.into_bytes().into());
            }
        }
        let storage = self.setup.storage.clone();
        let own = self.setup.own.clone();
        let configuration = self.setup.options.task.configuration.clone();
        let destination = match target {
            Some(folder) => Destination::Savepoint { folder, stop: kind.is_last() },
            None => Destination::Checkpoint,
        };
        self.worker.run(move || {
            let place = Place { job, configuration: &configuration };
            own(JobMessage::Stored(checkpoint, storage.write(&place, &destination, &manifest)));
        });
    }

    fn send(&self, attempt: Attempt, task: Option<TaskId>, command: &TaskCommand) {
        let Ok(slots) = &self.setup.slots else { return };
        let job = self.setup.job;
        let message = || ToTaskManager::Command { job, attempt, task, command: command.clone() };
        match task {
            Some(task) => slots[task.subtask.index()].send(message()),
            None => self.each_manager(|gateway| gateway.send(message())),
        }
    }

    fn each_manager(&self, call: impl Fn(&dyn TaskManagerGateway)) {
        let Ok(slots) = &self.setup.slots else { return };
        for (at, slot) in slots.iter().enumerate() {
            if !slots[..at].iter().any(|earlier| Arc::ptr_eq(earlier, slot)) {
                call(&**slot);
            }
        }
    }

    fn terminal(&mut self, status: JobStatus, reason: Option<String>) {
        let now = self.setup.clock.now();
        let failure = reason.filter(|_| status == JobStatus::Failed).map(|message| {
            let last = self.setup.shared.lock().exceptions.front().map(|entry| entry.failure.kind);
            Failure { kind: last.unwrap_or(FailureKind::Internal), message, retryable: false, at: now }
        });
        if let Some(results) = &self.setup.results {
            results.ended(match (&failure, status) {
                (_, JobStatus::Finished) => Ok(()),
                (Some(failure), _) => Err(failure.message.clone()),
                (None, _) => Err(format!("the job is {status}")),
            });
        }
        // The answers first: who asked for a stop learns of its savepoint before the end of the job.
        while let Some(at) = self.actions.iter().position(is_answer) {
            if let Some(Action::Coordinator(action)) = self.actions.remove(at) {
                self.on_coordinator(action, &mut None, &mut None);
            }
        }
        self.terminal = Some((status, failure));
    }
}

fn is_answer(action: &Action) -> bool {
    use coordinator::Action as A;
    matches!(action, Action::Coordinator(A::RequestDone { .. } | A::RequestFailed { .. }))
}

/// Refuses to leave state behind that nobody in the new plan claims.
fn check_claims(manifest: &Manifest, graph: &JobGraph, ignore: bool) -> Result<()> {
    let uids: Vec<_> =
        graph.vertices.iter().flat_map(|vertex| &vertex.operators).map(|o| &o.node.uid).collect();
    for operator in &manifest.operators {
        let lists = |subtask: &flott_checkpoint::manifest::SubtaskSnapshot| {
            subtask.operator.iter().any(|list| !list.entries.is_empty()) || !subtask.keyed.is_empty()
        };
        let has_state = operator.enumerator.is_some() || operator.subtasks.iter().any(lists);
        if has_state && !ignore && !uids.contains(&&operator.uid) {
            return Err(Error::state(format!(
                "the snapshot has state of '{}' (uid '{}'), which the job does not have; set \
                 'execution.state-recovery.ignore-unclaimed-state' to true to leave it behind",
                operator.name, operator.uid
            )));
        }
    }
    Ok(())
}
