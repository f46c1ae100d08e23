//! How values are spread over the subtasks of the next operator.

use std::sync::Arc;

use flott_batch::Record;
use flott_plan::Exchange;
use flott_types::{Error, KeyGroup};

use crate::graph::Upstream;
use crate::stream::DataStream;
use crate::stream::keyed::KeyedStream;
use crate::stream::transform::factory;
use flott_function::state::{ByValue, Key, KeyBy};
use flott_function_operators::partition::Route;

impl<T: Record> DataStream<T> {
    pub(crate) fn with_exchange(&self, exchange: Exchange) -> DataStream<T> {
        let spread = |upstream: &Upstream| Upstream { exchange: exchange.clone(), ..upstream.clone() };
        DataStream::new(self.shared.clone(), self.upstreams.iter().map(spread).collect())
    }

    /// To all subtasks in turn.
    #[must_use]
    pub fn rebalance(&self) -> DataStream<T> {
        self.with_exchange(Exchange::Rebalance)
    }

    /// To subtasks at random, evenly. In Flott this is the same as [`DataStream::rebalance`]: round robin is
    /// as even as chance, and reproducible after a restart.
    #[must_use]
    pub fn shuffle(&self) -> DataStream<T> {
        self.with_exchange(Exchange::Rebalance)
    }

    /// Round robin to a part of the subtasks: between 2 and 4 subtasks each sender has 2 receivers.
    #[must_use]
    pub fn rescale(&self) -> DataStream<T> {
        self.with_exchange(Exchange::Rescale)
    }

    /// Every value to every subtask.
    #[must_use]
    pub fn broadcast(&self) -> DataStream<T> {
        self.with_exchange(Exchange::Broadcast)
    }

    /// All values to the first subtask.
    #[must_use]
    pub fn global(&self) -> DataStream<T> {
        self.with_exchange(Exchange::Global)
    }

    /// To the subtask with the sender's number. If the parallelism differs, values are distributed evenly
    /// instead.
    #[must_use]
    pub fn forward(&self) -> DataStream<T> {
        self.with_exchange(Exchange::Forward)
    }

    /// Each value to the receiver that the function chooses: it gets the key and the number of receivers,
    /// which must be the parallelism of the next operator.
    ///
    /// A choice that is not below the number of receivers fails the task.
    pub fn partition_custom<K, P, S>(&self, partitioner: P, key: S, receivers: u32) -> DataStream<T>
    where
        P: Fn(&K, u32) -> u32 + Clone + Send + 'static,
        S: Fn(&T) -> K + Clone + Send + 'static,
    {
        let factory = factory((partitioner, key), move |(partitioner, key), _, _| {
            let routes = move |values: &[T], routes: &mut Vec<u64>| {
                routes.extend(values.iter().map(|value| u64::from(partitioner(&key(value), receivers))));
                Ok(())
            };
            Ok(Box::new(Route::<T, _>::new(routes)))
        });
        self.routed("Partition", &factory, &Exchange::Custom)
    }

    /// Takes a stream that is partitioned already as one that is partitioned by this key, without sending it
    /// through an exchange again: one keyed operator's results, by the same key, go to the next in the same
    /// task.
    ///
    /// Every record must be where [`DataStream::key_by`] would have sent it. One that is not fails the task,
    /// because the state of its key is elsewhere.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// let words: DataStream<(String, u64)> = env.from_collection([("to", 1), ("be", 1), ("to", 1)]);
    /// let counts = words.key_by_ref(|(word, _)| word).sum(|(_, count)| count);
    /// // The counts are still where their words are.
    /// let most = counts.reinterpret_as_keyed_stream(|(word, _)| word.clone()).max(|(_, count)| count);
    /// # assert_eq!(most.execute_and_collect("t")?.count(), 3);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use = "a stream that is put nowhere has no effect; `sink_to`, `print` or `discard` end one"]
    pub fn reinterpret_as_keyed_stream<K: Key, F>(&self, key: F) -> KeyedStream<K, T>
    where
        F: Fn(&T) -> K + Send + Sync + 'static,
    {
        let key_by: Arc<dyn KeyBy<K, T>> = Arc::new(ByValue(key));
        let own = key_by.clone();
        let factory = factory((), move |(), info, _| {
            let (key_by, here, max_parallelism) = (own.clone(), info.key_groups, info.max_parallelism);
            let routes = move |values: &[T], routes: &mut Vec<u64>| {
                key_by.hash(values, routes)?;
                match routes.iter().all(|hash| here.contains(KeyGroup::of_hash(*hash, max_parallelism))) {
                    true => Ok(()),
                    false => Err(Error::invalid(
                        "the stream that is reinterpreted as keyed is not partitioned by that key: a record is in a subtask \
                         that does not have its key; use `key_by`",
                    )),
                }
            };
            Ok(Box::new(Route::<T, _>::new(routes)))
        });
        let keyed = self.routed("Reinterpret", &factory, &Exchange::Forward);
        for upstream in &keyed.upstreams {
            self.shared.graph.change(upstream.node, |node| node.stays = true);
        }
        KeyedStream::new(keyed, key_by)
    }
}
