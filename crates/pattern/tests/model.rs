//! The state machine compared with a model that tries every assignment of rows to variables.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

use flott_pattern::{Conditions, Matcher, Pattern, Run, Skip, StepError, Variable};
use proptest::prelude::*;

/// For each variable, the rows that it takes.
#[derive(Clone, Debug)]
struct Table(Vec<Vec<bool>>);

impl Conditions for Table {
    type Error = ();

    fn holds(&mut self, variable: usize, _: &Run, row: u64) -> Result<bool, ()> {
        Ok(self.0[variable][row as usize])
    }
}

#[derive(Clone, Debug)]
struct Quantifier {
    min: u32,
    max: Option<u32>,
    greedy: bool,
}

impl Quantifier {
    fn holds_back(&self) -> bool {
        self.greedy && Some(self.min) != self.max && (self.min, self.max) != (0, Some(1))
    }
}

#[derive(Clone, Debug)]
struct Case {
    quantifiers: Vec<Quantifier>,
    within: Option<i64>,
    skip: Skip,
    rows: Table,
}

/// A found match, as its first row and how many rows each variable has.
type Found = (usize, Vec<u32>);

/// The outcome of the rows from one start.
#[derive(Default)]
struct FromOneRow {
    matches: Vec<Found>,
    /// Some run is still open after the last row.
    open: bool,
}

impl Case {
    fn len(&self) -> usize {
        self.rows.0[0].len()
    }

    fn takes(&self, variable: usize, row: usize) -> bool {
        self.rows.0[variable][row]
    }

    /// Whether a row may be the first one of `to` when `from` had the row before it (`None` for the start).
    fn may_go(&self, from: Option<usize>, to: usize, row: usize) -> bool {
        let first = from.map_or(0, |from| from + 1);
        (first..to).all(|skipped| self.quantifiers[skipped].min == 0)
            && (first.max(1)..=to)
                .all(|at| !self.quantifiers[at - 1].holds_back() || !self.takes(at - 1, row))
    }

    /// All continuations, depth first, the variables that take most first.
    fn explore(&self, start: usize, row: usize, counts: &[u32], found: &mut FromOneRow) {
        if self.within.is_some_and(|within| row as i64 - start as i64 >= within) {
            return;
        }
        if row == self.len() {
            // Time has only advanced to the last row.
            return;
        }
        let last = counts.iter().rposition(|count| *count > 0);
        for to in last.unwrap_or(0)..self.quantifiers.len() {
            let again = last == Some(to);
            let enough = last.is_none_or(|last| to == last || counts[last] >= self.quantifiers[last].min);
            let room = self.quantifiers[to].max.is_none_or(|max| counts[to] < max);
            if !enough || !room || !self.takes(to, row) || !(again || self.may_go(last, to, row)) {
                continue;
            }
            let mut next = counts.to_vec();
            next[to] += 1;
            let n = self.quantifiers.len();
            let ends = next[to] >= self.quantifiers[to].min
                && (to + 1..n).all(|at| {
                    self.quantifiers[at].min == 0
                        && !(self.quantifiers[at - 1].holds_back() && self.takes(at - 1, row))
                });
            if ends {
                found.matches.push((start, next.clone()));
            }
            let goes_on = to + 1 < n || self.quantifiers[to].max.is_none_or(|max| next[to] < max);
            if goes_on {
                found.open |= row + 1 == self.len();
                self.explore(start, row + 1, &next, found);
            }
        }
    }

    /// Whether these are the matches reported by the last row; `None` where a skip has nowhere to go.
    ///
    /// Of several matches that begin and end with the same rows the machine may choose: which one it takes is
    /// a matter of the order in which Flink tries them, and tested with Flink's results.
    fn allows(&self, told: Option<&[Found]>) -> Result<(), String> {
        let mut told = told.map(|told| told.iter());
        let mut keep_from = 0;
        for start in 0..self.len() {
            if start < keep_from {
                continue;
            }
            let mut found = FromOneRow::default();
            self.explore(start, start, &vec![0; self.quantifiers.len()], &mut found);
            let rows = |counts: &[u32]| counts.iter().sum::<u32>();
            let Some(shortest) = found.matches.iter().map(|(_, counts)| rows(counts)).min() else {
                if found.open {
                    break;
                }
                continue;
            };
            let first: Vec<&Found> =
                found.matches.iter().filter(|(_, counts)| rows(counts) == shortest).collect();
            let Some(told) = &mut told else {
                // The step failed, here or at a later match.
                if first.iter().any(|(_, counts)| self.keep_from(start, counts).is_none()) {
                    return Ok(());
                }
                keep_from =
                    first.iter().filter_map(|(_, counts)| self.keep_from(start, counts)).min().unwrap();
                continue;
            };
            let next = told.next();
            if !next.is_some_and(|next| first.contains(&next)) {
                return Err(format!("one of {first:?} was expected, not {next:?}"));
            }
            keep_from = self.keep_from(start, &next.unwrap().1).ok_or("nowhere to skip to")?;
        }
        match told {
            Some(mut told) => told.next().map_or(Ok(()), |more| Err(format!("{more:?} is one too many"))),
            None => Err("the step failed without a reason".to_owned()),
        }
    }

