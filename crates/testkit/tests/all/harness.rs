//! The harness: one function, step by step.

use std::time::Duration;

use flott_datastream::{DataStream, Error};
use flott_testkit::Harness;

use crate::functions::{PAUSE, visits};

fn harness() -> Harness<(String, i64), String> {
    Harness::new(|visitors: DataStream<(String, i64)>| {
        visitors.key_by_ref(|(name, _)| name).process(visits()).uid("visits")
    })
}

fn visit(name: &str) -> (String, i64) {
    (name.to_owned(), 1)
}

const NOTHING: [String; 0] = [];

#[test]
fn timers_of_processing_time_fire_when_the_clock_has_come_to_them_and_not_before() {
    let mut harness = harness();
    assert_eq!(harness.push(visit("ann")).unwrap(), NOTHING);
    assert_eq!(harness.advance(PAUSE - Duration::from_millis(1)).unwrap(), NOTHING);
    assert_eq!(harness.push(visit("ann")).unwrap(), NOTHING);
    assert_eq!(
        harness.advance(Duration::from_millis(1)).unwrap(),
        NOTHING,
        "the second visit deleted the timer"
    );
    assert_eq!(harness.push(visit("bob")).unwrap(), NOTHING);
    assert_eq!(harness.advance(PAUSE - Duration::from_millis(1)).unwrap(), ["ann=2"]);
    assert_eq!(harness.advance(Duration::from_secs(3_600)).unwrap(), ["bob=1"]);
}

#[test]
fn timers_of_event_time_fire_with_the_watermark_whatever_the_clock_shows() {
    let mut harness = harness();
    assert_eq!(harness.push_at(visit("ann"), 0).unwrap(), NOTHING);
    assert_eq!(harness.advance(Duration::from_secs(3_600)).unwrap(), NOTHING);
    assert_eq!(harness.watermark(59_999).unwrap(), NOTHING);
    assert_eq!(harness.watermark(60_000).unwrap(), ["ann=1"]);
}

#[test]
fn what_comes_out_has_the_time_of_its_record_or_timer() {
    let mut harness = harness();
    harness.push_at(visit("ann"), 5).unwrap();
    harness.push_at(visit("bob"), 1_000_000).unwrap();
    assert_eq!(harness.watermark(100_000).unwrap(), ["ann=1"]);
    assert_eq!(harness.timestamps(), [Some(60_005)]);
    assert_eq!(harness.finish().unwrap(), ["bob=1"], "the end of the input is the end of time");
    assert_eq!(harness.timestamps(), [Some(1_060_000)]);

    let mut numbers = Harness::new(|numbers: DataStream<i64>| numbers.map(|n| n + 1));
    assert_eq!(numbers.push_at(1, 77).unwrap(), [2]);
    assert_eq!(numbers.timestamps(), [Some(77)]);
    assert_eq!(numbers.push(2).unwrap(), [3]);
    assert_eq!(numbers.timestamps(), [None]);
}

#[test]
fn side_outputs_are_separate_from_the_main_output() {
    let mut harness = harness();
    let negative = harness.side_output(&visits().negative).unwrap();
    assert_eq!(harness.push(("ann".to_owned(), -7)).unwrap(), NOTHING);
    assert_eq!(negative.take(), [-7]);
    assert!(harness.side_output(&visits().negative).is_err(), "the job runs already");
}

#[test]
fn state_and_timers_continue_at_any_parallelism() {
    for (before, after) in [(1, 3), (3, 2), (2, 1)] {
        let mut harness = harness().parallelism(before);
        for name in ["ann", "bob", "cid", "dan", "eve", "fay"] {
            harness.push(visit(name)).unwrap();
        }
        let snapshot = harness.snapshot().unwrap();
        harness.push(visit("ann")).unwrap();

        harness.restore(&snapshot, after).unwrap();
        harness.push(visit("bob")).unwrap();
        let mut left = harness.advance(PAUSE).unwrap();
        left.sort();
        assert_eq!(left, ["ann=1", "bob=2", "cid=1", "dan=1", "eve=1", "fay=1"], "{before} -> {after}");
    }
}

#[test]
fn the_error_of_a_function_is_the_error_of_the_step() {
    let mut harness = Harness::new(|numbers: DataStream<i64>| {
        numbers
            .try_map(|n| if n == 0 { Err(Error::invalid("there is no 0")) } else { Ok(100 / n) })
            .name("divide")
    });
    assert_eq!(harness.push(3).unwrap(), [33]);
    let error = harness.push(0).unwrap_err().to_string();
    assert!(error.contains("divide: there is no 0"), "{error}");
}
