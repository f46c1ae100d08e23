//! Two streams for one operator.

use flott_datastream::*;
use serde::{Deserialize, Serialize};

fn environment() -> StreamExecutionEnvironment {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(2);
    env
}

fn sorted<T: Record + Ord>(stream: &DataStream<T>) -> Vec<T> {
    let mut values: Vec<T> = stream.execute_and_collect("test").unwrap().collect::<Result<_>>().unwrap();
    values.sort();
    values
}

#[test]
fn each_stream_has_its_own_function() {
    let env = environment();
    let numbers = env.from_sequence(1, 3);
    let words = env.from_collection(["a", "b"].map(String::from));
    let mapped = numbers.connect(&words).map(|number| format!("{number}"), |word| word + "!");
    assert_eq!(sorted(&mapped), ["1", "2", "3", "a!", "b!"]);
}

#[test]
fn functions_give_any_number_of_values() {
    let env = environment();
    let numbers = env.from_sequence(0, 3);
    let words = env.from_collection(["ab".to_owned()]);
    let flat = numbers.connect(&words).flat_map(
        |number, out| (0..number).for_each(|_| out.collect(number.to_string())),
        |word, out| word.chars().for_each(|letter| out.collect(letter.to_string())),
    );
    assert_eq!(sorted(&flat), ["1", "2", "2", "3", "3", "3", "a", "b"]);
}

#[test]
fn a_function_that_fails_fails_the_job() {
    let env = environment();
    let numbers = env.from_sequence(1, 3);
    let refuse = |word: String| Err(Error::data(format!("no '{word}'")));
    let mapped = numbers.connect(&env.from_collection(["x".to_owned()])).try_map(Ok, refuse);
    let end: Result<Vec<i64>> = mapped.execute_and_collect("test").unwrap().collect();
    let error = end.unwrap_err().to_string();
    assert!(error.contains("no 'x'"), "{error}");
}

/// Counts both streams and emits the counts at the end.
#[derive(Clone, Default)]
struct Totals {
    numbers: i64,
    words: String,
    odd: Option<OutputTag<i64>>,
}

impl CoProcessFunction<i64, String> for Totals {
    type Out = (i64, String);

    fn process_first(&mut self, number: i64, context: &mut ProcessContext<'_, Self::Out>) -> Result<()> {
        self.numbers += number;
        if let Some(odd) = self.odd.as_ref().filter(|_| number % 2 == 1) {
            context.output(odd, number);
        }
        Ok(())
    }

    fn process_second(&mut self, word: String, _: &mut ProcessContext<'_, Self::Out>) -> Result<()> {
        self.words += &word;
        Ok(())
    }

    fn finish(&mut self, context: &mut ProcessContext<'_, Self::Out>) -> Result<()> {
        context.collect((self.numbers, self.words.clone()));
        Ok(())
    }
}

#[test]
fn a_function_sees_both_streams_and_finishes_once_after_both() {
    let env = environment();
    let words = env.from_collection(["a", "a"].map(String::from));
    let totals = env.from_sequence(1, 4).connect(&words).process(Totals::default()).parallelism(1);
    assert_eq!(sorted(&totals), [(10, "aa".to_owned())]);
}

#[test]
fn a_function_of_two_streams_has_side_outputs() {
    let env = environment();
    let odd = OutputTag::new("odd");
    let words = env.from_collection(["a"].map(String::from));
    let function = Totals { odd: Some(odd.clone()), ..Totals::default() };
    let totals = env.from_sequence(1, 4).connect(&words).process(function);
    assert_eq!(sorted(&totals.side_output(&odd)), [1, 3]);
}

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    share: String,
    amount: u64,
}

/// Multiplies orders with prices of the same share, whichever comes first. A share without price is told by a
/// timer.
#[derive(Clone, Default)]
struct Invoice {
    price: ValueState<u64>,
    ordered: ValueState<u64>,
}

impl Invoice {
    fn settle(&self, context: &mut KeyedContext<'_, String, String>) {
        if let (Some(price), Some(ordered)) = (self.price.get(context), self.ordered.get(context)) {
            let text = format!("{} {}", context.current_key(), price * ordered);
            context.collect(text);
        }
    }
}

impl KeyedCoProcessFunction<String, Order, (u64, String)> for Invoice {
    type Out = String;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.price = context.value_state("price")?;
        self.ordered = context.value_state("ordered")?;
        Ok(())
    }

    fn process_first(&mut self, order: Order, context: &mut KeyedContext<'_, String, String>) -> Result<()> {
        self.ordered.set(context, order.amount);
        context.register_event_time_timer(1_000);
        self.settle(context);
        Ok(())
    }

    fn process_second(
        &mut self,
        (price, _): (u64, String),
        context: &mut KeyedContext<'_, String, String>,
    ) -> Result<()> {
        self.price.set(context, price);
        self.settle(context);
        Ok(())
    }

    fn on_timer(&mut self, at: Timestamp, context: &mut KeyedContext<'_, String, String>) -> Result<()> {
        if self.price.get(context).is_none() {
            let text = format!("{} has no price at {at}", context.current_key());
            context.collect(text);
        }
        Ok(())
    }
}

fn orders(env: &StreamExecutionEnvironment) -> DataStream<Order> {
    let order = |(share, amount): (&str, u64)| Order { share: share.to_owned(), amount };
    env.from_collection([("x", 2), ("y", 3), ("z", 4)].map(order))
}

fn prices(env: &StreamExecutionEnvironment) -> DataStream<(u64, String)> {
    env.from_collection([(10, "y"), (100, "x")].map(|(price, share)| (price, share.to_owned())))
}

#[test]
fn two_keyed_streams_share_state_and_timers() {
    let expected = ["x 200", "y 30", "z has no price at 1000"];
    let env = environment();
    let orders_by_share = orders(&env).key_by_ref(|order| &order.share);
    let invoices =
        orders_by_share.connect(&prices(&env).key_by(|(_, share)| share.clone())).process(Invoice::default());
    assert_eq!(sorted(&invoices), expected);

    let env = environment();
    let connected = orders(&env).connect(&prices(&env));
    let invoices =
        connected.key_by(|order| order.share.clone(), |(_, share)| share.clone()).process(Invoice::default());
    assert_eq!(sorted(&invoices), expected);
}

#[test]
fn streams_of_two_environments_are_refused() {
    let (one, other) = (environment(), environment());
    let connected = one.from_sequence(1, 2).connect(&other.from_sequence(1, 2)).map(|n| n, |n| n);
    let error = connected.execute_and_collect("test").err().unwrap().to_string();
    assert_eq!(error, "streams of two environments cannot be connected");
}
