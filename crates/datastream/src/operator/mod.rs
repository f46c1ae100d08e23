//! The operators behind the methods of streams.

mod flat_map;
mod keyed_process;
mod partition;
mod process;
mod reduce;

pub(crate) use flat_map::{Filter, FlatMap, Map, MapPartition};
pub(crate) use keyed_process::{EVENT_TIMERS, KeyedProcess, PROCESSING_TIMERS};
pub(crate) use partition::Route;
pub(crate) use process::Process;
pub(crate) use reduce::Reduce;
