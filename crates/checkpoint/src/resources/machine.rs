//! The state machine in the JobManager.

use std::collections::BTreeMap;

use flott_types::{JobId, Timestamp};

use super::free::{Member, Members};
use super::holding::Holding;
use super::{Config, Hanging, LeaderId, Session, Slot, TaskManagerId, TaskManagerInfo};

/// So many sessions that have ended are remembered.
const REMEMBERED: usize = 10_000;

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// A TaskManager announces itself, perhaps not for the first time: an answer may have been lost. With the
    /// number that it has already, and more slots than before, tasks that hung have left.
    Register {
        /// It.
        task_manager: TaskManagerId,
        /// Of its session.
        number: u64,
        /// How many slots it has.
        slots: u32,
    },
    /// A TaskManager is alive.
    Heartbeat {
        /// It.
        task_manager: TaskManagerId,
        /// Its session.
        session: Session,
    },
    /// A TaskManager leaves, or a message to or from it could not be delivered.
    Gone {
        /// It.
        task_manager: TaskManagerId,
        /// Its session.
        session: Session,
        /// Why, for people.
        reason: String,
    },
    /// A job needs this many slots, those that it has included.
    Request {
        /// The job.
        job: JobId,
        /// Its name, for people.
        name: String,
        /// How many.
        needed: u32,
    },
    /// A job that has its slots would make use of more.
    Wish {
        /// The job.
        job: JobId,
        /// How many, those that it has included.
        wanted: u32,
    },
    /// A job waits no longer. It keeps what it has.
    Withdraw {
        /// The job.
        job: JobId,
    },
    /// A job needs no slots any more.
    Release {
        /// The job.
        job: JobId,
    },
    /// A task does not leave: the slot that it is in is lost.
    Hangs {
        /// The number of the slot in the job.
        slot: u32,
        /// The task.
        task: Hanging,
    },
    /// Such a task has left after all.
    Returned(Hanging),
    /// Time has passed: [`Resources::next_deadline`] or later.
    Tick,
}

/// What the driver has to do, in this order.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Tell a TaskManager that it is registered.
    Welcome {
        /// It.
        task_manager: TaskManagerId,
        /// Since now.
        session: Session,
    },
    /// Ask a TaskManager whether it is alive.
    Heartbeat {
        /// It.
        task_manager: TaskManagerId,
        /// Its session.
        session: Session,
    },
    /// Tell a TaskManager that its session is over: it is to stop what it runs, and may register again.
    Dismiss {
        /// It.
        task_manager: TaskManagerId,
        /// Its session.
        session: Session,
    },
    /// A job has all the slots that it needs, by its own numbers.
    Grant {
        /// The job.
        job: JobId,
        /// The slots.
        slots: Vec<Slot>,
    },
    /// A job has to wait; told again when something else is missing.
    Short {
        /// The job.
        job: JobId,
        /// What is missing, for people.
        reason: String,
        /// The cluster does not have that many slots in total.
        hopeless: bool,
        /// Those that it has and those that are free.
        reach: u32,
    },
    /// A job that [wishes](Event::Wish) more could have so many slots, those that it has included; told again when
    /// that changes.
    Offer {
        /// The job.
        job: JobId,
        /// How many.
        reach: u32,
    },
    /// A job has lost slots, and the tasks in them.
    Lost {
        /// The job.
        job: JobId,
        /// Where they were.
        task_manager: TaskManagerId,
        /// By the job's numbers.
        slots: Vec<u32>,
        /// Why, for people.
        reason: String,
    },
}

/// The TaskManagers and their slots.
#[derive(Clone, Debug)]
pub struct Resources {
    config: Config,
    leader: LeaderId,
    started_at: Timestamp,
    members: Members,
    /// The last session of each TaskManager that has ended: it does not begin again, for tasks may still run
    /// in it. With the place in the order in which they ended.
    ended: BTreeMap<TaskManagerId, (u64, u64)>,
    /// How many have ended.
    ends: u64,
    jobs: BTreeMap<JobId, Holding>,
    /// Waiting jobs, first come first served.
    waiting: Vec<JobId>,
    /// The next heartbeats are sent then.
    beat_at: Timestamp,
    /// What was last answered to [`Resources::next_deadline`].
    due: Option<Timestamp>,
}

