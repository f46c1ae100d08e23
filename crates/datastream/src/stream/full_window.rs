//! Windows of everything that a subtask or a key has, which end with the input (`fullWindowPartition` of
//! Flink).

use std::cmp::Reverse;
use std::sync::Arc;

use flott_batch::Record;
use flott_types::Result;

use crate::stream::DataStream;
use crate::stream::keyed::KeyedStream;
use crate::stream::transform::{factory, transform};
use crate::stream::windowed::WindowedStream;
use flott_function::aggregate::AggregateFunction;
use flott_function::output::Collector;
use flott_function::process::{ProcessContext, ProcessFunction};
use flott_function::runtime_context::RuntimeContext;
use flott_function::snapshot::SnapshotContext;
use flott_function::state::{Key, OperatorListState};
use flott_function_operators::process::Process;
use flott_function_windows::assigner::GlobalWindows;

/// The direction in which values are sorted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// The least comes first.
    Ascending,
    /// The greatest comes first.
    Descending,
}

impl Order {
    /// Sorts; values with equal keys keep their order.
    fn sort<T, N: Ord>(self, values: &mut [T], key: impl Fn(&T) -> N) {
        match self {
            Order::Ascending => values.sort_by_key(key),
            Order::Descending => values.sort_by_key(|value| Reverse(key(value))),
        }
    }
}

/// A stream in which all values of a subtask are one window; see [`DataStream::full_window_partition`].
pub struct PartitionWindowedStream<T>(DataStream<T>);

/// A stream in which all values of a key are one window; see [`KeyedStream::full_window_partition`].
pub struct KeyedPartitionWindowedStream<K, T>(KeyedStream<K, T>);

impl<T: Record> DataStream<T> {
    /// All values of each subtask as one window, which ends with the input. Results come then.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// let sorted = env.from_collection([3, 1, 2]).full_window_partition().sort_partition(|n| *n, Order::Descending);
    /// # let sorted = sorted.parallelism(1);
    /// assert_eq!(sorted.execute_and_collect("sorted")?.collect::<Result<Vec<i32>>>()?, [3, 2, 1]);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use = "a window without a function has no effect"]
    pub fn full_window_partition(&self) -> PartitionWindowedStream<T> {
        PartitionWindowedStream(self.clone())
    }
}

impl<K: Key, T: Record + Clone> KeyedStream<K, T> {
    /// All values of each key as one window, which ends with the input. Results come then.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// let sales: DataStream<(String, i64)> = env.from_collection([("tea", 3), ("tea", 4)]);
    /// let totals = sales.key_by_ref(|(product, _)| product).full_window_partition().reduce(|a, b| (a.0, a.1 + b.1));
    /// assert_eq!(totals.execute_and_collect("totals")?.collect::<Result<Vec<_>>>()?, [("tea".to_owned(), 7)]);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use = "a window without a function has no effect"]
    pub fn full_window_partition(&self) -> KeyedPartitionWindowedStream<K, T> {
        KeyedPartitionWindowedStream(self.clone())
    }
}

impl<T: Record> PartitionWindowedStream<T> {
    /// A function of all values of a subtask.
    pub fn map_partition<U, F>(&self, function: F) -> DataStream<U>
    where
        U: Record,
        F: FnMut(Vec<T>, &mut Collector<'_, U>) + Clone + Send + 'static,
    {
        self.0.map_partition(function)
    }

    /// The values of a subtask in the order of a key. Values with equal keys keep their order.
    pub fn sort_partition<N, F>(&self, key: F, order: Order) -> DataStream<T>
    where
        N: Ord,
        F: Fn(&T) -> N + Clone + Send + 'static,
    {
        let sort = move |mut values: Vec<T>, out: &mut Collector<'_, T>| {
            order.sort(&mut values, &key);
            values.into_iter().for_each(|value| out.collect(value));
        };
        self.0.map_partition(sort).name("SortPartition")
    }

    /// Two values become one, until each subtask has one; nothing, if it had none.
    pub fn reduce<F>(&self, function: F) -> DataStream<T>
    where
        F: FnMut(T, T) -> T + Clone + Send + 'static,
    {
        self.fold("PartitionReduce", Reduced(function))
    }

    /// The values of a subtask are added to an accumulator, which has the result. A subtask without values has
    /// the result of none.
    pub fn aggregate<G>(&self, function: G) -> DataStream<G::Out>
    where
        G: AggregateFunction<In = T> + Clone,
        G::Out: Record,
    {
        self.fold("PartitionAggregate", Aggregated(function))
    }

    fn fold<F: Folding<T> + Clone>(&self, name: &'static str, folding: F) -> DataStream<F::Out> {
        let prototype = FoldPartition { folding, folded: None, stored: OperatorListState::default() };
        let factory = factory(prototype, |function, _, options| {
            Ok(Box::new(Process::<T, FoldPartition<F, T>>::new(function, Arc::new(options.clone()))))
        });
        transform(&self.0.shared, name, self.0.inputs(), factory).stateful()
    }
}

impl<K: Key, T: Record + Clone> KeyedPartitionWindowedStream<K, T> {
    fn windows(&self) -> WindowedStream<K, T, GlobalWindows> {
        self.0.window(GlobalWindows::create_with_end_of_stream_trigger())
    }

