//! One table for an operator: an index of keys, and states as columns over its slots.
//!
//! ```text
//!   key ──[ Index ]──> slot ──┬── column "groups"            one row a key      RowColumn<SingleRows<V>>
//!                             ├── column "SUM.distinct"      rows by key        RowColumn<GroupedRows<V>>
//!                             ├── column "map" of a function entries by key     RowColumn<..> of the functions' crate
//!                             └── column "event-time-timers" times by key       TimerQueue
//! ```
//!
//! An [`Index`] maps each key to a dense slot, once per record, however many states the operator has. There
//! are two kinds: keys that are arrow columns ([`ColumnIndex`](crate::ColumnIndex)), and keys that are values
//! of a user's type, next to the functions that use them. A [`StateColumn`] is one state; how it stores the
//! value of a slot is up to it: an array of numbers, encoded rows or values of a user's type, and operators
//! work on that in typed loops. The trait is called once per batch or snapshot, never per record.
//!
//! [`RowColumn`](crate::RowColumn) is the one implementation of what all states need apart from their data:
//! which rows exist and which changed, removals that a snapshot must still write, the time to live, writing
//! rows at a snapshot and reading them at a restore, and the migration of types. [`Rows`](crate::Rows) is how
//! it sees the data. States that track their own changes better (an append-only list) write their rows with
//! [`RowWriter`](crate::RowWriter) and read them with [`StoredRows`](crate::StoredRows), so that all
//! snapshots look alike.
//!
//! # When a slot becomes free
//!
//! A state that no longer needs a key reports it: removals return its slot; snapshots and
//! [`StateColumn::tidy`] add it to a list. The owner of the index frees a slot in that list once no state
//! [occupies](StateColumn::occupied) it; [`SharedIndex`](crate::SharedIndex) keeps such a list beside its
//! keys. A removed row that is in the last snapshot occupies its slot until the next snapshot, which writes
//! its key as deleted.

use std::any::Any;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::FieldRef;
use flott_types::{Result, Timestamp};

use crate::spill::{Fetched, Spilled, SpilledTable};
use crate::{KeyedDelta, RestoredState};

/// Keys with slots, whatever the keys are.
pub trait Index {
    /// The columns of a key, as snapshots have them.
    fn fields(&self) -> Vec<FieldRef>;

    /// All slots are below this.
    fn slots_end(&self) -> usize;

    /// How many of the key columns, from the first on, decide the key group.
    fn partition_columns(&self) -> usize;

    /// The keys of these slots, one column for each field.
    ///
    /// # Errors
    /// If memory is exhausted, or a key cannot be stored.
    fn columns(&self, slots: &[u32]) -> Result<Vec<ArrayRef>>;

    /// The key groups of slots whose keys are in `columns`.
    fn key_groups(&self, slots: &[u32], columns: &[ArrayRef]) -> Vec<u16>;

    /// The size of a slot's key in bytes, not counting fixed-width columns.
    fn bytes_of(&self, slot: u32) -> usize {
        let _ = slot;
        0
    }

    /// Finds or creates the slots of the keys of a snapshot's rows.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if they are not keys of this index.
    fn restore(&mut self, rows: &RecordBatch) -> Result<Vec<u32>>;
}

/// An index whose keys can leave memory and come back: see [`spill`](crate::spill).
pub trait SlotIndex: Index {
    /// How many keys there are.
    fn keys_in_use(&self) -> usize;

    /// Whether a slot is in use.
    fn is_in_use(&self, slot: u32) -> bool;

    /// Finds or creates the slots of keys that [`Index::columns`] gave. Those that are new are added to `new`.
    ///
    /// # Errors
    /// If they are not keys of this index.
    fn take_back(&mut self, keys: &[ArrayRef], rows: usize, new: &mut Vec<u32>) -> Result<Vec<u32>>;

    /// Frees a slot.
    fn release(&mut self, slot: u32);
}

/// One state of an operator. See the module's header.
pub trait StateColumn: Any + Send {
    /// The state's name within the operator.
    fn name(&self) -> &str;

    /// Whether the slot holds something here, or held something that the next snapshot must delete; either
    /// way its key must stay.
    fn occupied(&self, slot: u32) -> bool;

