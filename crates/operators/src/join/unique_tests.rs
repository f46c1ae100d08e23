//! Joins of rows that only append or have unique keys, beside a nested loop over the final rows.

use std::collections::BTreeMap;

use flott_plan::{Expr, JoinKind, JoinRows, OperatorSpec};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Harness, column, node, ty};

const KINDS: [JoinKind; 6] =
    [JoinKind::Inner, JoinKind::Left, JoinKind::Right, JoinKind::Full, JoinKind::Semi, JoinKind::Anti];
/// The key of the join, with which the second one is unique, and another.
const ROW: &str = "INT INT INT";

type Row = [Option<i32>; 3];
/// The rows of a side by what tells them apart.
type Side = BTreeMap<Vec<Option<i32>>, Row>;

fn spec(kind: JoinKind, rows: [JoinRows; 2], condition: bool, emit_update_before: bool) -> OperatorSpec {
    let less = || Expr::call("<", vec![column(2, "INT"), column(5, "INT")], ty("BOOLEAN"));
    OperatorSpec::Join {
        kind,
        left_keys: vec![0],
        right_keys: vec![0],
        null_safe: vec![false],
        condition: condition.then(less),
        ttl: 0,
        right_ttl: None,
        bound: None,
        rows,
        emit_update_before,
        first_by: Vec::new(),
    }
}

fn harness(kind: JoinKind, spec: OperatorSpec) -> Harness {
    let both = format!("{ROW} {ROW}");
    let output = if matches!(kind, JoinKind::Semi | JoinKind::Anti) { ROW } else { &both };
    Harness::keyed(node(spec, &[ROW, ROW], output), &[&[0], &[0]])
}

fn text(row: &[Option<i32>]) -> String {
    let value = |value: &Option<i32>| value.map_or("NULL".to_owned(), |value| value.to_string());
    row.iter().map(value).collect::<Vec<_>>().join(" ")
}

fn nested_loop(kind: JoinKind, [left, right]: &[Side; 2], condition: bool) -> String {
    let matches = |l: &Row, r: &Row| {
        let less = || matches!((l[2], r[2]), (Some(l), Some(r)) if l < r);
        l[0].is_some() && l[0] == r[0] && (!condition || less())
    };
    let mut lines = Vec::new();
    for l in left.values() {
        let partners: Vec<&Row> = right.values().filter(|r| matches(l, r)).collect();
        match kind {
            JoinKind::Semi | JoinKind::Anti => {
                if partners.is_empty() == (kind == JoinKind::Anti) {
                    lines.push(format!("{}\n", text(l)));
                }
            }
            _ => {
                lines.extend(partners.iter().map(|r| format!("{} {}\n", text(l), text(*r))));
                if partners.is_empty() && matches!(kind, JoinKind::Left | JoinKind::Full) {
                    lines.push(format!("{} NULL NULL NULL\n", text(l)));
                }
            }
        }
    }
    if matches!(kind, JoinKind::Right | JoinKind::Full) {
        let alone = right.values().filter(|r| !left.values().any(|l| matches(l, r)));
        lines.extend(alone.map(|r| format!("NULL NULL NULL {}\n", text(r))));
    }
    lines.sort();
    lines.concat()
}

/// A changelog of rows that are told apart in one way.
struct Changes {
    rows: JoinRows,
    /// Updates come without their first half.
    upserts: bool,
}

impl Changes {
    fn any(random: &mut SmallRng, upserts: bool) -> Self {
        let rows = match random.random_range(0..3) {
            0 => JoinRows::Appended,
            1 => JoinRows::Unique(vec![0]),
            _ => JoinRows::Unique(vec![0, 1]),
        };
        Changes { rows, upserts }
    }

    fn key(&self, row: &Row) -> Vec<Option<i32>> {
        match &self.rows {
            JoinRows::Unique(columns) => columns.iter().map(|at| row[*at]).collect(),
            JoinRows::Any | JoinRows::Repeated | JoinRows::Appended => row.to_vec(),
        }
    }

