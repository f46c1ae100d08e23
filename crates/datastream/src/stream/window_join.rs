//! Window joins and co-groups: both streams become one stream of tagged values, and each window is split into
//! its two sides.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::Record;
use flott_types::{Error, Result};

use super::TaggedUnion;
use crate::stream::DataStream;
use crate::stream::keyed::KeyedStream;
use crate::stream::windowed::WindowedStream;
use flott_function::life_cycle_of;
use flott_function::output::Collector;
use flott_function::output::Of;
use flott_function::state::{ByValue, Key};
use flott_function::window_join::{CoGroupFunction, FlatJoinFunction, JoinFunction};
use flott_function_windows::assigner::WindowAssigner;
use flott_function_windows::evictor::Evictor;
use flott_function_windows::function::{ProcessWindowFunction, WindowContext};
use flott_function_windows::trigger::Trigger;

/// Two streams to be joined in windows, pair by pair; see [`DataStream::join`].
pub type JoinedStreams<L, R> = Joining<L, R, OfPairs>;

/// Two streams to be grouped together in windows; see [`DataStream::co_group`].
pub type CoGroupedStreams<L, R> = Joining<L, R, OfGroups>;

/// The output of windows: pairs.
#[doc(hidden)]
pub struct OfPairs;

/// The output of windows: groups.
#[doc(hidden)]
pub struct OfGroups;

/// Two streams to be joined in windows.
pub struct Joining<L, R, M> {
    left: DataStream<L>,
    right: DataStream<R>,
    of: Of<M>,
}

/// Two streams to be joined in windows, with the key of the first.
pub struct JoiningWhere<K, L, R, M> {
    streams: Joining<L, R, M>,
    key: Box<dyn Fn(&L) -> K + Send + Sync>,
}

/// Two streams to be joined by key in windows.
pub struct JoiningKeyed<K, L, R, M> {
    keyed: KeyedStream<K, TaggedUnion<L, R>>,
    of: Of<M>,
}

/// Two streams joined by key in windows.
pub struct WindowedJoining<K, L, R, A: WindowAssigner<TaggedUnion<L, R>>, M> {
    windows: WindowedStream<K, TaggedUnion<L, R>, A>,
    of: Of<M>,
}

impl<L: Record + Clone> DataStream<L> {
    /// Pairs of records of two streams that have the same key and are in the same window.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # use flott_datastream::window::TumblingEventTimeWindows;
    /// # use std::time::Duration;
    /// # let env = StreamExecutionEnvironment::new();
    /// # let timed = || WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|e: &(u32, i64), _| e.1);
    /// # let orders = env.from_collection([(1u32, 10_000i64)]).assign_timestamps_and_watermarks(timed());
    /// # let payments = env.from_collection([(1u32, 25_000i64)]).assign_timestamps_and_watermarks(timed());
    /// let paid = orders
    ///     .join(&payments)
    ///     .where_(|(id, _)| *id)
    ///     .equal_to(|(id, _)| *id)
    ///     .window(TumblingEventTimeWindows::of(Duration::from_mins(1)))
    ///     .apply(|order, payment| (order.0, payment.1 - order.1));
    /// # assert_eq!(paid.execute_and_collect("t")?.last().transpose()?, Some((1, 15_000)));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn join<R: Record + Clone>(&self, other: &DataStream<R>) -> JoinedStreams<L, R> {
        Joining { left: self.clone(), right: other.clone(), of: PhantomData }
    }

    /// For each key and window the records of two streams, even if one of them has none.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # use flott_datastream::window::TumblingEventTimeWindows;
    /// # use std::time::Duration;
    /// # let env = StreamExecutionEnvironment::new();
    /// # let timed = || WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|e: &(u32, i64), _| e.1);
    /// # let orders = env.from_collection([(1u32, 10_000i64)]).assign_timestamps_and_watermarks(timed());
    /// # let payments = env.from_collection([(1u32, 25_000i64)]).assign_timestamps_and_watermarks(timed());
    /// let counts = orders
    ///     .co_group(&payments)
    ///     .where_(|(id, _)| *id)
    ///     .equal_to(|(id, _)| *id)
    ///     .window(TumblingEventTimeWindows::of(Duration::from_secs(20)))
    ///     .apply(|orders, payments, out| out.collect((orders.len(), payments.len())));
    /// # let mut counts = counts.execute_and_collect("t")?.collect::<Result<Vec<_>>>()?;
    /// # counts.sort();
    /// # assert_eq!(counts, [(0, 1), (1, 0)]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn co_group<R: Record + Clone>(&self, other: &DataStream<R>) -> CoGroupedStreams<L, R> {
        Joining { left: self.clone(), right: other.clone(), of: PhantomData }
    }
}

