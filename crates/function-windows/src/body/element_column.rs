//! Lists of records by slot, each contiguous, because functions see them as slices and evictors remove
//! arbitrary elements.
//!
//! An element is a row of a snapshot, keyed by its position in the list: so a growing list writes only what
//! was added.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, TimeUnit, TimestampMillisecondType};
use flott_batch::Record;
use flott_state::{
    Index, KeyedDelta, Migration, RestoredState, RowSource, RowWriter, StateColumn, StoredRows, with_default,
};
use flott_types::{Error, Result, Timestamp};

use crate::evictor::WindowElements;
use crate::evictor::known;
use flott_function::state::in_state;
use flott_values::ColumnCodec;

/// The lists of one state.
pub(crate) struct ElementColumn<T> {
    name: String,
    lists: Vec<List<T>>,
    /// Lists that changed since the last snapshot.
    changed: Vec<u32>,
    timed: bool,
    codec: ColumnCodec<T>,
    migration: Option<Migration>,
    /// The snapshot's files have different columns: the next snapshot replaces them.
    rewrite: bool,
}

struct List<T> {
    values: Vec<T>,
    /// As many, if timestamps are kept.
    timestamps: Vec<Timestamp>,
    /// How many rows are in the last snapshot.
    written: u32,
    /// How many of those are unchanged.
    kept: u32,
    changed: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { values: Vec::new(), timestamps: Vec::new(), written: 0, kept: 0, changed: false }
    }
}

impl<T: Record> ElementColumn<T> {
    /// `timed` if the elements' timestamps are kept.
    pub fn new(name: &str, timed: bool) -> Result<Self> {
        Ok(ElementColumn {
            name: name.to_owned(),
            lists: Vec::new(),
            changed: Vec::new(),
            timed,
            codec: ColumnCodec::new("value")?,
            migration: None,
            rewrite: false,
        })
    }

    /// A list, marked as changed.
    #[inline]
    fn change(&mut self, slot: u32) -> &mut List<T> {
        let at = slot as usize;
        if at >= self.lists.len() {
            self.lists.resize_with((at + 1).max(self.lists.len() * 2), List::default);
        }
        let list = &mut self.lists[at];
        if !list.changed {
            list.changed = true;
            self.changed.push(slot);
        }
        list
    }

    #[inline]
    pub fn push(&mut self, slot: u32, value: T, timestamp: Timestamp) {
        let timed = self.timed;
        let list = self.change(slot);
        list.values.push(value);
        if timed {
            list.timestamps.push(timestamp);
        }
    }

    #[inline]
    pub fn values(&self, slot: u32) -> &[T] {
        self.lists.get(slot as usize).map_or(&[], |list| &list.values)
    }

    pub fn is_persisted(&self, slot: u32) -> bool {
        self.lists.get(slot as usize).is_some_and(|list| list.written > 0)
    }

    /// Appends one list to another.
    pub fn append(&mut self, into: u32, from: u32) {
        let Some((mut values, mut timestamps)) = self.take(from) else { return };
        let list = self.change(into);
        if list.values.is_empty() {
            (list.values, list.timestamps) = (values, timestamps);
        } else {
            list.values.append(&mut values);
            list.timestamps.append(&mut timestamps);
        }
    }

    pub fn clear(&mut self, slot: u32) {
        self.take(slot);
    }

    fn take(&mut self, slot: u32) -> Option<(Vec<T>, Vec<Timestamp>)> {
        if self.values(slot).is_empty() {
            return None;
        }
        let list = self.change(slot);
        list.kept = 0;
        Some((std::mem::take(&mut list.values), std::mem::take(&mut list.timestamps)))
    }

    /// Lets an evictor remove elements.
    pub fn evict(
        &mut self,
        slot: u32,
        evict: impl FnOnce(&mut WindowElements<'_, T>) -> Result<()>,
    ) -> Result<()> {
        let Some(List { values, timestamps, .. }) = self.lists.get_mut(slot as usize) else { return Ok(()) };
        let mut changed = false;
        evict(&mut WindowElements { values, timestamps, changed: &mut changed })?;
        if changed {
            self.change(slot).kept = 0;
        }
        Ok(())
    }
}

/// An element: the slot of its list, and its place in it.
type Place = (u32, u32);

/// Elements of a list, from one to before another.
fn span(slot: u32, from: u32, to: u32) -> impl Iterator<Item = Place> {
    (from..to).map(move |index| (slot, index))
}

impl<T: Record> RowSource for ElementColumn<T> {
    type Row = Place;

