//! What the state machines say is to be done.

use flott_checkpoint::coordinator;
use flott_checkpoint::execution;
use flott_checkpoint::manifest::TaskSnapshot;
use flott_checkpoint::{ExecutionState, JobStatus, RequestId};
use flott_runtime::{Failure, FailureKind, TaskCommand};
use flott_types::{CheckpointId, Error, Result};

use crate::storage::Place;

use super::{Event, JobMaster};

impl JobMaster {
    /// Executes an action; answers what follows from it, in order.
    pub(super) fn on_execution(&mut self, action: execution::Action) -> Vec<Event> {
        use execution::Action as A;
        match action {
            A::StatusChanged(status) => {
                let now = self.setup.clock.now();
                tracing::info!(job = %self.setup.job, %status, "job status");
                if !status.is_terminal() {
                    self.setup.shared.update(|info| {
                        info.status = status;
                        info.timestamps.push((status, now));
                    });
                }
            }
            A::RequestSlots => self.request_slots(),
            A::WithdrawSlots => self.withdraw_slots(),
            A::Resize { wished } => {
                return match self.resize(wished) {
                    Ok(event) => vec![event.into()],
                    Err(error) => vec![self.failure(&error)],
                };
            }
            A::RequestRestorePoint => return vec![coordinator::Event::RestoreRequested.into()],
            A::Deploy { attempt, tasks, restore } => {
                let drained = restore.is_some_and(|point| point.drained);
                if let Err(error) = self.deploy(attempt, &tasks, drained) {
                    return vec![self.failure(&error)];
                }
            }
            A::AttemptRunning { attempt, tasks } => {
                self.global.running();
                self.wish();
                self.all_run = true;
                let early = std::mem::take(&mut self.early);
                let started = coordinator::Event::JobStarted { attempt, tasks }.into();
                return [started].into_iter().chain(early.into_iter().map(|of| self.requested(of))).collect();
            }
            A::AttemptStopping { attempt, reason } => {
                self.all_run = false;
                // The state being read for the next attempt is no longer needed.
                self.preparing = None;
                self.last = None;
                return vec![coordinator::Event::JobStopping { attempt, reason }.into()];
            }
            A::CancelTasks { attempt } if self.deployed => self.send(attempt, None, &TaskCommand::Cancel),
            A::CancelTasks { attempt } => {
                // They never came to a TaskManager that could answer.
                let tasks = self.execution.region().tasks().iter();
                let ended = |task: &_| execution::Event::Task {
                    attempt,
                    task: *task,
                    state: ExecutionState::Canceled,
                    failure: None,
                };
                return tasks.map(ended).map(Event::from).collect();
            }
            A::AllDrained { attempt } if self.final_checkpoint() => {
                return vec![coordinator::Event::AllTasksDrained { attempt }.into()];
            }
            A::AllDrained { .. } => {
                return vec![execution::Event::LastCheckpointCompleted(CheckpointId(0)).into()];
            }
            A::FinishTasks { attempt, checkpoint } => {
                let checkpoint = (checkpoint.0 > 0).then_some(checkpoint);
                self.last = checkpoint;
                self.send(attempt, None, &TaskCommand::Finish(checkpoint));
            }
            A::ScheduleRestart { at, reason } => {
                // The first attempt is no restart.
                let (name, restart) = (&self.setup.graph.name, self.execution.region().attempt().0);
                tracing::warn!(job = name, restart, reason, at, "the job failed and will be restarted");
            }
            A::JobTerminal { status, reason } => {
                self.terminal(status, reason);
                return vec![coordinator::Event::JobTerminal(status).into()];
            }
        }
        Vec::new()
    }

