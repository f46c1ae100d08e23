//! A map for each key, as the operator sees it.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_batch::Record;
use flott_state::{Migration, RowColumn, RowSource, Rows, Slots, StoredRows};
use flott_types::{Error, Result, Timestamp};
use hashbrown::{DefaultHashBuilder, HashTable};

use super::ttl::ttl_of;
use super::{Key, StateTtlConfig, estimated, in_state};
use flott_values::ColumnCodec;

/// About how many bytes a map has with its first entries, and for each of the others.
const MAP: usize = size_of::<HashTable<u32>>() + 64;
const NUMBER: usize = 7;

/// The maps of one state.
pub(crate) type MapColumn<K, V> = RowColumn<MapRows<K, V>>;

/// The entries of maps.
///
/// All entries are in one numbered list; the map of a key is an index of its entries' numbers. So changes are
/// tracked by entry, and a snapshot has a row for each changed entry: `(key, map_key) -> value`. An entry
/// that a snapshot must delete stays, without its value, until then.
pub struct MapRows<K, V> {
    /// By the slot of a key.
    maps: Vec<Option<Box<HashTable<u32>>>>,
    /// How many maps there are.
    used: usize,
    entries: Vec<Option<Entry<K, V>>>,
    numbers: Slots,
    hasher: DefaultHashBuilder,
    keys: ColumnCodec<K>,
    values: ColumnCodec<V>,
}

struct Entry<K, V> {
    slot: u32,
    key: K,
    value: Option<V>,
}

impl<K: Key, V: Record> MapRows<K, V> {
    fn map(&self, slot: u32) -> Option<&HashTable<u32>> {
        self.maps.get(slot as usize)?.as_deref()
    }

    fn find<Q>(&self, slot: u32, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let same = |entry: &u32| self.entry(*entry).is_some_and(|entry| entry.key.borrow() == key);
        self.map(slot)?.find(self.hasher.hash_one(key), same).copied()
    }

    fn entry(&self, entry: u32) -> Option<&Entry<K, V>> {
        self.entries.get(entry as usize).and_then(Option::as_ref)
    }

    fn value(&self, entry: u32) -> Option<&V> {
        self.entry(entry)?.value.as_ref()
    }

    fn value_mut(&mut self, entry: u32) -> Option<&mut Option<V>> {
        Some(&mut self.entries.get_mut(entry as usize)?.as_mut()?.value)
    }

    fn insert(&mut self, slot: u32, key: K, value: V) -> Result<u32> {
        let at = slot as usize;
        if at >= self.maps.len() {
            self.maps.resize_with((at + 1).next_power_of_two(), || None);
        }
        let hash = self.hasher.hash_one(&key);
        let new = Some(Entry { slot, key, value: Some(value) });
        let number = self.numbers.take()?;
        if number as usize == self.entries.len() {
            self.entries.push(new);
        } else {
            self.entries[number as usize] = new;
        }
        let MapRows { maps, used, entries, hasher, .. } = self;
        let hash_of = |number: &u32| match &entries[*number as usize] {
            Some(entry) => hasher.hash_one(&entry.key),
            None => 0,
        };
        *used += usize::from(maps[at].is_none());
        maps[at].get_or_insert_default().insert_unique(hash, number, hash_of);
        Ok(number)
    }
}

impl<K: Key, V: Record> RowSource for MapRows<K, V> {
    type Row = u32;

    fn key_fields(&self) -> Vec<FieldRef> {
        vec![self.keys.field().clone()]
    }

    fn value_fields(&self) -> Vec<FieldRef> {
        vec![self.values.field().clone()]
    }

    fn slot_of(&self, row: u32) -> u32 {
        self.entry(row).map_or(0, |entry| entry.slot)
    }

    fn keys(&self, rows: &[u32]) -> Result<Vec<ArrayRef>> {
        let entries = rows.iter().filter_map(|row| self.entry(*row));
        Ok(vec![self.keys.encode(entries.map(|entry| &entry.key))?])
    }

    fn values(&self, rows: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.values.encode(rows.iter().filter_map(|row| self.value(*row)))?])
    }
}

impl<K: Key, V: Record> Rows for MapRows<K, V> {
    fn occupies(&self, slot: u32, _: impl Fn(u32) -> bool) -> bool {
        self.map(slot).is_some()
    }

    fn restore(&mut self, stored: StoredRows) -> Result<(Vec<u32>, Option<Migration>)> {
        let StoredRows { slots, keys, values, .. } = stored;
        let ([keys], [values]) = (keys.as_slice(), values.as_slice()) else {
            return Err(Error::internal("a column of keys and one of values were expected"));
        };
        let (keys, of_keys) = self.keys.restore(keys)?;
        let (values, of_values) = self.values.restore(values)?;
        let entries = slots.into_iter().zip(keys).zip(values);
        let rows = entries.map(|((slot, key), value)| self.insert(slot, key, value));
        Ok((rows.collect::<Result<_>>()?, of_keys.or(of_values)))
    }

    fn clear(&mut self, row: u32) {
        self.value_mut(row).into_iter().for_each(|value| *value = None);
    }

