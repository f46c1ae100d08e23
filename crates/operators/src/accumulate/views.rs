//! DISTINCT of an input that only grows: a value counts when it comes for the first time.
//!
//! All calls with the same arguments share one set of values, whatever their FILTERs: beside each value stands a bit for each
//! filter that it has passed. `COUNT(DISTINCT user)`, `COUNT(DISTINCT user) FILTER (WHERE a)` and `... (WHERE b)` probe one table once a row.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use flott_state::{KeyIndex, KeyedDelta, RestoredState, SlotColumns};
use flott_types::{Error, Result};

use super::set::{Keys, is_true};
use super::side::{Side, Values, gather};
use super::{Accumulator, Input};

/// The most filters of a set: the bits of a number that stays positive.
const MOST: usize = 63;

/// The values of each group, and the calls that see each of them once for their filter. Its arguments are the columns of the values and behind
/// them those of the filters.
pub(super) struct Views {
    side: Side,
    values: Vec<FieldRef>,
    views: Vec<View>,
    pub members: Vec<Box<dyn Accumulator>>,
}

/// The calls with one filter.
struct View {
    /// Which of the filters; `None` lets everything pass.
    filter: Option<usize>,
    /// Which of the members.
    members: Vec<usize>,
}

impl Views {
    pub fn new(name: &str, keys: &Keys, values: Vec<FieldRef>) -> Result<Self> {
        let side = Side::new(&format!("{name}.distinct"), "filters", keys, &values, None)?;
        Ok(Views { side, values, views: Vec::new(), members: Vec::new() })
    }

    /// How many columns a value has.
    pub fn width(&self) -> usize {
        self.values.len()
    }

    /// Adds a call and returns which member it is. `args` are the positions of the arguments, to which that of its filter is added.
    /// Gives the call back if there is no place for another filter.
    pub fn add(
        &mut self,
        call: Box<dyn Accumulator>,
        filter: Option<usize>,
        args: &mut Vec<usize>,
    ) -> Result<usize, Box<dyn Accumulator>> {
        let filters = &args[self.values.len()..];
        let at =
            filter.map(|filter| filters.iter().position(|known| *known == filter).unwrap_or(filters.len()));
        let member = self.members.len();
        match self.views.iter().position(|view| view.filter == at) {
            Some(view) => self.views[view].members.push(member),
            None if self.views.len() == MOST => return Err(call),
            None => {
                args.extend(filter.filter(|filter| !filters.contains(filter)));
                self.views.push(View { filter: at, members: vec![member] });
            }
        }
        self.members.push(call);
        Ok(member)
    }

    /// For each row the bits of the filters that it passes.
    fn masks(&self, input: &Input<'_>) -> Result<Vec<i64>> {
        let mut masks = vec![0; input.rows.len()];
        for (at, view) in self.views.iter().enumerate() {
            let bit = 1 << at;
            let Some(filter) = view.filter else {
                masks.iter_mut().for_each(|mask| *mask |= bit);
                continue;
            };
            let passes = passing(input.args, self.values.len() + filter)?;
            for (mask, row) in masks.iter_mut().zip(input.rows) {
                *mask |= i64::from(passes.value(*row as usize)) << at;
            }
        }
        Ok(masks)
    }

    /// Shows the members the values that are new to their filters: position among `rows` and `slots`, and the bits.
    fn show(&mut self, fresh: &[(u32, i64)], input: &Input<'_>) -> Result<()> {
        let (mut rows, mut slots) = (Vec::new(), Vec::new());
        for (at, view) in self.views.iter().enumerate() {
            rows.clear();
            slots.clear();
            for (position, _) in fresh.iter().filter(|(_, bits)| bits >> at & 1 == 1) {
                rows.push(input.rows[*position as usize]);
                slots.push(input.slots[*position as usize]);
            }
            let new = Input { rows: &rows, slots: &slots, ..*input };
            view.members.iter().try_for_each(|member| self.members[*member].update(&new))?;
        }
        Ok(())
    }
}

fn passing(args: &[ArrayRef], at: usize) -> Result<BooleanBuffer> {
    let filter = args.get(at).and_then(|filter| filter.as_boolean_opt());
    filter.map(is_true).ok_or_else(|| Error::internal("the FILTER of an aggregate is not BOOLEAN"))
}

/// Notes the bits of a value that were not seen before.
#[inline]
fn note(seen: &mut i64, bits: i64, at: usize, fresh: &mut Vec<(u32, i64)>) -> bool {
    let new = bits & !*seen;
    if new == 0 {
        return false;
    }
    *seen |= new;
    fresh.push((at as u32, new));
    true
}

impl Accumulator for Views {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let mut masks = self.masks(input)?;
        let (mut rows, mut slots) = (Vec::new(), Vec::new());
        let mut input = Input { retract: None, ..*input };
        if masks.contains(&0) {
            let passed = || masks.iter().enumerate().filter(|(_, mask)| **mask != 0).map(|(at, _)| at);
            rows.extend(passed().map(|at| input.rows[at]));
            slots.extend(passed().map(|at| input.slots[at]));
            masks.retain(|mask| *mask != 0);
            input = Input { rows: &rows, slots: &slots, ..input };
        }
        input.args = &input.args[..self.values.len()];
        let columns = gather(input.args, input.rows)?;
        let values = Values { keys: input.keys, rows: input.rows, slots: input.slots, columns: &columns };
        let mut fresh = Vec::new();
        self.side.update(&values, |at, seen| note(seen, masks[at], at, &mut fresh))?;
        self.show(&fresh, &input)
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
        let masks: Vec<i64> = entries.iter().map(|entry| self.side.set().count(*entry)).collect();
        let mut fresh = Vec::new();
        match keys {
            Some(keys) => {
                let values = Values { keys, rows: &rows, slots: &slots, columns: &columns };
                self.side.update(&values, |at, seen| note(seen, masks[at], at, &mut fresh))?;
            }
            // The targets live for the moment only: a set for the moment tells which values are new.
            None => {
                let mut fields: Vec<FieldRef> = vec![Arc::new(Field::new("slot", DataType::Int64, false))];
                fields.extend(self.values.iter().cloned());
                let groups = slots.iter().map(|slot| i64::from(*slot));
                let mut key: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_iter_values(groups))];
                key.extend(columns.iter().cloned());
                let (mut index, mut found) = (KeyIndex::new(&fields)?, Vec::new());
                index.intern(&key, slots.len(), &mut found, |_, _| ())?;
                let mut seen = vec![0; index.slots_end()];
                for (at, value) in found.iter().enumerate() {
                    note(&mut seen[*value as usize], masks[at], at, &mut fresh);
                }
            }
        }
        let positions: Vec<u32> = (0..entries.len() as u32).collect();
        let input = Input { keys: &[], rows: &positions, slots: &slots, retract: None, args: &columns };
        self.show(&fresh, &input)
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

impl SlotColumns for Views {
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
