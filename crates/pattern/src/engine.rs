//! The machine: partial matches over one sequence of rows, and what a row or the time makes of them.
//!
//! It is that of Flink's CEP library, itself after "Efficient Pattern Matching over Event Streams" (Agrawal
//! et al., 2008): every partial match is in a state of the automaton and follows every edge that the next row
//! passes, so it goes on in several ways, or in none. Rows are kept by [`Paths`].
//!
//! Cost of a row: for each partial match the conditions of its state's edges, each asked once. A row on which
//! no match begins allocates nothing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::automaton::{Action, Automaton, Kind, Test};
use crate::heap::{Heap, Ordered};
use crate::paths::Paths;
use crate::skip::Skip;

/// What rows may be.
pub trait Ask<S: Paths> {
    /// What can go wrong.
    type Error;

    /// Whether a condition holds for a row, after the rows that a partial match has so far.
    ///
    /// # Errors
    /// If that cannot be computed; the step fails with this error.
    fn ask(&mut self, condition: u32, paths: &S, path: &S::Path, row: u64) -> Result<bool, Self::Error>;
}

/// Why a step failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StepError<E> {
    /// The caller could not compute a condition.
    Condition(E),
    /// A match has no row of the variable that is to be skipped to.
    NoRowToSkipTo {
        /// The variable.
        variable: usize,
    },
    /// The first row of a match is to be skipped to, which would be found again forever.
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

/// Where a partial match is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Partial<P> {
    pub state: u32,
    /// Its first row; `None` for the place where matches begin.
    pub first: Option<u64>,
    pub first_time: i64,
    pub last_time: i64,
    pub path: P,
}

impl<P> Ordered for Partial<P> {
    fn key(&self) -> u64 {
        self.first.unwrap_or(u64::MAX)
    }
}

/// What has come to an end because of the time.
pub struct Ended<P> {
    /// Matches that no longer wait for others, or that have waited long enough.
    pub matches: Vec<P>,
    /// Partial matches whose time was over, and when it was.
    pub timed_out: Vec<(P, i64)>,
}

/// The partial matches over one sequence of rows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Partials<P> {
    /// Empty if there is nothing but the place where matches begin.
    pub(crate) open: Heap<Partial<P>>,
    /// Matches that wait for partial ones that began before them.
    pub(crate) completed: Heap<Partial<P>>,
}

impl<P> Default for Partials<P> {
    fn default() -> Self {
        Partials { open: Heap::default(), completed: Heap::default() }
    }
}

impl<P: Clone> Partials<P> {
    /// Takes the next row and returns the matches that it completes; their paths are the caller's to release.
    /// Numbers and times of rows never decrease.
    ///
    /// # Errors
    /// If a condition cannot be computed, or there is nowhere to skip to.
    pub fn step<S: Paths<Path = P>, A: Ask<S>>(
        &mut self,
        automaton: &Automaton,
        paths: &mut S,
        (row, time): (u64, i64),
        ask: &mut A,
    ) -> Result<Vec<P>, StepError<A::Error>> {
        let mut step =
            Step { automaton, paths, row, time, ask, kept: Vec::new(), stopped: false, found: Vec::new() };
        let mut next = Heap::default();
        if self.open.is_empty() {
            step.begin()?;
            if step.kept.is_empty() && step.found.is_empty() && self.completed.is_empty() {
                return Ok(Vec::new());
            }
            step.settle(true, &mut next);
        }
        for partial in std::mem::take(&mut self.open).into_stored() {
            let begins = partial.first.is_none();
            if begins { step.begin() } else { step.follow(partial) }?;
            step.settle(begins, &mut next);
        }
        let mut found = Heap::default();
        step.found.drain(..).for_each(|partial| found.push(partial));
        found.into_stored().into_iter().for_each(|partial| self.completed.push(partial));
        self.open = next;
        self.tell(automaton, paths)
    }

    /// Lets time pass without a row. Call it before each row with the row's time.
    ///
    /// # Errors
    /// If there is nowhere to skip to.
    pub fn advance<S: Paths<Path = P>, E>(
        &mut self,
        automaton: &Automaton,
        paths: &mut S,
        time: i64,
    ) -> Result<Ended<P>, StepError<E>> {
        let (mut open, mut due, mut timed_out) = (Heap::default(), Heap::default(), Vec::new());
        let over = |from: i64, length: Option<i64>| {
            length
                .filter(|length| time.saturating_sub(from) >= *length)
                .map(|length| from.saturating_add(length))
        };
        let any = |partial: &Partial<P>| {
            partial.first?;
            over(partial.last_time, automaton.state(partial.state).gap)
                .or_else(|| over(partial.first_time, automaton.within))
        };
        if automaton.has_deadlines() && self.open.iter().any(|partial| any(partial).is_some()) {
            for partial in std::mem::take(&mut self.open).into_stored() {
                match any(&partial) {
                    None => open.push(partial),
                    Some(_) if automaton.state(partial.state).kind == Kind::Pending => due.push(partial),
                    Some(at) => timed_out.push((partial.path, at)),
                }
            }
            self.open = open;
            due.into_stored().into_iter().for_each(|partial| self.completed.push(partial));
        }
        Ok(Ended { matches: self.tell(automaton, paths)?, timed_out })
    }

