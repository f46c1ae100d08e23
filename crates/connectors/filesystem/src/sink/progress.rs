//! How far the writers of a table have come.
//!
//! What writers say of themselves counts when all of them have said it of the same checkpoint: of one that was aborted some
//! have and others have not. Event time is the least of the writers that are not idle, and never goes back.

use std::collections::BTreeMap;

use flott_types::{CheckpointId, Timestamp};
use serde::{Deserialize, Serialize};

/// How far a writer has come.
#[derive(Serialize, Deserialize, Clone, Copy, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    pub(super) subtask: u32,
    /// How many writers there are, itself included. After a restore there may be another number.
    pub(super) writers: u32,
    pub(super) watermark: Timestamp,
    /// It has had no data for a while, and event time goes on without it.
    pub(super) idle: bool,
    pub(super) ended: bool,
}

/// What is known of all writers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    /// The least of the writers that are not idle, as of the last checkpoint.
    pub(super) watermark: Timestamp,
    /// All writers have come to their end.
    pub(super) ended: bool,
}

impl Default for Heard {
    fn default() -> Self {
        Heard { watermark: Timestamp::MIN, ended: false }
    }
}

impl Heard {
    /// Takes note of what writers say of themselves: of the last checkpoint of which all have said it.
    pub(super) fn hear<'a>(&mut self, all: impl IntoIterator<Item = (CheckpointId, &'a Progress)>) {
        let mut heard: BTreeMap<CheckpointId, BTreeMap<u32, Progress>> = BTreeMap::new();
        for (checkpoint, progress) in all {
            heard.entry(checkpoint).or_default().insert(progress.subtask, *progress);
        }
        let complete = |writers: &BTreeMap<u32, Progress>| {
            writers.values().all(|progress| progress.writers as usize == writers.len())
        };
        let Some(writers) = heard.into_values().rev().find(complete) else { return };
        let active = writers.values().filter(|progress| !progress.idle);
        if let Some(watermark) = active.map(|progress| progress.watermark).min() {
            self.watermark = self.watermark.max(watermark);
        }
        self.ended = writers.values().all(|progress| progress.ended);
    }
}
