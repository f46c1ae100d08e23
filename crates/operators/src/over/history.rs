//! The last rows of each key, in the order in which they were processed.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use flott_state::{KeyedDelta, KeyedMap, MapSpec, RestoredState, prefixed};
use flott_types::{Error, Result, Timestamp};

use super::expiry;
use crate::accumulate::Keys;

/// Some columns of rows with their times. A key expires with all its rows if that is asked for.
pub(super) struct History {
    map: KeyedMap<()>,
    /// By entry.
    times: Vec<Timestamp>,
    next: i64,
}

/// Where the rows of a batch are.
#[derive(Default)]
pub(super) struct Places {
    pub keys: Vec<u32>,
    pub entries: Vec<u32>,
}

impl History {
    pub fn new(name: &str, keys: &Keys, columns: &[FieldRef], ttl: i64) -> Result<Self> {
        let mut rows = prefixed("row.", columns);
        rows.push(Arc::new(Field::new("$time", DataType::Int64, true)));
        rows.push(Arc::new(Field::new("$position", DataType::Int64, true)));
        let spec = MapSpec {
            name,
            keys: &keys.fields,
            partition_columns: keys.partition_columns,
            rows: &rows,
            order: Some(&[(rows.len() - 1, SortOptions::default())]),
            max_parallelism: keys.max_parallelism,
        };
        Ok(History { map: KeyedMap::new(&spec, ())?.with_ttl(ttl), times: Vec::new(), next: 0 })
    }

    /// Adds rows behind those of their keys.
    pub fn put(&mut self, keys: &[ArrayRef], columns: &[ArrayRef], times: &[Timestamp]) -> Result<Places> {
        let mut rows = columns.to_vec();
        let first = self.next;
        self.next += times.len() as i64;
        rows.push(Arc::new(Int64Array::from(times.to_vec())));
        rows.push(Arc::new(Int64Array::from_iter_values(first..self.next)));
        let mut places = Places::default();
        self.map.intern_keys(keys, times.len(), &mut places.keys, |_, _| ())?;
        self.map.intern(&places.keys, &rows, &mut places.entries, |_, _| ())?;
        remember(&mut self.times, self.map.entries_end(), &places.entries, times);
        Ok(places)
    }

    pub fn map(&self) -> &KeyedMap<()> {
        &self.map
    }

    /// The bytes of the widest row.
    pub fn widest(&self) -> usize {
        self.map.live().map(|entry| self.map.bytes_of(entry)).max().unwrap_or_default()
    }

    #[inline]
    pub fn time(&self, entry: u32) -> Timestamp {
        self.times[entry as usize]
    }

    /// The columns of rows.
    pub fn rows_of(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = self.map.rows_of(entries)?;
        columns.truncate(columns.len().saturating_sub(2));
        Ok(columns)
    }

    pub fn remove(&mut self, entries: &[u32]) {
        entries.iter().for_each(|entry| self.map.remove(*entry));
    }

    /// Forgets keys.
    pub fn remove_keys(&mut self, keys: &[ArrayRef], number: usize) -> Result<()> {
        let mut slots = Vec::new();
        self.map.lookup_keys(keys, number, &mut slots)?;
        slots.into_iter().for_each(|key| self.map.remove_key(key));
        Ok(())
    }

    /// Notes that keys are used: those in these slots.
    pub fn touch(&mut self, keys: &[u32], now: Timestamp) {
        expiry::touch(&mut self.map, keys, now);
    }

    /// See [`expiry::forget_expired`].
    pub fn forget_expired(&mut self, keys: &[ArrayRef], number: usize, now: Timestamp) -> Result<()> {
        expiry::forget_expired(&mut self.map, keys, number, now)
    }

    /// See [`expiry::expire`].
    pub fn expire(
        &mut self,
        now: Timestamp,
        rows: usize,
        stays: impl FnOnce(&[ArrayRef], usize) -> Result<Vec<bool>>,
    ) -> Result<Option<Timestamp>> {
        expiry::expire(&mut self.map, now, rows, stays)
    }

    pub fn snapshot(&mut self, full: bool) -> Result<Vec<KeyedDelta>> {
        self.map.snapshot(full)
    }

    pub fn restore(&mut self, restored: &mut RestoredState) -> Result<()> {
        self.map.restore(restored)?;
        let entries: Vec<u32> = self.map.live().collect();
        for run in self.map.runs(&entries) {
            let columns = self.map.rows_of(run)?;
            let [.., times, positions] = columns.as_slice() else {
                return Err(Error::internal("rows of a frame have no time"));
            };
            remember(
                &mut self.times,
                self.map.entries_end(),
                run,
                times.as_primitive::<Int64Type>().values(),
            );
            let last = arrow::compute::max(positions.as_primitive::<Int64Type>());
            self.next = self.next.max(last.map_or(0, |last| last + 1));
        }
        Ok(())
    }
}

/// Notes the times of entries, all of which are below `end`.
fn remember(known: &mut Vec<Timestamp>, end: usize, entries: &[u32], times: &[Timestamp]) {
    known.resize(end.max(known.len()), 0);
    entries.iter().zip(times).for_each(|(entry, time)| known[*entry as usize] = *time);
}
