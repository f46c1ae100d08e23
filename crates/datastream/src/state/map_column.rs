//! A map for each key, as the operator sees it.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use flott_batch::Record;
use flott_state::{DirtySlots, KeyedDelta, RestoredState};
use flott_types::{Result, Timestamp};
use hashbrown::{DefaultHashBuilder, HashTable};

use super::rows::{DeltaRows, Migration, in_state, stored};
use super::ttl::{Stamps, has_stamps, stamp_column, stored_stamps};
use super::{Key, Keys, StateColumn, StateTtlConfig};
use crate::codec::ColumnCodec;

/// The maps of one state.
///
/// All entries lie in one list, numbered as slots are; the map of a key is an index of its entries' numbers. So what has changed is
/// known by entry, and a snapshot has a row for each changed entry: `(key, map_key) -> value`. An entry that a snapshot
/// must delete stays without its value until then.
pub(crate) struct MapColumn<K, V> {
    name: String,
    maps: Vec<Option<Box<HashTable<u32>>>>,
    entries: Vec<Option<Entry<K, V>>>,
    free: Vec<u32>,
    hasher: DefaultHashBuilder,
    changes: DirtySlots,
    keys: ColumnCodec<K>,
    values: ColumnCodec<V>,
    stamps: Option<Stamps>,
    migration: Option<Migration>,
    rewrite: bool,
}

struct Entry<K, V> {
    slot: u32,
    key: K,
    value: Option<V>,
}

impl<K: Key, V: Record> MapColumn<K, V> {
    pub fn new(name: &str, ttl: Option<&StateTtlConfig>, now: Timestamp) -> Result<Self> {
        let wrong = |error| in_state(name, error);
        Ok(MapColumn {
            name: name.to_owned(),
            maps: Vec::new(),
            entries: Vec::new(),
            free: Vec::new(),
            hasher: DefaultHashBuilder::default(),
            changes: DirtySlots::default(),
            keys: ColumnCodec::for_keys("map_key").map_err(wrong)?,
            values: ColumnCodec::new("value").map_err(wrong)?,
            stamps: ttl.filter(|ttl| ttl.is_enabled()).map(|ttl| Stamps::new(ttl.clone(), now)),
            migration: None,
            rewrite: false,
        })
    }

    fn find<Q>(&self, slot: u32, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let map = self.maps.get(slot as usize)?.as_ref()?;
        let same = |entry: &u32| self.entry(*entry).is_some_and(|entry| entry.key.borrow() == key);
        map.find(self.hasher.hash_one(key), same).copied()
    }

    fn entry(&self, entry: u32) -> Option<&Entry<K, V>> {
        self.entries.get(entry as usize).and_then(Option::as_ref)
    }

    fn value(&self, entry: u32) -> Option<&V> {
        self.entry(entry)?.value.as_ref()
    }

    /// Whether an entry that is read can be seen.
    fn is_visible(&self, entry: u32, now: Timestamp) -> bool {
        self.stamps.as_ref().is_none_or(|stamps| stamps.read(entry, now))
    }

    pub fn get<Q>(&self, slot: u32, key: &Q, now: Timestamp) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let entry = self.find(slot, key)?;
        let value = self.value(entry)?;
        self.is_visible(entry, now).then_some(value)
    }

    pub fn get_mut<Q>(&mut self, slot: u32, key: &Q, now: Timestamp) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let entry = self.find(slot, key)?;
        self.value(entry)?;
        if !self.is_visible(entry, now) {
            return None;
        }
        if let Some(stamps) = &mut self.stamps {
            stamps.set(entry, now);
        }
        self.changes.mark(entry);
        self.entries[entry as usize].as_mut()?.value.as_mut()
    }

    pub fn insert(&mut self, slot: u32, key: K, value: V, now: Timestamp) -> Option<V> {
        let (entry, old) = match self.find(slot, &key) {
            Some(entry) => {
                let visible = self.value(entry).is_some() && self.is_visible(entry, now);
                let known = self.entries[entry as usize].as_mut()?;
                (entry, known.value.replace(value).filter(|_| visible))
            }
            None => (self.add(slot, key, value), None),
        };
        if !self.changes.revive(entry) {
            self.changes.mark(entry);
        }
        if let Some(stamps) = &mut self.stamps {
            stamps.set(entry, now);
        }
        old
    }

    fn add(&mut self, slot: u32, key: K, value: V) -> u32 {
        let at = slot as usize;
        if at >= self.maps.len() {
            self.maps.resize_with((at + 1).next_power_of_two(), || None);
        }
        let hash = self.hasher.hash_one(&key);
        let new = Some(Entry { slot, key, value: Some(value) });
        let number = match self.free.pop() {
            Some(number) => {
                self.entries[number as usize] = new;
                number
            }
            None => {
                self.entries.push(new);
                (self.entries.len() - 1) as u32
            }
        };
        let MapColumn { maps, entries, hasher, .. } = self;
        let hash_of = |number: &u32| match &entries[*number as usize] {
            Some(entry) => hasher.hash_one(&entry.key),
            None => 0,
        };
        maps[at].get_or_insert_default().insert_unique(hash, number, hash_of);
        number
    }

    pub fn remove<Q>(&mut self, slot: u32, key: &Q, now: Timestamp) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let entry = self.find(slot, key)?;
        self.value(entry)?;
        let visible = self.is_visible(entry, now);
        self.take(entry).filter(|_| visible)
    }

    /// Removes an entry's value, and the entry too if no snapshot has it.
    fn take(&mut self, number: u32) -> Option<V> {
        let taken = self.entries[number as usize].as_mut()?.value.take()?;
        if self.changes.remove(number) {
            self.forget(number);
        }
        Some(taken)
    }

    fn forget(&mut self, number: u32) {
        let Some(Entry { slot, key, .. }) = self.entries[number as usize].take() else { return };
        self.free.push(number);
        let place = &mut self.maps[slot as usize];
        let Some(map) = place else { return };
        if let Ok(found) = map.find_entry(self.hasher.hash_one(&key), |other| *other == number) {
            found.remove();
        }
        if map.is_empty() {
            *place = None;
        }
    }

    pub fn clear(&mut self, slot: u32) {
        let map = self.maps.get(slot as usize).and_then(Option::as_ref);
        let numbers: Vec<u32> = map.into_iter().flat_map(|map| map.iter().copied()).collect();
        for number in numbers {
            self.take(number);
        }
    }

    pub fn iter(&self, slot: u32, now: Timestamp) -> impl Iterator<Item = (&K, &V)> {
        let map = self.maps.get(slot as usize).and_then(Option::as_ref);
        map.into_iter().flat_map(|map| map.iter()).filter_map(move |number| {
            let Entry { key, value: Some(value), .. } = self.entry(*number)? else { return None };
            self.is_visible(*number, now).then_some((key, value))
        })
    }

    fn note_reads(&mut self) {
        let touched = self.stamps.as_mut().map(Stamps::take_touched);
        for entry in touched.into_iter().flatten() {
            if self.value(entry).is_some() {
                self.changes.mark(entry);
            }
        }
    }
}

