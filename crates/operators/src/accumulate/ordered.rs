//! MIN and MAX of an input with retractions: the values of a group, sorted, and how often each occurs.

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::compute::{SortOptions, interleave};
use arrow::datatypes::FieldRef;
use flott_batch::arrow_type;
use flott_state::{KeyedDelta, RestoredState, SlotColumns};
use flott_types::{Error, LogicalType, Result};

use super::set::Keys;
use super::side::{Side, Values, gather, keyless, without_nulls};
use super::{Accumulator, Input};
use crate::support::kernel;

/// The values by group, the best one first.
pub(super) struct Ordered {
    field: FieldRef,
    side: Side,
}

impl Ordered {
    pub fn new(max: bool, name: &str, ty: &LogicalType, keys: &Keys) -> Result<Self> {
        let field = arrow_type::field(&format!("{name}.value"), ty);
        let order = SortOptions { descending: max, nulls_first: false };
        let side = Side::new(
            &format!("{name}.values"),
            "occurrences",
            keys,
            std::slice::from_ref(&field),
            Some(order),
        )?;
        Ok(Ordered { field, side })
    }
}

impl Accumulator for Ordered {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let all: Vec<usize>;
        let valid = match without_nulls(input.args, input.rows) {
            Some(valid) => valid,
            None => {
                all = (0..input.rows.len()).collect();
                all
            }
        };
        let rows: Vec<u32> = valid.iter().map(|at| input.rows[*at]).collect();
        let slots: Vec<u32> = valid.iter().map(|at| input.slots[*at]).collect();
        let columns = gather(input.args, &rows)?;
        let sign = |at: usize| {
            if input.retract.is_some_and(|retract| retract[valid[at]]) { -1 } else { 1 }
        };
        let values = Values { keys: input.keys, rows: &rows, slots: &slots, columns: &columns };
        self.side.apply(&values, sign, |_, _, _| ())
    }

    fn merge(&mut self, from: &[u32], to: &[u32], keys: Option<&[ArrayRef]>) -> Result<()> {
        let Some(keys) = keys else {
            return Err(Error::unsupported("MIN or MAX with retractions in overlapping windows"));
        };
        let (mut rows, mut slots, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for (row, (from, to)) in from.iter().zip(to).enumerate() {
            let Some(key) = self.side.key(*from) else { continue };
            for entry in self.side.set().map().entries_of(key) {
                rows.push(row as u32);
                slots.push(*to);
                entries.push(entry);
            }
        }
        let columns = self.side.set().rows_of(&entries)?;
        let counts: Vec<i64> = entries.iter().map(|entry| self.side.set().count(*entry)).collect();
        if keys.iter().any(|key| key.len() != to.len()) {
            return Err(keyless());
        }
        let values = Values { keys, rows: &rows, slots: &slots, columns: &columns };
        self.side.apply(&values, |at| counts[at], |_, _, _| ())
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        let mut entries = Vec::new();
        let mut picks = Vec::with_capacity(slots.len());
        for slot in slots {
            match self.side.key(*slot).and_then(|key| self.side.set().first(key)) {
                Some(entry) => {
                    picks.push((0, entries.len()));
                    entries.push(entry);
                }
                None => picks.push((1, 0)),
            }
        }
        let best = self.side.set().rows_of(&entries)?.remove(0);
        if entries.len() == slots.len() {
            return Ok(best);
        }
        let absent = new_null_array(self.field.data_type(), 1);
        interleave(&[best.as_ref(), absent.as_ref()], &picks).map_err(kernel)
    }

    fn has_side(&self) -> bool {
        true
    }

    fn snapshot_side(&mut self, full: bool, out: &mut Vec<KeyedDelta>) -> Result<()> {
        self.side.snapshot(full, out)
    }

    fn restore_side(&mut self, restored: &mut RestoredState, keys: &[ArrayRef], slots: &[u32]) -> Result<()> {
        self.side.restore(restored, keys, slots)
    }
}

/// Nothing lies in the groups' own table.
impl SlotColumns for Ordered {
    fn fields(&self) -> Vec<FieldRef> {
        Vec::new()
    }

    fn reset(&mut self, slot: u32) {
        self.side.reset(slot);
    }

    fn read(&self, _: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(Vec::new())
    }

    fn write(&mut self, _: &[u32], _: &[ArrayRef]) -> Result<()> {
        Ok(())
    }

    fn bytes_of(&self, slot: u32) -> usize {
        let best = self.side.key(slot).and_then(|key| self.side.set().first(key));
        best.map_or(0, |entry| self.side.set().map().bytes_of(entry))
    }

    fn memory(&self) -> usize {
        self.side.memory()
    }
}
