//! The enumerator of a source whose splits are known from the start.

use std::collections::VecDeque;

use flott_types::{Error, Result, SubtaskIndex};
use serde::{Deserialize, Serialize};

use crate::{Split, SplitEnumerator};

/// Hands out splits and remembers which are left: of a bounded source one at a time, first come first served; of an unbounded one, whose
/// splits never end, each reader gets its share at once.
#[derive(Debug)]
pub struct FixedSplits {
    pending: VecDeque<Split>,
    /// How many readers have had a share.
    shared: u32,
    end: Option<String>,
}

/// What is in the checkpoint.
#[derive(Serialize, Deserialize)]
struct Snapshot {
    version: u32,
    pending: VecDeque<Split>,
}

const VERSION: u32 = 1;

impl FixedSplits {
    /// The splits that were left, or all of them on a fresh start.
    ///
    /// # Errors
    /// If what was left cannot be read.
    pub fn new(restored: Option<&str>, all: impl FnOnce() -> Result<Vec<Split>>) -> Result<Self> {
        let pending = match restored {
            None => all()?.into(),
            Some(text) => {
                let damaged = || Error::state("the splits that a source had not handed out cannot be read");
                let snapshot: Snapshot =
                    serde_json::from_str(text).map_err(|error| damaged().with_source(error))?;
                if snapshot.version != VERSION {
                    return Err(
                        damaged().context(format!("version {} instead of {VERSION}", snapshot.version))
                    );
                }
                snapshot.pending
            }
        };
        Ok(FixedSplits { pending, shared: 0, end: None })
    }

    /// With the answer to [`SplitEnumerator::end_position`].
    #[must_use]
    pub fn ending_at(mut self, end: String) -> Self {
        self.end = Some(end);
        self
    }
}

impl SplitEnumerator for FixedSplits {
    fn next_splits(&mut self, _: SubtaskIndex) -> Result<Option<Vec<Split>>> {
        Ok(self.pending.pop_front().map(|split| vec![split]))
    }

    fn next_share(&mut self, _: SubtaskIndex, readers: u32, _: bool) -> Result<Option<Vec<Split>>> {
        // Whoever comes when all have had their share gets what is left.
        let without = readers.saturating_sub(self.shared).max(1);
        self.shared += 1;
        let share = self.pending.len().div_ceil(without as usize);
        let splits: Vec<Split> = self.pending.drain(..share).collect();
        Ok((!splits.is_empty()).then_some(splits))
    }

    fn snapshot(&self) -> Result<String> {
        serde_json::to_string(&Snapshot { version: VERSION, pending: self.pending.clone() })
            .map_err(|error| Error::internal("splits cannot be written").with_source(error))
    }

    fn end_position(&self) -> Option<String> {
        self.end.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn splits(count: usize) -> FixedSplits {
        let split = |at: usize| Split { id: at.to_string(), payload: String::new() };
        FixedSplits::new(None, || Ok((0..count).map(split).collect())).unwrap()
    }

    #[test]
    fn splits_without_an_end_are_shared_out() {
        for (count, readers) in [(5, 2), (2, 5), (6, 3), (1, 1)] {
            let mut splits = splits(count);
            let shares: Vec<usize> = (0..readers)
                .map(|reader| {
                    let share = splits.next_share(SubtaskIndex(reader), readers, false).unwrap();
                    share.map_or(0, |splits| splits.len())
                })
                .collect();
            assert_eq!(shares.iter().sum::<usize>(), count, "{shares:?}");
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{shares:?}");
        }
    }

    #[test]
    fn what_nobody_had_asked_for_goes_to_readers_that_have_some() {
        let mut before = splits(4);
        before.next_share(SubtaskIndex(0), 2, false).unwrap();
        let snapshot = before.snapshot().unwrap();
        let mut after = FixedSplits::new(Some(&snapshot), || unreachable!()).unwrap();
        assert_eq!(after.next_share(SubtaskIndex(0), 1, true).unwrap().unwrap().len(), 2);
    }
}
