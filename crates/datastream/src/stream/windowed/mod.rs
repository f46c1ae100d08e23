//! Streams whose records are in windows.

mod aggregates;
mod entry;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use flott_batch::Record;
use flott_types::{Error, Result};

use crate::stream::DataStream;
use crate::stream::keyed::KeyedStream;
use crate::stream::transform::{factory, transform};
use flott_function::aggregate::AggregateFunction;
use flott_function::output::{Collector, OutputTag};
use flott_function::state::Key;
use flott_function_windows::assigner::WindowAssigner;
use flott_function_windows::body::{
    AggregateFold, ApplyFunction, Body, Elements, Fold, FoldElements, Folded,
};
use flott_function_windows::body::{Next, OnResult, PassOn, ReduceFold};
use flott_function_windows::evictor::{AnyEvictor, Evictor};
use flott_function_windows::function::ProcessWindowFunction;
use flott_function_windows::operator::{WindowOperator, Windowing};
use flott_function_windows::trigger::{AnyTrigger, Trigger};
use flott_function_windows::types::NoKey;

/// A keyed stream whose records are in windows: optionally set a trigger, then a window function.
///
/// Records are copied into each window that they belong to, so they must be `Clone`.
///
/// ```
/// # use flott_datastream::*;
/// # use flott_datastream::window::*;
/// # use std::time::Duration;
/// # let env = StreamExecutionEnvironment::new();
/// # let sales = env.from_collection([("tea".to_owned(), 3, 1_000), ("tea".to_owned(), 4, 2_000), ("tea".to_owned(), 5, 61_000)]);
/// let per_minute = sales
///     .assign_timestamps_and_watermarks(
///         WatermarkStrategy::for_bounded_out_of_orderness(Duration::from_secs(10))
///             .with_timestamp_assigner(|(_, _, at), _| *at),
///     )
///     .key_by_ref(|(product, _, _)| product)
///     .window(TumblingEventTimeWindows::of(Duration::from_mins(1)))
///     .sum(|(_, amount, _)| amount);
/// # let mut sums: Vec<_> = per_minute.execute_and_collect("t")?.collect::<Result<Vec<_>>>()?;
/// # sums.sort();
/// # assert_eq!(sums.iter().map(|(_, sum, _)| *sum).collect::<Vec<_>>(), [5, 7]);
/// # Ok::<(), Error>(())
/// ```
pub struct WindowedStream<K, T, A: WindowAssigner<T>> {
    keyed: KeyedStream<K, T>,
    windowing: Windowing<T, A>,
    evictor: Option<AnyEvictor<T, A::Window>>,
    /// The windows are of the whole stream.
    all: bool,
}

/// A stream whose records are in windows regardless of keys. One subtask has them all.
pub type AllWindowedStream<T, A> = WindowedStream<NoKey, T, A>;

