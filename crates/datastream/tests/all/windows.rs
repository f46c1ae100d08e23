//! Windows of whole programs: through savepoints, at another parallelism, and with failures.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use flott_datastream::source::{RateLimited, SequenceSource};
use flott_datastream::time::{WatermarkGenerator, WatermarkOutput};
use flott_datastream::window::{
    CountTrigger, EventTimeSessionWindows, GlobalWindows, SlidingEventTimeWindows, TimeWindow,
    TumblingEventTimeWindows, TumblingProcessingTimeWindows, Window, WindowAssigner,
};
use flott_datastream::*;
use flott_types::clock::ManualClock;

use crate::support::{Feed, LONG, Seen, cluster, environment, stop};

/// Key, time, number.
type Event = (u32, i64, i64);
/// Key, last time of the window, numbers.
type Fired = (u32, i64, Vec<i64>);

fn timed(events: &DataStream<Event>) -> DataStream<Event> {
    // Each event says how far time has come: there are none out of order but those that are behind by
    // intention.
    let strategy =
        WatermarkStrategy::for_generator(|| EachEvent).with_timestamp_assigner(|event: &Event, _| event.1);
    events.assign_timestamps_and_watermarks(strategy).uid("times").parallelism(1)
}

/// A watermark after each event, just below it.
struct EachEvent;

impl WatermarkGenerator<Event> for EachEvent {
    fn on_event(&mut self, _: &Event, timestamp: Timestamp, output: &mut WatermarkOutput) {
        output.emit(Watermark(timestamp - 1));
    }

    fn on_periodic_emit(&mut self, _: &mut WatermarkOutput) {}
}

