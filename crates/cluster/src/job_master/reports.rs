//! What tasks and the storage tell.

use flott_checkpoint::coordinator::{self, DeclineReason};
use flott_checkpoint::execution;
use flott_checkpoint::{Attempt, ExecutionState, TaskId};
use flott_runtime::{Failure, FailureKind, TaskReport};
use flott_types::{CheckpointId, Error, Result};

use super::JobMaster;

impl JobMaster {
    pub(super) fn stored(&mut self, checkpoint: CheckpointId, result: Result<String>) {
        let now = self.setup.clock.now();
        match result {
            Ok(path) => {
                self.paths.insert(checkpoint, path.clone());
                self.setup.shared.update(|job| job.checkpoints.ended(checkpoint, Some(path), now));
                self.coordinate(coordinator::Event::StoreCompleted(checkpoint));
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
            TaskReport::RequestSplits { operator } => {
                if current {
                    match self.setup.enumerators.next(&operator, task) {
                        Ok(command) => self.send(attempt, Some(task), &command),
                        Err(error) => self.fail(&error),
                    }
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

    /// A task could not read what it was to start from: the checkpoint before it is tried.
    pub(super) fn blame_checkpoint(&mut self, failure: &Failure) -> bool {
        let Some(manifest) = self.restore.as_ref().filter(|_| failure.kind == FailureKind::State) else {
            return false;
        };
        let checkpoint = manifest.checkpoint;
        self.unusable = Some(failure.to_error());
        self.coordinate(coordinator::Event::Unusable(checkpoint));
        self.coordinator.latest().is_some()
    }

    pub(super) fn fail(&mut self, error: &Error) {
        let failure = Failure::new(error, self.setup.clock.now());
        self.setup.shared.update(|info| info.failed(failure, None));
        let failure = execution::Failure { reason: error.to_string(), retryable: error.is_retryable() };
        self.execute(execution::Event::Fail(failure));
    }
}
