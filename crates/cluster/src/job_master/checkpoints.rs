//! Checkpoints and savepoints: requested, triggered, written.

use flott_checkpoint::coordinator::{self, CompletedSnapshot, DeclineReason, Request};
use flott_checkpoint::manifest::{Manifest, ManifestKind, TaskSnapshot};
use flott_checkpoint::{Attempt, Barrier, JobStatus, RequestId};
use flott_runtime::TaskCommand;
use flott_runtime::options::SAVEPOINT_AT_END;
use flott_types::panics::guard;
use flott_types::{CheckpointId, Error, ErrorKind, Result};

use crate::enumerators::EnumeratorStates;
use crate::storage::{Destination, Place};

use super::{Answer, Event, JobMaster, JobMessage};

impl JobMaster {
    pub(super) fn request(&mut self, what: Request, answer: Answer) {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        if let Err(error) = self.check_running() {
            return answer(Err(error));
        }
        self.answers.insert(request, answer);
        match what {
            Request::Checkpoint { .. } => self.begin_request(request, what),
            Request::Savepoint { .. } | Request::StopWithSavepoint { .. } => self.place(request, what),
        }
    }

    /// All inputs have been read and are held at their ends: the job stops, once in an attempt, unless somebody stops it
    /// anyway.
    pub(super) fn stop_at_end(&mut self) {
        let attempt = self.execution.region().attempt();
        let Some(target) = self.setup.options.savepoint_at_end.clone().filter(|_| self.stops.is_empty())
        else {
            return;
        };
        if self.asked_at_end.replace(attempt) == Some(attempt) {
            return;
        }
        let own = self.setup.own.clone();
        let answer = move |result: Result<String>| {
            if let Err(error) = result {
                own(JobMessage::NoSavepointAtEnd(attempt, error));
            }
        };
        self.request(Request::StopWithSavepoint { target, drain: false }, Box::new(answer));
    }

    /// Nobody else would ask again.
    pub(super) fn no_savepoint_at_end(&mut self, attempt: Attempt, error: Error) {
        if attempt == self.execution.region().attempt() && self.execution.status() == JobStatus::Running {
            self.fail(&error.context(format_args!("'{SAVEPOINT_AT_END}'")));
        }
    }

    fn check_running(&self) -> Result<()> {
        let status = self.execution.status();
        if status == JobStatus::Running {
            return Ok(());
        }
        Err(Error::invalid(format!("the job is {status}; savepoints need a job that is RUNNING")))
    }

    /// Savepoints go to a new folder under the one that the user named.
    fn place(&mut self, request: RequestId, what: Request) {
        let (storage, job) = (self.setup.storage.clone(), self.setup.job);
        let configuration = self.setup.options.task.configuration.clone();
        let random = self.setup.clock.nanos().rotate_left(24) ^ self.setup.clock.now() as u64 ^ request.0;
        self.ask_storage(move || {
            let place = Place { job, configuration: &configuration };
            let folder =
                |target: &str| guard("savepoint folder", || storage.savepoint_folder(&place, target, random));
            JobMessage::Placed(
                request,
                match what {
                    Request::Savepoint { target } => {
                        folder(&target).map(|target| Request::Savepoint { target })
                    }
                    Request::StopWithSavepoint { target, drain } => {
                        folder(&target).map(|target| Request::StopWithSavepoint { target, drain })
                    }
                    other @ Request::Checkpoint { .. } => Ok(other),
                },
            )
        });
    }

    /// The folder of a savepoint is there.
    pub(super) fn placed(&mut self, request: RequestId, what: Result<Request>) {
        match self.check_running().and(what) {
            Ok(what) => self.begin_request(request, what),
            Err(error) => self.answer(request, Err(error)),
        }
    }

    /// A job is RUNNING as soon as it is deployed; what is requested before all its tasks run waits for them.
    fn begin_request(&mut self, request: RequestId, what: Request) {
        if !self.all_run {
            return self.early.push((request, what));
        }
        let event = self.requested((request, what));
        self.step(event);
        self.work();
    }

