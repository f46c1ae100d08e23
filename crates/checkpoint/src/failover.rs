//! The failover region: the tasks that are deployed, fail and are restored together.
//!
//! A failed task has sent records downstream that its restored instance will send again, and the records it
//! was about to receive are gone. So everything that is connected by pipelined exchanges restarts with it.
//! Here a region is the whole job: streaming jobs rarely have unconnected parts, and all parts share the
//! restore point anyway. Unconnected parts or blocking exchanges would allow several regions, each a value of
//! this type.

use flott_types::FastMap;

use crate::execution::ExecutionState;
use crate::{Attempt, TaskId};

/// The tasks of a region in their current attempt.
#[derive(Clone, Debug)]
pub struct Region {
    attempt: Attempt,
    tasks: Vec<TaskId>,
    states: FastMap<TaskId, Member>,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    state: ExecutionState,
    drained: bool,
}

impl Region {
    /// A region of which `attempt` attempts have been deployed so far (by this JobManager or an earlier one).
    pub fn new(tasks: Vec<TaskId>, attempt: Attempt) -> Self {
        let mut region = Region { attempt, tasks, states: FastMap::default() };
        region.set_all(ExecutionState::Created);
        region
    }

    /// The current attempt.
    pub fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// The tasks.
    pub fn tasks(&self) -> &[TaskId] {
        &self.tasks
    }

    /// The state of a task in the current attempt.
    pub fn state(&self, task: TaskId) -> Option<ExecutionState> {
        self.states.get(&task).map(|m| m.state)
    }

    /// It has these tasks from now on, which are not deployed yet. Those before them have ended, and what is still heard
    /// of them has no meaning.
    pub fn resize(&mut self, tasks: Vec<TaskId>) {
        self.tasks = tasks;
        let was_deployed = self.attempt > Attempt(0);
        self.set_all(if was_deployed { ExecutionState::Canceled } else { ExecutionState::Created });
    }

    /// A new attempt is deployed.
    pub fn deploy(&mut self) {
        self.attempt = self.attempt.next();
        self.set_all(ExecutionState::Deploying);
    }

    /// A task reports its state. `false` if that changes nothing: another attempt, an unknown task, or a
    /// report that was overtaken by a later one (states only move forward).
    pub fn report(&mut self, attempt: Attempt, task: TaskId, state: ExecutionState) -> bool {
        match self.states.get_mut(&task) {
            Some(member)
                if attempt == self.attempt && state > member.state && !member.state.is_terminal() =>
            {
                member.state = state;
                true
            }
            _ => false,
        }
    }

    /// A task reports that its inputs have ended and its outputs are flushed.
    pub fn report_drained(&mut self, attempt: Attempt, task: TaskId) {
        if let Some(member) = self.states.get_mut(&task).filter(|_| attempt == self.attempt) {
            member.drained = true;
        }
    }

    /// The tasks are told to stop.
    pub fn cancel(&mut self) {
        for member in self.states.values_mut().filter(|m| !m.state.is_terminal()) {
            // A task that was never deployed need not be ended.
            let idle = member.state < ExecutionState::Deploying;
            member.state = if idle { ExecutionState::Canceled } else { ExecutionState::Canceling };
        }
    }

    /// Whether all tasks are running.
    pub fn all_running(&self) -> bool {
        self.states.values().all(|m| m.state == ExecutionState::Running)
    }

    /// Whether all tasks have drained.
    pub fn all_drained(&self) -> bool {
        self.states.values().all(|m| m.drained)
    }

    /// Whether all tasks have finished.
    pub fn all_finished(&self) -> bool {
        self.states.values().all(|m| m.state == ExecutionState::Finished)
    }

    /// Whether all tasks have ended, one way or another.
    pub fn all_ended(&self) -> bool {
        self.states.values().all(|m| m.state.is_terminal())
    }

    fn set_all(&mut self, state: ExecutionState) {
        self.states = self.tasks.iter().map(|task| (*task, Member { state, drained: false })).collect();
    }
}
