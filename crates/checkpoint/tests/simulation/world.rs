//! The world around the machines: tasks, links, storage, the driver of the JobManager, and the weather.

use std::collections::{BTreeMap, VecDeque};

use flott_checkpoint::alignment::{self, Mode};
use flott_checkpoint::coordinator::{
    self, CompletedSnapshot, Config, Coordinator, DeclineReason, Request, RestorePoint,
};
use flott_checkpoint::execution::{self, Execution, ExecutionState, Failure};
use flott_checkpoint::restart::Strategy;
use flott_checkpoint::{Attempt, Barrier, CheckpointKind, JobStatus, RequestId, TaskId};
use flott_types::CheckpointId;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::job::Job;
use crate::task::{Outbox, Sink, State, Task};

/// A deliberate mistake, to see that it is caught.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Mutation {
    None,
    /// Sinks commit when they have acknowledged.
    CommitOnAck,
    /// Tasks are told that a checkpoint is complete when its manifest is about to be written.
    NotifyBeforeDurable,
    /// Channels that are ahead are not blocked.
    NoBlocking,
    /// A new JobManager begins with the id after the last completed checkpoint.
    ReuseIds,
    /// Sources resume one record too late.
    SkipOnRestore,
}

pub enum Fault {
    Task(usize),
    JobManager,
    Request(Request),
}

pub struct Weather {
    /// The step after which nothing goes wrong any more.
    pub calm_at: u32,
    pub loss: f64,
    pub double: f64,
    pub write_failure: f64,
    pub snapshot_failure: f64,
    /// How often a step is a message's and not a task's.
    pub link_speed: f64,
    pub faults: Vec<(u32, Fault)>,
}

impl Weather {
    pub fn random(rng: &mut SmallRng, tasks: usize) -> Self {
        let calm_at = rng.random_range(100..900);
        let some = |rng: &mut SmallRng, most: f64| {
            if rng.random_bool(0.5) {
                0.0
            } else {
                rng.random_range(0.0..most)
            }
        };
        let fault = |rng: &mut SmallRng| match rng.random_range(0..10) {
            0..=4 => Fault::Task(rng.random_range(0..tasks)),
            5..=6 => Fault::JobManager,
            7 => Fault::Request(Request::Checkpoint { full: rng.random() }),
            8 => Fault::Request(Request::Savepoint {
                target: "side".into(),
            }),
            _ => Fault::Request(Request::StopWithSavepoint {
                target: "stop".into(),
                drain: rng.random(),
            }),
        };
        let mut faults: Vec<(u32, Fault)> = (0..rng.random_range(0..8))
            .map(|_| (rng.random_range(0..calm_at), fault(rng)))
            .collect();
        faults.sort_by_key(|(step, _)| std::cmp::Reverse(*step));
        Weather {
            calm_at,
            loss: some(rng, 0.2),
            double: some(rng, 0.1),
            write_failure: some(rng, 0.3),
            snapshot_failure: some(rng, 0.1),
            link_speed: rng.random_range(0.1..0.6),
            faults,
        }
    }
}

/// What the JobManager tells a task.
#[derive(Clone)]
pub enum Control {
    Deploy { state: Option<State>, drained: bool },
    Cancel,
    Trigger(Barrier),
    Complete(CheckpointId),
    Aborted(CheckpointId),
    Resume(CheckpointId),
    Drain,
    Finish(CheckpointId),
}

pub enum Message {
    ToTask {
        task: usize,
        attempt: Attempt,
        control: Control,
    },
    Report(execution::Event),
    Checkpoint(coordinator::Event<State>),
    Write {
        incarnation: u32,
        snapshot: CompletedSnapshot<State>,
    },
    Written {
        incarnation: u32,
        event: coordinator::Event<State>,
    },
}

enum Input {
    Coordinator(coordinator::Event<State>),
    Execution(execution::Event),
}