    pub(super) fn requested(&mut self, (request, what): (RequestId, Request)) -> Event {
        if matches!(what, Request::StopWithSavepoint { .. }) {
            self.stops.insert(request);
        }
        coordinator::Event::Request { request, what }.into()
    }

    /// Asks the enumerators first: see [`crate::enumerators`].
    pub(super) fn trigger(&mut self, attempt: Attempt, barrier: Barrier, target: Option<String>) {
        self.setup.shared.update(|job| job.checkpoints.triggered(barrier));
        let checkpoint = barrier.checkpoint;
        self.triggering.insert(checkpoint, (attempt, barrier, target));
        self.ask_sources(move |enumerators| {
            JobMessage::Enumerated(checkpoint, enumerators.snapshot(checkpoint))
        });
    }

    /// The enumerators have been asked: the trigger goes to the tasks, unless the checkpoint was given up
    /// meanwhile.
    pub(super) fn enumerated(&mut self, checkpoint: CheckpointId, states: Result<EnumeratorStates>) {
        let Some((attempt, barrier, target)) = self.triggering.remove(&checkpoint) else {
            return;
        };
        match states {
            Ok(states) => {
                self.enumerators.insert(checkpoint, states);
                self.send(attempt, None, &TaskCommand::Trigger { barrier, target });
            }
            Err(error) => {
                let Some(task) = self.execution.region().tasks().first().copied() else { return };
                let reason = DeclineReason::Failed(error.to_string());
                self.coordinate(coordinator::Event::Decline { attempt, task, checkpoint, reason });
            }
        }
    }

    pub(super) fn write(&mut self, snapshot: CompletedSnapshot<TaskSnapshot>) {
        let CompletedSnapshot { checkpoint, kind, created_at, target, drained, snapshots } = snapshot;
        let job = self.setup.job;
        let manifest_kind =
            if kind.is_savepoint() { ManifestKind::Savepoint } else { ManifestKind::Checkpoint };
        let mut manifest = Manifest::new(job, checkpoint, manifest_kind, created_at);
        manifest.drained = drained;
        manifest.key.clone_from(&self.setup.key);
        manifest.restored_from.clone_from(&self.setup.restored_from);
        // What cannot be written is not there to be compared, which is no reason to lose a checkpoint.
        manifest.program =
            self.setup.graph.outline.as_ref().and_then(|outline| serde_json::to_string(outline).ok());
        for (task, snapshot) in snapshots {
            let parallelism = self.setup.graph.vertices[task.vertex.0 as usize].parallelism;
            manifest.add_task(task.subtask, parallelism, snapshot);
        }
        for (uid, state) in self.enumerators.remove(&checkpoint).unwrap_or_default() {
            if let Some(operator) = manifest.operators.iter_mut().find(|operator| operator.uid == uid) {
                operator.enumerator = Some(state);
            }
        }
        if kind.is_last() {
            self.drained = drained;
        }
        let entered = self.global.enter(&mut manifest);
        let storage = self.setup.storage.clone();
        let own = self.setup.own.clone();
        let configuration = self.setup.options.task.configuration.clone();
        let destination = match target {
            Some(folder) => Destination::Savepoint { folder, stop: kind.is_last() },
            None => Destination::Checkpoint,
        };
        self.storage.run(move |()| {
            let place = Place { job, configuration: &configuration };
            let written = guard("checkpoint", || {
                entered?;
                storage.write(&place, &destination, &manifest)
            });
            if let Err(error) = &written {
                match storage.deposed(&place) {
                    Some(deposed) => own(JobMessage::Deposed(deposed)),
                    // It may be there all the same. If it cannot be taken back now, it is before the next attempt.
                    None if error.kind() == ErrorKind::External => {
                        _ = guard("withdraw", || storage.withdraw(&place, checkpoint));
                    }
                    None => {}
                }
            }
            own(JobMessage::Stored(checkpoint, written));
        });
    }
}
