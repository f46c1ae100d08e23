use std::collections::BTreeMap;

use expect_test::expect;
use flott_plan::{Expr, JoinKind, OperatorSpec};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Harness, column, node, ty};

const KINDS: [JoinKind; 6] =
    [JoinKind::Inner, JoinKind::Left, JoinKind::Right, JoinKind::Full, JoinKind::Semi, JoinKind::Anti];

fn spec(kind: JoinKind, keys: usize, null_safe: bool, condition: Option<Expr>, ttl: i64) -> OperatorSpec {
    OperatorSpec::Join {
        kind,
        left_keys: (0..keys).collect(),
        right_keys: (0..keys).collect(),
        null_safe: vec![null_safe; keys],
        condition,
        ttl,
        right_ttl: None,
        bound: None,
        rows: Default::default(),
        emit_update_before: true,
        first_by: Vec::new(),
    }
}

fn build(kind: JoinKind, spec: OperatorSpec, keys: &[usize]) -> Harness {
    let output = if matches!(kind, JoinKind::Semi | JoinKind::Anti) { "INT INT" } else { "INT INT INT INT" };
    Harness::keyed(node(spec, &["INT INT", "INT INT"], output), &[keys, keys])
}

fn join(kind: JoinKind) -> Harness {
    build(kind, spec(kind, 1, false, None, 0), &[0])
}

/// The left value is less than the right one.
fn less() -> Expr {
    Expr::call("<", vec![column(1, "INT"), column(3, "INT")], ty("BOOLEAN"))
}

#[test]
fn an_inner_join_finds_partners_on_both_sides() {
    let mut join = join(JoinKind::Inner);
    assert_eq!(join.push_to(0, "+I 1 10\n+I 2 20\n+I NULL 0"), "");
    assert_eq!(join.push_to(1, "+I 1 5\n+I NULL 0\n+I 1 5"), "+I 1 10 1 5\n+I 1 10 1 5\n");
    assert_eq!(join.push_to(0, "-U 1 10\n+U 1 11"), "-D 1 10 1 5\n-D 1 10 1 5\n+I 1 11 1 5\n+I 1 11 1 5\n");
    assert_eq!(join.push_to(1, "-D 1 5\n-D 1 5\n-D 1 5"), "-D 1 11 1 5\n-D 1 11 1 5\n");
    assert_eq!(join.push_to(0, "-D 7 7"), "", "a retraction of a missing row is ignored");
}

