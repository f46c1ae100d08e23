//! The resource manager: drives [`Resources`], the machine that knows the TaskManagers, their slots and who
//! has them.
//!
//! Who tells it something runs the machine, under a lock, and sends what it says on, under the same lock: so
//! everybody hears of things in the order in which they happened. Nothing of that blocks, for gateways and
//! mailboxes only take messages. A thread looks after time: heartbeats, and those that have fallen silent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use flott_checkpoint::resources::{
    Action, Config, Event, LeaderId, Resources, Session, Slot, TaskManagerId, TaskManagerInfo,
};
use flott_runtime::Threads;
use flott_types::{Clock, JobId, Result};
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::job_master::JobMessage;
use crate::messages::{ToTaskManager, Work};
use crate::programs::Hosted;
use crate::transport::TaskManagerGateway;

/// How often the clock is looked at: it may be one that a test moves.
const LOOK: i64 = 1_000;

/// The way to a slot.
#[derive(Clone)]
pub(crate) struct GrantedSlot {
    pub(crate) slot: Slot,
    pub(crate) gateway: Arc<dyn TaskManagerGateway>,
}

/// TaskManagers and slots of the cluster.
pub(crate) struct ResourceManager {
    state: Mutex<State>,
    /// Another deadline, or the end.
    changed: Condvar,
    clock: Arc<dyn Clock>,
    leader: LeaderId,
}

struct State {
    machine: Resources,
    gateways: BTreeMap<TaskManagerId, Arc<dyn TaskManagerGateway>>,
    jobs: BTreeMap<JobId, TellJob>,
    closed: bool,
    /// Where slots come from when jobs make use of them, and how many it was told.
    hosted: Option<(Arc<Hosted>, u32)>,
}

/// The way to a job that may have slots.
pub(crate) type TellJob = Arc<dyn Fn(JobMessage) + Send + Sync>;

impl ResourceManager {
    pub(crate) fn start(
        config: Config,
        leader: LeaderId,
        clock: Arc<dyn Clock>,
        threads: &Threads,
        hosted: Option<Arc<Hosted>>,
    ) -> Result<Arc<Self>> {
        let state = State {
            machine: Resources::new(config, leader, clock.now()),
            gateways: BTreeMap::new(),
            jobs: BTreeMap::new(),
            closed: false,
            hosted: hosted.map(|hosted| (hosted, 0)),
        };
        let (state, changed) = (Mutex::new(state), Condvar::new());
        let manager = Arc::new(ResourceManager { state, changed, clock, leader });
        let own = manager.clone();
        threads.spawn("resourcemanager", move || own.keep_time())?;
        Ok(manager)
    }

    /// Which JobManager this is.
    pub(crate) fn leader(&self) -> LeaderId {
        self.leader
    }

    /// How a TaskManager is reached.
    pub(crate) fn join(&self, id: TaskManagerId, gateway: Arc<dyn TaskManagerGateway>) {
        self.state.lock().gateways.insert(id, gateway);
    }

    /// The way to a TaskManager has ended, unless there is another one by now.
    pub(crate) fn part(&self, id: TaskManagerId, gateway: &Arc<dyn TaskManagerGateway>, reason: &str) {
        let mut state = self.state.lock();
        if !state.gateways.get(&id).is_some_and(|current| Arc::ptr_eq(current, gateway)) {
            return;
        }
        state.gateways.remove(&id);
        let session = state.machine.members().find(|(member, _)| *member == id).map(|(_, session)| session);
        if let Some(session) = session {
            let reason = reason.to_owned();
            state.run(Event::Gone { task_manager: id, session, reason }, &*self.clock);
            self.changed.notify_all();
        }
    }

    /// A job that may ask for slots.
    pub(crate) fn add_job(&self, job: JobId, tell: TellJob) {
        self.state.lock().jobs.insert(job, tell);
    }

    /// It has ended: its slots are free.
    pub(crate) fn remove_job(&self, job: JobId) {
        self.tell(Event::Release { job });
        self.state.lock().jobs.remove(&job);
    }

    /// Total and free slots.
    pub(crate) fn counts(&self) -> (u32, u32) {
        self.state.lock().machine.counts()
    }

    /// How many slots a job has or could have now.
    pub(crate) fn reach(&self, job: JobId) -> u32 {
        self.state.lock().machine.reach(job)
    }

    /// What is known of each registered TaskManager.
    pub(crate) fn task_managers(&self) -> Vec<TaskManagerInfo> {
        self.state.lock().machine.task_managers().collect()
    }

    /// The ways to all TaskManagers that are registered, and their sessions.
    pub(crate) fn members(&self) -> Vec<GrantedSlot> {
        let state = self.state.lock();
        let members = state.machine.members();
        let way = |(task_manager, session)| {
            let gateway = state.gateways.get(&task_manager)?.clone();
            Some(GrantedSlot { slot: Slot { task_manager, session }, gateway })
        };
        members.filter_map(way).collect()
    }

