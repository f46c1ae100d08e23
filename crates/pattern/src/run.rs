//! A partial match whose rows follow each other.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::paths::Paths;

/// Consecutive rows and the variables that took them: a partial or a complete match.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Run {
    first_row: u64,
    first_time: i64,
    /// The variables in the order in which they took rows, each with how many.
    taken: Vec<(u32, u32)>,
}

/// How a run is written. Variables that come in the order of their numbers are written as counts, as they
/// always were.
#[derive(Serialize, Deserialize)]
struct Written {
    first_row: u64,
    first_time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    counts: Option<Vec<u32>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    taken: Vec<(u32, u32)>,
}

impl From<Run> for Written {
    fn from(run: Run) -> Self {
        let Run { first_row, first_time, taken } = run;
        if !taken.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            return Written { first_row, first_time, counts: None, taken };
        }
        let mut counts = vec![0; taken.last().map_or(0, |(variable, _)| *variable as usize + 1)];
        taken.iter().for_each(|(variable, count)| counts[*variable as usize] = *count);
        Written { first_row, first_time, counts: Some(counts), taken: Vec::new() }
    }
}

impl From<Written> for Run {
    fn from(written: Written) -> Self {
        let Written { first_row, first_time, counts, mut taken } = written;
        for (variable, count) in (0..).zip(counts.into_iter().flatten()).filter(|(_, count)| *count > 0) {
            taken.push((variable, count));
        }
        Run { first_row, first_time, taken }
    }
}

impl Run {
    /// A run without rows, which would begin with this one.
    pub(crate) fn before(row: u64, time: i64) -> Self {
        Run { first_row: row, first_time: time, taken: Vec::new() }
    }

    /// The run with one more row, of this variable.
    pub(crate) fn with(&self, variable: u32) -> Self {
        let mut taken = Vec::with_capacity(self.taken.len() + 1);
        taken.extend_from_slice(&self.taken);
        match taken.last_mut().filter(|(last, _)| *last == variable) {
            Some((_, count)) => *count += 1,
            None => taken.push((variable, 1)),
        }
        Run { taken, ..*self }
    }

    /// The variables in the order in which they took rows, each with how many.
    pub(crate) fn taken(&self) -> &[(u32, u32)] {
        &self.taken
    }

    /// How many rows a variable has.
    pub fn count(&self, variable: usize) -> u32 {
        self.taken.iter().filter(|(of, _)| *of as usize == variable).map(|(_, count)| count).sum()
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
        let all: u64 = self.taken.iter().map(|(_, count)| u64::from(*count)).sum();
        self.first_row..self.first_row + all
    }

    /// The variable of its last row.
    pub fn last_variable(&self) -> Option<usize> {
        self.taken.last().map(|(variable, _)| *variable as usize)
    }

    /// Its rows with their variables, in order: those that follow each other and have the same variable at
    /// once.
    pub fn spans(&self) -> impl Iterator<Item = (usize, Range<u64>)> {
        self.taken.iter().scan(self.first_row, |next, (variable, count)| {
            let start = *next;
            *next += u64::from(*count);
            Some((*variable as usize, start..*next))
        })
    }

    /// The same from the end.
    pub fn spans_back(&self) -> impl Iterator<Item = (usize, Range<u64>)> {
        self.taken.iter().rev().scan(self.rows().end, |end, (variable, count)| {
            let start = *end - u64::from(*count);
            Some((*variable as usize, start..std::mem::replace(end, start)))
        })
    }

    /// The bytes of memory that it holds.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + self.taken.capacity() * size_of::<(u32, u32)>()
    }
}

/// Runs keep their own rows: nothing is shared. It knows the variable of each stage.
pub(crate) struct Runs<'a>(pub &'a [u32]);

impl Paths for Runs<'_> {
    type Path = Run;

    fn start(&mut self, row: u64, time: i64) -> Run {
        Run::before(row, time)
    }

    fn take(&mut self, path: &Run, stage: u32, _: u64) -> Run {
        path.with(self.0.get(stage as usize).copied().unwrap_or(stage))
    }

    fn share(&mut self, path: &Run) -> Run {
        path.clone()
    }

    fn release(&mut self, _: Run) {}

    fn row_of(&self, path: &Run, variable: u32, last: bool) -> Option<u64> {
        match last {
            false => path.spans().find(|(of, _)| *of == variable as usize).map(|(_, rows)| rows.start),
            true => path.spans_back().find(|(of, _)| *of == variable as usize).map(|(_, rows)| rows.end - 1),
        }
    }

    fn bounds(&self, path: &Run) -> Option<(u64, u64)> {
        Some((path.rows().start, path.rows().end))
    }
}