impl<K, T, A: WindowAssigner<T>> WindowedStream<K, T, A>
where
    K: Key,
    T: Record + Clone,
{
    fn new(keyed: KeyedStream<K, T>, assigner: A, all: bool) -> Self {
        if let Err(error) = assigner.validate() {
            keyed.stream.shared.graph.fail(error);
        }
        let trigger = assigner.default_trigger();
        let windowing = Windowing { assigner, trigger, lateness: 0, late: None };
        WindowedStream { keyed, windowing, evictor: None, all }
    }

    fn fail(&self, error: Error) {
        self.keyed.stream.shared.graph.fail(error);
    }

    /// When windows fire, instead of the assigner's default trigger.
    #[must_use]
    pub fn trigger(mut self, trigger: impl Trigger<T, A::Window> + Clone) -> Self {
        if A::MERGES && !trigger.can_merge() {
            self.fail(Error::invalid(
                "merging windows cannot be used with a trigger that does not support merging",
            ));
        }
        self.windowing.trigger = AnyTrigger::new(trigger);
        self
    }

    /// What windows evict when they fire. Windows then keep all their records, whatever the function.
    #[must_use]
    pub fn evictor(mut self, evictor: impl Evictor<T, A::Window> + Clone) -> Self {
        self.evictor = Some(AnyEvictor::new(evictor));
        self
    }

    /// For how long after its end in event time a window still accepts records; by default not at all.
    ///
    /// With the default trigger each of them makes the window fire again with its contents.
    #[must_use]
    pub fn allowed_lateness(mut self, lateness: Duration) -> Self {
        self.windowing.lateness = i64::try_from(lateness.as_millis()).unwrap_or(i64::MAX);
        self
    }

    /// Records that are too late for all their windows go to this side output of the resulting stream instead
    /// of being dropped.
    #[must_use]
    pub fn side_output_late_data(mut self, tag: &OutputTag<T>) -> Self {
        self.windowing.late = Some(tag.clone());
        self
    }

    /// Two records become one.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// # let words = env.from_collection(["a", "a", "b", "a"].map(|word| (word.to_owned(), 1)));
    /// let pairs = words.key_by_ref(|(word, _)| word).count_window(2).reduce(|one, other| (one.0, one.1 + other.1));
    /// # assert_eq!(pairs.execute_and_collect("t")?.collect::<Result<Vec<_>>>()?, [("a".to_owned(), 2)]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn reduce<F>(self, function: F) -> DataStream<T>
    where
        F: FnMut(T, T) -> T + Clone + Send + 'static,
    {
        self.fold(ReduceFold(function), PassOn)
    }

    /// Two records become one, and when the window fires the function gets the remaining one.
    pub fn reduce_with<F, P>(self, function: F, process: P) -> DataStream<P::Out>
    where
        F: FnMut(T, T) -> T + Clone + Send + 'static,
        P: ProcessWindowFunction<K, A::Window, T> + Clone,
    {
        self.fold(ReduceFold(function), OnResult(process))
    }

    /// Records are added to an accumulator, which produces a result when the window fires.
    pub fn aggregate<G>(self, function: G) -> DataStream<G::Out>
    where
        G: AggregateFunction<In = T> + Clone,
        G::Out: Record,
    {
        self.fold(AggregateFold(function), PassOn)
    }

    /// Records are added to an accumulator, and when the window fires the function gets the result.
    pub fn aggregate_with<G, P>(self, function: G, process: P) -> DataStream<P::Out>
    where
        G: AggregateFunction<In = T> + Clone,
        P: ProcessWindowFunction<K, A::Window, G::Out> + Clone,
    {
        self.fold(AggregateFold(function), OnResult(process))
    }

    /// A function of all records of a window, with state.
    pub fn process<P>(self, function: P) -> DataStream<P::Out>
    where
        P: ProcessWindowFunction<K, A::Window, T> + Clone,
    {
        self.operator(function, |function, evictor| Elements::new(evictor, function))
    }

    /// A closure of key, window and all records of the window.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// # let numbers = env.from_sequence(1, 6);
    /// let sums = numbers.key_by(|n| n % 2).count_window(3).apply(|parity, _, numbers: &[i64], out| {
    ///     out.collect(format!("{parity}: {}", numbers.iter().sum::<i64>()));
    /// });
    /// # let mut sums = sums.execute_and_collect("t")?.collect::<Result<Vec<_>>>()?;
    /// # sums.sort();
    /// # assert_eq!(sums, ["0: 12", "1: 9"]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn apply<O, F>(self, function: F) -> DataStream<O>
    where
        O: Record,
        F: FnMut(&K, &A::Window, &[T], &mut Collector<'_, O>) + Clone + Send + 'static,
    {
        self.process(ApplyFunction::new(function))
    }

    fn fold<F, N>(self, fold: F, next: N) -> DataStream<N::Out>
    where
        F: Fold<T> + Clone,
        N: Next<K, A::Window, F::Out> + Clone,
    {
        if self.evictor.is_some() {
            return self.operator((fold, next), |(fold, next), evictor| {
                Elements::new(evictor, FoldElements::new(fold, next))
            });
        }
        self.operator((fold, next), |(fold, next), _| Folded::new(fold, next))
    }

    fn operator<P, B, M>(self, function: P, make: M) -> DataStream<B::Out>
    where
        P: Clone + Send + 'static,
        B: Body<K, T, A::Window>,
        B::Out: Record,
        M: Fn(P, Option<AnyEvictor<T, A::Window>>) -> Result<B> + Send + Sync + 'static,
    {
        let WindowedStream { keyed, windowing, evictor, all } = self;
        let key_by = keyed.key_by.clone();
        let prototype = (function, windowing, evictor);
        let factory = factory(prototype, move |(function, windowing, evictor), info, options| {
            let body = make(function, evictor)?;
            let (key_by, options) = (key_by.clone(), Arc::new(options.clone()));
            Ok(Box::new(WindowOperator::new(windowing, body, key_by, info.max_parallelism, options)?))
        });
        let name = if all { "AllWindow" } else { "Window" };
        let stream = transform(&keyed.stream.shared, name, keyed.stream.inputs(), factory).stateful();
        if all {
            for upstream in &stream.upstreams {
                stream.shared.graph.change(upstream.node, |node| {
                    (node.parallelism, node.fixed) = (Some(1), true);
                });
            }
        }
        stream
    }
}
