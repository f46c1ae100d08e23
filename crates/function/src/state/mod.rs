//! Keyed state of functions.
//!
//! A keyed operator has one [`KeyTable`]: its keys, each with a slot. Every state that a function declares is
//! a column over these slots ([`States`]), and timers refer to keys by slot
//! ([`TimerQueue`](flott_state::TimerQueue)). So a record costs one lookup, however many states its function
//! reads. A key's slot is freed when no column and no timer needs it any more. SQL's operators use the same
//! table; here it has its own kind of index, and columns of values of users' types. See
//! [`flott_state::StateColumn`].
//!
//! | state | rows of a snapshot |
//! |---|---|
//! | [`ValueState`], [`ReducingState`], [`AggregatingState`] | `key -> value` |
//! | [`ListState`] | `(key, position) -> value` |
//! | [`MapState`] | `(key, map_key) -> value` |
//! | timers | `(key, timestamp)` |
//!
//! Entries with a time to live ([`StateTtlConfig`]) have a column `last_access` too.
//!
//! Each column tracks what changed since the last snapshot; a snapshot turns just that into arrow columns
//! with `serde`, named `key` and after their contents.

use flott_batch::Record;
use flott_batch::size::owned;
use flott_types::Error;

mod fate;
pub mod fold;
mod key;
mod key_table;
mod list;
mod list_column;
mod list_values;
mod map;
mod map_column;
pub mod operator;
mod operator_access;
mod scope;
mod ttl;
mod value;
mod value_column;

pub use fate::{tell, tell_dropped, tell_fields};
pub use fold::{AggregatingState, ReducingState};
pub use key::Key;
pub use key::{ByRef, ByValue, KeyBy};
pub use key_table::KeyTable;
pub use list::ListState;
pub(crate) use list_column::ListColumn;
pub use map::MapState;
pub(crate) use map_column::{MapAccess, MapColumn};
pub use operator::{BroadcastMap, BroadcastState, OperatorColumn, OperatorList};
pub use operator_access::{BroadcastAccess, OperatorListState, OperatorStateAccess};
pub use scope::{StateAccess, States};
pub(crate) use ttl::ttl_of;
pub use ttl::{StateTtlConfig, TtlUpdateType, TtlVisibility};
pub use value::ValueState;
pub use value_column::{ValueAccess, ValueColumn};

/// What the values of a state own is estimated from so many places.
const LOOKS: usize = 64;

/// What the values in these places own, estimated.
fn estimated<P, T: Record>(places: &[P], value: impl Fn(&P) -> Option<&T>) -> usize {
    owned(places, (places.len() / LOOKS).max(1), value)
}

/// The state that event-time timers are in.
pub const EVENT_TIMERS: &str = "event-time-timers";
/// The state that processing-time timers are in.
pub const PROCESSING_TIMERS: &str = "processing-time-timers";

/// Adds the state's name to an error.
pub fn in_state(state: &str, error: Error) -> Error {
    error.context(format_args!("state '{state}'"))
}

#[cfg(test)]
mod tests;
