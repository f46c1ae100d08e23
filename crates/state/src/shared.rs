//! One index of keys for all states of an operator.

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_types::{Result, Timestamp};

use crate::spill::{Cold, SpilledSnapshot, TableMemory};
use crate::{ColumnIndex, Index, KeyIndex, KeyedDelta, RestoredState, StateColumn};

/// The keys of an operator with their slots, and the slots that perhaps no state needs any more.
///
/// A batch's keys are interned once; from then on the operator works with slots. A new key is free until a
/// state takes it. Slots stay valid until [`SharedIndex::release`], which an operator calls when it is done
/// with a batch.
#[derive(Debug)]
pub struct SharedIndex {
    index: ColumnIndex,
    freed: Vec<u32>,
    /// The keys that are not in memory, of a table that may spill.
    cold: Option<Box<Cold>>,
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
            cold: None,
        })
    }

    /// The index.
    pub fn index(&self) -> &ColumnIndex {
        &self.index
    }

    /// The index as states see it that are declared by others. What they free belongs into [`SharedIndex::freed`].
    pub fn index_mut(&mut self) -> &mut ColumnIndex {
        &mut self.index
    }

    /// The map from keys to slots.
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

    /// Finds or creates the slot of each row's key, replacing what is in `slots`.
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn intern(&mut self, keys: &[ArrayRef], rows: usize, slots: &mut Vec<u32>) -> Result<()> {
        let SharedIndex { index, freed, .. } = self;
        index.keys_mut().intern(keys, rows, slots, |slot, _| freed.push(slot))
    }

    /// Finds the slot of each row's key, or [`NO_SLOT`](crate::NO_SLOT), replacing what is in `slots`. It may
    /// find a key that no state needs any more.
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

    /// The size of a slot's key in bytes, not counting fixed-width columns.
    pub fn bytes_of(&self, slot: u32) -> usize {
        self.index.bytes_of(slot)
    }

    /// The slots that may be free: add here what states return when something is removed from them.
    pub fn freed(&mut self) -> &mut Vec<u32> {
        &mut self.freed
    }

    /// Frees a slot at once, or if it is still occupied, as soon as it no longer is.
    pub fn free(&mut self, slot: u32, occupied: bool) {
        match occupied {
            true => self.freed.push(slot),
            false => {
                self.cold.iter_mut().for_each(|cold| cold.remove(&self.index, &[slot]));
                self.index.keys_mut().remove(slot);
            }
        }
    }

    /// Lets keys leave memory when the table exceeds its share.
    pub(crate) fn enable_spilling(&mut self, memory: TableMemory, ttl: Option<i64>) -> Result<()> {
        self.cold = Some(Box::new(Cold::new(&self.index, memory, ttl)?));
        Ok(())
    }

    /// Whether keys that are not in memory may be somewhere else.
    #[inline]
    pub(crate) fn has_spilled(&self) -> bool {
        self.cold.as_ref().is_some_and(|cold| cold.has_spilled())
    }

    /// Notes that the keys in these slots are used.
    #[inline]
    pub(crate) fn note_use(&mut self, slots: &[u32]) {
        if let Some(cold) = &mut self.cold {
            cold.note_use(slots);
        }
    }

    /// Brings back the rows of keys that are new in the index and had left memory.
    pub(crate) fn fetch(&mut self, states: &mut [&mut dyn StateColumn], new: &[u32]) -> Result<()> {
        match &mut self.cold {
            Some(cold) => cold.fetch(&self.index, states, new),
            None => Ok(()),
        }
    }

    /// Lets keys leave memory if the table, which holds so many bytes, is too large. No slot may be in use, and all
    /// that are free are released.
    pub(crate) fn make_room(&mut self, states: &mut [&mut dyn StateColumn], held: usize) -> Result<()> {
        match &mut self.cold {
            Some(cold) => cold.make_room(&mut self.index, states, held),
            None => Ok(()),
        }
    }

    /// Brings back some keys that have expired: see [`Cold::sweep`].
    pub(crate) fn sweep(
        &mut self,
        states: &mut [&mut dyn StateColumn],
        now: Timestamp,
        rows: usize,
    ) -> Vec<u32> {
        match &mut self.cold {
            Some(cold) => cold.sweep(&mut self.index, states, now, rows),
            None => Vec::new(),
        }
    }

    /// The latest time to call [`SharedIndex::sweep`] again.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        self.cold.as_ref()?.wake_at()
    }

    /// What a snapshot must write of what is not in memory. `deltas` are those of the states.
    pub(crate) fn spilled(
        &mut self,
        states: &mut [&mut dyn StateColumn],
        deltas: &[KeyedDelta],
    ) -> Result<Option<SpilledSnapshot>> {
        match &mut self.cold {
            Some(cold) => cold.snapshot(&self.index, states, deltas),
            None => Ok(None),
        }
    }

    /// Forgets the keys that no state needs, and frees their slots. `occupied` returns whether one of the
    /// operator's states needs a slot.
    pub fn release(&mut self, occupied: impl Fn(u32) -> bool) {
        let SharedIndex { index, freed, cold } = self;
        if let Some(cold) = cold.as_mut().filter(|cold| cold.has_spilled()) {
            freed.retain(|slot| !occupied(*slot));
            cold.remove(index, freed);
            freed.drain(..).for_each(|slot| index.keys_mut().remove(slot));
            return;
        }
        for slot in freed.drain(..) {
            if !occupied(slot) {
                index.keys_mut().remove(slot);
            }
        }
    }

    /// Restores a state from its part of a snapshot.
    ///
    /// # Errors
    /// Those of [`StateColumn::restore`].
    pub fn restore(&mut self, state: &mut dyn StateColumn, restored: &mut RestoredState) -> Result<()> {
        state.restore(&mut self.index, restored)
    }

    /// Restores a state from its part of a snapshot, in which the keys have these names.
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

    /// Adds what changed in a state to a snapshot. Call [`SharedIndex::release`] after the last of an
    /// operator's states.
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

    /// Adds what changed in a state to a snapshot, in which the keys have these names.
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
        let SharedIndex { index, freed, .. } = self;
        state.snapshot(&index.named(names), full, freed, into)
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        let cold = self.cold.as_ref().map_or(0, |cold| cold.memory());
        self.index.keys().memory() + self.freed.capacity() * 4 + cold
    }
}
