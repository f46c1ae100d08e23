//! A partial match.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::paths::Paths;

/// Consecutive rows, assigned to the variables of a pattern in order: a partial or a complete match.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Run {
    first_row: u64,
    first_time: i64,
    /// How many rows each variable has, up to the last one that has any.
    counts: Vec<u32>,
}

impl Run {
    /// A run without rows, which would begin with this one.
    pub(crate) fn before(row: u64, time: i64) -> Self {
        Run { first_row: row, first_time: time, counts: Vec::new() }
    }

    /// The run with one more row, of this variable or a later one than its last.
    pub(crate) fn with(&self, variable: usize) -> Self {
        let mut counts = Vec::with_capacity(variable + 1);
        counts.extend_from_slice(&self.counts);
        counts.resize(variable + 1, 0);
        counts[variable] += 1;
        Run { counts, ..*self }
    }

    /// How many rows each variable has, up to the last one that has any.
    pub(crate) fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// How many rows a variable has.
    pub fn count(&self, variable: usize) -> u32 {
        self.counts.get(variable).copied().unwrap_or_default()
    }

    /// Its first row.
    pub fn first_row(&self) -> u64 {
        self.first_row
    }

    /// The time of its first row.
    pub fn first_time(&self) -> i64 {
        self.first_time
    }

    /// Its rows.
    pub fn rows(&self) -> Range<u64> {
        let all: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        self.first_row..self.first_row + all
    }

    /// The rows of a variable.
    pub fn rows_of(&self, variable: usize) -> Range<u64> {
        let before: u64 = self.counts.iter().take(variable).map(|count| u64::from(*count)).sum();
        let start = self.first_row + before;
        start..start + u64::from(self.count(variable))
    }

    /// The bytes of memory that it holds.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + self.counts.capacity() * size_of::<u32>()
    }
}

/// Runs keep their own rows: nothing is shared.
pub(crate) struct Runs;

impl Paths for Runs {
    type Path = Run;

    fn start(&mut self, row: u64, time: i64) -> Run {
        Run::before(row, time)
    }

    fn take(&mut self, path: &Run, stage: u32, _: u64) -> Run {
        path.with(stage as usize)
    }

    fn share(&mut self, path: &Run) -> Run {
        path.clone()
    }

    fn release(&mut self, _: Run) {}

    fn row_of(&self, path: &Run, stage: u32, last: bool) -> Option<u64> {
        let mut rows = path.rows_of(stage as usize);
        if last { rows.next_back() } else { rows.next() }
    }

    fn bounds(&self, path: &Run) -> Option<(u64, u64)> {
        Some((path.rows().start, path.rows().end))
    }
}
