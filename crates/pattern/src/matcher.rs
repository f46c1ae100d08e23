//! The machine.
//!
//! Cost of a row: for each open run one condition for each variable that the row might be, mostly one or two.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::pattern::{Pattern, Skip};
use crate::run::Run;

/// What rows may be.
pub trait Conditions {
    /// What can go wrong.
    type Error;

    /// Whether a row may be this variable after the rows that the run has so far. Called only for the row
    /// that would come next in the run.
    ///
    /// # Errors
    /// If that cannot be computed; the step fails with this error.
    fn holds(&mut self, variable: usize, run: &Run, row: u64) -> Result<bool, Self::Error>;
}

/// Why a step failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StepError<E> {
    /// The caller could not compute a condition.
    Condition(E),
    /// A match has no row of the variable that AFTER MATCH SKIP names.
    NoRowToSkipTo {
        /// The variable.
        variable: usize,
    },
    /// AFTER MATCH SKIP names the first row of a match, which would be found again forever.
    SkipsToFirstRow {
        /// The variable.
        variable: usize,
    },
}

impl<E: fmt::Display> fmt::Display for StepError<E> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StepError::Condition(error) => error.fmt(out),
            StepError::NoRowToSkipTo { variable } => {
                write!(out, "a match has no row of variable {variable} to skip to")
            }
            StepError::SkipsToFirstRow { variable } => {
                write!(
                    out,
                    "variable {variable} begins with the first row of the match, to which nothing can skip"
                )
            }
        }
    }
}

/// The runs over one sequence of rows. Rows are numbered from 0.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Matcher {
    /// The number of the next row.
    next: u64,
    /// Open runs, in the order of their first rows.
    runs: Vec<Run>,
    /// Matches that wait for runs that began before them, in the order of their first rows.
    waiting: Vec<Run>,
}

impl Matcher {
    /// Takes the next row and returns the matches that it completes. Times never decrease from row to row.
    ///
    /// # Errors
    /// If a condition cannot be computed, or AFTER MATCH SKIP has nowhere to go.
    pub fn step<C: Conditions>(
        &mut self,
        pattern: &Pattern,
        time: i64,
        conditions: &mut C,
    ) -> Result<Vec<Run>, StepError<C::Error>> {
        let row = self.next;
        self.next += 1;
        self.expire(pattern, time);
        let mut step = Step { pattern, row, conditions, open: Vec::new(), matches: Vec::new() };
        for run in self.runs.drain(..) {
            step.extend(&run)?;
        }
        step.extend(&Run::before(row, time))?;
        let Step { open, matches, .. } = step;
        self.runs = open;
        self.waiting.extend(matches);
        self.waiting.sort_by_key(Run::first_row);
        self.tell(pattern)
    }

    /// Advances time without a row. Returns the matches that no longer wait for a run.
    ///
    /// # Errors
    /// If AFTER MATCH SKIP has nowhere to go.
    pub fn advance<E>(&mut self, pattern: &Pattern, time: i64) -> Result<Vec<Run>, StepError<E>> {
        self.expire(pattern, time);
        self.tell(pattern)
    }

    /// The first row that is still needed; the number of the next one if none is.
    pub fn first_row(&self) -> u64 {
        let first = |runs: &[Run]| runs.first().map_or(self.next, Run::first_row);
        first(&self.runs).min(first(&self.waiting))
    }

    /// The number of the next row.
    pub fn next_row(&self) -> u64 {
        self.next
    }

    /// Nothing is open: the matcher is equivalent to a new one.
    pub fn is_idle(&self) -> bool {
        self.runs.is_empty() && self.waiting.is_empty()
    }

    /// When the oldest open run expires.
    pub fn deadline(&self, pattern: &Pattern) -> Option<i64> {
        Some(self.runs.first()?.first_time().saturating_add(pattern.within?))
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        let runs = self.runs.iter().chain(&self.waiting);
        size_of::<Self>() + runs.map(Run::memory).sum::<usize>()
    }

