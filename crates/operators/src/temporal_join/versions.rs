//! The versions of each key of the right side.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use flott_batch::{ChangeBatch, RowKind, arrow_type};
use flott_plan::{Schema, TemporalJoinSpec};
use flott_state::{
    AnyColumn, BooleanColumn, KeyedDelta, KeyedMap, MapSpec, NO_SLOT, PrimitiveColumn, RestoredState,
};
use flott_types::{Error, Result, Timestamp};

use crate::BuildContext;
use crate::accumulate::unique_fields;
use crate::support::{Millis, take_columns};

/// The name of the table in snapshots.
pub(super) const TABLE: &str = "versions";

/// The row, whether it is a deletion, and its time.
type Version = (AnyColumn, BooleanColumn, PrimitiveColumn<Int64Type>);

/// By key, sorted by time; at most one version of a key and a time: the last that came.
pub(super) struct Versions {
    keys: Vec<usize>,
    null_safe: Vec<bool>,
    time_column: usize,
    map: KeyedMap<Version>,
    /// Versions by the time from which the next one is valid. What is no longer true is ignored.
    superseded: BTreeMap<Timestamp, Vec<u32>>,
}

impl Versions {
    pub fn new(input: &Schema, spec: &TemporalJoinSpec, context: &BuildContext) -> Result<Self> {
        let fields = arrow_type::schema(input.iter());
        let key = |(at, column): (usize, &usize)| {
            let known = fields.fields().get(*column);
            let known = known.ok_or_else(|| Error::internal(format!("there is no key column {column}")))?;
            Ok(Arc::new(known.as_ref().clone().with_name(format!("$key{at}"))))
        };
        if spec.right_time >= input.len() {
            return Err(Error::internal(format!("there is no column {}", spec.right_time)));
        }
        let keys = spec.right_keys.iter().enumerate().map(key).collect::<Result<Vec<FieldRef>>>()?;
        let time: FieldRef = Arc::new(Field::new("$time", DataType::Int64, true));
        let rows = unique_fields(&fields.fields().iter().cloned().collect::<Vec<FieldRef>>());
        let values = (
            AnyColumn::new(rows)?,
            BooleanColumn::new("$deleted", Some(false)),
            PrimitiveColumn::new("$valid_from", 0),
        );
        let map = MapSpec {
            name: TABLE,
            keys: &keys,
            partition_columns: keys.len(),
            rows: &[time],
            order: Some(&[(0, SortOptions::default())]),
            max_parallelism: context.max_parallelism,
        };
        Ok(Versions {
            keys: spec.right_keys.clone(),
            null_safe: spec.null_safe.clone(),
            time_column: spec.right_time,
            map: KeyedMap::new(&map, values)?,
            superseded: BTreeMap::new(),
        })
    }

    /// Takes versions in, in the order in which they came.
    pub fn put(&mut self, batch: &ChangeBatch) -> Result<()> {
        let columns = batch.columns().columns();
        let keys: Vec<ArrayRef> = self.keys.iter().map(|key| columns[*key].clone()).collect();
        let rows: Vec<u32> = (0..batch.physical_rows())
            .filter(|row| batch.kind(*row) != RowKind::UpdateBefore && self.findable(&keys, *row))
            .map(|row| row as u32)
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let time = Millis::required(&columns[self.time_column])?;
        let times: Vec<i64> = rows.iter().map(|row| time.get(*row as usize)).collect();
        let (mut slots, mut entries, mut new) = (Vec::new(), Vec::new(), Vec::new());
        self.map.intern_keys(&take_columns(&keys, &rows)?, rows.len(), &mut slots, |_, _| ())?;
        let at: ArrayRef = Arc::new(Int64Array::from(times.clone()));
        self.map.intern(&slots, &[at], &mut entries, |entry, _| new.push(entry))?;
        let (values, deleted, valid_from) = self.map.values_mut();
        values.set_rows(&entries, columns, &rows)?;
        for ((entry, row), time) in entries.iter().zip(&rows).zip(times) {
            deleted.set(*entry, Some(batch.kind(*row as usize) == RowKind::Delete));
            valid_from.set(*entry, Some(time));
        }
        entries.iter().for_each(|entry| self.map.mark(*entry));
        new.into_iter().for_each(|entry| self.note(entry));
        Ok(())
    }

