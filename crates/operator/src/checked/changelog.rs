//! The current content of a changelog.

use flott_batch::ChangeBatch;
use flott_batch::hash::hash_columns;
use flott_types::FastMap;

/// With more different rows than this a changelog is followed no longer: what checks must not take the memory
/// of what is checked.
const MOST: usize = 1 << 20;

/// How often each row is there. Rows are kept as hashes: two that collide hide a fault, and never make one.
#[derive(Default)]
pub(super) struct Changelog {
    counts: FastMap<u64, u32>,
    /// Rows are in it that were not seen here, or it is not to be followed.
    unknown: bool,
    hashes: Vec<u64>,
}

impl Changelog {
    /// From here on nothing is found.
    pub fn forget(&mut self) {
        *self = Changelog { unknown: true, ..Changelog::default() };
    }

    /// Follows a batch; answers the first row that is retracted and not there.
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
