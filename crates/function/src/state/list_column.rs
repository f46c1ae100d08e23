//! A list for each key, as the operator sees it.

use std::cell::{Cell, RefCell};
use std::collections::{VecDeque, vec_deque};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, TimestampMillisecondType};
use flott_batch::Record;
use flott_state::{
    DirtySlots, ExpiryHand, Index, KeyedDelta, Migration, RestoredState, RowSource, RowWriter, StateColumn,
    StoredRows, TtlPolicy, remember, stamp_field,
};
use flott_types::{Error, Result, Timestamp};

use super::ttl::policy_of;
use super::{StateTtlConfig, in_state};
use flott_values::ColumnCodec;

/// The lists of one state.
///
/// Values have positions that keep counting while their list exists: values are added at the end, and removed
/// from the front or all at once. So a snapshot, with a row for each value, `(key, position) -> value`, has
/// to write the new positions and delete the removed ones.
pub(crate) struct ListColumn<T> {
    name: String,
    lists: Vec<Option<Box<List<T>>>>,
    changes: DirtySlots,
    codec: ColumnCodec<T>,
    ttl: Option<TtlPolicy>,
    /// The latest time that was passed in.
    now: Cell<Timestamp>,
    /// Slots of lists that were read (if reading extends their life) or found to have expired values; may
    /// contain duplicates.
    read: RefCell<Vec<u32>>,
    hand: ExpiryHand,
    /// How many lists have values.
    used: usize,
    migration: Option<Migration>,
    rewrite: bool,
}

struct List<T> {
    values: VecDeque<T>,
    /// When each value was last used, where values expire. They never decrease.
    stamps: VecDeque<Timestamp>,
    /// The position of the first value.
    first: i64,
    /// The positions in the last snapshot.
    persisted: Range<i64>,
    /// Timestamps in the last snapshot have changed.
    restamped: bool,
    /// Values from this position were read then.
    read: Cell<Option<(i64, Timestamp)>>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List {
            values: VecDeque::new(),
            stamps: VecDeque::new(),
            first: 0,
            persisted: 0..0,
            restamped: false,
            read: Cell::new(None),
        }
    }
}

impl<T> List<T> {
    fn end(&self) -> i64 {
        self.first + self.values.len() as i64
    }

    /// How many values at the front have expired.
    fn expired(&self, ttl: &TtlPolicy, now: Timestamp) -> usize {
        if let Some((from, at)) = self.read.get() {
            let gone = (from - self.first) as usize;
            let until = |stamp: &Timestamp| ttl.is_over(at.max(*stamp), now);
            return gone + self.stamps.range(gone..).take_while(|stamp| until(stamp)).count();
        }
        self.stamps.partition_point(|stamp| ttl.is_over(*stamp, now))
    }

    /// Applies the effects of reads: values that were read live longer, those that had expired are gone.
    fn settle(&mut self) {
        if let Some((from, at)) = self.read.take() {
            self.drop_front((from - self.first) as usize);
            self.stamps.iter_mut().for_each(|stamp| *stamp = at.max(*stamp));
            self.restamped = true;
        }
    }

    fn drop_front(&mut self, count: usize) {
        self.values.drain(..count);
        self.stamps.drain(..count.min(self.stamps.len()));
        self.first += count as i64;
    }

    /// Whether neither the list nor the last snapshot has values.
    fn is_gone(&self) -> bool {
        self.values.is_empty() && self.persisted.is_empty()
    }
}

impl<T: Record> ListColumn<T> {
    pub fn new(name: &str, ttl: Option<&StateTtlConfig>, now: Timestamp) -> Result<Self> {
        let ttl = policy_of(ttl);
        Ok(ListColumn {
            name: name.to_owned(),
            lists: Vec::new(),
            changes: DirtySlots::default(),
            codec: ColumnCodec::new("value").map_err(|error| in_state(name, error))?,
            hand: {
                let mut hand = ExpiryHand::new(ttl.map_or(0, |ttl| ttl.millis));
                hand.begin(now);
                hand
            },
            used: 0,
            ttl,
            now: Cell::new(now),
            read: RefCell::default(),
            migration: None,
            rewrite: false,
        })
    }

    fn list(&self, slot: u32) -> Option<&List<T>> {
        self.lists.get(slot as usize)?.as_deref()
    }

