//! Checkpoints and savepoints: asked for, triggered, written.

use flott_checkpoint::coordinator::{self, CompletedSnapshot, DeclineReason, Request};
use flott_checkpoint::manifest::{Manifest, ManifestKind, TaskSnapshot};
use flott_checkpoint::{Attempt, Barrier, JobStatus, RequestId};
use flott_runtime::TaskCommand;
use flott_types::{Error, Result};

use crate::storage::{Destination, Place};

use super::{Answer, JobMaster, JobMessage};

impl JobMaster {
    pub(super) fn request(&mut self, what: Request, answer: Answer) {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        let status = self.execution.status();
        if status != JobStatus::Running {
            answer(Err(Error::invalid(format!(
                "the job is {status}; savepoints need a job that is RUNNING"
            ))));
            return;
        }
        let what = match self.with_folder(request, what) {
            Ok(what) => what,
            Err(error) => return answer(Err(error)),
        };
        if matches!(what, Request::StopWithSavepoint { .. }) {
            self.stops.insert(request);
        }
        self.answers.insert(request, answer);
        self.coordinate(coordinator::Event::Request { request, what });
    }

    /// Savepoints go to a new folder under the one that the user named.
    pub(super) fn with_folder(&mut self, request: RequestId, what: Request) -> Result<Request> {
        let place = Place { job: self.setup.job, configuration: &self.setup.options.task.configuration };
        let random = self.setup.clock.nanos().rotate_left(24) ^ self.setup.clock.now() as u64 ^ request.0;
        let folder = |target: &str| self.setup.storage.savepoint_folder(&place, target, random);
        Ok(match what {
            Request::Savepoint { target } => Request::Savepoint { target: folder(&target)? },
            Request::StopWithSavepoint { target, drain } => {
                Request::StopWithSavepoint { target: folder(&target)?, drain }
            }
            other @ Request::Checkpoint { .. } => other,
        })
    }

    pub(super) fn trigger(
        &mut self,
        attempt: Attempt,
        barrier: Barrier,
        target: Option<String>,
    ) -> Option<coordinator::Event<TaskSnapshot>> {
        self.setup.shared.update(|job| job.checkpoints.triggered(barrier));
        match self.setup.enumerators.snapshot() {
            Ok(snapshot) => {
                self.enumerators.insert(barrier.checkpoint, snapshot);
                self.send(attempt, None, &TaskCommand::Trigger { barrier, target });
                None
            }
            Err(error) => {
                let task = *self.execution.region().tasks().first()?;
                let reason = DeclineReason::Failed(error.to_string());
                Some(coordinator::Event::Decline { attempt, task, checkpoint: barrier.checkpoint, reason })
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
        manifest.restored_from.clone_from(&self.setup.options.restore_path);
        for (task, snapshot) in snapshots {
            let parallelism = self.setup.graph.vertices[task.vertex.0 as usize].parallelism;
            manifest.add_task(task.subtask, parallelism, snapshot);
        }
        for (uid, text) in self.enumerators.remove(&checkpoint).unwrap_or_default() {
            if let Some(operator) = manifest.operators.iter_mut().find(|operator| operator.uid == uid) {
                operator.enumerator = Some(text.into_bytes().into());
            }
        }
        let storage = self.setup.storage.clone();
        let own = self.setup.own.clone();
        let configuration = self.setup.options.task.configuration.clone();
        let destination = match target {
            Some(folder) => Destination::Savepoint { folder, stop: kind.is_last() },
            None => Destination::Checkpoint,
        };
        self.worker.run(move || {
            let place = Place { job, configuration: &configuration };
            own(JobMessage::Stored(checkpoint, storage.write(&place, &destination, &manifest)));
        });
    }
}