/// A manifest of what the job can be recovered from.
struct Point {
    savepoint: Option<String>,
    kind: CheckpointKind,
    drained: bool,
    states: Vec<State>,
}

/// What is durable.
#[derive(Default)]
struct Storage {
    points: BTreeMap<CheckpointId, Point>,
    /// The savepoint that the job was started from.
    initial: Option<Vec<State>>,
    next_id: u64,
    attempt: Attempt,
}

pub struct World {
    pub job: Job,
    pub rng: SmallRng,
    weather: Weather,
    mutation: Mutation,
    config: Config,
    strategy: Strategy,
    pub now: i64,
    step: u32,
    tasks: Vec<Task>,
    outbox: Outbox,
    pub sink: Sink,
    messages: Vec<Message>,
    coordinator: Coordinator<State>,
    execution: Execution,
    incarnation: u32,
    storage: Storage,
    restored: CheckpointId,
    notified: CheckpointId,
    triggered: CheckpointId,
    /// The job finishes with it.
    last: Option<CheckpointId>,
    requests: BTreeMap<RequestId, u32>,
    next_request: u64,
    terminal: Option<JobStatus>,
    /// How many records the sources had when the job ended.
    records: Vec<u32>,
    finished: bool,
    pub stats: Stats,
}

#[derive(Default, Clone, Copy, Debug)]
pub struct Stats {
    pub steps: u32,
    pub completed: u32,
    pub aborted: u32,
    pub restarts: u32,
    pub jobmanagers: u32,
    pub stops: u32,
}