    /// The values of a key.
    pub fn read(&self, slot: u32, now: Timestamp) -> Option<vec_deque::Iter<'_, T>> {
        let list = self.list(slot)?;
        let Some(ttl) = &self.ttl else { return Some(list.values.iter()) };
        self.now.set(now);
        let expired = list.expired(ttl, now);
        if expired > 0 || ttl.on_read {
            remember(&self.read, slot, self.lists.len());
        }
        if ttl.on_read {
            list.read.set(Some((list.first + expired as i64, now)));
        } else if !ttl.hides_expired {
            return Some(list.values.iter());
        }
        Some(list.values.range(if ttl.hides_expired { expired } else { 0 }..))
    }

    /// Adds values at the end.
    pub fn extend(&mut self, slot: u32, values: impl IntoIterator<Item = T>, now: Timestamp) {
        let at = slot as usize;
        if at >= self.lists.len() {
            self.lists.resize_with((at + 1).next_power_of_two(), || None);
        }
        let list = self.lists[at].get_or_insert_default();
        let before = list.values.len();
        list.settle();
        list.values.extend(values);
        if self.ttl.is_some() {
            let stamp = list.stamps.back().map_or(now, |last| now.max(*last));
            list.stamps.resize(list.values.len(), stamp);
        }
        count(&mut self.used, before, list.values.len());
        if list.is_gone() {
            self.lists[at] = None;
        } else {
            self.changes.mark(slot);
        }
    }

    /// Removes the values of a key; returns the visible ones.
    pub fn take(&mut self, slot: u32, now: Timestamp) -> Vec<T> {
        let Some(place) = self.lists.get_mut(slot as usize) else { return Vec::new() };
        let Some(list) = place else { return Vec::new() };
        count(&mut self.used, list.values.len(), 0);
        list.settle();
        let hidden = match &self.ttl {
            Some(ttl) if ttl.hides_expired => list.expired(ttl, now),
            _ => 0,
        };
        list.first = list.end();
        list.stamps.clear();
        let taken = std::mem::take(&mut list.values).into_iter().skip(hidden).collect();
        if list.is_gone() {
            *place = None;
        } else {
            self.changes.mark(slot);
        }
        taken
    }

    /// Drops the expired values of a list.
    fn trim(&mut self, slot: u32, now: Timestamp, freed: &mut Vec<u32>) {
        let Some(ttl) = &self.ttl else { return };
        let Some(place) = self.lists.get_mut(slot as usize) else { return };
        let Some(list) = place else { return };
        let before = list.values.len();
        list.settle();
        let expired = list.expired(ttl, now);
        list.drop_front(expired);
        count(&mut self.used, before, list.values.len());
        if list.is_gone() {
            *place = None;
            freed.push(slot);
        } else if expired > 0 || list.restamped {
            self.changes.mark(slot);
        }
    }
}

/// The length of a list has changed: updates the count of lists that have values.
#[inline]
fn count(used: &mut usize, before: usize, after: usize) {
    *used += usize::from(after > 0);
    *used -= usize::from(before > 0);
}

/// A value of a list: the key's slot and its position. Positions before the first are removed values.
type Place = (u32, i64);

impl<T: Record> ListColumn<T> {
    /// The values that a snapshot of these lists writes, and those it deletes.
    fn places(&self, slots: &[u32], full: bool) -> (Vec<Place>, Vec<Place>) {
        let (mut written, mut deleted) = (Vec::new(), Vec::new());
        let cleans = self.ttl.as_ref().filter(|ttl| full && ttl.full_snapshots);
        for slot in slots {
            let Some(list) = self.list(*slot) else { continue };
            let left_out = cleans.map_or(0, |ttl| list.expired(ttl, self.now.get()));
            let known = if full || list.restamped { list.first } else { list.persisted.end.max(list.first) };
            let from = known.max(list.first + left_out as i64);
            written.extend((from..list.end()).map(|position| (*slot, position)));
            if !full {
                let gone = list.persisted.start..list.persisted.end.min(list.first);
                deleted.extend(gone.map(|position| (*slot, position)));
            }
        }
        (written, deleted)
    }

    /// The list of a value, and its index in the list.
    fn find(&self, (slot, position): Place) -> Option<(&List<T>, usize)> {
        let list = self.list(slot)?;
        Some((list, usize::try_from(position - list.first).ok()?))
    }
}

impl<T: Record> RowSource for ListColumn<T> {
    type Row = Place;

    fn key_fields(&self) -> Vec<FieldRef> {
        vec![Arc::new(Field::new("position", DataType::Int64, true))]
    }

    fn value_fields(&self) -> Vec<FieldRef> {
        let mut fields = vec![self.codec.field().clone()];
        fields.extend(self.ttl.map(|_| stamp_field(&[])));
        fields
    }

    fn slot_of(&self, (slot, _): Place) -> u32 {
        slot
    }

    fn keys(&self, rows: &[Place]) -> Result<Vec<ArrayRef>> {
        let positions = rows.iter().map(|(_, position)| *position);
        Ok(vec![Arc::new(Int64Array::from_iter_values(positions))])
    }

