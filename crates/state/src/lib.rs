//! State: where operators keep what they must remember, and how it is written to snapshots and restored.
//!
//! An operator owns its state as typed tables in memory. Nothing is serialised on the path of a record. Each
//! table tracks which entries changed since the last checkpoint; at a checkpoint the operator hands over a
//! [`KeyedDelta`] of just those, as columns with real names and types. So the cost of the synchronous part
//! depends only on what changed. The rest (encoding to Parquet, upload, merging of old files) happens off the
//! task's thread.
//!
//! An operator has one table: an index of its keys, and states as columns over the index's slots, whether the
//! keys and values are arrow columns (SQL) or of a user's types (functions). The drawing and the rules are in
//! the header of `column.rs`.
//!
//! | what is kept | with |
//! |---|---|
//! | a few values for each key (aggregates, windows) | [`KeyedTable`] over columns by slot ([`SlotColumns`]) |
//! | several states for each key | [`SharedIndex`], and a [`RowColumn`] for each: [`SingleRows`], [`GroupedRows`], [`Arrivals`] |
//! | any number of rows for each key (joins, top-n) | [`GroupedRows`], sorted or not |
//! | rows that wait, or are needed for some time | [`Arrivals`] |
//! | how often each row of a key occurs (DISTINCT, retractable MIN and MAX) | [`Multiset`], over the slots of another's keys |
//! | what is to happen at a time | [`TimerQueue`] |
//! | when something was last used | [`Ttl`], beside the rows of any state |
//! | keys alone, without snapshots (a pre-aggregation) | [`KeyIndex`] |
//! | a state of another kind | your own [`Rows`] in a [`RowColumn`], or your own [`StateColumn`] |
//!
//! [`store`] is where snapshots are stored.

mod bits;
mod codec;
mod column;
mod columns;
mod cut;
mod dirty;
mod expiry;
mod group_order;
mod index;
mod keys;
mod map;
mod rows;
mod shared;
mod slot_bytes;
mod slots;
mod snapshot;
pub mod spill;
pub mod store;
mod table;
mod timer;
mod ttl;

pub use column::{Index, Migration, SlotIndex, StateColumn};
pub use columns::{
    AnyColumn, BinaryColumn, BooleanColumn, KeptRows, PrimitiveColumn, SlotColumns, StringColumn,
};
pub use dirty::{Changes, DirtySlots};
pub use expiry::ExpiryHand;
pub use index::{KeyIndex, NO_SLOT};
pub use keys::{ColumnIndex, NamedIndex};
pub use map::{Arrivals, GroupedRows, Multiset, prefixed};
pub use rows::{
    RowColumn, RowSource, RowSpill, RowWriter, Rows, SingleRows, Stored, StoredRows, with_default,
};
pub use shared::SharedIndex;
pub use slots::Slots;
pub use snapshot::{KeyedDelta, ListState, OperatorSnapshot, Redistribution, Rest, RestoredState};
pub use table::KeyedTable;
pub use timer::{Timer, TimerQueue};
pub use ttl::{Ttl, TtlPolicy, remember, stamp_field};
