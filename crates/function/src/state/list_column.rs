//! A list for each key, as the operator sees it.

use std::cell::{Cell, RefCell};
use std::collections::vec_deque;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use flott_batch::Record;
use flott_batch::bytes::BATCH_BYTES;
use flott_state::spill::{Fetched, RowState, Spilled, SpilledTable};
use flott_state::{
    DirtySlots, ExpiryHand, Index, KeyedDelta, Migration, RestoredState, RowSource, RowSpill, RowWriter,
    StateColumn, StoredRows, TtlPolicy, remember, stamp_field,
};
use flott_types::{Error, Result, Timestamp};

use super::list_values::{List, StoredValue, read_rows};
use super::ttl::policy_of;
use super::{StateTtlConfig, estimated, in_state};
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
    /// How many lists have values, and how many values there are.
    used: usize,
    values: usize,
    migration: Option<Migration>,
    rewrite: bool,
    /// Encodes lists that leave memory, if they can.
    spill: Option<RowSpill>,
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
            values: 0,
            ttl,
            now: Cell::new(now),
            read: RefCell::default(),
            migration: None,
            rewrite: false,
            spill: None,
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
        count(&mut self.used, &mut self.values, before, list.values.len());
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
        count(&mut self.used, &mut self.values, list.values.len(), 0);
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
        count(&mut self.used, &mut self.values, before, list.values.len());
        if list.is_gone() {
            *place = None;
            freed.push(slot);
        } else if expired > 0 || list.restamped {
            self.changes.mark(slot);
        }
    }
}

/// The length of a list has changed: updates the counts of lists that have values, and of values.
#[inline]
fn count(used: &mut usize, values: &mut usize, before: usize, after: usize) {
    *used += usize::from(after > 0);
    *used -= usize::from(before > 0);
    *values += after;
    *values -= before;
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

    /// Puts values back that have these positions. Returns the slots of their lists, ascending.
    fn put_back(&mut self, mut all: Vec<StoredValue<T>>) -> Vec<u32> {
        all.sort_unstable_by_key(|(slot, position, _, _)| (*slot, *position));
        let mut slots = Vec::new();
        for (slot, position, value, stamp) in all {
            self.extend(slot, std::iter::once(value), stamp);
            let Some(list) = self.lists[slot as usize].as_mut() else { continue };
            if list.values.len() == 1 {
                list.first = position;
                slots.push(slot);
            }
            // A gap: positions are reassigned, so files with the old ones must be replaced.
            self.rewrite |= list.end() - 1 != position;
        }
        slots
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
            *rewrite |= !stored.complete;
            let (rows, migrated) = read_rows(codec, stored, now.get())?;
            *rewrite |= migrated.is_some();
            *migration = migration.take().or(migrated);
            all.extend(rows);
            Ok(())
        })?;
        for slot in self.put_back(all) {
            let Some(list) = self.lists[slot as usize].as_mut() else { continue };
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

    fn enable_spilling(&mut self) -> bool {
        if self.spill.is_none() {
            self.spill = RowSpill::new(self.key_fields(), self.value_fields());
        }
        self.spill.is_some()
    }

    fn retain_settled(&mut self, slots: &mut Vec<u32>) -> Result<()> {
        for slot in slots.iter() {
            if let Some(Some(list)) = self.lists.get_mut(*slot as usize) {
                let before = list.values.len();
                // It may drop what has expired.
                list.settle();
                count(&mut self.used, &mut self.values, before, list.values.len());
            }
        }
        slots.retain(|slot| self.list(*slot).is_none_or(|list| !list.waits()));
        Ok(())
    }

    fn expiry(&self, slot: u32) -> Timestamp {
        let Some(list) = self.list(slot) else { return Timestamp::MIN };
        let last = |ttl: TtlPolicy| Some(list.stamps.back()?.saturating_add(ttl.millis));
        self.ttl.map_or(Timestamp::MAX, |ttl| last(ttl).unwrap_or(Timestamp::MIN))
    }

    fn time_to_live(&self) -> Option<i64> {
        self.ttl.filter(|ttl| ttl.background).map(|ttl| ttl.millis)
    }

    fn drop_expired(&mut self, slots: &[u32], now: Timestamp, freed: &mut Vec<u32>) {
        slots.iter().for_each(|slot| self.trim(*slot, now, freed));
    }

    fn spill(&mut self, slots: &[u32], into: &mut Spilled<'_>) -> Result<()> {
        let mut spill = self.spill.take().ok_or_else(|| Error::internal("lists that cannot be spilled"))?;
        let mut rows = Vec::new();
        for (key, slot) in slots.iter().enumerate() {
            let Some(list) = self.list(*slot) else { continue };
            rows.extend((list.first..list.end()).map(|position| (key as u32, (*slot, position))));
        }
        let state_of = |(slot, position): Place| {
            let list = self.list(slot);
            let persisted = list.is_some_and(|list| list.persisted.contains(&position));
            RowState {
                persisted,
                dirty: !persisted || list.is_some_and(|list| list.restamped),
                deleted: false,
            }
        };
        let written = spill.write(&self.name, self, &rows, BATCH_BYTES, state_of, into);
        self.spill = Some(spill);
        written
    }

    fn leave(&mut self, slots: &[u32]) -> Result<()> {
        for slot in slots {
            if let Some(list) = self.lists.get_mut(*slot as usize).and_then(Option::take) {
                count(&mut self.used, &mut self.values, list.values.len(), 0);
                self.changes.evicted(*slot);
            }
        }
        Ok(())
    }

    fn fetch(&mut self, from: &Fetched<'_>) -> Result<()> {
        let Some(spill) = self.spill.take() else { return Ok(()) };
        let (mut all, mut known) = (Vec::new(), Vec::new());
        let ListColumn { name, codec, now, .. } = self;
        let read = spill.read(name, from, |stored, states| {
            known.extend(stored.slots.iter().copied().zip(states.iter().copied()));
            let (rows, _) = read_rows(codec, stored, now.get())?;
            all.extend(rows);
            Ok(())
        });
        self.spill = Some(spill);
        read?;
        for slot in self.put_back(all) {
            let Some(list) = self.lists[slot as usize].as_mut() else { continue };
            list.persisted = list.first..list.first;
        }
        for (slot, state) in known {
            let Some(Some(list)) = self.lists.get_mut(slot as usize) else { continue };
            // The last snapshot has the first ones.
            list.persisted.end += i64::from(state.persisted);
            list.restamped |= state.persisted && state.dirty;
            self.changes.fetched(slot, state.persisted, state.dirty);
        }
        Ok(())
    }

    fn describe(&mut self, index: &dyn Index, into: &mut Vec<SpilledTable>) -> Result<()> {
        into.extend(self.spill.as_ref().map(|spill| spill.describe(&self.name, index)));
        Ok(())
    }

    fn migration(&self) -> Option<&Migration> {
        self.migration.as_ref()
    }

    fn memory(&self) -> usize {
        // The values of lists that grow one by one leave a third of their arrays empty.
        let stamp = if self.ttl.is_some() { size_of::<Timestamp>() } else { 0 };
        let values = self.values * (size_of::<T>() + stamp) * 4 / 3;
        // One value of each list that is looked at: a long list says no more than a short one.
        let firsts = estimated(&self.lists, |list| list.as_ref()?.values.front());
        let owned = (firsts as u128 * self.values as u128 / self.used.max(1) as u128) as usize;
        let lists = self.used * size_of::<List<T>>() + values + owned;
        lists + self.lists.capacity() * size_of::<usize>() + self.changes.memory()
    }
}
