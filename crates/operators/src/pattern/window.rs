//! The rows that are needed while a batch is matched.
//!
//! A key's matcher numbers its rows. Rows that open matches need are kept in state, in order, up to the last
//! one. A batch begins by fetching the kept rows of all keys that it touches; its own rows follow them.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field};
use flott_pattern::Run;
use flott_plan::Schema;
use flott_state::{AnyColumn, Arrivals, SharedIndex, SlotColumns, StateColumn};
use flott_types::{Error, FastMap, Result};

use super::Arrived;
use super::references::Match;
use crate::keyed_columns::KeyedColumns;
use crate::support::{kernel, take_columns};

/// The name of the kept rows in snapshots.
const TABLE: &str = "matched";

/// The rows that open matches need.
pub(super) struct Kept {
    columns: KeyedColumns,
    rows: Arrivals<AnyColumn>,
}

/// Rows of some keys: kept ones, then those of a batch.
pub(super) struct Window {
    columns: Vec<ArrayRef>,
    /// How many of the rows were already kept.
    kept: usize,
    /// Their entries in state.
    entries: Vec<u32>,
    keys: FastMap<u32, KeyRows>,
}

/// The rows of one key.
#[derive(Default)]
pub(super) struct KeyRows {
    /// The number of the first one.
    first: u64,
    /// Their positions in the window, in the order of their numbers.
    places: Vec<u32>,
}

impl KeyRows {
    /// The position of a row in the window.
    pub fn place(&self, number: u64) -> Result<u32> {
        let at = number.checked_sub(self.first).and_then(|at| self.places.get(at as usize)).copied();
        at.ok_or_else(|| Error::internal(format!("row {number} of an open match was not kept")))
    }
}

impl Window {
    /// The columns of all rows.
    pub fn columns(&self) -> &[ArrayRef] {
        &self.columns
    }

    /// Adds a row of the batch as the next row of a key.
    pub fn push(&mut self, slot: u32, row: usize) -> Result<()> {
        let rows = self.keys.get_mut(&slot);
        let rows = rows.ok_or_else(|| Error::internal("a row of a key that the batch does not touch"))?;
        rows.places.push((self.kept + row) as u32);
        Ok(())
    }

    /// A match of a key.
    pub fn of<'a>(&'a self, slot: u32, run: &'a Run) -> Match<'a> {
        Match { run, rows: self.keys.get(&slot), current: None }
    }

    /// The rows of a key.
    pub fn rows(&self, slot: u32) -> Option<&KeyRows> {
        self.keys.get(&slot)
    }
}

impl Kept {
    pub fn new(input: &Schema, keys: &[usize]) -> Result<Self> {
        let number = Arc::new(Field::new("$row", DataType::Int64, true));
        let columns = KeyedColumns::new(input, keys, &[number])?;
        let (number, fields) =
            columns.fields().1.split_last().ok_or_else(|| Error::internal("kept rows have no numbers"))?;
        let rows = Arrivals::new(TABLE, number.name(), true, AnyColumn::new(fields.to_vec())?)?;
        Ok(Kept { columns, rows })
    }

    /// The kept rows of keys, followed by the rows of a batch; `next` returns the number of a key's next row.
    pub fn window(
        &self,
        slots: &[u32],
        index: &SharedIndex,
        arrived: &Arrived<'_>,
        next: impl Fn(u32) -> u64,
    ) -> Result<Window> {
        let kept = self.rows.column();
        let (mut entries, mut of_entries) = (Vec::new(), Vec::new());
        let mut rows = FastMap::default();
        for slot in slots {
            let first = entries.len() as u32;
            entries.extend(kept.entries_of(*slot));
            let places: Vec<u32> = (first..entries.len() as u32).collect();
            of_entries.extend(places.iter().map(|_| *slot));
            // The kept rows are the last ones before the next row.
            let first = next(*slot).checked_sub(places.len() as u64);
            let first = first.ok_or_else(|| Error::internal("more rows are kept than there were"))?;
            rows.insert(*slot, KeyRows { first, places });
        }
        let rest = kept.values().read(&entries)?;
        let mut columns = self.columns.reassemble(rest, || index.keys_of(&of_entries))?;
        if !arrived.times.is_empty() {
            let both = columns
                .iter()
                .zip(arrived.columns)
                .map(|(kept, new)| concat(&[kept.as_ref(), new.as_ref()]).map_err(kernel));
            columns =
                if entries.is_empty() { arrived.columns.to_vec() } else { both.collect::<Result<_>>()? };
        }
        Ok(Window { columns, kept: entries.len(), entries, keys: rows })
    }

    /// Keeps the rows of the window from each key's `first_needed` on, and forgets the others.
    pub fn settle(
        &mut self,
        slots: &[u32],
        freed: &mut Vec<u32>,
        window: Window,
        first_needed: impl Fn(u32) -> u64,
    ) -> Result<()> {
        let Window { columns, kept, entries, keys: rows } = window;
        let (mut of_key, mut places) = (Vec::new(), Vec::new());
        for slot in slots {
            let Some(rows) = rows.get(slot) else { continue };
            let needed = first_needed(*slot);
            for (number, place) in (rows.first..).zip(&rows.places) {
                match (number < needed, entries.get(*place as usize)) {
                    (true, Some(entry)) => freed.extend(self.rows.column_mut().remove(*entry)),
                    (false, None) => {
                        debug_assert!(*place as usize >= kept);
                        of_key.push(*slot);
                        places.push(*place);
                    }
                    (true, None) | (false, Some(_)) => {}
                }
            }
        }
        if places.is_empty() {
            return Ok(());
        }
        let rest = take_columns(&self.columns.rest(&columns), &places)?;
        self.rows.push(&of_key, &rest, &mut Vec::new())
    }

    /// The state.
    pub fn state(&mut self) -> &mut Arrivals<AnyColumn> {
        &mut self.rows
    }

    /// Whether rows of a key are kept, or were at the last snapshot.
    pub fn occupied(&self, slot: u32) -> bool {
        self.rows.occupied(slot)
    }
}
