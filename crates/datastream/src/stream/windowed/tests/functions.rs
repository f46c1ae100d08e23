//! The output of windows, and the states of functions.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::harness::Harness;
use super::{Concat, Listing, Rec, rec, seen};
use crate::environment::StreamExecutionEnvironment;
use crate::facade::window::*;
use crate::stream::DataStream;
use crate::stream::keyed::KeyedStream;
use crate::time::WatermarkStrategy;
use flott_function::output::OutputTag;
use flott_function::runtime_context::RuntimeContext;
use flott_function::state::StateAccess;
use flott_function::state::ValueState;
use flott_types::{Result, Timestamp};

fn minutes() -> TumblingEventTimeWindows {
    TumblingEventTimeWindows::of(Duration::from_millis(10))
}

fn keyed(records: &DataStream<Rec>) -> KeyedStream<String, Rec> {
    records.key_by_ref(|record| &record.key)
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Sale {
    product: String,
    amount: i64,
    price: f64,
}

fn sale(amount: i64, price: f64) -> Sale {
    Sale { product: "tea".to_owned(), amount, price }
}

fn one_window(
    function: impl FnOnce(WindowedStream<String, Sale, TumblingEventTimeWindows>) -> DataStream<Sale>,
) -> Vec<Sale> {
    let mut windows = Harness::new(|sales: DataStream<Sale>| {
        function(sales.key_by_ref(|sale| &sale.product).window(minutes()))
    });
    windows.push([(sale(3, 1.5), 0), (sale(1, 0.5), 1), (sale(4, 2.5), 2), (sale(1, 2.5), 3)]);
    windows.end()
}

#[test]
fn sums_and_extremes() {
    assert_eq!(one_window(|windows| windows.sum(|sale| &mut sale.amount)), [sale(9, 1.5)]);
    assert_eq!(one_window(|windows| windows.min(|sale| &mut sale.amount)), [sale(1, 1.5)]);
    assert_eq!(one_window(|windows| windows.max(|sale| &mut sale.price)), [sale(3, 2.5)]);
    assert_eq!(one_window(|windows| windows.min_by(|sale| sale.amount)), [sale(1, 0.5)]);
    assert_eq!(one_window(|windows| windows.max_by(|sale| sale.price)), [sale(4, 2.5)]);
    let reduced =
        one_window(|windows| windows.reduce(|one, other| sale(one.amount * 10 + other.amount, other.price)));
    assert_eq!(reduced, [sale(3141, 2.5)]);
}

#[test]
fn results_have_the_last_timestamp_of_their_window() {
    let mut windows =
        Harness::new(|records: DataStream<Rec>| keyed(&records).window(minutes()).aggregate(Concat));
    windows.push([(rec("a", 1), 3), (rec("a", 2), 4)]);
    assert_eq!(windows.watermark_timed(9), [(vec![1, 2], Some(9))]);
}

#[test]
fn an_aggregate_and_then_a_function() {
    let mut windows = Harness::new(|records: DataStream<Rec>| {
        keyed(&records).window(minutes()).aggregate_with(Concat, Listing)
    });
    windows.push([(rec("a", 2), 3), (rec("a", 1), 4)]);
    windows.rescale(2);
    assert_eq!(windows.end(), [seen("a", 0, 10, [1, 2])]);
}

#[test]
fn a_closure_of_key_window_and_records() {
    let mut windows = Harness::new(|records: DataStream<Rec>| {
        keyed(&records).window(minutes()).apply(|key, window, records: &[Rec], out| {
            records
                .iter()
                .for_each(|record| out.collect(format!("{key} {} {:?}", window.end, record.numbers)));
        })
    });
    windows.push([(rec("a", 2), 3), (rec("a", 1), 4)]);
    assert_eq!(windows.end(), ["a 10 [2]", "a 10 [1]"]);
}

/// Counts the firings of each window and of each key; reports windows that are gone.
#[derive(Clone)]
struct Firings {
    of_window: ValueState<i64>,
    of_key: ValueState<i64>,
    gone: OutputTag<Timestamp>,
}

impl Firings {
    fn new() -> Self {
        Firings { of_window: ValueState::default(), of_key: ValueState::default(), gone: gone() }
    }
}

fn gone() -> OutputTag<Timestamp> {
    OutputTag::new("gone")
}

fn count(state: ValueState<i64>, states: &mut impl StateAccess) -> i64 {
    let count = state.get(states).copied().unwrap_or_default() + 1;
    state.set(states, count);
    count
}

impl<W: Window> ProcessWindowFunction<String, W, Rec> for Firings {
    type Out = (i64, i64);

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.of_key = context.value_state("firings of keys")?;
        Ok(())
    }

    fn open_window_state(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.of_window = context.value_state("firings of windows")?;
        Ok(())
    }

    fn process(&mut self, _: &[Rec], context: &mut WindowContext<'_, String, W, (i64, i64)>) -> Result<()> {
        let of_window = count(self.of_window, context.window_state());
        let of_key = count(self.of_key, context.global_state());
        context.collect((of_window, of_key));
        Ok(())
    }

    fn clear(&mut self, context: &mut WindowContext<'_, String, W, (i64, i64)>) -> Result<()> {
        self.of_window.clear(context.window_state());
        let last = context.window().max_timestamp();
        context.output(&self.gone, last);
        Ok(())
    }
}

