//! Streams partitioned by key.

use std::ops::Deref;
use std::sync::Arc;

use flott_batch::Record;

use crate::stream::DataStream;
use crate::stream::transform::{factory, transform};
use flott_function::keyed_process::KeyedProcessFunction;
use flott_function::keyed_rich::{KeyedFilterFunction, KeyedFlatMapFunction, KeyedMapFunction};
use flott_function::keyed_rich::{KeyedFiltering, KeyedFlatMapping, KeyedMapping, WithState};
use flott_function::output::Collector;
use flott_function::state::{Key, KeyBy};
use flott_function_operators::keyed_process::KeyedProcess;
use flott_function_operators::reduce::Reduce;

/// A stream of values of type `T`, partitioned by keys of type `K`: all values of one key go through one
/// subtask, and functions have state for each key.
pub struct KeyedStream<K, T> {
    pub(crate) stream: DataStream<T>,
    pub(crate) key_by: Arc<dyn KeyBy<K, T>>,
}

impl<K, T> Clone for KeyedStream<K, T> {
    fn clone(&self) -> Self {
        KeyedStream { stream: self.stream.clone(), key_by: self.key_by.clone() }
    }
}

/// A keyed stream is a stream: it has all methods of [`DataStream`], and its own take precedence.
impl<K, T> Deref for KeyedStream<K, T> {
    type Target = DataStream<T>;

    fn deref(&self) -> &DataStream<T> {
        &self.stream
    }
}

impl<K: Key, T: Record> KeyedStream<K, T> {
    pub(crate) fn new(stream: DataStream<T>, key_by: Arc<dyn KeyBy<K, T>>) -> Self {
        KeyedStream { stream, key_by }
    }

    /// A function with keyed state and timers.
    pub fn process<F>(&self, function: F) -> DataStream<F::Out>
    where
        F: KeyedProcessFunction<K, T> + Clone,
    {
        let key_by = self.key_by.clone();
        let factory = factory(function, move |function, info, options| {
            let (key_by, options) = (key_by.clone(), Arc::new(options.clone()));
            Ok(Box::new(KeyedProcess::<K, T, F>::new(function, key_by, info.max_parallelism, options)?))
        });
        transform(&self.stream.shared, "KeyedProcess", self.stream.inputs(), factory).stateful()
    }

    /// One value for each, by a [`KeyedMapFunction`], which has keyed state, or by a
    /// [`MapFunction`](flott_function::rich::MapFunction).
    pub fn map_with<F: KeyedMapFunction<K, T> + Clone>(&self, function: F) -> DataStream<F::Out> {
        self.process(KeyedMapping(function)).name("Keyed Map")
    }

    /// Any number of values for each, by a [`KeyedFlatMapFunction`], which has keyed state, or by a
    /// [`FlatMapFunction`](flott_function::rich::FlatMapFunction).
    pub fn flat_map_with<F: KeyedFlatMapFunction<K, T> + Clone>(&self, function: F) -> DataStream<F::Out> {
        self.process(KeyedFlatMapping(function)).name("Keyed Flat Map")
    }

    /// Only the values that a [`KeyedFilterFunction`], which has keyed state, or a
    /// [`FilterFunction`](flott_function::rich::FilterFunction) accepts.
    pub fn filter_with<F: KeyedFilterFunction<K, T> + Clone>(&self, function: F) -> DataStream<T> {
        self.process(KeyedFiltering(function)).name("Keyed Filter")
    }

    /// One value for each, by a closure with one value of state per key; what it leaves there is available
    /// for the key's next record.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// # let clicks: DataStream<(String, u32)> = env.from_collection([("ann", 1), ("ann", 2)]);
    /// let numbered = clicks.key_by_ref(|(user, _)| user).map_with_state(|(user, _), count: &mut Option<u64>| {
    ///     *count = Some(count.unwrap_or(0) + 1);
    ///     (user, *count)
    /// });
    /// # assert_eq!(numbered.execute_and_collect("t")?.last().transpose()?, Some(("ann".to_owned(), Some(2))));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn map_with_state<S, O, F>(&self, mut function: F) -> DataStream<O>
    where
        S: Record,
        O: Record,
        F: FnMut(T, &mut Option<S>) -> O + Clone + Send + 'static,
    {
        self.flat_map_with_state(move |value, state: &mut Option<S>, out| out.collect(function(value, state)))
    }

