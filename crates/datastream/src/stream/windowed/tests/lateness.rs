//! Records that are late, or almost late.

use std::time::Duration;

use super::harness::Harness;
use super::{Listing, Rec, Seen, rec, seen};
use crate::facade::window::*;
use crate::stream::DataStream;
use flott_function::output::OutputTag;

fn late() -> OutputTag<Rec> {
    OutputTag::new("late")
}

fn harness<A: WindowAssigner<Rec, Window = TimeWindow>>(assigner: A, lateness: u64) -> Harness<Rec, Seen> {
    Harness::new(|records: DataStream<Rec>| {
        let windows = records.key_by_ref(|record| &record.key).window(assigner);
        windows.allowed_lateness(Duration::from_millis(lateness)).process(Listing)
    })
}

fn minutes() -> TumblingEventTimeWindows {
    TumblingEventTimeWindows::of(Duration::from_millis(10))
}

fn a(number: i64) -> Rec {
    rec("a", number)
}

#[test]
fn late_records_are_dropped_and_counted() {
    let mut windows = harness(minutes(), 0);
    windows.push([(a(1), 5)]);
    assert_eq!(windows.watermark(8), []);
    assert_eq!(windows.watermark(9), [seen("a", 0, 10, [1])]);
    assert_eq!(windows.push([(a(2), 9), (a(3), 10), (a(4), 0)]), []);
    assert_eq!(windows.metrics.num_late_records_dropped.get(), 2);
    assert_eq!(windows.end(), [seen("a", 10, 20, [3])]);
}

#[test]
fn late_records_go_to_a_side_output() {
    let mut windows = Harness::new(|records: DataStream<Rec>| {
        let windows = records.key_by_ref(|record| &record.key).window(minutes());
        windows.side_output_late_data(&late()).process(Listing)
    });
    windows.watermark(9);
    windows.push([(a(1), 9), (a(2), 10)]);
    assert_eq!(windows.side(&late()), [a(1)]);
    assert_eq!(windows.metrics.num_late_records_dropped.get(), 0);
}

#[test]
fn a_window_fires_again_with_each_late_record_until_it_is_over() {
    let mut windows = harness(minutes(), 5);
    windows.push([(a(1), 5)]);
    assert_eq!(windows.watermark(9), [seen("a", 0, 10, [1])]);
    assert_eq!(windows.push([(a(2), 6), (a(3), 7)]), [seen("a", 0, 10, [1, 2]), seen("a", 0, 10, [1, 2, 3])]);
    assert_eq!(windows.push([(rec("b", 4), 7)]), [seen("b", 0, 10, [4])]);
    windows.checkpoint(false);
    windows.restore(2);
    assert_eq!(windows.watermark(13), [], "what has fired does not fire again after a restore");
    assert_eq!(windows.push([(a(5), 8)]), [seen("a", 0, 10, [1, 2, 3, 5])]);
    assert_eq!(windows.watermark(14), []);
    assert_eq!(windows.push([(a(6), 8)]), []);
    assert_eq!(windows.metrics.num_late_records_dropped.get(), 1);
    windows.checkpoint(false);
    assert_eq!(windows.rows(), 0);
}

#[test]
fn what_was_late_before_a_restore_is_late_after_it() {
    let mut windows = harness(minutes(), 0);
    windows.push([(a(1), 15)]);
    windows.watermark(9);
    windows.checkpoint(false);
    windows.restore(2);
    windows.push([(a(2), 3)]);
    assert_eq!(windows.metrics.num_late_records_dropped.get(), 1);
    assert_eq!(windows.end(), [seen("a", 10, 20, [1])]);
}

#[test]
fn a_job_that_continues_after_a_drain_is_not_late_for_everything() {
    let mut windows = harness(minutes(), 0);
    windows.push([(a(1), 15)]);
    windows.end();
    windows.rescale(1);
    windows.push([(a(2), 16)]);
    assert_eq!(windows.end(), [seen("a", 10, 20, [2])]);
}

#[test]
fn a_late_record_that_touches_a_session_is_not_late() {
    let mut windows = harness(EventTimeSessionWindows::with_gap(Duration::from_millis(10)), 0);
    windows.push([(a(1), 20)]);
    windows.watermark(21);
    assert_eq!(windows.push([(a(2), 10), (a(3), 5), (a(4), 0), (rec("b", 5), 0)]), []);
    assert_eq!(windows.metrics.num_late_records_dropped.get(), 1);
    assert_eq!(windows.watermark(29), [seen("a", 0, 30, [1, 2, 3, 4])]);
}

#[test]
fn a_session_that_has_fired_fires_again_when_a_late_record_makes_it_longer() {
    let mut windows = harness(EventTimeSessionWindows::with_gap(Duration::from_millis(10)), 100);
    windows.push([(a(1), 0)]);
    assert_eq!(windows.watermark(12), [seen("a", 0, 10, [1])]);
    // It has ended by now, too.
    assert_eq!(windows.push([(a(2), 2)]), [seen("a", 0, 12, [1, 2])]);
    // It ends later, and fires then.
    assert_eq!(windows.push([(a(3), 11)]), []);
    assert_eq!(windows.watermark(20), [seen("a", 0, 21, [1, 2, 3])]);
    assert_eq!(windows.watermark(119), []);
    assert_eq!(windows.push([(a(4), 5)]), [seen("a", 0, 21, [1, 2, 3, 4])]);
    windows.watermark(120);
    windows.checkpoint(false);
    assert_eq!(windows.rows(), 0);
}

#[test]
fn a_window_that_is_never_over_is_kept() {
    let mut windows = harness(minutes(), u64::MAX);
    windows.push([(a(1), 5)]);
    assert_eq!(windows.watermark(1_000_000), [seen("a", 0, 10, [1])]);
    windows.rescale(2);
    assert_eq!(windows.watermark(1_000_001), []);
    assert_eq!(windows.push([(a(2), 5)]), [seen("a", 0, 10, [1, 2])]);
    assert_eq!(windows.end(), []);
}
