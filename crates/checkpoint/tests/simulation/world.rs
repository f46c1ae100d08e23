//! The world around the machines: tasks, links, time.

use std::collections::{BTreeMap, BTreeSet};

use flott_checkpoint::alignment::Mode;
use flott_checkpoint::coordinator::{self, Config, Coordinator, DeclineReason, Request};
use flott_checkpoint::execution::{self, Execution, ExecutionState, Failure};
use flott_checkpoint::life;
use flott_checkpoint::restart::Strategy;
use flott_checkpoint::{Attempt, JobStatus, RequestId, TaskId};
use flott_types::CheckpointId;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::job::Job;
use crate::jobmanager::{Control, Input, Message, Storage};
use crate::task::{Outbox, Sink, State, Task};
use crate::weather::{Fault, Mutation, Weather};

pub struct World {
    pub job: Job,
    pub rng: SmallRng,
    pub weather: Weather,
    pub mutation: Mutation,
    pub config: Config,
    pub strategy: Strategy,
    pub now: i64,
    pub step: u32,
    pub tasks: Vec<Task>,
    pub outbox: Outbox,
    pub sink: Sink,
    pub messages: Vec<Message>,
    pub coordinator: Coordinator<State>,
    pub execution: Execution,
    pub incarnation: u32,
    pub storage: Storage,
    pub restored: CheckpointId,
    pub notified: CheckpointId,
    pub triggered: CheckpointId,
    /// The job finishes with it.
    pub last: Option<CheckpointId>,
    /// How often each was answered.
    pub requests: BTreeMap<RequestId, u32>,
    /// Those of them that ask for the end of the job.
    pub stops: BTreeSet<RequestId>,
    pub next_request: u64,
    pub terminal: Option<JobStatus>,
    /// How many records the sources had when the job ended.
    pub records: Vec<u32>,
    pub finished: bool,
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
        let mode = if mutation == Mutation::NoBlocking { Mode::AtLeastOnce } else { Mode::ExactlyOnce };
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
        let strategy = Strategy::FixedDelay { attempts: u32::MAX, delay: rng.random_range(0..20) };
        let ids = job.tasks.iter().map(|t| t.id).collect();
        let records = job.tasks.iter().map(|t| t.records).collect();
        let mut world = World {
            coordinator: Coordinator::new(config.clone(), CheckpointId(1), []),
            execution: Execution::new(ids, strategy.clone(), Attempt(0), 1_000, 7),
            tasks: Vec::new(),
            outbox: Outbox::default(),
            sink: Sink::default(),
            messages: Vec::new(),
            now: 0,
            step: 0,
            incarnation: 1,
            storage: Storage { next_id: 1, ..Storage::default() },
            restored: CheckpointId(0),
            notified: CheckpointId(0),
            triggered: CheckpointId(0),
            last: None,
            requests: BTreeMap::new(),
            stops: BTreeSet::new(),
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
        world.jobmanager(Input::Execution(execution::Event::Start)).unwrap();
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
        while self.weather.faults.last().is_some_and(|(step, _)| *step < self.step) {
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
        [self.coordinator.next_deadline(), self.execution.next_deadline()].into_iter().flatten().min()
    }

    pub fn calm(&self) -> bool {
        self.step > self.weather.calm_at
    }

    pub fn chance(&mut self, p: f64) -> bool {
        p > 0.0 && !self.calm() && self.rng.random_bool(p)
    }

    fn step_task(&mut self) -> Result<bool, String> {
        let count = self.tasks.len();
        let first = if count == 0 { 0 } else { self.rng.random_range(0..count) };
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
                false => coordinator::Event::Ack { attempt, task, checkpoint, snapshot },
                true => {
                    let reason = DeclineReason::Failed("disk full".into());
                    coordinator::Event::Decline { attempt, task, checkpoint, reason }
                }
            });
        }
        for checkpoint in std::mem::take(&mut self.outbox.commits) {
            self.tasks[at].commit(checkpoint, task, &mut self.sink)?;
        }
        for checkpoint in std::mem::take(&mut self.outbox.declined) {
            let reason = DeclineReason::Superseded;
            self.send_lossy(coordinator::Event::Decline { attempt, task, checkpoint, reason });
        }
        if std::mem::take(&mut self.outbox.drained) {
            self.messages.push(Message::Report(execution::Event::Drained { attempt, task }));
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
        let failure = (state == ExecutionState::Failed)
            .then(|| Failure { reason: "struck by lightning".into(), retryable: true });
        self.messages.push(Message::Report(execution::Event::Task { attempt, task, state, failure }));
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
        if matches!(what, Request::StopWithSavepoint { .. }) {
            self.stops.insert(request);
        }
        self.jobmanager(Input::Coordinator(coordinator::Event::Request { request, what }))
    }

    fn deliver(&mut self) -> Result<(), String> {
        let at = self.rng.random_range(0..self.messages.len());
        match self.messages.swap_remove(at) {
            Message::ToTask { task, attempt, control } => {
                if self.tasks[task].attempt == attempt && !self.tasks[task].state.is_terminal() {
                    self.control(task, control)?;
                }
                Ok(())
            }
            Message::Report(event) => self.jobmanager(Input::Execution(event)),
            Message::Checkpoint(event) => self.jobmanager(Input::Coordinator(event)),
            Message::Write { incarnation, snapshot } => {
                let checkpoint = snapshot.checkpoint;
                let event = if self.chance(self.weather.write_failure) {
                    coordinator::Event::StoreFailed { checkpoint, reason: "503".into() }
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

    fn control(&mut self, at: usize, control: Control) -> Result<(), String> {
        let id = self.job.tasks[at].id;
        let spec = &self.job.tasks[at];
        let event = match control {
            Control::Deploy { state, drained } => {
                self.tasks[at].restore(state, id, &mut self.sink, self.mutation)?;
                let opened = life::Event::Opened { at_end: drained };
                self.tasks[at].step(spec, opened, self.now, &mut self.outbox)?;
                self.report(at, ExecutionState::Initializing);
                self.report(at, ExecutionState::Running);
                return Ok(());
            }
            Control::Cancel => {
                self.tasks[at].state = ExecutionState::Canceled;
                self.report(at, ExecutionState::Canceled);
                return Ok(());
            }
            Control::Finish(checkpoint) => life::Event::Finish(Some(checkpoint)),
            Control::Complete(checkpoint) => life::Event::Complete(checkpoint),
            Control::Drain => life::Event::SourceEnded,
            Control::Trigger(barrier) => life::Event::Trigger(barrier),
            Control::Aborted(checkpoint) => life::Event::Aborted(checkpoint),
        };
        self.tasks[at].step(spec, event, self.now, &mut self.outbox)?;
        if self.tasks[at].state == ExecutionState::Finished {
            self.report(at, ExecutionState::Finished);
        }
        self.flush(at)
    }

    fn describe(&self) -> String {
        let progress: Vec<_> = self.coordinator.in_progress().collect();
        let tasks: Vec<(TaskId, String)> =
            self.job.tasks.iter().zip(&self.tasks).map(|(s, t)| (s.id, t.describe())).collect();
        format!(
            "job {}, attempt {}, time {}, checkpoints {progress:?}, messages {}, tasks {tasks:?}",
            self.execution.status(),
            self.execution.region().attempt(),
            self.now,
            self.messages.len()
        )
    }
}