    /// As [`KeyedStream::map_with_state`], with any number of values for each.
    pub fn flat_map_with_state<S, O, F>(&self, mut function: F) -> DataStream<O>
    where
        S: Record,
        O: Record,
        F: FnMut(T, &mut Option<S>, &mut Collector<'_, O>) + Clone + Send + 'static,
    {
        let function = move |value: T, state: &mut Option<S>, out: &mut Collector<'_, O>| {
            function(value, state, out);
            Ok(())
        };
        self.process(WithState::new(function)).name("Keyed Flat Map")
    }

    /// As [`KeyedStream::map_with_state`]: only the values that the closure accepts.
    pub fn filter_with_state<S, F>(&self, mut function: F) -> DataStream<T>
    where
        S: Record,
        F: FnMut(&T, &mut Option<S>) -> bool + Clone + Send + 'static,
    {
        self.flat_map_with_state(move |value, state: &mut Option<S>, out| {
            if function(&value, state) {
                out.collect(value);
            }
        })
    }

    /// One value for each key, emitted again with each record: `function` takes the value so far and the next
    /// one.
    pub fn reduce<F>(&self, mut function: F) -> DataStream<T>
    where
        T: Clone,
        F: FnMut(T, T) -> T + Clone + Send + 'static,
    {
        self.rolling("Keyed Reduce", move |reduced: &mut T, next| {
            *reduced = function(reduced.clone(), next);
        })
    }

    /// The sum of a field for each key, emitted again with each record. The other fields are those of the
    /// key's first record.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// # let sales = env.from_collection([("tea", 3), ("tea", 4)].map(|(k, v)| (k.to_owned(), v)));
    /// let totals = sales.key_by_ref(|(product, _)| product).sum(|(_, amount)| amount);
    /// # assert_eq!(totals.execute_and_collect("t")?.last().transpose()?, Some(("tea".to_owned(), 7)));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn sum<N, F>(&self, field: F) -> DataStream<T>
    where
        T: Clone,
        N: std::ops::AddAssign + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.rolling("Keyed Sum", move |reduced: &mut T, mut next: T| {
            *field(reduced) += field(&mut next).clone();
        })
    }

    /// The least value of a field for each key, emitted again with each record. The other fields are those of
    /// the key's first record.
    pub fn min<N, F>(&self, field: F) -> DataStream<T>
    where
        T: Clone,
        N: PartialOrd + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.rolling("Keyed Min", move |reduced: &mut T, mut next: T| {
            let (own, next) = (field(reduced), field(&mut next));
            if *next < *own {
                *own = next.clone();
            }
        })
    }

    /// The greatest value of a field for each key, emitted again with each record. The other fields are those
    /// of the key's first record.
    pub fn max<N, F>(&self, field: F) -> DataStream<T>
    where
        T: Clone,
        N: PartialOrd + Clone,
        F: Fn(&mut T) -> &mut N + Clone + Send + 'static,
    {
        self.rolling("Keyed Max", move |reduced: &mut T, mut next: T| {
            let (own, next) = (field(reduced), field(&mut next));
            if *next > *own {
                *own = next.clone();
            }
        })
    }

    /// The record with the least value of a field for each key, emitted again with each record. Of equal ones
    /// the first.
    pub fn min_by<N, F>(&self, field: F) -> DataStream<T>
    where
        T: Clone,
        N: PartialOrd,
        F: Fn(&T) -> N + Clone + Send + 'static,
    {
        self.rolling("Keyed MinBy", move |reduced: &mut T, next: T| {
            if field(&next) < field(reduced) {
                *reduced = next;
            }
        })
    }

    /// The record with the greatest value of a field for each key, emitted again with each record. Of equal
    /// ones the first.
    pub fn max_by<N, F>(&self, field: F) -> DataStream<T>
    where
        T: Clone,
        N: PartialOrd,
        F: Fn(&T) -> N + Clone + Send + 'static,
    {
        self.rolling("Keyed MaxBy", move |reduced: &mut T, next: T| {
            if field(&next) > field(reduced) {
                *reduced = next;
            }
        })
    }

    fn rolling<F>(&self, name: &'static str, function: F) -> DataStream<T>
    where
        T: Clone,
        F: FnMut(&mut T, T) + Clone + Send + 'static,
    {
        let key_by = self.key_by.clone();
        let factory = factory(function, move |function, info, options| {
            let (key_by, options) = (key_by.clone(), Arc::new(options.clone()));
            Ok(Box::new(Reduce::<K, T, F>::new(function, key_by, info.max_parallelism, options)?))
        });
        transform(&self.stream.shared, name, self.stream.inputs(), factory).stateful()
    }
}
