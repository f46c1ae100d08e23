//! MIN and MAX of input with retractions: the values of a group, sorted, with their counts.

use arrow::array::{ArrayRef, new_null_array};
use arrow::compute::{SortOptions, interleave};
use arrow::datatypes::FieldRef;
use flott_batch::arrow_type;
use flott_state::{Multiset, SlotColumns, StateColumn};
use flott_types::{Error, LogicalType, Result};

use super::side::{gather, multiset, without_nulls};
use super::{Accumulator, Input, MergeInto};
use crate::support::kernel;

/// The values by group, the best one first.
pub(super) struct Ordered {
    field: FieldRef,
    set: Multiset,
}

impl Ordered {
    pub fn new(max: bool, name: &str, ty: &LogicalType) -> Result<Self> {
        let field = arrow_type::field(&format!("{name}.value"), ty);
        let order = SortOptions { descending: max, nulls_first: false };
        let values = std::slice::from_ref(&field);
        let set = multiset(&format!("{name}.values"), "occurrences", values, Some(order))?;
        Ok(Ordered { field, set })
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
        self.set.apply(&slots, &columns, sign, |_, _, _| ())
    }

    fn merge(&mut self, from: &[u32], to: &[u32], into: MergeInto) -> Result<()> {
        if into == MergeInto::Moment {
            return Err(Error::unsupported("MIN or MAX with retractions in overlapping windows"));
        }
        // Includes values that are not present yet: their insertion may arrive in the other group.
        let set = self.set.column();
        let entries =
            from.iter().zip(to).flat_map(|(from, to)| set.entries_of(*from).map(|entry| (*to, entry)));
        let (slots, entries): (Vec<u32>, Vec<u32>) = entries.unzip();
        let columns = self.set.rows_of(&entries)?;
        let counts: Vec<i64> = entries.iter().map(|entry| self.set.count(*entry)).collect();
        self.set.apply(&slots, &columns, |at| counts[at], |_, _, _| ())
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        let mut entries = Vec::new();
        let mut picks = Vec::with_capacity(slots.len());
        for slot in slots {
            match self.set.first(*slot) {
                Some(entry) => {
                    picks.push((0, entries.len()));
                    entries.push(entry);
                }
                None => picks.push((1, 0)),
            }
        }
        let best = self.set.rows_of(&entries)?.remove(0);
        if entries.len() == slots.len() {
            return Ok(best);
        }
        let absent = new_null_array(self.field.data_type(), 1);
        interleave(&[best.as_ref(), absent.as_ref()], &picks).map_err(kernel)
    }

    fn has_side(&self) -> bool {
        true
    }
}

/// The groups' own table has no columns for it.
impl SlotColumns for Ordered {
    fn fields(&self) -> Vec<FieldRef> {
        Vec::new()
    }

    fn reset(&mut self, slot: u32) {
        self.set.remove_key(slot);
    }

    fn read(&self, _: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(Vec::new())
    }

    fn write(&mut self, _: &[u32], _: &[ArrayRef]) -> Result<()> {
        Ok(())
    }

    fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
        each(self.set.column_mut())
    }

    fn occupies(&self, slot: u32) -> bool {
        self.set.column().occupied(slot)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        let best = self.set.first(slot);
        best.map_or(0, |entry| self.set.column().row_bytes(entry))
    }

    fn memory(&self) -> usize {
        self.set.column().memory()
    }
}
