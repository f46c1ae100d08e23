//! The keys of an operator, each with a slot.

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, FieldRef};
use flott_types::{Error, KeyGroup, Result};
use hashbrown::HashTable;

use super::Key;
use crate::codec::{ColumnCodec, key_hash, type_text};

/// What columns of state must know of the keys, whatever their type.
pub(crate) trait Keys: Send {
    /// The slots of keys out of a snapshot; new ones are made.
    fn intern_column(&mut self, field: &Field, keys: &ArrayRef) -> Result<Vec<u32>>;
    /// The keys of slots, as a column.
    fn encode(&self, slots: &[u32]) -> Result<(FieldRef, ArrayRef)>;
    /// The key group of a slot.
    fn key_group(&self, slot: u32) -> u16;
    /// All slots are below this.
    fn end(&self) -> u32;
}

/// An index of keys by their hash.
pub(crate) struct KeyTable<K> {
    index: HashTable<u32>,
    keys: Vec<Option<K>>,
    hashes: Vec<u64>,
    free: Vec<u32>,
    /// Slots that were made since the last [`KeyTable::take_new`].
    new: Vec<u32>,
    codec: ColumnCodec<K>,
    max_parallelism: u32,
}

impl<K: Key> KeyTable<K> {
    pub fn new(max_parallelism: u32) -> Result<Self> {
        Ok(KeyTable {
            index: HashTable::new(),
            keys: Vec::new(),
            hashes: Vec::new(),
            free: Vec::new(),
            new: Vec::new(),
            codec: ColumnCodec::for_keys("key")?,
            max_parallelism,
        })
    }

    /// The slot of a key, which is copied if it is new.
    #[inline]
    pub fn intern(&mut self, hash: u64, key: &K) -> u32 {
        // Not the hash first: the index has compared seven bits of it, and the hash lies elsewhere than the key.
        let keys = &self.keys;
        let same = |slot: &u32| keys[*slot as usize].as_ref() == Some(key);
        match self.index.find(hash, same) {
            Some(slot) => *slot,
            None => self.insert(hash, key.clone()),
        }
    }

    /// The slot of a key that is the caller's to give.
    #[inline]
    pub fn intern_owned(&mut self, hash: u64, key: K) -> u32 {
        let keys = &self.keys;
        let same = |slot: &u32| keys[*slot as usize].as_ref() == Some(&key);
        match self.index.find(hash, same) {
            Some(slot) => *slot,
            None => self.insert(hash, key),
        }
    }

    #[cold]
    fn insert(&mut self, hash: u64, key: K) -> u32 {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.keys[slot as usize] = Some(key);
                self.hashes[slot as usize] = hash;
                slot
            }
            None => {
                self.keys.push(Some(key));
                self.hashes.push(hash);
                (self.keys.len() - 1) as u32
            }
        };
        let hashes = &self.hashes;
        self.index.insert_unique(hash, slot, |slot| hashes[*slot as usize]);
        self.new.push(slot);
        slot
    }

    /// The slots that were made since this was asked last.
    pub fn take_new(&mut self, into: &mut Vec<u32>) {
        into.append(&mut self.new);
    }

    /// Frees a slot.
    pub fn remove(&mut self, slot: u32) {
        if self.keys[slot as usize].take().is_none() {
            return;
        }
        if let Ok(entry) = self.index.find_entry(self.hashes[slot as usize], |other| *other == slot) {
            entry.remove();
        }
        self.free.push(slot);
    }

    /// The key of a slot in use.
    #[inline]
    pub fn get(&self, slot: u32) -> Option<&K> {
        self.keys.get(slot as usize).and_then(Option::as_ref)
    }

    /// The slots in use, ascending.
    pub fn live(&self) -> impl Iterator<Item = u32> + '_ {
        self.keys.iter().enumerate().filter(|(_, key)| key.is_some()).map(|(slot, _)| slot as u32)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }
}

impl<K: Key> Keys for KeyTable<K> {
    fn intern_column(&mut self, field: &Field, keys: &ArrayRef) -> Result<Vec<u32>> {
        let (then, now) = (type_text(field), self.codec.type_text());
        if then != now {
            return Err(Error::state(format!(
                "its keys were stored as {then} and are {now} now; keys cannot change, since their place depends on \
                 what they are"
            )));
        }
        let keys = self.codec.decode_stored(field, keys)?;
        keys.into_iter().map(|key| Ok(self.intern_owned(key_hash(&key)?, key))).collect()
    }

    fn encode(&self, slots: &[u32]) -> Result<(FieldRef, ArrayRef)> {
        let keys = self.codec.encode(slots.iter().filter_map(|slot| self.get(*slot)))?;
        Ok((self.codec.field().clone(), keys))
    }

    fn key_group(&self, slot: u32) -> u16 {
        KeyGroup::of_hash(self.hashes[slot as usize], self.max_parallelism).0
    }

    fn end(&self) -> u32 {
        self.keys.len() as u32
    }
}
