//! From keys to dense slots.
//!
//! [`KeyIndex`] maps each distinct key to a `u32`, dense and reused, so that everything else that an operator
//! keeps for a key is a plain array by slot. Keys are stored only here.
//!
//! # Cost
//!
//! Keys are processed a batch at a time: first all are encoded and hashed, then all are probed.
//!
//! - One integer-like column (integers, DATE, TIME, timestamps, day intervals): 16 bytes a bucket and 8 a
//!   slot. Per record a multiplication and one probe, which touches one cache line of tags and one bucket.
//! - Two columns, each of this kind or strings: 24 bytes a bucket and 16 a slot; otherwise as above. A string
//!   is numbered for as long as keys refer to it, which costs one more hash and probe unless it equals the
//!   previous row's.
//! - Any other key: one arrow-row encoding of the batch into a reused buffer, xxh3 over the bytes, a probe
//!   that compares 32 bits of the hash before it looks at the key's bytes. Per key 8 bytes a bucket, 24 a
//!   slot, and the encoded key.
//!
//! Nothing is allocated for a record whose key is known; a new key is appended to one buffer.

mod bytes;
mod integer;
mod pair;
mod text;

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_types::Result;

use crate::Slots;
use crate::codec::RowCodec;
pub(crate) use bytes::{BytesIndex, hash_bytes};
use integer::IntegerIndex;
pub(crate) use integer::{IntegerColumn, hash_pair};
use pair::PairIndex;

/// Returned by a lookup if there is no such key.
pub const NO_SLOT: u32 = u32::MAX;

/// Interns keys to dense slots. See the module's header.
#[derive(Debug)]
pub struct KeyIndex {
    keys: Keys,
    slots: Slots,
}

#[derive(Debug)]
enum Keys {
    Integer(IntegerIndex),
    Pair(PairIndex),
    Rows { codec: Box<RowCodec>, index: BytesIndex, hashes: Vec<u64> },
}

impl KeyIndex {
    /// An index of keys with these columns. With no columns there is a single key, that of a global
    /// aggregate.
    ///
    /// # Errors
    /// If a type cannot be a key.
    pub fn new(fields: &[FieldRef]) -> Result<Self> {
        let integer = match fields {
            [field] => IntegerIndex::new(field.data_type()),
            _ => None,
        };
        let pair = match fields {
            [first, second] => PairIndex::new(first.data_type(), second.data_type()),
            _ => None,
        };
        let keys = match (integer, pair) {
            (Some(index), _) => Keys::Integer(index),
            (None, Some(index)) => Keys::Pair(index),
            (None, None) => Keys::Rows {
                codec: Box::new(RowCodec::new(fields)?),
                index: BytesIndex::default(),
                hashes: Vec::new(),
            },
        };
        Ok(KeyIndex { keys, slots: Slots::default() })
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All slots are below this: the length of an array by slot.
    pub fn slots_end(&self) -> usize {
        self.slots.end()
    }

    /// Whether a slot has a key.
    #[inline]
    pub fn is_live(&self, slot: u32) -> bool {
        self.slots.is_live(slot)
    }

    /// The slots that have a key, ascending.
    pub fn live(&self) -> impl Iterator<Item = u32> + '_ {
        self.slots.live()
    }

    /// Finds or creates the slot of each row's key, replacing what is in `slots`. `on_new(slot, row)` is
    /// called for each new key, with the first row that has it.
    ///
    /// # Errors
    /// If the columns are not of the types given to [`KeyIndex::new`].
    pub fn intern(
        &mut self,
        keys: &[ArrayRef],
        rows: usize,
        slots: &mut Vec<u32>,
        mut on_new: impl FnMut(u32, usize),
    ) -> Result<()> {
        slots.clear();
        slots.reserve(rows);
        match &mut self.keys {
            Keys::Integer(index) => {
                index.load(keys, rows)?;
                intern_rows(index, &mut self.slots, rows, slots, on_new)
            }
            Keys::Pair(index) => {
                index.load(keys, rows, true)?;
                intern_rows(index, &mut self.slots, rows, slots, on_new)
            }
            Keys::Rows { codec, index, hashes } => {
                load(codec, hashes, keys, rows)?;
                for (row, hash) in hashes.iter().enumerate() {
                    let bytes = codec.row(row);
                    slots.push(match index.find(*hash, bytes) {
                        Some(slot) => slot,
                        None => {
                            let slot = self.slots.take()?;
                            index.insert(*hash, bytes, slot);
                            on_new(slot, row);
                            slot
                        }
                    });
                }
                Ok(())
            }
        }
    }

