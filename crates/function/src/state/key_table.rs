//! The keys of an operator, each with a slot.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::FieldRef;
use flott_state::{Index, SlotIndex, Slots, Stored};
use flott_types::{Error, KeyGroup, Result};
use hashbrown::HashTable;

use super::{Key, estimated};
use flott_values::{ColumnCodec, key_hash, type_text};

/// An index of keys by their hash.
pub struct KeyTable<K> {
    index: HashTable<u32>,
    keys: Vec<Option<K>>,
    hashes: Vec<u64>,
    slots: Slots,
    /// Slots created since the last [`KeyTable::take_new`].
    new: Vec<u32>,
    codec: ColumnCodec<K>,
    max_parallelism: u32,
}

impl<K: Key> KeyTable<K> {
    /// An empty table.
    ///
    /// # Errors
    /// If the type cannot be a key type.
    pub fn new(max_parallelism: u32) -> Result<Self> {
        Ok(KeyTable {
            index: HashTable::new(),
            keys: Vec::new(),
            hashes: Vec::new(),
            slots: Slots::default(),
            new: Vec::new(),
            codec: ColumnCodec::for_keys("key")?,
            max_parallelism,
        })
    }

    /// The slot of a key, which is copied if it is new.
    #[inline]
    pub fn intern(&mut self, hash: u64, key: &K) -> Result<u32> {
        // Not the hash first: the index has compared seven bits of it already, and the hash is on another
        // cache line than the key.
        let keys = &self.keys;
        let same = |slot: &u32| keys[*slot as usize].as_ref() == Some(key);
        match self.index.find(hash, same) {
            Some(slot) => Ok(*slot),
            None => self.insert(hash, key.clone()),
        }
    }

    /// The slot of a key, which the caller gives up if it is new.
    #[inline]
    pub fn intern_owned(&mut self, hash: u64, key: K) -> Result<u32> {
        let keys = &self.keys;
        let same = |slot: &u32| keys[*slot as usize].as_ref() == Some(&key);
        match self.index.find(hash, same) {
            Some(slot) => Ok(*slot),
            None => self.insert(hash, key),
        }
    }

    #[cold]
    fn insert(&mut self, hash: u64, key: K) -> Result<u32> {
        let slot = self.slots.take()?;
        if slot as usize == self.keys.len() {
            self.keys.push(Some(key));
            self.hashes.push(hash);
        } else {
            self.keys[slot as usize] = Some(key);
            self.hashes[slot as usize] = hash;
        }
        let hashes = &self.hashes;
        self.index.insert_unique(hash, slot, |slot| hashes[*slot as usize]);
        self.new.push(slot);
        Ok(slot)
    }

    /// The slots created since the last call.
    pub fn take_new(&mut self, into: &mut Vec<u32>) {
        into.append(&mut self.new);
    }

    /// For an operator whose keys are never free.
    pub fn forget_new(&mut self) {
        self.new.clear();
    }

    /// The slots created since the last call of [`KeyTable::take_new`].
    pub fn new_slots(&self) -> &[u32] {
        &self.new
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        let keys = self.keys.capacity() * size_of::<Option<K>>() + estimated(&self.keys, Option::as_ref);
        keys + self.index.allocation_size() + self.hashes.capacity() * 8 + self.slots.memory()
    }

    /// Frees a slot.
    pub fn remove(&mut self, slot: u32) {
        if self.keys[slot as usize].take().is_none() {
            return;
        }
        if let Ok(entry) = self.index.find_entry(self.hashes[slot as usize], |other| *other == slot) {
            entry.remove();
        }
        self.slots.release(slot);
    }

    /// The key of a slot in use.
    #[inline]
    pub fn get(&self, slot: u32) -> Option<&K> {
        self.keys.get(slot as usize).and_then(Option::as_ref)
    }

    /// The slots in use, ascending.
    pub fn live(&self) -> impl Iterator<Item = u32> + '_ {
        self.slots.live()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// An upper bound of all slots.
    pub fn end(&self) -> u32 {
        self.keys.len() as u32
    }

    /// The key group of a slot.
    pub fn key_group(&self, slot: u32) -> u16 {
        KeyGroup::of_hash(self.hashes[slot as usize], self.max_parallelism).0
    }
}

impl<K: Key> Index for KeyTable<K> {
    fn fields(&self) -> Vec<FieldRef> {
        vec![self.codec.field().clone()]
    }

    fn slots_end(&self) -> usize {
        self.keys.len()
    }

    fn partition_columns(&self) -> usize {
        1
    }

    fn columns(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.codec.encode(slots.iter().filter_map(|slot| self.get(*slot)))?])
    }

    fn key_groups(&self, slots: &[u32], _: &[ArrayRef]) -> Vec<u16> {
        slots.iter().map(|slot| self.key_group(*slot)).collect()
    }

    fn restore(&mut self, rows: &RecordBatch) -> Result<Vec<u32>> {
        let stored = Stored::of(rows, self.codec.field())?;
        let (then, now) = (type_text(&stored.field), self.codec.type_text());
        if then != now {
            return Err(Error::state(format!(
                "its keys were stored as {then} and are {now} now; keys cannot change, since their place depends on \
                 what they are"
            )));
        }
        let keys = self.codec.decode_stored(&stored.field, &stored.column)?;
        keys.into_iter().map(|key| self.intern_owned(key_hash(&key)?, key)).collect()
    }
}

impl<K: Key> SlotIndex for KeyTable<K> {
    fn keys_in_use(&self) -> usize {
        self.len()
    }

    fn is_in_use(&self, slot: u32) -> bool {
        self.get(slot).is_some()
    }

    fn take_back(&mut self, keys: &[ArrayRef], _: usize, new: &mut Vec<u32>) -> Result<Vec<u32>> {
        let [keys] = keys else { return Err(Error::internal("one column of keys was expected")) };
        let known = self.new.len();
        let keys = self.codec.decode(keys)?.into_iter();
        let slots = keys.map(|key| self.intern_owned(key_hash(&key)?, key)).collect();
        new.extend(self.new.drain(known..));
        slots
    }

    fn release(&mut self, slot: u32) {
        self.remove(slot);
    }
}
