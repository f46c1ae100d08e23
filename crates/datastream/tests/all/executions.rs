//! What is executed, how often, and in which order records come.

use flott_datastream::{Result, RuntimeMode, StreamExecutionEnvironment, WatermarkStrategy};
use parking_lot::Mutex;
use std::sync::Arc;

fn sorted<T: Ord>(values: impl Iterator<Item = Result<T>>) -> Vec<T> {
    let mut values: Vec<T> = values.collect::<Result<_>>().unwrap();
    values.sort();
    values
}

#[test]
fn what_was_executed_is_not_executed_again() {
    let env = StreamExecutionEnvironment::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let numbers = env.from_sequence(1, 3);
    let sink = seen.clone();
    numbers.add_sink(move |number| {
        sink.lock().push(number);
        Ok(())
    });
    env.execute("first").unwrap();
    let again = env.execute("nothing new").unwrap_err().to_string();
    assert!(again.contains("no new operators to execute"), "{again}");
    assert_eq!(sorted(numbers.map(|n| n * 10).execute_and_collect("second").unwrap()), [10, 20, 30]);
    assert_eq!(sorted(numbers.execute_and_collect("third").unwrap()), [1, 2, 3]);
    let mut seen = seen.lock().clone();
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 3], "the first sink was written to once");
}

#[test]
fn records_of_a_key_keep_their_order_after_a_union() {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(3).set("table.exec.batch-size", 4);
    let side = |from: i64| env.from_iter(move || from..from + 2_000).parallelism(1);
    let values = side(0).union(&side(1_000_000)).rebalance().key_by(|n| (n % 5, n / 1_000_000));
    // Out of order within a key would make a maximum that was seen before.
    let highest = values.reduce(|before, next| if next < before { i64::MIN } else { next });
    let highest = highest.execute_and_collect("order").unwrap();
    assert!(highest.map(Result::unwrap).all(|number| number >= 0));
}

#[test]
fn a_batch_puts_out_final_results_and_knows_no_late_records() {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(2)
        .set_runtime_mode(RuntimeMode::Automatic)
        .set("pipeline.auto-watermark-interval", "1 ms");
    let events = [("a", 1_000_000), ("b", 5), ("a", 7), ("b", 2_000_000)];
    let strategy = || {
        WatermarkStrategy::<(String, i64)>::for_monotonous_timestamps()
            .with_timestamp_assigner(|event, _| event.1)
    };
    let events = env.from_collection(events.map(|(key, at)| (key.to_owned(), at)));
    let timed = events.assign_timestamps_and_watermarks(strategy());
    let sums = timed.key_by_ref(|(key, _)| key).sum(|(_, at)| at);
    assert_eq!(
        sorted(sums.execute_and_collect("sums").unwrap()),
        [("a".to_owned(), 1_000_007), ("b".to_owned(), 2_000_005)]
    );
    let windows =
        flott_datastream::window::TumblingEventTimeWindows::of(std::time::Duration::from_millis(10));
    let counted = timed.map(|(key, at)| (key, at, 1)).key_by_ref(|(key, _, _)| key).window(windows);
    let counted = counted.reduce(|a, b| (a.0, a.1.min(b.1), a.2 + b.2));
    let counted = sorted(counted.execute_and_collect("windows").unwrap());
    assert_eq!(counted.iter().map(|(_, _, count)| count).sum::<i32>(), 4, "{counted:?}");
}

#[test]
fn settings_that_a_stream_cannot_have_are_refused() {
    let refused = |make: fn(&StreamExecutionEnvironment)| {
        let env = StreamExecutionEnvironment::new();
        make(&env);
        env.execute("refused").unwrap_err().to_string()
    };
    let union =
        refused(|env| _ = env.from_sequence(1, 2).union(&env.from_sequence(3, 4)).uid("both").discard());
    assert!(union.contains("belong to an operator"), "{union}");
    let socket = refused(|env| _ = env.socket_text_stream("localhost", 1).parallelism(4).discard());
    assert!(socket.contains("only with one subtask"), "{socket}");
}
