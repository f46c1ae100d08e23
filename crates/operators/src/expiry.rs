//! Tests that the state TTL of every operator that has it in Flink drops all expired state and nothing else.

use std::collections::BTreeMap;

use flott_plan::{AggregateCall, AggregatePhase, JoinKind, OperatorSpec, SortKey};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Harness, call, node};

/// The time to live in milliseconds.
const TTL: i64 = 1_600;
/// The granularity of stamps.
const GRAIN: i64 = TTL / 16;

fn group(calls: Vec<AggregateCall>, input_updates: bool, ttl: i64) -> OperatorSpec {
    OperatorSpec::GroupAggregate {
        keys: vec![0],
        aggregates: calls,
        phase: AggregatePhase::Single,
        input_updates,
        emit_update_before: true,
        ttl,
    }
}

fn top(order: Vec<SortKey>, to: u64, input_updates: bool, ttl: i64) -> OperatorSpec {
    let partition = vec![0];
    OperatorSpec::TopN {
        partition,
        order,
        from: 1,
        to: Some(to),
        output_rank: false,
        input_updates,
        ttl,
        window_end: None,
        emit_update_before: true,
    }
}

fn by(column: usize, descending: bool) -> Vec<SortKey> {
    vec![SortKey { column, descending, nulls_first: false }]
}

fn over(
    time_column: Option<usize>,
    rows: bool,
    preceding: Option<i64>,
    calls: Vec<AggregateCall>,
    ttl: i64,
) -> OperatorSpec {
    OperatorSpec::OverAggregate { partition: vec![0], time_column, preceding, rows, aggregates: calls, ttl }
}

fn join(kind: JoinKind, ttl: i64) -> OperatorSpec {
    let (keys, null_safe) = (vec![0], vec![false]);
    OperatorSpec::Join {
        kind,
        left_keys: keys.clone(),
        right_keys: keys,
        null_safe,
        condition: None,
        ttl,
        right_ttl: None,
        bound: None,
        rows: Default::default(),
        emit_update_before: true,
        first_by: Vec::new(),
    }
}

fn sum() -> AggregateCall {
    call("SUM", &[(1, "INT")], "INT")
}

/// An operator over rows of two integers, the first of which is the key, with and without a time to live.
struct Case {
    name: &'static str,
    spec: Box<dyn Fn(i64) -> OperatorSpec>,
    inputs: usize,
    output: &'static str,
}

impl Case {
    fn harness(&self, ttl: i64) -> Harness {
        let inputs = vec!["INT INT"; self.inputs];
        let keys: Vec<&[usize]> = vec![&[0]; self.inputs];
        Harness::keyed(node((self.spec)(ttl), &inputs, self.output), &keys)
    }
}

fn case(
    name: &'static str,
    inputs: usize,
    output: &'static str,
    spec: impl Fn(i64) -> OperatorSpec + 'static,
) -> Case {
    Case { name, spec: Box::new(spec), inputs, output }
}

/// Operators in which each row counts as a use of its key, and nothing else does.
fn keyed() -> Vec<Case> {
    let lag = || call("LAG", &[(1, "INT")], "INT");
    vec![
        case("group", 1, "INT INT", |ttl| group(vec![sum()], false, ttl)),
        case("group, retracting", 1, "INT INT INT", |ttl| {
            group(
                vec![call("MAX", &[(1, "INT")], "INT"), call("SUM DISTINCT", &[(1, "INT")], "INT")],
                true,
                ttl,
            )
        }),
        case("group, distinct", 1, "INT BIGINT INT", |ttl| {
            group(vec![call("COUNT DISTINCT", &[(1, "INT")], "BIGINT"), sum()], false, ttl)
        }),
        case("normalize", 1, "INT INT", |ttl| OperatorSpec::ChangelogNormalize {
            keys: vec![0],
            ttl,
            emit_update_before: true,
        }),
        case("last row", 1, "INT INT", |ttl| top(by(1, true), 1, false, ttl)),
        case("over", 1, "INT INT INT", |ttl| over(None, true, None, vec![sum()], ttl)),
        case("over, bounded", 1, "INT INT INT", |ttl| over(None, true, Some(2), vec![sum()], ttl)),
        case("row number", 1, "INT INT BIGINT", |ttl| {
            over(None, true, None, vec![call("ROW_NUMBER", &[], "BIGINT")], ttl)
        }),
        case("lag", 1, "INT INT INT", move |ttl| over(None, true, None, vec![lag()], ttl)),
    ]
}

