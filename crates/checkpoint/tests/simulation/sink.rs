//! The system that the sinks of the simulation write to.

use std::collections::BTreeMap;

use flott_types::CheckpointId;

use crate::task::Handle;

/// The system that the sinks write to.
#[derive(Default)]
pub struct Sink {
    staged: BTreeMap<Handle, Vec<u32>>,
    committed: BTreeMap<Handle, Vec<u32>>,
    /// By vertex, the last checkpoint of which something was committed for the job.
    last_global: BTreeMap<u32, CheckpointId>,
}

impl Sink {
    /// What a reader of the system sees.
    pub fn rows(&self) -> Vec<(u32, u32)> {
        let mut rows: Vec<_> = self
            .committed
            .iter()
            .flat_map(|(handle, rows)| rows.iter().map(|r| (handle.task.vertex.0, *r)))
            .collect();
        rows.sort_unstable();
        rows
    }

    pub fn stage(&mut self, handle: Handle, rows: Vec<u32>) -> Result<(), String> {
        if self.committed.contains_key(&handle) || self.staged.insert(handle, rows).is_some() {
            return Err(format!("output is staged twice: {handle:?}"));
        }
        Ok(())
    }

    /// Says whether it was there to be committed.
    pub fn commit(&mut self, handle: Handle) -> bool {
        if let Some(rows) = self.staged.remove(&handle) {
            self.committed.insert(handle, rows);
        }
        // Perhaps a second time: committing is idempotent.
        self.committed.contains_key(&handle)
    }

    /// The same for the job. It comes after what the subtasks commit of the checkpoint, and in order.
    pub fn commit_globally(&mut self, handle: Handle) -> Result<bool, String> {
        if self.staged.contains_key(&handle) {
            let vertex = handle.task.vertex;
            let before = |own: &&Handle| {
                !own.global
                    && own.task.vertex == vertex
                    && (own.leader, own.attempt) == (handle.leader, handle.attempt)
                    && own.checkpoint <= handle.checkpoint
            };
            if let Some(own) = self.staged.keys().find(before) {
                return Err(format!("{handle:?} is committed before {own:?}"));
            }
            let last = self.last_global.entry(vertex.0).or_insert(CheckpointId(0));
            if handle.checkpoint < *last {
                return Err(format!("{handle:?} is committed after output of checkpoint {last}"));
            }
            *last = handle.checkpoint;
        }
        Ok(self.commit(handle))
    }

    /// Staged output that no state holds any more is thrown away.
    pub fn sweep(&mut self, held: impl Fn(&Handle) -> bool) {
        self.staged.retain(|handle, _| held(handle));
    }
}
