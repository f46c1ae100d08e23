//! Slots of keys that are one integer.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, DurationMillisecondType, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalYearMonthType, Time32MillisecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::datatypes::{IntervalUnit, TimeUnit};
use flott_types::{Error, Result};
use hashbrown::HashTable;

use super::NO_SLOT;

/// From integers, and NULL, to slots that the caller chooses.
#[derive(Debug)]
pub(crate) struct IntegerIndex {
    data_type: DataType,
    table: HashTable<Entry>,
    null_slot: u32,
    keys: Vec<i64>,
    /// The batch at hand.
    batch: Vec<i64>,
    nulls: Option<NullBuffer>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: i64,
    slot: u32,
}

/// Both halves of a product with a fixed odd number: all bits of the key reach all bits of the hash.
#[inline]
fn hash(key: i64) -> u64 {
    let product = u128::from(key as u64 ^ 0x243f_6a88_85a3_08d3) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

/// Calls a macro with the arrow type behind a data type that fits in an `i64`.
macro_rules! with_integer_type {
    ($data_type:expr, $call:ident, $else:expr) => {
        match $data_type {
            DataType::Int8 => $call!(Int8Type),
            DataType::Int16 => $call!(Int16Type),
            DataType::Int32 => $call!(Int32Type),
            DataType::Int64 => $call!(Int64Type),
            DataType::Date32 => $call!(Date32Type),
            DataType::Time32(TimeUnit::Millisecond) => $call!(Time32MillisecondType),
            DataType::Timestamp(TimeUnit::Second, _) => $call!(TimestampSecondType),
            DataType::Timestamp(TimeUnit::Millisecond, _) => $call!(TimestampMillisecondType),
            DataType::Timestamp(TimeUnit::Microsecond, _) => $call!(TimestampMicrosecondType),
            DataType::Timestamp(TimeUnit::Nanosecond, _) => $call!(TimestampNanosecondType),
            DataType::Duration(TimeUnit::Millisecond) => $call!(DurationMillisecondType),
            DataType::Interval(IntervalUnit::YearMonth) => $call!(IntervalYearMonthType),
            _ => $else,
        }
    };
}

impl IntegerIndex {
    /// `None` if the type is not an integer in disguise.
    pub fn new(data_type: &DataType) -> Option<Self> {
        macro_rules! known {
            ($ty:ty) => {
                true
            };
        }
        with_integer_type!(data_type, known, false).then(|| IntegerIndex {
            data_type: data_type.clone(),
            table: HashTable::new(),
            null_slot: NO_SLOT,
            keys: Vec::new(),
            batch: Vec::new(),
            nulls: None,
        })
    }

    /// Takes a batch of keys to be found by row.
    pub fn load(&mut self, keys: &[ArrayRef], rows: usize) -> Result<()> {
        let [column] = keys else {
            return Err(Error::internal("one key column was expected"));
        };
        if *column.data_type() != self.data_type || column.len() != rows {
            return Err(Error::internal(format!(
                "a key column of {rows} rows of {} was expected, not {} of {}",
                self.data_type,
                column.len(),
                column.data_type()
            )));
        }
        macro_rules! widen {
            ($ty:ty) => {
                self.batch.extend(column.as_primitive::<$ty>().values().iter().map(|value| i64::from(*value)))
            };
        }
        self.batch.clear();
        with_integer_type!(&self.data_type, widen, ());
        self.nulls = column.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        Ok(())
    }

    #[inline]
    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// The slot of a row of the batch.
    #[inline]
    pub fn find(&self, row: usize) -> Option<u32> {
        if self.is_null(row) {
            return (self.null_slot != NO_SLOT).then_some(self.null_slot);
        }
        let key = self.batch[row];
        self.table.find(hash(key), |entry| entry.key == key).map(|entry| entry.slot)
    }

    /// Adds the key of a row that is not there.
    pub fn insert(&mut self, row: usize, slot: u32) {
        if slot as usize >= self.keys.len() {
            self.keys.resize(slot as usize + 1, 0);
        }
        if self.is_null(row) {
            self.null_slot = slot;
            return;
        }
        let key = self.batch[row];
        self.keys[slot as usize] = key;
        self.table.insert_unique(hash(key), Entry { key, slot }, |entry| hash(entry.key));
    }

    pub fn remove(&mut self, slot: u32) {
        if slot == self.null_slot {
            self.null_slot = NO_SLOT;
        } else if let Some(key) = self.keys.get(slot as usize)
            && let Ok(entry) = self.table.find_entry(hash(*key), |entry| entry.slot == slot)
        {
            entry.remove();
        }
    }

    pub fn keys_of(&self, slots: &[u32]) -> Result<ArrayRef> {
        macro_rules! narrow {
            ($ty:ty) => {
                narrow::<$ty>(&self.data_type, &self.keys, slots, self.null_slot)
            };
        }
        with_integer_type!(&self.data_type, narrow, Err(Error::internal("a key that is no integer")))
    }

    pub fn memory(&self) -> usize {
        self.table.allocation_size() + (self.keys.capacity() + self.batch.capacity()) * 8
    }
}

fn narrow<T: ArrowPrimitiveType>(
    data_type: &DataType,
    keys: &[i64],
    slots: &[u32],
    null_slot: u32,
) -> Result<ArrayRef>
where
    T::Native: TryFrom<i64>,
{
    let narrow = |slot: &u32| T::Native::try_from(keys[*slot as usize]).unwrap_or_default();
    let values: ScalarBuffer<T::Native> = slots.iter().map(narrow).collect();
    let nulls = slots
        .contains(&null_slot)
        .then(|| slots.iter().map(|slot| *slot != null_slot).collect::<NullBuffer>());
    let array =
        PrimitiveArray::<T>::try_new(values, nulls).map_err(|e| Error::internal("keys").with_source(e))?;
    Ok(Arc::new(array.with_data_type(data_type.clone())))
}
