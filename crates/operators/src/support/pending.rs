//! Rows that wait until event time has passed them.
//!
//! Cost of a row: encoding it into state, one step in a tree of times; decoding it when it is due.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Int64Type};
use flott_plan::Schema;
use flott_state::{KeyedDelta, KeyedMap, MapSpec, RestoredState};
use flott_types::{Error, Result, Timestamp};

use crate::BuildContext;
use crate::keyed_columns::KeyedColumns;
use crate::support::{Millis, TimedRows};

/// The rows, by key in snapshots and by time in memory.
pub(crate) struct Pending {
    columns: KeyedColumns,
    time_column: usize,
    map: KeyedMap<()>,
    /// Rows of equal time are in the order of arrival.
    times: BTreeMap<Timestamp, Vec<u32>>,
    arrivals: i64,
    batch_bytes: usize,
}

impl Pending {
    /// For the rows of an input, kept under these of its columns.
    pub fn new(input: &Schema, keys: &[usize], time_column: usize, context: &BuildContext) -> Result<Self> {
        if time_column >= input.len() {
            return Err(Error::internal(format!("there is no column {time_column}")));
        }
        let arrival = Arc::new(Field::new("$arrival", DataType::Int64, true));
        let columns = KeyedColumns::new(input, keys, &[arrival])?;
        let (key_fields, rows) = columns.fields();
        let spec = MapSpec {
            name: "pending",
            keys: key_fields,
            partition_columns: key_fields.len(),
            rows,
            order: None,
            max_parallelism: context.max_parallelism,
        };
        let mut map = KeyedMap::new(&spec, ())?;
        map.set_batch_bytes(context.batch_bytes);
        Ok(Pending {
            map,
            batch_bytes: context.batch_bytes,
            columns,
            time_column,
            times: BTreeMap::new(),
            arrivals: 0,
        })
    }

    /// Keeps rows.
    pub fn put(&mut self, rows: &TimedRows) -> Result<()> {
        let TimedRows { columns, times } = rows;
        let keys = self.columns.keys(columns);
        let mut rows = self.columns.rest(columns);
        let first = self.arrivals;
        self.arrivals += times.len() as i64;
        rows.push(Arc::new(Int64Array::from_iter_values(first..self.arrivals)));
        let (mut slots, mut entries) = (Vec::new(), Vec::new());
        self.map.intern_keys(&keys, times.len(), &mut slots, |_, _| ())?;
        self.map.intern(&slots, &rows, &mut entries, |_, _| ())?;
        for (entry, time) in entries.into_iter().zip(times) {
            self.times.entry(*time).or_default().push(entry);
        }
        Ok(())
    }

    /// Takes out the next rows with times up to `until`: all of some times, as many times as make `enough` rows. They are in
    /// the order of time, then of arrival.
    pub fn due(&mut self, until: Timestamp, enough: usize) -> Result<Option<TimedRows>> {
        let (mut entries, mut times) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        while entries.len() < enough
            && bytes < self.batch_bytes
            && let Some(next) = self.times.first_entry()
            && *next.key() <= until
        {
            let (time, mut rows) = next.remove_entry();
            times.resize(times.len() + rows.len(), time);
            bytes += rows.iter().map(|entry| self.map.bytes_of(*entry)).sum::<usize>();
            entries.append(&mut rows);
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let mut columns = self.columns.rows_of(&self.map, &entries)?;
        columns.pop();
        entries.iter().for_each(|entry| self.map.remove(*entry));
        Ok(Some(TimedRows { columns, times }))
    }

    /// For each key whether rows of it wait.
    pub fn waits(&mut self, keys: &[ArrayRef], number: usize) -> Result<Vec<bool>> {
        let mut slots = Vec::new();
        self.map.lookup_keys(keys, number, &mut slots)?;
        Ok(slots.into_iter().map(|key| self.map.len_of(key) > 0).collect())
    }

    pub fn snapshot(&mut self, full: bool) -> Result<Vec<KeyedDelta>> {
        self.map.snapshot(full)
    }

    pub fn restore(&mut self, restored: &mut RestoredState) -> Result<()> {
        self.map.restore(restored)?;
        let entries: Vec<u32> = self.map.live().collect();
        let mut arrived = Vec::with_capacity(entries.len());
        for run in self.map.runs(&entries) {
            let mut columns = self.columns.rows_of(&self.map, run)?;
            let arrivals = columns.pop();
            let arrivals = arrivals.ok_or_else(|| Error::internal("rows that wait have no arrival"))?;
            let times = Millis::new(&columns[self.time_column])?;
            for (row, arrival) in arrivals.as_primitive::<Int64Type>().values().iter().enumerate() {
                arrived.push((*arrival, times.get(row), run[row]));
            }
        }
        arrived.sort_unstable();
        for (arrival, time, entry) in arrived {
            self.times.entry(time).or_default().push(entry);
            self.arrivals = arrival + 1;
        }
        Ok(())
    }
}