#[test]
fn an_outer_join_retracts_the_padded_row_first() {
    let mut join = join(JoinKind::Left);
    assert_eq!(join.push_to(0, "+I 1 10\n+I NULL 0"), "+I NULL 0 NULL NULL\n+I 1 10 NULL NULL\n");
    expect![[r#"
        -D 1 10 NULL NULL
        +I 1 10 1 5
        +I 1 10 1 6
    "#]]
    .assert_eq(&join.push_to(1, "+I 1 5\n+I 1 6"));
    assert_eq!(join.push_to(1, "-D 1 6"), "-D 1 10 1 6\n");
    assert_eq!(join.push_to(1, "-D 1 5"), "-D 1 10 1 5\n+I 1 10 NULL NULL\n");
    assert_eq!(join.push_to(0, "-D 1 10\n-D NULL 0"), "-D NULL 0 NULL NULL\n-D 1 10 NULL NULL\n");
}

#[test]
fn an_update_of_the_only_partner_pads_nothing() {
    let mut left = join(JoinKind::Left);
    left.push_to(0, "+I 1 10");
    left.push_to(1, "+I 1 5");
    assert_eq!(left.push_to(1, "-U 1 5\n+U 1 6"), "-D 1 10 1 5\n+I 1 10 1 6\n");
    assert_eq!(left.push_to(1, "-U 1 6\n+U 2 6"), "-D 1 10 1 6\n+I 1 10 NULL NULL\n");
    for kind in [JoinKind::Semi, JoinKind::Anti] {
        let mut join = join(kind);
        join.push_to(0, "+I 1 10");
        join.push_to(1, "+I 1 5");
        assert_eq!(join.push_to(1, "-U 1 5\n+U 1 6"), "");
    }
}

#[test]
fn a_row_with_null_in_it_equals_no_other() {
    let pair = flott_batch::pretty::row([flott_types::TypeKind::Int, flott_types::TypeKind::Int]).nullable();
    let spec = spec(JoinKind::Inner, 1, false, None, 0);
    let mut node = node(spec, &["INT INT", "INT INT"], "INT INT INT INT");
    for schema in node.inputs.iter_mut().chain([&mut node.node.schema]) {
        schema.columns.iter_mut().step_by(2).for_each(|column| column.ty = pair.clone());
    }
    let mut join = Harness::keyed(node, &[&[0], &[0]]);
    join.push_to(0, "+I (1,2) 1\n+I (1,NULL) 2\n+I NULL 3");
    assert_eq!(join.push_to(1, "+I (1,2) 4\n+I (1,NULL) 5\n+I NULL 6"), "+I (1,2) 1 (1,2) 4\n");
}

#[test]
fn semi_and_anti_joins_are_opposites() {
    let (mut semi, mut anti) = (join(JoinKind::Semi), join(JoinKind::Anti));
    let rows = "+I 1 10\n+I 1 10\n+I NULL 0";
    assert_eq!(semi.push_to(0, rows), "");
    assert_eq!(anti.push_to(0, rows), "+I NULL 0\n+I 1 10\n+I 1 10\n");
    assert_eq!(semi.push_to(1, "+I 1 1\n+I 1 2"), "+I 1 10\n+I 1 10\n");
    assert_eq!(anti.push_to(1, "+I 1 1\n+I 1 2"), "-D 1 10\n-D 1 10\n");
    assert_eq!(semi.push_to(0, "-D 1 10"), "-D 1 10\n");
    assert_eq!(anti.push_to(0, "-D 1 10"), "");
    assert_eq!(semi.push_to(1, "-D 1 1\n-D 1 2"), "-D 1 10\n");
    assert_eq!(anti.push_to(1, "-D 1 1\n-D 1 2"), "+I 1 10\n");
}

#[test]
fn null_equals_null_if_the_key_says_so() {
    let spec = spec(JoinKind::Inner, 1, true, None, 0);
    let mut join = build(JoinKind::Inner, spec, &[0]);
    join.push_to(0, "+I NULL 1");
    assert_eq!(join.push_to(1, "+I NULL 2"), "+I NULL 1 NULL 2\n");
}

#[test]
fn a_large_fan_out_is_emitted_in_pieces() {
    let spec = spec(JoinKind::Left, 0, true, None, 0);
    let mut join = build(JoinKind::Left, spec, &[]);
    let rows: Vec<String> = (0..3000).map(|row| format!("+I {row} 0")).collect();
    join.push_to(1, &rows.join("\n"));
    let out = join.push_to(0, "+I 1 1\n+I 2 2\n+I 3 3");
    assert_eq!(out.lines().count(), 9000);
    assert!(join.last().physical_rows() < 4096);
    join.push_to(1, &rows.join("\n").replace("+I", "-D"));
    assert_eq!(join.result(), "1 1 NULL NULL\n2 2 NULL NULL\n3 3 NULL NULL\n");
}

#[test]
fn rows_that_are_unused_for_long_are_forgotten() {
    let mut join = build(JoinKind::Inner, spec(JoinKind::Inner, 1, false, None, 1000), &[0]);
    join.push_to(0, "+I 1 10");
    join.advance(500);
    assert_eq!(join.push_to(1, "+I 1 5"), "+I 1 10 1 5\n");
    join.advance(700);
    assert_eq!(join.push_to(1, "+I 1 6"), "");
    assert_eq!(join.push_to(0, "+I 1 11"), "+I 1 11 1 5\n+I 1 11 1 6\n");
    join.advance(10_000);
    let rows: Vec<String> = (10..26).map(|row| format!("+I {row} 0")).collect();
    join.push_to(0, &rows.join("\n"));
    join.push_to(0, &rows.join("\n"));
    join.checkpoint(false);
    assert_eq!(join.tables(), ["left"]);
    assert_eq!(join.table("left").lines().count(), 17);
}

#[test]
fn a_snapshot_holds_only_what_changed() {
    let mut join = join(JoinKind::Left);
    join.push_to(0, "+I 1 10\n+I 2 20");
    join.push_to(1, "+I 1 1");
    assert_eq!(join.checkpoint(false), 3);
    assert_eq!(join.checkpoint(false), 0);
    join.push_to(1, "+I 2 2\n+I 3 3\n-D 3 3");
    assert_eq!(join.checkpoint(false), 2, "the right row, and the left row's number of matches");
    expect![[r#"
        a b $count $matches
        1 10 1 1
        2 20 1 1
    "#]]
    .assert_eq(&join.table("left"));
}

type Row = (Option<i32>, Option<i32>);

fn text(value: Option<i32>) -> String {
    value.map_or("NULL".to_owned(), |value| value.to_string())
}

/// A nested loop over the final rows.
fn model(kind: JoinKind, sides: &[Vec<Row>; 2], matches: impl Fn(&Row, &Row) -> bool) -> String {
    let [left, right] = sides;
    let mut lines = Vec::new();
    let show = |row: &Row| format!("{} {}", text(row.0), text(row.1));
    for l in left {
        let partners: Vec<_> = right.iter().filter(|r| matches(l, r)).collect();
        match kind {
            JoinKind::Semi if !partners.is_empty() => lines.push(format!("{}\n", show(l))),
            JoinKind::Anti if partners.is_empty() => lines.push(format!("{}\n", show(l))),
            JoinKind::Semi | JoinKind::Anti => (),
            _ => {
                lines.extend(partners.iter().map(|r| format!("{} {}\n", show(l), show(r))));
                if partners.is_empty() && matches!(kind, JoinKind::Left | JoinKind::Full) {
                    lines.push(format!("{} NULL NULL\n", show(l)));
                }
            }
        }
    }
    if matches!(kind, JoinKind::Right | JoinKind::Full) {
        let unmatched = right.iter().filter(|r| !left.iter().any(|l| matches(l, r)));
        lines.extend(unmatched.map(|r| format!("NULL NULL {}\n", show(r))));
    }
    lines.sort();
    lines.concat()
}

#[test]
fn any_changelogs_join_as_a_nested_loop_does() {
    for seed in 0..72u64 {
        let mut random = SmallRng::seed_from_u64(seed);
        let kind = KINDS[seed as usize % 6];
        let keys = usize::from(random.random_range(0..4) > 0);
        let (null_safe, condition) = (random.random(), random.random::<bool>());
        let key_columns: &[usize] = if keys == 1 { &[0] } else { &[] };
        let spec = spec(kind, keys, null_safe, condition.then(less), 0);
        let mut harness = build(kind, spec, key_columns);
        let mut sides: [Vec<Row>; 2] = Default::default();
        for _ in 0..30 {
            let input = random.random_range(0..2);
            let mut batch = String::new();
            for _ in 0..random.random_range(1..8) {
                let side = &mut sides[input];
                if !side.is_empty() && random.random_range(0..5) < 2 {
                    let gone = side.swap_remove(random.random_range(0..side.len()));
                    let update = random.random::<bool>();
                    batch +=
                        &format!("{} {} {}\n", if update { "-U" } else { "-D" }, text(gone.0), text(gone.1));
                    if !update {
                        continue;
                    }
                    let new = (gone.0, Some(random.random_range(0..4)));
                    side.push(new);
                    batch += &format!("+U {} {}\n", text(new.0), text(new.1));
                } else {
                    let mut value = |n: i32| Some(random.random_range(0..n)).filter(|value| *value > 0);
                    let row = (value(4), value(5));
                    side.push(row);
                    batch += &format!("+I {} {}\n", text(row.0), text(row.1));
                }
            }
            harness.push_to(input, &batch);
            if random.random_range(0..6) == 0 {
                harness.checkpoint(random.random());
                harness.restore(random.random_range(1..4));
            }
            let matches = |l: &Row, r: &Row| {
                let keyed = keys == 0 || (l.0 == r.0 && (null_safe || l.0.is_some()));
                keyed && (!condition || matches!((l.1, r.1), (Some(l), Some(r)) if l < r))
            };
            assert_eq!(sorted(&harness.result()), model(kind, &sides, matches), "{kind:?}, seed {seed}");
        }
        for (input, side) in sides.iter().enumerate() {
            let rest: Vec<_> = side.iter().map(|row| format!("-D {} {}", text(row.0), text(row.1))).collect();
            harness.push_to(input, &rest.join("\n"));
        }
        assert_eq!(harness.result(), "");
        harness.checkpoint(false);
        assert_eq!(harness.tables(), [""; 0], "state is left");
    }
}

#[test]
fn a_batch_join_keeps_no_rows_when_the_other_input_has_ended() {
    for kind in KINDS {
        let mut join = join(kind).batch();
        join.push_to(1, "+I 1 5\n+I 2 6\n+I 2 7");
        join.end(1);
        join.push_to(0, "+I 1 10\n+I 2 20\n+I 3 30\n+I 3 31");
        join.push_to(0, "-U 2 20\n+U 2 21\n-D 3 31");
        join.checkpoint(true);
        assert_eq!(join.tables(), ["right"], "{kind:?}");
        let left = vec![(Some(1), Some(10)), (Some(2), Some(21)), (Some(3), Some(30))];
        let right = vec![(Some(1), Some(5)), (Some(2), Some(6)), (Some(2), Some(7))];
        assert_eq!(sorted(&join.result()), model(kind, &[left, right], |l, r| l.0 == r.0), "{kind:?}");

        // Rows that were let through are gone: rows that would match them cannot be joined.
        join.restore(2);
        let error = join.try_push(1, "+I 3 9").unwrap_err().to_string();
        assert!(error.contains("start it again"), "{error}");
    }
}

#[test]
fn a_join_of_a_stream_keeps_rows_when_the_other_input_has_ended() {
    let mut join = join(JoinKind::Inner);
    join.push_to(1, "+I 1 5");
    join.end(1);
    assert_eq!(join.push_to(0, "+I 1 10"), "+I 1 10 1 5\n");
    join.checkpoint(true);
    join.restore(1);
    assert_eq!(join.push_to(1, "+I 1 6"), "+I 1 10 1 6\n");
}

fn sorted(rows: &str) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    rows.lines().for_each(|line| *counts.entry(format!("{line}\n")).or_default() += 1);
    counts.into_iter().flat_map(|(line, count)| std::iter::repeat_n(line, count)).collect()
}
