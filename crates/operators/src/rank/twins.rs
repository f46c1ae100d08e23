//! Equal rows of a partition, so that a retraction finds the one that it removes; and the rows with them as one
//! state, so that rows leave and come back with their places.

use std::ops::{Deref, DerefMut};

use arrow::array::ArrayRef;
use flott_batch::{ChangeBatch, arrow_type};
use flott_plan::Schema;
use flott_state::spill::{Fetched, Spilled, SpilledTable};
use flott_state::{
    GroupedRows, Index, KeptRows, KeyIndex, KeyedDelta, Migration, NO_SLOT, RestoredState, RowColumn,
    StateColumn,
};
use flott_types::{FastSet, Result, Timestamp};

use crate::accumulate::unique_fields;

/// The rows of a Top-N.
pub(super) type Rows = RowColumn<GroupedRows<KeptRows>>;

/// Rows, and which of them are equal. Rows that come back are to be linked again.
pub(super) struct TwinRows {
    pub rows: Rows,
    /// Only for an input with retractions.
    pub twins: Option<Twins>,
}

impl Deref for TwinRows {
    type Target = Rows;

    fn deref(&self) -> &Rows {
        &self.rows
    }
}

impl DerefMut for TwinRows {
    fn deref_mut(&mut self) -> &mut Rows {
        &mut self.rows
    }
}

impl StateColumn for TwinRows {
    fn name(&self) -> &str {
        self.rows.name()
    }

    fn occupied(&self, slot: u32) -> bool {
        self.rows.occupied(slot)
    }

    fn restore(&mut self, index: &mut dyn Index, restored: &mut RestoredState) -> Result<()> {
        self.rows.restore(index, restored)
    }

    fn snapshot(
        &mut self,
        index: &dyn Index,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        self.rows.snapshot(index, full, freed, into)
    }

    fn enable_spilling(&mut self) -> bool {
        self.rows.enable_spilling()
    }

    fn retain_settled(&mut self, slots: &mut Vec<u32>) -> Result<()> {
        self.rows.retain_settled(slots)
    }

    fn expiry(&self, slot: u32) -> Timestamp {
        self.rows.expiry(slot)
    }

    fn spill(&mut self, slots: &[u32], into: &mut Spilled<'_>) -> Result<()> {
        self.rows.spill(slots, into)
    }

    fn leave(&mut self, slots: &[u32]) -> Result<()> {
        let TwinRows { rows, twins } = self;
        if let Some(twins) = twins {
            let entries = slots.iter().flat_map(|slot| rows.entries_of(*slot));
            entries.for_each(|entry| twins.unlink(entry));
        }
        rows.leave(slots)
    }

    fn fetch(&mut self, from: &Fetched<'_>) -> Result<()> {
        self.rows.fetch(from)
    }

    fn describe(&mut self, index: &dyn Index, into: &mut Vec<SpilledTable>) -> Result<()> {
        self.rows.describe(index, into)
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.rows.wake_at()
    }

    fn migration(&self) -> Option<&Migration> {
        self.rows.migration()
    }

    fn memory(&self) -> usize {
        self.rows.memory() + self.twins.as_ref().map_or(0, Twins::memory)
    }
}

/// Which entries hold equal rows, the earlier ones first, so that a retraction finds the row that it removes.
/// In memory only; a snapshot has the rows themselves.
pub(super) struct Twins {
    index: KeyIndex,
    /// By slot of the index: the earliest and the latest entry.
    ends: Vec<(u32, u32)>,
    /// By entry.
    links: Vec<Links>,
    slots: Vec<u32>,
}

/// The position of an entry among those that hold equal rows.
#[derive(Clone, Copy)]
struct Links {
    /// The slot in the index.
    slot: u32,
    before: u32,
    after: u32,
}

impl Twins {
    pub fn new(input: &Schema) -> Result<Self> {
        let fields: Vec<_> = arrow_type::schema(input.iter()).fields().iter().cloned().collect();
        Ok(Twins {
            index: KeyIndex::new(&unique_fields(&fields))?,
            ends: Vec::new(),
            links: Vec::new(),
            slots: Vec::new(),
        })
    }

    fn intern(&mut self, columns: &[ArrayRef], rows: usize) -> Result<()> {
        let ends = &mut self.ends;
        self.index.intern(columns, rows, &mut self.slots, |slot, _| {
            if slot as usize >= ends.len() {
                ends.resize(slot as usize + 1, (NO_SLOT, NO_SLOT));
            }
            ends[slot as usize] = (NO_SLOT, NO_SLOT);
        })
    }

    fn push(&mut self, slot: u32, entry: u32) {
        let (first, last) = &mut self.ends[slot as usize];
        if entry as usize >= self.links.len() {
            let none = Links { slot: NO_SLOT, before: NO_SLOT, after: NO_SLOT };
            self.links.resize(entry as usize + 1, none);
        }
        self.links[entry as usize] = Links { slot, before: *last, after: NO_SLOT };
        match *last {
            NO_SLOT => *first = entry,
            before => self.links[before as usize].after = entry,
        }
        *last = entry;
    }

    /// Removes an entry from among its equals. Returns the slot of the index if it was the last of them.
    fn detach(&mut self, entry: u32) -> Option<u32> {
        let none = Links { slot: NO_SLOT, before: NO_SLOT, after: NO_SLOT };
        let Links { slot, before, after } = std::mem::replace(&mut self.links[entry as usize], none);
        if slot == NO_SLOT {
            return None;
        }
        match before {
            NO_SLOT => self.ends[slot as usize].0 = after,
            before => self.links[before as usize].after = after,
        }
        match after {
            NO_SLOT => self.ends[slot as usize].1 = before,
            after => self.links[after as usize].before = before,
        }
        (before == NO_SLOT && after == NO_SLOT).then_some(slot)
    }

    /// Forgets an entry.
    pub fn unlink(&mut self, entry: u32) {
        let empty = self.detach(entry);
        empty.into_iter().for_each(|slot| self.index.remove(slot));
    }

    /// Whether an entry has its place among its equals.
    pub fn has(&self, entry: u32) -> bool {
        self.links.get(entry as usize).is_some_and(|links| links.slot != NO_SLOT)
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.index.memory() + self.ends.capacity() * 8 + self.links.capacity() * size_of::<Links>()
    }

    /// Applies the rows of a batch one by one; `entries` are those of the inserted rows.
    pub fn apply(
        &mut self,
        batch: &ChangeBatch,
        entries: &[u32],
        expired: impl Fn(u32) -> bool,
        gone: &mut FastSet<u32>,
    ) -> Result<()> {
        let rows = batch.physical_rows();
        self.intern(batch.columns().columns(), rows)?;
        let mut entries = entries.iter().copied();
        for row in 0..rows {
            let slot = self.slots[row];
            if batch.kind(row).is_addition() {
                if let Some(entry) = entries.next() {
                    self.push(slot, entry);
                }
                continue;
            }
            // A retraction of a missing row is ignored.
            loop {
                let (first, _) = self.ends[slot as usize];
                if first == NO_SLOT {
                    break;
                }
                self.detach(first);
                gone.insert(first);
                if !expired(first) {
                    break;
                }
            }
        }
        for slot in &self.slots {
            if self.ends[*slot as usize].0 == NO_SLOT {
                self.index.remove(*slot);
            }
        }
        Ok(())
    }

    pub fn restore(&mut self, columns: &[ArrayRef], entries: &[u32]) -> Result<()> {
        self.intern(columns, entries.len())?;
        for (row, entry) in entries.iter().enumerate() {
            self.push(self.slots[row], *entry);
        }
        Ok(())
    }
}