    /// A function of all values of a key.
    pub fn map_partition<U, F>(&self, mut function: F) -> DataStream<U>
    where
        U: Record,
        F: FnMut(Vec<T>, &mut Collector<'_, U>) + Clone + Send + 'static,
    {
        self.windows().apply(move |_, _, values: &[T], out| function(values.to_vec(), out))
    }

    /// The values of a key in the order of another one. Values for which that is equal keep their order.
    pub fn sort_partition<N, F>(&self, key: F, order: Order) -> DataStream<T>
    where
        N: Ord,
        F: Fn(&T) -> N + Clone + Send + 'static,
    {
        self.map_partition(move |mut values: Vec<T>, out| {
            order.sort(&mut values, &key);
            values.into_iter().for_each(|value| out.collect(value));
        })
    }

    /// Two values of a key become one, until there is one.
    pub fn reduce<F>(&self, function: F) -> DataStream<T>
    where
        F: FnMut(T, T) -> T + Clone + Send + 'static,
    {
        self.windows().reduce(function)
    }

    /// The values of a key are added to an accumulator, which has the result.
    pub fn aggregate<G>(&self, function: G) -> DataStream<G::Out>
    where
        G: AggregateFunction<In = T> + Clone,
        G::Out: Record,
    {
        self.windows().aggregate(function)
    }
}

/// What becomes of the values of a subtask: something that grows with each, and has a result at the end.
trait Folding<T>: Send + 'static {
    type Folded: Record;
    type Out: Record;

    fn add(&mut self, folded: Option<Self::Folded>, value: T) -> Self::Folded;

    /// Of two subtasks before a restore.
    fn merge(&mut self, one: Self::Folded, other: Self::Folded) -> Self::Folded;

    fn result(&self, folded: Option<Self::Folded>) -> Option<Self::Out>;
}

#[derive(Clone)]
struct Reduced<F>(F);

impl<T: Record, F: FnMut(T, T) -> T + Send + 'static> Folding<T> for Reduced<F> {
    type Folded = T;
    type Out = T;

    fn add(&mut self, folded: Option<T>, value: T) -> T {
        match folded {
            Some(folded) => (self.0)(folded, value),
            None => value,
        }
    }

    fn merge(&mut self, one: T, other: T) -> T {
        (self.0)(one, other)
    }

    fn result(&self, folded: Option<T>) -> Option<T> {
        folded
    }
}

#[derive(Clone)]
struct Aggregated<G>(G);

impl<G: AggregateFunction> Folding<G::In> for Aggregated<G>
where
    G::Out: Record,
{
    type Folded = G::Acc;
    type Out = G::Out;

    fn add(&mut self, folded: Option<G::Acc>, value: G::In) -> G::Acc {
        let mut folded = folded.unwrap_or_else(|| self.0.create_accumulator());
        self.0.add(value, &mut folded);
        folded
    }

    fn merge(&mut self, mut one: G::Acc, other: G::Acc) -> G::Acc {
        self.0.merge(&mut one, other);
        one
    }

    fn result(&self, folded: Option<G::Acc>) -> Option<G::Out> {
        let folded = folded.unwrap_or_else(|| self.0.create_accumulator());
        Some(self.0.get_result(&folded))
    }
}

/// Folds all values of a subtask. A checkpoint takes what there is into the state, where the next value finds
/// it; so nothing is copied.
struct FoldPartition<F: Folding<T>, T> {
    folding: F,
    folded: Option<F::Folded>,
    stored: OperatorListState<F::Folded>,
}

impl<F: Folding<T> + Clone, T> Clone for FoldPartition<F, T> {
    /// Of a prototype, which has folded nothing.
    fn clone(&self) -> Self {
        FoldPartition { folding: self.folding.clone(), folded: None, stored: OperatorListState::default() }
    }
}

impl<F: Folding<T>, T> FoldPartition<F, T> {
    fn take(&mut self, context: &mut ProcessContext<'_, F::Out>) -> Option<F::Folded> {
        if let Some(folded) = self.folded.take() {
            return Some(folded);
        }
        let stored = self.stored.take(context);
        stored.into_iter().reduce(|one, other| self.folding.merge(one, other))
    }
}

impl<F: Folding<T>, T: Record> ProcessFunction<T> for FoldPartition<F, T> {
    type Out = F::Out;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.stored = context.operator_list_state("folded")?;
        Ok(())
    }

    fn process_element(&mut self, value: T, context: &mut ProcessContext<'_, F::Out>) -> Result<()> {
        let folded = self.take(context);
        self.folded = Some(self.folding.add(folded, value));
        Ok(())
    }

    fn snapshot_state(&mut self, context: &mut SnapshotContext<'_>) -> Result<()> {
        if let Some(folded) = self.folded.take() {
            self.stored.update(context, [folded]);
        }
        Ok(())
    }

    fn finish(&mut self, context: &mut ProcessContext<'_, F::Out>) -> Result<()> {
        let folded = self.take(context);
        if let Some(result) = self.folding.result(folded) {
            context.collect(result);
        }
        Ok(())
    }
}