    fn key_fields(&self) -> Vec<FieldRef> {
        vec![Arc::new(Field::new("index", DataType::Int64, true))]
    }

    fn value_fields(&self) -> Vec<FieldRef> {
        let mut fields = vec![self.codec.field().clone()];
        fields.extend(self.timed.then(|| with_default(&time_field())));
        fields
    }

    fn slot_of(&self, (slot, _): Place) -> u32 {
        slot
    }

    fn keys(&self, rows: &[Place]) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, index)| i64::from(*index))))])
    }

    fn values(&self, rows: &[Place]) -> Result<Vec<ArrayRef>> {
        let elements = rows.iter().map(|(slot, index)| (&self.lists[*slot as usize], *index as usize));
        let elements: Vec<_> = elements.collect();
        let mut columns = vec![self.codec.encode(elements.iter().map(|(list, index)| &list.values[*index]))?];
        if self.timed {
            let timestamps: TimestampMillisecondArray =
                elements.iter().map(|(list, index)| known(list.timestamps[*index])).collect();
            columns.push(Arc::new(timestamps));
        }
        Ok(columns)
    }
}

fn time_field() -> FieldRef {
    Arc::new(Field::new("timestamp", DataType::Timestamp(TimeUnit::Millisecond, None), true))
}

impl<T: Record> StateColumn for ElementColumn<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn occupied(&self, slot: u32) -> bool {
        let occupied = |list: &List<T>| !list.values.is_empty() || list.written > 0;
        self.lists.get(slot as usize).is_some_and(occupied)
    }

    fn restore(&mut self, index: &mut dyn Index, restored: &mut RestoredState) -> Result<()> {
        let (keys, values) = (self.key_fields(), self.value_fields());
        let mut elements: Vec<(u32, i64, T, Timestamp)> = Vec::new();
        let ElementColumn { name, codec, migration, rewrite, .. } = self;
        StoredRows::take(name, &keys, &values, index, restored, |stored| {
            let places = stored.keys.first().and_then(|keys| keys.column.as_primitive_opt::<Int64Type>());
            let places = places.ok_or_else(|| Error::state("it is not a list"))?;
            let Some(values) = stored.values.first() else { return Ok(()) };
            let (values, migrated) = codec.restore(values)?;
            *rewrite |= migrated.is_some() || !stored.complete;
            *migration = migration.take().or(migrated);
            let times = stored.values.get(1);
            let times = times.and_then(|times| times.column.as_primitive_opt::<TimestampMillisecondType>());
            let time = |row: usize| times.filter(|times| times.is_valid(row)).map(|times| times.value(row));
            for (row, (slot, value)) in stored.slots.into_iter().zip(values).enumerate() {
                elements.push((slot, places.value(row), value, time(row).unwrap_or(Timestamp::MIN)));
            }
            Ok(())
        })?;
        elements.sort_unstable_by_key(|(slot, index, ..)| (*slot, *index));
        for (slot, _, value, timestamp) in elements {
            self.push(slot, value, timestamp);
        }
        for slot in std::mem::take(&mut self.changed) {
            let list = &mut self.lists[slot as usize];
            (list.written, list.kept) = (list.values.len() as u32, list.values.len() as u32);
            list.changed = false;
        }
        Ok(())
    }

    fn snapshot(
        &mut self,
        index: &dyn Index,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let full = full | std::mem::take(&mut self.rewrite);
        let changed = std::mem::take(&mut self.changed);
        let (mut written, mut deleted) = (Vec::new(), Vec::new());
        for slot in &changed {
            let list = &mut self.lists[*slot as usize];
            let len = list.values.len() as u32;
            if !full {
                written.extend(span(*slot, list.kept.min(len), len));
                deleted.extend(span(*slot, len, list.written));
            }
            (list.written, list.kept, list.changed) = (len, len, false);
            if len == 0 {
                freed.push(*slot);
            }
        }
        if full {
            let all = self.lists.iter().enumerate();
            written = all.flat_map(|(slot, list)| span(slot as u32, 0, list.values.len() as u32)).collect();
        }
        let writer = RowWriter::new(&self.name, index, self);
        writer.write(&written, &deleted, full, into).map_err(|error| in_state(&self.name, error))
    }

    fn migration(&self) -> Option<&Migration> {
        self.migration.as_ref()
    }

    fn memory(&self) -> usize {
        let list = |list: &List<T>| list.values.capacity() * size_of::<T>() + list.timestamps.capacity() * 8;
        self.lists.iter().map(list).sum::<usize>() + self.lists.capacity() * size_of::<List<T>>()
    }
}
