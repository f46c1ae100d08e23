//! Rows by the slots of keys, told apart by when they arrived.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Int64Type};
use flott_types::Result;

use super::GroupedRows;
use crate::{Index, KeyedDelta, RestoredState, RowColumn, SharedIndex, SlotColumns, StateColumn};

/// For each slot of an index, the rows that arrived and have not been removed, each with a number that no
/// earlier one had: rows that wait, rows in frames, rows of open matches.
///
/// A row's content is never looked up, so it is neither compared nor hashed. Cost of a row: one probe by two
/// integers, and its values. In snapshots the number tells the rows of a key apart. In older snapshots the
/// row's columns did so too; those are read and replaced.
#[derive(Debug)]
pub struct Arrivals<V> {
    column: RowColumn<GroupedRows<V>>,
    next: i64,
}

impl<V: SlotColumns> Arrivals<V> {
    /// `name` is the state's name in snapshots, `number` that of the column of numbers. `ordered` keeps the
    /// rows of a key in order of arrival.
    ///
    /// # Errors
    /// If a type cannot be encoded.
    pub fn new(name: &str, number: &str, ordered: bool, values: V) -> Result<Self> {
        let number = Arc::new(Field::new(number, DataType::Int64, true));
        let order = [(0, SortOptions::default())];
        let rows = GroupedRows::new(&[number], ordered.then_some(&order), values)?;
        Ok(Arrivals { column: RowColumn::new(name, rows), next: 0 })
    }

    /// Rows live this many milliseconds after their last use, or forever if that is not above 0. `index` is
    /// that of their keys.
    #[must_use]
    pub fn with_coarse_ttl(mut self, millis: i64, index: &SharedIndex) -> Self {
        self.column = self.column.with_coarse_ttl(millis, index);
        self
    }

    /// The rows with their values.
    pub fn column(&self) -> &RowColumn<GroupedRows<V>> {
        &self.column
    }

    /// The rows with their values.
    pub fn column_mut(&mut self) -> &mut RowColumn<GroupedRows<V>> {
        &mut self.column
    }

    /// Adds rows after all others: row `i` of the values' columns under the key in slot `slots[i]`. Replaces
    /// what is in `entries`.
    ///
    /// # Errors
    /// If the columns are not those of the values.
    pub fn push(&mut self, slots: &[u32], columns: &[ArrayRef], entries: &mut Vec<u32>) -> Result<()> {
        let first = self.next;
        self.next += slots.len() as i64;
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(first..self.next));
        self.column.intern(slots, &[numbers], entries, |_, _| ())?;
        self.column.values_mut().write(entries, columns)
    }

    /// All rows in order of arrival.
    ///
    /// # Errors
    /// Only if memory is exhausted.
    pub fn in_order(&self) -> Result<Vec<u32>> {
        let entries: Vec<u32> = self.column.live().collect();
        let numbers = self.numbers(&entries)?;
        let mut ordered: Vec<(i64, u32)> = numbers.into_iter().zip(entries).collect();
        ordered.sort_unstable();
        Ok(ordered.into_iter().map(|(_, entry)| entry).collect())
    }

    fn numbers(&self, entries: &[u32]) -> Result<Vec<i64>> {
        let columns = self.column.rows_of(entries)?;
        Ok(columns.iter().flat_map(|column| column.as_primitive::<Int64Type>().values().to_vec()).collect())
    }
}

impl<V: SlotColumns> StateColumn for Arrivals<V> {
    fn name(&self) -> &str {
        self.column.name()
    }

    fn occupied(&self, slot: u32) -> bool {
        self.column.occupied(slot)
    }

    fn restore(&mut self, index: &mut dyn Index, restored: &mut RestoredState) -> Result<()> {
        self.column.restore(index, restored)?;
        let entries: Vec<u32> = self.column.live().collect();
        let last = self.numbers(&entries)?.into_iter().max();
        self.next = self.next.max(last.map_or(0, |last| last + 1));
        Ok(())
    }

    fn snapshot(
        &mut self,
        index: &dyn Index,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        self.column.snapshot(index, full, freed, into)
    }

    fn memory(&self) -> usize {
        self.column.memory()
    }
}
