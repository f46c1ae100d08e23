//! A checkpoint that is not complete.

use flott_types::{FastMap, Timestamp};

use crate::{Attempt, Barrier, RequestId, TaskId};

pub(super) struct Pending<S> {
    pub(super) attempt: Attempt,
    pub(super) barrier: Barrier,
    /// The folder of a savepoint.
    pub(super) target: Option<String>,
    pub(super) request: Option<RequestId>,
    /// See [`crate::coordinator::RestorePoint::drained`].
    pub(super) drained: bool,
    pub(super) phase: Phase<S>,
}

pub(super) enum Phase<S> {
    Collecting { deadline: Timestamp, acks: FastMap<TaskId, S> },
    Writing,
}

impl<S> Pending<S> {
    /// Whether tasks still have to acknowledge it. What is being written can no longer be aborted.
    pub(super) fn collecting(&self) -> bool {
        matches!(self.phase, Phase::Collecting { .. })
    }

    /// When it times out.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Collecting { deadline, .. } => Some(deadline),
            Phase::Writing => None,
        }
    }

    /// Enters an acknowledgement; the first one of a task counts. With the last, all are handed out.
    pub(super) fn ack(&mut self, task: TaskId, snapshot: S, tasks: &[TaskId]) -> Option<Vec<(TaskId, S)>> {
        let Phase::Collecting { acks, .. } = &mut self.phase else {
            return None;
        };
        if !tasks.contains(&task) || acks.contains_key(&task) {
            return None;
        }
        acks.insert(task, snapshot);
        if acks.len() < tasks.len() {
            return None;
        }
        let mut all: Vec<_> = acks.drain().collect();
        all.sort_unstable_by_key(|(task, _)| *task);
        self.phase = Phase::Writing;
        Some(all)
    }

    /// Who has not acknowledged, for the error message of a timeout.
    pub(super) fn missing(&self, tasks: &[TaskId]) -> String {
        let Phase::Collecting { acks, .. } = &self.phase else {
            return String::new();
        };
        let missing: Vec<_> = tasks.iter().filter(|t| !acks.contains_key(*t)).collect();
        let named: Vec<_> = missing.iter().take(5).map(|t| t.to_string()).collect();
        let more = match missing.len().saturating_sub(5) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        format!(
            "{} of {} tasks have not acknowledged: {}{more}",
            missing.len(),
            tasks.len(),
            named.join(", ")
        )
    }
}
