//! Snapshots in the folder that the job's configuration names, or in memory if it names none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use flott_checkpoint::Barrier;
use flott_checkpoint::manifest::{Manifest, StateFile, SubtaskRestore};
use flott_runtime::options::Reader;
use flott_runtime::{OperatorState, SnapshotStorage, SnapshotWriter, Stored, TaskDeployment};
use flott_state::RestoredState;
use flott_state::store::{
    CheckpointStorage, Folder, HandOver, JobStorage, Snapshot, Stopped, Target, TaskSnapshotWriter,
    read_in_flight, read_state,
};
use flott_storage::block_on;
use flott_types::{CheckpointId, Error, ErrorKind, JobId, Result, Timestamp};
use parking_lot::Mutex;

use crate::beginning::{self, Held, LATEST};
use crate::options::checkpointing;
use crate::storage::{Begun, Destination, End, Outcome, Place, Start, Storage};

const DIR: &str = "execution.checkpointing.dir";
const COMPRESSION: &str = "execution.checkpointing.snapshot-compression";
const OLD_DIR: &str = "state.checkpoints.dir";

/// The store of `flott_state`. Its calls block: they are made on threads for this.
pub struct Snapshots {
    /// For jobs without a folder.
    memory: CheckpointStorage,
    /// The jobs that run here and that others could run.
    held: Mutex<BTreeMap<JobId, Arc<Held>>>,
    /// Tasks are in other processes, which do not share this memory.
    several_processes: bool,
}

impl Default for Snapshots {
    fn default() -> Self {
        Snapshots { memory: CheckpointStorage::in_memory(), held: Mutex::default(), several_processes: false }
    }
}

impl Snapshots {
    /// Of a cluster whose JobManager and TaskManagers are processes of their own: what checkpoints are read
    /// from must be reachable by all of them.
    pub fn of_several_processes() -> Self {
        Snapshots { several_processes: true, ..Snapshots::default() }
    }

    /// A job that takes checkpoints needs a folder for them.
    fn check_reachable(&self, place: &Place<'_>) -> Result<()> {
        let takes = || Ok::<_, Error>(checkpointing(place.configuration)?.interval.is_some());
        if !self.several_processes || names_folder(place.configuration) || !takes()? {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "the job takes checkpoints ('execution.checkpointing.interval'), and its tasks are in other processes than the \
             JobManager: set '{DIR}' to a folder that all of them reach"
        )))
    }

    fn of(&self, configuration: &BTreeMap<String, String>) -> Result<CheckpointStorage> {
        match folder_of(configuration) {
            Some(folder) => CheckpointStorage::open(folder),
            None => Ok(self.memory.clone()),
        }
    }

    /// The manifest of the snapshot that a path means, and where it lies.
    pub(crate) fn inspect(
        &self,
        configuration: &BTreeMap<String, String>,
        path: &str,
    ) -> Result<(Manifest, String)> {
        let found = block_on(self.of(configuration)?.resolve(path))?;
        Ok((found.snapshot.manifest, found.snapshot.url))
    }

    /// The storage of a job that is about to begin: that nothing can be written there is told now, and not by
    /// its first checkpoint.
    fn checked(&self, place: &Place<'_>) -> Result<CheckpointStorage> {
        let Some((key, folder)) = configured(place.configuration) else { return Ok(self.memory.clone()) };
        let checked = CheckpointStorage::open(folder)
            .and_then(|storage| block_on(storage.check_writable(place.job)).map(|()| storage));
        checked.map_err(|error| error.context(format!("the checkpoint folder ('{key}')")))
    }

    fn job(&self, place: &Place<'_>) -> Result<JobStorage> {
        Ok(self.of(place.configuration)?.job(place.job))
    }

    fn folder(&self, job: JobId, configuration: &BTreeMap<String, String>) -> Result<Folder> {
        Ok(self.job(&Place { job, configuration })?.folder().clone())
    }
}

/// The folder of checkpoints, and the key that names it.
fn configured(configuration: &BTreeMap<String, String>) -> Option<(&'static str, &str)> {
    let named = |key| configuration.get(key).map(|folder| (key, folder.trim()));
    named(DIR).or_else(|| named(OLD_DIR)).filter(|(_, folder)| !folder.is_empty())
}

impl SnapshotStorage for Snapshots {
    fn writer(&self, deployment: &TaskDeployment) -> Result<Box<dyn SnapshotWriter>> {
        let folder = self.folder(deployment.job, &deployment.options.configuration)?;
        let restored: Vec<_> =
            deployment.restore.iter().map(|restore| (restore.uid.clone(), restore.state.clone())).collect();
        let parallelism = deployment.vertex.parallelism;
        let compressed = Reader(&deployment.options.configuration).flag(COMPRESSION, true)?;
        let writer = TaskSnapshotWriter::new(folder, deployment.task, parallelism, &restored);
        let writer = writer.compressing(compressed);
        Ok(Box::new(Writer(match deployment.options.state.budget {
            Some(budget) => writer.within(budget as u64 / u64::from(parallelism.max(1))),
            None => writer,
        })))
    }

    fn restore(&self, deployment: &TaskDeployment, state: &SubtaskRestore) -> Result<RestoredState> {
        block_on(read_state(&self.folder(deployment.job, &deployment.options.configuration)?, state))
    }

