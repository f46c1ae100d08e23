//! A list for each key, as the operator sees it.

use std::cell::{Cell, RefCell};
use std::collections::{VecDeque, vec_deque};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Int64Type};
use flott_batch::Record;
use flott_state::{DirtySlots, KeyedDelta, RestoredState};
use flott_types::{Error, Result, Timestamp};

use super::rows::{DeltaRows, Migration, in_state, stored};
use super::ttl::{Hand, Look, has_stamps, remember, stamp_column, stored_stamps};
use super::{Keys, StateColumn, StateTtlConfig};
use crate::codec::ColumnCodec;

/// The lists of one state.
///
/// Values have positions that count on for as long as their list is there: values are added at the end and go from the front, or
/// all at once. So a snapshot, with a row for each value, `(key, position) -> value`, has to write the positions
/// that are new and delete those that went.
pub(crate) struct ListColumn<T> {
    name: String,
    lists: Vec<Option<Box<List<T>>>>,
    changes: DirtySlots,
    codec: ColumnCodec<T>,
    ttl: Option<StateTtlConfig>,
    /// The last time that this was told.
    now: Cell<Timestamp>,
    /// Slots of lists that were read where reading counts, or found to have expired values; perhaps several times.
    read: RefCell<Vec<u32>>,
    hand: Option<Hand>,
    migration: Option<Migration>,
    rewrite: bool,
}

struct List<T> {
    values: VecDeque<T>,
    /// When each value was last used, where values expire. They never decrease.
    stamps: VecDeque<Timestamp>,
    /// The position of the first value.
    first: i64,
    /// The positions that the last snapshot has.
    persisted: Range<i64>,
    /// Stamps that the last snapshot has have changed.
    restamped: bool,
    /// Values from this position on were read then.
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
    fn expired(&self, ttl: &StateTtlConfig, now: Timestamp) -> usize {
        if let Some((from, at)) = self.read.get() {
            let gone = (from - self.first) as usize;
            let until = |stamp: &Timestamp| ttl.is_over(at.max(*stamp), now);
            return gone + self.stamps.range(gone..).take_while(|stamp| until(stamp)).count();
        }
        self.stamps.partition_point(|stamp| ttl.is_over(*stamp, now))
    }

