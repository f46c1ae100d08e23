//! The events do not depend on how they are read.

use crate::support::{Events, Run, kind, nexmark};

const OPTIONS: &[(&str, &str)] = &[("events.num", "12345"), ("seed", "7")];

fn sorted(events: &Events) -> Vec<String> {
    let mut lines = events.lines();
    lines.sort();
    lines
}

#[test]
fn the_events_are_the_same_at_every_parallelism() {
    let spec = nexmark(OPTIONS);
    let expected = sorted(&Run::default().read(&spec));
    assert_eq!(expected.len(), 12_345);
    for parallelism in [2, 3, 20] {
        let events = Run { parallelism, batch_size: 777, ..Run::default() }.read(&spec);
        assert_eq!(sorted(&events), expected, "parallelism {parallelism}");
        assert_eq!(events.finished.len(), parallelism as usize);
    }
}

#[test]
fn no_event_is_lost_or_doubled_by_a_restart_with_another_number_of_readers() {
    let spec = nexmark(OPTIONS);
    let expected = sorted(&Run::default().read(&spec));
    for (parallelism, readers) in [(1, 1), (1, 3), (4, 1), (3, 2), (2, 5)] {
        let events = Run { parallelism, batch_size: 300, restart: Some((2, readers)) }.read(&spec);
        assert_eq!(sorted(&events), expected, "from {parallelism} to {readers} readers");
    }
}

#[test]
fn events_come_in_order_and_splits_go_side_by_side() {
    let time = |line: &String| -> i64 {
        let place = [7, 6, 6][kind(line) as usize];
        line.split('\t').nth(place).and_then(|cell| cell.parse().ok()).unwrap_or_default()
    };
    let one: Vec<i64> = Run::default().read(&nexmark(OPTIONS)).lines().iter().map(time).collect();
    assert!(one.is_sorted());
    // Four splits in one reader: at 10 events for each millisecond none is more than three blocks behind
    // another.
    let four = Run { parallelism: 4, batch_size: 4_096, restart: Some((1, 1)) }.read(&nexmark(OPTIONS));
    let mut latest = i64::MIN;
    for time in four.lines().iter().skip(4 * 1_000).map(time) {
        latest = latest.max(time);
        assert!(time > latest - 300, "{time} comes {} ms late", latest - time);
    }
}

#[test]
fn each_split_has_its_share_of_every_kind() {
    let events = Run { parallelism: 2, ..Run::default() }.read(&nexmark(&[("events.num", "100000")]));
    for split in ["0/2", "1/2"] {
        let batches = events.batches.iter().filter(|(id, _)| id == split);
        let lines: Vec<String> = batches.flat_map(|(_, batch)| crate::support::lines(batch)).collect();
        let persons = lines.iter().filter(|line| line.starts_with('0')).count();
        assert_eq!((lines.len(), persons), (50_000, 1_000));
    }
}

#[test]
fn a_limit_ends_it() {
    let mut spec = nexmark(&[]);
    spec.limit = Some(1_234);
    let events = Run { parallelism: 1, batch_size: 100, ..Run::default() }.read(&spec);
    assert_eq!(events.lines().len(), 1_234);
}
