//! The environment of the state machines: tasks, links, time.

use std::rc::Rc;

use flott_checkpoint::alignment::Mode;
use flott_checkpoint::coordinator::{self, Config, Request};
use flott_checkpoint::execution;
use flott_checkpoint::resources::{self, LeaderId, TaskManagerId};
use flott_checkpoint::restart::Strategy;
use flott_checkpoint::{Attempt, RequestId};
use flott_types::CheckpointId;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::durable::Storage;
use crate::job::{Job, WIDEST};
use crate::jobmanager::{COMPETITOR, Input, JobManager, Message};
use crate::sink::Sink;
use crate::task::{Outbox, Task};
use crate::taskmanager::{Crossing, TaskManager, ToTaskManager};
use crate::weather::{Fault, Mutation, Weather};

/// The tasks of one attempt. Those of an earlier one may live on where nobody reaches them.
pub struct Generation {
    pub leader: u64,
    pub attempt: Attempt,
    pub job: Rc<Job>,
    pub tasks: Vec<Task>,
}

pub struct World {
    pub job: Rc<Job>,
    pub rng: SmallRng,
    pub weather: Weather,
    pub mutation: Mutation,
    pub config: Config,
    pub resources_config: resources::Config,
    pub strategy: Strategy,
    pub now: i64,
    pub step: u32,
    /// Oldest first.
    pub generations: Vec<Generation>,
    pub task_managers: Vec<TaskManager>,
    /// Of the session of a TaskManager that starts over.
    pub next_number: u64,
    pub outbox: Outbox,
    pub sink: Sink,
    pub messages: Vec<Message>,
    /// The one that leads.
    pub jm: JobManager,
    /// Those that have led and do not know that they do no more.
    pub deposed: Vec<JobManager>,
    /// One of those is at work.
    pub is_deposed: bool,
    pub storage: Storage,
    pub restored: CheckpointId,
    pub notified: CheckpointId,
    pub triggered: CheckpointId,
    pub next_request: u64,
    /// Another job holds slots until then.
    pub competitor_until: Option<i64>,
    /// How many records the sources had when the job ended.
    pub records: Vec<u32>,
    pub finished: bool,
    /// It has ended for want of slots.
    pub failed: bool,
    /// That is what is expected.
    pub gives_up: bool,
    pub stats: Stats,
}

#[derive(Default, Clone, Copy, Debug)]
pub struct Stats {
    pub steps: u32,
    pub completed: u32,
    pub aborted: u32,
    pub restarts: u32,
    pub jobmanagers: u32,
    /// JobManagers that lived on.
    pub deposed: u32,
    pub stops: u32,
    pub rescales: u32,
    /// TaskManagers that died.
    pub deaths: u32,
    /// TaskManagers that stopped their tasks by themselves.
    pub dismissals: u32,
    /// Slots were lost.
    pub losses: u32,
    /// A job was told that it has to wait.
    pub shortages: u32,
    /// Commits that had to be tried again.
    pub uncommitted: u32,
    /// Jobs that ended for want of slots.
    pub no_slots: u32,
    /// Output that was committed for the job.
    pub global: u32,
    /// Commits for the job that failed when half was done.
    pub halves: u32,
    /// Output that was committed for the job after a restart.
    pub global_restored: u32,
    /// Snapshots of tasks with something that a barrier overtook.
    pub overtaken: u32,
    /// Tasks that replayed it.
    pub replayed: u32,
    /// Checkpoints with it that were restored at another parallelism.
    pub replayed_elsewhere: u32,
}

