//! One index of keys for all states of an operator.

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_types::Result;

use crate::{ColumnIndex, Index, KeyIndex, KeyedDelta, RestoredState, StateColumn};

/// The keys of an operator with slots, and those slots that no state may need any more.
///
/// A batch's keys are interned once; all that the operator does with them afterwards goes by slot. A new key
/// is a free one until a state takes it. Slots hold until [`SharedIndex::release`], which an operator calls
/// when it is done with a batch.
#[derive(Debug)]
pub struct SharedIndex {
    index: ColumnIndex,
    freed: Vec<u32>,
}

impl SharedIndex {
    /// The first `partition_columns` of the keys decide the key group.
    ///
    /// # Errors
    /// If a type cannot be a key.
    pub fn new(keys: &[FieldRef], partition_columns: usize, max_parallelism: u32) -> Result<Self> {
        Ok(SharedIndex {
            index: ColumnIndex::new(keys, partition_columns, max_parallelism)?,
            freed: Vec::new(),
        })
    }

    /// The index.
    pub fn index(&self) -> &ColumnIndex {
        &self.index
    }

    /// From keys to slots.
    pub fn keys(&self) -> &KeyIndex {
        self.index.keys()
    }

    pub(crate) fn keys_mut(&mut self) -> &mut KeyIndex {
        self.index.keys_mut()
    }

    /// The columns of the keys.
    pub fn fields(&self) -> Vec<FieldRef> {
        self.index.fields()
    }

    /// All slots are below this.
    pub fn slots_end(&self) -> usize {
        self.index.keys().slots_end()
    }

    /// Finds or makes the slot of each row's key, replacing what is in `slots`.
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn intern(&mut self, keys: &[ArrayRef], rows: usize, slots: &mut Vec<u32>) -> Result<()> {
        let SharedIndex { index, freed } = self;
        index.keys_mut().intern(keys, rows, slots, |slot, _| freed.push(slot))
    }

    /// Finds the slot of each row's key, or [`NO_SLOT`](crate::NO_SLOT), replacing what is in `slots`. A key
    /// that is found may be one that no state needs any more.
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn lookup(&mut self, keys: &[ArrayRef], rows: usize, slots: &mut Vec<u32>) -> Result<()> {
        self.index.keys_mut().lookup(keys, rows, slots)
    }

    /// The keys of slots as columns.
    ///
    /// # Errors
    /// Only if memory is exhausted or the index is damaged.
    pub fn keys_of(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.index.columns(slots)
    }

    /// The bytes of a slot's key, beside those of numbers.
    pub fn bytes_of(&self, slot: u32) -> usize {
        self.index.bytes_of(slot)
    }

    /// The slots that may be free: what states answer when something is removed from them is added here.
    pub fn freed(&mut self) -> &mut Vec<u32> {
        &mut self.freed
    }

    /// Frees a slot at once, unless it is still occupied: then when it is not any more.
    pub fn free(&mut self, slot: u32, occupied: bool) {
        match occupied {
            true => self.freed.push(slot),
            false => self.index.keys_mut().remove(slot),
        }
    }

    /// Forgets the keys that no state needs, and gives their slots out again. `occupied` says whether one of
    /// the operator's states does.
    pub fn release(&mut self, occupied: impl Fn(u32) -> bool) {
        let SharedIndex { index, freed } = self;
        for slot in freed.drain(..) {
            if !occupied(slot) {
                index.keys_mut().remove(slot);
            }
        }
    }

    /// Gives a state what a snapshot has of it.
    ///
    /// # Errors
    /// Those of [`StateColumn::restore`].
    pub fn restore(&mut self, state: &mut dyn StateColumn, restored: &mut RestoredState) -> Result<()> {
        state.restore(&mut self.index, restored)
    }

    /// Gives a state what a snapshot has of it, where it calls the keys by these names.
    ///
    /// # Errors
    /// Those of [`StateColumn::restore`].
    pub fn restore_as(
        &mut self,
        names: &[FieldRef],
        state: &mut dyn StateColumn,
        restored: &mut RestoredState,
    ) -> Result<()> {
        state.restore(&mut self.index.named(names), restored)
    }

    /// Adds to a snapshot what changed of a state. [`SharedIndex::release`] comes after the last of an
    /// operator's.
    ///
    /// # Errors
    /// Those of [`StateColumn::snapshot`].
    pub fn snapshot(
        &mut self,
        state: &mut dyn StateColumn,
        full: bool,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        state.snapshot(&self.index, full, &mut self.freed, into)
    }

    /// Adds to a snapshot what changed of a state, which calls the keys by these names.
    ///
    /// # Errors
    /// Those of [`StateColumn::snapshot`].
    pub fn snapshot_as(
        &mut self,
        names: &[FieldRef],
        state: &mut dyn StateColumn,
        full: bool,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let SharedIndex { index, freed } = self;
        state.snapshot(&index.named(names), full, freed, into)
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.index.keys().memory() + self.freed.capacity() * 4
    }
}
