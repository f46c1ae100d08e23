//! The versions of each key of the right side.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use flott_batch::{ChangeBatch, RowKind, arrow_type};
use flott_operator::windows::Ends;
use flott_plan::{Schema, TemporalJoinSpec};
use flott_state::{
    AnyColumn, BooleanColumn, GroupedRows, KeyedDelta, PrimitiveColumn, RestoredState, RowColumn,
    SharedIndex, SlotColumns, StateColumn,
};
use flott_types::{Error, Result, Timestamp};

use crate::accumulate::unique_fields;
use crate::support::{Millis, take_columns};

/// The name of the state in snapshots.
const TABLE: &str = "versions";

/// The row, whether it is a deletion, and its time.
type Version = (AnyColumn, BooleanColumn, PrimitiveColumn<Int64Type>);

/// By key, sorted by time; at most one version for a key and a time: the last one that arrived.
pub(super) struct Versions {
    keys: Vec<usize>,
    /// The key's columns, under their names in snapshots.
    key_fields: Vec<FieldRef>,
    null_safe: Vec<bool>,
    time_column: usize,
    rows: RowColumn<GroupedRows<Version>>,
    /// Versions by the time at which the next one becomes valid. Stale entries are ignored.
    superseded: Ends,
}

impl Versions {
    pub fn new(input: &Schema, spec: &TemporalJoinSpec) -> Result<Self> {
        let fields = arrow_type::schema(input.iter());
        let key = |(at, column): (usize, &usize)| {
            let known = fields.fields().get(*column);
            let known = known.ok_or_else(|| Error::internal(format!("there is no key column {column}")))?;
            Ok(Arc::new(known.as_ref().clone().with_name(format!("$key{at}"))))
        };
        if spec.right_time >= input.len() {
            return Err(Error::internal(format!("there is no column {}", spec.right_time)));
        }
        let key_fields = spec.right_keys.iter().enumerate().map(key).collect::<Result<Vec<FieldRef>>>()?;
        let time: FieldRef = Arc::new(Field::new("$time", DataType::Int64, true));
        let rows = unique_fields(&fields.fields().iter().cloned().collect::<Vec<FieldRef>>());
        let values = (
            AnyColumn::new(rows)?,
            BooleanColumn::new("$deleted", Some(false)),
            PrimitiveColumn::new("$valid_from", 0),
        );
        let by_time = GroupedRows::new(&[time], Some(&[(0, SortOptions::default())]), values)?;
        Ok(Versions {
            keys: spec.right_keys.clone(),
            key_fields,
            null_safe: spec.null_safe.clone(),
            time_column: spec.right_time,
            rows: RowColumn::new(TABLE, by_time),
            superseded: Ends::default(),
        })
    }

    /// The key's columns, under their names in snapshots.
    pub fn key_fields(&self) -> &[FieldRef] {
        &self.key_fields
    }

    /// Adds versions, in order of arrival.
    pub fn put(&mut self, batch: &ChangeBatch, index: &mut SharedIndex) -> Result<()> {
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
        index.intern(&take_columns(&keys, &rows)?, rows.len(), &mut slots)?;
        let at: ArrayRef = Arc::new(Int64Array::from(times.clone()));
        self.rows.intern(&slots, &[at], &mut entries, |entry, _| new.push(entry))?;
        let (values, deleted, valid_from) = self.rows.values_mut();
        values.set_rows(&entries, columns, &rows)?;
        for ((entry, row), time) in entries.iter().zip(&rows).zip(times) {
            deleted.set(*entry, Some(batch.kind(*row as usize) == RowKind::Delete));
            valid_from.set(*entry, Some(time));
        }
        self.rows.mark_all(&entries);
        new.into_iter().for_each(|entry| self.note(entry));
        Ok(())
    }

    /// For each row, by the slot of its key, the version that is valid at its time.
    pub fn find(&self, slots: &[u32], times: &[Timestamp]) -> Vec<Option<u32>> {
        let version = |(slot, time): (&u32, &Timestamp)| {
            self.at(*slot, *time).filter(|entry| self.rows.values().1.get(*entry) != Some(true))
        };
        slots.iter().zip(times).map(version).collect()
    }

    /// Whether a key can match: one with a NULL that equals nothing has no versions.
    fn findable(&self, keys: &[ArrayRef], row: usize) -> bool {
        keys.iter().zip(&self.null_safe).all(|(key, null_safe)| *null_safe || key.is_valid(row))
    }

    /// The last version of a key that begins at or before a time.
    fn at(&self, key: u32, time: Timestamp) -> Option<u32> {
        let (mut low, mut high) = (0, self.rows.len_of(key));
        while low < high {
            let middle = (low + high) / 2;
            match self.rows.nth(key, middle) {
                Some(entry) if self.time(entry) <= time => low = middle + 1,
                _ => high = middle,
            }
        }
        self.rows.nth(key, low.checked_sub(1)?)
    }

    fn time(&self, entry: u32) -> Timestamp {
        self.rows.values().2.values()[entry as usize]
    }

    /// The next version of the same key.
    fn next(&self, entry: u32) -> Option<u32> {
        self.rows.nth(self.rows.key_of(entry), self.rows.rank(entry) + 1)
    }

    /// The rows of versions.
    pub fn rows(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        self.rows.values().0.read(entries)
    }

    /// The size of a version in bytes.
    pub fn bytes_of(&self, entry: u32) -> usize {
        self.rows.row_bytes(entry)
    }

    /// Notes when a version, and the one before it, are superseded.
    fn note(&mut self, entry: u32) {
        if let Some(next) = self.next(entry) {
            let until = self.time(next);
            self.superseded.push(until, entry);
        }
        let before = self.rows.rank(entry).checked_sub(1);
        if let Some(before) = before.and_then(|rank| self.rows.nth(self.rows.key_of(entry), rank)) {
            let until = self.time(entry);
            self.superseded.push(until, before);
        }
    }

    /// Forgets the versions that no row behind the watermark can need. Slots that may have no versions left
    /// are added to `freed`.
    pub fn forget(&mut self, watermark: Timestamp, freed: &mut Vec<u32>) {
        while let Some((_, entries)) = self.superseded.pop(|until| until <= watermark) {
            for entry in &entries {
                let superseded = self.rows.is_live(*entry)
                    && self.next(*entry).is_some_and(|next| self.time(next) <= watermark);
                if superseded {
                    freed.extend(self.rows.remove(*entry));
                }
            }
            self.superseded.recycle(entries);
        }
    }

    /// The bytes of memory that they hold.
    pub fn memory(&self) -> usize {
        self.rows.memory()
    }

    /// Whether there are versions of a key, or were at the last snapshot.
    pub fn occupied(&self, slot: u32) -> bool {
        self.rows.occupied(slot)
    }

    pub fn snapshot(
        &mut self,
        index: &mut SharedIndex,
        full: bool,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        index.snapshot_as(&self.key_fields, &mut self.rows, full, into)
    }

    pub fn restore(&mut self, index: &mut SharedIndex, restored: &mut RestoredState) -> Result<()> {
        index.restore_as(&self.key_fields, &mut self.rows, restored)?;
        let live: Vec<u32> = self.rows.live().collect();
        for entry in live {
            if let Some(next) = self.next(entry) {
                let until = self.time(next);
                self.superseded.push(until, entry);
            }
        }
        Ok(())
    }
}
