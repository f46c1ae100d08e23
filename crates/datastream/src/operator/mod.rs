//! The operators behind the methods of streams.

mod async_io;
mod broadcast;
mod co_process;
mod flat_map;
mod interval_join;
mod keyed_co_process;
mod keyed_core;
mod keyed_process;
mod map_partition;
mod partition;
mod process;
mod process_core;
mod reduce;
mod side_output;
#[cfg(test)]
mod testing;

pub(crate) use async_io::AsyncWait;
pub use async_io::{AsyncOptions, AsyncRetry};
pub(crate) use broadcast::{Broadcast, KeyedBroadcastProcess};
pub(crate) use co_process::{CoFlatMap, CoMap, CoProcess};
pub(crate) use flat_map::{Filter, FlatMap, Map};
pub(crate) use interval_join::{Bounds, IntervalJoin, JoinSides};
pub(crate) use keyed_co_process::KeyedCoProcess;
pub(crate) use keyed_core::{EVENT_TIMERS, KeyedCore, PROCESSING_TIMERS};
pub(crate) use keyed_process::KeyedProcess;
pub(crate) use map_partition::MapPartition;
pub(crate) use partition::Route;
pub(crate) use process::Process;
pub(crate) use process_core::ProcessCore;
pub(crate) use reduce::Reduce;
pub(crate) use side_output::SideOutput;
