//! Joins and groups of two streams within windows.

use std::time::Duration;

use flott_datastream::window::{
    CountTrigger, EventTimeSessionWindows, GlobalWindows, TumblingEventTimeWindows,
};
use flott_datastream::*;

type Event = (String, i64);

fn environment() -> StreamExecutionEnvironment {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(2);
    env
}

fn events(env: &StreamExecutionEnvironment, events: &[(&str, i64)]) -> DataStream<Event> {
    let events: Vec<Event> = events.iter().map(|(key, at)| ((*key).to_owned(), *at)).collect();
    let strategy = WatermarkStrategy::for_bounded_out_of_orderness(Duration::from_secs(3_600));
    let strategy = strategy.with_timestamp_assigner(|event: &Event, _| event.1);
    // One subtask, so that those of a key stay in order.
    env.from_collection(events).assign_timestamps_and_watermarks(strategy).parallelism(1)
}

fn left(env: &StreamExecutionEnvironment) -> DataStream<Event> {
    events(env, &[("a", 1), ("a", 2), ("b", 3), ("a", 11), ("c", 40)])
}

/// Of another type, and with the key elsewhere.
fn right(env: &StreamExecutionEnvironment) -> DataStream<(Option<i64>, String)> {
    let events = events(env, &[("a", 5), ("b", 12), ("a", 12), ("a", 19), ("d", 41)]);
    events.map(|(key, at)| (Some(at), key))
}

fn sorted<T: Record + Ord>(stream: &DataStream<T>) -> Vec<T> {
    let mut values: Vec<T> = stream.execute_and_collect("test").unwrap().collect::<Result<_>>().unwrap();
    values.sort();
    values
}

fn tens() -> TumblingEventTimeWindows {
    TumblingEventTimeWindows::of(Duration::from_millis(10))
}

#[test]
fn pairs_of_one_key_and_one_window_are_joined() {
    let env = environment();
    let joined =
        left(&env).join(&right(&env)).where_(|(key, _)| key.clone()).equal_to(|(_, key)| key.clone());
    let pairs = joined.window(tens()).apply(|left, right| (left.0.clone(), left.1, right.0));
    let pair = |left, right| ("a".to_owned(), left, Some(right));
    assert_eq!(sorted(&pairs), [pair(1, 5), pair(2, 5), pair(11, 12), pair(11, 19)]);
}

#[test]
fn a_pair_gives_any_number_of_values() {
    let env = environment();
    let joined =
        left(&env).join(&right(&env)).where_(|(key, _)| key.clone()).equal_to(|(_, key)| key.clone());
    let pairs = joined.window(tens()).flat_apply(|left, right, out| {
        if left.1 == 11 {
            out.collect(right.0);
            out.collect(None);
        }
    });
    assert_eq!(sorted(&pairs), [None, None, Some(12), Some(19)]);
}

#[test]
fn groups_are_there_also_where_one_stream_has_nothing() {
    let env = environment();
    let grouped =
        left(&env).co_group(&right(&env)).where_(|(key, _)| key.clone()).equal_to(|(_, key)| key.clone());
    let groups = grouped.window(tens()).apply(|lefts, rights, out| {
        let mut rights: Vec<Option<i64>> = rights.iter().map(|right| right.0).collect();
        rights.sort_unstable();
        out.collect((lefts.iter().map(|left| left.1).collect::<Vec<_>>(), rights));
    });
    let expected = [
        (vec![], vec![Some(12)]),
        (vec![], vec![Some(41)]),
        (vec![1, 2], vec![Some(5)]),
        (vec![3], vec![]),
        (vec![11], vec![Some(12), Some(19)]),
        (vec![40], vec![]),
    ];
    assert_eq!(sorted(&groups), expected);
}

#[test]
fn sessions_are_of_both_streams_together() {
    let env = environment();
    let grouped =
        left(&env).co_group(&right(&env)).where_(|(key, _)| key.clone()).equal_to(|(_, key)| key.clone());
    // Each stream alone has a gap of 7 for the key a; both together have none.
    let sessions = grouped.window(EventTimeSessionWindows::with_gap(Duration::from_millis(7)));
    let counts = sessions.apply(|lefts, rights, out| out.collect((lefts.len(), rights.len())));
    // a: 1 to 19; b: 3, 12; c: 40; d: 41.
    assert_eq!(sorted(&counts), [(0, 1), (0, 1), (1, 0), (1, 0), (3, 3)]);
}

#[test]
fn a_trigger_counts_the_records_of_both_streams() {
    let env = environment();
    let (numbers, words) = (env.from_sequence(1, 3), env.from_collection(["x".to_owned()]));
    let grouped = numbers.co_group(&words).where_(|_| 0).equal_to(|_| 0);
    let fired = grouped
        .window(GlobalWindows::create())
        .trigger(CountTrigger::of(4))
        .apply(|numbers, words, out| out.collect((numbers.len(), words.len())));
    assert_eq!(sorted(&fired), [(3, 1)]);
}

#[test]
fn streams_of_two_environments_are_refused() {
    let (one, other) = (environment(), environment());
    let joined = one.from_sequence(1, 2).join(&other.from_sequence(1, 2)).where_(|n| *n).equal_to(|n| *n);
    let error = joined.window(tens()).apply(|left, right| left + right).execute_and_collect("test");
    assert_eq!(error.err().unwrap().to_string(), "streams of two environments cannot be joined");
}