    /// Takes out the matches that no earlier partial match holds back, and ends what they skip.
    fn tell<S: Paths<Path = P>, E>(
        &mut self,
        automaton: &Automaton,
        paths: &mut S,
    ) -> Result<Vec<P>, StepError<E>> {
        let mut told = Vec::new();
        while let Some(first) = self.completed.peek().map(Ordered::key) {
            let held = self.open.peek().is_some_and(|partial| partial.key() < first);
            if held && automaton.skip != Skip::Nothing {
                break;
            }
            let Some(found) = self.completed.pop() else { break };
            if let Some(from) = keep_from(automaton, paths, &found.path)? {
                let skipped = |partial: &Partial<P>| partial.key() < from;
                for partial in self.open.remove(skipped).into_iter().chain(self.completed.remove(skipped)) {
                    paths.release(partial.path);
                }
            }
            told.push(found.path);
        }
        if self.open.len() == 1 && self.open.peek().is_some_and(|partial| partial.first.is_none()) {
            self.open.clear();
        }
        Ok(told)
    }

    /// Nothing is open.
    pub fn is_idle(&self) -> bool {
        self.open.is_empty() && self.completed.is_empty()
    }

    /// When the next partial match runs out of time.
    pub fn deadline(&self, automaton: &Automaton) -> Option<i64> {
        let of = |partial: &Partial<P>| {
            partial.first?;
            let whole = automaton.within.map(|within| partial.first_time.saturating_add(within));
            let gap = automaton.state(partial.state).gap.map(|gap| partial.last_time.saturating_add(gap));
            whole.into_iter().chain(gap).min()
        };
        match automaton.has_gaps {
            true => self.open.iter().filter_map(of).min(),
            // The oldest is on top.
            false => self.open.peek().and_then(of),
        }
    }

    /// The first row that a partial match or a waiting match has.
    pub(crate) fn first_row(&self) -> Option<u64> {
        let first = |heap: &Heap<Partial<P>>| heap.peek().and_then(|partial| partial.first);
        [first(&self.open), first(&self.completed)].into_iter().flatten().min()
    }

    /// The bytes of memory that it holds, paths apart.
    pub fn memory(&self) -> usize {
        (self.open.capacity() + self.completed.capacity()) * size_of::<Partial<P>>()
    }
}

/// The first row from which partial matches survive a match; `None` if it ends none.
fn keep_from<S: Paths, E>(
    automaton: &Automaton,
    paths: &S,
    path: &S::Path,
) -> Result<Option<u64>, StepError<E>> {
    let Some((first, end)) = paths.bounds(path) else { return Ok(None) };
    let (variable, last) = match automaton.skip {
        Skip::Nothing => return Ok(None),
        Skip::ToNextRow => return Ok(Some(first + 1)),
        Skip::PastLastRow => return Ok(Some(end)),
        Skip::ToFirst(variable) => (variable, false),
        Skip::ToLast(variable) => (variable, true),
    };
    match paths.row_of(path, variable as u32, last) {
        None if automaton.misses_fail => Err(StepError::NoRowToSkipTo { variable }),
        Some(row) if automaton.misses_fail && row == first => Err(StepError::SkipsToFirstRow { variable }),
        row => Ok(row),
    }
}

/// One row, tried on each partial match.
struct Step<'a, S: Paths, A> {
    automaton: &'a Automaton,
    paths: &'a mut S,
    row: u64,
    time: i64,
    ask: &'a mut A,
    /// How the current partial match goes on.
    kept: Vec<Partial<S::Path>>,
    /// The current partial match has met what must not come.
    stopped: bool,
    found: Vec<Partial<S::Path>>,
}

/// Answers about the first 64 conditions: which are known, and what they are.
#[derive(Default)]
struct Answers {
    known: u64,
    holds: u64,
}

