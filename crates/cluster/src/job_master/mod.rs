//! The job master: drives one job. It contains no decision of its own about checkpoints and recovery; it asks
//! the state machines of `flott_checkpoint`, executes what they say, and tells them what came of it.
//!
//! Its thread only reads its mailbox and never waits for anything else, so that a job can be cancelled
//! whatever hangs. What may block has two threads of its own, which answer with messages: one for what is
//! written to the store of snapshots, one for the enumerators of the sources and for what an attempt starts
//! from ([`recovery`]).

mod actions;
mod checkpoints;
mod commits;
mod ending;
mod lease;
mod message;
mod recovery;
mod reports;
mod rescaling;
mod slots;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use flott_checkpoint::coordinator::{self, Coordinator, Request};
use flott_checkpoint::execution::{self, Execution};
use flott_checkpoint::manifest::{Manifest, TaskSnapshot};
use flott_checkpoint::{Attempt, Barrier, JobStatus, RequestId, TaskId};
use flott_connector::CommitRetries;
use flott_plan::JobGraph;
use flott_runtime::{Failure, TaskCommand, Threads};
use flott_types::{
    CheckpointId, Clock, Error, FastMap, FastSet, JobId, JobKey, Result, Succession, Timestamp,
};
use parking_lot::Mutex;

use crate::enumerators::{Agenda, EnumeratorStates, Enumerators};
use crate::global_commits::{GlobalSink, GlobalSinks, Services};
use crate::high_availability::Leading;
use crate::messages::{ToTaskManager, Work};
use crate::options::JobOptions;
use crate::resource_manager::{GrantedSlot, ResourceManager};
use crate::results::ResultStore;
use crate::scaling::{self, Requirements};
use crate::status::JobShared;
use crate::storage::Storage;
use crate::watermark_alignment::AlignmentGroups;
use crate::worker::Worker;

use self::ending::await_storage;
use self::lease::Renewal;
pub(crate) use self::message::{Answer, JobMessage};
use self::recovery::Prepared;

/// The environment of one job.
pub(crate) struct JobSetup {
    pub(crate) job: JobId,
    pub(crate) graph: JobGraph,
    pub(crate) json: Arc<str>,
    /// The graph as others see it.
    pub(crate) published: Arc<Mutex<Arc<JobGraph>>>,
    pub(crate) submitted_at: Timestamp,
    pub(crate) options: JobOptions,
    pub(crate) enumerators: Enumerators,
    /// Sinks that commit something once for the job.
    pub(crate) global: Vec<GlobalSink>,
    /// Which job it is.
    pub(crate) key: Option<JobKey>,
    /// What it continues from, and where that lies.
    pub(crate) initial: Option<Arc<Manifest>>,
    pub(crate) restored_from: Option<String>,
    /// Where it stands among the starts of the job, if it has a lease: then others want to hear of it now and then.
    pub(crate) succession: Option<Succession>,
    /// The leadership on which it depends.
    pub(crate) leading: Option<Arc<Leading>>,
    /// Whether sinks publish output with checkpoints.
    pub(crate) commits: bool,
    /// Whether the end of the job needs a checkpoint, because a sink commits with it or the user wants
    /// one.
    pub(crate) final_checkpoint: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) results: Option<Arc<ResultStore>>,
    pub(crate) shared: Arc<JobShared>,
    pub(crate) threads: Threads,
    /// Who has slots.
    pub(crate) resources: Arc<ResourceManager>,
    /// Sends itself a message.
    pub(crate) own: Arc<dyn Fn(JobMessage) + Send + Sync>,
}

enum Action {
    Execution(execution::Action),
    Coordinator(coordinator::Action<TaskSnapshot>),
}

/// An event for one of the state machines.
enum Event {
    Execution(execution::Event),
    Coordinator(coordinator::Event<TaskSnapshot>),
}

impl From<execution::Event> for Event {
    fn from(event: execution::Event) -> Self {
        Event::Execution(event)
    }
}

impl From<coordinator::Event<TaskSnapshot>> for Event {
    fn from(event: coordinator::Event<TaskSnapshot>) -> Self {
        Event::Coordinator(event)
    }
}

