//! Keyed state of functions.
//!
//! A keyed operator has one [`KeyTable`]: its keys, each with a slot. Every state that a function declares is a column over these
//! slots ([`States`]), and timers refer to keys by slot ([`TimerQueue`](flott_state::TimerQueue)). So a record costs one look-up, whatever
//! number of states its function reads. A key's slot is freed when no column and no timer needs it any more. It is the table that SQL's
//! operators have, too: an index of its own kind, and columns of values of users' types. See [`flott_state::StateColumn`].
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
//! Each column knows what changed since the last snapshot; a snapshot turns just that into arrow columns named `key` and after
//! what they hold, by `serde`.

use flott_types::Error;

mod declare;
mod fold;
mod key;
mod key_table;
mod list;
mod list_column;
mod map;
mod map_column;
mod operator;
mod operator_access;
mod scope;
mod ttl;
mod value;
mod value_column;

pub(crate) use declare::{tell, tell_dropped, tell_fields};
pub use fold::{AggregatingState, ReducingState};
pub use key::Key;
pub(crate) use key::{ByRef, ByValue, KeyBy};
pub(crate) use key_table::KeyTable;
pub use list::ListState;
pub(crate) use list_column::ListColumn;
pub use map::MapState;
pub(crate) use map_column::{MapAccess, MapColumn};
pub use operator::BroadcastState;
pub(crate) use operator::{OperatorColumn, OperatorList};
pub use operator_access::{BroadcastAccess, OperatorListState, OperatorStateAccess};
pub use scope::StateAccess;
pub(crate) use scope::States;
pub(crate) use ttl::ttl_of;
pub use ttl::{StateTtlConfig, TtlUpdateType, TtlVisibility};
pub use value::ValueState;
pub(crate) use value_column::{ValueAccess, ValueColumn};

/// An error names its state.
pub(crate) fn in_state(state: &str, error: Error) -> Error {
    error.context(format_args!("state '{state}'"))
}

#[cfg(test)]
mod tests;