impl<S: Paths, A: Ask<S>> Step<'_, S, A> {
    /// Where matches begin.
    fn beginning(&mut self) -> Partial<S::Path> {
        let path = self.paths.start(self.row, self.time);
        let state = self.automaton.start;
        Partial { state, first: None, first_time: self.time, last_time: self.time, path }
    }

    /// The matches that begin with the row.
    fn begin(&mut self) -> Result<(), StepError<A::Error>> {
        let beginning = self.beginning();
        self.follow(beginning)
    }

    /// Moves what the last partial match has become to the others; where matches begin, the next one may.
    fn settle(&mut self, begins: bool, next: &mut Heap<Partial<S::Path>>) {
        self.kept.drain(..).for_each(|partial| next.push(partial));
        if begins && !self.stopped {
            next.push(self.beginning());
        }
    }

    /// All continuations of a partial match with the row.
    fn follow(&mut self, partial: Partial<S::Path>) -> Result<(), StepError<A::Error>> {
        let begins = partial.first.is_none();
        let (automaton, mut answers) = (self.automaton, Answers::default());
        let mut states = Stack::of(partial.state);
        self.stopped = false;
        while let Some(current) = states.pop() {
            let state = automaton.state(current);
            for edge in &state.edges {
                if !self.passes(&edge.test, &partial.path, &mut answers)? {
                    continue;
                }
                match edge.action {
                    Action::Proceed => states.push(edge.target),
                    Action::Ignore if begins => {}
                    Action::Ignore => {
                        let path = self.paths.share(&partial.path);
                        self.arrive(edge.target, Partial { path, ..partial });
                    }
                    Action::Take => {
                        let path = self.paths.take(&partial.path, state.stage, self.row);
                        let longer = |path| Partial {
                            path,
                            first: partial.first.or(Some(self.row)),
                            last_time: self.time,
                            ..partial
                        };
                        let longer = longer(path);
                        if let Some(end) = self.end_after(edge.target, &partial.path, &mut answers)? {
                            let path = self.paths.share(&longer.path);
                            self.arrive(end, Partial { path, ..longer });
                        }
                        self.arrive(edge.target, longer);
                    }
                }
            }
        }
        self.paths.release(partial.path);
        if self.stopped {
            self.kept.drain(..).for_each(|partial| self.paths.release(partial.path));
        }
        Ok(())
    }

    fn arrive(&mut self, state: u32, partial: Partial<S::Path>) {
        match self.automaton.state(state).kind {
            Kind::Final => self.found.push(Partial { state, ..partial }),
            Kind::Stop => {
                self.stopped = true;
                self.paths.release(partial.path);
            }
            Kind::Normal | Kind::Pending => self.kept.push(Partial { state, ..partial }),
        }
    }

    /// The end, if what follows a state may be missing.
    fn end_after(
        &mut self,
        state: u32,
        path: &S::Path,
        answers: &mut Answers,
    ) -> Result<Option<u32>, StepError<A::Error>> {
        let (automaton, mut states) = (self.automaton, Stack::of(state));
        while let Some(current) = states.pop() {
            let proceeding = automaton.state(current).edges.iter();
            for edge in proceeding.filter(|edge| edge.action == Action::Proceed) {
                if !self.passes(&edge.test, path, answers)? {
                    continue;
                }
                if automaton.state(edge.target).kind == Kind::Final {
                    return Ok(Some(edge.target));
                }
                states.push(edge.target);
            }
        }
        Ok(None)
    }

    fn passes(
        &mut self,
        test: &Test,
        path: &S::Path,
        answers: &mut Answers,
    ) -> Result<bool, StepError<A::Error>> {
        let condition = match test {
            Test::Always => return Ok(true),
            Test::Not(test) => return Ok(!self.passes(test, path, answers)?),
            Test::Both(one, other) => {
                return Ok(self.passes(one, path, answers)? && self.passes(other, path, answers)?);
            }
            Test::Holds(condition) => *condition,
        };
        let bit = 1u64.checked_shl(condition).unwrap_or(0);
        if answers.known & bit != 0 {
            return Ok(answers.holds & bit != 0);
        }
        let holds = self.ask.ask(condition, self.paths, path, self.row).map_err(StepError::Condition)?;
        answers.known |= bit;
        answers.holds |= if holds { bit } else { 0 };
        Ok(holds)
    }
}

/// States to be looked at, the last one first; few, mostly, and so not on the heap.
struct Stack {
    near: [u32; 8],
    len: usize,
    rest: Vec<u32>,
}

impl Stack {
    fn of(state: u32) -> Self {
        Stack { near: [state; 8], len: 1, rest: Vec::new() }
    }

    fn push(&mut self, state: u32) {
        match self.near.get_mut(self.len) {
            Some(place) => {
                *place = state;
                self.len += 1;
            }
            None => self.rest.push(state),
        }
    }

    fn pop(&mut self) -> Option<u32> {
        self.rest.pop().or_else(|| {
            self.len = self.len.checked_sub(1)?;
            self.near.get(self.len).copied()
        })
    }
}
