//! The slots of the job: requests and losses.

use flott_checkpoint::resources::{Event, Hanging};
use flott_checkpoint::{Attempt, ExecutionState, JobStatus, TaskId, execution};
use flott_runtime::{Failure, TaskReport};
use flott_types::Error;

use super::JobMaster;

impl JobMaster {
    pub(super) fn request_slots(&mut self) {
        self.asks_for_slots = true;
        let (job, name) = (self.setup.job, self.setup.graph.name.clone());
        self.setup.resources.tell(Event::Request { job, name, needed: self.width });
    }

    pub(super) fn withdraw_slots(&mut self) {
        self.asks_for_slots = false;
        self.setup.resources.tell(Event::Withdraw { job: self.setup.job });
        // By a user, or because there are none.
        let failed = !matches!(self.execution.status(), JobStatus::Canceled | JobStatus::Suspended);
        let why = self.execution.failure().unwrap_or_default();
        let failure = self.no_slots(why);
        self.setup.shared.update(|info| {
            let waited = info.waits_for.take().is_some();
            if waited && failed {
                info.failed(failure, None);
            }
        });
    }

    /// There are not enough slots, so far.
    pub(super) fn short(&mut self, reason: String, hopeless: bool, reach: u32) {
        self.asks_for_slots = false;
        let job = &self.setup.graph.name;
        tracing::warn!(job, reason, "waits for slots");
        self.setup.shared.update(|info| info.waits_for = Some(reason.clone()));
        let enough = self.is_enough(reach);
        self.execute(execution::Event::SlotsMissing { reason, hopeless, enough });
    }

    fn no_slots(&self, reason: &str) -> Failure {
        Failure::new(&Error::external(reason.to_owned()), self.setup.clock.now())
    }

    /// A TaskManager is lost, and the tasks that were in these slots with it.
    pub(super) fn lost(&mut self, slots: &[u32], reason: String) {
        for slot in slots {
            if let Some(slot) = self.slots.get_mut(*slot as usize) {
                *slot = None;
            }
        }
        let attempt = self.execution.region().attempt();
        let within = |task: &TaskId| slots.iter().any(|slot| self.slot_of(*task) == *slot as usize);
        let alive =
            |task: &TaskId| self.execution.region().state(*task).is_some_and(|state| !state.is_terminal());
        let tasks = self.execution.region().tasks().iter();
        let tasks: Vec<TaskId> =
            tasks.filter(|task| self.deployed && within(task) && alive(task)).copied().collect();
        tracing::warn!(job = %self.setup.job, reason, tasks = tasks.len(), "slots are lost");
        if tasks.is_empty() {
            return;
        }
        let failure = self.no_slots(&reason);
        let now = self.setup.clock.now();
        self.setup.shared.update(|info| {
            info.failed(failure, tasks.first().copied());
            tasks.iter().for_each(|task| info.entered(*task, ExecutionState::Failed, now));
        });
        self.execute(execution::Event::TaskManagerLost { attempt, tasks, reason });
    }

    /// A task does not end: as far as the job is concerned it has failed, and its slot is gone.
    pub(super) fn abandoned(&mut self, attempt: Attempt, task: TaskId, failure: Failure) {
        // Those of an attempt that was lost with its TaskManager are in no slot of the job any more.
        if attempt != self.execution.region().attempt() {
            return;
        }
        let slot = self.slot_of(task);
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = None;
        }
        let task_of = Hanging { job: self.setup.job, attempt, task };
        if let Ok(slot) = u32::try_from(slot) {
            self.setup.resources.tell(Event::Hangs { slot, task: task_of });
        }
        self.report(attempt, task, TaskReport::Failed(failure));
    }
}