impl World {
    pub fn new(seed: u64, mutation: Mutation) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let job = Job::random(&mut rng);
        let task_managers = Self::random_slots(&mut rng);
        let weather = Weather::random(&mut rng, job.tasks.len(), task_managers.len());
        Self::build(job, task_managers, weather, rng, mutation)
    }

    /// Enough for any job when all are there.
    pub fn random_slots(rng: &mut SmallRng) -> Vec<u32> {
        let mut slots: Vec<u32> = (0..rng.random_range(1..=4)).map(|_| rng.random_range(1..=3)).collect();
        let missing = WIDEST.saturating_sub(slots.iter().sum());
        slots[0] += missing;
        slots
    }

    pub fn build(job: Job, slots: Vec<u32>, weather: Weather, mut rng: SmallRng, mutation: Mutation) -> Self {
        let mode = if mutation == Mutation::NoBlocking { Mode::AtLeastOnce } else { Mode::ExactlyOnce };
        let config = Config {
            interval: rng.random_bool(0.9).then(|| rng.random_range(3..40)),
            min_pause: if rng.random() { 0 } else { rng.random_range(0..20) },
            timeout: rng.random_range(200..500),
            tolerable_failures: rng.random_range(0..4),
            max_concurrent: rng.random_range(1..=2),
            retained: rng.random_range(1..=2),
            mode,
            overtakes_after: rng
                .random_bool(0.7)
                .then(|| if rng.random() { 0 } else { rng.random_range(1..60) }),
            ..Config::default()
        };
        let heartbeat_interval = rng.random_range(20..60);
        let resources_config = resources::Config {
            heartbeat_interval,
            heartbeat_timeout: heartbeat_interval * 10,
            start_up_time: if rng.random_bool(0.8) { 1_000_000 } else { 300 },
            registration_initial: 10,
            registration_max: 100,
        };
        let strategy = Strategy::FixedDelay { attempts: u32::MAX, delay: rng.random_range(0..20) };
        let records = job.tasks.iter().map(|t| t.records).collect();
        let storage = Storage { next_id: 1, ..Storage::default() };
        let job = Rc::new(job);
        let jm = JobManager::first(&job, &config, &strategy, resources_config);
        let manager = |slots: &u32| TaskManager::new(resources_config, 1, *slots);
        World {
            task_managers: slots.iter().map(manager).collect(),
            jm,
            generations: Vec::new(),
            next_number: 1,
            outbox: Outbox::default(),
            sink: Sink::default(),
            messages: Vec::new(),
            deposed: Vec::new(),
            is_deposed: false,
            now: 0,
            step: 0,
            storage,
            restored: CheckpointId(0),
            notified: CheckpointId(0),
            triggered: CheckpointId(0),
            next_request: 0,
            competitor_until: None,
            finished: false,
            failed: false,
            gives_up: false,
            stats: Stats::default(),
            job,
            rng,
            weather,
            mutation,
            config,
            resources_config,
            strategy,
            records,
        }
    }

    /// With what was set since, before the first step.
    pub fn restart(&mut self) {
        self.jm = JobManager::first(&self.job, &self.config, &self.strategy, self.resources_config);
    }

    /// Runs to the end and compares.
    pub fn run(&mut self) -> Result<(), String> {
        const STEPS: u32 = 30_000;
        for at in 0..self.task_managers.len() {
            self.send_down(TaskManagerId(at as u32), ToTaskManager::Leader(LeaderId(1)));
        }
        self.jobmanager(Input::Execution(execution::Event::Start))?;
        while !self.finished {
            if self.step > STEPS {
                return Err(format!("not finished after {STEPS} steps: {}", self.describe()));
            }
            self.advance()?;
        }
        self.stats.steps = self.step;
        if self.failed {
            return Ok(());
        }
        let expected = self.job.expected(&self.records);
        let written = self.sink.rows();
        if expected != written {
            return Err(format!("written {written:?}, expected {expected:?}"));
        }
        match self.jm.requests.values().find(|answers| **answers != 1) {
            // Those of a JobManager that was replaced are forgotten with it.
            Some(answers) => Err(format!("a request was answered {answers} times")),
            None => Ok(()),
        }
    }

    fn advance(&mut self) -> Result<(), String> {
        self.step += 1;
        self.now += self.rng.random_range(0..=1);
        while self.weather.faults.last().is_some_and(|(step, _)| *step < self.step) {
            if let Some((_, fault)) = self.weather.faults.pop() {
                self.strike(fault)?;
            }
        }
        self.tend_task_managers();
        self.tick()?;
        if self.competitor_until.is_some_and(|until| until <= self.now || self.calm()) {
            self.competitor_until = None;
            self.jobmanager(Input::Resources(resources::Event::Release { job: COMPETITOR }))?;
        }
        if self.calm() {
            // Those that were deposed have learned it, or died.
            self.deposed.clear();
        }
        if !self.messages.is_empty() && self.rng.random_bool(self.link_speed()) {
            return self.deliver();
        }
        if self.step_tasks()? {
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

    /// In calm weather nobody is taken for dead who is not.
    fn link_speed(&self) -> f64 {
        if self.calm() { self.weather.link_speed.max(0.4) } else { self.weather.link_speed }
    }

    fn strike(&mut self, fault: Fault) -> Result<(), String> {
        match fault {
            Fault::Task(task) => {
                if let Some(last) = self.generations.len().checked_sub(1) {
                    self.fail_task(last, task);
                }
                Ok(())
            }
            // That a job has ended is durable: nobody takes it up again.
            Fault::Rescale if self.jm.terminal.is_none() => self.rescale(),
            Fault::Rescale => Ok(()),
            Fault::Resize => self.jobmanager(Input::Execution(execution::Event::Rescale)),
            Fault::JobManager { lives } if self.jm.terminal.is_none() => {
                self.stats.jobmanagers += 1;
                self.land_writes();
                self.new_jobmanager(None, lives)
            }
            Fault::JobManager { .. } => Ok(()),
            Fault::TaskManager { which, back_in } => {
                self.kill_task_manager(which, back_in);
                Ok(())
            }
            Fault::Partition { which, time } => {
                self.task_managers[which].cut_until = Some(self.now + time);
                Ok(())
            }
            Fault::Competitor { slots, time } => {
                self.competitor_until = Some(self.now + time);
                let event =
                    resources::Event::Request { job: COMPETITOR, name: "other".into(), needed: slots };
                self.jobmanager(Input::Resources(event))
            }
            Fault::Request(what) => self.request(what),
        }
    }

    /// What is due by the clock in the JobManagers.
    fn tick(&mut self) -> Result<(), String> {
        for at in 0..=self.deposed.len() {
            let due = |jm: &JobManager| jm.next_deadline().is_some_and(|due| due <= self.now);
            let old = at.checked_sub(1);
            if !due(old.map_or(&self.jm, |old| &self.deposed[old])) {
                continue;
            }
            let ticks = [
                Input::Coordinator(coordinator::Event::Tick),
                Input::Execution(execution::Event::Tick),
                Input::Resources(resources::Event::Tick),
            ];
            for tick in ticks {
                match old {
                    Some(old) => self.as_deposed(old, tick)?,
                    None => self.jobmanager(tick)?,
                }
            }
            let jm = old.map_or(&self.jm, |old| &self.deposed[old]);
            if jm.next_deadline().is_some_and(|due| due <= self.now) {
                return Err(format!("a tick did not move the deadline: {}", self.describe()));
            }
        }
        Ok(())
    }

    fn deadline(&self) -> Option<i64> {
        let jobmanagers = self.deposed.iter().chain([&self.jm]).filter_map(JobManager::next_deadline);
        let tasks = self.generations.iter().flat_map(|own| &own.tasks).filter_map(Task::next_deadline);
        jobmanagers.chain(self.task_managers_deadline()).chain(self.competitor_until).chain(tasks).min()
    }

    pub fn calm(&self) -> bool {
        self.step > self.weather.calm_at
    }

    pub fn chance(&mut self, p: f64) -> bool {
        p > 0.0 && !self.calm() && self.rng.random_bool(p)
    }

    fn request(&mut self, what: Request) -> Result<(), String> {
        self.next_request += 1;
        let request = RequestId(self.next_request);
        self.jm.requests.insert(request, 0);
        if matches!(what, Request::StopWithSavepoint { .. }) {
            self.jm.stops.insert(request);
        }
        self.jobmanager(Input::Coordinator(coordinator::Event::Request { request, what }))
    }

    fn deliver(&mut self) -> Result<(), String> {
        let at = self.rng.random_range(0..self.messages.len());
        match self.messages.swap_remove(at) {
            Message::ToTaskManager { to, what } => self.task_manager_hears(to, what),
            Message::FromTaskManager { from, what } => self.task_manager_says(from, what),
            Message::ToTask { slot, attempt, task, control } => {
                match self.crossing(slot.task_manager, slot.session, true) {
                    Crossing::Delivered => self.task_hears(slot, attempt, task, control),
                    Crossing::Refused => self.refused_down(slot),
                    Crossing::Lost => Ok(()),
                }
            }
            Message::Report { from, event } => match self.crossing(from.task_manager, from.session, false) {
                Crossing::Delivered => self.with_leader(from.session.leader.0, Input::Execution(event)),
                Crossing::Refused => {
                    self.refused_up(from.task_manager, from.session);
                    Ok(())
                }
                Crossing::Lost => Ok(()),
            },
            Message::Checkpoint { from, event } => {
                match self.crossing(from.task_manager, from.session, false) {
                    Crossing::Delivered => self.with_leader(from.session.leader.0, Input::Coordinator(event)),
                    Crossing::Refused => {
                        self.refused_up(from.task_manager, from.session);
                        Ok(())
                    }
                    Crossing::Lost => Ok(()),
                }
            }
            Message::Write { leader, snapshot, commits } => {
                let checkpoint = snapshot.checkpoint;
                let fenced = leader != self.jm.leader && self.mutation != Mutation::Unfenced;
                let event = if fenced || self.chance(self.weather.write_failure) {
                    coordinator::Event::StoreFailed { checkpoint, reason: "503".into() }
                } else {
                    self.store(&snapshot, &commits);
                    coordinator::Event::StoreCompleted(checkpoint)
                };
                if fenced && self.rng.random() {
                    // It looks at its lease when it could not write, and gives up.
                    let failure = execution::Failure { reason: "deposed".into(), retryable: false };
                    self.with_leader(leader, Input::Execution(execution::Event::Fail(failure)))?;
                }
                self.messages.push(Message::Written { leader, event });
                Ok(())
            }
            Message::Confirmed { from, attempt, task, checkpoint } => {
                match self.crossing(from.task_manager, from.session, false) {
                    Crossing::Delivered => {
                        let confirmed = Input::Confirmed { attempt, task, checkpoint };
                        self.with_leader(from.session.leader.0, confirmed)
                    }
                    Crossing::Refused => {
                        self.refused_up(from.task_manager, from.session);
                        Ok(())
                    }
                    Crossing::Lost => Ok(()),
                }
            }
            Message::Commit { leader, vertex, round, requests } => {
                self.commit_globally(leader, vertex, round, &requests)
            }
            Message::CommitAnswer { leader, vertex, round, answer } => {
                self.with_leader(leader, Input::CommitAnswer { vertex, round, answer })
            }
            Message::Written { leader, event } => self.with_leader(leader, Input::Coordinator(event)),
        }
    }

    /// With `FLOTT_SIM_TRACE` set, what the machines decide.
    pub fn trace(&self, line: &dyn std::fmt::Debug) {
        static ON: std::sync::LazyLock<bool> =
            std::sync::LazyLock::new(|| std::env::var_os("FLOTT_SIM_TRACE").is_some());
        if *ON {
            println!("{} {} jm {} {line:?}", self.step, self.now, self.jm.leader);
        }
    }

    pub fn describe(&self) -> String {
        let progress: Vec<_> = self.jm.coordinator.in_progress().collect();
        let tasks: Vec<_> = self
            .generations
            .iter()
            .map(|one| {
                let tasks = one.job.tasks.iter().zip(&one.tasks);
                let tasks: Vec<_> = tasks.map(|(spec, task)| (spec.id, task.describe())).collect();
                (one.leader, one.attempt, tasks)
            })
            .collect();
        let members: Vec<_> = self.jm.resources.members().collect();
        format!(
            "job {}, attempt {}, time {}, commits {:?}, checkpoints {progress:?}, messages {}, slots {:?} of {members:?}, tasks {tasks:?}",
            self.jm.execution.status(),
            self.jm.execution.region().attempt(),
            self.now,
            self.jm.global,
            self.messages.len(),
            self.jm.resources.counts(),
        )
    }
}
