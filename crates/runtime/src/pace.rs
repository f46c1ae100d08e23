//! How many rows a task takes at once, in a job in which barriers may overtake: a task handles no message
//! while an operator is at work on a batch, and a batch of a slow one may last for seconds. So it is cut, and
//! the rest waits in the channel that it came from.

use flott_batch::{Batch, ChangeBatch, RowKind};

/// An operator is to come back after about this time.
const LONG_NANOS: u64 = 20_000_000;
/// Cuts are not worth it below this.
const SHORT_NANOS: u64 = 5_000_000;
/// Nothing is known yet.
const AT_FIRST: usize = 64;
/// More is never cut.
const MOST: usize = 1 << 24;

/// See [`self`].
#[derive(Debug)]
pub(crate) struct Pace {
    rows: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { rows: AT_FIRST }
    }
}

impl Pace {
    /// These rows took this long.
    pub(crate) fn took(&mut self, rows: usize, nanos: u64) {
        if nanos > LONG_NANOS {
            let share = (rows as u64).saturating_mul(LONG_NANOS) / nanos;
            self.rows = (share as usize).max(1);
        } else if nanos < SHORT_NANOS && rows >= self.rows {
            self.rows = (self.rows * 4).min(MOST);
        }
    }

    /// What to take of a batch, and the rest.
    pub(crate) fn cut(&self, batch: Batch) -> (Batch, Option<Batch>) {
        match batch {
            Batch::Records(mut records) if records.len() > self.rows => {
                let rest = records.split_off(self.rows);
                (Batch::Records(records), Some(Batch::Records(rest)))
            }
            Batch::Changes(changes) => {
                let (all, at) = (changes.physical_rows(), boundary(&changes, self.rows));
                // What comes through an exchange has no selection.
                if at >= all || changes.selection().is_some() {
                    return (Batch::Changes(changes), None);
                }
                let rest = changes.slice(at, all - at);
                (Batch::Changes(changes.slice(0, at)), Some(Batch::Changes(rest)))
            }
            whole @ Batch::Records(_) => (whole, None),
        }
    }
}

/// The first place from `rows` on that is not between the halves of an update.
fn boundary(changes: &ChangeBatch, rows: usize) -> usize {
    let second_half = |at: &usize| {
        changes.kinds().is_some_and(|kinds| *at < kinds.len() && kinds.get(*at) == RowKind::UpdateAfter)
            && *at > 0
            && changes.kinds().is_some_and(|kinds| kinds.get(*at - 1) == RowKind::UpdateBefore)
    };
    if second_half(&rows) { rows + 1 } else { rows }
}

#[cfg(test)]
mod tests {
    use flott_batch::Records;

    use super::*;

    fn rows(batch: Batch) -> Vec<u32> {
        batch.into_records::<u32>().unwrap().values
    }

    #[test]
    fn a_slow_operator_gets_fewer_rows_and_a_fast_one_all() {
        let mut pace = Pace::default();
        let (first, rest) = pace.cut(Records::new((0..100u32).collect()).into());
        assert_eq!((rows(first).len(), rows(rest.unwrap()).len()), (64, 36));
        pace.took(64, 64_000_000);
        let (first, rest) = pace.cut(Records::new((0..100u32).collect()).into());
        assert_eq!(rows(first), (0..20).collect::<Vec<_>>());
        assert_eq!(rows(rest.unwrap()), (20..100).collect::<Vec<_>>());
        pace.took(20, 2_000_000_000);
        let (first, _) = pace.cut(Records::new((0..100u32).collect()).into());
        assert_eq!(rows(first), [0]);
        for _ in 0..4 {
            let (first, _) = pace.cut(Records::new((0..100u32).collect()).into());
            pace.took(rows(first).len(), 1_000);
        }
        assert!(pace.cut(Records::new((0..100u32).collect()).into()).1.is_none());
    }
}