    fn forget(&mut self, row: u32) -> bool {
        let Some(Entry { slot, key, .. }) = self.entries[row as usize].take() else { return false };
        self.numbers.release(row);
        let place = &mut self.maps[slot as usize];
        let Some(map) = place else { return false };
        if let Ok(found) = map.find_entry(self.hasher.hash_one(&key), |other| *other == row) {
            found.remove();
        }
        if map.is_empty() {
            *place = None;
            self.used -= 1;
        }
        place.is_none()
    }

    fn can_spill(&mut self) -> bool {
        true
    }

    fn rows_of(&self, slot: u32, into: &mut Vec<u32>) {
        into.extend(self.map(slot).into_iter().flatten().copied());
    }

    fn is_settled(&self, slot: u32, is_dead: impl Fn(u32) -> bool) -> bool {
        !self.map(slot).into_iter().flatten().copied().any(is_dead)
    }

    fn warm(&self, slots: &[u32]) -> usize {
        slots.iter().filter_map(|slot| self.map(*slot)).map(HashTable::len).sum()
    }

    fn memory(&self) -> usize {
        let maps = self.used * MAP + self.numbers.len() * NUMBER;
        let keys = estimated(&self.entries, |entry| entry.as_ref().map(|entry| &entry.key));
        let values = estimated(&self.entries, |entry| entry.as_ref()?.value.as_ref());
        let entries = self.entries.capacity() * size_of::<Option<Entry<K, V>>>() + keys + values;
        maps + self.maps.capacity() * size_of::<usize>() + entries + self.numbers.memory()
    }
}

/// The operations on the maps of a state.
pub(crate) trait MapAccess<K, V>: Sized {
    /// An empty state of that name.
    fn named(name: &str, ttl: Option<&StateTtlConfig>, now: Timestamp) -> Result<Self>;

    fn get<Q>(&self, slot: u32, key: &Q, now: Timestamp) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized;

    fn get_mut<Q>(&mut self, slot: u32, key: &Q, now: Timestamp) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized;

    fn insert(&mut self, slot: u32, key: K, value: V, now: Timestamp) -> Result<Option<V>>;

    /// Removes a value, and returns it if it was visible.
    fn discard<Q>(&mut self, slot: u32, key: &Q, now: Timestamp) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized;

    fn clear(&mut self, slot: u32);

    fn iter<'a>(&'a self, slot: u32, now: Timestamp) -> impl Iterator<Item = (&'a K, &'a V)>
    where
        K: 'a,
        V: 'a;
}

impl<K: Key, V: Record> MapAccess<K, V> for MapColumn<K, V> {
    fn named(name: &str, ttl: Option<&StateTtlConfig>, now: Timestamp) -> Result<Self> {
        let wrong = |error| in_state(name, error);
        let rows = MapRows {
            maps: Vec::new(),
            used: 0,
            entries: Vec::new(),
            numbers: Slots::default(),
            hasher: DefaultHashBuilder::default(),
            keys: ColumnCodec::for_keys("map_key").map_err(wrong)?,
            values: ColumnCodec::new("value").map_err(wrong)?,
        };
        Ok(RowColumn::new(name, rows).with_ttl(ttl_of(ttl, now)))
    }

    fn get<Q>(&self, slot: u32, key: &Q, now: Timestamp) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let entry = self.rows().find(slot, key)?;
        let value = self.rows().value(entry)?;
        self.is_visible(entry, now).then_some(value)
    }

    fn get_mut<Q>(&mut self, slot: u32, key: &Q, now: Timestamp) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let entry = self.rows().find(slot, key)?;
        self.rows().value(entry)?;
        if !self.is_visible(entry, now) {
            return None;
        }
        self.touch(entry, now);
        self.mark(entry);
        self.rows_mut().value_mut(entry)?.as_mut()
    }

    fn insert(&mut self, slot: u32, key: K, value: V, now: Timestamp) -> Result<Option<V>> {
        let (entry, old) = match self.rows().find(slot, &key) {
            Some(entry) => {
                let visible = self.rows().value(entry).is_some() && self.is_visible(entry, now);
                let place = self.rows_mut().value_mut(entry);
                (entry, place.and_then(|place| place.replace(value)).filter(|_| visible))
            }
            None => (self.rows_mut().insert(slot, key, value)?, None),
        };
        if !self.add(entry) {
            self.mark(entry);
        }
        self.touch(entry, now);
        Ok(old)
    }

    fn discard<Q>(&mut self, slot: u32, key: &Q, now: Timestamp) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let entry = self.rows().find(slot, key)?;
        self.rows().value(entry)?;
        let visible = self.is_visible(entry, now);
        let taken = self.rows_mut().value_mut(entry)?.take();
        // `occupied` says whether the key can be freed.
        self.remove(entry);
        taken.filter(|_| visible)
    }

    fn clear(&mut self, slot: u32) {
        let numbers: Vec<u32> = self.rows().map(slot).into_iter().flatten().copied().collect();
        for number in numbers {
            self.remove(number);
        }
    }

    fn iter<'a>(&'a self, slot: u32, now: Timestamp) -> impl Iterator<Item = (&'a K, &'a V)>
    where
        K: 'a,
        V: 'a,
    {
        self.rows().map(slot).into_iter().flat_map(|map| map.iter()).filter_map(move |number| {
            let Entry { key, value: Some(value), .. } = self.rows().entry(*number)? else { return None };
            self.is_visible(*number, now).then_some((key, value))
        })
    }
}
