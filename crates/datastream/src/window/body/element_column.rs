//! Lists of records by slot, in one piece each, since functions see them as slices, and evictors take out what they like.
//!
//! An element is a row of a snapshot, keyed by its place in the list: so a list that grows writes what was added and not itself.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, TimeUnit, TimestampMillisecondType};
use flott_batch::Record;
use flott_state::{KeyedDelta, RestoredState};
use flott_types::{Error, Result, Timestamp};

use crate::codec::ColumnCodec;
use crate::state::{DeltaRows, Keys, StateColumn, in_state, stored};
use crate::window::WindowElements;
use crate::window::evictor::known;

/// The lists of one state.
pub(crate) struct ElementColumn<T> {
    name: String,
    lists: Vec<List<T>>,
    /// Lists that changed since the last snapshot.
    changed: Vec<u32>,
    timed: bool,
    codec: ColumnCodec<T>,
}

struct List<T> {
    values: Vec<T>,
    /// As many, if timestamps are kept.
    timestamps: Vec<Timestamp>,
    /// How many rows the last snapshot has.
    written: u32,
    /// How many of those are as they were.
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
        })
    }

    /// A list, noted as changed.
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

    /// Puts one list behind another.
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

    fn write(
        &self,
        keys: &dyn Keys,
        written: &[Span],
        deleted: &[Span],
        full: bool,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let places = |spans: &[Span]| -> Vec<(u32, u32)> {
            spans.iter().flat_map(|span| (span.from..span.to).map(|index| (span.slot, index))).collect()
        };
        let (rows, gone) = (places(written), places(deleted));
        let elements = rows
            .iter()
            .map(|(slot, index)| (&self.lists[*slot as usize], *index as usize))
            .collect::<Vec<_>>();
        let encoded = self.codec.encode(elements.iter().map(|(list, index)| &list.values[*index]));
        let encoded = encoded.map_err(|error| in_state(&self.name, error))?;
        let mut values: Vec<(FieldRef, ArrayRef)> = vec![(self.codec.field().clone(), encoded)];
        if self.timed {
            let timestamps: TimestampMillisecondArray =
                elements.iter().map(|(list, index)| known(list.timestamps[*index])).collect();
            values.push((time_field(), Arc::new(timestamps)));
        }
        let places = rows.iter().chain(&gone).map(|(_, index)| i64::from(*index)).collect::<Vec<_>>();
        let index = Arc::new(Field::new("index", DataType::Int64, true));
        let slots = |rows: Vec<(u32, u32)>| rows.into_iter().map(|(slot, _)| slot).collect();
        let rows = DeltaRows {
            name: &self.name,
            changed: slots(rows),
            deleted: slots(gone),
            further_keys: vec![(index, Arc::new(Int64Array::from(places)))],
            values,
            full,
        };
        rows.finish(keys, into)
    }
}

/// Elements of a list, from one to before another.
struct Span {
    slot: u32,
    from: u32,
    to: u32,
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

    fn restore(&mut self, keys: &mut dyn Keys, restored: &mut RestoredState) -> Result<()> {
        let mut elements: Vec<(u32, i64, T, Timestamp)> = Vec::new();
        for rows in restored.take_keyed(&self.name) {
            let (field, column) = stored(&rows, &self.name, "key")?;
            let slots = keys.intern_column(field, column)?;
            let (_, index) = stored(&rows, &self.name, "index")?;
            let index = index.as_primitive_opt::<Int64Type>();
            let index = index.ok_or_else(|| Error::state(format!("'{}' is not a list", self.name)))?;
            let (field, column) = stored(&rows, &self.name, "value")?;
            let values =
                self.codec.decode_stored(field, column).map_err(|error| in_state(&self.name, error))?;
            let times = rows.column_by_name("timestamp");
            let times = times.and_then(|times| times.as_primitive_opt::<TimestampMillisecondType>());
            let time = |row: usize| times.filter(|times| times.is_valid(row)).map(|times| times.value(row));
            for (row, (slot, value)) in slots.into_iter().zip(values).enumerate() {
                elements.push((slot, index.value(row), value, time(row).unwrap_or(Timestamp::MIN)));
            }
        }
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
        keys: &dyn Keys,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let changed = std::mem::take(&mut self.changed);
        let (mut written, mut deleted) = (Vec::new(), Vec::new());
        for slot in &changed {
            let list = &mut self.lists[*slot as usize];
            let (slot, len) = (*slot, list.values.len() as u32);
            if !full {
                written.push(Span { slot, from: list.kept.min(len), to: len });
                deleted.push(Span { slot, from: len, to: list.written });
            }
            (list.written, list.kept, list.changed) = (len, len, false);
            if len == 0 {
                freed.push(slot);
            }
        }
        if full {
            let all = self.lists.iter().enumerate();
            let all =
                all.map(|(slot, list)| Span { slot: slot as u32, from: 0, to: list.values.len() as u32 });
            written = all.filter(|span| span.to > 0).collect();
        }
        if full || !changed.is_empty() {
            self.write(keys, &written, &deleted, full, into)?;
        }
        Ok(())
    }
}
