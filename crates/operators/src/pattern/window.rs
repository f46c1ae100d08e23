//! The rows that are needed while a batch is matched.
//!
//! A key's matcher numbers its rows. Rows that open matches need are kept in state, sorted by number. A batch
//! begins by fetching the kept rows of all keys that it touches; its own rows follow them.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::compute::{SortOptions, concat};
use arrow::datatypes::{DataType, Field, Int64Type};
use flott_pattern::Run;
use flott_plan::Schema;
use flott_state::{KeyedDelta, KeyedMap, MapSpec, NO_SLOT, RestoredState};
use flott_types::{Error, FastMap, Result};

use super::Arrived;
use super::references::Match;
use crate::BuildContext;
use crate::keyed_columns::KeyedColumns;
use crate::support::{kernel, take_columns};

/// The name of the table of kept rows in snapshots.
pub(super) const TABLE: &str = "matched";

/// The rows that open matches need.
pub(super) struct Kept {
    columns: KeyedColumns,
    map: KeyedMap<()>,
}

/// Rows of some keys: kept ones, then those of a batch.
pub(super) struct Window {
    columns: Vec<ArrayRef>,
    /// How many of the rows were kept before.
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
    /// Where they are in the window, in the order of their numbers.
    places: Vec<u32>,
}

impl KeyRows {
    /// Where a row is.
    pub fn place(&self, number: u64) -> Result<u32> {
        let at = number.checked_sub(self.first).and_then(|at| self.places.get(at as usize)).copied();
        at.ok_or_else(|| Error::internal(format!("row {number} of an open match was not kept")))
    }
}

/// The different slots, in the order of their first rows, and those rows.
pub(super) fn distinct(slots: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut seen = flott_types::FastSet::default();
    let new = slots.iter().enumerate().filter(|(_, slot)| seen.insert(**slot));
    new.map(|(row, slot)| (*slot, row as u32)).unzip()
}

impl Window {
    /// The columns of all rows.
    pub fn columns(&self) -> &[ArrayRef] {
        &self.columns
    }

    /// The next row of a key is this one of the batch.
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
    pub fn new(input: &Schema, keys: &[usize], context: &BuildContext) -> Result<Self> {
        let number = Arc::new(Field::new("$row", DataType::Int64, true));
        let columns = KeyedColumns::new(input, keys, &[number])?;
        let (key_fields, rows) = columns.fields();
        let order = [(rows.len() - 1, SortOptions::default())];
        let spec = MapSpec {
            name: TABLE,
            keys: key_fields,
            partition_columns: key_fields.len(),
            rows,
            order: Some(&order),
            max_parallelism: context.max_parallelism,
        };
        let map = KeyedMap::new(&spec, ())?;
        Ok(Kept { columns, map })
    }

    /// The kept rows of keys, with a batch's rows behind them. `keys` are the columns of the keys in `slots`, and `next` tells the
    /// number of a key's next row.
    pub fn window(
        &mut self,
        slots: &[u32],
        keys: &[ArrayRef],
        arrived: &Arrived<'_>,
        next: impl Fn(u32) -> u64,
    ) -> Result<Window> {
        let mut own = Vec::new();
        self.map.lookup_keys(keys, slots.len(), &mut own)?;
        let mut entries = Vec::new();
        let mut rows = FastMap::default();
        for (slot, own) in slots.iter().zip(own) {
            let first = entries.len() as u32;
            if own != NO_SLOT {
                entries.extend(self.map.entries_of(own));
            }
            rows.insert(*slot, KeyRows { first: 0, places: (first..entries.len() as u32).collect() });
        }
        let mut columns = self.columns.rows_of(&self.map, &entries)?;
        let numbers = columns.pop().ok_or_else(|| Error::internal("kept rows have no numbers"))?;
        let numbers = numbers.as_primitive::<Int64Type>();
        for (slot, rows) in &mut rows {
            rows.first = match rows.places.first() {
                Some(place) => numbers.value(*place as usize) as u64,
                None => next(*slot),
            };
        }
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

    /// Keeps the rows of the window from `first_needed` of their key on, and forgets the others.
    pub fn settle(
        &mut self,
        slots: &[u32],
        keys: &[ArrayRef],
        window: Window,
        first_needed: impl Fn(u32) -> u64,
    ) -> Result<()> {
        let Window { columns, kept, entries, keys: rows } = window;
        let (mut of_key, mut places, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for (index, slot) in slots.iter().enumerate() {
            let Some(rows) = rows.get(slot) else { continue };
            let needed = first_needed(*slot);
            for (number, place) in (rows.first..).zip(&rows.places) {
                match (number < needed, entries.get(*place as usize)) {
                    (true, Some(entry)) => self.map.remove(*entry),
                    (false, None) => {
                        debug_assert!(*place as usize >= kept);
                        of_key.push(index as u32);
                        places.push(*place);
                        numbers.push(number as i64);
                    }
                    (true, None) | (false, Some(_)) => {}
                }
            }
        }
        if places.is_empty() {
            return Ok(());
        }
        let keys = take_columns(keys, &of_key)?;
        let mut rest = take_columns(&self.columns.rest(&columns), &places)?;
        rest.push(Arc::new(Int64Array::from(numbers)));
        let (mut key_slots, mut new) = (Vec::new(), Vec::new());
        self.map.intern_keys(&keys, places.len(), &mut key_slots, |_, _| ())?;
        self.map.intern(&key_slots, &rest, &mut new, |_, _| ())
    }

    pub fn snapshot(&mut self, full: bool) -> Result<Vec<KeyedDelta>> {
        self.map.snapshot(full)
    }

    pub fn restore(&mut self, restored: &mut RestoredState) -> Result<()> {
        self.map.restore(restored)
    }
}
