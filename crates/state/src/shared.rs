//! One index of keys for all states of an operator.

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::FieldRef;
use flott_types::{Error, Result, Timestamp};

use crate::spill::{Spill, SpilledSnapshot, TableMemory};
use crate::{ColumnIndex, Index, KeyIndex, KeyedDelta, NO_SLOT, RestoredState, StateColumn};

/// The keys of an operator with their slots, and the slots that perhaps no state needs any more.
///
/// A batch's keys are interned once; from then on the operator works with slots. A new key is free until a
/// state takes it. Slots stay valid until [`SharedIndex::release`], which an operator calls when it is done
/// with a batch.
#[derive(Debug)]
pub struct SharedIndex {
    index: ColumnIndex,
    freed: Vec<u32>,
    spill: Spill,
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
            spill: Spill::default(),
        })
    }

    /// The index.
    pub fn index(&self) -> &ColumnIndex {
        &self.index
    }

    /// The index as states see it that are declared by others. What they free belongs into
    /// [`SharedIndex::freed`].
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
        index.keys_mut().intern(keys, rows, slots, |slot, _| freed.push(slot))?;
        self.note_use(slots);
        Ok(())
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
                self.spill.remove(&self.index, &[slot]);
                self.index.keys_mut().remove(slot);
            }
        }
    }

    /// Lets the keys that were not used for longest leave memory when the table exceeds its share of it, if
    /// all states over the index can. They live this many milliseconds after their last use, if they expire.
    /// From then on give all states to the calls that need them, make room from time to time, and add to a
    /// snapshot what is not in memory.
    ///
    /// # Errors
    /// Only through a defect.
    pub fn spill_with(
        &mut self,
        states: &mut [&mut dyn StateColumn],
        memory: TableMemory,
        ttl: Option<i64>,
    ) -> Result<()> {
        self.spill.begin(&self.index, states, memory, ttl)
    }

    /// For states that cannot leave memory: what they hold is counted, and where nothing may leave memory, too
    /// much is an error. Call [`SharedIndex::count`] after each batch.
    ///
    /// # Errors
    /// Only through a defect.
    pub fn count_with(&mut self, memory: TableMemory) -> Result<()> {
        self.spill.count(&self.index, memory)
    }

    /// Like [`SharedIndex::intern`], and brings back what had left memory. `states` are all states over the
    /// index.
    ///
    /// # Errors
    /// Those of [`SharedIndex::intern`], and if it cannot be read.
    pub fn intern_with(
        &mut self,
        keys: &[ArrayRef],
        rows: usize,
        slots: &mut Vec<u32>,
        states: &mut [&mut dyn StateColumn],
    ) -> Result<()> {
        let known = self.freed.len();
        self.intern(keys, rows, slots)?;
        if self.has_spilled() {
            let new = self.freed[known..].to_vec();
            self.fetch(states, &new)?;
        }
        Ok(())
    }

    /// Like [`SharedIndex::lookup`], and brings back what had left memory. `states` are all states over the
    /// index.
    ///
    /// # Errors
    /// Those of [`SharedIndex::lookup`], and if it cannot be read.
    pub fn lookup_with(
        &mut self,
        keys: &[ArrayRef],
        rows: usize,
        slots: &mut Vec<u32>,
        states: &mut [&mut dyn StateColumn],
    ) -> Result<()> {
        self.lookup(keys, rows, slots)?;
        if self.has_spilled() && slots.contains(&NO_SLOT) {
            self.fetch_missing(keys, slots, states)?;
        }
        self.note_use(slots);
        Ok(())
    }

    /// Brings back keys that are not in memory, and sets their slots.
    fn fetch_missing(
        &mut self,
        keys: &[ArrayRef],
        slots: &mut [u32],
        states: &mut [&mut dyn StateColumn],
    ) -> Result<()> {
        let missing = slots.iter().enumerate().filter(|(_, slot)| **slot == NO_SLOT);
        let missing: Vec<u32> = missing.map(|(row, _)| row as u32).collect();
        let rows = UInt32Array::from(missing.clone());
        let gathered = |error| Error::internal("keys of state").with_source(error);
        let missing_keys = keys.iter().map(|column| take(column, &rows, None).map_err(gathered));
        let missing_keys = missing_keys.collect::<Result<Vec<_>>>()?;
        let (mut found, mut new) = (Vec::new(), Vec::new());
        self.keys_mut().intern(&missing_keys, missing.len(), &mut found, |slot, _| new.push(slot))?;
        self.fetch(states, &new)?;
        let occupied = |slot: u32| states.iter().any(|state| state.occupied(slot));
        for (row, slot) in missing.iter().zip(&found) {
            if occupied(*slot) {
                slots[*row as usize] = *slot;
            }
        }
        new.into_iter().filter(|slot| !occupied(*slot)).for_each(|slot| self.free(slot, false));
        Ok(())
    }

    /// Whether it is worth asking what the table holds, to [make room](SharedIndex::make_room).
    #[inline]
    pub fn wants_room(&self) -> bool {
        self.spill.wants_room(self.keys().len())
    }

    /// For [`SharedIndex::count_with`], after each batch: reports what the states hold.
    ///
    /// # Errors
    /// If it is too much, and there is no place for it but memory.
    pub fn count(&mut self, held: impl FnOnce() -> usize) -> Result<()> {
        if self.wants_room() { self.make_room(&mut [], held()) } else { Ok(()) }
    }

    /// Rows were restored: what the table holds must be asked.
    pub fn grew(&mut self) {
        self.spill.grew();
    }

    /// Whether keys that are not in memory may be somewhere else.
    #[inline]
    pub(crate) fn has_spilled(&self) -> bool {
        self.spill.has_spilled()
    }

    /// Fails if a snapshot of the states alone would leave something out.
    pub(crate) fn check_resident(&self) -> Result<()> {
        self.spill.check_resident()
    }

    /// Notes that the keys in these slots are used.
    #[inline]
    pub(crate) fn note_use(&mut self, slots: &[u32]) {
        self.spill.note_use(slots);
    }

    /// Brings back the rows of keys that are new in the index and had left memory.
    pub(crate) fn fetch(&mut self, states: &mut [&mut dyn StateColumn], new: &[u32]) -> Result<()> {
        self.spill.fetch(&self.index, states, new)
    }

    /// Lets keys leave memory if the table is too large; its states hold so many bytes. No slot may be in
    /// use, and all that are free are [released](SharedIndex::release).
    ///
    /// # Errors
    /// If keys cannot be written to the local disk, or there is no place for them but memory.
    pub fn make_room(&mut self, states: &mut [&mut dyn StateColumn], held: usize) -> Result<()> {
        let held = held + self.index.keys().memory();
        self.spill.make_room(&mut self.index, states, held)
    }

    /// Brings back some of the keys that have expired and had left memory, and returns their slots and
    /// perhaps others': remove their rows. `rows` is how many have arrived since the last call.
    pub fn sweep(&mut self, states: &mut [&mut dyn StateColumn], now: Timestamp, rows: usize) -> Vec<u32> {
        self.spill.sweep(&mut self.index, states, now, rows)
    }

    /// Brings back some of the keys whose timers in the state of this name are due, the earliest first: see
    /// [`Spill::fetch_due`].
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn fetch_due(
        &mut self,
        state: &str,
        states: &mut [&mut dyn StateColumn],
        until: Timestamp,
    ) -> Result<Timestamp> {
        self.spill.fetch_due(state, &mut self.index, states, until)
    }

    /// The earliest time at which a key that is not in memory may have a timer in the state of this name.
    pub fn first_due(&self, state: &str) -> Option<Timestamp> {
        self.spill.first_due(state)
    }

    /// The latest time to call [`SharedIndex::sweep`] again.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.spill.wake_at()
    }

    /// What a snapshot must write of what is not in memory. `deltas` are those of the states.
    ///
    /// # Errors
    /// Only through a defect.
    pub fn spilled(
        &mut self,
        states: &mut [&mut dyn StateColumn],
        deltas: &[KeyedDelta],
    ) -> Result<Option<SpilledSnapshot>> {
        self.spill.snapshot(&self.index, states, deltas)
    }

    /// What a snapshot must write of what is not in memory, in which the keys of each state have names of
    /// their own. `deltas` are those of the states.
    ///
    /// # Errors
    /// Only through a defect.
    pub fn spilled_as(
        &mut self,
        states: &mut [(&[FieldRef], &mut dyn StateColumn)],
        deltas: &[KeyedDelta],
    ) -> Result<Option<SpilledSnapshot>> {
        let mut tables = Vec::new();
        for (names, state) in states {
            state.describe(&self.index.named(names), &mut tables)?;
        }
        self.spill.snapshot_of(&self.index, tables, deltas)
    }

    /// Forgets the keys that no state needs, and frees their slots. `occupied` returns whether one of the
    /// operator's states needs a slot.
    pub fn release(&mut self, occupied: impl Fn(u32) -> bool) {
        let SharedIndex { index, freed, spill } = self;
        if spill.has_spilled() {
            freed.retain(|slot| !occupied(*slot));
            spill.remove(index, freed);
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
        self.index.keys().memory() + self.freed.capacity() * 4 + self.spill.memory()
    }
}
