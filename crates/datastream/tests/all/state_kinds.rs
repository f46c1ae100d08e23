//! Every kind of keyed state through a savepoint, at another parallelism.

use flott_datastream::{
    AggregateFunction, AggregatingState, KeyedContext, KeyedProcessFunction, ListState, MapState,
    ReducingState, Result, RuntimeContext, ValueState,
};

use crate::support::{Feed, Seen, environment, stop};

#[derive(Clone)]
struct Average;

impl AggregateFunction for Average {
    type In = i64;
    type Acc = (i64, i64);
    type Out = i64;

    fn create_accumulator(&self) -> (i64, i64) {
        (0, 0)
    }

    fn add(&self, value: i64, acc: &mut (i64, i64)) {
        *acc = (acc.0 + value, acc.1 + 1);
    }

    fn get_result(&self, acc: &(i64, i64)) -> i64 {
        acc.0 / acc.1
    }

    fn merge(&self, into: &mut (i64, i64), other: (i64, i64)) {
        *into = (into.0 + other.0, into.1 + other.1);
    }
}

/// Puts out all that it knows of a key.
#[derive(Clone, Default)]
struct Everything {
    last: ValueState<i64>,
    all: ListState<i64>,
    counts: MapState<i64, u32>,
    highest: ReducingState<i64>,
    average: AggregatingState<Average>,
}

type Known = (u32, i64, Vec<i64>, Vec<(i64, u32)>, i64, i64);

impl KeyedProcessFunction<u32, (u32, i64)> for Everything {
    type Out = Known;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.last = context.value_state("last")?;
        self.all = context.list_state("all")?;
        self.counts = context.map_state("counts")?;
        self.highest = context.reducing_state("highest", i64::max)?;
        self.average = context.aggregating_state("average", Average)?;
        Ok(())
    }

    fn process_element(
        &mut self,
        (key, value): (u32, i64),
        ctx: &mut KeyedContext<'_, u32, Known>,
    ) -> Result<()> {
        if value == 0 {
            self.last.clear(ctx);
            self.all.clear(ctx);
            self.counts.clear(ctx);
            self.highest.clear(ctx);
            self.average.clear(ctx);
            return Ok(());
        }
        self.last.set(ctx, value);
        self.all.add(ctx, value);
        match self.counts.get_mut(ctx, &value) {
            Some(count) => *count += 1,
            None => _ = self.counts.insert(ctx, value, 1),
        }
        self.highest.add(ctx, value);
        self.average.add(ctx, value);
        let mut counts: Vec<_> = self.counts.iter(ctx).map(|(value, count)| (*value, *count)).collect();
        counts.sort_unstable();
        let known = (
            key,
            self.last.get(ctx).copied().unwrap_or(-1),
            self.all.iter(ctx).copied().collect(),
            counts,
            self.highest.get(ctx).copied().unwrap_or(-1),
            self.average.get(ctx).unwrap_or(-1),
        );
        ctx.collect(known);
        Ok(())
    }
}

#[test]
fn all_kinds_of_keyed_state_are_restored_at_another_parallelism() {
    let folder = tempfile::tempdir().unwrap();
    let mut savepoint = None;
    // Key 0 gets 1, 2, 3, 4; key 1 gets 10, 20, ... and so on.
    for (round, parallelism) in [(1, 2), (2, 3), (3, 1), (4, 2)] {
        let env = environment(parallelism, savepoint.as_deref());
        let feed = Feed::new();
        let known =
            feed.stream(&env).key_by(|(key, _)| *key).process(Everything::default()).uid("everything");
        let seen = Seen::of(&known);
        let job = env.execute_async("kinds").unwrap();
        feed.push((0..40u32).map(|key| (key, round + 10 * i64::from(key))));
        let expected = (0..40u32).map(|key| {
            let values: Vec<i64> = (1..=round).map(|round| round + 10 * i64::from(key)).collect();
            let counts = values.iter().map(|value| (*value, 1)).collect();
            let (last, sum) = (values[values.len() - 1], values.iter().sum::<i64>());
            (key, last, values, counts, last, sum / round)
        });
        assert_eq!(seen.take(40, &job), expected.collect::<Vec<_>>(), "round {round}");
        savepoint = Some(stop(&job, &folder));
    }
    // What is cleared is not in the next savepoint.
    let env = environment(2, savepoint.as_deref());
    let feed = Feed::new();
    let known = feed.stream(&env).key_by(|(key, _)| *key).process(Everything::default()).uid("everything");
    let seen = Seen::of(&known);
    let job = env.execute_async("kinds").unwrap();
    feed.push((0..40).map(|key| (key, 0)));
    feed.push([(7, 5)]);
    assert_eq!(seen.take(1, &job), [(7, 5, vec![5], vec![(5, 1)], 5, 5)]);
    savepoint = Some(stop(&job, &folder));
    let env = environment(3, savepoint.as_deref());
    let feed = Feed::new();
    let known = feed.stream(&env).key_by(|(key, _)| *key).process(Everything::default()).uid("everything");
    let seen = Seen::of(&known);
    let job = env.execute_async("kinds").unwrap();
    feed.push([(7, 5), (8, 6)]);
    assert_eq!(
        seen.take(2, &job),
        [(7, 5, vec![5, 5], vec![(5, 2)], 5, 5), (8, 6, vec![6], vec![(6, 1)], 6, 6)]
    );
    job.cancel();
}

#[derive(Clone, Default)]
struct Twice;

impl KeyedProcessFunction<u32, u32> for Twice {
    type Out = u32;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        context.value_state::<u32>("it")?;
        context.list_state::<u32>("it")?;
        Ok(())
    }

    fn process_element(&mut self, _: u32, _: &mut KeyedContext<'_, u32, u32>) -> Result<()> {
        Ok(())
    }
}

#[test]
fn two_states_cannot_have_one_name() {
    let env = environment(1, None);
    env.from_collection([1u32]).key_by(|n| *n).process(Twice).discard();
    let error = env.execute("twice").unwrap_err().to_string();
    assert!(error.contains("state 'it' is declared twice"), "{error}");
}

#[derive(Clone, Default)]
struct Timers;

impl KeyedProcessFunction<u32, u32> for Timers {
    type Out = u32;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        context.value_state::<u32>("event-time-timers").map(drop)
    }

    fn process_element(&mut self, _: u32, _: &mut KeyedContext<'_, u32, u32>) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_state_cannot_have_a_name_of_the_operators_own() {
    let env = environment(1, None);
    env.from_collection([1u32]).key_by(|n| *n).process(Timers).discard();
    let error = env.execute("timers").unwrap_err().to_string();
    assert!(error.contains("state 'event-time-timers' has a name that the operator uses itself"), "{error}");
}

#[derive(Clone, Default)]
struct Undeclared(MapState<u32, u32>);

impl KeyedProcessFunction<u32, u32> for Undeclared {
    type Out = u32;

    fn process_element(&mut self, value: u32, context: &mut KeyedContext<'_, u32, u32>) -> Result<()> {
        self.0.insert(context, value, value);
        Ok(())
    }
}

#[test]
fn using_a_state_that_was_not_declared_fails_the_job_and_says_what_to_do() {
    let env = environment(1, None);
    env.from_collection([1u32]).key_by(|n| *n).process(Undeclared::default()).discard();
    let error = env.execute("undeclared").unwrap_err().to_string();
    assert!(error.contains("declare it in `open`"), "{error}");
}
