//! Accumulators, while a job runs and when it has ended.

use flott_datastream::accumulator::{
    Accumulator, AccumulatorHandle, AverageAccumulator, DoubleCounter, HistogramAccumulator, IntCounter,
    ListAccumulator, LongCounter, Maximum, Minimum,
};
use flott_datastream::{
    FilterFunction, FlatMapFunction, KeyedContext, KeyedProcessFunction, MapFunction, Result, RuntimeContext,
};
use serde::{Deserialize, Serialize};

use crate::support::{Feed, Seen, environment};

/// The numbers of bits of values.
#[derive(Default, Serialize, Deserialize)]
struct Bits(u64);

impl Accumulator for Bits {
    type Input = i64;
    type Output = u32;

    fn add(&mut self, value: i64) {
        self.0 |= value as u64;
    }

    fn merge(&mut self, other: Self) {
        self.0 |= other.0;
    }

    fn into_value(self) -> u32 {
        self.0.count_ones()
    }
}

#[derive(Clone, Default)]
struct All {
    ints: AccumulatorHandle<IntCounter>,
    longs: AccumulatorHandle<LongCounter>,
    doubles: AccumulatorHandle<DoubleCounter>,
    averages: AccumulatorHandle<AverageAccumulator>,
    histogram: AccumulatorHandle<HistogramAccumulator>,
    least: AccumulatorHandle<Minimum<i64>>,
    greatest: AccumulatorHandle<Maximum<i64>>,
    list: AccumulatorHandle<ListAccumulator<i64>>,
    bits: AccumulatorHandle<Bits>,
}

impl MapFunction<i64> for All {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.ints = context.accumulator("ints")?;
        self.longs = context.accumulator("longs")?;
        self.doubles = context.accumulator("doubles")?;
        self.averages = context.accumulator("averages")?;
        self.histogram = context.accumulator("histogram")?;
        self.least = context.accumulator("least")?;
        self.greatest = context.accumulator("greatest")?;
        self.list = context.accumulator("list")?;
        self.bits = context.accumulator("bits")?;
        Ok(())
    }

    fn map(&mut self, value: i64) -> Result<i64> {
        self.ints.add(value as i32);
        self.longs.add(value);
        self.doubles.add(value as f64 / 2.0);
        self.averages.add(value as f64);
        self.histogram.add(value % 3);
        self.least.add(value);
        self.greatest.add(value);
        self.list.add(value);
        self.bits.add(value);
        Ok(value)
    }
}

#[test]
fn accumulators_are_of_all_subtasks_together() {
    let env = environment(3, None);
    env.from_sequence(1, 30).map_with(All::default()).discard();
    let result = env.execute("all").unwrap();
    assert_eq!(result.accumulator::<IntCounter>("ints").unwrap(), Some(465));
    assert_eq!(result.accumulator::<LongCounter>("longs").unwrap(), Some(465));
    assert_eq!(result.accumulator::<DoubleCounter>("doubles").unwrap(), Some(232.5));
    assert_eq!(result.accumulator::<AverageAccumulator>("averages").unwrap(), Some(Some(15.5)));
    let thirds = result.accumulator::<HistogramAccumulator>("histogram").unwrap();
    assert_eq!(thirds, Some([(0, 10), (1, 10), (2, 10)].into()));
    assert_eq!(result.accumulator::<Minimum<i64>>("least").unwrap(), Some(Some(1)));
    assert_eq!(result.accumulator::<Maximum<i64>>("greatest").unwrap(), Some(Some(30)));
    let mut list = result.accumulator::<ListAccumulator<i64>>("list").unwrap().unwrap();
    list.sort_unstable();
    assert_eq!(list, (1..=30).collect::<Vec<_>>());
    assert_eq!(result.accumulator::<Bits>("bits").unwrap(), Some(5));
    assert_eq!(result.accumulators().names().count(), 9);
    assert_eq!(result.accumulator::<LongCounter>("nothing").unwrap(), None);
    let error = result.accumulator::<LongCounter>("ints").unwrap_err().to_string();
    assert!(error.contains("accumulator 'ints'") && error.contains("IntCounter"), "{error}");
}

#[derive(Clone, Default)]
struct Counted(AccumulatorHandle<LongCounter>);

impl FlatMapFunction<i64> for Counted {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.0 = context.accumulator("seen")?;
        Ok(())
    }

    fn flat_map(&mut self, value: i64, out: &mut flott_datastream::Collector<'_, i64>) -> Result<()> {
        self.0.add(1);
        out.collect(value);
        Ok(())
    }
}

impl FilterFunction<i64> for Counted {
    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        FlatMapFunction::open(self, context)
    }

    fn filter(&mut self, _: &i64) -> Result<bool> {
        self.0.add(1);
        Ok(true)
    }
}

impl KeyedProcessFunction<i64, i64> for Counted {
    type Out = i64;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        FlatMapFunction::open(self, context)
    }

    fn process_element(&mut self, value: i64, context: &mut KeyedContext<'_, i64, i64>) -> Result<()> {
        self.0.add(1);
        context.collect(value);
        Ok(())
    }
}

#[test]
fn accumulators_of_one_name_in_several_operators_are_one_and_can_be_read_while_the_job_runs() {
    let env = environment(2, None);
    let feed = Feed::new();
    let values = feed.stream(&env).rebalance().flat_map_with(Counted::default());
    let values = values.filter_with(Counted::default()).key_by(|n| n % 7).process(Counted::default());
    let seen = Seen::of(&values);
    let job = env.execute_async("counted").unwrap();
    for round in 1..=3 {
        feed.push(0..10);
        seen.take(10, &job);
        assert_eq!(job.accumulators().get::<LongCounter>("seen").unwrap(), Some(30 * round));
    }
    job.cancel();
}
