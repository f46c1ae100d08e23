//! DISTINCT of append-only input: a value counts when it arrives for the first time.
//!
//! All calls with the same arguments share one set of values, whatever their FILTERs: each value has one bit
//! for each filter that it has passed. `COUNT(DISTINCT user)`, `COUNT(DISTINCT user) FILTER (WHERE a)` and
//! `... (WHERE b)` probe one table once per row.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use flott_state::{KeyIndex, Multiset, SlotColumns, StateColumn};
use flott_types::{Error, Result};

use super::set::is_true;
use super::side::{entries_of, gather, multiset};
use super::{Accumulator, Input, MergeInto};

/// The most filters of a set: the number of bits in a positive number.
const MOST: usize = 63;

/// The values of each group, and the calls that see each of them once for their filter. Its arguments are the
/// columns of the values, followed by those of the filters.
pub(super) struct AppendOnlyDistinct {
    set: Multiset,
    values: Vec<FieldRef>,
    by_filter: Vec<FilteredCalls>,
    pub members: Vec<Box<dyn Accumulator>>,
}

/// The calls with one filter.
struct FilteredCalls {
    /// The index of the filter; `None` lets everything pass.
    filter: Option<usize>,
    /// The indexes of the members.
    members: Vec<usize>,
}

impl AppendOnlyDistinct {
    pub fn new(name: &str, values: Vec<FieldRef>) -> Result<Self> {
        let set = multiset(&format!("{name}.distinct"), "filters", &values, None)?;
        Ok(AppendOnlyDistinct { set, values, by_filter: Vec::new(), members: Vec::new() })
    }

    /// How many columns a value has.
    pub fn width(&self) -> usize {
        self.values.len()
    }

    /// Adds a call and returns its member index. `args` are the positions of the arguments; that of its
    /// filter is appended. Returns the call as an error if there is no room for another filter.
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
        match self.by_filter.iter().position(|filtered| filtered.filter == at) {
            Some(filtered) => self.by_filter[filtered].members.push(member),
            None if self.by_filter.len() == MOST => return Err(call),
            None => {
                args.extend(filter.filter(|filter| !filters.contains(filter)));
                self.by_filter.push(FilteredCalls { filter: at, members: vec![member] });
            }
        }
        self.members.push(call);
        Ok(member)
    }

    /// The bits of the filters that each row passes.
    fn masks(&self, input: &Input<'_>) -> Result<Vec<i64>> {
        let mut masks = vec![0; input.rows.len()];
        for (at, filtered) in self.by_filter.iter().enumerate() {
            let bit = 1 << at;
            let Some(filter) = filtered.filter else {
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

    /// Updates the members with the values that are new to their filters: `fresh` holds positions among
    /// `rows` and `slots`, and the bits.
    fn show(&mut self, fresh: &[(u32, i64)], input: &Input<'_>) -> Result<()> {
        let (mut rows, mut slots) = (Vec::new(), Vec::new());
        for (at, filtered) in self.by_filter.iter().enumerate() {
            rows.clear();
            slots.clear();
            for (position, _) in fresh.iter().filter(|(_, bits)| bits >> at & 1 == 1) {
                rows.push(input.rows[*position as usize]);
                slots.push(input.slots[*position as usize]);
            }
            let new = Input { rows: &rows, slots: &slots, ..*input };
            filtered.members.iter().try_for_each(|member| self.members[*member].update(&new))?;
        }
        Ok(())
    }
}

fn passing(args: &[ArrayRef], at: usize) -> Result<BooleanBuffer> {
    let filter = args.get(at).and_then(|filter| filter.as_boolean_opt());
    filter.map(is_true).ok_or_else(|| Error::internal("the FILTER of an aggregate is not BOOLEAN"))
}

/// Sets the bits of a value, and notes those that are new.
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

impl Accumulator for AppendOnlyDistinct {
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
        let mut fresh = Vec::new();
        self.set.update(input.slots, &columns, |at, seen| note(seen, masks[at], at, &mut fresh))?;
        self.show(&fresh, &input)
    }

    fn merge(&mut self, from: &[u32], to: &[u32], into: MergeInto) -> Result<()> {
        let (places, entries) = entries_of(&self.set, from);
        let slots: Vec<u32> = places.iter().map(|at| to[*at as usize]).collect();
        if entries.is_empty() {
            return Ok(());
        }
        let columns = self.set.rows_of(&entries)?;
        let masks: Vec<i64> = entries.iter().map(|entry| self.set.count(*entry)).collect();
        let mut fresh = Vec::new();
        match into {
            MergeInto::Groups => {
                self.set.update(&slots, &columns, |at, seen| note(seen, masks[at], at, &mut fresh))?;
            }
            // The targets are temporary: a temporary set tells which values are new.
            MergeInto::Moment => {
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
        let input = Input { rows: &positions, slots: &slots, retract: None, args: &columns };
        self.show(&fresh, &input)
    }

    /// The values of the first member; [`super::Aggregates`] asks the members themselves.
    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.members[0].values(slots)
    }

    fn has_side(&self) -> bool {
        true
    }
}

impl SlotColumns for AppendOnlyDistinct {
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
