//! Joins with a bound in event time.

use expect_test::expect;
use flott_plan::{JoinBound, JoinKind, OperatorSpec};

use crate::harness::{Harness, node};

/// key, number, time
const SIDE: &str = "STRING INT TIMESTAMP(3)";

/// The right row at most 2 s before and 3 s after the left one; or both in one window.
fn harness(kind: JoinKind, windows: bool) -> Harness {
    let (lower, upper) = if windows { (0, 0) } else { (-2_000, 3_000) };
    // The rows of a window have the same end.
    let keys = if windows { vec![0, 2] } else { vec![0] };
    let bound = JoinBound { left_time: 2, right_time: 2, lower, upper, windows };
    let spec = OperatorSpec::Join {
        kind,
        left_keys: keys.clone(),
        right_keys: keys.clone(),
        null_safe: vec![false; keys.len()],
        condition: None,
        ttl: 0,
        right_ttl: None,
        bound: Some(bound),
        rows: Default::default(),
        emit_update_before: true,
        first_by: Vec::new(),
    };
    let output = match kind {
        JoinKind::Semi | JoinKind::Anti => SIDE.to_owned(),
        JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full => format!("{SIDE} {SIDE}"),
    };
    Harness::keyed(node(spec, &[SIDE, SIDE], &output), &[&keys, &keys])
}

fn row(key: &str, number: i64, second: i64) -> String {
    format!("+I {key} {number} 1970-01-01T00:00:{second:02}\n")
}

#[test]
fn a_row_without_a_match_is_emitted_when_none_can_come_and_nothing_is_retracted() {
    let mut join = harness(JoinKind::Full, false);
    assert_eq!(
        join.push_to(0, &[row("x", 1, 10), row("y", 2, 10), row("NULL", 3, 10)].concat()),
        "+I NULL 3 1970-01-01T00:00:10.000 NULL NULL NULL\n"
    );
    assert_eq!(
        join.push_to(1, &[row("x", 4, 12), row("z", 5, 11)].concat()),
        "+I x 1 1970-01-01T00:00:10.000 x 4 1970-01-01T00:00:12.000\n"
    );
    // Output lags behind the watermark by as much as rows wait. A right row waits for 2 s, a left one for 3
    // s.
    expect![[r#"
        watermark 10000
    "#]]
    .assert_eq(&join.watermark(13_000));
    join.checkpoint(false);
    join.restore(1);
    expect![[r#"
        +I y 2 1970-01-01T00:00:10.000 NULL NULL NULL
        +I NULL NULL NULL z 5 1970-01-01T00:00:11.000
        watermark 10001
    "#]]
    .assert_eq(&join.watermark(13_001));
    expect![[r#"
        watermark MAX
    "#]]
    .assert_eq(&join.watermark(i64::MAX));
}

#[test]
fn state_is_evicted_by_event_time() {
    let mut join = harness(JoinKind::Inner, false);
    for second in 0..30 {
        join.push_to(0, &row("x", second, second));
        join.push_to(1, &row("y", second, second));
        join.watermark(second * 1_000);
    }
    join.checkpoint(true);
    // For each side, the rows of the last seconds, below a header line.
    assert_eq!(join.table("left").lines().count(), 1 + 4);
    assert_eq!(join.table("right").lines().count(), 1 + 3);
}

#[test]
fn a_late_row_joins_the_rows_that_are_left_and_is_not_kept() {
    let mut join = harness(JoinKind::Left, false);
    join.push_to(1, &row("x", 1, 10));
    join.watermark(11_000);
    assert_eq!(
        join.push_to(0, &[row("x", 2, 7), row("x", 3, 5)].concat()),
        "+I x 2 1970-01-01T00:00:07.000 x 1 1970-01-01T00:00:10.000\n\
         +I x 3 1970-01-01T00:00:05.000 x 1 1970-01-01T00:00:10.000\n"
    );
    assert_eq!(join.push_to(0, &row("q", 4, 5)), "+I q 4 1970-01-01T00:00:05.000 NULL NULL NULL\n");
    join.checkpoint(true);
    assert_eq!(join.table("left"), "");
}

#[test]
fn rows_of_an_expired_window_are_dropped() {
    let mut join = harness(JoinKind::Anti, true);
    join.push_to(0, &[row("x", 1, 10), row("y", 2, 10), row("x", 3, 20)].concat());
    assert_eq!(join.push_to(1, &row("x", 4, 10)), "");
    assert_eq!(join.watermark(9_998), "watermark 9998\n");
    expect![[r#"
        +I y 2 1970-01-01T00:00:10.000
        watermark 9999
    "#]]
    .assert_eq(&join.watermark(9_999));
    join.checkpoint(false);
    join.restore(1);
    assert_eq!(join.push_to(0, &row("z", 5, 10)), "");
    assert_eq!(join.metrics.num_late_records_dropped.get(), 1);
    expect![[r#"
        +I x 3 1970-01-01T00:00:20.000
        watermark MAX
    "#]]
    .assert_eq(&join.watermark(i64::MAX));
}
