//! What tasks and the storage tell.

use flott_checkpoint::coordinator::{self, DeclineReason};
use flott_checkpoint::execution;
use flott_checkpoint::{Attempt, ExecutionState, TaskId};
use flott_runtime::{Failure, FailureKind, TaskReport};
use flott_types::{CheckpointId, Error, ErrorKind, OperatorUid, Result};

use crate::enumerators::{Agenda, Commands, Enumerators, FromReader};

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
                if error.kind() == ErrorKind::External {
                    self.doubtful.insert(checkpoint);
                }
                self.coordinate(coordinator::Event::StoreFailed { checkpoint, reason: error.to_string() });
            }
        }
    }

    pub(super) fn report(&mut self, attempt: Attempt, task: TaskId, report: TaskReport) {
        let current = attempt == self.execution.region().attempt();
        let state = |job: &mut Self, state, failure| {
            if current {
                let now = job.setup.clock.now();
                job.setup.shared.update(|info| info.entered(task, state, now));
            }
            job.execute(execution::Event::Task { attempt, task, state, failure });
        };
        match report {
            TaskReport::Running => state(self, ExecutionState::Running, None),
            TaskReport::Finished => {
                if let Some(last) = self.last.filter(|_| current) {
                    self.global.left(task, last);
                }
                state(self, ExecutionState::Finished, None);
            }
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
                    self.watermark_alignment.remove(task);
                }
                self.execute(execution::Event::Drained { attempt, task });
            }
            TaskReport::SourceWatermark { group, watermark } => {
                if current {
                    self.watermark_alignment.report(task, &group, watermark);
                }
            }
            TaskReport::ReaderRegistered { operator, reading } => {
                self.reader_says(attempt, task, operator, FromReader::Registered(reading));
            }
            TaskReport::RequestSplits { operator, received } => {
                self.reader_says(attempt, task, operator, FromReader::Requests { received });
            }
            TaskReport::SourceEvent { operator, event } => {
                self.reader_says(attempt, task, operator, FromReader::Event(event));
            }
            TaskReport::Ack { checkpoint, snapshot, metrics } => {
                let now = self.setup.clock.now();
                self.setup.shared.update(|job| job.checkpoints.acked(checkpoint, task, metrics, now));
                self.coordinate(coordinator::Event::Ack { attempt, task, checkpoint, snapshot });
            }
            TaskReport::Committed { operator, checkpoint } => {
                if current {
                    self.global.confirmed(task, &operator, checkpoint);
                }
            }
            TaskReport::Decline { checkpoint, failure } => {
                let reason = failure.map_or(DeclineReason::Superseded, DeclineReason::Failed);
                self.coordinate(coordinator::Event::Decline { attempt, task, checkpoint, reason });
            }
        }
    }

    fn reader_says(&mut self, attempt: Attempt, task: TaskId, operator: OperatorUid, said: FromReader) {
        if attempt == self.execution.region().attempt() {
            self.ask_enumerators(move |enumerators| enumerators.hear(&operator, task, said));
        }
    }

    /// Enumerators are called whose time has come, or that have been woken.
    pub(super) fn let_sources_work(&mut self) {
        let clock = self.setup.clock.clone();
        self.ask_enumerators(move |enumerators| enumerators.work(clock.now()));
    }

    /// Tells the enumerators how a checkpoint ended.
    pub(super) fn tell_sources(&mut self, checkpoint: CheckpointId, complete: bool) {
        self.ask_enumerators(move |enumerators| {
            enumerators.checkpoint_ended(checkpoint, complete)?;
            Ok(Commands::new())
        });
    }

    /// Those of the current attempt.
    fn ask_enumerators(&mut self, ask: impl FnOnce(&mut Enumerators) -> Result<Commands> + Send + 'static) {
        let attempt = self.execution.region().attempt();
        self.ask_sources(move |enumerators| {
            let commands = ask(enumerators);
            JobMessage::Sources(attempt, commands, enumerators.agenda())
        });
    }

    /// The enumerators' messages for readers.
    pub(super) fn sources_say(&mut self, attempt: Attempt, commands: Result<Commands>, agenda: Agenda) {
        self.agenda = agenda;
        if attempt != self.execution.region().attempt() {
            return;
        }
        match commands {
            Ok(commands) => {
                commands.iter().for_each(|(task, command)| self.send(attempt, Some(*task), command));
                if agenda.all_held {
                    self.stop_at_end();
                }
            }
            Err(error) => self.fail(&error),
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