    /// Finds the slot of each row's key, or [`NO_SLOT`], replacing what is in `slots`.
    ///
    /// # Errors
    /// If the columns are not of the types given to [`KeyIndex::new`].
    pub fn lookup(&mut self, keys: &[ArrayRef], rows: usize, slots: &mut Vec<u32>) -> Result<()> {
        slots.clear();
        match &mut self.keys {
            Keys::Integer(index) => {
                index.load(keys, rows)?;
                slots.extend((0..rows).map(|row| index.find(row).unwrap_or(NO_SLOT)));
            }
            Keys::Pair(index) => {
                index.load(keys, rows, false)?;
                slots.extend((0..rows).map(|row| index.find(row).unwrap_or(NO_SLOT)));
            }
            Keys::Rows { codec, index, hashes } => {
                load(codec, hashes, keys, rows)?;
                let find = |(row, hash): (usize, &u64)| index.find(*hash, codec.row(row)).unwrap_or(NO_SLOT);
                slots.extend(hashes.iter().enumerate().map(find));
            }
        }
        Ok(())
    }

    /// Forgets the key of a slot and frees the slot. Does nothing if it has none.
    pub fn remove(&mut self, slot: u32) {
        if self.slots.release(slot) {
            match &mut self.keys {
                Keys::Integer(index) => index.remove(slot),
                Keys::Pair(index) => index.remove(slot),
                Keys::Rows { index, .. } => index.remove(slot),
            }
        }
    }

    /// Forgets all keys, but keeps the memory.
    pub fn clear(&mut self) {
        self.slots = Slots::default();
        match &mut self.keys {
            Keys::Integer(index) => index.clear(),
            Keys::Pair(index) => index.clear(),
            Keys::Rows { index, .. } => index.clear(),
        }
    }

    /// The keys of slots as columns.
    ///
    /// # Errors
    /// Only if memory is exhausted or the index is damaged.
    pub fn keys_of(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        match &self.keys {
            Keys::Integer(index) => Ok(vec![index.keys_of(slots)?]),
            Keys::Pair(index) => index.keys_of(slots),
            Keys::Rows { codec, index, .. } => codec.decode(slots.iter().map(|slot| index.bytes(*slot))),
        }
    }

    /// The size of a slot's key in bytes, not counting fixed-width columns.
    pub(crate) fn bytes_of(&self, slot: u32) -> usize {
        match &self.keys {
            Keys::Integer(_) => 0,
            Keys::Pair(index) => index.bytes_of(slot),
            Keys::Rows { index, .. } => index.bytes(slot).len(),
        }
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        let keys = match &self.keys {
            Keys::Integer(index) => index.memory(),
            Keys::Pair(index) => index.memory(),
            Keys::Rows { codec, index, hashes } => codec.memory() + index.memory() + hashes.capacity() * 8,
        };
        keys + self.slots.memory()
    }
}

/// An index of the keys of the current batch, by row.
trait RowIndex {
    /// The slot of a row's key.
    fn find(&self, row: usize) -> Option<u32>;

    /// Adds the key of a row, which must not be there.
    fn insert(&mut self, row: usize, slot: u32);
}

fn intern_rows(
    index: &mut impl RowIndex,
    taken: &mut Slots,
    rows: usize,
    slots: &mut Vec<u32>,
    mut on_new: impl FnMut(u32, usize),
) -> Result<()> {
    for row in 0..rows {
        slots.push(match index.find(row) {
            Some(slot) => slot,
            None => {
                let slot = taken.take()?;
                index.insert(row, slot);
                on_new(slot, row);
                slot
            }
        });
    }
    Ok(())
}

fn load(codec: &mut RowCodec, hashes: &mut Vec<u64>, keys: &[ArrayRef], rows: usize) -> Result<()> {
    codec.encode(keys, rows)?;
    hashes.clear();
    hashes.extend((0..rows).map(|row| hash_bytes(codec.row(row))));
    Ok(())
}