#[test]
fn states_of_windows_and_of_keys() {
    let mut windows = Harness::new(|records: DataStream<Rec>| {
        let windows = keyed(&records).window(minutes()).allowed_lateness(Duration::from_millis(5));
        windows.process(Firings::new())
    });
    windows.push([(rec("a", 1), 3), (rec("a", 2), 13), (rec("b", 3), 3)]);
    assert_eq!(windows.watermark(9), [(1, 1), (1, 1)]);
    assert_eq!(windows.push([(rec("a", 4), 4)]), [(2, 2)]);
    windows.checkpoint(false);
    windows.restore(3);
    windows.watermark(10);
    assert_eq!(windows.push([(rec("a", 5), 5)]), [(3, 3)]);
    assert!(windows.side(&gone()).is_empty());
    windows.watermark(14);
    assert_eq!(windows.side(&gone()), [9, 9]);
    assert_eq!(windows.end(), [(1, 4)]);
    windows.checkpoint(false);
    assert_eq!(windows.rows(), 2, "what is left is what the keys have");
}

#[test]
fn windows_that_merge_have_no_states_of_their_own() {
    let refused = Harness::try_new(|records: DataStream<Rec>| {
        let sessions = EventTimeSessionWindows::with_gap(Duration::from_millis(10));
        keyed(&records).window(sessions).process(Firings::new())
    });
    let refused = refused.err().unwrap();
    assert!(refused.message().contains("merging windows cannot have their own state"), "{refused}");
}

/// Gives two states the same name.
#[derive(Clone)]
struct Twice;

impl ProcessWindowFunction<String, TimeWindow, Rec> for Twice {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        context.value_state::<i64>("x").map(|_| ())
    }

    fn open_window_state(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        context.value_state::<i64>("x").map(|_| ())
    }

    fn process(&mut self, _: &[Rec], _: &mut WindowContext<'_, String, TimeWindow, i64>) -> Result<()> {
        Ok(())
    }
}

#[test]
fn states_of_windows_and_keys_have_different_names() {
    let refused =
        Harness::try_new(|records: DataStream<Rec>| keyed(&records).window(minutes()).process(Twice));
    let refused = refused.err().unwrap();
    assert!(
        refused.message().starts_with("state 'x' is declared both for keys and for windows"),
        "{refused}"
    );
}

/// Uses the state of keys as one of windows.
#[derive(Clone, Default)]
struct Confused {
    of_key: ValueState<i64>,
}

impl ProcessWindowFunction<String, TimeWindow, Rec> for Confused {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.of_key = context.value_state("x")?;
        Ok(())
    }

    fn open_window_state(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        context.value_state::<i64>("y").map(|_| ())
    }

    fn process(&mut self, _: &[Rec], context: &mut WindowContext<'_, String, TimeWindow, i64>) -> Result<()> {
        self.of_key.set(context.window_state(), 1);
        Ok(())
    }
}

#[test]
fn a_state_of_keys_is_none_of_windows() {
    let mut windows = Harness::new(|records: DataStream<Rec>| {
        keyed(&records).window(minutes()).process(Confused::default())
    });
    windows.push([(rec("a", 1), 3)]);
    let refused = windows.try_watermark(9).unwrap_err();
    assert!(refused.message().contains("a state is used that was not declared"), "{refused}");
}

#[test]
fn windows_of_a_whole_stream_run_in_one_subtask() {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(2);
    let numbers = env.from_collection((1..=100i64).collect::<Vec<_>>());
    let strategy = WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|n, _| *n);
    let sums = numbers.assign_timestamps_and_watermarks(strategy);
    let sums = sums.window_all(TumblingEventTimeWindows::of(Duration::from_millis(50)));
    let sums = sums.reduce(|one, other| one + other);
    let mut sums: Vec<i64> = sums.execute_and_collect("sums").unwrap().collect::<Result<_>>().unwrap();
    sums.sort();
    assert_eq!(sums, [100, (1..50).sum(), (50..100).sum()]);
    let numbers = env.from_sequence(1, 2).count_window_all(2).reduce(|one, other| one + other);
    let refused = numbers.parallelism(2).execute_and_collect("refused").err().unwrap();
    assert!(refused.message().contains("only with one subtask"), "{refused}");
}

#[test]
fn windows_of_a_whole_stream_by_count() {
    let mut windows = Harness::new(|records: DataStream<i64>| {
        records.count_window_all(3).apply(|_, _, numbers: &[i64], out| out.collect(numbers.to_vec()))
    });
    assert_eq!(windows.push_untimed(1..=7).unwrap(), [vec![1, 2, 3], vec![4, 5, 6]]);
    windows.rescale(1);
    assert_eq!(windows.push_untimed(8..=9).unwrap(), [vec![7, 8, 9]]);
    let mut windows = Harness::new(|records: DataStream<i64>| {
        records
            .count_window_all_sliding(3, 2)
            .apply(|_, _, numbers: &[i64], out| out.collect(numbers.to_vec()))
    });
    assert_eq!(windows.push_untimed(1..=5).unwrap(), [vec![1, 2], vec![2, 3, 4]]);
}
