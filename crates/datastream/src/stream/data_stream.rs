//! A stream of values of one type: what every stream can do.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::Record;
use flott_batch::codec::RecordsReader;
use flott_operator::Operator;
use flott_plan::{Chaining, Exchange};
use flott_types::{Error, Result};

use super::keyed::KeyedStream;
use super::transform::{factory, transform};
use crate::environment::Shared;
use crate::environment::StreamExecutionEnvironment;
use crate::graph::{NodeKind, Transformation, Upstream};
use crate::program::MakeOperator;
use crate::time::WatermarkStrategy;
use flott_function::output::Of;
use flott_function::output::{Collector, OutputTag};
use flott_function::process::ProcessFunction;
use flott_function::state::{ByRef, ByValue, Key, KeyBy};
use flott_function_operators::flat_map::{Filter, FlatMap, Map};
use flott_function_operators::map_partition::MapPartition;
use flott_function_operators::partition::Route;
use flott_function_operators::process::Process;
use flott_function_operators::side_output::SideOutput;

/// A stream of values of type `T`.
///
/// Methods that transform take the stream by reference: a stream can be used many times. Methods that
/// configure the operator behind the stream (`name`, `uid`, `parallelism`, ...) take and return it.
pub struct DataStream<T> {
    pub(crate) shared: Shared,
    pub(crate) upstreams: Vec<Upstream>,
    of: Of<T>,
}

impl<T> Clone for DataStream<T> {
    fn clone(&self) -> Self {
        DataStream { shared: self.shared.clone(), upstreams: self.upstreams.clone(), of: PhantomData }
    }
}

impl<T: Record> DataStream<T> {
    pub(crate) fn of_node(shared: Shared, node: usize) -> Self {
        DataStream::new(shared, vec![Upstream { node, exchange: Exchange::Forward, tag: None }])
    }

    pub(crate) fn new(shared: Shared, upstreams: Vec<Upstream>) -> Self {
        // Here a stream gets its type.
        for upstream in &upstreams {
            shared.graph.sends(upstream, RecordsReader::of::<T>());
        }
        DataStream { shared, upstreams, of: PhantomData }
    }

    /// The environment of the program.
    pub fn environment(&self) -> StreamExecutionEnvironment {
        StreamExecutionEnvironment { shared: self.shared.clone() }
    }

    /// The streams as the one input of an operator.
    pub(crate) fn inputs(&self) -> Vec<Vec<Upstream>> {
        vec![self.upstreams.clone()]
    }

    /// One value for each.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// let squares = env.from_sequence(1, 3).map(|n| n * n);
    /// # assert_eq!(squares.execute_and_collect("t")?.collect::<Result<Vec<i64>>>()?.iter().sum::<i64>(), 14);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use = "a stream that is put nowhere has no effect; `sink_to`, `print` or `discard` end one"]
    pub fn map<U: Record, F>(&self, mut function: F) -> DataStream<U>
    where
        F: FnMut(T) -> U + Clone + Send + 'static,
    {
        self.named_map("Map", move |value| Ok(function(value)))
    }

    /// One value for each, by a function that may fail; an error fails the task.
    #[must_use = "a stream that is put nowhere has no effect; `sink_to`, `print` or `discard` end one"]
    pub fn try_map<U: Record, F>(&self, function: F) -> DataStream<U>
    where
        F: FnMut(T) -> Result<U> + Clone + Send + 'static,
    {
        self.named_map("Map", function)
    }

