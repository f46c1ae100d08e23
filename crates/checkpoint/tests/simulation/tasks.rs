//! The running tasks, and their reports.

use flott_checkpoint::coordinator::{self, DeclineReason};
use flott_checkpoint::execution::{self, ExecutionState, Failure};
use flott_checkpoint::resources::Slot;
use flott_checkpoint::{Attempt, life};
use rand::Rng;

use crate::jobmanager::{Control, Message};
use crate::weather::Mutation;
use crate::world::World;

impl World {
    /// A task does something, if there is one that can: mostly one of the last attempt.
    pub fn step_tasks(&mut self) -> Result<bool, String> {
        let count = self.generations.len();
        if count > 1 && self.rng.random_bool(0.3) {
            let old = self.rng.random_range(0..count - 1);
            if self.step_task(old)? {
                return Ok(true);
            }
        }
        match count.checked_sub(1) {
            Some(last) => self.step_task(last),
            None => Ok(false),
        }
    }

    fn step_task(&mut self, generation: usize) -> Result<bool, String> {
        let count = self.generations[generation].tasks.len();
        let first = if count == 0 { 0 } else { self.rng.random_range(0..count) };
        for offset in 0..count {
            let at = (first + offset) % count;
            if self.commit(generation, at)? {
                return Ok(true);
            }
            let (job, now) = (self.generations[generation].job.clone(), self.now);
            let task = &mut self.generations[generation].tasks[at];
            if task.attend(&job.tasks[at], now, &mut self.outbox)? {
                self.flush(generation, at)?;
                return Ok(true);
            }
            let own = &self.generations[generation];
            if !own.tasks[at].can_emit(&own.job.tasks[at], &own.tasks) {
                continue;
            }
            let (turn, now) = (self.rng.random(), self.now);
            let job = own.job.clone();
            let task = &mut self.generations[generation].tasks[at];
            if task.work(&job.tasks[at], turn, now, &mut self.outbox)? {
                self.flush(generation, at)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The committer of a task has its turn.
    fn commit(&mut self, generation: usize, at: usize) -> Result<bool, String> {
        let task = &self.generations[generation].tasks[at];
        if task.committing.is_empty() || !task.is_there() {
            return Ok(false);
        }
        if self.chance(self.weather.commit_failure) {
            self.stats.uncommitted += 1;
            if self.mutation == Mutation::CommitOnce {
                self.generations[generation].tasks[at].forget_one();
            } else if self.rng.random_bool(0.1) {
                // It does not try again forever.
                self.fail_task(generation, at);
            }
            return Ok(true);
        }
        let last = generation + 1 == self.generations.len();
        let done = self.generations[generation].tasks[at].commit_one(&mut self.sink);
        if !done && last {
            return Err(format!("the staged output of task {at} is gone"));
        }
        self.settle(generation, at)?;
        Ok(true)
    }

    /// What follows when something was committed, or is to be.
    fn settle(&mut self, generation: usize, at: usize) -> Result<(), String> {
        self.open(generation, at)?;
        let own = &mut self.generations[generation];
        if own.tasks[at].state == ExecutionState::Running
            && let Some(checkpoint) = own.tasks[at].confirms()
        {
            let (attempt, task, from) = (own.attempt, own.job.tasks[at].id, own.tasks[at].slot);
            self.messages.push(Message::Confirmed { from, attempt, task, checkpoint });
        }
        self.leave(generation, at);
        Ok(())
    }

    /// A task is at work when it has committed what it was restored with.
    fn open(&mut self, generation: usize, at: usize) -> Result<(), String> {
        let (job, now) = (self.generations[generation].job.clone(), self.now);
        let task = &mut self.generations[generation].tasks[at];
        if task.state != ExecutionState::Initializing || !task.committing.is_empty() {
            return Ok(());
        }
        task.state = ExecutionState::Running;
        let opened = life::Event::Opened { at_end: task.at_end };
        task.step(&job.tasks[at], opened, now, &mut self.outbox)?;
        self.report(generation, at, ExecutionState::Running);
        self.flush(generation, at)
    }

    fn leave(&mut self, generation: usize, at: usize) {
        let task = &mut self.generations[generation].tasks[at];
        if task.has_done() && !task.state.is_terminal() {
            task.state = ExecutionState::Finished;
            self.report(generation, at, ExecutionState::Finished);
        }
    }

    /// Hands on what a task has sent.
    fn flush(&mut self, generation: usize, at: usize) -> Result<(), String> {
        let own = &mut self.generations[generation];
        for (task, channel, element) in self.outbox.elements.drain(..) {
            own.tasks[task].arrive(channel, element);
        }
        let (attempt, task) = (own.attempt, own.job.tasks[at].id);
        let staged = std::mem::take(&mut self.outbox.staged);
        staged.into_iter().try_for_each(|(handle, rows)| self.sink.stage(handle, rows))?;
        for (barrier, snapshot) in std::mem::take(&mut self.outbox.snapshots) {
            let checkpoint = barrier.checkpoint;
            self.stats.overtaken += u32::from(!snapshot.in_flight.is_empty());
            if self.mutation == Mutation::HandedOverOnce {
                self.generations[generation].tasks[at].forget_handed_over();
            }
            if self.mutation == Mutation::CommitOnAck {
                self.generations[generation].tasks[at].complete(checkpoint);
            }
            let failed = self.chance(self.weather.snapshot_failure);
            let event = match failed {
                false => coordinator::Event::Ack { attempt, task, checkpoint, snapshot },
                true => {
                    let reason = DeclineReason::Failed("disk full".into());
                    coordinator::Event::Decline { attempt, task, checkpoint, reason }
                }
            };
            self.send_lossy(generation, at, event);
        }
        for checkpoint in std::mem::take(&mut self.outbox.commits) {
            self.generations[generation].tasks[at].complete(checkpoint);
        }
        for checkpoint in std::mem::take(&mut self.outbox.declined) {
            let reason = DeclineReason::Superseded;
            let event = coordinator::Event::Decline { attempt, task, checkpoint, reason };
            self.send_lossy(generation, at, event);
        }
        if std::mem::take(&mut self.outbox.drained) {
            let from = self.generations[generation].tasks[at].slot;
            self.messages.push(Message::Report { from, event: execution::Event::Drained { attempt, task } });
        }
        self.settle(generation, at)
    }

    fn send_lossy(&mut self, generation: usize, at: usize, event: coordinator::Event<crate::task::State>) {
        let from = self.generations[generation].tasks[at].slot;
        if !self.chance(self.weather.loss) {
            if self.chance(self.weather.double) {
                self.messages.push(Message::Checkpoint { from, event: event.clone() });
            }
            self.messages.push(Message::Checkpoint { from, event });
        }
    }

    pub fn report(&mut self, generation: usize, at: usize, state: ExecutionState) {
        let own = &self.generations[generation];
        let (attempt, task, from) = (own.attempt, own.job.tasks[at].id, own.tasks[at].slot);
        let failure = (state == ExecutionState::Failed)
            .then(|| Failure { reason: "struck by lightning".into(), retryable: true });
        let event = execution::Event::Task { attempt, task, state, failure };
        if self.chance(self.weather.double) {
            self.messages.push(Message::Report { from, event: event.clone() });
        }
        self.messages.push(Message::Report { from, event });
    }

    pub fn fail_task(&mut self, generation: usize, at: usize) {
        let task = self.generations[generation].tasks.get_mut(at);
        if let Some(task) = task.filter(|task| !task.state.is_terminal()) {
            task.state = ExecutionState::Failed;
            self.report(generation, at, ExecutionState::Failed);
        }
    }

    /// A message has come to a TaskManager, for one of its tasks.
    pub fn task_hears(
        &mut self,
        slot: Slot,
        attempt: Attempt,
        task: usize,
        control: Control,
    ) -> Result<(), String> {
        let manager = &self.task_managers[slot.task_manager.0 as usize];
        if !manager.member.accepts(slot.session) && self.mutation != Mutation::AnySession {
            return Ok(());
        }
        let of =
            |own: &&crate::world::Generation| (own.leader, own.attempt) == (slot.session.leader.0, attempt);
        let Some(generation) = self.generations.iter().position(|own| of(&own)) else { return Ok(()) };
        let meant = &self.generations[generation].tasks[task];
        if meant.slot != slot || meant.state.is_terminal() {
            return Ok(());
        }
        self.control(generation, task, control)?;
        self.check_slots(slot.task_manager)
    }

    fn control(&mut self, generation: usize, at: usize, control: Control) -> Result<(), String> {
        let (job, now) = (self.generations[generation].job.clone(), self.now);
        let spec = &job.tasks[at];
        let task = &mut self.generations[generation].tasks[at];
        let event = match control {
            // It came before, and then again.
            Control::Deploy { .. } if task.state != ExecutionState::Deploying => return Ok(()),
            Control::Deploy { state, drained } => {
                let replays = state.as_ref().is_some_and(|state| !state.in_flight.is_empty());
                self.stats.replayed += u32::from(replays);
                task.restore(state, drained, self.mutation);
                self.report(generation, at, ExecutionState::Initializing);
                return self.open(generation, at);
            }
            // It is told nothing before it runs, but to leave.
            _ if !matches!(task.state, ExecutionState::Running) && !matches!(control, Control::Cancel) => {
                return Ok(());
            }
            Control::Cancel => {
                task.state = ExecutionState::Canceled;
                self.report(generation, at, ExecutionState::Canceled);
                return Ok(());
            }
            Control::Finish(checkpoint) => life::Event::Finish(Some(checkpoint)),
            Control::Complete(checkpoint) => life::Event::Complete(checkpoint),
            Control::Drain => life::Event::SourceEnded,
            Control::Trigger(barrier) => life::Event::Trigger(barrier),
            Control::Aborted(checkpoint) => life::Event::Aborted(checkpoint),
        };
        task.step(spec, event, now, &mut self.outbox)?;
        self.flush(generation, at)
    }
}
