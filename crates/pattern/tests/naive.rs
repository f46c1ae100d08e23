//! The machine compared with a definition: every choice of rows for the stages of a pattern is tried, and
//! kept if what lies between its rows may lie there.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

use std::collections::BTreeSet;

use flott_pattern::{Ask, Automaton, Buffer, Contiguity, Partials, Paths, Skip, Stage, Test, Times};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Case {
    stages: Vec<Stage>,
    within: Option<i64>,
    /// For each stage, the rows that pass its condition.
    rows: Vec<Vec<bool>>,
}

type Match = Vec<(u32, u64)>;

struct Table<'a>(&'a Case);

impl Ask<Buffer> for Table<'_> {
    type Error = ();

    fn ask(&mut self, condition: u32, _: &Buffer, _: &Option<u32>, row: u64) -> Result<bool, ()> {
        Ok(self.0.rows[condition as usize][row as usize])
    }
}

impl Case {
    fn len(&self) -> u64 {
        self.rows[0].len() as u64
    }

    fn least(stage: &Stage) -> u32 {
        match stage.times {
            _ if stage.optional => 0,
            Times::Once => 1,
            Times::Between(from, _) | Times::AtLeast(from) => from,
        }
    }

    fn counts(stage: &Stage, count: u32) -> bool {
        (count == 0 && stage.optional)
            || match stage.times {
                Times::Once => count == 1,
                Times::Between(from, to) => (from..=to).contains(&count),
                Times::AtLeast(from) => count >= from,
            }
    }

    /// All matches that begin with these rows.
    fn extend(&self, rows: &mut Match, found: &mut BTreeSet<Match>) {
        let all: Vec<u32> = rows.iter().map(|(stage, _)| *stage).collect();
        let count = |stage: u32| all.iter().filter(|of| **of == stage).count() as u32;
        let last = rows.last().map_or(0, |(stage, _)| *stage);
        let complete = |from: usize| self.stages[from..].iter().all(|stage| Self::least(stage) == 0);
        if !rows.is_empty()
            && Self::counts(&self.stages[last as usize], count(last))
            && complete(last as usize + 1)
        {
            found.insert(rows.clone());
        }
        let from = rows.last().map(|(_, row)| row + 1);
        for row in from.unwrap_or(0)..self.len() {
            if self
                .within
                .is_some_and(|within| rows.first().is_some_and(|(_, at)| (row - at) as i64 >= within))
            {
                break;
            }
            for stage in last..self.stages.len() as u32 {
                let (of, again) = (&self.stages[stage as usize], stage == last && !rows.is_empty());
                let enough =
                    again || rows.is_empty() || Self::counts(&self.stages[last as usize], count(last));
                let skipped = last + u32::from(!rows.is_empty())..stage;
                let may_skip = skipped.clone().all(|at| self.stages[at as usize].optional);
                let room = match of.times {
                    Times::Once => count(stage) < 1,
                    Times::Between(_, to) => count(stage) < to,
                    Times::AtLeast(_) => true,
                };
                let contiguity = if again { of.inner } else { of.contiguity };
                let mut between = from.unwrap_or(row)..row;
                let may_pass = match contiguity {
                    Contiguity::Strict => between.is_empty(),
                    Contiguity::Relaxed => !between.any(|row| self.rows[stage as usize][row as usize]),
                    _ => true,
                };
                if enough && may_skip && room && may_pass && self.rows[stage as usize][row as usize] {
                    rows.push((stage, row));
                    self.extend(rows, found);
                    rows.pop();
                }
            }
        }
    }

    fn machine(&self) -> BTreeSet<Match> {
        let mut stages = self.stages.clone();
        stages.last_mut().unwrap().within = self.within;
        let automaton = Automaton::new(&stages, Skip::Nothing, false).unwrap();
        let (mut partials, mut buffer, mut found) = (Partials::default(), Buffer::default(), BTreeSet::new());
        for row in 0..self.len() {
            let ended = partials.advance::<_, ()>(&automaton, &mut buffer, row as i64).unwrap();
            ended.timed_out.into_iter().for_each(|(path, _)| buffer.release(path));
            let step = partials.step(&automaton, &mut buffer, (row, row as i64), &mut Table(self));
            for path in step.unwrap() {
                assert!(found.insert(buffer.in_order(&path)), "found twice");
                buffer.release(path);
            }
        }
        found
    }
}

fn stage() -> impl Strategy<Value = Stage> {
    let contiguity = || {
        prop_oneof![Just(Contiguity::Strict), Just(Contiguity::Relaxed), Just(Contiguity::NonDeterministic)]
    };
    let times = prop_oneof![
        Just(Times::Once),
        (1u32..3, 0u32..3).prop_map(|(from, more)| Times::Between(from, from + more)),
        (1u32..3).prop_map(Times::AtLeast),
    ];
    (contiguity(), contiguity(), times, proptest::bool::weighted(0.3)).prop_map(
        |(contiguity, inner, times, optional)| Stage {
            times,
            inner,
            optional,
            ..Stage::new(0, contiguity, Test::Always)
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    (1usize..4, 0usize..7).prop_flat_map(|(stages, rows)| {
        (
            proptest::collection::vec(stage(), stages),
            prop_oneof![Just(None), (1i64..6).prop_map(Some)],
            proptest::collection::vec(proptest::collection::vec(any::<bool>(), rows), stages),
        )
            .prop_map(|(mut stages, within, rows)| {
                for (number, stage) in stages.iter_mut().enumerate() {
                    (stage.number, stage.condition) = (number as u32, Test::Holds(number as u32));
                }
                Case { stages, within, rows }
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn finds_what_the_definition_says(case in case()) {
        let mut found = BTreeSet::new();
        case.extend(&mut Vec::new(), &mut found);
        prop_assert_eq!(case.machine(), found);
    }
}
