//! TaskManagers, and the connections to them.

use flott_checkpoint::ExecutionState;
use flott_checkpoint::resources::membership::{self, Membership};
use flott_checkpoint::resources::{self, LeaderId, Session, Slot, TaskManagerId};
use rand::Rng;

use crate::jobmanager::{Input, Message};
use crate::weather::Mutation;
use crate::world::World;

/// What a JobManager tells a TaskManager about itself.
#[derive(Clone, Copy, Debug)]
pub enum ToTaskManager {
    /// Not by the JobManager: by whoever says who leads.
    Leader(LeaderId),
    Welcome(Session),
    Heartbeat(Session),
    Dismiss(Session),
}

#[derive(Clone, Copy, Debug)]
pub enum FromTaskManager {
    Register { session: Session, slots: u32 },
    Heartbeat(Session),
}

pub struct TaskManager {
    pub member: Membership,
    pub slots: u32,
    /// It is dead until then.
    pub back_at: Option<i64>,
    /// Its wire is cut until then.
    pub cut_until: Option<i64>,
    /// Sessions in which something was lost: their connection is broken for good.
    broken: Vec<Session>,
    /// Its tasks leave then.
    pub leave_at: Option<i64>,
}

/// What becomes of a message.
#[derive(PartialEq, Debug)]
pub enum Crossing {
    Delivered,
    Lost,
    /// The connection is broken, and the sender learns it.
    Refused,
}

impl TaskManager {
    pub fn new(config: resources::Config, number: u64, slots: u32) -> Self {
        TaskManager {
            member: Membership::new(config, number, slots),
            slots,
            back_at: None,
            cut_until: None,
            broken: Vec::new(),
            leave_at: None,
        }
    }
}

impl World {
    pub fn crossing(&mut self, at: TaskManagerId, session: Session, down: bool) -> Crossing {
        let dice: bool = self.rng.random();
        let Some(manager) = self.task_managers.get_mut(at.0 as usize) else { return Crossing::Lost };
        if manager.back_at.is_some() && down {
            return if dice { Crossing::Refused } else { Crossing::Lost };
        }
        if manager.cut_until.is_some() {
            manager.broken.push(session);
            return Crossing::Lost;
        }
        match manager.broken.contains(&session) {
            true => Crossing::Refused,
            false => Crossing::Delivered,
        }
    }

    /// A message from a JobManager could not be delivered.
    pub fn refused_down(&mut self, slot: Slot) -> Result<(), String> {
        let Slot { task_manager, session } = slot;
        let event = resources::Event::Gone { task_manager, session, reason: "it is gone".into() };
        self.with_leader(session.leader.0, Input::Resources(event))
    }

    pub fn refused_up(&mut self, at: TaskManagerId, session: Session) {
        self.belong(at, membership::Event::Unreachable(session));
    }

    pub fn belong(&mut self, at: TaskManagerId, event: membership::Event) {
        let now = self.now;
        let delay = self.rng.random_range(0..30);
        let Some(manager) = self.task_managers.get_mut(at.0 as usize) else { return };
        if manager.back_at.is_some() {
            return;
        }
        for action in manager.member.step(event, now) {
            match action {
                membership::Action::Register { session, slots } => {
                    self.send_up(at, FromTaskManager::Register { session, slots });
                }
                membership::Action::Answer(session) => {
                    self.send_up(at, FromTaskManager::Heartbeat(session));
                }
                membership::Action::StopTasks { .. } => {
                    self.task_managers[at.0 as usize].leave_at = Some(now + delay);
                    self.stats.dismissals += 1;
                }
            }
        }
        if self.mutation == Mutation::RegisterEarly && self.task_managers[at.0 as usize].leave_at.is_some() {
            let slots = self.task_managers[at.0 as usize].slots;
            if self.task_managers[at.0 as usize].member.is_leaving() {
                self.belong(at, membership::Event::AllLeft { slots });
            }
        }
    }

    fn send_up(&mut self, from: TaskManagerId, what: FromTaskManager) {
        if self.chance(self.weather.double) {
            self.messages.push(Message::FromTaskManager { from, what });
        }
        self.messages.push(Message::FromTaskManager { from, what });
    }

    pub fn send_down(&mut self, to: TaskManagerId, what: ToTaskManager) {
        if self.chance(self.weather.double) {
            self.messages.push(Message::ToTaskManager { to, what });
        }
        self.messages.push(Message::ToTaskManager { to, what });
    }

