//! Two streams as the inputs of one operator.

use std::sync::Arc;

use flott_batch::Record;
use flott_types::{Error, Result};

use crate::graph::Upstream;
use crate::program::MakeOperator;
use crate::stream::DataStream;
use crate::stream::keyed::KeyedStream;
use crate::stream::transform::{factory, transform};
use flott_function::co_process::{CoProcessFunction, KeyedCoProcessFunction};
use flott_function::co_rich::{CoFlatMapFunction, CoMapFunction, KeyedCoFlatMapFunction, KeyedCoMapFunction};
use flott_function::co_rich::{CoFlatMapping, CoMapping, KeyedCoFlatMapping, KeyedCoMapping};
use flott_function::output::Collector;
use flott_function::state::{Key, KeyBy};
use flott_function_operators::co_process::{CoFlatMap, CoMap, CoProcess};
use flott_function_operators::keyed_co_process::KeyedCoProcess;

/// Two streams, possibly of different types, for one operator: what it learns from one it can use for the
/// other.
pub struct ConnectedStreams<A, B> {
    first: DataStream<A>,
    second: DataStream<B>,
}

/// Two keyed streams for one operator. Values of both that have the same key meet in one subtask and share
/// its state.
pub struct KeyedConnectedStreams<K, A, B> {
    connected: ConnectedStreams<A, B>,
    first: Arc<dyn KeyBy<K, A>>,
    second: Arc<dyn KeyBy<K, B>>,
}

impl<A, B> Clone for ConnectedStreams<A, B> {
    fn clone(&self) -> Self {
        ConnectedStreams { first: self.first.clone(), second: self.second.clone() }
    }
}

impl<K, A, B> Clone for KeyedConnectedStreams<K, A, B> {
    fn clone(&self) -> Self {
        let (first, second) = (self.first.clone(), self.second.clone());
        KeyedConnectedStreams { connected: self.connected.clone(), first, second }
    }
}

impl<A: Record> DataStream<A> {
    /// This stream and another one as the two inputs of an operator.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// let numbers = env.from_sequence(1, 3);
    /// let words = env.from_collection(["four".to_owned()]);
    /// let texts = numbers.connect(&words).map(|number| number.to_string(), |word| word);
    /// # assert_eq!(texts.execute_and_collect("t")?.count(), 4);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn connect<B: Record>(&self, other: &DataStream<B>) -> ConnectedStreams<A, B> {
        ConnectedStreams::new(self, other)
    }
}

impl<K: Key, A: Record> KeyedStream<K, A> {
    /// This stream and another one, with keys of the same type, as the two inputs of an operator with keyed
    /// state.
    pub fn connect<B: Record>(&self, other: &KeyedStream<K, B>) -> KeyedConnectedStreams<K, A, B> {
        let (first, second) = (self.key_by.clone(), other.key_by.clone());
        let connected = ConnectedStreams::new(&self.stream, &other.stream);
        KeyedConnectedStreams { connected, first, second }
    }
}

impl<A: Record, B: Record> ConnectedStreams<A, B> {
    pub(crate) fn new(first: &DataStream<A>, second: &DataStream<B>) -> Self {
        if !first.shared.graph.is(&second.shared.graph) {
            first.shared.graph.fail(Error::invalid("streams of two environments cannot be connected"));
        }
        ConnectedStreams { first: first.clone(), second: second.clone() }
    }

    /// The first stream.
    pub fn first(&self) -> &DataStream<A> {
        &self.first
    }

    /// The second stream.
    pub fn second(&self) -> &DataStream<B> {
        &self.second
    }

    fn inputs(&self) -> Vec<Vec<Upstream>> {
        vec![self.first.upstreams.clone(), self.second.upstreams.clone()]
    }

    /// Adds an operator of both streams.
    pub(crate) fn operator<U: Record>(&self, name: &'static str, factory: MakeOperator) -> DataStream<U> {
        transform(&self.first.shared, name, self.inputs(), factory)
    }

    /// One value for each value of either stream (`CoMapFunction` of Flink).
    ///
    /// The two closures share nothing; if one stream affects the other, use [`ConnectedStreams::process`].
    pub fn map<U, F, G>(&self, mut first: F, mut second: G) -> DataStream<U>
    where
        U: Record,
        F: FnMut(A) -> U + Clone + Send + 'static,
        G: FnMut(B) -> U + Clone + Send + 'static,
    {
        self.try_map(move |value| Ok(first(value)), move |value| Ok(second(value)))
    }

    /// One value for each value of either stream, by functions that may fail; an error fails the task.
    pub fn try_map<U, F, G>(&self, first: F, second: G) -> DataStream<U>
    where
        U: Record,
        F: FnMut(A) -> Result<U> + Clone + Send + 'static,
        G: FnMut(B) -> Result<U> + Clone + Send + 'static,
    {
        let factory = factory((first, second), |(first, second), _, _| {
            Ok(Box::new(CoMap::<A, B, U, F, G>::new(first, second)))
        });
        self.operator("Co-Map", factory)
    }

