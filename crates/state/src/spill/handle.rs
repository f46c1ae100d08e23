//! What the owner of an index has of its keys that are not in memory.

use flott_types::{Error, Result, Timestamp};

use super::{Cold, SpilledSnapshot, SpilledTable, TableMemory};
use crate::{Index, KeyedDelta, SlotIndex, StateColumn};

/// The keys of an index that left memory; nothing for one that does not spill. All calls are given the index
/// and all states over it.
#[derive(Default, Debug)]
pub struct Spill(Option<Box<Cold>>);

impl Spill {
    /// Lets the keys that were not used for longest leave memory when the table exceeds its share of it, if
    /// all states over the index can. They live this many milliseconds after their last use, if they expire.
    /// States that cannot leave are counted; where nothing may leave memory, too much is an error.
    ///
    /// # Errors
    /// Only through a defect.
    pub fn begin(
        &mut self,
        index: &dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        memory: TableMemory,
        ttl: Option<i64>,
    ) -> Result<()> {
        let stays =
            states.iter_mut().find_map(|state| (!state.enable_spilling()).then(|| state.name().to_owned()));
        if let Some(state) = &stays {
            tracing::info!("state '{state}' stays in memory: it has values that cannot leave it");
        }
        self.0 = Some(Box::new(Cold::new(index, memory, ttl, stays.is_some())?));
        Ok(())
    }

    /// For states that cannot leave memory: what they hold is counted, and where nothing may leave memory, too
    /// much is an error.
    ///
    /// # Errors
    /// Only through a defect.
    pub fn count(&mut self, index: &dyn SlotIndex, memory: TableMemory) -> Result<()> {
        self.0 = Some(Box::new(Cold::new(index, memory, None, true)?));
        Ok(())
    }

    /// Whether keys that are not in memory may be somewhere else.
    #[inline]
    pub fn has_spilled(&self) -> bool {
        self.0.as_ref().is_some_and(|cold| cold.has_spilled())
    }

    /// Notes that the keys in these slots are used.
    #[inline]
    pub fn note_use(&mut self, slots: &[u32]) {
        if let Some(cold) = &mut self.0 {
            cold.note_use(slots);
        }
    }

    /// Brings back the rows of keys that are new in the index and had left memory.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn fetch(
        &mut self,
        index: &dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        new: &[u32],
    ) -> Result<()> {
        match &mut self.0 {
            Some(cold) => cold.fetch(index, states, new),
            None => Ok(()),
        }
    }

    /// Keys are removed from the index: what there is of them elsewhere is to be deleted.
    pub fn remove(&mut self, index: &dyn SlotIndex, slots: &[u32]) {
        if let Some(cold) = self.0.as_mut().filter(|cold| cold.has_spilled()) {
            cold.remove(index, slots);
        }
    }

    /// Whether it is worth asking what the table of so many keys holds, to [make room](Spill::make_room).
    #[inline]
    pub fn wants_room(&self, keys: usize) -> bool {
        self.0.as_ref().is_some_and(|cold| cold.wants_room(keys))
    }

    /// Rows were restored: what the table holds must be asked.
    pub fn grew(&mut self) {
        self.0.iter_mut().for_each(|cold| cold.grew());
    }

    /// Lets keys leave memory if the table, which holds so many bytes, is too large. No slot may be in use, and
    /// all that are free are released.
    ///
    /// # Errors
    /// If keys cannot be written to the local disk, or there is no place for them but memory.
    pub fn make_room(
        &mut self,
        index: &mut dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        held: usize,
    ) -> Result<()> {
        match &mut self.0 {
            Some(cold) => cold.make_room(index, states, held),
            None => Ok(()),
        }
    }

    /// Brings back some of the keys that have expired and had left memory, and returns their slots and
    /// perhaps others': remove their rows. `rows` is how many have arrived since the last call.
    pub fn sweep(
        &mut self,
        index: &mut dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        now: Timestamp,
        rows: usize,
    ) -> Vec<u32> {
        match &mut self.0 {
            Some(cold) => cold.sweep(index, states, now, rows),
            None => Vec::new(),
        }
    }

    /// The latest time to call [`Spill::sweep`] again.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.0.as_ref()?.wake_at()
    }

    /// Brings back some of the keys whose timers in the state of this name are due, the earliest first.
    /// Returns until when timers can be taken in order; call it again while [`Spill::first_due`] is due.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn fetch_due(
        &mut self,
        state: &str,
        index: &mut dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        until: Timestamp,
    ) -> Result<Timestamp> {
        match &mut self.0 {
            Some(cold) => cold.fetch_due(state, index, states, until),
            None => Ok(until),
        }
    }

    /// The earliest time at which a key that is not in memory may have a timer in the state of this name.
    pub fn first_due(&self, state: &str) -> Option<Timestamp> {
        self.0.as_ref()?.first_due(state)
    }

    /// What a snapshot must write of what is not in memory. `deltas` are those of the states.
    ///
    /// # Errors
    /// Only through a defect.
    pub fn snapshot(
        &mut self,
        index: &dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        deltas: &[KeyedDelta],
    ) -> Result<Option<SpilledSnapshot>> {
        let mut tables = Vec::new();
        states.iter_mut().try_for_each(|state| state.describe(index as &dyn Index, &mut tables))?;
        self.snapshot_of(index, tables, deltas)
    }

    /// The same for states that are described already.
    pub(crate) fn snapshot_of(
        &mut self,
        index: &dyn SlotIndex,
        tables: Vec<SpilledTable>,
        deltas: &[KeyedDelta],
    ) -> Result<Option<SpilledSnapshot>> {
        match &mut self.0 {
            Some(cold) => cold.snapshot(index, tables, deltas),
            None => Ok(None),
        }
    }

    /// Fails if a snapshot of the states alone would leave something out.
    ///
    /// # Errors
    /// If keys have left memory.
    pub(crate) fn check_resident(&self) -> Result<()> {
        match self.has_spilled() {
            true => Err(Error::internal("a snapshot leaves out what is spilled")),
            false => Ok(()),
        }
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.0.as_ref().map_or(0, |cold| cold.memory())
    }
}
