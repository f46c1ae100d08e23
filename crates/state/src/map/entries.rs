//! The entries of a map: which exist, for which key, with which row.
//!
//! A row of one integer-like column is stored as that integer with its key's slot: 16 bytes a bucket and 12
//! an entry, one cache line per probe. Other rows are stored as bytes that compare like them. A row without
//! columns is the only one of its key: nothing is hashed. Rows that nobody looks for are not hashed either. Rows that
//! are seldom found may stay where they came from ([`KeptEntries`]).

use std::cmp::Ordering;

use arrow::array::ArrayRef;
use arrow::compute::SortOptions;
use arrow::datatypes::FieldRef;
use flott_types::{Error, FastMap, Result};
use hashbrown::HashTable;

use super::kept_entries::KeptEntries;
use crate::NO_SLOT;
use crate::bits::Bits;
use crate::codec::RowCodec;
use crate::columns::SlotColumns;
use crate::index::{BytesIndex, IntegerColumn, hash_bytes, hash_pair};

/// How many bytes of an entry come before its row: the slot of its key.
const PREFIX: usize = size_of::<u32>();

/// Maps slots of keys and rows to entries that the caller chooses.
#[derive(Debug)]
pub(super) enum Entries {
    Rows(RowEntries),
    Integers(IntegerEntries),
    Single(SingleEntries),
    Kept(KeptEntries),
}

/// At most one entry for each key.
#[derive(Default, Debug)]
pub(super) struct SingleEntries {
    /// By key: its entry, or [`NO_SLOT`].
    of_key: Vec<u32>,
    /// By entry.
    keys: Vec<u32>,
}

#[derive(Debug)]
pub(super) struct RowEntries {
    codec: RowCodec,
    /// Where in the encoding each of the row's columns is.
    encoded_at: Vec<usize>,
    index: BytesIndex,
    /// Key slot and encoding of the current row.
    scratch: Vec<u8>,
    /// Whether rows are looked for.
    found: bool,
}

#[derive(Debug)]
pub(super) struct IntegerEntries {
    column: IntegerColumn,
    /// The sort order, if they are sorted.
    order: SortOptions,
    table: HashTable<Pair>,
    /// Whether rows are looked for.
    found: bool,
    /// The entries with NULL, by key.
    nulls: FastMap<u32, u32>,
    /// By entry.
    values: Vec<i64>,
    keys: Vec<u32>,
    is_null: Bits,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    value: i64,
    key: u32,
    entry: u32,
}

impl Entries {
    /// For rows of these columns, sorted by some of them or not at all. Unless rows are to be `found`, each one
    /// is new.
    pub fn new(rows: &[FieldRef], order: Option<&[(usize, SortOptions)]>, found: bool) -> Result<Self> {
        if rows.is_empty() {
            return Ok(Entries::Single(SingleEntries::default()));
        }
        if let ([field], None | Some([(0, _)])) = (rows, order)
            && let Some(column) = IntegerColumn::new(field.data_type())
        {
            return Ok(Entries::Integers(IntegerEntries {
                column,
                order: order.and_then(<[_]>::first).map(|(_, options)| *options).unwrap_or_default(),
                table: HashTable::new(),
                found,
                nulls: FastMap::default(),
                values: Vec::new(),
                keys: Vec::new(),
                is_null: Bits::default(),
            }));
        }
        let order = order.unwrap_or_default();
        let mut encoded: Vec<usize> = order.iter().map(|(column, _)| *column).collect();
        encoded.extend((0..rows.len()).filter(|column| order.iter().all(|(sorted, _)| sorted != column)));
        if encoded.len() != rows.len() || encoded.iter().any(|column| *column >= rows.len()) {
            return Err(Error::internal("rows of state are sorted by a column that they do not have"));
        }
        let fields: Vec<FieldRef> = encoded.iter().map(|column| rows[*column].clone()).collect();
        let options: Vec<SortOptions> = order.iter().map(|(_, options)| *options).collect();
        let mut encoded_at = vec![0; encoded.len()];
        encoded.iter().enumerate().for_each(|(at, column)| encoded_at[*column] = at);
        Ok(Entries::Rows(RowEntries {
            codec: RowCodec::ordered(&fields, &options)?,
            encoded_at,
            index: BytesIndex::default(),
            scratch: Vec::new(),
            found,
        }))
    }

    /// For rows of these columns that are seldom found, if they can be kept in their batches.
    pub fn kept(rows: &[FieldRef]) -> Result<Self> {
        let integer = matches!(rows, [field] if IntegerColumn::new(field.data_type()).is_some());
        match KeptEntries::new(rows).filter(|_| !integer) {
            Some(entries) => Ok(Entries::Kept(entries)),
            None => Self::new(rows, None, true),
        }
    }

