//! How values are spread over the subtasks of the next operator.

use flott_batch::Record;
use flott_plan::Exchange;

use crate::graph::Upstream;
use crate::stream::DataStream;
use crate::stream::transform::factory;
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
}