    pub fn task_manager_hears(&mut self, to: TaskManagerId, what: ToTaskManager) -> Result<(), String> {
        let (session, event) = match what {
            ToTaskManager::Leader(leader) => {
                self.belong(to, membership::Event::Leader(leader));
                return Ok(());
            }
            ToTaskManager::Welcome(session) => (session, membership::Event::Welcome(session)),
            ToTaskManager::Heartbeat(session) => (session, membership::Event::Heartbeat(session)),
            ToTaskManager::Dismiss(session) => (session, membership::Event::Dismissed(session)),
        };
        match self.crossing(to, session, true) {
            Crossing::Delivered => self.belong(to, event),
            Crossing::Refused => self.refused_down(Slot { task_manager: to, session })?,
            Crossing::Lost => {}
        }
        Ok(())
    }

    pub fn task_manager_says(&mut self, from: TaskManagerId, what: FromTaskManager) -> Result<(), String> {
        let (FromTaskManager::Register { session, .. } | FromTaskManager::Heartbeat(session)) = what;
        match self.crossing(from, session, false) {
            Crossing::Delivered => {}
            Crossing::Refused => {
                self.refused_up(from, session);
                return Ok(());
            }
            Crossing::Lost => return Ok(()),
        }
        let event = match what {
            FromTaskManager::Register { slots, .. } => {
                resources::Event::Register { task_manager: from, number: session.number, slots }
            }
            FromTaskManager::Heartbeat(_) => resources::Event::Heartbeat { task_manager: from, session },
        };
        self.with_leader(session.leader.0, Input::Resources(event))
    }

    /// Time passes for them.
    pub fn tend_task_managers(&mut self) {
        let (now, calm) = (self.now, self.calm());
        for at in 0..self.task_managers.len() {
            let id = TaskManagerId(at as u32);
            let over = |until: Option<i64>| until.is_some_and(|until| until <= now || calm);
            if over(self.task_managers[at].cut_until) {
                self.task_managers[at].cut_until = None;
            }
            if over(self.task_managers[at].back_at) {
                // Another process, under the same name.
                self.next_number += 1_000;
                let slots = self.task_managers[at].slots;
                self.task_managers[at] = TaskManager::new(self.resources_config, self.next_number, slots);
                self.belong(id, membership::Event::Leader(LeaderId(self.jm.leader)));
            }
            if self.task_managers[at].leave_at.is_some_and(|leave| leave <= now) {
                self.task_managers[at].leave_at = None;
                self.cancel_tasks_of(id);
                let slots = self.task_managers[at].slots;
                self.belong(id, membership::Event::AllLeft { slots });
            }
            if self.task_managers[at].member.next_deadline().is_some_and(|due| due <= now) {
                self.belong(id, membership::Event::Tick);
            }
        }
    }

    /// When something happens to them by itself.
    pub fn task_managers_deadline(&self) -> Option<i64> {
        let of = |manager: &TaskManager| match manager.back_at {
            Some(back_at) => Some(back_at),
            None => [manager.member.next_deadline(), manager.cut_until, manager.leave_at]
                .into_iter()
                .flatten()
                .min(),
        };
        self.task_managers.iter().filter_map(of).min()
    }

    fn cancel_tasks_of(&mut self, id: TaskManagerId) {
        for generation in 0..self.generations.len() {
            for at in 0..self.generations[generation].tasks.len() {
                let task = &mut self.generations[generation].tasks[at];
                // Those of the session that is over; there are no others.
                if task.slot.task_manager == id && task.is_there() {
                    task.state = ExecutionState::Canceled;
                    self.report(generation, at, ExecutionState::Canceled);
                }
            }
        }
    }

    /// The process dies, and its tasks with it. Nobody is told, but those who have talked to them may notice.
    pub fn kill_task_manager(&mut self, which: usize, back_in: i64) {
        if self.task_managers[which].back_at.is_some() {
            return;
        }
        self.stats.deaths += 1;
        self.task_managers[which].back_at = Some(self.now + back_in);
        self.task_managers[which].leave_at = None;
        for generation in 0..self.generations.len() {
            let mut struck = false;
            for task in &mut self.generations[generation].tasks {
                if task.slot.task_manager.0 as usize == which && !task.state.is_terminal() {
                    task.state = ExecutionState::Failed;
                    struck = true;
                }
            }
            if struck && self.rng.random() {
                let at = self.rng.random_range(0..self.generations[generation].tasks.len());
                self.fail_task(generation, at);
            }
        }
    }

    /// Whether tasks of more slots than there are live in a TaskManager.
    pub fn check_slots(&self, id: TaskManagerId) -> Result<(), String> {
        let mut used = Vec::new();
        for generation in &self.generations {
            for (spec, task) in generation.job.tasks.iter().zip(&generation.tasks) {
                if task.slot.task_manager == id && task.is_there() {
                    used.push((generation.leader, generation.attempt, spec.id.subtask));
                }
            }
        }
        used.sort_unstable();
        used.dedup();
        match used.len() as u32 > self.task_managers[id.0 as usize].slots {
            true => Err(format!("TaskManager {} has tasks of {used:?} in too few slots", id.0)),
            false => Ok(()),
        }
    }
}
