//! Results of Flink's own pattern engine: random patterns and rows, with the matches that Flink 2.3 found, in
//! its order, and what timed out.
//!
//! Each line of `flink.jsonl` is one case. Its rows are times with letters; a condition asks for a letter,
//! and some also that a stage has fewer than so many rows yet. For each row, the lists are what came out when
//! time had come to it and when it was processed; the last row only lets time pass. The stages of a match have the
//! numbers of their rows.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test must not meet ends it")]

use std::collections::BTreeMap;

use flott_pattern::{Ask, Automaton, Buffer, Contiguity, Partials, Skip, Stage, Test, Times};
use serde::Deserialize;
use serde_json::Value;

/// What comes out with a row: matches, and what has timed out, and when.
type Out = (Vec<Value>, Vec<(Value, i64)>);

#[derive(Deserialize, Debug)]
struct Case {
    stages: Vec<StageText>,
    skip: String,
    rows: Vec<(i64, Option<String>)>,
    out: Vec<Out>,
}

#[derive(Deserialize, Debug)]
struct StageText {
    name: String,
    contiguity: String,
    condition: Option<ConditionText>,
    at_least: Option<u32>,
    times: Option<(u32, u32)>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    greedy: bool,
    inner: Option<String>,
    until: Option<ConditionText>,
    within: Option<i64>,
    gap: Option<i64>,
    group: Option<Vec<StageText>>,
}

#[derive(Deserialize, Debug, Clone)]
struct ConditionText {
    letter: String,
    stage: Option<String>,
    below: Option<usize>,
}

#[derive(Default)]
struct Names {
    stages: Vec<String>,
    conditions: Vec<ConditionText>,
}

impl Names {
    fn test(&mut self, condition: &ConditionText) -> Test {
        self.conditions.push(condition.clone());
        Test::Holds(self.conditions.len() as u32 - 1)
    }

    fn stage(&mut self, text: &StageText) -> Stage {
        let contiguity = |text: &str| match text {
            "strict" => Contiguity::Strict,
            "relaxed" => Contiguity::Relaxed,
            "any" => Contiguity::NonDeterministic,
            "not_next" => Contiguity::NotNext,
            "not_followed_by" => Contiguity::NotFollowedBy,
            other => panic!("{other}"),
        };
        self.stages.push(text.name.clone());
        let number = self.stages.len() as u32 - 1;
        let condition = text.condition.as_ref().map_or(Test::Always, |condition| self.test(condition));
        let stage = Stage::new(number, contiguity(&text.contiguity), condition);
        Stage {
            times: match (text.at_least, text.times) {
                (Some(from), _) => Times::AtLeast(from),
                (None, Some((from, to))) => Times::Between(from, to),
                (None, None) => Times::Once,
            },
            optional: text.optional,
            greedy: text.greedy,
            inner: text.inner.as_deref().map_or(Contiguity::Relaxed, contiguity),
            until: text.until.as_ref().map(|until| self.test(until)),
            within: text.within,
            gap: text.gap,
            group: text.group.as_ref().map(|stages| stages.iter().map(|stage| self.stage(stage)).collect()),
            ..stage
        }
    }

    /// As the golden results have it.
    fn text(&self, buffer: &Buffer, path: &Option<u32>) -> Value {
        let mut rows: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for (stage, row) in buffer.in_order(path) {
            rows.entry(&self.stages[stage as usize]).or_default().push(row);
        }
        serde_json::to_value(rows).unwrap()
    }
}

struct Letters<'a> {
    names: &'a Names,
    letters: &'a str,
}

impl Ask<Buffer> for Letters<'_> {
    type Error = ();

    fn ask(&mut self, condition: u32, paths: &Buffer, path: &Option<u32>, _: u64) -> Result<bool, ()> {
        let ConditionText { letter, stage, below } = &self.names.conditions[condition as usize];
        let few = stage.as_ref().is_none_or(|stage| {
            let rows = paths.backwards(path).filter(|(of, _)| self.names.stages[*of as usize] == *stage);
            rows.count() < below.unwrap()
        });
        Ok(self.letters.contains(letter) && few)
    }
}

/// What comes out, row by row. With `cut`, the state is written and read before that row.
fn run(case: &Case, cut: Option<usize>) -> Vec<Out> {
    let mut names = Names::default();
    let stages: Vec<Stage> = case.stages.iter().map(|stage| names.stage(stage)).collect();
    let named = |name: &str| names.stages.iter().position(|stage| stage == name).unwrap();
    let skip = match case.skip.split_once(' ').unwrap_or((&case.skip, "")) {
        ("none", _) => Skip::Nothing,
        ("next", _) => Skip::ToNextRow,
        ("past", _) => Skip::PastLastRow,
        ("first", name) => Skip::ToFirst(named(name)),
        ("last", name) => Skip::ToLast(named(name)),
        other => panic!("{other:?}"),
    };
    let automaton = Automaton::new(&stages, skip, false).unwrap();
    let (mut partials, mut buffer) = (Partials::default(), Buffer::default());
    let mut out = Vec::new();
    for (row, (time, letters)) in case.rows.iter().enumerate() {
        if cut == Some(row) {
            let written = serde_json::to_string(&(&partials, &buffer)).unwrap();
            (partials, buffer) = serde_json::from_str(&written).unwrap();
        }
        let ended = partials.advance::<_, ()>(&automaton, &mut buffer, *time).unwrap();
        let mut matches = ended.matches;
        if let Some(letters) = letters {
            let mut letters = Letters { names: &names, letters };
            let found = partials.step(&automaton, &mut buffer, (row as u64, *time), &mut letters).unwrap();
            matches.extend(found);
        }
        let timed_out = ended.timed_out.iter().map(|(path, at)| (names.text(&buffer, path), *at));
        out.push((matches.iter().map(|path| names.text(&buffer, path)).collect(), timed_out.collect()));
        for path in matches.into_iter().chain(ended.timed_out.into_iter().map(|(path, _)| path)) {
            flott_pattern::Paths::release(&mut buffer, path);
        }
    }
    if partials.is_idle() {
        assert!(buffer.is_empty(), "rows are kept without a partial match: {case:?}");
    }
    out
}

#[test]
fn finds_what_flink_finds() {
    let mut wrong = 0;
    let text = include_str!("flink.jsonl");
    for (line, text) in text.lines().enumerate() {
        let case: Case = serde_json::from_str(text).unwrap();
        for cut in [None, Some(line % case.rows.len())] {
            let out = run(&case, cut);
            if out != case.out {
                wrong += 1;
                if wrong <= 5 {
                    println!(
                        "line {} (cut {cut:?}): {text}\nours  {out:?}\nflink {:?}\n",
                        line + 1,
                        case.out
                    );
                }
            }
        }
    }
    assert_eq!(wrong, 0, "of {} cases", 2 * text.lines().count());
}
