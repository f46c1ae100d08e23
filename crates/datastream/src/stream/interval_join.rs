//! Joins of two keyed streams by distance in event time.

use std::sync::Arc;
use std::time::Duration;

use flott_batch::Record;
use flott_types::Result;

use crate::stream::keyed::KeyedStream;
use crate::stream::transform::factory;
use crate::stream::{ConnectedStreams, DataStream};
use flott_function::join::{JoinContext, ProcessJoinFunction};
use flott_function::output::OutputTag;
use flott_function::state::Key;
use flott_function_operators::interval_join::{Bounds, IntervalJoin as Operator, JoinSides};

/// Two keyed streams to be joined; see [`KeyedStream::interval_join`].
pub struct IntervalJoin<K, L, R> {
    left: KeyedStream<K, L>,
    right: KeyedStream<K, R>,
}

/// Two keyed streams, and how far apart in event time joined records may be.
pub struct IntervalJoined<K, L, R> {
    streams: ConnectedStreams<L, R>,
    sides: JoinSides<K, L, R>,
    bounds: Bounds,
}

impl<K: Key, L: Record> KeyedStream<K, L> {
    /// Joins each record with those of another stream that have the same key and are close in event time.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// # let timed = || WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|e: &(u32, i64), _| e.1);
    /// # let orders = env.from_collection([(1u32, 10_000i64)]).assign_timestamps_and_watermarks(timed());
    /// # let payments = env.from_collection([(1u32, 25_000i64)]).assign_timestamps_and_watermarks(timed());
    /// // Payments within a minute after their order.
    /// let paid = orders
    ///     .key_by(|(id, _)| *id)
    ///     .interval_join(&payments.key_by(|(id, _)| *id))
    ///     .between(0, 60_000)
    ///     .map(|order, payment| (order.0, payment.1 - order.1));
    /// # assert_eq!(paid.execute_and_collect("t")?.last().transpose()?, Some((1, 15_000)));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn interval_join<R: Record>(&self, other: &KeyedStream<K, R>) -> IntervalJoin<K, L, R> {
        IntervalJoin { left: self.clone(), right: other.clone() }
    }
}

impl<K: Key, L: Record, R: Record> IntervalJoin<K, L, R> {
    /// A record of this stream joins those of the other one from this long before it to this long after it,
    /// inclusive.
    pub fn within(&self, before: Duration, after: Duration) -> IntervalJoined<K, L, R> {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        self.between(-millis(before), millis(after))
    }

    /// A record of this stream at `t` joins those of the other one from `t + lower` to `t + upper`, in
    /// milliseconds, inclusive. Either bound may be negative.
    pub fn between(&self, lower: i64, upper: i64) -> IntervalJoined<K, L, R> {
        let IntervalJoin { left, right } = self;
        IntervalJoined {
            streams: ConnectedStreams::new(&left.stream, &right.stream),
            sides: JoinSides {
                left: left.key_by.clone(),
                right: right.key_by.clone(),
                late_left: None,
                late_right: None,
            },
            bounds: Bounds { lower, upper },
        }
    }
}

impl<K: Key, L: Record, R: Record> IntervalJoined<K, L, R> {
    /// Excludes records that are exactly the lower bound apart.
    #[must_use]
    pub fn lower_bound_exclusive(mut self) -> Self {
        self.bounds.lower = self.bounds.lower.saturating_add(1);
        self
    }

    /// Excludes records that are exactly the upper bound apart.
    #[must_use]
    pub fn upper_bound_exclusive(mut self) -> Self {
        self.bounds.upper = self.bounds.upper.saturating_sub(1);
        self
    }

    /// Late records of the first stream go to this side output. Without it they are dropped, and counted in
    /// `numLateRecordsDropped`.
    #[must_use]
    pub fn side_output_left_late_data(mut self, tag: &OutputTag<L>) -> Self {
        self.sides.late_left = Some(tag.clone());
        self
    }

    /// Late records of the second stream go to this side output. Without it they are dropped, and counted in
    /// `numLateRecordsDropped`.
    #[must_use]
    pub fn side_output_right_late_data(mut self, tag: &OutputTag<R>) -> Self {
        self.sides.late_right = Some(tag.clone());
        self
    }

    /// One value for each pair.
    pub fn map<U, F>(self, function: F) -> DataStream<U>
    where
        U: Record,
        F: FnMut(&L, &R) -> U + Clone + Send + 'static,
    {
        self.process(Pairs(function))
    }

    /// Any number of values for each pair. They have the later of the pair's timestamps.
    pub fn process<F>(self, function: F) -> DataStream<F::Out>
    where
        F: ProcessJoinFunction<L, R> + Clone,
    {
        let IntervalJoined { streams, sides, bounds } = self;
        if let Err(error) = bounds.check() {
            streams.first().shared.graph.fail(error);
        }
        let factory = factory((function, sides), move |(function, sides), info, options| {
            let options = Arc::new(options.clone());
            Ok(Box::new(Operator::new(function, sides, bounds, info.max_parallelism, options)?))
        });
        streams.operator("Interval Join", factory).stateful()
    }
}

/// A closure of pairs.
#[derive(Clone)]
struct Pairs<F>(F);

impl<L, R, U, F> ProcessJoinFunction<L, R> for Pairs<F>
where
    U: Record,
    F: FnMut(&L, &R) -> U + Send + 'static,
{
    type Out = U;

    fn process_element(&mut self, left: &L, right: &R, context: &mut JoinContext<'_, U>) -> Result<()> {
        context.collect((self.0)(left, right));
        Ok(())
    }
}
