//! Several runs read as one.

use std::sync::Arc;

use flott_types::Result;

use super::run::{Run, Scan};

/// A key, its value (none if it is deleted), and the epoch of its run.
pub(super) type StoredEntry<'a> = (&'a [u8], Option<&'a [u8]>, u64);

/// The newest entry of each key of several runs, in order of the keys. Deletions are entries.
pub(crate) struct Merged {
    /// The newest first.
    scans: Vec<Scan>,
    current: Option<usize>,
}

impl Merged {
    /// `runs` are the oldest first. Begins at the first key that is not less than `from`.
    pub fn new(runs: &[Arc<Run>], from: &[u8]) -> Result<Self> {
        let scans = runs.iter().rev().map(|run| Scan::from(run.clone(), from)).collect::<Result<_>>()?;
        let mut merged = Merged { scans, current: None };
        merged.find();
        Ok(merged)
    }

    /// Few runs are merged at a time: a search among all of them is as quick as a heap.
    fn find(&mut self) {
        let mut least: Option<(usize, &[u8])> = None;
        for (at, scan) in self.scans.iter().enumerate() {
            if let Some(key) = scan.key()
                && least.is_none_or(|(_, other)| key < other)
            {
                least = Some((at, key));
            }
        }
        self.current = least.map(|(at, _)| at);
    }

    /// The current entry, and the epoch of its run; `None` at the end.
    pub fn entry(&self) -> Option<StoredEntry<'_>> {
        let scan = self.scans.get(self.current?)?;
        Some((scan.key()?, scan.value(), scan.run().epoch()))
    }

    pub fn advance(&mut self) -> Result<()> {
        let Some(current) = self.current else { return Ok(()) };
        // Those of older runs are shadowed.
        let (upper, older) = self.scans.split_at_mut(current + 1);
        if let Some(newest) = upper.last_mut() {
            for scan in older {
                if scan.key().is_some() && scan.key() == newest.key() {
                    scan.advance()?;
                }
            }
            newest.advance()?;
        }
        self.find();
        Ok(())
    }
}
