//! The current content of a changelog.

use flott_batch::ChangeBatch;
use flott_batch::hash::hash_columns;
use flott_types::FastMap;

/// A changelog with more different rows than this is no longer tracked: the checks must not use as much
/// memory as what they check.
const MOST: usize = 1 << 20;

/// How often each row is present. Rows are kept as hashes: a collision may hide a fault, but never causes a
/// false alarm.
#[derive(Default)]
pub(super) struct Changelog {
    counts: FastMap<u64, u32>,
    /// It contains rows that were not seen here, or it is no longer tracked.
    unknown: bool,
    hashes: Vec<u64>,
}

impl Changelog {
    /// Stops tracking: nothing is reported from here on.
    pub fn forget(&mut self) {
        *self = Changelog { unknown: true, ..Changelog::default() };
    }

    /// Tracks a batch; returns the first row that is retracted but not present.
    pub fn follow(&mut self, batch: &ChangeBatch) -> Option<usize> {
        if self.unknown {
            return None;
        }
        hash_columns(batch.columns().columns(), batch.physical_rows(), &mut self.hashes);
        for (at, hash) in self.hashes.iter().enumerate() {
            if batch.selection().is_some_and(|selection| !selection.value(at)) {
                continue;
            }
            if batch.kind(at).is_addition() {
                *self.counts.entry(*hash).or_default() += 1;
                continue;
            }
            match self.counts.get_mut(hash) {
                Some(1) => {
                    self.counts.remove(hash);
                }
                Some(count) => *count -= 1,
                None => return Some(at),
            }
        }
        if self.counts.len() > MOST {
            self.forget();
        }
        None
    }
}