impl Resources {
    /// A cluster without TaskManagers.
    pub fn new(config: Config, leader: LeaderId, now: Timestamp) -> Self {
        Resources {
            config,
            leader,
            started_at: now,
            members: Members::default(),
            ended: BTreeMap::new(),
            ends: 0,
            jobs: BTreeMap::new(),
            waiting: Vec::new(),
            beat_at: now.saturating_add(config.heartbeat_interval),
            due: None,
        }
    }

    /// All slots and the free ones, without those that are lost to tasks that hang.
    pub fn counts(&self) -> (u32, u32) {
        self.members.counts()
    }

    /// The TaskManagers that are registered.
    pub fn members(&self) -> impl Iterator<Item = (TaskManagerId, Session)> + '_ {
        self.members.0.iter().map(|(id, member)| (*id, member.session))
    }

    /// What is known of each registered TaskManager.
    pub fn task_managers(&self) -> impl Iterator<Item = TaskManagerInfo> + '_ {
        self.members.0.iter().map(|(id, member)| TaskManagerInfo {
            id: *id,
            slots: member.slots,
            free: member.free,
            heard_at: member.heard,
        })
    }

    /// How many slots jobs make use of, whether they are there or not.
    pub fn wanted(&self) -> u32 {
        let of = |job: &Holding| {
            let needed = u32::try_from(job.slots.len()).unwrap_or(u32::MAX);
            job.wish.map_or(needed, |(wished, _)| wished.max(needed))
        };
        self.jobs.values().map(of).fold(0, u32::saturating_add)
    }

    /// The jobs that wait for slots.
    pub fn waiting(&self) -> &[JobId] {
        &self.waiting
    }

    /// Whether this slot is taken.
    pub fn owners(&self, slot: Slot) -> usize {
        let held = self.jobs.values().flat_map(|job| &job.slots);
        held.filter(|held| **held == Some(slot)).count()
    }

    /// When the driver has to send [`Event::Tick`].
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let lost = |member: &Member| member.heard.saturating_add(self.config.heartbeat_timeout);
        let beat = (!self.members.0.is_empty()).then_some(self.beat_at);
        let assembled = self.started_at.saturating_add(self.config.start_up_time);
        let untold = |job: &JobId| {
            let told = self.jobs.get(job).and_then(|holding| holding.told.as_ref());
            self.is_beyond(*job) && !told.is_some_and(|(_, hopeless)| *hopeless)
        };
        let hopeless = self.waiting.iter().any(untold).then_some(assembled);
        self.members.0.values().map(lost).chain(beat).chain(hopeless).min()
    }

    /// The machine.
    pub fn step(&mut self, event: Event, now: Timestamp) -> Vec<Action> {
        let mut actions = Vec::new();
        let out = &mut actions;
        self.forgive(now);
        match event {
            Event::Register { task_manager, number, slots } => {
                self.register(task_manager, number, slots, now, out);
            }
            Event::Heartbeat { task_manager, session } => {
                match self.members.of(Slot { task_manager, session }) {
                    Some(member) => member.heard = now,
                    None => out.push(Action::Dismiss { task_manager, session }),
                }
            }
            Event::Gone { task_manager, session, reason } => {
                if self.members.of(Slot { task_manager, session }).is_some() {
                    self.lose(task_manager, &reason, out);
                }
            }
            Event::Request { job, name, needed } => self.request(job, name, needed),
            Event::Wish { job, wanted } => {
                if let Some(holding) = self.jobs.get_mut(&job) {
                    holding.wish = Some((wanted, None));
                }
            }
            Event::Withdraw { job } => self.waiting.retain(|other| *other != job),
            Event::Release { job } => self.release(job),
            Event::Hangs { slot, task } => self.hangs(slot, task),
            Event::Returned(task) => {
                self.members.0.values_mut().for_each(|member| member.returned(task));
            }
            Event::Tick => {}
        }
        self.look(now, out);
        self.serve(now, out);
        self.offer(out);
        self.due = self.next_deadline();
        actions
    }

    /// The time in which nobody called this machine does not count as silence of the others: their time
    /// starts over.
    fn forgive(&mut self, now: Timestamp) {
        let late = self.due.map_or(0, |due| now.saturating_sub(due));
        if late > self.config.heartbeat_interval {
            self.members.0.values_mut().for_each(|member| member.heard = now);
        }
    }

    fn register(
        &mut self,
        task_manager: TaskManagerId,
        number: u64,
        slots: u32,
        now: Timestamp,
        out: &mut Vec<Action>,
    ) {
        let session = Session { leader: self.leader, number };
        if self.ended.get(&task_manager).is_some_and(|(ended, _)| *ended >= number) {
            return out.push(Action::Dismiss { task_manager, session });
        }
        match self.members.0.get_mut(&task_manager) {
            // It came late.
            Some(member) if member.session.number > number => return,
            Some(member) if member.session.number == number => {
                member.heard = now;
                let more = slots.saturating_sub(member.slots);
                member.slots += more;
                member.free += more;
            }
            Some(_) => {
                self.lose(task_manager, "it has started over", out);
                self.welcome(task_manager, session, slots, now);
            }
            None => self.welcome(task_manager, session, slots, now),
        }
        out.push(Action::Welcome { task_manager, session });
    }

    fn welcome(&mut self, task_manager: TaskManagerId, session: Session, slots: u32, now: Timestamp) {
        let member = Member { session, slots, free: slots, heard: now, hanging: Vec::new() };
        if self.members.0.is_empty() {
            self.beat_at = now.saturating_add(self.config.heartbeat_interval);
        }
        self.members.0.insert(task_manager, member);
    }

    fn request(&mut self, job: JobId, name: String, needed: u32) {
        let anew = || Holding { name, slots: Vec::new(), told: None, wish: None };
        let holding = self.jobs.entry(job).or_insert_with(anew);
        (holding.told, holding.wish) = (None, None);
        // A job with a lower parallelism returns the slots that it no longer needs.
        for slot in holding.slots.drain((needed as usize).min(holding.slots.len())..).flatten() {
            self.members.give_back(slot);
        }
        holding.slots.resize(needed as usize, None);
        if !self.waiting.contains(&job) {
            self.waiting.push(job);
        }
    }

    fn release(&mut self, job: JobId) {
        self.waiting.retain(|other| *other != job);
        let held = self.jobs.remove(&job).map(|holding| holding.slots).unwrap_or_default();
        held.into_iter().flatten().for_each(|slot| self.members.give_back(slot));
    }

    fn hangs(&mut self, number: u32, task: Hanging) {
        if self.members.0.values_mut().any(|member| member.hangs_too(number, task)) {
            return;
        }
        let holding = self.jobs.get_mut(&task.job);
        let slot = holding.and_then(|holding| holding.slots.get_mut(number as usize)).and_then(Option::take);
        if let Some(member) = slot.and_then(|slot| self.members.of(slot)) {
            member.hangs(number, task);
        }
    }

    fn lose(&mut self, task_manager: TaskManagerId, reason: &str, out: &mut Vec<Action>) {
        let Some(member) = self.members.0.remove(&task_manager) else { return };
        self.has_ended(task_manager, member.session.number);
        for (job, holding) in &mut self.jobs {
            let mut slots = Vec::new();
            for (number, slot) in (0..).zip(&mut holding.slots) {
                if slot.take_if(|slot| slot.task_manager == task_manager).is_some() {
                    slots.push(number);
                }
            }
            if !slots.is_empty() {
                let reason = reason.to_owned();
                out.push(Action::Lost { job: *job, task_manager, slots, reason });
            }
        }
        out.push(Action::Dismiss { task_manager, session: member.session });
    }

    /// Each process has an id of its own, so those that ended long ago belong to processes that are gone.
    fn has_ended(&mut self, task_manager: TaskManagerId, number: u64) {
        self.ends += 1;
        self.ended.insert(task_manager, (number, self.ends));
        if self.ended.len() > REMEMBERED {
            let first = self.ended.iter().min_by_key(|(_, (_, at))| *at).map(|(id, _)| *id);
            first.map(|id| self.ended.remove(&id));
        }
    }

    /// Handles silent TaskManagers and due heartbeats.
    fn look(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let timeout = self.config.heartbeat_timeout;
        let silent = |member: &Member| now.saturating_sub(member.heard) >= timeout;
        let lost: Vec<_> = self.members.0.iter().filter(|(_, m)| silent(m)).map(|(id, _)| *id).collect();
        for task_manager in lost {
            let reason = format!("it was silent for {timeout} ms ('heartbeat.timeout')");
            self.lose(task_manager, &reason, out);
        }
        if self.beat_at <= now {
            self.beat_at = now.saturating_add(self.config.heartbeat_interval);
            out.extend(
                self.members().map(|(task_manager, session)| Action::Heartbeat { task_manager, session }),
            );
        }
    }

    /// Whether a job needs more slots than the cluster has in total.
    fn is_beyond(&self, job: JobId) -> bool {
        let needed = self.jobs.get(&job).map_or(0, |holding| holding.slots.len());
        needed > self.members.counts().0 as usize
    }

    /// Gives slots to those that wait.
    fn serve(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let assembled = now >= self.started_at.saturating_add(self.config.start_up_time);
        for job in std::mem::take(&mut self.waiting) {
            let hopeless = self.is_beyond(job) && assembled;
            let (all, free) = self.members.counts();
            let hanging = self.members.hanging();
            let Some(holding) = self.jobs.get_mut(&job) else { continue };
            let missing = holding.slots.iter().filter(|slot| slot.is_none()).count();
            if missing <= free as usize {
                for slot in holding.slots.iter_mut().filter(|slot| slot.is_none()) {
                    *slot = self.members.take();
                }
                let slots = holding.slots.iter().copied().flatten().collect();
                out.push(Action::Grant { job, slots });
                continue;
            }
            let reason = holding.short(missing, (all, free), hanging);
            self.waiting.push(job);
            if holding.told.as_ref().is_none_or(|(text, was)| (text, *was) != (&reason, hopeless)) {
                holding.told = Some((reason.clone(), hopeless));
                let has = holding.slots.len().saturating_sub(missing);
                let reach = u32::try_from(has).unwrap_or(u32::MAX).saturating_add(free);
                out.push(Action::Short { job, reason, hopeless, reach });
            }
        }
    }
}