    /// Any number of values for each value of either stream (`CoFlatMapFunction` of Flink).
    pub fn flat_map<U, F, G>(&self, mut first: F, mut second: G) -> DataStream<U>
    where
        U: Record,
        F: FnMut(A, &mut Collector<'_, U>) + Clone + Send + 'static,
        G: FnMut(B, &mut Collector<'_, U>) + Clone + Send + 'static,
    {
        let first = move |value: A, out: &mut Collector<'_, U>| {
            first(value, out);
            Ok(())
        };
        let second = move |value: B, out: &mut Collector<'_, U>| {
            second(value, out);
            Ok(())
        };
        self.try_flat_map(first, second)
    }

    /// Any number of values for each value of either stream, by functions that may fail; an error fails the
    /// task.
    pub fn try_flat_map<U, F, G>(&self, first: F, second: G) -> DataStream<U>
    where
        U: Record,
        F: FnMut(A, &mut Collector<'_, U>) -> Result<()> + Clone + Send + 'static,
        G: FnMut(B, &mut Collector<'_, U>) -> Result<()> + Clone + Send + 'static,
    {
        let factory = factory((first, second), |(first, second), _, _| {
            Ok(Box::new(CoFlatMap::<A, B, U, F, G>::new(first, second)))
        });
        self.operator("Co-Flat Map", factory)
    }

    /// A function with a life cycle.
    pub fn process<F>(&self, function: F) -> DataStream<F::Out>
    where
        F: CoProcessFunction<A, B> + Clone,
    {
        let factory = factory(function, |function, _, options| {
            Ok(Box::new(CoProcess::<A, B, F>::new(function, Arc::new(options.clone()))))
        });
        self.operator("Co-Process", factory).stateful()
    }

    /// One value for each value of either stream, by a [`CoMapFunction`].
    pub fn map_with<F: CoMapFunction<A, B> + Clone>(&self, function: F) -> DataStream<F::Out> {
        self.process(CoMapping(function)).name("Co-Map")
    }

    /// Any number of values for each value of either stream, by a [`CoFlatMapFunction`].
    pub fn flat_map_with<F: CoFlatMapFunction<A, B> + Clone>(&self, function: F) -> DataStream<F::Out> {
        self.process(CoFlatMapping(function)).name("Co-Flat Map")
    }

    /// Partitions both streams by key.
    pub fn key_by<K, F, G>(&self, first: F, second: G) -> KeyedConnectedStreams<K, A, B>
    where
        K: Key,
        F: Fn(&A) -> K + Send + Sync + 'static,
        G: Fn(&B) -> K + Send + Sync + 'static,
    {
        self.first.key_by(first).connect(&self.second.key_by(second))
    }
}

impl<K: Key, A: Record, B: Record> KeyedConnectedStreams<K, A, B> {
    /// The first stream.
    pub fn first(&self) -> &DataStream<A> {
        self.connected.first()
    }

    /// The second stream.
    pub fn second(&self) -> &DataStream<B> {
        self.connected.second()
    }

    /// One value for each value of either stream.
    pub fn map<U, F, G>(&self, first: F, second: G) -> DataStream<U>
    where
        U: Record,
        F: FnMut(A) -> U + Clone + Send + 'static,
        G: FnMut(B) -> U + Clone + Send + 'static,
    {
        self.connected.map(first, second)
    }

    /// Any number of values for each value of either stream.
    pub fn flat_map<U, F, G>(&self, first: F, second: G) -> DataStream<U>
    where
        U: Record,
        F: FnMut(A, &mut Collector<'_, U>) + Clone + Send + 'static,
        G: FnMut(B, &mut Collector<'_, U>) + Clone + Send + 'static,
    {
        self.connected.flat_map(first, second)
    }

    /// One value for each value of either stream, by a [`KeyedCoMapFunction`], which has keyed state that both
    /// streams share.
    pub fn map_with<F: KeyedCoMapFunction<K, A, B> + Clone>(&self, function: F) -> DataStream<F::Out> {
        self.process(KeyedCoMapping(function)).name("Co-Keyed-Map")
    }

    /// Any number of values for each value of either stream, by a [`KeyedCoFlatMapFunction`], which has keyed
    /// state that both streams share.
    pub fn flat_map_with<F: KeyedCoFlatMapFunction<K, A, B> + Clone>(
        &self,
        function: F,
    ) -> DataStream<F::Out> {
        self.process(KeyedCoFlatMapping(function)).name("Co-Keyed-Flat Map")
    }

    /// A function with keyed state, which both streams share, and timers.
    pub fn process<F>(&self, function: F) -> DataStream<F::Out>
    where
        F: KeyedCoProcessFunction<K, A, B> + Clone,
    {
        let (first, second) = (self.first.clone(), self.second.clone());
        let factory = factory(function, move |function, info, options| {
            let (first, second, options) = (first.clone(), second.clone(), Arc::new(options.clone()));
            let keyed = KeyedCoProcess::new(function, first, second, info.max_parallelism, options);
            Ok(Box::new(keyed?))
        });
        self.connected.operator("Co-Keyed-Process", factory).stateful()
    }
}
