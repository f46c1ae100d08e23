//! Entries whose rows stay in the batches in which they came ([`KeptRows`]).
//!
//! A row is found by a hash over its values, and compared where it stands with those that have the same: neither
//! is it encoded nor copied. Per row that is new: a hash over each column of the batch, one probe of memory that was read
//! ahead, some 32 bytes beside what [`KeptRows`] hold.

use super::tag_table::TagTable;
use crate::NO_SLOT;
use crate::columns::{KeptRows, SlotColumns, comparable};
use crate::index::hash_pair;
use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_batch::hash::hash_columns;
use flott_types::Result;

#[derive(Debug)]
pub(super) struct KeptEntries {
    rows: KeptRows,
    /// The current batch, and the hash of each of its rows with its key.
    columns: Vec<ArrayRef>,
    hashes: Vec<u64>,
    table: TagTable,
    /// By entry.
    entries: Vec<Entry>,
}

/// What is known of an entry beside its row.
#[derive(Clone, Copy, Debug)]
struct Entry {
    hash: u64,
    /// The slot of its key.
    key: u32,
}

const NONE: Entry = Entry { hash: 0, key: NO_SLOT };

impl KeptEntries {
    /// `None` if rows of these columns are better encoded.
    pub fn new(fields: &[FieldRef]) -> Option<Self> {
        let fits = !fields.is_empty() && fields.iter().all(|field| comparable(field.data_type()));
        fits.then(|| KeptEntries {
            rows: KeptRows::new(fields.to_vec()),
            columns: Vec::new(),
            hashes: Vec::new(),
            table: TagTable::default(),
            entries: Vec::new(),
        })
    }

    /// Loads a batch of rows under these keys.
    pub fn load(&mut self, columns: &[ArrayRef], keys: &[u32]) -> Result<()> {
        self.rows.offer(columns, keys.len())?;
        columns.clone_into(&mut self.columns);
        hash_columns(columns, keys.len(), &mut self.hashes);
        for (hash, key) in self.hashes.iter_mut().zip(keys) {
            *hash = hash_pair((*key).into(), hash.cast_signed());
        }
        std::hint::black_box(self.table.warm(&self.hashes));
        Ok(())
    }

    /// Called when all rows of the batch that are new have been inserted.
    pub fn settle(&mut self) -> Result<()> {
        self.columns.clear();
        self.rows.settle()
    }

    /// The entry of a row of the batch.
    #[inline]
    pub fn find(&self, key: u32, row: usize) -> Option<u32> {
        let hash = self.hashes[row];
        self.table.find(hash, |entry| {
            let of = self.entries[entry as usize];
            of.hash == hash && of.key == key && self.rows.equals(entry, &self.columns, row)
        })
    }

    /// Adds a row of the batch, which must not be there.
    #[inline]
    pub fn insert(&mut self, key: u32, row: usize, entry: u32) {
        let hash = self.hashes[row];
        self.rows.claim(entry, row);
        if entry as usize >= self.entries.len() {
            self.entries.resize(entry as usize + 1, NONE);
        }
        self.entries[entry as usize] = Entry { hash, key };
        self.table.insert(hash, entry);
    }

    pub fn remove(&mut self, entry: u32) {
        let Some(Entry { hash, .. }) = self.entries.get(entry as usize) else { return };
        if self.table.remove(*hash, entry) {
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
            + self.table.memory()
            + self.entries.capacity() * size_of::<Entry>()
            + self.hashes.capacity() * 8
    }
}
