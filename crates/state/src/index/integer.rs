//! Slots of keys that are one integer.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, NullBufferBuilder, PrimitiveArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    ArrowNativeType, ArrowPrimitiveType, DataType, Date32Type, DurationMillisecondType, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalYearMonthType, Time32MillisecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::datatypes::{IntervalUnit, TimeUnit};
use flott_types::{Error, Result};
use hashbrown::HashTable;

use super::{NO_SLOT, RowIndex};

/// A column that holds integers in disguise, one batch at a time.
#[derive(Debug)]
pub(crate) struct IntegerColumn {
    data_type: DataType,
    /// The current batch; arbitrary where it is NULL. 8-byte integers share the column's own buffer.
    values: ScalarBuffer<i64>,
    nulls: Option<NullBuffer>,
}

/// Maps integers and NULL to slots that the caller chooses.
#[derive(Debug)]
pub(crate) struct IntegerIndex {
    column: IntegerColumn,
    table: HashTable<Entry>,
    null_slot: u32,
    keys: Vec<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: i64,
    slot: u32,
}

/// Both halves of a product with a fixed odd number: every bit of the key affects every bit of the hash.
#[inline]
pub(crate) fn hash_integer(key: i64) -> u64 {
    let product = u128::from(key as u64 ^ 0x243f_6a88_85a3_08d3) * 0x9e37_79b9_7f4a_7c15;
    (product >> 64) as u64 ^ product as u64
}

/// Like [`hash_integer`] for two numbers, with one multiplication.
#[inline]
pub(crate) fn hash_pair(first: i64, second: i64) -> u64 {
    let first = first as u64 ^ 0x243f_6a88_85a3_08d3;
    let product = u128::from(first) * u128::from(second as u64 ^ 0x9e37_79b9_7f4a_7c15);
    (product >> 64) as u64 ^ (product as u64).wrapping_mul(0xd6e8_feb8_6659_fd93)
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

impl IntegerColumn {
    /// `None` if the type is not an integer in disguise.
    pub fn new(data_type: &DataType) -> Option<Self> {
        macro_rules! known {
            ($ty:ty) => {
                true
            };
        }
        with_integer_type!(data_type, known, false).then(|| IntegerColumn {
            data_type: data_type.clone(),
            values: ScalarBuffer::from(Vec::new()),
            nulls: None,
        })
    }

    /// Loads a batch.
    pub fn load(&mut self, columns: &[ArrayRef], rows: usize) -> Result<()> {
        let [column] = columns else {
            return Err(Error::internal("one column of state was expected"));
        };
        if *column.data_type() != self.data_type || column.len() != rows {
            return Err(Error::internal(format!(
                "a column of {rows} rows of {} was expected, not {} of {}",
                self.data_type,
                column.len(),
                column.data_type()
            )));
        }
        macro_rules! widen {
            ($ty:ty) => {
                widen(column.as_primitive::<$ty>().values())
            };
        }
        self.values = with_integer_type!(&self.data_type, widen, ScalarBuffer::from(Vec::new()));
        self.nulls = column.nulls().filter(|nulls| nulls.null_count() > 0).cloned();
        Ok(())
    }

    /// The value of a row of the batch; `None` is NULL.
    #[inline]
    pub fn get(&self, row: usize) -> Option<i64> {
        let null = self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        (!null).then(|| self.values[row])
    }

    /// A column of other values.
    pub fn column_of(&self, values: impl Iterator<Item = Option<i64>>) -> Result<ArrayRef> {
        macro_rules! narrow {
            ($ty:ty) => {
                narrow::<$ty>(&self.data_type, values)
            };
        }
        with_integer_type!(&self.data_type, narrow, Err(Error::internal("state that is no integer")))
    }

    /// The values of a batch that has no NULLs.
    #[inline]
    pub fn all(&self) -> Option<&[i64]> {
        self.nulls.is_none().then_some(&self.values)
    }
}

impl RowIndex for IntegerIndex {
    #[inline]
    fn find(&self, row: usize) -> Option<u32> {
        let Some(key) = self.column.get(row) else {
            return (self.null_slot != NO_SLOT).then_some(self.null_slot);
        };
        self.table.find(hash_integer(key), |entry| entry.key == key).map(|entry| entry.slot)
    }

    fn insert(&mut self, row: usize, slot: u32) {
        if slot as usize >= self.keys.len() {
            self.keys.resize(slot as usize + 1, 0);
        }
        let Some(key) = self.column.get(row) else {
            self.null_slot = slot;
            return;
        };
        self.keys[slot as usize] = key;
        self.table.insert_unique(hash_integer(key), Entry { key, slot }, |entry| hash_integer(entry.key));
    }
}

impl IntegerIndex {
    /// `None` if the type is not an integer in disguise.
    pub fn new(data_type: &DataType) -> Option<Self> {
        let column = IntegerColumn::new(data_type)?;
        Some(IntegerIndex { column, table: HashTable::new(), null_slot: NO_SLOT, keys: Vec::new() })
    }

    /// Loads a batch of keys, to be found by row.
    pub fn load(&mut self, keys: &[ArrayRef], rows: usize) -> Result<()> {
        self.column.load(keys, rows)
    }

    /// Forgets all keys, but keeps the memory.
    pub fn clear(&mut self) {
        self.table.clear();
        self.null_slot = NO_SLOT;
    }

    pub fn remove(&mut self, slot: u32) {
        if slot == self.null_slot {
            self.null_slot = NO_SLOT;
        } else if let Some(key) = self.keys.get(slot as usize)
            && let Ok(entry) = self.table.find_entry(hash_integer(*key), |entry| entry.slot == slot)
        {
            entry.remove();
        }
    }

    pub fn keys_of(&self, slots: &[u32]) -> Result<ArrayRef> {
        let key = |slot: &u32| (*slot != self.null_slot).then(|| self.keys[*slot as usize]);
        self.column.column_of(slots.iter().map(key))
    }

    pub fn memory(&self) -> usize {
        self.table.allocation_size() + self.keys.capacity() * 8
    }
}

fn widen<N: ArrowNativeType + Into<i64>>(values: &ScalarBuffer<N>) -> ScalarBuffer<i64> {
    match size_of::<N>() {
        8 => ScalarBuffer::from(values.inner().clone()),
        _ => values.iter().map(|value| (*value).into()).collect(),
    }
}

fn narrow<T: ArrowPrimitiveType>(
    data_type: &DataType,
    values: impl Iterator<Item = Option<i64>>,
) -> Result<ArrayRef>
where
    T::Native: TryFrom<i64>,
{
    let (least, most) = values.size_hint();
    let mut narrowed = Vec::with_capacity(most.unwrap_or(least));
    let mut nulls = NullBufferBuilder::new(most.unwrap_or(least));
    for value in values {
        nulls.append(value.is_some());
        narrowed.push(value.and_then(|value| T::Native::try_from(value).ok()).unwrap_or_default());
    }
    let array = PrimitiveArray::<T>::try_new(ScalarBuffer::from(narrowed), nulls.finish())
        .map_err(|e| Error::internal("integers of state").with_source(e))?;
    Ok(Arc::new(array.with_data_type(data_type.clone())))
}
