//! A checkpoint that a task has heard of.

use flott_types::Timestamp;

use crate::Barrier;

#[derive(Clone, Copy, Debug)]
pub(super) struct Announced {
    pub(super) barrier: Barrier,
    /// When the task heard of it, by its own clock.
    pub(super) since: Timestamp,
}

impl Announced {
    /// When it overtakes.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.barrier.overtakes_after.map(|after| self.since.saturating_add(after))
    }

    /// Whether that time has come, also if the clock has been set back since.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.barrier.overtakes_after == Some(0) || self.deadline().is_some_and(|at| at <= now)
    }
}
