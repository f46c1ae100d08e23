//! State: where operators keep what they must remember, and how it gets into snapshots and back.
//!
//! An operator owns its state as typed, resident tables. Nothing is serialised on the path of a record. Each table
//! tracks which entries changed since the last checkpoint; at a checkpoint the operator hands over a [`KeyedDelta`] of
//! just those, as columns with real names and types. The synchronous part is thus proportional to what changed. The
//! rest (encoding to Parquet, upload, merging of old files) happens off the task's thread.
//!
//! | what is kept | with |
//! |---|---|
//! | a few values for each key (aggregates, windows) | [`KeyedTable`] over columns by slot ([`SlotColumns`]) |
//! | any number of rows for each key (joins, top-n, `MapState`) | [`KeyedMap`], sorted or not |
//! | how often each row of a key occurs (DISTINCT, retractable MIN and MAX) | [`KeyedMultiset`] |
//! | what is to happen at a time | [`TimerQueue`] |
//! | when something was last used | [`Ttl`], beside the values, in an [`Expiring`] |
//! | keys alone, without snapshots (a pre-aggregation) | [`KeyIndex`] |
//!
//! [`store`] is where snapshots lie.

mod bits;
mod codec;
mod columns;
mod cut;
mod dirty;
mod index;
mod layout;
mod map;
mod slot_bytes;
mod snapshot;
pub mod store;
mod table;
mod timer;
mod ttl;

pub use columns::{AnyColumn, BinaryColumn, BooleanColumn, PrimitiveColumn, SlotColumns, StringColumn};
pub use dirty::{Changes, DirtySlots};
pub use index::{KeyIndex, NO_SLOT};
pub use layout::with_default;
pub use map::{KeyedMap, KeyedMultiset, MapSpec};
pub use snapshot::{KeyedDelta, ListState, OperatorSnapshot, Redistribution, RestoredState};
pub use table::KeyedTable;
pub use timer::{DueTimers, TimerQueue};
pub use ttl::{Expiring, ExpiryHand, Ttl};