    /// What reads have brought about: values that were seen live anew, those that had expired by then are gone.
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
        Ok(ListColumn {
            name: name.to_owned(),
            lists: Vec::new(),
            changes: DirtySlots::default(),
            codec: ColumnCodec::new("value").map_err(|error| in_state(name, error))?,
            hand: ttl.filter(|ttl| ttl.is_enabled()).map(|ttl| Hand::new(ttl, now)),
            ttl: ttl.filter(|ttl| ttl.is_enabled()).cloned(),
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
        if expired > 0 || ttl.expires_on_read() {
            remember(&self.read, slot, self.lists.len());
        }
        if ttl.expires_on_read() {
            list.read.set(Some((list.first + expired as i64, now)));
        } else if !ttl.hides_expired() {
            return Some(list.values.iter());
        }
        Some(list.values.range(if ttl.hides_expired() { expired } else { 0 }..))
    }

    /// Adds values at the end.
    pub fn extend(&mut self, slot: u32, values: impl IntoIterator<Item = T>, now: Timestamp) {
        let at = slot as usize;
        if at >= self.lists.len() {
            self.lists.resize_with((at + 1).next_power_of_two(), || None);
        }
        let list = self.lists[at].get_or_insert_default();
        list.settle();
        list.values.extend(values);
        if self.ttl.is_some() {
            let stamp = list.stamps.back().map_or(now, |last| now.max(*last));
            list.stamps.resize(list.values.len(), stamp);
            self.hand.iter_mut().for_each(Hand::used);
        }
        if list.is_gone() {
            self.lists[at] = None;
        } else {
            self.changes.mark(slot);
        }
    }

    /// Removes the values of a key; answers those that could be seen.
    pub fn take(&mut self, slot: u32, now: Timestamp) -> Vec<T> {
        let Some(place) = self.lists.get_mut(slot as usize) else { return Vec::new() };
        let Some(list) = place else { return Vec::new() };
        list.settle();
        let hidden = match &self.ttl {
            Some(ttl) if ttl.hides_expired() => list.expired(ttl, now),
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

    /// Drops what has expired of a list.
    fn trim(&mut self, slot: u32, now: Timestamp, freed: &mut Vec<u32>) {
        let Some(ttl) = &self.ttl else { return };
        let Some(place) = self.lists.get_mut(slot as usize) else { return };
        let Some(list) = place else { return };
        list.settle();
        let expired = list.expired(ttl, now);
        list.drop_front(expired);
        if list.is_gone() {
            *place = None;
            freed.push(slot);
        } else if expired > 0 || list.restamped {
            self.changes.mark(slot);
        }
    }
}

/// The rows of one snapshot.
struct Rows<'a, T> {
    changed: Vec<u32>,
    deleted: Vec<u32>,
    positions: Vec<i64>,
    deleted_positions: Vec<i64>,
    values: Vec<&'a T>,
    stamps: Vec<Timestamp>,
}

impl<T: Record> ListColumn<T> {
    fn rows(&self, slots: &[u32], full: bool) -> Rows<'_, T> {
        let (changed, deleted, positions, deleted_positions) = Default::default();
        let (values, stamps) = Default::default();
        let mut rows = Rows { changed, deleted, positions, deleted_positions, values, stamps };
        let cleans = self.ttl.as_ref().filter(|ttl| full && ttl.cleans_full_snapshots());
        for slot in slots {
            let Some(list) = self.list(*slot) else { continue };
            let left_out = cleans.map_or(0, |ttl| list.expired(ttl, self.now.get()));
            let known = if full || list.restamped { list.first } else { list.persisted.end.max(list.first) };
            let from = (known - list.first) as usize;
            for at in from.max(left_out)..list.values.len() {
                rows.changed.push(*slot);
                rows.positions.push(list.first + at as i64);
                rows.values.push(&list.values[at]);
                rows.stamps.extend(list.stamps.get(at));
            }
            if !full {
                for position in list.persisted.start..list.persisted.end.min(list.first) {
                    rows.deleted.push(*slot);
                    rows.deleted_positions.push(position);
                }
            }
        }
        rows.positions.append(&mut rows.deleted_positions);
        rows
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

    fn restore(&mut self, keys: &mut dyn Keys, restored: &mut RestoredState) -> Result<()> {
        let name = self.name.clone();
        let wrong = |error| in_state(&name, error);
        let mut all = Vec::new();
        for rows in restored.take_keyed(&self.name) {
            let (field, column) = stored(&rows, &self.name, "key")?;
            let slots = keys.intern_column(field, column).map_err(wrong)?;
            let (_, positions) = stored(&rows, &self.name, "position")?;
            let positions = positions.as_primitive_opt::<Int64Type>();
            let positions = positions.ok_or_else(|| wrong(Error::state("its positions are not numbers")))?;
            let (field, column) = stored(&rows, &self.name, "value")?;
            Migration::note(&mut self.migration, field, &self.codec);
            let values = self.codec.decode_stored(field, column).map_err(wrong)?;
            self.rewrite |= self.migration.is_some() || has_stamps(&rows) != self.ttl.is_some();
            let stamps = stored_stamps(&rows, self.now.get());
            let rows = slots.into_iter().zip(positions.values()).zip(values).zip(stamps);
            all.extend(rows.map(|(((slot, position), value), stamp)| (slot, *position, value, stamp)));
        }
        all.sort_unstable_by_key(|(slot, position, _, _)| (*slot, *position));
        for (slot, position, value, stamp) in all {
            self.extend(slot, std::iter::once(value), stamp);
            let Some(list) = self.lists[slot as usize].as_mut() else { continue };
            if list.values.len() == 1 {
                list.first = position;
            }
            // A gap: positions are given anew, so files that have the old ones must be replaced.
            self.rewrite |= list.end() - 1 != position;
            list.persisted = list.first..list.end();
            self.changes.restored(slot);
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
        let now = self.now.get();
        for slot in std::mem::take(self.read.get_mut()) {
            self.trim(slot, now, freed);
        }
        let full = full | std::mem::take(&mut self.rewrite);
        let mut changes = std::mem::take(&mut self.changes);
        let live = (0..self.lists.len() as u32).filter(|slot| self.list(*slot).is_some());
        let slots = changes.take(full, live).changed;
        self.changes = changes;
        let rows = self.rows(&slots, full);
        let encoded = self.codec.encode(rows.values.iter().copied());
        let mut values =
            vec![(self.codec.field().clone(), encoded.map_err(|error| in_state(&self.name, error))?)];
        if self.ttl.is_some() {
            values.push(stamp_column(rows.stamps.into_iter()));
        }
        let positions: ArrayRef = Arc::new(Int64Array::from(rows.positions));
        let position = Arc::new(Field::new("position", DataType::Int64, true));
        let (changed, deleted) = (rows.changed, rows.deleted);
        let further_keys = vec![(position, positions)];
        DeltaRows { name: &self.name, changed, deleted, further_keys, values, full }.finish(keys, into)?;
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
        if self.ttl.is_none() {
            return;
        }
        self.now.set(now);
        for slot in std::mem::take(self.read.get_mut()) {
            self.trim(slot, now, freed);
        }
        let Some(mut hand) = self.hand.take() else { return };
        hand.go(now, self.lists.len(), rows, |slot| {
            let before = freed.len();
            self.trim(slot as u32, now, freed);
            let live = self.list(slot as u32).is_some_and(|list| !list.values.is_empty());
            Look { live, over: freed.len() > before }
        });
        self.hand = Some(hand);
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.hand.as_ref().and_then(Hand::wake_at)
    }

    fn migration(&self) -> Option<&Migration> {
        self.migration.as_ref()
    }
}