fn all() -> Vec<Case> {
    let mut cases = keyed();
    cases.push(case("first row", 1, "INT INT", |ttl| top(by(1, false), 1, false, ttl)));
    cases.push(case("top 3", 1, "INT INT", |ttl| top(by(1, true), 3, false, ttl)));
    cases.push(case("top 3, retracting", 1, "INT INT", |ttl| top(by(1, true), 3, true, ttl)));
    cases.push(case("limit", 1, "INT INT", |ttl| top(Vec::new(), 3, false, ttl)));
    for kind in
        [JoinKind::Inner, JoinKind::Left, JoinKind::Right, JoinKind::Full, JoinKind::Semi, JoinKind::Anti]
    {
        let half = matches!(kind, JoinKind::Semi | JoinKind::Anti);
        let output = if half { "INT INT" } else { "INT INT INT INT" };
        cases.push(case("join", 2, output, move |ttl| join(kind, ttl)));
    }
    cases
}

#[test]
fn only_an_expired_key_starts_again() {
    for case in keyed() {
        for seed in 0..8 {
            println!("{}, seed {seed}", case.name);
            let mut rng = SmallRng::seed_from_u64(seed);
            let mut expiring = case.harness(TTL);
            // By key: the same operator without a time to live, which has seen only what this key received
            // since it last expired; and the end of the grain of its last use.
            let mut model: BTreeMap<i32, (Harness, i64)> = BTreeMap::new();
            let mut now = 0;
            for value in 1..300 {
                let step = if rng.random_bool(0.05) { TTL } else { rng.random_range(0..GRAIN * 2) };
                now += step;
                expiring.advance(step);
                let key = rng.random_range(0..6);
                let (fresh, until) = model.entry(key).or_insert_with(|| (case.harness(0), now));
                if *until + TTL <= now {
                    *fresh = case.harness(0);
                }
                *until = (now / GRAIN + 1) * GRAIN - 1;
                let row = format!("+I {key} {value}");
                assert_eq!(expiring.push(&row), fresh.push(&row), "{row} at {now}");
                if rng.random_bool(0.05) {
                    expiring.checkpoint(false);
                }
                if rng.random_bool(0.03) {
                    expiring.checkpoint(false);
                    expiring.restore(1);
                }
            }
        }
    }
}

#[test]
fn new_keys_pile_up_for_at_most_one_and_a_half_times_to_live() {
    for case in all() {
        let mut operator = case.harness(TTL);
        let (step, per_step) = (GRAIN / 2, 5);
        let mut key = 0;
        for round in 0..200 {
            operator.advance(step);
            let rows: Vec<String> = (0..per_step).map(|row| format!("+I {} 1", key + row)).collect();
            key += per_step;
            // The other side of a join stays silent.
            operator.push(&rows.join("\n"));
            if round % 20 == 19 {
                let rows = operator.checkpoint(true) as i64;
                // A group with sets of values keeps them in tables of their own.
                let tables = operator.tables().len() as i64;
                let most = TTL * 3 / 2 / step * per_step * tables;
                assert!(rows <= most, "{}: {rows} rows, {most} at most", case.name);
            }
        }
        // The clock alone is enough, without any input.
        for _ in 0..20 {
            operator.advance(GRAIN);
        }
        assert_eq!(operator.checkpoint(true), 0, "{}", case.name);
    }
}

#[test]
fn a_time_to_live_can_be_added_removed_and_changed_between_snapshots() {
    for case in all() {
        let mut operator = case.harness(0);
        operator.push("+I 1 5\n+I 2 6");
        assert!(operator.checkpoint(false) > 0);
        operator.advance(TTL * 10);
        operator.restore_as((case.spec)(TTL));
        operator.advance(TTL - 1);
        operator.restore_as((case.spec)(TTL));
        let rows = operator.checkpoint(true);
        assert!(rows > 0, "{}: rows without a stamp live from the restore on", case.name);
        operator.restore_as((case.spec)(TTL * 2));
        assert_eq!(
            operator.checkpoint(false),
            0,
            "{}: changing the time to live rewrites nothing",
            case.name
        );
        operator.restore_as((case.spec)(0));
        operator.advance(TTL * 10);
        assert_eq!(operator.checkpoint(true), rows, "{}: it lives forever again", case.name);
        operator.restore_as((case.spec)(TTL));
        (0..40).for_each(|_| _ = operator.advance(GRAIN));
        assert_eq!(operator.checkpoint(true), 0, "{}", case.name);
    }
}

#[test]
fn the_first_row_of_a_key_lives_from_its_arrival() {
    let mut first = Harness::keyed(node(top(by(1, false), 1, false, TTL), &["INT INT"], "INT INT"), &[&[0]]);
    assert_eq!(first.push("+I 1 5"), "+I 1 5\n");
    first.advance(TTL - 1);
    assert_eq!(first.push("+I 1 7"), "");
    first.advance(GRAIN);
    assert_eq!(first.push("+I 1 8"), "+I 1 8\n");
    let mut limit = Harness::keyed(node(top(Vec::new(), 2, false, TTL), &["INT INT"], "INT INT"), &[&[0]]);
    assert_eq!(limit.push("+I 1 5\n+I 1 6\n+I 1 7"), "+I 1 5\n+I 1 6\n");
    limit.advance(TTL - 1);
    assert_eq!(limit.push("+I 1 7"), "");
    limit.advance(GRAIN);
    assert_eq!(limit.push("+I 1 8"), "+I 1 8\n");
}

