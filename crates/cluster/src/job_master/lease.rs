//! The lease of the job: others hear that it is alive, and how it has ended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flott_checkpoint::JobStatus;
use flott_state::store::RENEWAL_MILLIS;
use flott_storage::block_on;
use flott_types::{CheckpointId, Result, Timestamp};

use crate::storage::{End, Outcome, Place};
use crate::worker::Worker;

use super::{JobMaster, JobMessage, JobSetup};

/// Renews the lease, on its own thread: a checkpoint that is slow to write does not make a job look dead.
pub(super) struct Renewal {
    worker: Option<Worker<()>>,
    due: Timestamp,
    /// One is in progress.
    busy: Arc<AtomicBool>,
}

impl Renewal {
    pub(super) fn new(setup: &JobSetup) -> Result<Self> {
        let start = || Worker::start(&format!("{} lease", setup.graph.name), &setup.threads, ());
        Ok(Renewal {
            worker: setup.succession.map(|_| start()).transpose()?,
            due: setup.submitted_at.saturating_add(RENEWAL_MILLIS),
            busy: Arc::default(),
        })
    }

    pub(super) fn tick(&mut self, setup: &JobSetup, now: Timestamp) {
        let Some(worker) = self.worker.as_ref().filter(|_| self.due <= now) else { return };
        self.due = now.saturating_add(RENEWAL_MILLIS);
        if self.busy.swap(true, Ordering::SeqCst) {
            return;
        }
        let (storage, job, own, busy) =
            (setup.storage.clone(), setup.job, setup.own.clone(), self.busy.clone());
        let configuration = setup.options.task.configuration.clone();
        worker.run(move |()| {
            let place = Place { job, configuration: &configuration };
            if let Err(error) = storage.renew(&place, now) {
                match storage.deposed(&place) {
                    Some(deposed) => own(JobMessage::Deposed(deposed)),
                    None => tracing::warn!(%job, %error, "the lease of the job could not be renewed"),
                }
            }
            busy.store(false, Ordering::SeqCst);
        });
    }
}

/// Whether the job may commit something now, as far as can be known: nobody else runs it, or leads the cluster.
pub(super) fn may_commit(setup: &JobSetup) -> Arc<dyn Fn() -> Result<()> + Send + Sync> {
    let (storage, job, leading) = (setup.storage.clone(), setup.job, setup.leading.clone());
    let configuration = setup.options.task.configuration.clone();
    Arc::new(move || {
        if let Some(leading) = &leading {
            block_on(leading.check())?;
        }
        storage.deposed(&Place { job, configuration: &configuration }).map_or(Ok(()), Err)
    })
}

impl JobMaster {
    /// When the first checkpoint of this start has completed, those of earlier starts are not needed any
    /// more.
    pub(super) fn clean_up_once(&mut self, checkpoint: CheckpointId) {
        let latest = self.coordinator.latest().filter(|point| point.savepoint.is_none());
        if latest.is_some_and(|point| point.checkpoint == checkpoint)
            && !std::mem::replace(&mut self.has_completed, true)
        {
            let (storage, job) = (self.setup.storage.clone(), self.setup.job);
            let configuration = self.setup.options.task.configuration.clone();
            self.storage.run(move |()| {
                let place = Place { job, configuration: &configuration };
                if let Err(error) = storage.sweep(&place) {
                    tracing::warn!(%job, %checkpoint, %error, "earlier starts could not be cleaned up");
                }
            });
        }
    }

    /// Notes how the job has ended, before anything of it is deleted.
    pub(super) fn note_end(&self, status: JobStatus, at: Timestamp) {
        let outcome = match status {
            JobStatus::Finished if self.stopped => Outcome::Stopped,
            JobStatus::Finished => Outcome::Finished,
            JobStatus::Canceled => Outcome::Canceled,
            JobStatus::Failed => Outcome::Failed,
            JobStatus::Suspended
            | JobStatus::Initializing
            | JobStatus::Created
            | JobStatus::Running
            | JobStatus::Failing
            | JobStatus::Cancelling
            | JobStatus::Restarting => Outcome::Suspended,
        };
        let mut end = End::new(outcome, at);
        end.checkpoint = self.coordinator.latest().map(|point| point.checkpoint);
        end.discarded =
            outcome != Outcome::Stopped && self.setup.options.checkpoints.retention.discards(status);
        let (storage, job) = (self.setup.storage.clone(), self.setup.job);
        let configuration = self.setup.options.task.configuration.clone();
        self.storage.run(move |()| {
            let place = Place { job, configuration: &configuration };
            if let Err(error) = storage.end(&place, &end) {
                tracing::warn!(%job, %error, "the end of the job could not be recorded, or its checkpoints not deleted");
            }
        });
    }

    /// When all is done that was to be done: the job may be started again.
    pub(super) fn release(&self) {
        let (storage, job) = (self.setup.storage.clone(), self.setup.job);
        let configuration = self.setup.options.task.configuration.clone();
        self.storage.run(move |()| storage.release(&Place { job, configuration: &configuration }));
    }
}
