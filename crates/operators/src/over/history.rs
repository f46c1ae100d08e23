//! The last rows of each key, in the order in which they were processed.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::{FieldRef, Int64Type};
use flott_state::{
    AnyColumn, Arrivals, GroupedRows, PrimitiveColumn, RowColumn, SharedIndex, SlotColumns, prefixed,
};
use flott_types::{Result, Timestamp};

/// Some columns of a row, and its time.
type Row = (AnyColumn, PrimitiveColumn<Int64Type>);

/// Some columns of rows with their times.
pub(super) struct History {
    rows: Arrivals<Row>,
}

impl History {
    /// Rows live this long after their last use, or forever if that is not above 0.
    pub fn new(name: &str, columns: &[FieldRef], ttl: i64, index: &SharedIndex) -> Result<Self> {
        let row = (AnyColumn::new(prefixed("row.", columns))?, PrimitiveColumn::new("$time", 0));
        let rows = Arrivals::new(name, "$position", true, row)?.with_coarse_ttl(ttl, index);
        Ok(History { rows })
    }

    /// Adds rows after those of their keys; returns their entries.
    pub fn put(&mut self, slots: &[u32], columns: &[ArrayRef], times: &[Timestamp]) -> Result<Vec<u32>> {
        let mut columns = columns.to_vec();
        columns.push(Arc::new(Int64Array::from(times.to_vec())));
        let mut entries = Vec::new();
        self.rows.push(slots, &columns, &mut entries)?;
        Ok(entries)
    }

    /// The rows.
    pub fn rows(&self) -> &RowColumn<GroupedRows<Row>> {
        self.rows.column()
    }

    /// The rows.
    pub fn rows_mut(&mut self) -> &mut RowColumn<GroupedRows<Row>> {
        self.rows.column_mut()
    }

    /// The state.
    pub fn state(&mut self) -> &mut Arrivals<Row> {
        &mut self.rows
    }

    /// The size in bytes of the widest row.
    pub fn widest(&self) -> usize {
        let rows = self.rows();
        rows.live().map(|entry| rows.row_bytes(entry)).max().unwrap_or_default()
    }

    #[inline]
    pub fn time(&self, entry: u32) -> Timestamp {
        self.rows().values().1.values()[entry as usize]
    }

    /// The columns of rows.
    pub fn rows_of(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        self.rows().values().0.read(entries)
    }

    pub fn remove(&mut self, entries: &[u32], freed: &mut Vec<u32>) {
        freed.extend(entries.iter().filter_map(|entry| self.rows_mut().remove(*entry)));
    }

    /// Forgets all rows of a key.
    pub fn remove_key(&mut self, slot: u32, freed: &mut Vec<u32>) {
        if self.rows_mut().remove_key(slot) {
            freed.push(slot);
        }
    }
}
