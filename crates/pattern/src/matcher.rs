//! The machine for SQL's patterns, whose rows follow each other.

use serde::{Deserialize, Serialize};

use crate::automaton::{Action, Automaton};
use crate::engine::{Ask, Partial, Partials, StepError};
use crate::heap::Heap;
use crate::pattern::Pattern;
use crate::run::{Run, Runs};

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

struct OfRuns<'a, C>(&'a mut C);

impl<C: Conditions> Ask<Runs<'_>> for OfRuns<'_, C> {
    type Error = C::Error;

    fn ask(&mut self, condition: u32, _: &Runs<'_>, path: &Run, row: u64) -> Result<bool, C::Error> {
        self.0.holds(condition as usize, path, row)
    }
}

/// The runs over one sequence of rows. Rows are numbered from 0.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Matcher {
    /// The number of the next row.
    next: u64,
    partials: Partials<Run>,
    /// The states of runs are not known yet: they were read from a snapshot.
    read: bool,
    /// The pattern has groups or choices.
    nested: bool,
}

/// How a matcher is written. If variables come one after the other, a run's state follows from its counts, so
/// a snapshot does not depend on how patterns are compiled.
#[derive(Serialize, Deserialize)]
struct Written {
    next: u64,
    /// Open runs as they are tried; one without rows is the place where runs begin.
    runs: Vec<Run>,
    /// Their states, if they do not follow from their rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    states: Vec<u32>,
    /// Matches that wait for runs that began before them.
    waiting: Vec<Run>,
}

/// The state of a run that was read.
const UNKNOWN: u32 = u32::MAX;

impl From<Matcher> for Written {
    fn from(matcher: Matcher) -> Self {
        let Matcher { next, partials, nested, .. } = matcher;
        let states = if nested { partials.open.iter().map(|open| open.state).collect() } else { Vec::new() };
        let runs = |heap: Heap<Partial<Run>>| {
            let run = |partial: Partial<Run>| match partial.first {
                Some(_) => partial.path,
                None => Run::before(0, 0),
            };
            heap.into_stored().into_iter().map(run).collect()
        };
        Written { next, runs: runs(partials.open), states, waiting: runs(partials.completed) }
    }
}

impl From<Written> for Matcher {
    fn from(written: Written) -> Self {
        let Written { next, mut runs, states, waiting } = written;
        if !runs.is_empty() && runs.iter().all(|run| !run.taken().is_empty()) {
            // Earlier versions did not write where runs begin.
            runs.push(Run::before(0, 0));
        }
        let partial = |run: Run| Partial {
            state: UNKNOWN,
            first: (!run.taken().is_empty()).then_some(run.first_row()),
            first_time: run.first_time(),
            last_time: run.first_time(),
            path: run,
        };
        let mut partials = Partials {
            open: Heap::from_stored(runs.into_iter().map(partial).collect()),
            completed: Heap::from_stored(waiting.into_iter().map(partial).collect()),
        };
        let nested = !states.is_empty();
        if nested {
            let known = partials.open.into_stored().into_iter().zip(states);
            let known = known.map(|(partial, state)| Partial { state, ..partial });
            partials.open = Heap::from_stored(known.collect());
        }
        Matcher { next, read: !nested && !partials.is_idle(), partials, nested }
    }
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
        let mut told = self.advance(pattern, time)?;
        let row = self.next;
        self.next += 1;
        self.nested = pattern.is_nested();
        if let Some(automaton) = pattern.automaton() {
            let found = self.partials.step(
                automaton,
                &mut Runs(pattern.stages()),
                (row, time),
                &mut OfRuns(conditions),
            )?;
            told.extend(found);
        }
        Ok(told)
    }

    /// Advances time without a row. Returns the matches that no longer wait for a run.
    ///
    /// # Errors
    /// If AFTER MATCH SKIP has nowhere to go.
    pub fn advance<E>(&mut self, pattern: &Pattern, time: i64) -> Result<Vec<Run>, StepError<E>> {
        let Some(automaton) = pattern.automaton().filter(|_| !self.is_idle()) else { return Ok(Vec::new()) };
        if std::mem::take(&mut self.read) {
            self.find_states(automaton);
        }
        Ok(self.partials.advance(automaton, &mut Runs(pattern.stages()), time)?.matches)
    }

    /// The first row that is still needed; the number of the next one if none is.
    pub fn first_row(&self) -> u64 {
        self.partials.first_row().unwrap_or(self.next)
    }

    /// The number of the next row.
    pub fn next_row(&self) -> u64 {
        self.next
    }

    /// Nothing is open: the matcher is equivalent to a new one.
    pub fn is_idle(&self) -> bool {
        self.partials.is_idle()
    }

    /// When the oldest open run expires.
    pub fn deadline(&self, pattern: &Pattern) -> Option<i64> {
        let automaton = pattern.automaton()?;
        let oldest = self.partials.open.peek().filter(|partial| partial.first.is_some())?;
        Some(oldest.first_time.saturating_add(automaton.within?))
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        let Partials { open, completed } = &self.partials;
        let runs = open.iter().chain(completed.iter());
        size_of::<Self>()
            + runs.map(|partial| size_of::<Partial<Run>>() + partial.path.memory()).sum::<usize>()
    }

    /// Finds the states of runs that were read by going through their rows again.
    fn find_states(&mut self, automaton: &Automaton) {
        let Partials { open, completed } = std::mem::take(&mut self.partials);
        let found = |heap: Heap<Partial<Run>>| {
            let partials = heap.into_stored().into_iter();
            let known =
                partials.map(|partial| Partial { state: state_of(automaton, &partial.path), ..partial });
            Heap::from_stored(known.collect())
        };
        self.partials = Partials { open: found(open), completed: found(completed) };
    }
}

/// Where a run with these rows is.
fn state_of(automaton: &Automaton, run: &Run) -> u32 {
    let mut state = automaton.start;
    for (variable, count) in run.taken() {
        for _ in 0..*count {
            state = after(automaton, state, *variable).unwrap_or(state);
        }
    }
    state
}

/// The state after a row of a variable: strict stages have one at most.
fn after(automaton: &Automaton, from: u32, variable: u32) -> Option<u32> {
    let state = automaton.state(from);
    let take = state.edges.iter().find(|edge| edge.action == Action::Take && state.stage == variable);
    take.map(|edge| edge.target).or_else(|| {
        let mut on = state.edges.iter().filter(|edge| edge.action == Action::Proceed);
        on.find_map(|edge| after(automaton, edge.target, variable))
    })
}