    /// Executes an action; answers what follows from it, in order.
    pub(super) fn on_coordinator(&mut self, action: coordinator::Action<TaskSnapshot>) -> Vec<Event> {
        use coordinator::Action as A;
        let attempt = self.execution.region().attempt();
        let now = self.setup.clock.now();
        match action {
            A::Trigger { barrier, target } => self.trigger(attempt, barrier, target),
            A::WriteManifest(snapshot) => self.write(snapshot),
            A::NotifyComplete(checkpoint) => {
                self.send(attempt, None, &TaskCommand::Complete(checkpoint));
                self.global.complete(checkpoint);
                self.tell_sources(checkpoint, true);
                if let Some(results) = &self.setup.results {
                    results.completed(checkpoint);
                }
                return vec![execution::Event::CheckpointCompleted.into()];
            }
            A::NotifyAborted(checkpoint) => {
                self.triggering.remove(&checkpoint);
                self.enumerators.remove(&checkpoint);
                self.setup.shared.update(|job| job.checkpoints.ended(checkpoint, None, now));
                self.send(attempt, None, &TaskCommand::Aborted(checkpoint));
                self.tell_sources(checkpoint, false);
            }
            A::Discard(checkpoint) => {
                self.paths.remove(&checkpoint);
                let (storage, job) = (self.setup.storage.clone(), self.setup.job);
                let configuration = self.setup.options.task.configuration.clone();
                self.storage.run(move |()| {
                    let place = Place { job, configuration: &configuration };
                    if let Err(error) = storage.discard(&place, checkpoint) {
                        tracing::warn!(%job, %checkpoint, %error, "a checkpoint could not be deleted");
                    }
                });
            }
            A::FailJob(reason) => {
                let failure = Failure {
                    kind: FailureKind::External,
                    message: reason.clone(),
                    retryable: true,
                    at: now,
                };
                self.setup.shared.update(|info| info.failed(failure, None));
                let failure = execution::Failure { reason, retryable: true };
                return vec![execution::Event::Fail(failure).into()];
            }
            A::RequestDone { request, checkpoint, target } => {
                let path = self.paths.get(&checkpoint).cloned().or(target);
                self.answer(request, Ok(path.unwrap_or_else(|| format!("checkpoint {checkpoint}"))));
            }
            A::RequestFailed { request, reason } => self.answer(request, Err(Error::external(reason))),
            A::DrainSources => self.send(attempt, None, &TaskCommand::Drain),
            A::Restore(point) => return self.restore_point(point).into_iter().collect(),
            A::Finish(checkpoint) => {
                self.stopped = !self.stops.is_empty();
                if let Some(results) = &self.setup.results {
                    results.completed(checkpoint);
                }
                return vec![execution::Event::LastCheckpointCompleted(checkpoint).into()];
            }
        }
        Vec::new()
    }

    /// The attempt as a whole fails.
    pub(super) fn failure(&self, error: &Error) -> Event {
        let failure = Failure::new(error, self.setup.clock.now());
        self.setup.shared.update(|info| info.failed(failure, None));
        let failure = execution::Failure { reason: error.to_string(), retryable: error.is_retryable() };
        execution::Event::Fail(failure).into()
    }

    /// Without sinks that commit, checkpoints, or somebody who waits for one, a job ends without a last
    /// checkpoint.
    pub(super) fn final_checkpoint(&self) -> bool {
        self.setup.final_checkpoint || !self.answers.is_empty()
    }

    /// Answers a request. What comes at the end of the job is told after it: who is told that the job has
    /// stopped finds it ended, and its slots free.
    pub(super) fn answer(&mut self, request: RequestId, result: Result<String>) {
        let stopped_in_vain = self.stops.remove(&request) && result.is_err();
        if stopped_in_vain && self.agenda.all_held {
            self.stop_at_end();
        }
        let Some(answer) = self.answers.remove(&request) else { return };
        match self.terminal {
            Some(_) => self.farewells.push((answer, result)),
            None => answer(result),
        }
    }

    pub(super) fn terminal(&mut self, status: JobStatus, reason: Option<String>) {
        let now = self.setup.clock.now();
        let failure = reason.filter(|_| status == JobStatus::Failed).map(|message| {
            let last = self.setup.shared.lock().exceptions.front().map(|entry| entry.failure.kind);
            Failure { kind: last.unwrap_or(FailureKind::Internal), message, retryable: false, at: now }
        });
        self.note_end(status, now);
        self.release_durable_results();
        if let Some(results) = &self.setup.results {
            results.ended(match (&failure, status) {
                (_, JobStatus::Finished) => Ok(()),
                (Some(failure), _) => Err(failure.message.clone()),
                (None, _) => Err(format!("the job is {status}")),
            });
        }
        self.terminal = Some((status, failure));
    }

    /// Whoever continues from the last checkpoint takes the rows before it as given, so the client gets them,
    /// also when the job ends before the coordinator has heard that the checkpoint is durable.
    pub(super) fn release_durable_results(&self) {
        let last = self.setup.shared.lock().checkpoints.last_completed().map(|record| record.id);
        if let (Some(results), Some(last)) = (&self.setup.results, last) {
            results.completed(last);
        }
    }
}
