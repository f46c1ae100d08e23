//! What tasks and the storage tell.

use flott_checkpoint::coordinator::{self, DeclineReason};
use flott_checkpoint::execution;
use flott_checkpoint::{Attempt, ExecutionState, TaskId};
use flott_runtime::{Failure, FailureKind, TaskCommand, TaskReport};
use flott_types::{CheckpointId, Error, Result};

use super::{JobMaster, JobMessage};

impl JobMaster {
    pub(super) fn stored(&mut self, checkpoint: CheckpointId, result: Result<String>) {
        let now = self.setup.clock.now();
        match result {
            Ok(path) => {
                self.paths.insert(checkpoint, path.clone());
                self.setup.shared.update(|job| job.checkpoints.ended(checkpoint, Some(path), now));
                self.coordinate(coordinator::Event::StoreCompleted(checkpoint));
                self.clean_up_once(checkpoint);
                if self.terminal.is_some() {
                    self.release_durable_results();
                }
            }
            Err(error) => {
                tracing::warn!(job = %self.setup.job, %checkpoint, %error, "a checkpoint could not be stored");
                self.coordinate(coordinator::Event::StoreFailed { checkpoint, reason: error.to_string() });
            }
        }
    }

    pub(super) fn report(&mut self, attempt: Attempt, task: TaskId, report: TaskReport) {
        let current = attempt == self.execution.region().attempt();
        let state = |job: &mut Self, state, failure| {
            if current {
                job.setup.shared.update(|info| {
                    info.tasks.insert(task, state);
                });
            }
            job.execute(execution::Event::Task { attempt, task, state, failure });
        };
        match report {
            TaskReport::Running => state(self, ExecutionState::Running, None),
            TaskReport::Finished => state(self, ExecutionState::Finished, None),
            TaskReport::Canceled => state(self, ExecutionState::Canceled, None),
            TaskReport::Failed(failure) => {
                if !current {
                    return;
                }
                tracing::warn!(job = %self.setup.job, %task, reason = failure.message, "a task failed");
                self.setup.shared.update(|info| info.failed(failure.clone(), Some(task)));
                let retryable = failure.retryable || self.blame_checkpoint(&failure);
                let failure = execution::Failure { reason: failure.message, retryable };
                state(self, ExecutionState::Failed, Some(failure));
            }
            TaskReport::Drained => {
                if current {
                    self.alignments.remove(task);
                }
                self.execute(execution::Event::Drained { attempt, task });
            }
            TaskReport::Reached { alignment, reached } => {
                if current {
                    self.alignments.reached(task, &alignment, reached);
                }
            }
            TaskReport::RequestSplits { operator, reading } => {
                if current {
                    self.ask_sources(move |enumerators| {
                        JobMessage::Splits(attempt, task, enumerators.next(&operator, task, reading))
                    });
                }
            }
            TaskReport::Ack { checkpoint, snapshot, metrics } => {
                let now = self.setup.clock.now();
                self.setup.shared.update(|job| job.checkpoints.acked(checkpoint, task, metrics, now));
                self.coordinate(coordinator::Event::Ack { attempt, task, checkpoint, snapshot });
            }
            TaskReport::Decline { checkpoint, failure } => {
                let reason = failure.map_or(DeclineReason::Superseded, DeclineReason::Failed);
                self.coordinate(coordinator::Event::Decline { attempt, task, checkpoint, reason });
            }
        }
    }

    /// A task does not end: as far as the job is concerned it has failed, and its slot is gone.
    pub(super) fn abandoned(&mut self, attempt: Attempt, task: TaskId, failure: Failure) {
        let slot = self.slot_of(task);
        if let Ok(slots) = &mut self.setup.slots {
            slots.lose(slot, attempt, task);
        }
        self.report(attempt, task, TaskReport::Failed(failure));
    }

    /// The enumerator's answer to a reader.
    pub(super) fn splits(&mut self, attempt: Attempt, task: TaskId, command: Result<TaskCommand>) {
        if attempt == self.execution.region().attempt() {
            match command {
                Ok(command) => self.send(attempt, Some(task), &command),
                Err(error) => self.fail(&error),
            }
        }
    }

    /// A task could not read what it was to start from: the checkpoint before it is tried.
    pub(super) fn blame_checkpoint(&mut self, failure: &Failure) -> bool {
        let Some(checkpoint) = self.restored_from().filter(|_| failure.kind == FailureKind::State) else {
            return false;
        };
        self.coordinate(coordinator::Event::Unusable(checkpoint));
        if let Some(refused) = self.older_refused(&failure.to_error()) {
            self.fail(&refused);
            return false;
        }
        self.unusable = Some(failure.to_error());
        self.coordinator.latest().is_some()
    }

    pub(super) fn fail(&mut self, error: &Error) {
        let failed = self.failure(error);
        self.step(failed);
        self.work();
    }
}
