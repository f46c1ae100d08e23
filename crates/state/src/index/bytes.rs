//! Slots of keys that are byte strings.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::slot_bytes::SlotBytes;

/// The hash of a key within this process. Not stored anywhere.
#[inline]
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// Maps byte strings to slots that the caller chooses.
#[derive(Default, Debug)]
pub(crate) struct BytesIndex {
    table: HashTable<Entry>,
    bytes: SlotBytes,
    /// By slot: to grow the table without reading keys, and to remove.
    hashes: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// 32 bits of the hash that the table does not use, so that a key's bytes are read only when they match.
    tag: u32,
    slot: u32,
}

fn tag(hash: u64) -> u32 {
    (hash >> 25) as u32
}

impl BytesIndex {
    #[inline]
    pub fn find(&self, hash: u64, bytes: &[u8]) -> Option<u32> {
        let equal = |entry: &Entry| entry.tag == tag(hash) && self.bytes.bytes(entry.slot) == bytes;
        self.table.find(hash, equal).map(|entry| entry.slot)
    }

    /// Adds a key that is not there.
    pub fn insert(&mut self, hash: u64, bytes: &[u8], slot: u32) {
        if slot as usize >= self.hashes.len() {
            self.hashes.resize(slot as usize + 1, 0);
        }
        self.hashes[slot as usize] = hash;
        self.bytes.set(slot, bytes);
        let hashes = &self.hashes;
        self.table.insert_unique(hash, Entry { tag: tag(hash), slot }, |entry| hashes[entry.slot as usize]);
    }

    pub fn remove(&mut self, slot: u32) {
        let hash = self.hashes.get(slot as usize).copied().unwrap_or_default();
        if let Ok(entry) = self.table.find_entry(hash, |entry| entry.slot == slot) {
            entry.remove();
            self.bytes.unset(slot);
        }
    }

    /// Forgets all keys, but keeps the memory.
    pub fn clear(&mut self) {
        self.table.clear();
        self.bytes.clear();
    }

    /// Sets the bytes of a slot that nobody looks for.
    pub fn set(&mut self, slot: u32, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.bytes.set(slot, bytes),
            None => self.bytes.unset(slot),
        }
    }

    #[inline]
    pub fn bytes(&self, slot: u32) -> &[u8] {
        self.bytes.bytes(slot)
    }

    pub fn memory(&self) -> usize {
        self.table.allocation_size() + self.bytes.memory() + self.hashes.capacity() * 8
    }
}
