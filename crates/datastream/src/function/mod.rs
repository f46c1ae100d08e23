//! What functions are.
//!
//! Simple ones are closures. Those with a life of their own (state, timers, side outputs, `open` and `close`) are types that implement a
//! trait; each subtask gets a clone.

mod aggregate;
mod async_function;
mod broadcast;
mod co_process;
mod join;
mod keyed_process;
mod keyed_rich;
pub(crate) mod life_cycle;
mod process;
mod rich;
mod snapshot;

pub use aggregate::AggregateFunction;
pub use async_function::AsyncFunction;
pub use broadcast::{
    BroadcastContext, BroadcastProcessFunction, KeyedBroadcastContext, KeyedBroadcastProcessFunction,
    ReadOnlyContext, StatesOfKey,
};
pub use co_process::{CoProcessFunction, KeyedCoProcessFunction};
pub use join::{JoinContext, ProcessJoinFunction};
pub(crate) use keyed_process::KeyedCall;
pub use keyed_process::{KeyedContext, KeyedProcessFunction, KeyedStates, TimeDomain};
pub use keyed_rich::{KeyedFilterFunction, KeyedFlatMapFunction, KeyedMapFunction};
pub(crate) use keyed_rich::{KeyedFiltering, KeyedFlatMapping, KeyedMapping, WithState};
pub use process::{OwnStates, ProcessContext, ProcessFunction};
pub use rich::{FilterFunction, FlatMapFunction, MapFunction};
pub(crate) use rich::{Filtering, FlatMapping, Mapping};
pub use snapshot::SnapshotContext;