    fn in_flight(&self, deployment: &TaskDeployment, file: &StateFile) -> Result<Vec<u8>> {
        let folder = self.folder(deployment.job, &deployment.options.configuration)?;
        Ok(block_on(read_in_flight(&folder, file))?.into())
    }
}

struct Writer(TaskSnapshotWriter);

impl SnapshotWriter for Writer {
    fn write(
        &mut self,
        barrier: Barrier,
        target: Option<&str>,
        operators: Vec<OperatorState>,
    ) -> Result<Stored> {
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
            finished: state.finished,
            in_flight: state.in_flight,
        };
        let operators = operators.into_iter().map(hand_over).collect();
        let written = block_on(self.0.write(barrier.checkpoint, &target, operators))?;
        Ok(Stored {
            snapshot: written.snapshot,
            size: written.bytes,
            full_size: written.full_bytes,
            outgrown: written.outgrown,
        })
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
        let written = match destination {
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
        }?;
        // Afterwards, not before: who takes over takes the lease first and looks for manifests then.
        self.check(place)?;
        Ok(written)
    }

    fn read(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<Manifest> {
        // What is restored is committed: not by who may not.
        self.check(place)?;
        Ok(block_on(self.job(place)?.read(checkpoint))?.manifest)
    }

    fn read_path(&self, place: &Place<'_>, path: &str) -> Result<Manifest> {
        let found = block_on(self.of(place.configuration)?.resolve(path))?;
        Ok(found.snapshot.manifest_for(self.job(place)?.folder()))
    }

    fn discard(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<()> {
        self.check(place)?;
        let job = self.job(place)?;
        block_on(async {
            let mut retained = job.checkpoints().await?;
            retained.retain(|other| *other != checkpoint);
            job.discard(checkpoint, &retained).await
        })
    }

    fn dispose(&self, savepoint: &str) -> Result<()> {
        // It names its folder; that of checkpoints does not matter.
        block_on(self.memory.dispose_savepoint(savepoint))
    }

    fn begin(&self, place: &Place<'_>, start: &Start<'_>) -> Result<Begun> {
        self.check_reachable(place)?;
        let storage = self.checked(place)?;
        let folder = self.job(place)?.folder().clone();
        if let Some(key) = start.identity.key.as_ref().filter(|_| names_folder(place.configuration)) {
            let begun = block_on(beginning::registered(&storage, &folder, place.job, key, start))?;
            if let Some(held) = begun.held {
                self.held.lock().insert(place.job, Arc::new(held));
            }
            return Ok(begun.begun);
        }
        if start.restore == Some(LATEST) && !names_folder(place.configuration) {
            return Err(Error::invalid(format!(
                "to restore from `{LATEST}`, set '{DIR}' to the folder of the checkpoints"
            )));
        }
        block_on(beginning::unregistered(&storage, &folder, start))
    }

    fn renew(&self, place: &Place<'_>, now: Timestamp) -> Result<()> {
        match self.held(place) {
            Some(held) => block_on(held.lease.renew(now)),
            None => Ok(()),
        }
    }

    fn deposed(&self, place: &Place<'_>) -> Option<Error> {
        let held = self.held(place)?;
        block_on(held.lease.check()).err().filter(|error| error.kind() == ErrorKind::State)
    }

    fn sweep(&self, place: &Place<'_>) -> Result<()> {
        match self.held(place) {
            Some(held) => block_on(held.lease.sweep(Some(held.lineage))),
            None => Ok(()),
        }
    }

    fn withdraw(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<()> {
        self.check(place)?;
        block_on(self.job(place)?.withdraw(checkpoint))
    }

    fn sweep_aborted(&self, place: &Place<'_>) -> Result<()> {
        self.check(place)?;
        block_on(self.job(place)?.sweep()).map(|_| ())
    }

    fn end(&self, place: &Place<'_>, end: &End) -> Result<()> {
        let (job, finished) = (self.job(place)?, end.outcome == Outcome::Finished);
        let Some(held) = self.held(place) else {
            return if finished { block_on(job.discard_all()) } else { Ok(()) };
        };
        block_on(async {
            if let Err(error) = held.lease.end(end).await {
                held.is_unsure.store(true, Ordering::SeqCst);
                return Err(error.context("the end of the job cannot be recorded"));
            }
            if finished {
                job.discard_all().await?;
                held.lease.sweep(Some(held.lineage)).await?;
            }
            Ok(())
        })
    }

    fn release(&self, place: &Place<'_>) {
        self.held.lock().remove(&place.job);
    }
}

impl Snapshots {
    fn held(&self, place: &Place<'_>) -> Option<Arc<Held>> {
        self.held.lock().get(&place.job).cloned()
    }

    /// Refuses what only who runs the job may do.
    fn check(&self, place: &Place<'_>) -> Result<()> {
        let Some(held) = self.held(place) else { return Ok(()) };
        if held.is_unsure.load(Ordering::SeqCst) {
            return Err(Error::external("the end of the job is not recorded: its checkpoints are kept"));
        }
        block_on(held.lease.check())
    }
}

/// Whether checkpoints survive the process.
fn names_folder(configuration: &BTreeMap<String, String>) -> bool {
    folder_of(configuration).is_some()
}

fn folder_of(configuration: &BTreeMap<String, String>) -> Option<&str> {
    configured(configuration).map(|(_, folder)| folder)
}
