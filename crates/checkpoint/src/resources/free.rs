//! Which slots are free, and which of them a job gets.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use flott_types::Timestamp;

use super::{Hanging, Session, Slot, TaskManagerId};

/// A TaskManager that is registered.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) session: Session,
    pub(super) slots: u32,
    /// Of these, those that no job has and in which nothing hangs.
    pub(super) free: u32,
    /// When it was last heard.
    pub(super) heard: Timestamp,
    /// The slots of jobs in which tasks hang, by their numbers in the job.
    pub(super) hanging: Vec<(u32, Vec<Hanging>)>,
}

/// Those that are registered.
#[derive(Clone, Default, Debug)]
pub(super) struct Members(pub(super) BTreeMap<TaskManagerId, Member>);

impl Members {
    /// That of the slot, if the slot still exists.
    pub(super) fn of(&mut self, slot: Slot) -> Option<&mut Member> {
        self.0.get_mut(&slot.task_manager).filter(|member| member.session == slot.session)
    }

    /// All slots but those that are lost to tasks that hang; and the free ones.
    pub(super) fn counts(&self) -> (u32, u32) {
        let members = self.0.values();
        members.fold((0, 0), |(all, free), member| {
            let hanging = u32::try_from(member.hanging.len()).unwrap_or(u32::MAX);
            (all + member.slots.saturating_sub(hanging), free + member.free)
        })
    }

    /// How many are lost to tasks that hang.
    pub(super) fn hanging(&self) -> usize {
        self.0.values().map(|member| member.hanging.len()).sum()
    }

    /// A slot of the TaskManager with the most free slots, so that jobs spread.
    pub(super) fn take(&mut self) -> Option<Slot> {
        let (id, member) = self.0.iter_mut().max_by_key(|(id, member)| (member.free, Reverse(**id)))?;
        member.free = member.free.checked_sub(1)?;
        Some(Slot { task_manager: *id, session: member.session })
    }

    pub(super) fn give_back(&mut self, slot: Slot) {
        if let Some(member) = self.of(slot) {
            member.free += 1;
        }
    }
}

impl Member {
    /// A slot that a job had is gone: a task hangs in it.
    pub(super) fn hangs(&mut self, number: u32, task: Hanging) {
        self.hanging.push((number, vec![task]));
    }

    /// Another task hangs in the same slot of the same attempt. Says whether that is so.
    pub(super) fn hangs_too(&mut self, number: u32, task: Hanging) -> bool {
        let same = |(at, tasks): &&mut (u32, Vec<Hanging>)| {
            *at == number && tasks.iter().any(|other| (other.job, other.attempt) == (task.job, task.attempt))
        };
        let Some((_, tasks)) = self.hanging.iter_mut().find(same) else { return false };
        if !tasks.contains(&task) {
            tasks.push(task);
        }
        true
    }

    /// A task that hung has left: its slot is free when no other hangs in it.
    pub(super) fn returned(&mut self, task: Hanging) {
        let before = self.hanging.len();
        self.hanging.retain_mut(|(_, tasks)| {
            tasks.retain(|other| *other != task);
            !tasks.is_empty()
        });
        self.free += u32::try_from(before - self.hanging.len()).unwrap_or(u32::MAX);
    }
}
