//! Rows that wait until event time has passed them.
//!
//! Cost of a row: encoding it into state, one step in a tree of times, and decoding it when it is due. Its
//! key is interned by the operator when the row arrives, and keeps its slot.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field};
use flott_batch::bytes::runs;
use flott_operator::windows::Ends;
use flott_plan::Schema;
use flott_state::{AnyColumn, Arrivals, KeyedDelta, RestoredState, SharedIndex, SlotColumns, StateColumn};
use flott_types::{Error, Result, Timestamp};

use crate::BuildContext;
use crate::keyed_columns::KeyedColumns;
use crate::support::{Millis, TimedRows};

/// The rows, by key in snapshots and by time in memory.
pub(crate) struct Pending {
    columns: KeyedColumns,
    time_column: usize,
    rows: Arrivals<AnyColumn>,
    /// Rows with equal time are in order of arrival.
    times: Ends,
    batch_bytes: usize,
}

impl Pending {
    /// For the rows of an input, keyed by these of its columns; with an index of such keys.
    pub fn new(
        input: &Schema,
        keys: &[usize],
        time_column: usize,
        context: &BuildContext,
    ) -> Result<(Self, SharedIndex)> {
        if time_column >= input.len() {
            return Err(Error::internal(format!("there is no column {time_column}")));
        }
        let arrival = Arc::new(Field::new("$arrival", DataType::Int64, true));
        let columns = KeyedColumns::new(input, keys, &[arrival])?;
        let (key_fields, fields) = columns.fields();
        let (number, fields) =
            fields.split_last().ok_or_else(|| Error::internal("rows that wait have no arrival"))?;
        let index = SharedIndex::new(key_fields, key_fields.len(), context.max_parallelism)?;
        let mut rows = Arrivals::new("pending", number.name(), false, AnyColumn::new(fields.to_vec())?)?;
        rows.column_mut().set_batch_bytes(context.batch_bytes);
        let pending =
            Pending { rows, batch_bytes: context.batch_bytes, columns, time_column, times: Ends::default() };
        Ok((pending, index))
    }

    /// Adds rows.
    pub fn put(&mut self, rows: &TimedRows) -> Result<()> {
        let mut entries = Vec::new();
        self.rows.push(&rows.slots, &self.columns.rest(&rows.columns), &mut entries)?;
        for (entry, time) in entries.into_iter().zip(&rows.times) {
            self.times.push(*time, entry);
        }
        Ok(())
    }

    /// Takes the next rows with times up to `until`: all rows of each time taken, and at least `enough` rows
    /// if there are that many. They are in order of time, then of arrival.
    pub fn due(
        &mut self,
        index: &mut SharedIndex,
        until: Timestamp,
        enough: usize,
    ) -> Result<Option<TimedRows>> {
        let (mut entries, mut times) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        while entries.len() < enough
            && bytes < self.batch_bytes
            && let Some((time, rows)) = self.times.pop(|time| time <= until)
        {
            times.resize(times.len() + rows.len(), time);
            bytes += rows.iter().map(|entry| self.bytes_of(index, *entry)).sum::<usize>();
            entries.extend_from_slice(&rows);
            self.times.recycle(rows);
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let (columns, slots) = self.rows_of(index, &entries)?;
        for entry in entries {
            index.freed().extend(self.rows.column_mut().remove(entry));
        }
        Ok(Some(TimedRows { columns, times, slots }))
    }

    fn bytes_of(&self, index: &SharedIndex, entry: u32) -> usize {
        let rows = self.rows.column();
        index.bytes_of(rows.key_of(entry)) + rows.row_bytes(entry)
    }

    fn rows_of(&self, index: &SharedIndex, entries: &[u32]) -> Result<(Vec<ArrayRef>, Vec<u32>)> {
        let rows = self.rows.column();
        let slots: Vec<u32> = entries.iter().map(|entry| rows.key_of(*entry)).collect();
        let columns = self.columns.reassemble(rows.values().read(entries)?, || index.keys_of(&slots))?;
        Ok((columns, slots))
    }

    /// Whether rows of a key wait.
    #[inline]
    pub fn waits(&self, slot: u32) -> bool {
        self.rows.column().len_of(slot) > 0
    }

    /// The bytes of memory that they hold.
    pub fn memory(&self) -> usize {
        self.rows.memory()
    }

    /// Whether rows of a key wait, or did at the last snapshot.
    pub fn occupied(&self, slot: u32) -> bool {
        self.rows.occupied(slot)
    }

    pub fn snapshot(
        &mut self,
        index: &mut SharedIndex,
        full: bool,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        index.snapshot(&mut self.rows, full, into)
    }

    pub fn restore(&mut self, index: &mut SharedIndex, restored: &mut RestoredState) -> Result<()> {
        index.restore(&mut self.rows, restored)?;
        let entries = self.rows.in_order()?;
        for run in runs(entries.len(), self.batch_bytes, |at| self.bytes_of(index, entries[at])) {
            let entries = &entries[run];
            let (columns, _) = self.rows_of(index, entries)?;
            let times = Millis::new(&columns[self.time_column])?;
            entries.iter().enumerate().for_each(|(row, entry)| self.times.push(times.get(row), *entry));
        }
        Ok(())
    }
}
