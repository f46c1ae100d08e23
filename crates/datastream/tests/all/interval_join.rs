//! Joins by distance in event time, as programs write them. What they find is held by tests beside the
//! operator.

use flott_datastream::*;

type Event = (String, i64);

fn events(env: &StreamExecutionEnvironment, times: &[(&str, i64)]) -> DataStream<Event> {
    let times: Vec<Event> = times.iter().map(|(key, at)| ((*key).to_owned(), *at)).collect();
    let strategy = WatermarkStrategy::for_monotonous_timestamps();
    let strategy = strategy.with_timestamp_assigner(|event: &Event, _| event.1);
    env.from_collection(times).assign_timestamps_and_watermarks(strategy)
}

fn joined(
    join: impl Fn(IntervalJoined<String, Event, Event>) -> IntervalJoined<String, Event, Event>,
) -> Vec<i64> {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(2);
    let left = events(&env, &[("a", 100), ("b", 100)]).key_by_ref(|(key, _)| key);
    let right = events(&env, &[("a", 90), ("a", 95), ("a", 100), ("a", 110), ("b", 110), ("a", 111)]);
    let joined = join(left.interval_join(&right.key_by(|(key, _)| key.clone())).between(-10, 10));
    let differences = joined.map(|left, right| right.1 - left.1).execute_and_collect("test").unwrap();
    let mut differences: Vec<i64> = differences.collect::<Result<_>>().unwrap();
    differences.sort_unstable();
    differences
}

#[test]
fn bounds_are_inclusive_unless_said_otherwise() {
    assert_eq!(joined(|join| join), [-10, -5, 0, 10, 10]);
    assert_eq!(joined(|join| join.lower_bound_exclusive()), [-5, 0, 10, 10]);
    assert_eq!(joined(|join| join.upper_bound_exclusive()), [-10, -5, 0]);
}

#[test]
fn a_lower_bound_above_the_upper_one_is_refused() {
    let env = StreamExecutionEnvironment::new();
    let stream = events(&env, &[("a", 1)]).key_by(|(key, _)| key.clone());
    let joined = stream.interval_join(&stream).between(5, 5).upper_bound_exclusive();
    let error = joined.map(|left, _| left.1).execute_and_collect("test").err().unwrap().to_string();
    assert_eq!(error, "an interval join has the lower bound 5 ms above the upper bound 4 ms");
}

#[test]
fn a_stream_without_timestamps_is_refused() {
    let env = StreamExecutionEnvironment::new();
    let stream = env.from_sequence(1, 3).key_by(|number| *number);
    let joined = stream.interval_join(&stream).between(0, 1).map(|left, right| left + right);
    let end: Result<Vec<i64>> = joined.execute_and_collect("test").unwrap().collect();
    let error = end.unwrap_err().to_string();
    assert!(error.contains("call `assign_timestamps_and_watermarks` on both streams before"), "{error}");
}
