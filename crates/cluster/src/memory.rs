//! Snapshots in the memory of the process: for jobs without `execution.checkpointing.dir`.

use std::sync::Arc;

use flott_checkpoint::Barrier;
use flott_checkpoint::manifest::{
    ChainedSnapshot, Manifest, OperatorState as StoredList, Redistribution as StoredRedistribution,
    SubtaskRestore, SubtaskSnapshot, TaskSnapshot,
};
use flott_runtime::{OperatorState, SnapshotStorage, SnapshotWriter, TaskDeployment};
use flott_state::{ListState, Redistribution, RestoredState};
use flott_types::{CheckpointId, Error, FastMap, JobId, Result};
use parking_lot::Mutex;

use crate::storage::{Place, Storage};

/// Manifests in memory.
#[derive(Default)]
pub struct MemoryStorage {
    checkpoints: Mutex<FastMap<(JobId, CheckpointId), Manifest>>,
    savepoints: Mutex<FastMap<String, Manifest>>,
}

struct MemoryWriter;

impl SnapshotStorage for MemoryStorage {
    fn writer(&self, _: &TaskDeployment) -> Result<Box<dyn SnapshotWriter>> {
        Ok(Box::new(MemoryWriter))
    }

    fn restore(&self, _: &TaskDeployment, state: &SubtaskRestore) -> Result<RestoredState> {
        let mut restored = RestoredState::default();
        for list in &state.operator {
            let entries = list.entries.iter().map(|entry| {
                String::from_utf8(entry.to_vec())
                    .map_err(|error| Error::state("operator state").with_source(error))
            });
            restored
                .lists
                .insert(list.name.clone(), entries.collect::<Result<_>>()?);
        }
        Ok(restored)
    }
}

impl SnapshotWriter for MemoryWriter {
    fn write(&mut self, _: Barrier, operators: Vec<OperatorState>) -> Result<(TaskSnapshot, u64)> {
        let mut snapshot = TaskSnapshot::default();
        let mut size = 0;
        for OperatorState {
            uid,
            name,
            max_parallelism,
            state,
        } in operators
        {
            if !state.keyed.is_empty() {
                return Err(Error::unsupported("keyed state in memory").in_operator(&name));
            }
            let operator: Vec<_> = state.lists.into_iter().map(stored).collect();
            size += operator
                .iter()
                .flat_map(|list| &list.entries)
                .map(|entry| entry.len() as u64)
                .sum::<u64>();
            let state = SubtaskSnapshot {
                keyed: Vec::new(),
                operator,
            };
            snapshot.operators.push(ChainedSnapshot {
                uid,
                name,
                max_parallelism,
                state,
            });
        }
        Ok((snapshot, size))
    }
}

fn stored(list: ListState) -> StoredList {
    StoredList {
        name: list.name,
        redistribution: match list.redistribution {
            Redistribution::Split => StoredRedistribution::Split,
            Redistribution::Union => StoredRedistribution::Union,
        },
        entries: list
            .entries
            .into_iter()
            .map(|entry| entry.into_bytes().into())
            .collect(),
    }
}

impl Storage for MemoryStorage {
    fn as_snapshot_storage(self: Arc<Self>) -> Arc<dyn SnapshotStorage> {
        self
    }

    fn write(&self, place: &Place<'_>, manifest: &Manifest) -> Result<Option<String>> {
        manifest.validate()?;
        match place.savepoint {
            Some(path) => {
                self.savepoints.lock().insert(path.to_owned(), manifest.clone());
                Ok(Some(path.to_owned()))
            }
            None => {
                self.checkpoints
                    .lock()
                    .insert((place.job, manifest.checkpoint), manifest.clone());
                Ok(None)
            }
        }
    }

    fn read(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<Manifest> {
        let missing = || Error::state(format!("checkpoint {checkpoint} is not in memory"));
        self.checkpoints
            .lock()
            .get(&(place.job, checkpoint))
            .cloned()
            .ok_or_else(missing)
    }

    fn read_path(&self, path: &str) -> Result<Manifest> {
        let missing = || Error::state(format!("there is no savepoint '{path}' in memory"));
        self.savepoints.lock().get(path).cloned().ok_or_else(missing)
    }

    fn discard(&self, place: &Place<'_>, checkpoint: CheckpointId) -> Result<()> {
        self.checkpoints.lock().remove(&(place.job, checkpoint));
        Ok(())
    }
}