    /// For each row the version that is valid at its time.
    pub fn find(&mut self, keys: &[ArrayRef], times: &[Timestamp]) -> Result<Vec<Option<u32>>> {
        let mut slots = Vec::new();
        self.map.lookup_keys(keys, times.len(), &mut slots)?;
        let found = slots.iter().zip(times).enumerate();
        Ok(found
            .map(|(row, (slot, time))| {
                let version =
                    if *slot != NO_SLOT && self.findable(keys, row) { self.at(*slot, *time) } else { None };
                version.filter(|entry| self.map.values().1.get(*entry) != Some(true))
            })
            .collect())
    }

    /// Whether a key equals any: one with a NULL that nothing equals is neither kept nor asked for.
    fn findable(&self, keys: &[ArrayRef], row: usize) -> bool {
        keys.iter().zip(&self.null_safe).all(|(key, null_safe)| *null_safe || key.is_valid(row))
    }

    /// The last version of a key that begins at a time or before.
    fn at(&self, key: u32, time: Timestamp) -> Option<u32> {
        let (mut low, mut high) = (0, self.map.len_of(key));
        while low < high {
            let middle = (low + high) / 2;
            match self.map.nth(key, middle) {
                Some(entry) if self.time(entry) <= time => low = middle + 1,
                _ => high = middle,
            }
        }
        self.map.nth(key, low.checked_sub(1)?)
    }

    fn time(&self, entry: u32) -> Timestamp {
        self.map.values().2.values()[entry as usize]
    }

    /// The version after this one of the same key.
    fn next(&self, entry: u32) -> Option<u32> {
        self.map.nth(self.map.key_of(entry), self.map.rank(entry) + 1)
    }

    /// The rows of versions.
    pub fn rows(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        use flott_state::SlotColumns;
        self.map.values().0.read(entries)
    }

    /// The bytes of a version.
    pub fn bytes_of(&self, entry: u32) -> usize {
        self.map.bytes_of(entry)
    }

    /// Notes when a version, and the one before it, are superseded.
    fn note(&mut self, entry: u32) {
        if let Some(next) = self.next(entry) {
            let until = self.time(next);
            self.superseded.entry(until).or_default().push(entry);
        }
        let before = self.map.rank(entry).checked_sub(1);
        if let Some(before) = before.and_then(|rank| self.map.nth(self.map.key_of(entry), rank)) {
            let until = self.time(entry);
            self.superseded.entry(until).or_default().push(before);
        }
    }

    /// Forgets the versions that no row behind the watermark can ask for.
    pub fn forget(&mut self, watermark: Timestamp) {
        while let Some(due) = self.superseded.first_entry()
            && *due.key() <= watermark
        {
            for entry in due.remove() {
                let superseded = self.map.is_live(entry)
                    && self.next(entry).is_some_and(|next| self.time(next) <= watermark);
                if superseded {
                    self.map.remove(entry);
                }
            }
        }
    }

    pub fn snapshot(&mut self, full: bool) -> Result<Vec<KeyedDelta>> {
        self.map.snapshot(full)
    }

    pub fn restore(&mut self, restored: &mut RestoredState) -> Result<()> {
        self.map.restore(restored)?;
        let live: Vec<u32> = self.map.live().collect();
        for entry in live {
            if let Some(next) = self.next(entry) {
                let until = self.time(next);
                self.superseded.entry(until).or_default().push(entry);
            }
        }
        Ok(())
    }
}
