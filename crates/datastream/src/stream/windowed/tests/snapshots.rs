//! Snapshots of windows.

use std::time::Duration;

use super::harness::Harness;
use super::{Concat, Listing, Rec, Seen, rec, seen};
use crate::facade::window::*;
use crate::stream::DataStream;
use crate::stream::keyed::KeyedStream;

fn harness(
    program: impl FnOnce(WindowedStream<String, Rec, TumblingEventTimeWindows>) -> DataStream<Seen>,
) -> Harness<Rec, Seen> {
    Harness::new(|records: DataStream<Rec>| {
        let keyed: KeyedStream<String, Rec> = records.key_by_ref(|record| &record.key);
        program(keyed.window(TumblingEventTimeWindows::of(Duration::from_millis(10))))
    })
}

#[test]
fn a_row_has_key_window_and_value() {
    let mut windows = harness(|windows| windows.aggregate_with(Concat, Listing));
    windows.push([(rec("a", 1), 3)]);
    windows.checkpoint(false);
    assert_eq!(windows.columns("window-contents"), ["key", "window", "value"]);
    let mut windows = harness(|windows| windows.evictor(CountEvictor::of(9)).process(Listing));
    windows.push([(rec("a", 1), 3)]);
    windows.checkpoint(false);
    assert_eq!(windows.columns("window-contents"), ["key", "window", "index", "value", "timestamp"]);
}

#[test]
fn a_snapshot_writes_what_has_changed() {
    let many = |count: i64, at: i64| (0..count).map(move |n| (rec(&format!("k{n}"), n), at));
    let mut windows = harness(|windows| windows.aggregate_with(Concat, Listing));
    windows.push(many(100, 3));
    assert_eq!(windows.checkpoint(false), 100);
    assert_eq!(windows.checkpoint(false), 0);
    windows.push(many(7, 4));
    windows.push(many(2, 14));
    assert_eq!(windows.checkpoint(false), 9);
    windows.watermark(9);
    assert_eq!(windows.checkpoint(false), 100, "what has fired is deleted");
    assert_eq!(windows.checkpoint(true), 2);
}

#[test]
fn a_list_that_grows_writes_what_was_added() {
    let mut windows = harness(|windows| windows.process(Listing));
    windows.push((0..50).map(|n| (rec("a", n), 3)));
    assert_eq!(windows.checkpoint(false), 50);
    windows.push([(rec("a", 50), 3)]);
    assert_eq!(windows.checkpoint(false), 1);
    windows.restore(4);
    windows.push([(rec("a", 51), 3)]);
    assert_eq!(windows.checkpoint(false), 1);
    windows.restore(2);
    assert_eq!(windows.end(), [seen("a", 0, 10, 0..=51)]);
    assert_eq!(windows.checkpoint(false), 52);
    assert_eq!(windows.rows(), 0);
}

#[test]
fn a_snapshotted_session_continues_under_its_new_name() {
    let mut windows = Harness::new(|records: DataStream<Rec>| {
        let keyed = records.key_by_ref(|record| &record.key);
        keyed
            .window(EventTimeSessionWindows::with_gap(Duration::from_millis(10)))
            .aggregate_with(Concat, Listing)
    });
    windows.push([(rec("a", 1), 0)]);
    windows.checkpoint(false);
    windows.push([(rec("a", 2), 5), (rec("a", 3), 8)]);
    assert_eq!(windows.checkpoint(false), 2, "one row is deleted, one is new");
    assert_eq!(windows.rows(), 1);
    windows.restore(2);
    windows.push([(rec("a", 4), 18)]);
    assert_eq!(windows.end(), [seen("a", 0, 28, [1, 2, 3, 4])]);
}

#[test]
fn many_keys_are_restored_at_any_parallelism() {
    let mut windows = harness(|windows| windows.process(Listing));
    let all = |at: i64| (0..40).map(move |n| (rec(&format!("k{n:02}"), n + at), at));
    for (step, parallelism) in [3, 1, 5, 2].into_iter().enumerate() {
        windows.push(all(step as i64));
        windows.checkpoint(step % 2 == 0);
        windows.restore(parallelism);
    }
    let mut fired = windows.end();
    fired.sort();
    let expected: Vec<Seen> = (0..40).map(|n| seen(&format!("k{n:02}"), 0, 10, n..n + 4)).collect();
    assert_eq!(fired, expected);
}
