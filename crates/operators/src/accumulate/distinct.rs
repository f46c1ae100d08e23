//! DISTINCT of an input with retractions: a value counts when it comes for the first time, and counts no more when it is retracted for
//! the last time. An input that only grows has `views`.
//!
//! All calls with the same arguments and filter share one set of values.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use flott_state::{KeyIndex, KeyedDelta, RestoredState, SlotColumns};
use flott_types::Result;

use super::set::Keys;
use super::side::{Side, Values, gather};
use super::{Accumulator, Input};
use std::sync::Arc;

/// The set of values of each group, and the calls that see each of them once.
pub(super) struct Distinct {
    side: Side,
    values: Vec<FieldRef>,
    pub members: Vec<Box<dyn Accumulator>>,
}

impl Distinct {
    pub fn new(name: &str, keys: &Keys, values: Vec<FieldRef>) -> Result<Self> {
        let side = Side::new(&format!("{name}.distinct"), "occurrences", keys, &values, None)?;
        Ok(Distinct { side, values, members: Vec::new() })
    }

    fn update_members(&mut self, input: &Input<'_>) -> Result<()> {
        self.members.iter_mut().try_for_each(|member| member.update(input))
    }
}

impl Accumulator for Distinct {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let columns = gather(input.args, input.rows)?;
        let values = Values { keys: input.keys, rows: input.rows, slots: input.slots, columns: &columns };
        let (mut rows, mut slots, mut retract) = (Vec::new(), Vec::new(), Vec::new());
        let sign = |at: usize| {
            if input.retract.is_some_and(|retract| retract[at]) { -1 } else { 1 }
        };
        self.side.apply(&values, sign, |at, before, after| {
            if (before > 0) != (after > 0) {
                rows.push(input.rows[at]);
                slots.push(input.slots[at]);
                retract.push(after <= 0);
            }
        })?;
        let retract = input.retract.is_some().then_some(retract.as_slice());
        self.update_members(&Input { rows: &rows, slots: &slots, retract, ..*input })
    }

    fn merge(&mut self, from: &[u32], to: &[u32], keys: Option<&[ArrayRef]>) -> Result<()> {
        let (mut rows, mut slots, mut entries) = (Vec::new(), Vec::new(), Vec::new());
        for (row, (from, to)) in from.iter().zip(to).enumerate() {
            let Some(key) = self.side.key(*from) else { continue };
            for entry in self.side.set().entries_of(key) {
                rows.push(row as u32);
                slots.push(*to);
                entries.push(entry);
            }
        }
        if entries.is_empty() {
            return Ok(());
        }
        let columns = self.side.set().rows_of(&entries)?;
        let mut fresh = Vec::new();
        match keys {
            Some(keys) => {
                let counts: Vec<i64> = entries.iter().map(|entry| self.side.set().count(*entry)).collect();
                let values = Values { keys, rows: &rows, slots: &slots, columns: &columns };
                self.side.apply(
                    &values,
                    |at| counts[at],
                    |at, before, _| {
                        if before <= 0 {
                            fresh.push(at as u32);
                        }
                    },
                )?;
            }
            // The targets live for the moment only: a set for the moment tells which values are new.
            None => {
                let slot = Arc::new(Field::new("slot", DataType::Int64, false));
                let mut fields: Vec<FieldRef> = vec![slot];
                fields.extend(self.values.iter().cloned());
                let mut seen = KeyIndex::new(&fields)?;
                let groups = slots.iter().map(|slot| i64::from(*slot));
                let mut key: Vec<ArrayRef> =
                    vec![Arc::new(arrow::array::Int64Array::from_iter_values(groups))];
                key.extend(columns.iter().cloned());
                seen.intern(&key, slots.len(), &mut Vec::new(), |_, row| fresh.push(row as u32))?;
            }
        }
        let slots: Vec<u32> = fresh.iter().map(|at| slots[*at as usize]).collect();
        let input = Input { keys: &[], rows: &fresh, slots: &slots, retract: None, args: &columns };
        self.update_members(&input)
    }

    /// Of the first member; [`super::Aggregates`] asks the members themselves.
    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.members[0].values(slots)
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

impl SlotColumns for Distinct {
    fn fields(&self) -> Vec<FieldRef> {
        self.members.fields()
    }

    fn reset(&mut self, slot: u32) {
        self.side.reset(slot);
        self.members.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.members.read(slots)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.members.write(slots, columns)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.members.bytes_of(slot)
    }

    fn memory(&self) -> usize {
        self.side.memory() + self.members.memory()
    }
}
