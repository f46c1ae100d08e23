//! A stream together with one that all subtasks see.

use flott_datastream::state::OperatorStateAccess;
use flott_datastream::*;

/// Orders wait until the rule for their kind has come; then its factor applies to them.
#[derive(Clone, Default)]
struct Rated {
    rates: BroadcastState<String, i64>,
    waiting: OperatorListState<(String, i64)>,
}

impl Rated {
    fn release<C: OperatorStateAccess>(&self, context: &mut C) -> Vec<i64> {
        let waiting = self.waiting.take(context);
        let (known, unknown): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(kind, _)| self.rates.contains(context, kind));
        self.waiting.add_all(context, unknown);
        let rate = |kind: &String| self.rates.get(context, kind).copied().unwrap_or(0);
        known.iter().map(|(kind, amount)| amount * rate(kind)).collect()
    }
}

impl BroadcastProcessFunction<(String, i64), (String, i64)> for Rated {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.rates = context.broadcast_state("rates")?;
        self.waiting = context.operator_list_state("waiting")?;
        Ok(())
    }

    fn process_element(
        &mut self,
        order: (String, i64),
        context: &mut ReadOnlyContext<'_, i64>,
    ) -> Result<()> {
        self.waiting.add(context, order);
        self.release(context).into_iter().for_each(|amount| context.collect(amount));
        Ok(())
    }

    fn process_broadcast_element(
        &mut self,
        (kind, rate): (String, i64),
        context: &mut BroadcastContext<'_, i64>,
    ) -> Result<()> {
        self.rates.insert(context, kind, rate);
        self.release(context).into_iter().for_each(|amount| context.collect(amount));
        Ok(())
    }
}

fn orders(env: &StreamExecutionEnvironment) -> DataStream<(String, i64)> {
    let order = |n: i64| (if n % 2 == 0 { "even" } else { "odd" }.to_owned(), n);
    env.from_sequence(1, 100).map(order).rebalance()
}

fn rates(env: &StreamExecutionEnvironment) -> DataStream<(String, i64)> {
    env.from_collection([("even", 10), ("odd", 1_000)].map(|(kind, rate)| (kind.to_owned(), rate)))
}

fn collected(stream: &DataStream<i64>) -> i64 {
    stream.execute_and_collect("test").unwrap().map(Result::unwrap).sum()
}

#[test]
fn every_subtask_sees_every_broadcast_value() {
    for parallelism in [1, 3] {
        let env = StreamExecutionEnvironment::new();
        env.set_parallelism(parallelism);
        let rated = orders(&env).connect_broadcast(&rates(&env)).process(Rated::default());
        assert_eq!(collected(&rated), 2_550 * 10 + 2_500 * 1_000);
    }
}

/// Counts by key; a broadcast value adds to the counts of all keys that are there by then, and at the end of
/// time each key tells its count.
#[derive(Clone, Default)]
struct Counts {
    count: ValueState<i64>,
    bonus: BroadcastState<(), i64>,
}

impl KeyedBroadcastProcessFunction<i64, i64, i64> for Counts {
    type Out = (i64, i64);

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.count = context.value_state("count")?;
        self.bonus = context.broadcast_state("bonus")?;
        Ok(())
    }

    fn process_element(&mut self, _: i64, context: &mut KeyedContext<'_, i64, Self::Out>) -> Result<()> {
        let count = match self.count.get(context) {
            Some(count) => count + 1,
            // Those who come later find the bonus in the broadcast state.
            None => 1 + self.bonus.get(context, &()).copied().unwrap_or(0),
        };
        self.count.set(context, count);
        context.register_event_time_timer(i64::MAX - 1);
        Ok(())
    }

    fn process_broadcast_element(
        &mut self,
        bonus: i64,
        context: &mut KeyedBroadcastContext<'_, i64, Self::Out>,
    ) -> Result<()> {
        self.bonus.insert(context, (), bonus);
        context.apply_to_keyed_state(|_, states| {
            if let Some(count) = self.count.get_mut(states) {
                *count += bonus;
            }
            Ok(())
        })
    }

    fn on_timer(&mut self, _: Timestamp, context: &mut KeyedContext<'_, i64, Self::Out>) -> Result<()> {
        let count = self.count.take(context).unwrap_or(0);
        let key = *context.current_key();
        context.collect((key, count));
        Ok(())
    }
}

#[test]
fn a_broadcast_value_reaches_the_state_of_all_keys() {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(2);
    let numbers = env.from_sequence(0, 99).key_by(|n| n % 10);
    let counts = numbers.connect_broadcast(&env.from_collection([1_000])).process(Counts::default());
    let counts = counts.execute_and_collect("test").unwrap();
    let mut counts: Vec<(i64, i64)> = counts.collect::<Result<_>>().unwrap();
    counts.sort();
    assert_eq!(counts, (0..10).map(|key| (key, 1_010)).collect::<Vec<_>>());
}
