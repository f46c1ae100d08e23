//! Snapshots in the folder that the job's configuration names, or in memory if it names none.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_checkpoint::Barrier;
use flott_checkpoint::manifest::{Manifest, SubtaskRestore, TaskSnapshot};
use flott_runtime::{OperatorState, SnapshotStorage, SnapshotWriter, TaskDeployment};
use flott_state::RestoredState;
use flott_state::store::{
    CheckpointStorage, Folder, HandOver, JobStorage, Snapshot, Stopped, Target, TaskSnapshotWriter,
};
use flott_types::{CheckpointId, Error, JobId, Result};
use futures::executor::block_on;

use crate::storage::{Destination, Place, Storage};

const DIR: &str = "execution.checkpointing.dir";
const OLD_DIR: &str = "state.checkpoints.dir";

/// The store of `flott_state`. Its calls block: they are made on threads for this.
pub struct Snapshots {
    /// For jobs without a folder.
    memory: CheckpointStorage,
}

impl Default for Snapshots {
    fn default() -> Self {
        Snapshots { memory: CheckpointStorage::in_memory() }
    }
}

impl Snapshots {
    fn of(&self, configuration: &BTreeMap<String, String>) -> Result<CheckpointStorage> {
        let folder =
            configuration.get(DIR).or_else(|| configuration.get(OLD_DIR)).map(|folder| folder.trim());
        match folder.filter(|folder| !folder.is_empty()) {
            Some(folder) => CheckpointStorage::open(folder),
            None => Ok(self.memory.clone()),
        }
    }

    fn job(&self, place: &Place<'_>) -> Result<JobStorage> {
        Ok(self.of(place.configuration)?.job(place.job))
    }

    fn folder(&self, job: JobId, configuration: &BTreeMap<String, String>) -> Result<Folder> {
        Ok(self.job(&Place { job, configuration })?.folder().clone())
    }
}

impl SnapshotStorage for Snapshots {
    fn writer(&self, deployment: &TaskDeployment) -> Result<Box<dyn SnapshotWriter>> {
        let folder = self.folder(deployment.job, &deployment.options.configuration)?;
        let restored: Vec<_> =
            deployment.restore.iter().map(|restore| (restore.uid.clone(), restore.state.clone())).collect();
        let parallelism = deployment.vertex.parallelism;
        Ok(Box::new(Writer(TaskSnapshotWriter::new(folder, deployment.task, parallelism, &restored))))
    }

    fn restore(&self, deployment: &TaskDeployment, state: &SubtaskRestore) -> Result<RestoredState> {
        block_on(self.folder(deployment.job, &deployment.options.configuration)?.restore(state))
    }
}

struct Writer(TaskSnapshotWriter);

impl SnapshotWriter for Writer {
    fn write(
        &mut self,
        barrier: Barrier,
        target: Option<&str>,
        operators: Vec<OperatorState>,
    ) -> Result<(TaskSnapshot, u64)> {
        let target = match target {
            Some(folder) => Target::Savepoint(savepoint(folder)?),
            None if barrier.kind.is_savepoint() => {
                return Err(Error::internal("a savepoint without a folder"));
            }
            None if barrier.kind.is_full() => Target::FullCheckpoint,
            None => Target::Checkpoint,
        };
        let hand_over = |state: OperatorState| HandOver {
            uid: state.uid,
            name: state.name,
            max_parallelism: state.max_parallelism,
            snapshot: state.state,
        };
        let operators = operators.into_iter().map(hand_over).collect();
        let written = block_on(self.0.write(barrier.checkpoint, &target, operators))?;
        Ok((written.snapshot, written.bytes))
    }
}

/// The folder of a savepoint that is being made.
fn savepoint(url: &str) -> Result<Folder> {
    Folder::create(url)
}

impl Storage for Snapshots {
    fn as_snapshot_storage(self: Arc<Self>) -> Arc<dyn SnapshotStorage> {
        self
    }

    fn savepoint_folder(&self, place: &Place<'_>, target: &str, random: u64) -> Result<String> {
        let folder = block_on(self.of(place.configuration)?.savepoint(Some(target), place.job, random))?;
        Ok(folder.url())
    }

    fn write(&self, place: &Place<'_>, destination: &Destination, manifest: &Manifest) -> Result<String> {
        let job = self.job(place)?;
        match destination {
            Destination::Checkpoint => block_on(job.complete(manifest)),
            Destination::Savepoint { folder, stop } => {
                let url = block_on(Snapshot::complete_savepoint(&savepoint(folder)?, manifest))?;
                if *stop {
                    let stopped = Stopped {
                        checkpoint: manifest.checkpoint,
                        savepoint: url.clone(),
                        drained: manifest.drained,
                    };
                    block_on(job.note_stop(&stopped))?;
                }
                Ok(url)
            }
        }
    }

    fn read(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<Manifest> {
        Ok(block_on(self.job(place)?.read(checkpoint))?.manifest)
    }

    fn read_path(&self, place: &Place<'_>, path: &str) -> Result<Manifest> {
        let found = block_on(self.of(place.configuration)?.resolve(path))?;
        for (checkpoint, error) in &found.damaged {
            tracing::warn!(%checkpoint, %error, "a damaged checkpoint is passed over");
        }
        tracing::info!(job = %place.job, from = found.snapshot.url, "the job starts from a snapshot");
        Ok(found.snapshot.manifest_for(self.job(place)?.folder()))
    }

    fn discard(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<()> {
        let job = self.job(place)?;
        block_on(async {
            let mut retained = job.checkpoints().await?;
            retained.retain(|other| *other != checkpoint);
            job.discard(checkpoint, &retained).await
        })
    }

    fn discard_all(&self, place: &Place<'_>) -> Result<()> {
        block_on(self.job(place)?.discard_all())
    }
}