    fn next(&self, side: &mut Side, number: i32, random: &mut SmallRng) -> String {
        // The second column is never NULL: that is how rows without a partner are known.
        let second = Some(random.random_range(1..4));
        let mut value = |n: i32| Some(random.random_range(0..n)).filter(|value| *value > 0);
        let row = match self.rows {
            // All different.
            JoinRows::Appended => [value(5), second, Some(number)],
            JoinRows::Any | JoinRows::Repeated | JoinRows::Unique(_) => [value(5), second, value(6)],
        };
        let key = self.key(&row);
        match side.get(&key).copied() {
            Some(old) if random.random_range(0..3) == 0 => {
                side.remove(&key);
                format!("-D {}\n", text(&old))
            }
            Some(old) => {
                side.insert(key, row);
                let before = if self.upserts { String::new() } else { format!("-U {}\n", text(&old)) };
                format!("{before}+U {}\n", text(&row))
            }
            None => {
                side.insert(key, row);
                format!("+I {}\n", text(&row))
            }
        }
    }
}

/// What is left of the changes of a join, if updates come without their first half: the columns that tell rows of
/// the sides apart tell those of the join apart.
#[derive(Default)]
struct Upserted(BTreeMap<Vec<String>, String>);

impl Upserted {
    fn apply(&mut self, output: &str, sides: &[Changes; 2]) {
        for line in output.lines() {
            let (kind, row) = line.split_once(' ').unwrap();
            let values: Vec<String> = row.split(' ').map(str::to_owned).collect();
            let mut key = Vec::new();
            for (side, values) in sides.iter().zip(values.chunks(3)) {
                key.push((values[1] != "NULL").to_string());
                match &side.rows {
                    JoinRows::Unique(columns) => key.extend(columns.iter().map(|at| values[*at].clone())),
                    JoinRows::Any | JoinRows::Repeated | JoinRows::Appended => key.extend(values.to_vec()),
                }
            }
            match kind {
                "+I" | "+U" => _ = self.0.insert(key, row.to_owned()),
                _ => assert!(self.0.remove(&key).is_some(), "{line} retracts what is not there"),
            }
        }
    }

    fn result(&self) -> String {
        let mut rows: Vec<String> = self.0.values().map(|row| format!("{row}\n")).collect();
        rows.sort();
        rows.concat()
    }
}

#[test]
fn rows_that_are_told_apart_by_keys_join_as_a_nested_loop_does() {
    for seed in 0..120u64 {
        let mut random = SmallRng::seed_from_u64(seed);
        let kind = KINDS[seed as usize % 6];
        let (condition, emits_before) = (random.random_range(0..3) == 0, random.random::<bool>());
        let sides = [(); 2].map(|()| {
            let upserts = !emits_before && random.random();
            Changes::any(&mut random, upserts)
        });
        let spec = spec(kind, sides.each_ref().map(|side| side.rows.clone()), condition, emits_before);
        let mut join = harness(kind, spec);
        if !emits_before {
            join = join.upsert();
        }
        let (mut rows, mut upserted) = (<[Side; 2]>::default(), Upserted::default());
        for step in 0..40 {
            let input = random.random_range(0..2);
            let mut batch = String::new();
            for row in 0..random.random_range(1..8) {
                let change = sides[input].next(&mut rows[input], step * 8 + row + 1, &mut random);
                batch += &change;
            }
            let out = join.push_to(input, &batch);
            if random.random_range(0..6) == 0 {
                join.checkpoint(random.random());
                join.restore(random.random_range(1..4));
            }
            let expected = nested_loop(kind, &rows, condition);
            if emits_before {
                assert_eq!(join.result(), expected, "{kind:?}, seed {seed}, after\n{batch}");
            } else {
                upserted.apply(&out, &sides);
                assert_eq!(upserted.result(), expected, "{kind:?}, seed {seed}, after\n{batch}");
            }
        }
    }
}