impl Resources {
    /// How many slots a job has or could have now.
    pub fn reach(&self, job: JobId) -> u32 {
        let held = self.jobs.get(&job).map_or(0, |holding| holding.slots.iter().flatten().count());
        u32::try_from(held).unwrap_or(u32::MAX).saturating_add(self.members.counts().1)
    }

    /// Tells those that wish more what is free; what somebody waits for is not.
    fn offer(&mut self, out: &mut Vec<Action>) {
        let free = if self.waiting.is_empty() { self.members.counts().1 } else { 0 };
        for (job, holding) in &mut self.jobs {
            let held = u32::try_from(holding.slots.iter().flatten().count()).unwrap_or(u32::MAX);
            let Some((wanted, told)) = &mut holding.wish else { continue };
            let reach = held.saturating_add(free).min(*wanted);
            if told.replace(reach) != Some(reach) {
                out.push(Action::Offer { job: *job, reach });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_that_ended_long_ago_are_forgotten() {
        let mut resources = Resources::new(Config::default(), LeaderId(1), 0);
        let session = Session { leader: LeaderId(1), number: 1 };
        let register = |id| Event::Register { task_manager: TaskManagerId(id), number: 1, slots: 1 };
        let many = REMEMBERED as u32 + 5;
        for id in (0..many).rev() {
            resources.step(register(id), 0);
            let reason = "killed".to_owned();
            resources.step(Event::Gone { task_manager: TaskManagerId(id), session, reason }, 0);
        }
        assert_eq!(resources.ended.len(), REMEMBERED);
        // The last one is known, and the first one is not any more.
        assert!(matches!(resources.step(register(0), 0)[..], [Action::Dismiss { .. }]));
        assert!(matches!(resources.step(register(many - 1), 0)[..], [Action::Welcome { .. }]));
    }
}