    fn expire(&mut self, pattern: &Pattern, time: i64) {
        if let Some(within) = pattern.within {
            self.runs.retain(|run| time.saturating_sub(run.first_time()) < within);
        }
    }

    /// Takes out the matches that no earlier run holds back, and ends what they skip.
    fn tell<E>(&mut self, pattern: &Pattern) -> Result<Vec<Run>, StepError<E>> {
        let mut told = Vec::new();
        while let Some(first) = self.waiting.first().map(Run::first_row) {
            if self.runs.first().is_some_and(|run| run.first_row() < first) {
                break;
            }
            let found = self.waiting.remove(0);
            let keep_from = keep_from(&found, pattern.skip)?;
            self.runs.retain(|run| run.first_row() >= keep_from);
            self.waiting.retain(|run| run.first_row() >= keep_from);
            told.push(found);
        }
        Ok(told)
    }
}

/// The first row from which runs survive a match.
fn keep_from<E>(found: &Run, skip: Skip) -> Result<u64, StepError<E>> {
    let (variable, row) = match skip {
        Skip::ToNextRow => return Ok(found.first_row() + 1),
        Skip::PastLastRow => return Ok(found.rows().end),
        Skip::ToFirst(variable) => (variable, found.rows_of(variable).next()),
        Skip::ToLast(variable) => (variable, found.rows_of(variable).next_back()),
    };
    match row {
        None => Err(StepError::NoRowToSkipTo { variable }),
        Some(row) if row == found.first_row() => Err(StepError::SkipsToFirstRow { variable }),
        Some(row) => Ok(row),
    }
}

/// One row, tried on each run.
struct Step<'a, C> {
    pattern: &'a Pattern,
    row: u64,
    conditions: &'a mut C,
    open: Vec<Run>,
    matches: Vec<Run>,
}

impl<C: Conditions> Step<'_, C> {
    fn holds(&mut self, variable: usize, run: &Run) -> Result<bool, StepError<C::Error>> {
        self.conditions.holds(variable, run, self.row).map_err(StepError::Condition)
    }

    /// All continuations of a run with the row.
    fn extend(&mut self, run: &Run) -> Result<(), StepError<C::Error>> {
        let mut variable = run.variable();
        while let Some(quantifier) = self.pattern.variables.get(variable) {
            let count = run.count(variable);
            if self.held_back(variable, count, run)? {
                return Ok(());
            }
            if quantifier.takes_more(count) && self.holds(variable, run)? {
                self.take(run, variable)?;
            }
            if count < quantifier.min {
                return Ok(());
            }
            variable += 1;
        }
        Ok(())
    }

    /// Whether a greedy variable before this one, which has no row yet, would take the row.
    fn held_back(&mut self, variable: usize, count: u32, run: &Run) -> Result<bool, StepError<C::Error>> {
        let before = variable.checked_sub(1).filter(|_| count == 0);
        match before {
            Some(before) if self.pattern.variables[before].holds_back() => self.holds(before, run),
            _ => Ok(false),
        }
    }

    fn take(&mut self, run: &Run, variable: usize) -> Result<(), StepError<C::Error>> {
        let longer = run.with(variable);
        if self.completes(run, &longer, variable)? {
            self.matches.push(longer.clone());
        }
        let last = variable + 1 == self.pattern.len();
        if !last || self.pattern.variables[variable].takes_more(longer.count(variable)) {
            self.open.push(longer);
        }
        Ok(())
    }

    /// Whether a run that has taken the row may end with it.
    fn completes(
        &mut self,
        run: &Run,
        longer: &Run,
        mut variable: usize,
    ) -> Result<bool, StepError<C::Error>> {
        while let Some(quantifier) = self.pattern.variables.get(variable) {
            let count = longer.count(variable);
            if count < quantifier.min || self.held_back(variable, count, run)? {
                return Ok(false);
            }
            variable += 1;
        }
        Ok(true)
    }
}
