//! The job as parallel as there are slots for ([`crate::scaling`]).

use std::sync::Arc;

use flott_checkpoint::execution;
use flott_checkpoint::resources::Event;
use flott_types::{Error, Result};

use crate::scaling::{self, Requirements};

use super::JobMaster;

impl JobMaster {
    /// Sizes the job anew: as it wishes, or for the slots that there are now. Answers with its tasks.
    pub(super) fn resize(&mut self, wished: bool) -> Result<execution::Event> {
        let graph = &self.setup.graph;
        let reach = self.setup.resources.reach(self.setup.job);
        let fitting = (!wished).then(|| scaling::sized(graph, &self.requirements, reach)).flatten();
        let sized = fitting.unwrap_or_else(|| scaling::wished(graph, &self.requirements));
        if sized != *graph {
            let (first_slots, width) = sized.slots();
            let was = std::mem::replace(&mut self.width, width);
            tracing::info!(job = %self.setup.job, from = was, to = width, "the job is sized anew, in slots");
            (self.first_slots, self.setup.json) = (first_slots, sized.to_json()?.into());
            *self.setup.published.lock() = Arc::new(sized.clone());
            self.setup.graph = sized;
        }
        // Those of the attempt before this one have ended.
        self.deployed = false;
        Ok(execution::Event::Resized(scaling::tasks(&self.setup.graph)))
    }

    /// Whether it could run with so many slots.
    pub(super) fn is_enough(&self, reach: u32) -> bool {
        self.setup.options.scaling.is_some()
            && scaling::sized(&self.setup.graph, &self.requirements, reach).is_some()
    }

    /// It runs: from now on it hears of slots with which it would be more parallel. Without checkpoints it does not, for
    /// it would begin anew.
    pub(super) fn wish(&self) {
        if self.setup.options.scaling.is_none() || self.setup.options.checkpoints.interval.is_none() {
            return;
        }
        let wanted = scaling::wished(&self.setup.graph, &self.requirements).slots().1;
        self.setup.resources.tell(Event::Wish { job: self.setup.job, wanted });
    }

    /// It could have so many slots.
    pub(super) fn offered(&mut self, reach: u32) {
        let sized = scaling::sized(&self.setup.graph, &self.requirements, reach);
        let more = sized.is_some_and(|graph| graph.slots().1 > self.width);
        self.execute(execution::Event::CouldGrow(more));
    }

    /// A user wants it to be as parallel as this.
    pub(super) fn require(&mut self, asked: &Requirements) -> Result<()> {
        if self.setup.options.scaling.is_none() {
            return Err(Error::unsupported(
                "this job's parallelism does not change while it runs: 'jobmanager.scheduler' is not Adaptive",
            ));
        }
        if self.setup.options.checkpoints.interval.is_none() {
            return Err(Error::unsupported(
                "this job takes no checkpoints, and would begin anew with another parallelism: set \
                 'execution.checkpointing.interval'",
            ));
        }
        let before = self.requirements.clone();
        scaling::require(&self.setup.graph, &mut self.requirements, asked)?;
        if self.requirements == before {
            return Ok(());
        }
        let all = self.requirements.clone();
        self.setup.shared.update(|info| info.requirements = all);
        let reach = self.setup.resources.reach(self.setup.job);
        let now = scaling::sized(&self.setup.graph, &self.requirements, reach);
        // With what there is it may be as parallel as before; later it may be more.
        if now.as_ref() == Some(&self.setup.graph) {
            self.wish();
        } else {
            self.execute(execution::Event::Rescale);
        }
        Ok(())
    }
}