    /// Something for a TaskManager to do, if it is registered.
    pub(crate) fn send_work(&self, task_manager: TaskManagerId, work: Work) {
        let mut state = self.state.lock();
        let session = state.machine.members().find(|(member, _)| *member == task_manager);
        let Some((_, session)) = session else { return };
        if let Some(gone) = state.send(task_manager, session, ToTaskManager::Work(session, work)) {
            state.run(gone, &*self.clock);
            self.changed.notify_all();
        }
    }

    /// Waits until no TaskManager is registered any more, at most this long.
    pub(crate) fn await_leaving(&self, timeout: Duration) {
        let mut state = self.state.lock();
        let is_there = |state: &mut State| state.machine.members().next().is_some();
        self.changed.wait_while_for(&mut state, is_there, timeout);
    }

    /// Every TaskManager is told this, registered or not.
    pub(crate) fn tell_all(&self, message: &ToTaskManager) {
        for gateway in self.state.lock().gateways.values() {
            gateway.send(message.clone());
        }
    }

    /// What happened.
    pub(crate) fn tell(&self, event: Event) {
        let mut state = self.state.lock();
        state.run(event, &*self.clock);
        self.changed.notify_all();
    }

    /// Those that wait for slots have to go on waiting: so says the session that this cluster is hosted by.
    pub(crate) fn short(&self, reason: &str, hopeless: bool, reach: u32) {
        let state = self.state.lock();
        for job in state.machine.waiting() {
            state.tell_job(*job, JobMessage::Short { reason: reason.to_owned(), hopeless, reach });
        }
    }

    /// A message could not be delivered.
    pub(crate) fn unreachable(&self, slot: Slot) {
        self.tell(gone(slot.task_manager, slot.session));
    }

    /// Time that has passed is acted on now, and not when the thread looks.
    pub(crate) fn tick(&self) {
        self.state.lock().tick(&*self.clock);
    }

    /// The thread ends.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }

    fn keep_time(&self) {
        let mut state = self.state.lock();
        while !state.closed {
            self.wait(&mut state);
            state.tick(&*self.clock);
            // Somebody may wait for those to leave that time has lost.
            self.changed.notify_all();
        }
    }

    fn wait(&self, state: &mut MutexGuard<'_, State>) {
        match state.machine.next_deadline() {
            None => self.changed.wait(state),
            Some(at) => {
                let millis = at.saturating_sub(self.clock.now()).clamp(0, LOOK);
                self.changed.wait_for(state, Duration::from_millis(millis.unsigned_abs()));
            }
        }
    }
}

fn gone(task_manager: TaskManagerId, session: Session) -> Event {
    Event::Gone { task_manager, session, reason: "a message to it could not be delivered".to_owned() }
}

impl State {
    fn tick(&mut self, clock: &dyn Clock) {
        if self.machine.next_deadline().is_some_and(|at| at <= clock.now()) {
            self.run(Event::Tick, clock);
        }
    }

    fn run(&mut self, event: Event, clock: &dyn Clock) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for action in self.machine.step(event, clock.now()) {
                events.extend(self.execute(action));
            }
        }
        let wanted = self.machine.wanted();
        if let Some((hosted, told)) = &mut self.hosted
            && *told != wanted
        {
            *told = wanted;
            hosted.wants(wanted);
        }
    }

    /// What follows from it.
    fn execute(&self, action: Action) -> Option<Event> {
        match action {
            Action::Welcome { task_manager, session } => {
                tracing::info!(task_manager = task_manager.0, session = session.number, "registered");
                self.send(task_manager, session, ToTaskManager::Welcome(session))
            }
            Action::Heartbeat { task_manager, session } => {
                self.send(task_manager, session, ToTaskManager::Heartbeat(session))
            }
            Action::Dismiss { task_manager, session } => {
                // It may not be received.
                self.send(task_manager, session, ToTaskManager::Dismiss(session));
                None
            }
            Action::Grant { job, slots } => {
                let way = |slot: Slot| {
                    let gateway = self.gateways.get(&slot.task_manager)?.clone();
                    Some(GrantedSlot { slot, gateway })
                };
                self.tell_job(job, JobMessage::Granted(slots.into_iter().filter_map(way).collect()));
                None
            }
            // Who gives the slots says what is missing.
            Action::Short { .. } if self.hosted.is_some() => None,
            Action::Short { job, reason, hopeless, reach } => {
                self.tell_job(job, JobMessage::Short { reason, hopeless, reach });
                None
            }
            Action::Offer { job, reach } => {
                self.tell_job(job, JobMessage::Offered(reach));
                None
            }
            Action::Lost { job, task_manager, slots, reason } => {
                let reason = format!("TaskManager {} is lost: {reason}", task_manager.0);
                self.tell_job(job, JobMessage::Lost { slots, reason });
                None
            }
        }
    }

    fn send(&self, task_manager: TaskManagerId, session: Session, message: ToTaskManager) -> Option<Event> {
        let delivered = self.gateways.get(&task_manager).is_some_and(|gateway| gateway.send(message));
        (!delivered).then(|| gone(task_manager, session))
    }

    fn tell_job(&self, job: JobId, message: JobMessage) {
        if let Some(tell) = self.jobs.get(&job) {
            tell(message);
        }
    }
}
