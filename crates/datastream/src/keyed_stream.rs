//! Streams whose values are brought together by key.

use std::sync::Arc;

use flott_batch::Record;

use crate::operator::{KeyedProcess, Reduce};
use crate::state::{Key, KeyBy};
use crate::transform::{factory, transform};
use crate::{DataStream, KeyedProcessFunction};

/// A stream of values of type `T`, brought together by keys of type `K`: all values of one key go through one subtask, and
/// functions have state for each key.
pub struct KeyedStream<K, T> {
    pub(crate) stream: DataStream<T>,
    pub(crate) key_by: Arc<dyn KeyBy<K, T>>,
}

impl<K, T> Clone for KeyedStream<K, T> {
    fn clone(&self) -> Self {
        KeyedStream { stream: self.stream.clone(), key_by: self.key_by.clone() }
    }
}

impl<K: Key, T: Record> KeyedStream<K, T> {
    pub(crate) fn new(stream: DataStream<T>, key_by: Arc<dyn KeyBy<K, T>>) -> Self {
        KeyedStream { stream, key_by }
    }

    /// A function with state for each key and timers.
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

    /// One value for each key, put out anew with each record: `function` takes the value so far and the next one.
    pub fn reduce<F>(&self, mut function: F) -> DataStream<T>
    where
        T: Clone,
        F: FnMut(T, T) -> T + Clone + Send + 'static,
    {
        self.rolling("Keyed Reduce", move |reduced: &mut T, next| {
            *reduced = function(reduced.clone(), next);
        })
    }

    /// The sum of a field for each key, put out anew with each record. The other fields are those of the key's first record.
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

    /// The least value of a field for each key, put out anew with each record. The other fields are those of the key's
    /// first record.
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

    /// The greatest value of a field for each key, put out anew with each record. The other fields are those of the key's
    /// first record.
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

    /// The record with the least value of a field for each key, put out anew with each record. Of equal ones the first.
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

    /// The record with the greatest value of a field for each key, put out anew with each record. Of equal ones the first.
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
            let key_by = key_by.clone();
            Ok(Box::new(Reduce::<K, T, F>::new(function, key_by, info.max_parallelism, options.batch)?))
        });
        transform(&self.stream.shared, name, self.stream.inputs(), factory).stateful()
    }
}