impl<K: Key, V: Record> StateColumn for MapColumn<K, V> {
    fn name(&self) -> &str {
        &self.name
    }

    fn warm(&self, slots: &[u32]) -> usize {
        let map = |slot: &u32| self.maps.get(*slot as usize)?.as_ref();
        slots.iter().filter_map(map).map(|map| map.len()).sum()
    }

    fn occupied(&self, slot: u32) -> bool {
        self.maps.get(slot as usize).is_some_and(Option::is_some)
    }

    fn restore(&mut self, keys: &mut dyn Keys, restored: &mut RestoredState) -> Result<()> {
        let name = self.name.clone();
        let wrong = |error| in_state(&name, error);
        for rows in restored.take_keyed(&self.name) {
            let (field, column) = stored(&rows, &self.name, "key")?;
            let slots = keys.intern_column(field, column).map_err(wrong)?;
            let (field, column) = stored(&rows, &self.name, "map_key")?;
            Migration::note(&mut self.migration, field, &self.keys);
            let map_keys = self.keys.decode_stored(field, column).map_err(wrong)?;
            let (field, column) = stored(&rows, &self.name, "value")?;
            Migration::note(&mut self.migration, field, &self.values);
            let values = self.values.decode_stored(field, column).map_err(wrong)?;
            let now = self.stamps.as_ref().map_or(0, Stamps::now);
            let stamps = stored_stamps(&rows, now);
            self.rewrite |= self.migration.is_some() || has_stamps(&rows) != self.stamps.is_some();
            for (((slot, key), value), stamp) in slots.into_iter().zip(map_keys).zip(values).zip(stamps) {
                let entry = self.add(slot, key, value);
                self.changes.restored(entry);
                if let Some(own) = &mut self.stamps {
                    own.set(entry, stamp);
                }
            }
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
        self.note_reads();
        let full = full | std::mem::take(&mut self.rewrite);
        let mut changes = std::mem::take(&mut self.changes);
        let left_out = |entry: u32| {
            let stamps = self.stamps.as_ref().filter(|stamps| stamps.config.cleans_full_snapshots());
            stamps.is_some_and(|stamps| stamps.is_expired(entry, stamps.now()))
        };
        let all = 0..self.entries.len() as u32;
        let live = all.filter(|entry| self.value(*entry).is_some() && !left_out(*entry));
        let taken = changes.take(full, live);
        self.changes = changes;
        let deleted: &[u32] = if full { &[] } else { &taken.deleted };
        if full || !taken.changed.is_empty() || !deleted.is_empty() {
            let wrong = |error| in_state(&self.name, error);
            let slots = |entries: &[u32]| -> Vec<u32> {
                entries.iter().filter_map(|entry| self.entry(*entry)).map(|entry| entry.slot).collect()
            };
            let rows = taken.changed.iter().chain(deleted).filter_map(|entry| self.entry(*entry));
            let map_keys = self.keys.encode(rows.map(|entry| &entry.key)).map_err(wrong)?;
            let values = taken.changed.iter().filter_map(|entry| self.value(*entry));
            let values = self.values.encode(values).map_err(wrong)?;
            let mut values = vec![(self.values.field().clone(), values)];
            if let Some(stamps) = &self.stamps {
                values.push(stamp_column(taken.changed.iter().map(|entry| stamps.get(*entry))));
            }
            let rows = DeltaRows {
                name: &self.name,
                changed: slots(&taken.changed),
                deleted: slots(deleted),
                further_keys: vec![(self.keys.field().clone(), map_keys)],
                values,
                full,
            };
            rows.finish(keys, into)?;
        }
        for entry in taken.deleted {
            freed.extend(self.entry(entry).map(|entry| entry.slot));
            self.forget(entry);
        }
        Ok(())
    }

    fn tidy(&mut self, now: Timestamp, rows: usize, freed: &mut Vec<u32>) {
        let MapColumn { entries, stamps: Some(stamps), .. } = self else { return };
        let value = |entry: u32| entries.get(entry as usize)?.as_ref()?.value.as_ref();
        for entry in stamps.sweep(now, rows, |entry| value(entry).is_some()) {
            freed.extend(self.entry(entry).map(|entry| entry.slot));
            self.take(entry);
        }
        self.note_reads();
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.stamps.as_ref().and_then(Stamps::wake_at)
    }

    fn migration(&self) -> Option<&Migration> {
        self.migration.as_ref()
    }
}