#[test]
fn rows_of_a_top_n_expire_one_by_one_and_silently() {
    for updates in [false, true] {
        let spec = top(by(1, true), 2, updates, TTL);
        let mut top = Harness::keyed(node(spec, &["INT INT"], "INT INT"), &[&[0]]);
        assert_eq!(top.push("+I 1 9\n+I 1 8"), "+I 1 9\n+I 1 8\n");
        top.advance(TTL / 2);
        assert_eq!(top.push("+I 1 7"), "");
        top.advance(TTL / 2 + GRAIN);
        // 9 and 8 have expired; with retractions 7 was kept and now counts.
        assert_eq!(top.push("+I 1 6"), "+I 1 6\n");
        assert_eq!(top.push("+I 1 5"), if updates { "" } else { "+I 1 5\n" });
        if updates {
            assert_eq!(top.push("-D 1 9"), "", "a retraction of what has expired");
            assert_eq!(top.push("-D 1 6"), "-D 1 6\n+I 1 5\n");
        }
    }
}

#[test]
fn equal_rows_expire_independently() {
    let mut top = Harness::keyed(node(top(by(1, true), 3, true, TTL), &["INT INT"], "INT INT"), &[&[0]]);
    top.push("+I 1 9");
    top.advance(TTL / 2);
    top.push("+I 1 9\n+I 1 9");
    top.advance(TTL / 2 + GRAIN);
    assert_eq!(top.push("-D 1 9"), "-D 1 9\n");
    assert_eq!(top.push("-D 1 9\n-D 1 9"), "-D 1 9\n", "the third had expired");
}

#[test]
fn an_equal_row_keeps_state_downstream_alive() {
    let spec = |ttl| OperatorSpec::ChangelogNormalize { keys: vec![0], ttl, emit_update_before: true };
    let normalize = |ttl| Harness::keyed(node(spec(ttl), &["INT INT"], "INT INT"), &[&[0]]);
    let (mut with, mut without) = (normalize(TTL), normalize(0));
    assert_eq!(with.push("+I 1 5"), without.push("+I 1 5"));
    assert_eq!(without.push("+I 1 5"), "");
    assert_eq!(with.push("+I 1 5"), "-U 1 5\n+U 1 5\n");
}

#[test]
fn in_event_time_a_key_with_waiting_rows_is_not_forgotten() {
    let row = "INT TIMESTAMP(3) INT";
    let calls = vec![call("SUM", &[(2, "INT")], "INT"), call("LAG", &[(2, "INT")], "INT")];
    let spec = over(Some(1), false, None, calls, TTL);
    let mut over = Harness::keyed(node(spec, &[row], "INT TIMESTAMP(3) INT INT INT"), &[&[0]]);
    let at = |second: i64| format!("1970-01-01T00:00:{second:02}.000");
    over.push(&format!("+I 1 {} 10\n+I 2 {} 20", at(1), at(1)));
    over.watermark(1_000);
    over.push(&format!("+I 1 {} 1", at(2)));
    (0..40).for_each(|_| _ = over.advance(GRAIN));
    over.push(&format!("+I 2 {} 2", at(2)));
    let expected = format!("+I 1 {} 1 11 10\n+I 2 {} 2 2 NULL\nwatermark 2000\n", at(2), at(2));
    assert_eq!(over.watermark(2_000), expected);
}

#[test]
fn the_sides_of_a_join_may_keep_rows_for_different_times() {
    let mut spec = join(JoinKind::Inner, TTL);
    if let OperatorSpec::Join { right_ttl, .. } = &mut spec {
        *right_ttl = Some(TTL * 3);
    }
    let node = node(spec, &["INT INT", "INT INT"], "INT INT INT INT");
    let mut join = Harness::keyed(node, &[&[0], &[0]]);
    assert_eq!(join.push_to(0, "+I 1 5"), "");
    assert_eq!(join.push_to(1, "+I 2 6"), "");
    join.advance(TTL + GRAIN);
    assert_eq!(join.push_to(1, "+I 1 7"), "", "the left has forgotten");
    assert_eq!(join.push_to(0, "+I 2 8"), "+I 2 8 2 6\n", "the right has not");
    join.advance(TTL * 3 + GRAIN);
    assert_eq!(join.push_to(0, "+I 2 9"), "", "now it has");
}
