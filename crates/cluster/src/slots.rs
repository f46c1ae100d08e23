//! The resource manager: which TaskManager has how many slots, and who has them.
//!
//! A slot holds one subtask of every vertex of a slot sharing group, so a group needs as many slots as its widest vertex has
//! subtasks. Without groups of the user's own a job is one group.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_types::{Error, Result};

use crate::messages::TaskManagerId;
use crate::transport::TaskManagerGateway;

/// The slots of the cluster.
#[derive(Default)]
pub(crate) struct Slots(BTreeMap<TaskManagerId, Member>);

struct Member {
    gateway: Arc<dyn TaskManagerGateway>,
    total: u32,
    free: u32,
}

/// Slots that a job has; `slots[i]` is for subtask `i` of each vertex.
pub(crate) type Allocation = Vec<(TaskManagerId, Arc<dyn TaskManagerGateway>)>;

impl Slots {
    pub(crate) fn join(&mut self, id: TaskManagerId, gateway: Arc<dyn TaskManagerGateway>) {
        self.0.insert(id, Member { gateway, total: 0, free: 0 });
    }

    pub(crate) fn register(&mut self, id: TaskManagerId, slots: u32) {
        if let Some(member) = self.0.get_mut(&id) {
            (member.total, member.free) = (slots, slots);
        }
    }

    /// Total and free slots.
    pub(crate) fn counts(&self) -> (u32, u32) {
        self.0.values().fold((0, 0), |(total, free), member| (total + member.total, free + member.free))
    }

    pub(crate) fn gateways(&self) -> Vec<Arc<dyn TaskManagerGateway>> {
        self.0.values().map(|member| member.gateway.clone()).collect()
    }

    /// So many slots, spread over the TaskManagers.
    pub(crate) fn allocate(&mut self, job: &str, count: u32) -> Result<Allocation> {
        let (total, free) = self.counts();
        if count > free {
            return Err(Error::invalid(format!(
                "NoResourceAvailableException: Could not acquire the minimum required resources: job '{job}' needs \
                 {count} slots (its largest parallelism), the cluster has {total}, of which {free} are free; lower \
                 'parallelism.default' or raise 'taskmanager.numberOfTaskSlots'"
            )));
        }
        let mut allocation = Vec::with_capacity(count as usize);
        while allocation.len() < count as usize {
            let widest = self.0.iter_mut().max_by_key(|(id, member)| (member.free, std::cmp::Reverse(**id)));
            let Some((id, member)) = widest else { break };
            member.free -= 1;
            allocation.push((*id, member.gateway.clone()));
        }
        Ok(allocation)
    }

    pub(crate) fn release(&mut self, allocation: &Allocation) {
        for (id, _) in allocation {
            if let Some(member) = self.0.get_mut(id) {
                member.free = (member.free + 1).min(member.total);
            }
        }
    }
}
