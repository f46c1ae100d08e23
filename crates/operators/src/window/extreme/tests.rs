use std::collections::BTreeMap;

use arrow::buffer::BooleanBuffer;
use flott_batch::WatermarkStatus;
use flott_operator::windows::Slicing;
use flott_plan::{OperatorSpec, WindowExtreme, WindowKind, WindowSpec};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::harness::{Harness, node};

const TUMBLE: WindowKind = WindowKind::Tumble { size: 10, offset: 0 };

fn operator(kind: WindowKind, ty: &str, smallest: bool, ends: [i64; 2]) -> Harness {
    let window = WindowSpec { kind, time_column: 0, event_time: true, zone: None };
    let spec = OperatorSpec::LocalWindowExtreme(WindowExtreme { value: 1, smallest, window, ends });
    let row = format!("TIMESTAMP(3) {ty} INT");
    Harness::keyed(node(spec, &[&row], &row), &[&[2]])
}

fn row(time: i64, value: impl std::fmt::Display, id: impl std::fmt::Display) -> String {
    format!("+I 1970-01-01T00:00:00.{time:03} {value} {id}\n")
}

#[test]
fn rows_with_less_than_one_of_their_window_are_dropped() {
    let mut of = operator(TUMBLE, "INT", false, [0, 10]);
    let batch = [row(1, 5, 0), row(2, 7, 1), row(3, 7, 2), row(4, 6, 3), row(12, 1, 4)].concat();
    assert_eq!(of.push(&batch), [row(2, 7, 1), row(3, 7, 2), row(12, 1, 4)].concat());
    assert_eq!(of.push(&row(5, 6, 5)), "", "across batches");
    assert_eq!(of.push(&row(5, "NULL", 6)), row(5, "NULL", 6), "the join drops it");
    assert_eq!(of.push(&row(5, 8, 7)), row(5, 8, 7));
    assert_eq!(of.push(&row(5, 7, 8)), "");
}

/// It may have the value of the window before, too, of which less may be known.
#[test]
fn a_row_between_two_windows_passes() {
    let mut of = operator(TUMBLE, "BIGINT", false, [0, 10]);
    assert_eq!(of.push(&[row(11, 9, 0), row(10, 1, 1)].concat()), [row(11, 9, 0), row(10, 1, 1)].concat());
    let mut of = operator(TUMBLE, "BIGINT", false, [1, 10]);
    assert_eq!(of.push(&[row(11, 9, 0), row(10, 1, 1)].concat()), row(11, 9, 0));
}

#[test]
fn a_late_row_passes_and_says_nothing() {
    let mut of = operator(TUMBLE, "INT", false, [0, 10]);
    of.push(&row(5, 7, 0));
    of.watermark(9);
    assert_eq!(of.push(&[row(6, 9, 1), row(6, 3, 2)].concat()), [row(6, 9, 1), row(6, 3, 2)].concat());
    assert_eq!(of.push(&[row(15, 9, 3), row(15, 3, 4)].concat()), row(15, 9, 3));
}

#[test]
fn the_smallest_of_decimals() {
    let mut of = operator(TUMBLE, "DECIMAL(10,2)", true, [0, 10]);
    let batch = [row(1, "5.25", 0), row(2, "5.20", 1), row(3, "5.21", 2), row(3, "-1.00", 3)].concat();
    assert_eq!(of.push(&batch), row(3, "-1.00", 3));
}

#[test]
fn rows_that_were_filtered_out_say_nothing() {
    let mut of = operator(TUMBLE, "INT", false, [0, 10]);
    let input = crate::harness::types("TIMESTAMP(3) INT INT");
    let text = [row(1, 9, 0), row(1, 5, 1), row(1, 6, 2)].concat();
    let batch = flott_batch::pretty::parse(&text, &input).unwrap();
    let filtered = batch.select(&BooleanBuffer::from(vec![false, true, true]));
    assert_eq!(of.feed(0, filtered), row(1, 6, 2));
}

#[test]
fn a_subtask_that_was_idle_drops_nothing() {
    let mut of = operator(TUMBLE, "INT", false, [0, 10]);
    of.push(&row(1, 9, 0));
    of.status(WatermarkStatus::Idle);
    of.status(WatermarkStatus::Active);
    assert_eq!(of.push(&row(1, 5, 1)), row(1, 5, 1));
}

#[test]
fn what_was_late_for_one_is_late_for_all_after_a_restore() {
    let mut of = operator(TUMBLE, "INT", false, [0, 10]);
    of.watermark(9);
    of.checkpoint(false);
    of.restore(3);
    let late = [row(6, 9, 1), row(6, 3, 2)].concat();
    assert_eq!(of.push(&late).lines().count(), 2);
    of.checkpoint(false);
    of.restore(1);
    assert_eq!(of.push(&late), late);
}

/// Rows of random times with watermarks that make some of them late: whatever the aggregation tells of windows, no row is
/// missing that is joined with it.
#[test]
fn no_row_is_dropped_that_is_joined() {
    let kinds = [
        TUMBLE,
        WindowKind::Tumble { size: 7, offset: 3 },
        WindowKind::Hop { size: 12, slide: 4, offset: 0 },
        WindowKind::Hop { size: 9, slide: 6, offset: 1 },
        WindowKind::Cumulate { size: 12, step: 3, offset: 0 },
    ];
    let mut dropped = 0;
    for seed in 0..200u64 {
        let mut random = SmallRng::seed_from_u64(seed);
        let kind = kinds[seed as usize % kinds.len()].clone();
        let slicing = Slicing::new(&kind).unwrap();
        let lower = random.random_range(-3..4);
        let ends = [lower, lower + random.random_range(0..16)];
        let mut of = operator(kind, "INT", false, ends);
        let mut all: Vec<(i64, i32, i32)> = Vec::new();
        let mut passed: Vec<i32> = Vec::new();
        // What the aggregation knows; it may be behind the watermark here, but not ahead of it.
        let mut largest: BTreeMap<i64, i32> = BTreeMap::new();
        let (mut here, mut there) = (-1, -1);
        for batch in 0..30 {
            let rows: Vec<(i64, i32, i32)> = (0..random.random_range(1..12))
                .map(|at| {
                    let time = (here + random.random_range(-12..20)).clamp(0, 900);
                    (time, random.random_range(0..12), batch * 100 + at)
                })
                .collect();
            for (time, value, _) in &rows {
                for end in slicing.windows(slicing.slice_end(*time)).filter(|end| *end - 1 > there) {
                    let known = largest.entry(end).or_insert(*value);
                    *known = (*known).max(*value);
                }
            }
            let text: String = rows.iter().map(|(time, value, id)| row(*time, value, id)).collect();
            let id = |line: &str| line.split(' ').next_back().unwrap().parse::<i32>().unwrap();
            passed.extend(of.push(&text).lines().map(id));
            all.extend(rows);
            here += random.random_range(0..8);
            there = random.random_range(there..=here);
            of.watermark(here);
            if random.random_range(0..8) == 0 {
                of.checkpoint(false);
                of.restore(1);
            }
        }
        let joined = |(time, value, _): &&(i64, i32, i32)| {
            (time + ends[0]..=time + ends[1]).any(|end| largest.get(&end) == Some(value))
        };
        for (time, value, id) in all.iter().filter(joined) {
            assert!(passed.contains(id), "seed {seed}: {time} {value} {id}");
        }
        dropped += all.len() - passed.len();
    }
    assert!(dropped > 1000, "{dropped}");
}
