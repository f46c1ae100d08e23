//! Slots of keys of two columns, each of integers or of numbered strings.

use std::slice::from_ref;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use flott_types::{Error, FastMap, Result};
use hashbrown::HashTable;

use super::RowIndex;
use super::integer::{IntegerColumn, hash_pair};
use super::text::TextColumn;

type Pair = (Option<i64>, Option<i64>);

/// Maps pairs of integers or strings, NULL included, to slots that the caller chooses.
#[derive(Debug)]
pub(crate) struct PairIndex {
    columns: [Column; 2],
    table: HashTable<Entry>,
    /// Keys with a NULL, and their slots.
    nulls: FastMap<Pair, u32>,
    null_slots: FastMap<u32, Pair>,
    /// By slot.
    keys: Vec<(i64, i64)>,
}

#[derive(Debug)]
enum Column {
    Integer(IntegerColumn),
    Text(Box<TextColumn>),
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
        let key = match (self.columns[0].all(), self.columns[1].all()) {
            (Some(first), Some(second)) => (first[row], second[row]),
            _ => match self.key(row) {
                (Some(first), Some(second)) => (first, second),
                key => return self.nulls.get(&key).copied(),
            },
        };
        self.table.find(hash(key), |entry| entry.key == key).map(|entry| entry.slot)
    }

    fn insert(&mut self, row: usize, slot: u32) {
        let key = self.key(row);
        self.columns[0].acquire(key.0);
        self.columns[1].acquire(key.1);
        if slot as usize >= self.keys.len() {
            self.keys.resize(slot as usize + 1, (0, 0));
        }
        match key {
            (Some(first), Some(second)) => {
                let key = (first, second);
                self.keys[slot as usize] = key;
                self.table.insert_unique(hash(key), Entry { key, slot }, |entry| hash(entry.key));
            }
            _ => {
                self.nulls.insert(key, slot);
                self.null_slots.insert(slot, key);
            }
        }
    }
}

impl PairIndex {
    /// `None` if a type is neither a string nor an integer in disguise.
    pub fn new(first: &DataType, second: &DataType) -> Option<Self> {
        Some(PairIndex {
            columns: [Column::new(first)?, Column::new(second)?],
            table: HashTable::new(),
            nulls: FastMap::default(),
            null_slots: FastMap::default(),
            keys: Vec::new(),
        })
    }

    /// Loads a batch of keys, to be found by row; with `intern` those that are not found will be inserted.
    pub fn load(&mut self, keys: &[ArrayRef], rows: usize, intern: bool) -> Result<()> {
        let [first, second] = keys else {
            return Err(Error::internal("two key columns were expected"));
        };
        self.columns[0].load(first, rows, intern)?;
        self.columns[1].load(second, rows, intern)
    }

    #[inline]
    fn key(&self, row: usize) -> Pair {
        (self.columns[0].get(row), self.columns[1].get(row))
    }

    pub fn remove(&mut self, slot: u32) {
        let key = match self.null_slots.remove(&slot) {
            Some(key) => {
                self.nulls.remove(&key);
                key
            }
            None => {
                let Some(key) = self.keys.get(slot as usize) else { return };
                match self.table.find_entry(hash(*key), |entry| entry.slot == slot) {
                    Ok(entry) => entry.remove(),
                    Err(_) => return,
                };
                (Some(key.0), Some(key.1))
            }
        };
        self.columns[0].release(key.0);
        self.columns[1].release(key.1);
    }

    /// Forgets all keys, but keeps the memory.
    pub fn clear(&mut self) {
        self.table.clear();
        self.nulls.clear();
        self.null_slots.clear();
        self.columns.iter_mut().for_each(Column::clear);
    }

    /// The size of a key's strings in bytes.
    pub fn bytes_of(&self, slot: u32) -> usize {
        let (first, second) = match self.null_slots.get(&slot) {
            Some(key) => *key,
            None => {
                let (first, second) = self.keys[slot as usize];
                (Some(first), Some(second))
            }
        };
        self.columns[0].bytes_of(first) + self.columns[1].bytes_of(second)
    }

    pub fn keys_of(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let key = |slot: &u32| match self.null_slots.get(slot) {
            Some(key) => *key,
            None => {
                let (first, second) = self.keys[*slot as usize];
                (Some(first), Some(second))
            }
        };
        Ok(vec![
            self.columns[0].column_of(slots.iter().map(|slot| key(slot).0))?,
            self.columns[1].column_of(slots.iter().map(|slot| key(slot).1))?,
        ])
    }

    pub fn memory(&self) -> usize {
        self.table.allocation_size()
            + self.keys.capacity() * size_of::<(i64, i64)>()
            + (self.nulls.capacity() + self.null_slots.capacity()) * (size_of::<Pair>() + size_of::<u32>())
            + self.columns.iter().map(Column::memory).sum::<usize>()
    }
}

impl Column {
    fn new(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Utf8 => Some(Column::Text(Box::default())),
            other => IntegerColumn::new(other).map(Column::Integer),
        }
    }

    fn load(&mut self, column: &ArrayRef, rows: usize, intern: bool) -> Result<()> {
        match self {
            Column::Integer(integers) => integers.load(from_ref(column), rows),
            Column::Text(texts) => texts.load(column, rows, intern),
        }
    }

    #[inline]
    fn get(&self, row: usize) -> Option<i64> {
        match self {
            Column::Integer(integers) => integers.get(row),
            Column::Text(texts) => texts.get(row),
        }
    }

    #[inline]
    fn all(&self) -> Option<&[i64]> {
        match self {
            Column::Integer(integers) => integers.all(),
            Column::Text(texts) => texts.all(),
        }
    }

    fn acquire(&mut self, value: Option<i64>) {
        if let (Column::Text(texts), Some(number)) = (self, value) {
            texts.acquire(number);
        }
    }

    fn release(&mut self, value: Option<i64>) {
        if let (Column::Text(texts), Some(number)) = (self, value) {
            texts.release(number);
        }
    }

    fn column_of(&self, values: impl Iterator<Item = Option<i64>>) -> Result<ArrayRef> {
        match self {
            Column::Integer(integers) => integers.column_of(values),
            Column::Text(texts) => texts.column_of(values),
        }
    }

    fn bytes_of(&self, value: Option<i64>) -> usize {
        match (self, value) {
            (Column::Text(texts), Some(number)) => texts.bytes_of(number),
            _ => 0,
        }
    }

    fn clear(&mut self) {
        if let Column::Text(texts) = self {
            texts.clear();
        }
    }

    fn memory(&self) -> usize {
        match self {
            Column::Integer(_) => 0,
            Column::Text(texts) => texts.memory(),
        }
    }
}