impl<L: Record + Clone, R: Record + Clone, M> Joining<L, R, M> {
    /// The key of the first stream.
    pub fn where_<K: Key>(self, key: impl Fn(&L) -> K + Send + Sync + 'static) -> JoiningWhere<K, L, R, M> {
        JoiningWhere { streams: self, key: Box::new(key) }
    }
}

impl<K: Key, L: Record + Clone, R: Record + Clone, M> JoiningWhere<K, L, R, M> {
    /// The key of the second stream.
    pub fn equal_to(self, key: impl Fn(&R) -> K + Send + Sync + 'static) -> JoiningKeyed<K, L, R, M> {
        let JoiningWhere { streams: Joining { left, right, .. }, key: left_key } = self;
        if !left.shared.graph.is(&right.shared.graph) {
            left.shared.graph.fail(Error::invalid("streams of two environments cannot be joined"));
        }
        let key_by = Arc::new(ByValue(move |value: &TaggedUnion<L, R>| match value {
            TaggedUnion::First(first) => left_key(first),
            TaggedUnion::Second(second) => key(second),
        }));
        let (first, second) = (left.map(TaggedUnion::First), right.map(TaggedUnion::Second));
        left.same_parallelism(&first);
        right.same_parallelism(&second);
        let second = second.keyed(key_by.clone()).stream;
        let first = first.keyed(key_by);
        let keyed = KeyedStream::new(first.stream.union(&second), first.key_by);
        JoiningKeyed { keyed, of: PhantomData }
    }
}

impl<K: Key, L: Record + Clone, R: Record + Clone, M> JoiningKeyed<K, L, R, M> {
    /// Assigns the records of both streams to windows.
    pub fn window<A: WindowAssigner<TaggedUnion<L, R>>>(self, assigner: A) -> WindowedJoining<K, L, R, A, M> {
        WindowedJoining { windows: self.keyed.window(assigner), of: PhantomData }
    }
}