fn listed<A: WindowAssigner<Event>>(events: &DataStream<Event>, assigner: A) -> DataStream<Fired> {
    let windows = timed(events).key_by(|event| event.0).window(assigner);
    let windows = windows.apply(|key, window, events: &[Event], out| {
        out.collect((*key, window.max_timestamp(), events.iter().map(|event| event.2).collect()));
    });
    windows.uid("windows")
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What comes out of windows, and of the same after a savepoint and at another parallelism.
fn through_a_savepoint<A: WindowAssigner<Event>>(
    assigner: A,
    before: &[Event],
    fired_before: &[Fired],
    after: &[Event],
    fired_after: &[Fired],
) {
    let folder = tempfile::tempdir().unwrap();
    let run = |parallelism, from: Option<&str>, events: &[Event], fired: &[Fired]| {
        let env = environment(parallelism, from);
        let feed = Feed::new();
        let seen = Seen::of(&listed(&feed.stream(&env), assigner.clone()));
        let job = env.execute_async("windows").unwrap();
        feed.push(events.to_vec());
        assert_eq!(seen.take(fired.len(), &job), fired);
        stop(&job, &folder)
    };
    let savepoint = run(2, None, before, fired_before);
    run(3, Some(&savepoint), after, fired_after);
}

#[test]
fn tumbling_windows_through_a_savepoint() {
    through_a_savepoint(
        TumblingEventTimeWindows::of(millis(10)),
        &[(1, 0, 1), (1, 9, 2), (2, 11, 3), (1, 12, 4)],
        &[(1, 9, vec![1, 2])],
        // The first one is late: its window has fired before the savepoint.
        &[(1, 3, 5), (2, 13, 6), (2, 20, 7)],
        &[(1, 19, vec![4]), (2, 19, vec![3, 6])],
    );
}

#[test]
fn sliding_windows_through_a_savepoint() {
    through_a_savepoint(
        SlidingEventTimeWindows::of(millis(10), millis(5)),
        &[(1, 6, 1), (2, 8, 2), (1, 10, 3)],
        &[(1, 9, vec![1]), (2, 9, vec![2])],
        &[(2, 15, 4)],
        &[(1, 14, vec![1, 3]), (2, 14, vec![2])],
    );
}

#[test]
fn sessions_through_a_savepoint() {
    through_a_savepoint(
        EventTimeSessionWindows::with_gap(millis(10)),
        &[(1, 0, 1), (2, 3, 2), (1, 8, 3), (2, 14, 4)],
        &[(2, 12, vec![2])],
        &[(1, 16, 5), (2, 26, 6)],
        &[(1, 25, vec![1, 3, 5]), (2, 23, vec![4])],
    );
}

#[test]
fn windows_by_number_through_a_savepoint() {
    let folder = tempfile::tempdir().unwrap();
    let run = |parallelism, from: Option<&str>, events: &[Event], fired: &[Fired]| {
        let env = environment(parallelism, from);
        let feed = Feed::new();
        let windows = feed.stream(&env).key_by(|event: &Event| event.0).window(GlobalWindows::create());
        let windows = windows.trigger(CountTrigger::of(2)).apply(|key, window, events: &[Event], out| {
            out.collect((*key, window.max_timestamp(), events.iter().map(|event| event.2).collect()));
        });
        let seen = Seen::of(&windows.uid("windows"));
        let job = env.execute_async("windows").unwrap();
        feed.push(events.to_vec());
        assert_eq!(seen.take(fired.len(), &job), fired);
        stop(&job, &folder)
    };
    let end = Timestamp::MAX;
    let savepoint = run(2, None, &[(1, 0, 1), (2, 0, 2), (1, 0, 3), (1, 0, 4)], &[(1, end, vec![1, 3])]);
    run(1, Some(&savepoint), &[(1, 0, 5), (2, 0, 6)], &[(1, end, vec![1, 3, 4, 5]), (2, end, vec![2, 6])]);
}

#[test]
fn windows_by_the_clock_fire_when_it_has_come() {
    let clock = Arc::new(ManualClock::new(1_000));
    let env = StreamExecutionEnvironment::on(cluster(&clock));
    env.set_parallelism(2);
    let feed = Feed::new();
    let windows = feed.stream(&env).key_by(|event: &Event| event.0);
    let windows = windows.window(TumblingProcessingTimeWindows::of(millis(100)));
    let seen = Seen::of(&windows.apply(|key, window: &TimeWindow, events: &[Event], out| {
        out.collect((*key, window.max_timestamp(), events.iter().map(|event| event.2).collect::<Vec<_>>()));
    }));
    let job = env.execute_async("clock").unwrap();
    feed.push([(1, 0, 1), (2, 0, 2), (1, 0, 3)]);
    // Nobody says when the records have arrived; but they come into one window, whichever it is.
    let mut fired = Vec::new();
    crate::support::wait_until(|| {
        clock.advance(10);
        fired.extend(seen.now());
        fired.iter().map(|(_, _, numbers): &Fired| numbers.len()).sum::<usize>() == 3
    });
    fired.sort();
    assert!(fired.iter().all(|(_, last, _)| last % 100 == 99), "{fired:?}");
    let of_one: Vec<i64> =
        fired.iter().filter(|fired| fired.0 == 1).flat_map(|fired| fired.2.clone()).collect();
    assert_eq!(of_one, [1, 3]);
    job.cancel();
    let _ = job.wait_for(LONG);
}

/// Out of order, by up to 63.
fn time(number: &i64) -> Timestamp {
    number ^ 0x3f
}

/// The sums of ten keys in tumbling windows and sessions, of a program that fails this often.
fn sums(faults: i64) -> Vec<(i64, i64)> {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(2).enable_checkpointing(Duration::from_millis(5));
    env.set("restart-strategy.type", "fixed-delay")
        .set("restart-strategy.fixed-delay.attempts", 100)
        .set("restart-strategy.fixed-delay.delay", "1 ms")
        .set("table.exec.batch-size", 7);
    let left = Arc::new(AtomicI64::new(faults));
    let seen = Arc::new(AtomicI64::new(0));
    let of_program = left.clone();
    let numbers = RateLimited::new(SequenceSource::new(0, 1_999).unwrap(), 8_000.0).unwrap();
    let strategy = WatermarkStrategy::for_bounded_out_of_orderness(millis(500))
        .with_timestamp_assigner(|number, _| time(number));
    let numbers = env.from_source(numbers, strategy, "numbers").try_map(move |number: i64| {
        let every_so_often = seen.fetch_add(1, Ordering::SeqCst) % 350 == 349;
        if every_so_often && of_program.fetch_sub(1, Ordering::SeqCst) > 0 {
            return Err(Error::external("a fault of the test"));
        }
        Ok((number % 10, number))
    });
    let keyed = numbers.key_by(|(key, _)| *key);
    let tumbling = keyed.window(TumblingEventTimeWindows::of(millis(100))).sum(|(_, number)| number);
    let sessions = keyed.window(EventTimeSessionWindows::with_gap(millis(12)));
    let sessions = sessions.reduce(|one, other| (one.0, one.1 + other.1)).map(|(key, sum)| (key + 100, sum));
    let sums = tumbling.union(&sessions).execute_and_collect("sums").unwrap();
    let mut sums: Vec<(i64, i64)> = sums.collect::<Result<_>>().unwrap();
    sums.sort();
    assert!(left.load(Ordering::SeqCst) <= 0, "the test does not test: there were too few faults");
    sums
}

#[test]
fn failures_change_nothing() {
    let undisturbed = sums(0);
    let mut expected: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for number in 0..2_000 {
        *expected.entry((number % 10, time(&number) / 100)).or_default() += number;
    }
    let mut expected: Vec<(i64, i64)> = expected.into_iter().map(|((key, _), sum)| (key, sum)).collect();
    expected.sort();
    let (tumbling, sessions): (Vec<_>, Vec<_>) = undisturbed.iter().copied().partition(|(key, _)| *key < 100);
    assert_eq!(tumbling, expected);
    assert!(sessions.len() > 10 && sessions.iter().map(|(_, sum)| sum).sum::<i64>() == 1_999_000);
    assert_eq!(sums(4), undisturbed);
}