#[test]
fn an_update_that_changes_no_match_is_one_change() {
    let unique = || JoinRows::Unique(vec![0]);
    let mut join = harness(JoinKind::Left, spec(JoinKind::Left, [unique(), unique()], false, false)).upsert();
    assert_eq!(join.push_to(0, "+I 1 0 10"), "+I 1 0 10 NULL NULL NULL\n");
    assert_eq!(join.push_to(0, "+U 1 0 11"), "+U 1 0 11 NULL NULL NULL\n");
    assert_eq!(join.push_to(1, "+I 1 0 5"), "-D 1 0 11 NULL NULL NULL\n+I 1 0 11 1 0 5\n");
    assert_eq!(join.push_to(1, "+U 1 0 6"), "+U 1 0 11 1 0 6\n");
    assert_eq!(join.push_to(0, "-U 1 0 11\n+U 1 0 12"), "+U 1 0 12 1 0 6\n");
    join.checkpoint(false);
    join.restore(2);
    assert_eq!(join.push_to(0, "+U 1 0 13\n+U 1 0 14"), "+U 1 0 14 1 0 6\n", "the net change of a batch");
    assert_eq!(join.push_to(1, "-D 1 0 6"), "-D 1 0 14 1 0 6\n+I 1 0 14 NULL NULL NULL\n");
    assert_eq!(join.checkpoint(true), 1, "one row for a key, no counts of it");
    let mut semi = harness(JoinKind::Semi, spec(JoinKind::Semi, [unique(), unique()], false, false)).upsert();
    semi.push_to(0, "+I 1 0 10");
    assert_eq!(semi.push_to(1, "+I 1 0 5"), "+I 1 0 10\n");
    assert_eq!(semi.push_to(1, "+U 1 0 6"), "");
    assert_eq!(semi.push_to(0, "+U 1 0 11"), "+U 1 0 11\n");
}

#[test]
fn rows_may_be_nothing_but_their_key() {
    for rows in [JoinRows::Any, JoinRows::Repeated, JoinRows::Appended, JoinRows::Unique(vec![0])] {
        let spec = spec(JoinKind::Inner, [rows.clone(), rows], false, true);
        let mut join = Harness::keyed(node(spec, &["INT", "INT"], "INT INT"), &[&[0], &[0]]);
        assert_eq!(join.push_to(0, "+I 1\n+I 2"), "");
        join.checkpoint(false);
        join.restore(2);
        assert_eq!(join.push_to(1, "+I 2\n+I 3"), "+I 2 2\n");
    }
}

#[test]
fn rows_are_restored_however_they_were_told_apart() {
    for seed in 0..120u64 {
        let mut random = SmallRng::seed_from_u64(seed);
        let kind = KINDS[seed as usize % 6];
        let repeats = random.random::<bool>();
        let any = |random: &mut SmallRng| {
            [(); 2].map(|()| match random.random_range(0..if repeats { 3 } else { 4 }) {
                0 => JoinRows::Any,
                1 => JoinRows::Appended,
                2 => JoinRows::Repeated,
                _ => JoinRows::Unique(vec![0, 1]),
            })
        };
        let mut known = any(&mut random);
        let mut join = harness(kind, spec(kind, known.clone(), false, true));
        let mut rows: [Side; 2] = Default::default();
        for number in 0..60 {
            let input = random.random_range(0..2);
            let key = Some(random.random_range(0..5)).filter(|key| *key > 0);
            // Rows that may be equal are not unique.
            let second = if repeats { 1 } else { number };
            let row = [key, Some(second), Some(random.random_range(0..if repeats { 2 } else { 5 }))];
            let gone = match rows[input].len() {
                len @ 1.. if !known[input].only_appends() && random.random_range(0..3) == 0 => {
                    rows[input].keys().nth(random.random_range(0..len)).cloned()
                }
                _ => None,
            };
            match gone.and_then(|gone| rows[input].remove(&gone)) {
                Some(old) => join.push_to(input, &format!("-D {}", text(&old))),
                None => {
                    rows[input].insert(vec![Some(number)], row);
                    join.push_to(input, &format!("+I {}", text(&row)))
                }
            };
            if random.random_range(0..4) == 0 {
                join.checkpoint(random.random());
                known = any(&mut random);
                join.restore_as(spec(kind, known.clone(), false, true));
                join.checkpoint(false);
                join.restore(random.random_range(1..3));
            }
            assert_eq!(join.result(), nested_loop(kind, &rows, false), "{kind:?}, seed {seed}");
        }
    }
}