impl World {
    pub fn new(seed: u64, mutation: Mutation) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let job = Job::random(&mut rng);
        let weather = Weather::random(&mut rng, job.tasks.len());
        Self::build(job, weather, rng, mutation)
    }

    pub fn build(job: Job, weather: Weather, mut rng: SmallRng, mutation: Mutation) -> Self {
        let mode = if mutation == Mutation::NoBlocking {
            Mode::AtLeastOnce
        } else {
            Mode::ExactlyOnce
        };
        let config = Config {
            interval: rng.random_bool(0.9).then(|| rng.random_range(3..40)),
            min_pause: if rng.random() { 0 } else { rng.random_range(0..20) },
            timeout: rng.random_range(200..500),
            tolerable_failures: rng.random_range(0..4),
            max_concurrent: rng.random_range(1..=2),
            retained: rng.random_range(1..=2),
            mode,
            ..Config::default()
        };
        let strategy = Strategy::FixedDelay {
            attempts: u32::MAX,
            delay: rng.random_range(0..20),
        };
        let ids = job.tasks.iter().map(|t| t.id).collect();
        let records = job.tasks.iter().map(|t| t.records).collect();
        let mut world = World {
            coordinator: Coordinator::new(config.clone(), CheckpointId(1), []),
            execution: Execution::new(ids, strategy.clone(), Attempt(0), 7),
            tasks: Vec::new(),
            outbox: Outbox::default(),
            sink: Sink::default(),
            messages: Vec::new(),
            now: 0,
            step: 0,
            incarnation: 1,
            storage: Storage {
                next_id: 1,
                ..Storage::default()
            },
            restored: CheckpointId(0),
            notified: CheckpointId(0),
            triggered: CheckpointId(0),
            last: None,
            requests: BTreeMap::new(),
            next_request: 0,
            terminal: None,
            finished: false,
            stats: Stats::default(),
            job,
            rng,
            weather,
            mutation,
            config,
            strategy,
            records,
        };
        world
            .jobmanager(Input::Execution(execution::Event::Start))
            .unwrap();
        world
    }

    /// Runs to the end and compares.
    pub fn run(&mut self) -> Result<(), String> {
        const STEPS: u32 = 20_000;
        while !self.finished {
            if self.step > STEPS {
                return Err(format!("not finished after {STEPS} steps: {}", self.describe()));
            }
            self.advance()?;
        }
        self.stats.steps = self.step;
        let expected = self.job.expected(&self.records);
        let written = self.sink.rows();
        if expected != written {
            return Err(format!("written {written:?}, expected {expected:?}"));
        }
        match self.requests.values().find(|answers| **answers != 1) {
            // Those of a JobManager that died are forgotten with it.
            Some(answers) if self.stats.jobmanagers == 0 => {
                Err(format!("a request was answered {answers} times"))
            }
            _ => Ok(()),
        }
    }

    fn advance(&mut self) -> Result<(), String> {
        self.step += 1;
        self.now += self.rng.random_range(0..=1);
        while self
            .weather
            .faults
            .last()
            .is_some_and(|(step, _)| *step < self.step)
        {
            match self.weather.faults.pop() {
                Some((_, Fault::Task(task))) => self.fail_task(task),
                // That a job has ended is durable: nobody takes it up again.
                Some((_, Fault::JobManager)) if self.terminal.is_none() => self.new_jobmanager(None)?,
                Some((_, Fault::JobManager)) => {}
                Some((_, Fault::Request(what))) => self.request(what)?,
                None => {}
            }
        }
        let deadline = self.deadline();
        if deadline.is_some_and(|at| at <= self.now) {
            self.jobmanager(Input::Coordinator(coordinator::Event::Tick))?;
            self.jobmanager(Input::Execution(execution::Event::Tick))?;
            if self.deadline().is_some_and(|at| at <= self.now) {
                return Err(format!("a tick did not move the deadline: {}", self.describe()));
            }
        }
        if !self.messages.is_empty() && self.rng.random_bool(self.weather.link_speed) {
            return self.deliver();
        }
        if self.step_task()? {
            return Ok(());
        }
        if !self.messages.is_empty() {
            return self.deliver();
        }
        match self.deadline() {
            Some(at) => self.now = self.now.max(at),
            None if self.finished || !self.weather.faults.is_empty() => {}
            None => return Err(format!("deadlock: {}", self.describe())),
        }
        Ok(())
    }

    fn deadline(&self) -> Option<i64> {
        [self.coordinator.next_deadline(), self.execution.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    fn calm(&self) -> bool {
        self.step > self.weather.calm_at
    }

    fn chance(&mut self, p: f64) -> bool {
        p > 0.0 && !self.calm() && self.rng.random_bool(p)
    }

    fn step_task(&mut self) -> Result<bool, String> {
        let count = self.tasks.len();
        let first = if count == 0 {
            0
        } else {
            self.rng.random_range(0..count)
        };
        for offset in 0..count {
            let at = (first + offset) % count;
            if !self.tasks[at].can_emit(&self.job.tasks[at], &self.tasks) {
                continue;
            }
            let turn = self.rng.random();
            let moved = self.tasks[at].work(&self.job.tasks[at], turn, self.now, &mut self.outbox)?;
            if moved {
                self.flush(at)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Hands on what a task has sent.
    fn flush(&mut self, at: usize) -> Result<(), String> {
        for (task, channel, element) in self.outbox.elements.drain(..) {
            self.tasks[task].inputs[channel].queue.push_back(element);
        }
        let attempt = self.tasks[at].attempt;
        let task = self.job.tasks[at].id;
        for (barrier, snapshot, rows) in std::mem::take(&mut self.outbox.snapshots) {
            let checkpoint = barrier.checkpoint;
            if !rows.is_empty() {
                self.sink.stage(task, checkpoint, rows)?;
            }
            if self.mutation == Mutation::CommitOnAck {
                self.tasks[at].commit(checkpoint, task, &mut self.sink)?;
            }
            let failed = self.chance(self.weather.snapshot_failure);
            self.send_lossy(match failed {
                false => coordinator::Event::Ack {
                    attempt,
                    task,
                    checkpoint,
                    snapshot,
                },
                true => {
                    let reason = DeclineReason::Failed("disk full".into());
                    coordinator::Event::Decline {
                        attempt,
                        task,
                        checkpoint,
                        reason,
                    }
                }
            });
        }
        for checkpoint in std::mem::take(&mut self.outbox.declined) {
            let reason = DeclineReason::Superseded;
            self.send_lossy(coordinator::Event::Decline {
                attempt,
                task,
                checkpoint,
                reason,
            });
        }
        if std::mem::take(&mut self.outbox.drained) {
            self.messages
                .push(Message::Report(execution::Event::Drained { attempt, task }));
        }
        Ok(())
    }

    fn send_lossy(&mut self, event: coordinator::Event<State>) {
        if !self.chance(self.weather.loss) {
            if self.chance(self.weather.double) {
                self.messages.push(Message::Checkpoint(event.clone()));
            }
            self.messages.push(Message::Checkpoint(event));
        }
    }

    fn report(&mut self, at: usize, state: ExecutionState) {
        let (attempt, task) = (self.tasks[at].attempt, self.job.tasks[at].id);
        let failure = (state == ExecutionState::Failed).then(|| Failure {
            reason: "struck by lightning".into(),
            retryable: true,
        });
        self.messages.push(Message::Report(execution::Event::Task {
            attempt,
            task,
            state,
            failure,
        }));
    }

    fn fail_task(&mut self, at: usize) {
        if self.tasks.get(at).is_some_and(|t| !t.state.is_terminal()) {
            self.tasks[at].state = ExecutionState::Failed;
            self.report(at, ExecutionState::Failed);
        }
    }

    fn request(&mut self, what: Request) -> Result<(), String> {
        self.next_request += 1;
        let request = RequestId(self.next_request);
        self.requests.insert(request, 0);
        self.jobmanager(Input::Coordinator(coordinator::Event::Request { request, what }))
    }

    /// The JobManager is replaced: after a crash, or to go on from the savepoint that the job was stopped with.
    fn new_jobmanager(&mut self, start_from: Option<Vec<State>>) -> Result<(), String> {
        for task in &mut self.tasks {
            task.state = ExecutionState::Failed;
        }
        self.incarnation += 1;
        match start_from {
            Some(states) => self.storage.initial = Some(states),
            None => {
                self.stats.jobmanagers += 1;
                self.requests.clear();
                // What was being written has landed, or never will.
                for at in (0..self.messages.len()).rev() {
                    if matches!(self.messages[at], Message::Write { .. })
                        && let Message::Write { snapshot, .. } = self.messages.swap_remove(at)
                        && self.rng.random()
                    {
                        self.store(&snapshot);
                    }
                }
            }
        }
        let mut next_id = CheckpointId(self.storage.next_id);
        if self.mutation == Mutation::ReuseIds {
            next_id = CheckpointId(1);
        }
        let point = |(id, point): (&CheckpointId, &Point)| RestorePoint {
            checkpoint: *id,
            savepoint: point.savepoint.clone(),
            drained: point.drained,
        };
        let points: Vec<_> = self.storage.points.iter().map(point).collect();
        let ids = self.job.tasks.iter().map(|t| t.id).collect();
        self.coordinator = Coordinator::new(self.config.clone(), next_id, points);
        self.execution = Execution::new(ids, self.strategy.clone(), self.storage.attempt, 7);
        self.terminal = None;
        self.jobmanager(Input::Execution(execution::Event::Start))
    }

    fn deliver(&mut self) -> Result<(), String> {
        let at = self.rng.random_range(0..self.messages.len());
        match self.messages.swap_remove(at) {
            Message::ToTask {
                task,
                attempt,
                control,
            } => {
                if self.tasks[task].attempt == attempt && !self.tasks[task].state.is_terminal() {
                    self.control(task, control)?;
                }
                Ok(())
            }
            Message::Report(event) => self.jobmanager(Input::Execution(event)),
            Message::Checkpoint(event) => self.jobmanager(Input::Coordinator(event)),
            Message::Write {
                incarnation,
                snapshot,
            } => {
                let checkpoint = snapshot.checkpoint;
                let event = if self.chance(self.weather.write_failure) {
                    coordinator::Event::StoreFailed {
                        checkpoint,
                        reason: "503".into(),
                    }
                } else {
                    self.store(&snapshot);
                    coordinator::Event::StoreCompleted(checkpoint)
                };
                self.messages.push(Message::Written { incarnation, event });
                Ok(())
            }
            Message::Written { incarnation, event } if incarnation == self.incarnation => {
                self.jobmanager(Input::Coordinator(event))
            }
            Message::Written { .. } => Ok(()),
        }
    }

    fn store(&mut self, snapshot: &CompletedSnapshot<State>) {
        if snapshot.kind.commits() {
            let point = Point {
                savepoint: snapshot.target.clone(),
                kind: snapshot.kind,
                drained: snapshot.drained,
                states: snapshot.snapshots.iter().map(|(_, s)| s.clone()).collect(),
            };
            self.storage.points.insert(snapshot.checkpoint, point);
        }
    }

    fn control(&mut self, at: usize, control: Control) -> Result<(), String> {
        let id = self.job.tasks[at].id;
        let spec = &self.job.tasks[at];
        match control {
            Control::Deploy { state, drained } => {
                self.tasks[at].draining = drained;
                self.tasks[at].restore(state, id, &mut self.sink, self.mutation)?;
                self.report(at, ExecutionState::Initializing);
                self.report(at, ExecutionState::Running);
                return Ok(());
            }
            Control::Cancel => {
                self.tasks[at].state = ExecutionState::Canceled;
                self.report(at, ExecutionState::Canceled);
                return Ok(());
            }
            Control::Finish(checkpoint) => {
                self.tasks[at].commit(checkpoint, id, &mut self.sink)?;
                self.tasks[at].state = ExecutionState::Finished;
                self.report(at, ExecutionState::Finished);
                return Ok(());
            }
            Control::Complete(checkpoint) => return self.tasks[at].commit(checkpoint, id, &mut self.sink),
            Control::Drain => self.tasks[at].draining = true,
            Control::Trigger(barrier) => {
                self.tasks[at].align(
                    spec,
                    alignment::Event::Trigger(barrier),
                    self.now,
                    &mut self.outbox,
                )?;
            }
            Control::Aborted(checkpoint) | Control::Resume(checkpoint) => {
                if matches!(control, Control::Resume(_)) {
                    self.tasks[at].paused = false;
                }
                self.tasks[at].align(
                    spec,
                    alignment::Event::Abort(checkpoint),
                    self.now,
                    &mut self.outbox,
                )?;
            }
        }
        self.flush(at)
    }

    /// The driver: executes the actions of both machines until nothing follows.
    fn jobmanager(&mut self, input: Input) -> Result<(), String> {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            match input {
                Input::Coordinator(event) => {
                    let actions = self.coordinator.step(event, self.now);
                    self.storage.next_id = self.storage.next_id.max(self.coordinator.next_id().0);
                    for action in actions {
                        trace(|| format!("{} {} {action:?}", self.step, self.now));
                        self.checkpoint_action(action, &mut inputs)?;
                    }
                }
                Input::Execution(event) => {
                    let actions = self.execution.step(event, self.now);
                    self.storage.attempt = self.execution.region().attempt();
                    for action in actions {
                        trace(|| format!("{} {} {action:?}", self.step, self.now));
                        self.execution_action(action, &mut inputs)?;
                    }
                }
            }
        }
        match self.terminal {
            Some(JobStatus::Finished) if self.coordinator.is_writing() => Ok(()),
            Some(JobStatus::Finished) => self.job_finished(),
            Some(status) => Err(format!(
                "the job ended as {status}: {:?}",
                self.execution.failure()
            )),
            None => Ok(()),
        }
    }

    fn job_finished(&mut self) -> Result<(), String> {
        if let Some((id, _)) = self.storage.points.iter().find(|(_, p)| p.savepoint.is_none()) {
            return Err(format!("checkpoint {id} is left behind by a finished job"));
        }
        let last = self.last.and_then(|last| self.storage.points.remove(&last));
        self.storage.points.clear();
        if let Some(point) = last {
            self.stats.stops += 1;
            if point.kind == CheckpointKind::Suspend {
                self.restored = CheckpointId(0);
                return self.new_jobmanager(Some(point.states));
            }
            self.records = positions(&point.states);
        }
        self.finished = true;
        Ok(())
    }

    fn checkpoint_action(
        &mut self,
        action: coordinator::Action<State>,
        inputs: &mut VecDeque<Input>,
    ) -> Result<(), String> {
        use coordinator::Action;
        match action {
            Action::Trigger(barrier) => {
                if barrier.checkpoint <= self.triggered {
                    return Err(format!("checkpoint id {} is used twice", barrier.checkpoint));
                }
                self.triggered = barrier.checkpoint;
                self.broadcast(Control::Trigger(barrier), true);
            }
            Action::WriteManifest(snapshot) => {
                if snapshot.snapshots.len() != self.job.tasks.len() {
                    return Err("a snapshot lacks tasks".into());
                }
                if self.mutation == Mutation::NotifyBeforeDurable {
                    self.broadcast(Control::Complete(snapshot.checkpoint), true);
                }
                self.messages.push(Message::Write {
                    incarnation: self.incarnation,
                    snapshot,
                });
            }
            Action::NotifyComplete(checkpoint) => {
                if !self.storage.points.contains_key(&checkpoint) {
                    return Err(format!(
                        "checkpoint {checkpoint} is told complete, but is not durable"
                    ));
                }
                if checkpoint <= self.notified {
                    return Err(format!(
                        "checkpoint {checkpoint} is told complete after {}",
                        self.notified
                    ));
                }
                self.notified = checkpoint;
                self.stats.completed += 1;
                self.broadcast(Control::Complete(checkpoint), true);
            }
            Action::NotifyAborted(checkpoint) => {
                self.stats.aborted += 1;
                self.broadcast(Control::Aborted(checkpoint), false);
            }
            Action::Discard(checkpoint) => match self.storage.points.remove(&checkpoint) {
                Some(Point { savepoint: None, .. }) => {}
                Some(Point {
                    savepoint: Some(savepoint),
                    ..
                }) => {
                    return Err(format!("the savepoint '{savepoint}' was discarded"));
                }
                None => return Err(format!("checkpoint {checkpoint} was discarded twice")),
            },
            Action::FailJob(reason) => {
                let failure = Failure {
                    reason,
                    retryable: true,
                };
                inputs.push_back(Input::Execution(execution::Event::Fail(failure)));
            }
            Action::RequestDone { request, .. } | Action::RequestFailed { request, .. } => {
                if let Some(answers) = self.requests.get_mut(&request) {
                    *answers += 1;
                }
            }
            Action::DrainSources => self.broadcast(Control::Drain, false),
            Action::ResumeSources(checkpoint) => self.broadcast(Control::Resume(checkpoint), false),
            Action::Restore(point) => {
                inputs.push_back(Input::Execution(execution::Event::RestorePoint(point)));
            }
            Action::Finish(checkpoint) => {
                self.last = Some(checkpoint);
                inputs.push_back(Input::Execution(execution::Event::LastCheckpointCompleted(
                    checkpoint,
                )));
            }
            _ => return Err("an action that the driver does not know".into()),
        }
        Ok(())
    }

    fn execution_action(
        &mut self,
        action: execution::Action,
        inputs: &mut VecDeque<Input>,
    ) -> Result<(), String> {
        use execution::Action;
        let mut tell = |event| inputs.push_back(Input::Coordinator(event));
        match action {
            Action::StatusChanged(_) => {}
            Action::ScheduleRestart { .. } => self.stats.restarts += 1,
            Action::RequestRestorePoint => tell(coordinator::Event::RestoreRequested),
            Action::AttemptRunning { attempt, tasks } => {
                tell(coordinator::Event::JobStarted { attempt, tasks })
            }
            Action::AttemptStopping { attempt, reason } => {
                tell(coordinator::Event::JobStopping { attempt, reason })
            }
            Action::AllDrained { attempt } => tell(coordinator::Event::AllTasksDrained { attempt }),
            Action::JobTerminal { status, .. } => {
                self.terminal = Some(status);
                tell(coordinator::Event::JobTerminal(status));
            }
            Action::CancelTasks { .. } => self.broadcast(Control::Cancel, false),
            Action::FinishTasks { checkpoint, .. } => self.broadcast(Control::Finish(checkpoint), false),
            Action::Deploy { attempt, restore, .. } => self.deploy(attempt, restore)?,
            _ => return Err("an action that the driver does not know".into()),
        }
        Ok(())
    }

    fn deploy(&mut self, attempt: Attempt, restore: Option<RestorePoint>) -> Result<(), String> {
        if let Some(task) = self.tasks.iter().position(|t| !t.state.is_terminal()) {
            return Err(format!(
                "attempt {attempt} is deployed while task {task} of the last one is alive"
            ));
        }
        let mut drained = false;
        let states = match restore {
            Some(RestorePoint {
                checkpoint,
                drained: at_end,
                ..
            }) => {
                drained = at_end;
                if checkpoint < self.restored {
                    return Err(format!("restored {checkpoint} after {}", self.restored));
                }
                self.restored = checkpoint;
                match self.storage.points.get(&checkpoint) {
                    Some(point) => Some(point.states.clone()),
                    None => {
                        return Err(format!(
                            "checkpoint {checkpoint} is to be restored, but is not there"
                        ));
                    }
                }
            }
            None => self.storage.initial.clone(),
        };
        if let (true, Some(states)) = (drained, &states) {
            self.records = positions(states);
        }
        let mode = self.config.mode;
        self.tasks = self
            .job
            .tasks
            .iter()
            .map(|spec| Task::new(spec, attempt, mode))
            .collect();
        for task in 0..self.tasks.len() {
            let control = Control::Deploy {
                state: states.as_ref().map(|s| s[task].clone()),
                drained,
            };
            self.messages.push(Message::ToTask {
                task,
                attempt,
                control,
            });
        }
        Ok(())
    }

    fn broadcast(&mut self, control: Control, lossy: bool) {
        let attempt = self.execution.region().attempt();
        for task in 0..self.tasks.len() {
            if lossy && self.chance(self.weather.loss) {
                continue;
            }
            if self.chance(self.weather.double) {
                self.messages.push(Message::ToTask {
                    task,
                    attempt,
                    control: control.clone(),
                });
            }
            self.messages.push(Message::ToTask {
                task,
                attempt,
                control: control.clone(),
            });
        }
    }

    fn describe(&self) -> String {
        let progress: Vec<_> = self.coordinator.in_progress().collect();
        let tasks: Vec<(TaskId, String)> = self
            .job
            .tasks
            .iter()
            .zip(&self.tasks)
            .map(|(s, t)| (s.id, t.describe()))
            .collect();
        format!(
            "job {}, attempt {}, time {}, checkpoints {progress:?}, messages {}, tasks {tasks:?}",
            self.execution.status(),
            self.execution.region().attempt(),
            self.now,
            self.messages.len()
        )
    }
}

fn positions(states: &[State]) -> Vec<u32> {
    states.iter().map(|s| s.position).collect()
}

/// With `FLOTT_SIM_TRACE` set, what the machines decide.
fn trace(line: impl Fn() -> String) {
    static ON: std::sync::LazyLock<bool> =
        std::sync::LazyLock::new(|| std::env::var_os("FLOTT_SIM_TRACE").is_some());
    if *ON {
        println!("{}", line());
    }
}
