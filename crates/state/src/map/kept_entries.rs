//! Entries whose rows stay in the batches in which they came ([`KeptRows`]).
//!
//! A row is found by a hash over its values, and compared where it stands with those that have the same: neither
//! is it encoded nor copied. Per row that is new: a hash over each column of the batch, one probe, 24 bytes beside
//! what [`KeptRows`] hold.

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_batch::hash::hash_columns;
use flott_types::Result;
use hashbrown::HashTable;

use crate::NO_SLOT;
use crate::columns::{KeptRows, SlotColumns, comparable};
use crate::index::hash_pair;

#[derive(Debug)]
pub(super) struct KeptEntries {
    rows: KeptRows,
    /// The current batch, and the hash of each of its rows.
    columns: Vec<ArrayRef>,
    hashes: Vec<u64>,
    table: HashTable<Bucket>,
    /// By entry.
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// 32 bits of the hash that the table does not use, so that a row is read only when they match.
    tag: u32,
    entry: u32,
}

/// What is known of an entry beside its row.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u64,
    /// The slot of its key.
    key: u32,
}

const NONE: Entry = Entry { hash: 0, key: NO_SLOT };

fn tag(hash: u64) -> u32 {
    (hash >> 25) as u32
}

impl KeptEntries {
    /// `None` if rows of these columns are better encoded.
    pub fn new(fields: &[FieldRef]) -> Option<Self> {
        let fits = !fields.is_empty() && fields.iter().all(|field| comparable(field.data_type()));
        fits.then(|| KeptEntries {
            rows: KeptRows::new(fields.to_vec()),
            columns: Vec::new(),
            hashes: Vec::new(),
            table: HashTable::new(),
            entries: Vec::new(),
        })
    }

    /// Loads a batch.
    pub fn load(&mut self, columns: &[ArrayRef], rows: usize) -> Result<()> {
        self.rows.offer(columns, rows)?;
        columns.clone_into(&mut self.columns);
        hash_columns(columns, rows, &mut self.hashes);
        Ok(())
    }

    /// Called when all rows of the batch that are new have been inserted.
    pub fn settle(&mut self) -> Result<()> {
        self.columns.clear();
        self.rows.settle()
    }

    #[inline]
    fn hash(&self, key: u32, row: usize) -> u64 {
        hash_pair(key.into(), self.hashes[row].cast_signed())
    }

    /// The entry of a row of the batch.
    #[inline]
    pub fn find(&self, key: u32, row: usize) -> Option<u32> {
        let hash = self.hash(key, row);
        let equal = |bucket: &Bucket| {
            let of = || self.entries[bucket.entry as usize];
            let same = |of: Entry| of.hash == hash && of.key == key;
            bucket.tag == tag(hash) && same(of()) && self.rows.equals(bucket.entry, &self.columns, row)
        };
        self.table.find(hash, equal).map(|bucket| bucket.entry)
    }

    /// Adds a row of the batch, which must not be there.
    #[inline]
    pub fn insert(&mut self, key: u32, row: usize, entry: u32) {
        let hash = self.hash(key, row);
        self.rows.claim(entry, row);
        if entry as usize >= self.entries.len() {
            self.entries.resize(entry as usize + 1, NONE);
        }
        self.entries[entry as usize] = Entry { hash, key };
        let entries = &self.entries;
        let bucket = Bucket { tag: tag(hash), entry };
        self.table.insert_unique(hash, bucket, |bucket| entries[bucket.entry as usize].hash);
    }

    pub fn remove(&mut self, entry: u32) {
        let Some(Entry { hash, .. }) = self.entries.get(entry as usize) else { return };
        if let Ok(found) = self.table.find_entry(*hash, |bucket| bucket.entry == entry) {
            found.remove();
            self.rows.reset(entry);
        }
    }

    /// The slot of an entry's key.
    #[inline]
    pub fn key_of(&self, entry: u32) -> u32 {
        self.entries.get(entry as usize).map_or(NO_SLOT, |entry| entry.key)
    }

    /// The rows.
    pub fn rows(&self) -> &KeptRows {
        &self.rows
    }

    /// Frees some of the memory of rows that are gone.
    pub fn tidy(&mut self) -> Result<()> {
        self.rows.tidy()
    }

    pub fn memory(&self) -> usize {
        self.rows.memory()
            + self.table.allocation_size()
            + self.entries.capacity() * size_of::<Entry>()
            + self.hashes.capacity() * 8
    }
}