    fn named_map<U: Record, F>(&self, name: &'static str, function: F) -> DataStream<U>
    where
        F: FnMut(T) -> Result<U> + Clone + Send + 'static,
    {
        let factory = factory(function, |function, _, _| Ok(Box::new(Map::<T, U, F>::new(function))));
        transform(&self.shared, name, self.inputs(), factory)
    }

    /// Only the values that the function accepts.
    #[must_use = "a stream that is put nowhere has no effect; `sink_to`, `print` or `discard` end one"]
    pub fn filter<F>(&self, function: F) -> DataStream<T>
    where
        F: FnMut(&T) -> bool + Clone + Send + 'static,
    {
        let factory = factory(function, |function, _, _| Ok(Box::new(Filter::<T, F>::new(function))));
        transform(&self.shared, "Filter", self.inputs(), factory)
    }

    /// Any number of values for each.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// let words = env.from_collection(["to be or", "not to be"].map(String::from)).flat_map(|line: String, out| {
    ///     line.split(' ').for_each(|word| out.collect(word.to_owned()));
    /// });
    /// # assert_eq!(words.execute_and_collect("t")?.count(), 6);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use = "a stream that is put nowhere has no effect; `sink_to`, `print` or `discard` end one"]
    pub fn flat_map<U: Record, F>(&self, mut function: F) -> DataStream<U>
    where
        F: FnMut(T, &mut Collector<'_, U>) + Clone + Send + 'static,
    {
        self.try_flat_map(move |value, out| {
            function(value, out);
            Ok(())
        })
    }

    /// Any number of values for each, by a function that may fail; an error fails the task.
    #[must_use = "a stream that is put nowhere has no effect; `sink_to`, `print` or `discard` end one"]
    pub fn try_flat_map<U: Record, F>(&self, function: F) -> DataStream<U>
    where
        F: FnMut(T, &mut Collector<'_, U>) -> Result<()> + Clone + Send + 'static,
    {
        let factory = factory(function, |function, _, _| Ok(Box::new(FlatMap::<T, U, F>::new(function))));
        transform(&self.shared, "Flat Map", self.inputs(), factory)
    }

    /// A function of all values of a subtask, called once, when the input has ended.
    #[must_use = "a stream that is put nowhere has no effect; `sink_to`, `print` or `discard` end one"]
    pub fn map_partition<U: Record, F>(&self, function: F) -> DataStream<U>
    where
        F: FnMut(Vec<T>, &mut Collector<'_, U>) + Clone + Send + 'static,
    {
        let factory = factory(function, |function, _, _| Ok(Box::new(MapPartition::new(function))));
        transform(&self.shared, "MapPartition", self.inputs(), factory).stateful()
    }

    /// A function with a life cycle.
    pub fn process<F>(&self, function: F) -> DataStream<F::Out>
    where
        F: ProcessFunction<T> + Clone,
    {
        let factory = factory(function, |function, _, options| {
            Ok(Box::new(Process::<T, F>::new(function, Arc::new(options.clone()))))
        });
        transform(&self.shared, "Process", self.inputs(), factory).stateful()
    }

    /// Assigns timestamps and generates watermarks by the strategy. Earlier timestamps and watermarks are
    /// discarded.
    #[must_use]
    pub fn assign_timestamps_and_watermarks(&self, strategy: WatermarkStrategy<T>) -> DataStream<T> {
        let factory = factory(strategy, |strategy, _, options| {
            let strategy = if options.batch { strategy.timestamps_only() } else { strategy };
            Ok(Box::new(strategy.operator(options.auto_watermark_interval)))
        });
        transform(&self.shared, "Timestamps/Watermarks", self.inputs(), factory).stateful()
    }

    /// The values of both streams, with no order between them.
    #[must_use]
    pub fn union(&self, other: &DataStream<T>) -> DataStream<T> {
        if !self.shared.graph.is(&other.shared.graph) {
            self.shared.graph.fail(Error::invalid("streams of two environments cannot be united"));
        }
        let upstreams = self.upstreams.iter().chain(&other.upstreams).cloned().collect();
        DataStream::new(self.shared.clone(), upstreams)
    }

    /// A side output of the operator behind this stream.
    #[must_use = "a stream that is put nowhere has no effect; `sink_to`, `print` or `discard` end one"]
    pub fn side_output<X: Record>(&self, tag: &OutputTag<X>) -> DataStream<X> {
        let own = tag.arc();
        let factory =
            factory((), move |(), _, _| Ok(Box::new(SideOutput::<X>::new(own.clone())) as Box<dyn Operator>));
        let side = |upstream: &Upstream| {
            let tag = Some(tag.id().to_owned());
            let input = Upstream { node: upstream.node, exchange: Exchange::Forward, tag };
            self.shared.graph.sends(&input, RecordsReader::of::<X>());
            let kind = NodeKind::Operator(factory.clone());
            let node = self.shared.graph.add("Side Output", kind, vec![vec![input]]);
            self.shared.graph.change(node, |node| node.beside_input = true);
            Upstream { node, exchange: Exchange::Forward, tag: None }
        };
        DataStream::new(self.shared.clone(), self.upstreams.iter().map(side).collect())
    }

    /// Partitions the stream by key: downstream there is state for each key.
    ///
    /// The key is computed for each record. If it is a part of the record that is expensive to copy, use
    /// [`DataStream::key_by_ref`].
    #[must_use = "a stream that is put nowhere has no effect; `sink_to`, `print` or `discard` end one"]
    pub fn key_by<K: Key, F>(&self, key: F) -> KeyedStream<K, T>
    where
        F: Fn(&T) -> K + Send + Sync + 'static,
    {
        self.keyed(Arc::new(ByValue(key)))
    }

    /// Partitions the stream by a key that is a part of the record: it is copied only when it is new.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// # let words = env.from_collection([("a".to_owned(), 1u64), ("a".to_owned(), 2)]);
    /// let counts = words.key_by_ref(|(word, _)| word).sum(|(_, count)| count);
    /// # assert_eq!(counts.execute_and_collect("t")?.last().transpose()?, Some(("a".to_owned(), 3)));
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use = "a stream that is put nowhere has no effect; `sink_to`, `print` or `discard` end one"]
    pub fn key_by_ref<K: Key, F>(&self, key: F) -> KeyedStream<K, T>
    where
        F: Fn(&T) -> &K + Send + Sync + 'static,
    {
        self.keyed(Arc::new(ByRef(key)))
    }

    pub(crate) fn keyed<K: Key>(&self, key_by: Arc<dyn KeyBy<K, T>>) -> KeyedStream<K, T> {
        let own = key_by.clone();
        let factory = factory((), move |(), _, _| {
            let key_by = own.clone();
            let routes = move |values: &[T], routes: &mut Vec<u64>| key_by.hash(values, routes);
            Ok(Box::new(Route::<T, _>::new(routes)))
        });
        KeyedStream::new(self.routed("KeyBy", &factory, &Exchange::Hash(Vec::new())), key_by)
    }

    /// Lets an operator assign routes to the values, directly after each operator that they come from, so
    /// that the exchange after it is the first to partition them: values of one key keep their order. Earlier
    /// partitioning is discarded.
    pub(crate) fn routed(
        &self,
        name: &'static str,
        factory: &MakeOperator,
        exchange: &Exchange,
    ) -> DataStream<T> {
        let route = |upstream: &Upstream| {
            let input = Upstream { exchange: Exchange::Forward, ..upstream.clone() };
            let node = self.shared.graph.add(name, NodeKind::Operator(factory.clone()), vec![vec![input]]);
            self.shared.graph.change(node, |node| node.beside_input = true);
            Upstream { node, exchange: exchange.clone(), tag: None }
        };
        DataStream::new(self.shared.clone(), self.upstreams.iter().map(route).collect())
    }

    /// An operator that only prepares another stays with the previous one.
    pub(crate) fn same_parallelism<U>(&self, other: &DataStream<U>) {
        if let ([from], [to]) = (&self.upstreams[..], &other.upstreams[..])
            && from.exchange == Exchange::Forward
        {
            self.shared.graph.change(to.node, |node| node.beside_input = true);
        }
    }

    /// Configures the operator behind the stream, if the stream comes from exactly one operator.
    pub(crate) fn change(self, change: impl Fn(&mut Transformation)) -> Self {
        match &self.upstreams[..] {
            [Upstream { node, exchange: Exchange::Forward, tag: None }] => {
                self.shared.graph.change(*node, &change);
            }
            _ => self.shared.graph.fail(Error::invalid(
                "name, uid, parallelism and the like belong to an operator; a union, a side output and a stream that is spread \
                 over subtasks have none of their own: say it of the operator before or behind",
            )),
        }
        self
    }

    /// The operator may have state.
    pub(crate) fn stateful(self) -> Self {
        self.change(|node| node.stateful = true)
    }

    /// The operator's name, for people.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.change(|node| node.name = name.to_owned())
    }

    /// What the operator does, for people, where there is room for more than a name:
    /// [`StreamExecutionEnvironment::execution_plan`] shows it.
    #[must_use]
    pub fn description(self, description: &str) -> Self {
        self.change(|node| node.description = Some(description.to_owned()))
    }

    /// The name by which the operator's state is found in a snapshot, even if the program has changed. Give
    /// one to every operator with state.
    #[must_use]
    pub fn uid(self, uid: &str) -> Self {
        self.change(|node| node.uid = Some(uid.to_owned()))
    }

    /// How many subtasks the operator has.
    #[must_use]
    pub fn parallelism(self, parallelism: u32) -> Self {
        let graph = self.shared.graph.clone();
        self.change(move |node| {
            if node.fixed && parallelism != 1 {
                graph.fail(Error::invalid(format!(
                    "'{}' works only with one subtask; its parallelism cannot be {parallelism}",
                    node.name
                )));
            } else {
                node.parallelism = Some(parallelism);
            }
        })
    }

    /// The number of key groups of the operator.
    #[must_use]
    pub fn max_parallelism(self, max_parallelism: u32) -> Self {
        self.change(|node| node.wishes.max_parallelism = Some(max_parallelism))
    }

    /// The operator does not share slots with operators of other groups.
    #[must_use]
    pub fn slot_sharing_group(self, group: &str) -> Self {
        self.change(|node| node.wishes.slot_sharing_group = Some(group.to_owned()))
    }

    /// The operator is not chained to the previous one.
    #[must_use]
    pub fn start_new_chain(self) -> Self {
        self.change(|node| node.wishes.chaining = Chaining::Head)
    }

    /// The operator is not chained to others.
    #[must_use]
    pub fn disable_chaining(self) -> Self {
        self.change(|node| node.wishes.chaining = Chaining::Never)
    }

    /// How long the operator's output may be held back for larger batches; `None`: until a batch is full or
    /// the input runs dry.
    #[must_use]
    pub fn buffer_timeout(self, timeout: impl Into<Option<Duration>>) -> Self {
        let millis =
            timeout.into().map_or(-1, |timeout| i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX));
        self.change(|node| node.wishes.buffer_timeout = Some(millis))
    }
}
