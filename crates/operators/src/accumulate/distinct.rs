//! DISTINCT of input with retractions: a value counts from its first arrival until its last copy is
//! retracted. For append-only input see `append_distinct`.
//!
//! All calls with the same arguments and filter share one set of values.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use flott_state::{KeyIndex, Multiset, SlotColumns, StateColumn};
use flott_types::Result;

use super::side::{entries_of, gather, multiset};
use super::{Accumulator, Input, MergeInto};
use std::sync::Arc;

/// The set of values of each group, and the calls that see each of them once.
pub(super) struct Distinct {
    set: Multiset,
    values: Vec<FieldRef>,
    pub members: Vec<Box<dyn Accumulator>>,
}

impl Distinct {
    pub fn new(name: &str, values: Vec<FieldRef>) -> Result<Self> {
        let set = multiset(&format!("{name}.distinct"), "occurrences", &values, None)?;
        Ok(Distinct { set, values, members: Vec::new() })
    }

    fn update_members(&mut self, input: &Input<'_>) -> Result<()> {
        self.members.iter_mut().try_for_each(|member| member.update(input))
    }
}

impl Accumulator for Distinct {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let columns = gather(input.args, input.rows)?;
        let (mut rows, mut slots, mut retract) = (Vec::new(), Vec::new(), Vec::new());
        let sign = |at: usize| {
            if input.retract.is_some_and(|retract| retract[at]) { -1 } else { 1 }
        };
        self.set.apply(input.slots, &columns, sign, |at, before, after| {
            if (before > 0) != (after > 0) {
                rows.push(input.rows[at]);
                slots.push(input.slots[at]);
                retract.push(after <= 0);
            }
        })?;
        let retract = input.retract.is_some().then_some(retract.as_slice());
        self.update_members(&Input { rows: &rows, slots: &slots, retract, ..*input })
    }

    fn merge(&mut self, from: &[u32], to: &[u32], into: MergeInto) -> Result<()> {
        let (places, entries) = entries_of(&self.set, from);
        let slots: Vec<u32> = places.iter().map(|at| to[*at as usize]).collect();
        if entries.is_empty() {
            return Ok(());
        }
        let columns = self.set.rows_of(&entries)?;
        let mut fresh = Vec::new();
        match into {
            MergeInto::Groups => {
                let counts: Vec<i64> = entries.iter().map(|entry| self.set.count(*entry)).collect();
                let note = |at, before, _| {
                    if before <= 0 {
                        fresh.push(at as u32);
                    }
                };
                self.set.apply(&slots, &columns, |at| counts[at], note)?;
            }
            // The targets are temporary: a temporary set tells which values are new.
            MergeInto::Moment => {
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
        let input = Input { rows: &fresh, slots: &slots, retract: None, args: &columns };
        self.update_members(&input)
    }

    /// The values of the first member; [`super::Aggregates`] asks the members themselves.
    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.members[0].values(slots)
    }

    fn has_side(&self) -> bool {
        true
    }
}

impl SlotColumns for Distinct {
    fn fields(&self) -> Vec<FieldRef> {
        self.members.fields()
    }

    fn reset(&mut self, slot: u32) {
        self.set.remove_key(slot);
        self.members.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.members.read(slots)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.members.write(slots, columns)
    }

    fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
        each(self.set.column_mut())
    }

    fn occupies(&self, slot: u32) -> bool {
        self.set.column().occupied(slot)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.members.bytes_of(slot)
    }

    fn memory(&self) -> usize {
        self.set.column().memory() + self.members.memory()
    }
}