/// A job while it lives.
pub(crate) struct JobMaster {
    setup: JobSetup,
    /// For each vertex the slot of its first subtask.
    first_slots: Vec<u32>,
    /// How many slots the job needs.
    width: u32,
    /// How parallel it may be.
    requirements: Requirements,
    /// Those that it has, numbered as in [`JobGraph::slots`].
    slots: Vec<Option<GrantedSlot>>,
    /// It has requested slots and has no answer yet.
    asks_for_slots: bool,
    execution: Execution,
    coordinator: Coordinator<TaskSnapshot>,
    actions: VecDeque<Action>,
    /// Counts what was prepared for attempts.
    round: u64,
    /// What is being prepared.
    preparing: Option<u64>,
    /// For the attempt that is about to be deployed, or was.
    prepared: Prepared,
    /// Tasks of the current attempt were sent to TaskManagers.
    deployed: bool,
    /// Checkpoints that go to the tasks as soon as the enumerators have been asked, and the folders of
    /// savepoints.
    triggering: BTreeMap<CheckpointId, (Attempt, Barrier, Option<String>)>,
    /// What the enumerators knew when the checkpoint was triggered.
    enumerators: BTreeMap<CheckpointId, EnumeratorStates>,
    /// When enumerators want to be called.
    agenda: Agenda,
    /// Sources that wait for each other, in the current attempt.
    watermark_alignment: AlignmentGroups,
    answers: FastMap<RequestId, Answer>,
    /// Where completed snapshots lie, for answers.
    paths: FastMap<CheckpointId, String>,
    next_request: u64,
    /// All tasks of the current attempt run, or did: before that, no barrier would reach all of them.
    all_run: bool,
    /// Requests that wait for that.
    early: Vec<(RequestId, Request)>,
    /// Requests to stop with a savepoint that have no answer yet.
    stops: FastSet<RequestId>,
    /// The current attempt ends with the savepoint of a stop.
    stopped: bool,
    /// The attempt that was asked to stop with a savepoint because its inputs have been read.
    asked_at_end: Option<Attempt>,
    /// What sinks commit once for the job.
    global: GlobalSinks,
    /// The last checkpoint of the attempt, while its commits are waited for.
    last: Option<CheckpointId>,
    /// Its inputs had ended with it.
    drained: bool,
    /// Answers that are given after the job has ended.
    farewells: Vec<(Answer, Result<String>)>,
    /// A checkpoint was found unusable, and why.
    unusable: Option<Error>,
    /// Checkpoints whose writing was reported as failed, and which may be there all the same.
    doubtful: BTreeSet<CheckpointId>,
    /// A checkpoint of this start has completed.
    has_completed: bool,
    lease: Renewal,
    /// Writes to the store of snapshots.
    storage: Worker<()>,
    /// Asks the sources, and reads what an attempt starts from.
    sources: Worker<Enumerators>,
    /// Answers that these two owe.
    awaited: usize,
    /// How it ended.
    terminal: Option<(JobStatus, Option<Failure>)>,
}

