//! A stream together with one that all subtasks see.

use std::sync::Arc;

use flott_batch::Record;

use crate::stream::keyed::KeyedStream;
use crate::stream::transform::factory;
use crate::stream::{ConnectedStreams, DataStream};
use flott_function::broadcast::BroadcastProcessFunction;
use flott_function::broadcast::KeyedBroadcastProcessFunction;
use flott_function::state::{Key, KeyBy};
use flott_function_operators::broadcast::{Broadcast, KeyedBroadcastProcess};
use flott_function_operators::co_process::CoProcess;

/// A stream and a broadcast stream for one operator.
pub struct BroadcastConnectedStream<A, B> {
    connected: ConnectedStreams<A, B>,
}

/// A keyed stream and a broadcast stream for one operator.
pub struct KeyedBroadcastConnectedStream<K, A, B> {
    connected: ConnectedStreams<A, B>,
    key_by: Arc<dyn KeyBy<K, A>>,
}

impl<A: Record> DataStream<A> {
    /// This stream and another one whose every value goes to every subtask of the operator, for state that is
    /// the same in all of them (`connect` with a `BroadcastStream` in Flink).
    pub fn connect_broadcast<B: Record>(&self, broadcast: &DataStream<B>) -> BroadcastConnectedStream<A, B> {
        BroadcastConnectedStream { connected: ConnectedStreams::new(self, &broadcast.broadcast()) }
    }
}

impl<K: Key, A: Record> KeyedStream<K, A> {
    /// This stream and another one whose every value goes to every subtask of the operator, for state that is
    /// the same in all of them (`connect` with a `BroadcastStream` in Flink).
    pub fn connect_broadcast<B: Record>(
        &self,
        broadcast: &DataStream<B>,
    ) -> KeyedBroadcastConnectedStream<K, A, B> {
        let connected = ConnectedStreams::new(&self.stream, &broadcast.broadcast());
        KeyedBroadcastConnectedStream { connected, key_by: self.key_by.clone() }
    }
}

impl<A: Record, B: Record> BroadcastConnectedStream<A, B> {
    /// A function that reads broadcast state for values of the one stream and writes it for values of the
    /// other.
    pub fn process<F>(&self, function: F) -> DataStream<F::Out>
    where
        F: BroadcastProcessFunction<A, B> + Clone,
    {
        let factory = factory(Broadcast(function), |function, _, options| {
            Ok(Box::new(CoProcess::<A, B, Broadcast<F>>::new(function, Arc::new(options.clone()))))
        });
        self.connected.operator("Co-Process-Broadcast", factory).stateful()
    }
}

impl<K: Key, A: Record, B: Record> KeyedBroadcastConnectedStream<K, A, B> {
    /// A function with keyed state and timers that reads broadcast state for values of the one stream and
    /// writes it for values of the other.
    pub fn process<F>(&self, function: F) -> DataStream<F::Out>
    where
        F: KeyedBroadcastProcessFunction<K, A, B> + Clone,
    {
        let key_by = self.key_by.clone();
        let factory = factory(function, move |function, info, options| {
            let (key_by, options) = (key_by.clone(), Arc::new(options.clone()));
            let keyed = KeyedBroadcastProcess::new(function, key_by, info.max_parallelism, options);
            Ok(Box::new(keyed?))
        });
        self.connected.operator("Co-Process-Broadcast-Keyed", factory).stateful()
    }
}
