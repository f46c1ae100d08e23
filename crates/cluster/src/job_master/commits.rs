//! What is committed once for the whole job: see [`crate::global_commits`].

use flott_checkpoint::execution;
use flott_connector::CommitOutcome;
use flott_types::{Error, Result};

use super::{Event, JobMaster};

impl JobMaster {
    /// Asks committers for what is due.
    pub(super) fn commit(&mut self) {
        match self.global.go_on(self.setup.clock.now()) {
            Ok(asked) => self.awaited += asked,
            Err(error) => self.fail(&error),
        }
    }

    /// A committer has answered.
    pub(super) fn committed(&mut self, at: usize, round: u64, answer: Result<Vec<CommitOutcome>>) {
        self.awaited -= 1;
        match self.global.answered(at, round, answer, self.setup.clock.now()) {
            // What follows from it is done with all that is due.
            Ok(()) => {}
            Err(error) => self.fail(&error),
        }
    }

    /// Reports when everything in the last checkpoint is committed.
    pub(super) fn end_commits(&mut self) {
        if !self.last.is_some_and(|last| self.global.are_settled(last)) || self.global.is_empty() {
            return;
        }
        self.last = None;
        let event = match self.global.waiting().filter(|_| !self.stopped || self.drained) {
            None => Event::from(execution::Event::Committed { attempt: self.execution.region().attempt() }),
            Some(sink) => self.failure(&Error::internal(format!(
                "the global committer of '{sink}' lets output wait at the end of the job, which would never be seen"
            ))),
        };
        self.step(event);
        self.work();
    }
}
