//! The resource manager: which TaskManager has how many slots, and who has them.
//!
//! A slot holds one subtask of every vertex of a slot sharing group, so a group needs as many slots as its widest vertex has
//! subtasks. Without groups of the user's own a job is one group.
//!
//! A slot in which a task hangs that cannot be ended is lost: it is no part of the cluster until that task has left after all.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use flott_checkpoint::{Attempt, TaskId};
use flott_types::{Error, JobId, Result};
use parking_lot::Mutex;

use crate::messages::TaskManagerId;
use crate::transport::TaskManagerGateway;

/// The slots of the cluster. Cloning gives another handle on the same.
#[derive(Clone, Default)]
pub(crate) struct SlotPool(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    members: BTreeMap<TaskManagerId, Member>,
    lost: Vec<Lost>,
}

struct Member {
    gateway: Arc<dyn TaskManagerGateway>,
    total: u32,
    free: u32,
}

/// A lost slot.
struct Lost {
    member: TaskManagerId,
    job: JobId,
    attempt: Attempt,
    /// Its number in the job.
    slot: usize,
    /// The tasks that hang in it.
    tasks: Vec<TaskId>,
}

type Slot = (TaskManagerId, Arc<dyn TaskManagerGateway>);

/// The slots that a job has; `slots[i]` is for subtask `i` of each vertex. They are given back when this is dropped.
pub(crate) struct Allocation {
    pool: SlotPool,
    job: JobId,
    name: String,
    slots: Vec<Option<Slot>>,
}

impl SlotPool {
    pub(crate) fn join(&self, id: TaskManagerId, gateway: Arc<dyn TaskManagerGateway>) {
        self.0.lock().members.insert(id, Member { gateway, total: 0, free: 0 });
    }

    pub(crate) fn register(&self, id: TaskManagerId, slots: u32) {
        if let Some(member) = self.0.lock().members.get_mut(&id) {
            (member.total, member.free) = (slots, slots);
        }
    }

    /// Total and free slots.
    pub(crate) fn counts(&self) -> (u32, u32) {
        self.0.lock().counts()
    }

    pub(crate) fn gateways(&self) -> Vec<Arc<dyn TaskManagerGateway>> {
        self.0.lock().members.values().map(|member| member.gateway.clone()).collect()
    }

    /// So many slots, spread over the TaskManagers.
    pub(crate) fn allocate(&self, job: JobId, name: &str, count: u32) -> Result<Allocation> {
        let slots = self.0.lock().take(name, count, count)?.into_iter().map(Some).collect();
        Ok(Allocation { pool: self.clone(), job, name: name.to_owned(), slots })
    }

    /// A task that was given up has left after all.
    pub(crate) fn returned(&self, job: JobId, attempt: Attempt, task: TaskId) {
        let mut state = self.0.lock();
        let State { members, lost } = &mut *state;
        lost.retain_mut(|lost| {
            if (lost.job, lost.attempt) == (job, attempt) {
                lost.tasks.retain(|other| *other != task);
            }
            if lost.tasks.is_empty()
                && let Some(member) = members.get_mut(&lost.member)
            {
                member.total += 1;
                member.free += 1;
            }
            !lost.tasks.is_empty()
        });
    }
}

impl State {
    fn counts(&self) -> (u32, u32) {
        let members = self.members.values();
        members.fold((0, 0), |(total, free), member| (total + member.total, free + member.free))
    }

    /// `count` of the `needed` slots of a job.
    fn take(&mut self, job: &str, count: u32, needed: u32) -> Result<Vec<Slot>> {
        let (total, free) = self.counts();
        if count > free {
            let lost = match self.lost.len() {
                0 => String::new(),
                n => format!(" ({n} more are lost to tasks that do not end)"),
            };
            return Err(Error::external(format!(
                "NoResourceAvailableException: Could not acquire the minimum required resources: job '{job}' needs \
                 {needed} slots (its largest parallelism), the cluster has {total}{lost}, of which {free} are free; lower \
                 'parallelism.default' or raise 'taskmanager.numberOfTaskSlots'"
            )));
        }
        let mut slots = Vec::with_capacity(count as usize);
        while slots.len() < count as usize {
            let widest =
                self.members.iter_mut().max_by_key(|(id, member)| (member.free, std::cmp::Reverse(**id)));
            let Some((id, member)) = widest else { break };
            member.free -= 1;
            slots.push((*id, member.gateway.clone()));
        }
        Ok(slots)
    }
}

impl Allocation {
    /// The TaskManager of a slot.
    pub(crate) fn gateway(&self, slot: usize) -> Option<&Arc<dyn TaskManagerGateway>> {
        self.slots.get(slot)?.as_ref().map(|(_, gateway)| gateway)
    }

    /// The TaskManagers, each once.
    pub(crate) fn managers(&self) -> Vec<&Arc<dyn TaskManagerGateway>> {
        let mut managers: BTreeMap<TaskManagerId, _> = BTreeMap::new();
        for (id, gateway) in self.slots.iter().flatten() {
            managers.entry(*id).or_insert(gateway);
        }
        managers.into_values().collect()
    }

    /// A task in this slot hangs: the slot is lost.
    pub(crate) fn lose(&mut self, slot: usize, attempt: Attempt, task: TaskId) {
        let mut state = self.pool.0.lock();
        let State { members, lost } = &mut *state;
        let job = self.job;
        let known = |lost: &&mut Lost| (lost.job, lost.attempt, lost.slot) == (job, attempt, slot);
        if let Some(lost) = lost.iter_mut().find(known) {
            lost.tasks.push(task);
        } else if let Some((id, _)) = self.slots.get_mut(slot).and_then(Option::take) {
            if let Some(member) = members.get_mut(&id) {
                member.total = member.total.saturating_sub(1);
            }
            lost.push(Lost { member: id, job, attempt, slot, tasks: vec![task] });
        }
    }

    /// Other slots for those that were lost.
    ///
    /// # Errors
    /// If there are not enough.
    pub(crate) fn refill(&mut self) -> Result<()> {
        let needed = self.slots.len() as u32;
        let missing = self.slots.iter().filter(|slot| slot.is_none()).count() as u32;
        if missing > 0 {
            let found = self.pool.0.lock().take(&self.name, missing, needed)?;
            self.slots.iter_mut().filter(|slot| slot.is_none()).zip(found).for_each(|(slot, found)| {
                *slot = Some(found);
            });
        }
        Ok(())
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        let mut state = self.pool.0.lock();
        for (id, _) in self.slots.iter().flatten() {
            if let Some(member) = state.members.get_mut(id) {
                member.free = (member.free + 1).min(member.total);
            }
        }
    }
}

impl fmt::Debug for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} slots of '{}'", self.slots.len(), self.name)
    }
}