    /// Takes this state's part of a snapshot.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if it is not a snapshot of this state.
    fn restore(&mut self, index: &mut dyn Index, restored: &mut RestoredState) -> Result<()>;

    /// What changed since the last snapshot, or everything. Slots whose keys are no longer needed here, now
    /// that the snapshot deletes them, are added to `freed`.
    ///
    /// # Errors
    /// If values cannot be stored.
    fn snapshot(
        &mut self,
        index: &dyn Index,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()>;

    /// Prefetches each slot's value: reads a little of each, so that it is in the cache when the function
    /// asks for it. A function alone would wait for memory at each key; these reads do not depend on each
    /// other. Returns something that depends on what was read, so that the compiler does not optimise it
    /// away.
    fn warm(&self, slots: &[u32]) -> usize {
        let _ = slots;
        0
    }

    /// Does a bounded amount of cleaning up (drops what has expired). Slots whose values were dropped are
    /// added to `freed`. `rows` is how many rows have arrived since the last call.
    fn tidy(&mut self, now: Timestamp, rows: usize, freed: &mut Vec<u32>) {
        let _ = (now, rows, freed);
    }

    /// The latest time at which to call [`StateColumn::tidy`] again.
    fn wake_at(&self) -> Option<Timestamp> {
        None
    }

    /// Prepares to let rows leave memory and come back: see [`spill`](crate::spill). Returns whether they
    /// can.
    fn enable_spilling(&mut self) -> bool {
        false
    }

    /// Drops the slots whose rows cannot leave now, because something removed waits for a snapshot.
    ///
    /// # Errors
    /// Only through a defect.
    fn retain_settled(&mut self, slots: &mut Vec<u32>) -> Result<()> {
        slots.clear();
        Ok(())
    }

    /// When the last of a slot's rows expires; [`Timestamp::MAX`] is never.
    fn expiry(&self, slot: u32) -> Timestamp {
        let _ = slot;
        Timestamp::MAX
    }

    /// How long rows live after their last use, in milliseconds, if those that have expired are looked for.
    fn time_to_live(&self) -> Option<i64> {
        None
    }

    /// Drops the rows of these slots that have expired. Slots that may be free are added to `freed`.
    fn drop_expired(&mut self, slots: &[u32], now: Timestamp, freed: &mut Vec<u32>) {
        let _ = (slots, now, freed);
    }

    /// In a state of timers, when the first one of a slot is due.
    fn first_due(&self, slot: u32) -> Option<Timestamp> {
        let _ = slot;
        None
    }

    /// Adds the rows of these slots, in this order, to what leaves memory. They are still here until
    /// [`StateColumn::leave`].
    ///
    /// # Errors
    /// If rows cannot be encoded.
    fn spill(&mut self, slots: &[u32], into: &mut Spilled<'_>) -> Result<()> {
        let _ = (slots, into);
        Ok(())
    }

    /// Forgets the rows of slots that have left memory: they are not removed.
    ///
    /// # Errors
    /// Only through a defect.
    fn leave(&mut self, slots: &[u32]) -> Result<()> {
        let _ = slots;
        Ok(())
    }

    /// Takes back rows that had left.
    ///
    /// # Errors
    /// If rows cannot be decoded.
    fn fetch(&mut self, from: &Fetched<'_>) -> Result<()> {
        let _ = from;
        Ok(())
    }

    /// Describes the states whose rows may have left memory, as snapshots do.
    ///
    /// # Errors
    /// Only through a defect.
    fn describe(&mut self, index: &dyn Index, into: &mut Vec<SpilledTable>) -> Result<()> {
        let _ = (index, into);
        Ok(())
    }

    /// How the stored type differed from the current one, if it did.
    fn migration(&self) -> Option<&Migration> {
        None
    }

    /// The memory that it holds in bytes, not counting what its values allocate themselves.
    fn memory(&self) -> usize;
}

/// The stored type differs from the current one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Migration {
    /// The stored type, as a person would write it.
    pub from: String,
    /// The current type.
    pub to: String,
    /// Paths of fields that are stored but not read.
    pub dropped: Vec<String>,
    /// Paths of fields that are not stored.
    pub new: Vec<String>,
}