#[test]
fn counted_rows_of_before_are_restored_one_by_one_and_back() {
    let any = || [JoinRows::Any, JoinRows::Any];
    let mut join = harness(JoinKind::Inner, spec(JoinKind::Inner, any(), false, true));
    join.push_to(0, "+I 1 2 3\n+I 1 2 3\n+I 1 2 4");
    join.checkpoint(false);
    let appended = [JoinRows::Appended, JoinRows::Appended];
    join.restore_as(spec(JoinKind::Inner, appended, false, true));
    assert_eq!(join.push_to(1, "+I 1 0 0").lines().count(), 3);
    assert_eq!(join.checkpoint(false), 4, "all rows are written as they are now");
    assert!(join.table("left").starts_with("a $arrival b c\n"), "{}", join.table("left"));
    join.restore_as(spec(JoinKind::Inner, any(), false, true));
    assert_eq!(join.push_to(0, "-D 1 2 3"), "-D 1 2 3 1 0 0\n");
    assert_eq!(join.checkpoint(false), 3);
    assert!(join.table("left").starts_with("a b c $count\n"), "{}", join.table("left"));
}

/// How long the rows of the left and of the right live.
fn living(spec: OperatorSpec, left: i64, right: i64) -> OperatorSpec {
    match spec {
        OperatorSpec::Join {
            kind,
            left_keys,
            right_keys,
            null_safe,
            condition,
            bound,
            rows,
            emit_update_before,
            ..
        } => OperatorSpec::Join {
            kind,
            left_keys,
            right_keys,
            null_safe,
            condition,
            ttl: left,
            right_ttl: Some(right),
            bound,
            rows,
            emit_update_before,
            first_by: Vec::new(),
        },
        other => other,
    }
}

#[test]
fn an_update_finds_the_matches_that_have_not_expired() {
    let unique = || [JoinRows::Unique(vec![0]), JoinRows::Unique(vec![0])];
    let of = |kind| harness(kind, living(spec(kind, unique(), false, false), 0, 1000)).upsert();
    let mut semi = of(JoinKind::Semi);
    semi.push_to(0, "+I 1 0 10");
    assert_eq!(semi.push_to(1, "+I 1 0 5"), "+I 1 0 10\n");
    assert_eq!(semi.push_to(0, "+U 1 0 11"), "+U 1 0 11\n");
    semi.advance(5000);
    assert_eq!(semi.push_to(0, "+U 1 0 12"), "-D 1 0 11\n", "it matches nothing any more");
    assert_eq!(semi.push_to(1, "+I 1 0 6"), "+I 1 0 12\n");
    let mut anti = of(JoinKind::Anti);
    assert_eq!(anti.push_to(0, "+I 1 0 10"), "+I 1 0 10\n");
    assert_eq!(anti.push_to(1, "+I 1 0 5"), "-D 1 0 10\n");
    assert_eq!(anti.push_to(0, "+U 1 0 11"), "");
    anti.advance(5000);
    assert_eq!(anti.push_to(0, "+U 1 0 12"), "+I 1 0 12\n", "nothing hides it any more");
    assert_eq!(anti.push_to(0, "-D 1 0 12"), "-D 1 0 12\n");
}