    fn values(&self, rows: &[Place]) -> Result<Vec<ArrayRef>> {
        let found: Vec<(&List<T>, usize)> = rows.iter().filter_map(|place| self.find(*place)).collect();
        let values = found.iter().filter_map(|(list, at)| list.values.get(*at));
        let mut columns = vec![self.codec.encode(values)?];
        if self.ttl.is_some() {
            let stamps = found.iter().map(|(list, at)| list.stamps.get(*at).copied());
            columns.push(Arc::new(stamps.collect::<TimestampMillisecondArray>()));
        }
        Ok(columns)
    }
}

impl<T: Record> StateColumn for ListColumn<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn warm(&self, slots: &[u32]) -> usize {
        slots.iter().filter_map(|slot| self.list(*slot)).map(|list| list.values.len()).sum()
    }

    fn occupied(&self, slot: u32) -> bool {
        self.list(slot).is_some()
    }

    fn restore(&mut self, index: &mut dyn Index, restored: &mut RestoredState) -> Result<()> {
        let (keys, values, mut all) = (self.key_fields(), self.value_fields(), Vec::new());
        let ListColumn { name, codec, now, migration, rewrite, .. } = self;
        StoredRows::take(name, &keys, &values, index, restored, |stored| {
            let positions = stored.keys.first().and_then(|keys| keys.column.as_primitive_opt::<Int64Type>());
            let positions = positions.ok_or_else(|| Error::state("its positions are not numbers"))?;
            let Some(values) = stored.values.first() else { return Ok(()) };
            let (values, migrated) = codec.restore(values)?;
            *rewrite |= migrated.is_some() || !stored.complete;
            *migration = migration.take().or(migrated);
            let stamps = stored
                .values
                .get(1)
                .and_then(|stamps| stamps.column.as_primitive_opt::<TimestampMillisecondType>());
            let stamp = |row| {
                let stamps = stamps.filter(|stamps| stamps.is_valid(row));
                stamps.map_or(now.get(), |stamps| stamps.value(row))
            };
            let rows = stored.slots.into_iter().zip(positions.values()).zip(values).enumerate();
            all.extend(rows.map(|(row, ((slot, position), value))| (slot, *position, value, stamp(row))));
            Ok(())
        })?;
        all.sort_unstable_by_key(|(slot, position, _, _)| (*slot, *position));
        for (slot, position, value, stamp) in all {
            self.extend(slot, std::iter::once(value), stamp);
            let Some(list) = self.lists[slot as usize].as_mut() else { continue };
            if list.values.len() == 1 {
                list.first = position;
            }
            // A gap: positions are reassigned, so files with the old ones must be replaced.
            self.rewrite |= list.end() - 1 != position;
            list.persisted = list.first..list.end();
            self.changes.restored(slot);
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
        let now = self.now.get();
        for slot in std::mem::take(self.read.get_mut()) {
            self.trim(slot, now, freed);
        }
        let full = full | std::mem::take(&mut self.rewrite);
        let mut changes = std::mem::take(&mut self.changes);
        let live = (0..self.lists.len() as u32).filter(|slot| self.list(*slot).is_some());
        let slots = changes.take(full, live).changed;
        self.changes = changes;
        let (written, deleted) = self.places(&slots, full);
        let writer = RowWriter::new(&self.name, index, self);
        writer.write(&written, &deleted, full, into).map_err(|error| in_state(&self.name, error))?;
        for slot in slots {
            let place = &mut self.lists[slot as usize];
            let Some(list) = place else { continue };
            list.persisted = list.first..list.end();
            list.restamped = false;
            if list.is_gone() {
                *place = None;
                freed.push(slot);
            }
        }
        Ok(())
    }

    fn tidy(&mut self, now: Timestamp, rows: usize, freed: &mut Vec<u32>) {
        let Some(ttl) = self.ttl else { return };
        self.now.set(now);
        for slot in std::mem::take(self.read.get_mut()) {
            self.trim(slot, now, freed);
        }
        let mut hand = std::mem::replace(&mut self.hand, ExpiryHand::new(0));
        if self.used == 0 {
            hand.begin(now);
        } else if ttl.background {
            hand.go(now, self.lists.len(), rows, |slot| {
                let before = freed.len();
                self.trim(slot as u32, now, freed);
                freed.len() > before
            });
        }
        self.hand = hand;
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let wakes = self.used > 0 && self.ttl.is_some_and(|ttl| ttl.background);
        if wakes { self.hand.wake_at() } else { None }
    }

    fn migration(&self) -> Option<&Migration> {
        self.migration.as_ref()
    }

    fn memory(&self) -> usize {
        let list = |list: &List<T>| {
            size_of::<List<T>>() + list.values.capacity() * size_of::<T>() + list.stamps.capacity() * 8
        };
        let lists: usize = self.lists.iter().flatten().map(|boxed| list(boxed)).sum();
        lists + self.lists.capacity() * size_of::<usize>() + self.changes.memory()
    }
}