impl<K, L, R, A, M> WindowedJoining<K, L, R, A, M>
where
    K: Key,
    L: Record + Clone,
    R: Record + Clone,
    A: WindowAssigner<TaggedUnion<L, R>>,
{
    fn change(
        self,
        change: impl FnOnce(WindowedStream<K, TaggedUnion<L, R>, A>) -> WindowedStream<K, TaggedUnion<L, R>, A>,
    ) -> Self {
        WindowedJoining { windows: change(self.windows), of: PhantomData }
    }

    /// When windows fire, instead of the assigner's default trigger.
    #[must_use]
    pub fn trigger(self, trigger: impl Trigger<TaggedUnion<L, R>, A::Window> + Clone) -> Self {
        self.change(|windows| windows.trigger(trigger))
    }

    /// What windows evict when they fire.
    #[must_use]
    pub fn evictor(self, evictor: impl Evictor<TaggedUnion<L, R>, A::Window> + Clone) -> Self {
        self.change(|windows| windows.evictor(evictor))
    }

    /// For how long after its end in event time a window still accepts records, and fires again with its
    /// contents.
    #[must_use]
    pub fn allowed_lateness(self, lateness: Duration) -> Self {
        self.change(|windows| windows.allowed_lateness(lateness))
    }

    fn groups<O, F>(self, mut function: F) -> DataStream<O>
    where
        O: Record,
        F: FnMut(&[&L], &[&R], &mut Collector<'_, O>) + Clone + Send + 'static,
    {
        self.windows.apply(move |_, _, values: &[TaggedUnion<L, R>], out| {
            let (lefts, rights) = sides(values);
            function(&lefts, &rights, out);
        })
    }

    fn groups_with<F: CoGroupFunction<L, R> + Clone>(self, function: F) -> DataStream<F::Out> {
        self.windows.process(Grouped(function))
    }
}

impl<K, L, R, A> WindowedJoining<K, L, R, A, OfPairs>
where
    K: Key,
    L: Record + Clone,
    R: Record + Clone,
    A: WindowAssigner<TaggedUnion<L, R>>,
{
    /// One value for each pair.
    pub fn apply<O, F>(self, mut function: F) -> DataStream<O>
    where
        O: Record,
        F: FnMut(&L, &R) -> O + Clone + Send + 'static,
    {
        self.flat_apply(move |left, right, out| out.collect(function(left, right)))
    }

    /// Any number of values for each pair (`FlatJoinFunction` of Flink).
    pub fn flat_apply<O, F>(self, mut function: F) -> DataStream<O>
    where
        O: Record,
        F: FnMut(&L, &R, &mut Collector<'_, O>) + Clone + Send + 'static,
    {
        self.groups(move |lefts, rights, out| {
            for left in lefts {
                rights.iter().for_each(|right| function(left, right, out));
            }
        })
    }

    /// One value for each pair, by a [`JoinFunction`].
    pub fn apply_with<F: JoinFunction<L, R> + Clone>(self, function: F) -> DataStream<F::Out> {
        self.groups_with(Pairwise(function))
    }

    /// Any number of values for each pair, by a [`FlatJoinFunction`].
    pub fn flat_apply_with<F: FlatJoinFunction<L, R> + Clone>(self, function: F) -> DataStream<F::Out> {
        self.groups_with(FlatPairwise(function))
    }
}

impl<K, L, R, A> WindowedJoining<K, L, R, A, OfGroups>
where
    K: Key,
    L: Record + Clone,
    R: Record + Clone,
    A: WindowAssigner<TaggedUnion<L, R>>,
{
    /// Any number of values for each key and window that has records of either stream (`CoGroupFunction` in
    /// Flink). Records of one stream are in the order of their arrival.
    pub fn apply<O, F>(self, function: F) -> DataStream<O>
    where
        O: Record,
        F: FnMut(&[&L], &[&R], &mut Collector<'_, O>) + Clone + Send + 'static,
    {
        self.groups(function)
    }
    /// Any number of values for each key and window, by a [`CoGroupFunction`].
    pub fn apply_with<F: CoGroupFunction<L, R> + Clone>(self, function: F) -> DataStream<F::Out> {
        self.groups_with(function)
    }
}

/// The records of each stream.
fn sides<L, R>(values: &[TaggedUnion<L, R>]) -> (Vec<&L>, Vec<&R>) {
    (
        values.iter().filter_map(TaggedUnion::first).collect(),
        values.iter().filter_map(TaggedUnion::second).collect(),
    )
}

/// A [`CoGroupFunction`] of windows of both streams' records.
#[derive(Clone)]
struct Grouped<F>(F);

impl<K, W, L, R, F: CoGroupFunction<L, R>> ProcessWindowFunction<K, W, TaggedUnion<L, R>> for Grouped<F> {
    type Out = F::Out;

    life_cycle_of!(0);

    fn process(
        &mut self,
        elements: &[TaggedUnion<L, R>],
        context: &mut WindowContext<'_, K, W, F::Out>,
    ) -> Result<()> {
        let (lefts, rights) = sides(elements);
        self.0.co_group(&lefts, &rights, context.collector())
    }
}

/// A [`JoinFunction`] of the pairs of a group.
#[derive(Clone)]
struct Pairwise<F>(F);

impl<L, R, F: JoinFunction<L, R>> CoGroupFunction<L, R> for Pairwise<F> {
    type Out = F::Out;

    life_cycle_of!(0);

    fn co_group(&mut self, left: &[&L], right: &[&R], out: &mut Collector<'_, F::Out>) -> Result<()> {
        for left in left {
            for right in right {
                out.collect(self.0.join(left, right)?);
            }
        }
        Ok(())
    }
}

/// A [`FlatJoinFunction`] of the pairs of a group.
#[derive(Clone)]
struct FlatPairwise<F>(F);

impl<L, R, F: FlatJoinFunction<L, R>> CoGroupFunction<L, R> for FlatPairwise<F> {
    type Out = F::Out;

    life_cycle_of!(0);

    fn co_group(&mut self, left: &[&L], right: &[&R], out: &mut Collector<'_, F::Out>) -> Result<()> {
        for left in left {
            right.iter().try_for_each(|right| self.0.join(left, right, out))?;
        }
        Ok(())
    }
}
