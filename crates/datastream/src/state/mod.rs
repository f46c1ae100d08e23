//! Keyed state of functions.
//!
//! A keyed operator has one [`KeyTable`]: its keys, each with a slot. Every state that a function declares is a column over these
//! slots ([`States`]), and timers refer to keys by slot ([`Timers`]). So a record costs one look-up, whatever number of
//! states its function reads. A key's slot is freed when no column and no timer needs it any more.
//!
//! Each column knows what changed since the last snapshot; a snapshot turns just that into arrow columns named `key` and after
//! what they hold, by `serde`.

mod key;
mod key_table;
mod scope;
mod timers;
mod value;

pub use key::Key;
pub(crate) use key::{ByRef, ByValue, KeyBy};
pub(crate) use key_table::{KeyTable, Keys};
pub use scope::StateAccess;
pub(crate) use scope::{StateColumn, States};
pub(crate) use timers::Timers;
pub(crate) use value::ValueColumn;
pub use value::ValueState;
pub(crate) use value::{failed, in_state, stored};