    /// Loads a batch of rows under these keys.
    pub fn load(&mut self, rows: &[ArrayRef], keys: &[u32]) -> Result<()> {
        let len = keys.len();
        match self {
            Entries::Rows(entries) => {
                if rows.len() != entries.encoded_at.len() {
                    return Err(Error::internal("a row of state has other columns"));
                }
                let mut columns = rows.to_vec();
                entries.encoded_at.iter().zip(rows).for_each(|(at, column)| columns[*at] = column.clone());
                entries.codec.encode(&columns, len)
            }
            Entries::Integers(entries) => entries.column.load(rows, len),
            Entries::Single(_) => Ok(()),
            Entries::Kept(entries) => entries.load(rows, keys),
        }
    }

    /// Called when all rows of the batch that are new have been inserted.
    pub fn settle(&mut self) -> Result<()> {
        match self {
            Entries::Kept(entries) => entries.settle(),
            Entries::Rows(_) | Entries::Integers(_) | Entries::Single(_) => Ok(()),
        }
    }

    /// Frees some of the memory of rows that are gone.
    pub fn tidy(&mut self) -> Result<()> {
        match self {
            Entries::Kept(entries) => entries.tidy(),
            Entries::Rows(_) | Entries::Integers(_) | Entries::Single(_) => Ok(()),
        }
    }

    /// The entry of a row of the batch.
    #[inline]
    pub fn find(&mut self, key: u32, row: usize) -> Option<u32> {
        match self {
            Entries::Single(entries) => {
                entries.of_key.get(key as usize).copied().filter(|entry| *entry != NO_SLOT)
            }
            Entries::Rows(RowEntries { found: false, .. })
            | Entries::Integers(IntegerEntries { found: false, .. }) => None,
            Entries::Rows(entries) => {
                entries.encode_entry(key, row);
                entries.index.find(hash_bytes(&entries.scratch), &entries.scratch)
            }
            Entries::Integers(entries) => match entries.column.get(row) {
                Some(value) => {
                    let same = |pair: &Pair| pair.value == value && pair.key == key;
                    entries.table.find(hash_pair(key.into(), value), same).map(|pair| pair.entry)
                }
                None => entries.nulls.get(&key).copied(),
            },
            Entries::Kept(entries) => entries.find(key, row),
        }
    }

    /// Adds a row of the batch, which must not be there.
    pub fn insert(&mut self, key: u32, row: usize, entry: u32) {
        match self {
            Entries::Rows(entries) => {
                entries.encode_entry(key, row);
                match entries.found {
                    true => entries.index.insert(hash_bytes(&entries.scratch), &entries.scratch, entry),
                    false => entries.index.set(entry, Some(&entries.scratch)),
                }
            }
            Entries::Integers(entries) => entries.insert(key, row, entry),
            Entries::Kept(entries) => entries.insert(key, row, entry),
            Entries::Single(entries) => {
                put(&mut entries.of_key, key, entry);
                put(&mut entries.keys, entry, key);
            }
        }
    }

    pub fn remove(&mut self, entry: u32) {
        match self {
            Entries::Rows(entries) if entries.found => entries.index.remove(entry),
            Entries::Rows(entries) => entries.index.set(entry, None),
            Entries::Integers(entries) => entries.remove(entry),
            Entries::Kept(entries) => entries.remove(entry),
            Entries::Single(entries) => {
                let key = entries.keys.get(entry as usize).copied().unwrap_or(NO_SLOT);
                if let Some(known) = entries.of_key.get_mut(key as usize).filter(|known| **known == entry) {
                    *known = NO_SLOT;
                }
            }
        }
    }

    /// The slot of an entry's key.
    #[inline]
    pub fn key_of(&self, entry: u32) -> u32 {
        match self {
            Entries::Rows(entries) => {
                let bytes = entries.index.bytes(entry);
                bytes.first_chunk().map_or(NO_SLOT, |prefix| u32::from_le_bytes(*prefix))
            }
            Entries::Integers(entries) => entries.keys.get(entry as usize).copied().unwrap_or(NO_SLOT),
            Entries::Single(entries) => entries.keys.get(entry as usize).copied().unwrap_or(NO_SLOT),
            Entries::Kept(entries) => entries.key_of(entry),
        }
    }

    /// Compares two entries of a sorted map, whatever their keys.
    #[inline]
    pub fn compare(&self, left: u32, right: u32) -> Ordering {
        match self {
            Entries::Rows(entries) => {
                entries.index.bytes(left)[PREFIX..].cmp(&entries.index.bytes(right)[PREFIX..])
            }
            Entries::Integers(entries) => entries.compare(left, right),
            Entries::Single(_) | Entries::Kept(_) => Ordering::Equal,
        }
    }