    /// The first row from which matches survive one.
    fn keep_from(&self, start: usize, counts: &[u32]) -> Option<usize> {
        let before = |variable: usize| counts[..variable].iter().sum::<u32>() as usize;
        let target = |variable: usize, of: usize| (counts[variable] > 0 && of > 0).then_some(start + of);
        match self.skip {
            Skip::Nothing => unreachable!("SQL always skips"),
            Skip::ToNextRow => Some(start + 1),
            Skip::PastLastRow => Some(start + counts.iter().sum::<u32>() as usize),
            Skip::ToFirst(variable) => target(variable, before(variable)),
            Skip::ToLast(variable) => {
                target(variable, (before(variable) + counts[variable] as usize).saturating_sub(1))
            }
        }
    }

    fn machine(&self) -> Option<Vec<Found>> {
        let variables = self.quantifiers.iter().map(|q| Variable::new(q.min, q.max, q.greedy)).collect();
        let pattern = Pattern::new(variables, self.within, self.skip);
        let (mut matcher, mut rows, mut told) = (Matcher::default(), self.rows.clone(), Vec::new());
        for row in 0..self.len() {
            match matcher.step(&pattern, row as i64, &mut rows) {
                Ok(found) => told.extend(found),
                Err(StepError::Condition(())) => unreachable!("conditions do not fail"),
                Err(StepError::NoRowToSkipTo { .. } | StepError::SkipsToFirstRow { .. }) => return None,
            }
            assert!(matcher.first_row() <= matcher.next_row());
        }
        let counts = |run: &Run| (0..self.quantifiers.len()).map(|variable| run.count(variable)).collect();
        Some(told.iter().map(|run| (run.first_row() as usize, counts(run))).collect())
    }
}

fn quantifier() -> impl Strategy<Value = Quantifier> {
    (0u32..3, prop_oneof![Just(None), (0u32..3).prop_map(Some)], any::<bool>())
        .prop_map(|(min, more, greedy)| Quantifier { min, max: more.map(|more| (min + more).max(1)), greedy })
}

fn case() -> impl Strategy<Value = Case> {
    (1usize..5, 0usize..9).prop_flat_map(|(variables, rows)| {
        let skip = prop_oneof![
            Just(Skip::ToNextRow),
            Just(Skip::PastLastRow),
            (0..variables).prop_map(Skip::ToFirst),
            (0..variables).prop_map(Skip::ToLast),
        ];
        (
            proptest::collection::vec(quantifier(), variables),
            prop_oneof![Just(None), (1i64..6).prop_map(Some)],
            skip,
            proptest::collection::vec(proptest::collection::vec(any::<bool>(), rows), variables),
        )
            .prop_map(|(quantifiers, within, skip, rows)| Case {
                quantifiers,
                within,
                skip,
                rows: Table(rows),
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn finds_what_trying_every_way_finds(case in case()) {
        let told = case.machine();
        if let Err(wrong) = case.allows(told.as_deref()) {
            return Err(TestCaseError::fail(format!("{wrong}; {told:?}")));
        }
    }

    #[test]
    fn continues_where_it_was(case in case(), cut in 0usize..9) {
        let variables = case.quantifiers.iter().map(|q| Variable::new(q.min, q.max, q.greedy)).collect();
        let pattern = Pattern::new(variables, case.within, case.skip);
        let (mut whole, mut rows) = (Matcher::default(), case.rows.clone());
        let mut parts = Matcher::default();
        for row in 0..case.len() {
            if row == cut {
                let written = serde_json::to_string(&parts).unwrap();
                parts = serde_json::from_str(&written).unwrap();
            }
            let (a, b) = (
                whole.step(&pattern, row as i64, &mut rows),
                parts.step(&pattern, row as i64, &mut rows),
            );
            prop_assert_eq!(&a, &b);
            if a.is_err() {
                break;
            }
        }
        prop_assert_eq!(whole, parts);
    }
}
