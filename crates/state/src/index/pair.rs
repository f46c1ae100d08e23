//! Slots of keys that are two integers.

use std::slice::from_ref;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use flott_types::{Error, FastMap, Result};
use hashbrown::HashTable;

use super::RowIndex;
use super::integer::{IntegerColumn, hash_pair};

type Pair = (Option<i64>, Option<i64>);

/// From pairs of integers, or NULL, to slots that the caller chooses.
#[derive(Debug)]
pub(crate) struct PairIndex {
    columns: [IntegerColumn; 2],
    table: HashTable<Entry>,
    /// Keys with a NULL.
    nulls: FastMap<Pair, u32>,
    keys: Vec<Pair>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: (i64, i64),
    slot: u32,
}

#[inline]
fn hash(key: (i64, i64)) -> u64 {
    hash_pair(key.0, key.1)
}

impl RowIndex for PairIndex {
    #[inline]
    fn find(&self, row: usize) -> Option<u32> {
        match self.key(row) {
            (Some(first), Some(second)) => {
                let key = (first, second);
                self.table.find(hash(key), |entry| entry.key == key).map(|entry| entry.slot)
            }
            key => self.nulls.get(&key).copied(),
        }
    }

    fn insert(&mut self, row: usize, slot: u32) {
        let key = self.key(row);
        if slot as usize >= self.keys.len() {
            self.keys.resize(slot as usize + 1, (None, None));
        }
        self.keys[slot as usize] = key;
        match key {
            (Some(first), Some(second)) => {
                let key = (first, second);
                self.table.insert_unique(hash(key), Entry { key, slot }, |entry| hash(entry.key));
            }
            _ => _ = self.nulls.insert(key, slot),
        }
    }
}

impl PairIndex {
    /// `None` if a type is not an integer in disguise.
    pub fn new(first: &DataType, second: &DataType) -> Option<Self> {
        Some(PairIndex {
            columns: [IntegerColumn::new(first)?, IntegerColumn::new(second)?],
            table: HashTable::new(),
            nulls: FastMap::default(),
            keys: Vec::new(),
        })
    }

    /// Takes a batch of keys to be found by row.
    pub fn load(&mut self, keys: &[ArrayRef], rows: usize) -> Result<()> {
        let [first, second] = keys else {
            return Err(Error::internal("two key columns were expected"));
        };
        self.columns[0].load(from_ref(first), rows)?;
        self.columns[1].load(from_ref(second), rows)
    }

    #[inline]
    fn key(&self, row: usize) -> Pair {
        (self.columns[0].get(row), self.columns[1].get(row))
    }

    pub fn remove(&mut self, slot: u32) {
        match self.keys.get(slot as usize) {
            Some((Some(first), Some(second))) => {
                let found = self.table.find_entry(hash((*first, *second)), |entry| entry.slot == slot);
                if let Ok(entry) = found {
                    entry.remove();
                }
            }
            Some(key) => _ = self.nulls.remove(key),
            None => (),
        }
    }

    /// Forgets all keys, but keeps the memory.
    pub fn clear(&mut self) {
        self.table.clear();
        self.nulls.clear();
    }

    pub fn keys_of(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let key = |slot: &u32| self.keys[*slot as usize];
        Ok(vec![
            self.columns[0].column_of(slots.iter().map(|slot| key(slot).0))?,
            self.columns[1].column_of(slots.iter().map(|slot| key(slot).1))?,
        ])
    }

    pub fn memory(&self) -> usize {
        self.table.allocation_size()
            + (self.keys.capacity() + self.nulls.capacity()) * size_of::<Pair>()
            + self.columns.iter().map(IntegerColumn::memory).sum::<usize>()
    }
}