impl JobMaster {
    pub(crate) fn new(mut setup: JobSetup) -> Result<Self> {
        let options = &setup.options;
        if let Some(manifest) = &setup.initial {
            recovery::check_claims(manifest, &setup.graph, options.ignore_unclaimed)?;
            if recovery::adopt_max_parallelism(manifest, &mut setup.graph)? {
                setup.json = setup.graph.to_json()?.into();
            }
        }
        let first = setup.initial.as_ref().map_or(CheckpointId(1), |manifest| manifest.checkpoint.next());
        let reactive = options.scaling.as_ref().is_some_and(|scaling| scaling.reactive);
        let requirements = scaling::initial(&setup.graph, reactive);
        if options.scaling.is_some() {
            let wished = scaling::wished(&setup.graph, &requirements);
            if wished != setup.graph {
                (setup.json, setup.graph) = (wished.to_json()?.into(), wished);
            }
            setup.shared.update(|info| info.requirements = requirements.clone());
        }
        *setup.published.lock() = Arc::new(setup.graph.clone());
        let tasks = scaling::tasks(&setup.graph);
        let seed = setup.job.0 as u64;
        let options = &setup.options;
        let timeout = options.slot_request_timeout;
        let execution = Execution::new(tasks, options.strategy.clone(), Attempt::default(), timeout, seed)
            .that_commits(!setup.global.is_empty())
            .that_scales(options.scaling.as_ref().map(|scaling| scaling.scaling));
        let retries = CommitRetries { most: options.task.commit_retries, ..CommitRetries::default() };
        let (first_slots, width) = setup.graph.slots();
        let coordinator = Coordinator::new(options.checkpoints.clone(), first, []);
        let name = &setup.graph.name;
        let storage = Worker::start(&format!("{name} checkpoints"), &setup.threads, ())?;
        let services = Services {
            job: setup.job,
            succession: setup.succession,
            clock: setup.clock.clone(),
            threads: setup.threads.clone(),
            may_commit: lease::may_commit(&setup),
            own: setup.own.clone(),
        };
        let global = GlobalSinks::new(std::mem::take(&mut setup.global), retries, services);
        let enumerators = std::mem::take(&mut setup.enumerators);
        let sources = Worker::start(&format!("{name} sources"), &setup.threads, enumerators)?;
        Ok(JobMaster {
            first_slots,
            width,
            requirements,
            slots: Vec::new(),
            asks_for_slots: false,
            execution,
            coordinator,
            actions: VecDeque::new(),
            round: 0,
            preparing: None,
            prepared: Prepared::default(),
            deployed: false,
            triggering: BTreeMap::new(),
            enumerators: BTreeMap::new(),
            agenda: Agenda::default(),
            watermark_alignment: AlignmentGroups::default(),
            answers: FastMap::default(),
            paths: FastMap::default(),
            next_request: 0,
            all_run: false,
            early: Vec::new(),
            stops: FastSet::default(),
            stopped: false,
            asked_at_end: None,
            global,
            last: None,
            drained: false,
            farewells: Vec::new(),
            unusable: None,
            doubtful: BTreeSet::new(),
            has_completed: false,
            lease: Renewal::new(&setup)?,
            storage,
            sources,
            awaited: 0,
            terminal: None,
            setup,
        })
    }