    /// The encoded row of an entry, if it is encoded.
    #[inline]
    pub fn encoding(&self, entry: u32) -> Option<&[u8]> {
        match self {
            Entries::Rows(entries) => entries.index.bytes(entry).get(PREFIX..),
            Entries::Integers(_) | Entries::Single(_) | Entries::Kept(_) => None,
        }
    }

    /// The rows of entries as columns.
    pub fn rows_of(&self, wanted: &[u32]) -> Result<Vec<ArrayRef>> {
        match self {
            Entries::Rows(entries) => {
                let rows = wanted.iter().map(|entry| &entries.index.bytes(*entry)[PREFIX..]);
                let columns = entries.codec.decode(rows)?;
                Ok(entries.encoded_at.iter().map(|at| columns[*at].clone()).collect())
            }
            Entries::Integers(entries) => {
                let value =
                    |entry: &u32| (!entries.is_null.get(*entry)).then(|| entries.values[*entry as usize]);
                Ok(vec![entries.column.column_of(wanted.iter().map(value))?])
            }
            Entries::Single(_) => Ok(Vec::new()),
            Entries::Kept(entries) => entries.rows().read(wanted),
        }
    }

    /// Some columns of the rows of entries.
    pub fn columns_of(&self, wanted: &[u32], columns: &[usize]) -> Result<Vec<ArrayRef>> {
        if let Entries::Kept(entries) = self {
            return entries.rows().read_columns(wanted, columns);
        }
        let all = self.rows_of(wanted)?;
        Ok(columns.iter().filter_map(|at| all.get(*at).cloned()).collect())
    }

    /// Whether [`Entries::columns_of`] costs less than all columns.
    pub fn reads_columns(&self) -> bool {
        !matches!(self, Entries::Rows(_))
    }

    /// The size of an entry's row in bytes, not counting fixed-width columns.
    pub fn bytes_of(&self, entry: u32) -> usize {
        match self {
            Entries::Rows(entries) => entries.index.bytes(entry).len(),
            Entries::Integers(_) | Entries::Single(_) => 0,
            Entries::Kept(entries) => entries.rows().bytes_of(entry),
        }
    }

    pub fn memory(&self) -> usize {
        match self {
            Entries::Rows(entries) => entries.index.memory() + entries.codec.memory(),
            Entries::Integers(entries) => {
                entries.table.allocation_size()
                    + entries.values.capacity() * 8
                    + entries.keys.capacity() * 4
                    + entries.is_null.memory()
                    + entries.nulls.capacity() * 8
            }
            Entries::Single(entries) => (entries.of_key.capacity() + entries.keys.capacity()) * 4,
            Entries::Kept(entries) => entries.memory(),
        }
    }
}

/// Sets the number at a place, which may be new.
#[inline]
fn put(numbers: &mut Vec<u32>, at: u32, number: u32) {
    if at as usize >= numbers.len() {
        numbers.resize(at as usize + 1, NO_SLOT);
    }
    numbers[at as usize] = number;
}

impl RowEntries {
    #[inline]
    fn encode_entry(&mut self, key: u32, row: usize) {
        self.scratch.clear();
        self.scratch.extend_from_slice(&key.to_le_bytes());
        self.scratch.extend_from_slice(self.codec.row(row));
    }
}

impl IntegerEntries {
    #[inline]
    fn compare(&self, left: u32, right: u32) -> Ordering {
        if !self.nulls.is_empty() {
            let (left, right) = (self.is_null.get(left), self.is_null.get(right));
            if left || right {
                let nulls_last = left.cmp(&right);
                return if self.order.nulls_first { nulls_last.reverse() } else { nulls_last };
            }
        }
        let ascending = self.values[left as usize].cmp(&self.values[right as usize]);
        if self.order.descending { ascending.reverse() } else { ascending }
    }

    fn insert(&mut self, key: u32, row: usize, entry: u32) {
        let at = entry as usize;
        if at >= self.values.len() {
            self.values.resize(at + 1, 0);
            self.keys.resize(at + 1, NO_SLOT);
        }
        self.keys[at] = key;
        match self.column.get(row) {
            Some(value) => {
                self.values[at] = value;
                if !self.found {
                    return;
                }
                let pair = Pair { value, key, entry };
                self.table.insert_unique(hash_pair(key.into(), value), pair, |pair| {
                    hash_pair(pair.key.into(), pair.value)
                });
            }
            None => {
                self.is_null.set(entry);
                self.nulls.insert(key, entry);
            }
        }
    }

    fn remove(&mut self, entry: u32) {
        let (Some(key), Some(value)) = (self.keys.get(entry as usize), self.values.get(entry as usize))
        else {
            return;
        };
        if self.is_null.unset(entry) {
            self.nulls.remove(key);
        } else if self.found
            && let Ok(found) =
                self.table.find_entry(hash_pair((*key).into(), *value), |pair| pair.entry == entry)
        {
            found.remove();
        }
    }
}
