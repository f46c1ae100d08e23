//! Rich functions on two streams, on joined and on grouped ones.

use std::time::Duration;

use flott_datastream::window::TumblingEventTimeWindows;
use flott_datastream::*;

use crate::support::environment;

fn sorted<T: Record + Ord>(stream: &DataStream<T>) -> Vec<T> {
    let mut values: Vec<T> = stream.execute_and_collect("test").unwrap().collect::<Result<_>>().unwrap();
    values.sort();
    values
}

/// Counts what it saw of both streams; `open` gives it the first number.
#[derive(Clone, Default)]
struct Number(u64);

impl CoMapFunction<i64, String> for Number {
    type Out = (u64, String);

    fn open(&mut self, _: &mut RuntimeContext<'_>) -> Result<()> {
        self.0 = 100;
        Ok(())
    }

    fn map_first(&mut self, value: i64) -> Result<Self::Out> {
        self.0 += 1;
        Ok((self.0, value.to_string()))
    }

    fn map_second(&mut self, value: String) -> Result<Self::Out> {
        self.0 += 1;
        Ok((self.0, value))
    }
}

impl CoFlatMapFunction<i64, String> for Number {
    type Out = String;

    fn flat_map_first(&mut self, value: i64, out: &mut Collector<'_, String>) -> Result<()> {
        (0..value).for_each(|n| out.collect(n.to_string()));
        Ok(())
    }

    fn flat_map_second(&mut self, value: String, out: &mut Collector<'_, String>) -> Result<()> {
        value.split(' ').for_each(|word| out.collect(word.to_owned()));
        Ok(())
    }
}

#[test]
fn one_function_sees_both_streams() {
    let env = environment(1, None);
    let connected = |env: &StreamExecutionEnvironment| {
        let words: DataStream<String> = env.from_collection(["x y"]);
        env.from_collection([2i64]).connect(&words)
    };
    let numbers: Vec<u64> =
        sorted(&connected(&env).map_with(Number::default())).iter().map(|(n, _)| *n).collect();
    assert_eq!(numbers, [101, 102]);
    assert_eq!(sorted(&connected(&env).flat_map_with(Number::default())), ["0", "1", "x", "y"]);
}

/// The sum of what both streams have of a key, in one state.
#[derive(Clone, Default)]
struct Balance(ValueState<i64>);

impl KeyedCoMapFunction<String, (String, i64), (i64, String)> for Balance {
    type Out = (String, i64);

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.0 = context.value_state("balance")?;
        Ok(())
    }

    fn map_first(
        &mut self,
        (key, amount): (String, i64),
        states: &mut KeyedStates<'_, '_, String>,
    ) -> Result<Self::Out> {
        let balance = self.0.get_or_default(states) + amount;
        self.0.set(states, balance);
        Ok((key, balance))
    }

    fn map_second(
        &mut self,
        (amount, key): (i64, String),
        states: &mut KeyedStates<'_, '_, String>,
    ) -> Result<Self::Out> {
        self.map_first((key, -amount), states)
    }
}

impl KeyedCoFlatMapFunction<String, (String, i64), (i64, String)> for Balance {
    type Out = String;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.0 = context.value_state("balance")?;
        Ok(())
    }

    fn flat_map_first(
        &mut self,
        (key, amount): (String, i64),
        states: &mut KeyedStates<'_, '_, String>,
        out: &mut Collector<'_, String>,
    ) -> Result<()> {
        let balance = self.0.get_or_default(states) + amount;
        self.0.set(states, balance);
        // Whichever comes last sees both.
        if balance == 6 {
            out.collect(key);
        }
        Ok(())
    }

    fn flat_map_second(
        &mut self,
        (amount, key): (i64, String),
        states: &mut KeyedStates<'_, '_, String>,
        out: &mut Collector<'_, String>,
    ) -> Result<()> {
        self.flat_map_first((key, -amount), states, out)
    }
}

#[test]
fn both_streams_share_the_state_of_a_key() {
    let env = environment(2, None);
    let connected = |env: &StreamExecutionEnvironment| {
        let deposits: DataStream<(String, i64)> = env.from_collection([("a", 10), ("b", 5)]);
        let payments = env.from_collection([(4i64, "a".to_owned())]);
        deposits.connect(&payments).key_by(|(key, _)| key.clone(), |(_, key)| key.clone())
    };
    let balances = sorted(&connected(&env).map_with(Balance::default()));
    let last = |key: &str| balances.iter().filter(|(of, _)| of == key).count();
    assert_eq!((last("a"), last("b")), (2, 1));
    let six = ("a".to_owned(), 6);
    assert!(balances.contains(&six) && balances.contains(&("b".to_owned(), 5)), "{balances:?}");
    assert_eq!(sorted(&connected(&env).flat_map_with(Balance::default())), ["a"]);
    let sizes = connected(&env).map(|(key, _)| key.len(), |(_, key)| key.len() + 10);
    assert_eq!(sorted(&sizes), [1, 1, 11]);
}

/// Numbers what it joins, from what `open` says on.
#[derive(Clone, Default)]
struct Numbered(u64);

impl JoinFunction<(i64, i64), (i64, i64)> for Numbered {
    type Out = (u64, i64);

    fn open(&mut self, _: &mut RuntimeContext<'_>) -> Result<()> {
        self.0 = 10;
        Ok(())
    }

    fn join(&mut self, left: &(i64, i64), right: &(i64, i64)) -> Result<Self::Out> {
        self.0 += 1;
        Ok((self.0, left.1 * right.1))
    }
}

impl FlatJoinFunction<(i64, i64), (i64, i64)> for Numbered {
    type Out = i64;

    fn join(&mut self, left: &(i64, i64), right: &(i64, i64), out: &mut Collector<'_, i64>) -> Result<()> {
        out.collect(left.1);
        out.collect(right.1);
        Ok(())
    }
}

impl CoGroupFunction<(i64, i64), (i64, i64)> for Numbered {
    type Out = (usize, usize);

    fn co_group(
        &mut self,
        left: &[&(i64, i64)],
        right: &[&(i64, i64)],
        out: &mut Collector<'_, Self::Out>,
    ) -> Result<()> {
        out.collect((left.len(), right.len()));
        Ok(())
    }
}

#[test]
fn windows_of_two_streams_have_rich_functions() {
    let env = environment(1, None);
    let timed = |values: Vec<(i64, i64)>| {
        let strategy = WatermarkStrategy::for_bounded_out_of_orderness(Duration::from_secs(60));
        let strategy = strategy.with_timestamp_assigner(|value: &(i64, i64), _| value.1);
        env.from_collection(values).assign_timestamps_and_watermarks(strategy)
    };
    let left = || timed(vec![(1, 2), (1, 3), (2, 4)]);
    let right = || timed(vec![(1, 5)]);
    let tens = || TumblingEventTimeWindows::of(Duration::from_millis(10));
    let joined = || left().join(&right()).where_(|v| v.0).equal_to(|v| v.0).window(tens());
    assert_eq!(sorted(&joined().apply_with(Numbered::default())), [(11, 10), (12, 15)]);
    assert_eq!(sorted(&joined().flat_apply_with(Numbered::default())), [2, 3, 5, 5]);
    let grouped = left().co_group(&right()).where_(|v| v.0).equal_to(|v| v.0).window(tens());
    assert_eq!(sorted(&grouped.apply_with(Numbered::default())), [(1, 0), (2, 1)]);
}