#[test]
fn an_update_keeps_what_it_matches_alive() {
    let unique = || [JoinRows::Unique(vec![0]), JoinRows::Unique(vec![0])];
    for kind in [JoinKind::Semi, JoinKind::Left] {
        let mut join = harness(kind, living(spec(kind, unique(), false, false), 1000, 0)).upsert();
        join.push_to(0, "+I 1 0 10");
        join.push_to(1, "+I 1 0 5");
        for at in 0..5 {
            join.advance(700);
            join.push_to(1, &format!("+U 1 0 {at}"));
        }
        join.advance(700);
        let gone = join.push_to(1, "-D 1 0 4");
        assert!(gone.starts_with("-D 1 0 10"), "{kind:?}: {gone:?}");
    }
}

/// Rows that are told apart by a key live as long as those that are compared as a whole.
#[test]
fn rows_with_unique_keys_expire_as_counted_ones_do() {
    for seed in 0..120u64 {
        let mut random = SmallRng::seed_from_u64(seed);
        let kind = KINDS[seed as usize % 6];
        let condition = random.random_range(0..3) == 0;
        let sides = [(); 2].map(|()| {
            let key = if random.random() { vec![0] } else { vec![0, 1] };
            Changes { rows: JoinRows::Unique(key), upserts: false }
        });
        let mut lives = || if random.random_range(0..3) == 0 { 0 } else { 1000 };
        let (left, right) = (lives(), lives());
        let of = |rows| harness(kind, living(spec(kind, rows, condition, true), left, right));
        let mut unique = of(sides.each_ref().map(|side| side.rows.clone()));
        let mut counted = of([JoinRows::Any, JoinRows::Any]);
        let mut rows = <[Side; 2]>::default();
        for step in 0..60 {
            let input = random.random_range(0..2);
            let change = sides[input].next(&mut rows[input], step, &mut random);
            let changes = [unique.push_to(input, &change), counted.push_to(input, &change)];
            let now = format!("{kind:?}, seed {seed}, step {step}, after\n{change}{changes:?}");
            assert_eq!(unique.result(), counted.result(), "{now}");
            let millis = random.random_range(0..500);
            unique.advance(millis);
            counted.advance(millis);
            if random.random_range(0..6) == 0 {
                for join in [&mut unique, &mut counted] {
                    join.checkpoint(false);
                    join.restore(2);
                }
            }
        }
    }
}

#[test]
fn rows_that_are_not_unique_are_not_restored_as_unique_ones() {
    let unique = || [JoinRows::Unique(vec![0, 1]), JoinRows::Any];
    for rows in [JoinRows::Any, JoinRows::Appended, JoinRows::Unique(vec![0, 2])] {
        let before = || spec(JoinKind::Left, [rows.clone(), JoinRows::Any], false, true);
        for (second, fails) in [("+I 1 2 4", true), ("+I 1 3 4", false)] {
            let mut join = harness(JoinKind::Left, before());
            join.push_to(0, &format!("+I 1 2 3\n{second}"));
            join.checkpoint(false);
            let restored = join.try_restore_as(spec(JoinKind::Left, unique(), false, true));
            let said = restored.as_ref().err().map(ToString::to_string).unwrap_or_default();
            assert_eq!(restored.is_err(), fails, "{rows:?} {said}");
            assert!(!fails || said.contains("several rows of an input have the same unique key"), "{said}");
        }
        // Equal rows, counted or one by one.
        if !matches!(rows, JoinRows::Unique(_)) {
            let mut join = harness(JoinKind::Left, before());
            join.push_to(0, "+I 1 2 3\n+I 1 2 3");
            join.checkpoint(false);
            assert!(join.try_restore_as(spec(JoinKind::Left, unique(), false, true)).is_err());
        }
    }
}