    /// Runs the job to its end.
    /// `before_end` is called with the last look at the job, before its status says that it has ended.
    pub(crate) fn run(
        mut self,
        received: &Receiver<JobMessage>,
        before_end: impl FnOnce(Option<&(JobStatus, Option<Failure>)>),
    ) {
        self.execute(execution::Event::Start);
        while self.terminal.is_none() {
            let now = self.setup.clock.now();
            let deadlines = [
                self.execution.next_deadline(),
                self.coordinator.next_deadline(),
                self.watermark_alignment.next_deadline(),
                self.agenda.next_time,
                self.global.next_time(),
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
        let finished = self.finished();
        self.global.close();
        // Checkpoints that are to be discarded are, before the job counts as gone and may be started again.
        self.release();
        await_storage(self.storage.finish(), received, finished);
        // Once the job is seen to have ended, its slots are free.
        self.setup.resources.remove_job(self.setup.job);
        before_end(self.terminal.as_ref());
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
        for (task, least) in self.watermark_alignment.due(now) {
            self.send(attempt, Some(task), &TaskCommand::Align(least));
        }
        if self.agenda.next_time.take_if(|at| *at <= now).is_some() {
            self.let_sources_work();
        }
        self.lease.tick(&self.setup, now);
        if !self.global.is_empty() && self.terminal.is_none() {
            self.commit();
            self.end_commits();
        }
    }

    fn message(&mut self, message: JobMessage) {
        match message {
            JobMessage::Report(attempt, task, report) => self.report(attempt, task, report),
            JobMessage::Abandoned(attempt, task, failure) => self.abandoned(attempt, task, failure),
            JobMessage::Granted(slots) => {
                self.asks_for_slots = false;
                self.slots = slots.into_iter().map(Some).collect();
                self.setup.shared.update(|info| info.waits_for = None);
                self.execute(execution::Event::SlotsGranted);
            }
            JobMessage::Short { reason, hopeless, reach } => self.short(reason, hopeless, reach),
            JobMessage::Offered(reach) => self.offered(reach),
            JobMessage::Require(asked, answer) => {
                // The requester may have gone.
                let _ = answer.send(self.require(&asked));
            }
            JobMessage::Lost { slots, reason } => self.lost(&slots, reason),
            JobMessage::Cancel => self.execute(execution::Event::Cancel),
            JobMessage::Suspend => self.execute(execution::Event::Suspend),
            JobMessage::Request(what, answer) => self.request(what, answer),
            JobMessage::Stored(checkpoint, result) => self.stored(checkpoint, result),
            JobMessage::Deposed(error) | JobMessage::Uncollected(error) => self.fail(&error),
            JobMessage::NoSavepointAtEnd(attempt, error) => self.no_savepoint_at_end(attempt, error),
            JobMessage::Placed(request, what) => {
                self.awaited -= 1;
                self.placed(request, what);
            }
            JobMessage::Prepared(round, point, result) => {
                self.awaited -= 1;
                self.prepared(round, point, result);
            }
            JobMessage::Sources(attempt, commands, agenda) => {
                self.awaited -= 1;
                self.sources_say(attempt, commands, agenda);
            }
            JobMessage::SourcesWoken => self.let_sources_work(),
            JobMessage::Enumerated(checkpoint, states) => {
                self.awaited -= 1;
                self.enumerated(checkpoint, states);
            }
            JobMessage::Committed(at, round, answer) => self.committed(at, round, answer),
            JobMessage::Look(answer) => {
                self.tick();
                // The requester may have gone.
                let _ = answer.send(self.awaited == 0 && !self.asks_for_slots && !self.agenda.is_looking);
            }
        }
    }

    /// Runs something on the sources' thread, which answers with a message.
    fn ask_sources(&mut self, ask: impl FnOnce(&mut Enumerators) -> JobMessage + Send + 'static) {
        self.awaited += 1;
        let own = self.setup.own.clone();
        self.sources.run(move |enumerators| own(ask(enumerators)));
    }

    /// Runs something on the storage thread, which answers with a message.
    fn ask_storage(&mut self, ask: impl FnOnce() -> JobMessage + Send + 'static) {
        self.awaited += 1;
        let own = self.setup.own.clone();
        self.storage.run(move |()| own(ask()));
    }

    fn execute(&mut self, event: execution::Event) {
        self.step(event.into());
        self.work();
    }

    fn coordinate(&mut self, event: coordinator::Event<TaskSnapshot>) {
        self.step(event.into());
        self.work();
    }

    fn step(&mut self, event: Event) {
        let now = self.setup.clock.now();
        match event {
            Event::Execution(event) => {
                self.actions.extend(self.execution.step(event, now).into_iter().map(Action::Execution));
            }
            Event::Coordinator(event) => {
                self.actions.extend(self.coordinator.step(event, now).into_iter().map(Action::Coordinator));
            }
        }
    }

    /// Executes what is to be done, in order. What an action brings about comes after it, at the end of the
    /// queue.
    fn work(&mut self) {
        while let Some(action) = self.actions.pop_front() {
            let events = match action {
                Action::Execution(action) => self.on_execution(action),
                Action::Coordinator(action) => self.on_coordinator(action),
            };
            events.into_iter().for_each(|event| self.step(event));
        }
    }

    fn send(&self, attempt: Attempt, task: Option<TaskId>, command: &TaskCommand) {
        let job = self.setup.job;
        let work = || Work::Command { job, attempt, task, command: command.clone() };
        match task {
            // Whoever was in a slot that is lost hears nothing any more.
            Some(task) => {
                let slot = self.slots.get(self.slot_of(task)).and_then(Option::as_ref);
                slot.into_iter().for_each(|slot| self.send_to(slot, work()));
            }
            None => {
                let managers: BTreeMap<_, _> =
                    self.slots.iter().flatten().map(|slot| (slot.slot.task_manager, slot)).collect();
                managers.into_values().for_each(|slot| self.send_to(slot, work()));
            }
        }
    }

    /// An undeliverable message ends the session: then the slots are lost, and the job is notified.
    fn send_to(&self, slot: &GrantedSlot, work: Work) {
        if !slot.gateway.send(ToTaskManager::Work(slot.slot.session, work)) {
            self.setup.resources.unreachable(slot.slot);
        }
    }

    /// The number of the slot that holds a task.
    fn slot_of(&self, task: TaskId) -> usize {
        self.first_slots[task.vertex.0 as usize] as usize + task.subtask.index()
    }
}
