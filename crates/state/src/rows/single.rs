//! States with one row per key.

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_types::Result;

use super::{RowColumn, RowSource, Rows, Stored, StoredRows};
use crate::{Index, KeyedDelta, Migration, RestoredState, SlotColumns, StateColumn};

/// One row for each key: values by slot. A row's number is the slot.
#[derive(Debug)]
pub struct SingleRows<V>(pub(crate) V);

impl<V> SingleRows<V> {
    /// Values by slot as the rows of a state.
    pub fn new(values: V) -> Self {
        SingleRows(values)
    }
}

impl<V: SlotColumns> RowSource for SingleRows<V> {
    type Row = u32;

    fn value_fields(&self) -> Vec<FieldRef> {
        self.0.fields()
    }

    #[inline]
    fn slot_of(&self, row: u32) -> u32 {
        row
    }

    fn values(&self, rows: &[u32]) -> Result<Vec<ArrayRef>> {
        self.0.read(rows)
    }

    fn value_bytes(&self, row: u32) -> usize {
        self.0.bytes_of(row)
    }
}

impl<V: SlotColumns> Rows for SingleRows<V> {
    fn occupies(&self, slot: u32, is_there: impl Fn(u32) -> bool) -> bool {
        is_there(slot) || self.0.occupies(slot)
    }

    fn restore_states(
        &mut self,
        index: &mut dyn Index,
        restored: &mut RestoredState,
        is_live: &dyn Fn(u32) -> bool,
    ) -> Result<()> {
        let mut more = false;
        self.0.each_state(&mut |state| {
            more = true;
            state.restore(index, restored)
        })?;
        if more {
            let orphaned = |slot: &u32| !is_live(*slot) && self.0.occupies(*slot);
            let slots: Vec<u32> = (0..index.slots_end() as u32).filter(orphaned).collect();
            slots.into_iter().for_each(|slot| self.0.reset(slot));
        }
        Ok(())
    }

    fn snapshot_states(
        &mut self,
        index: &dyn Index,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        self.0.each_state(&mut |state| state.snapshot(index, full, freed, into))
    }

    fn restore(&mut self, stored: StoredRows) -> Result<(Vec<u32>, Option<Migration>)> {
        let StoredRows { slots, values, .. } = stored;
        slots.iter().for_each(|slot| self.0.reset(*slot));
        let migration = self.0.restore(&slots, values)?;
        Ok((slots, migration))
    }

    fn clear(&mut self, row: u32) {
        self.0.reset(row);
    }

    fn forget(&mut self, _: u32) -> bool {
        true
    }

    fn can_spill(&mut self) -> bool {
        let mut all = true;
        let asked = self.0.each_state(&mut |state| {
            all &= state.enable_spilling();
            Ok(())
        });
        asked.is_ok() && all
    }

    fn rows_of(&self, slot: u32, into: &mut Vec<u32>) {
        into.push(slot);
    }

    fn is_settled(&self, slot: u32, is_dead: impl Fn(u32) -> bool) -> bool {
        self.0.has_initial() || !is_dead(slot)
    }

    fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
        self.0.each_state(each)
    }

    fn warm(&self, slots: &[u32]) -> usize {
        self.0.warm(slots)
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }
}

impl<V: SlotColumns> RowColumn<SingleRows<V>> {
    /// The values by slot.
    #[inline]
    pub fn values(&self) -> &V {
        &self.rows().0
    }

    /// The values by slot. Mark the slots whose values you change.
    #[inline]
    pub fn values_mut(&mut self) -> &mut V {
        &mut self.rows_mut().0
    }

    /// Creates a row with initial values for each slot that has none; it counts as changed. `on_new(slot,
    /// at)` is called for each.
    pub fn open(&mut self, slots: &[u32], mut on_new: impl FnMut(u32, usize)) {
        for (at, slot) in slots.iter().enumerate() {
            if self.add(*slot) {
                self.values_mut().reset(*slot);
                on_new(*slot, at);
            }
        }
    }
}

/// The columns of values, each of the required type.
pub(crate) fn same_types(fields: &[FieldRef], stored: Vec<Stored>) -> Result<Vec<ArrayRef>> {
    fields.iter().zip(stored).map(|(field, stored)| stored.same_type(field)).collect()
}
