//! State: where operators keep what they must remember, and how it gets into snapshots and back.
//!
//! An operator owns its state as typed, resident tables. Nothing is serialised on the path of a record. Each table
//! tracks which entries changed since the last checkpoint; at a checkpoint the operator hands over a [`KeyedDelta`] of
//! just those, as columns with real names and types. The synchronous part is thus proportional to what changed. The
//! rest (encoding to Parquet, upload, merging of old files) happens off the task's thread.

mod snapshot;

pub use snapshot::{KeyedDelta, ListState, OperatorSnapshot, Redistribution, RestoredState};
