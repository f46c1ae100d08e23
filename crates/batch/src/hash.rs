//! The key-group hash. It decides which subtask owns a key, and snapshots are laid out by it: **it is a
//! storage format and must never change**. The golden values in the tests pin it.
//!
//! # Definition
//!
//! The hash of a row is a chain over its columns, in order, starting from 0: `h = xxh3_64(bytes(value), seed
//! = h)`, and `h = xxh3_64(nothing, seed = !h)` for NULL. `bytes` are little endian and canonical, so that
//! values that are equal in SQL hash alike, and a key column can be widened without moving its keys:
//!
//! - integers, DATE, TIME, timestamps, intervals: the number sign-extended to 8 bytes (unsigned ones:
//!   zero-extended); DECIMAL: the unscaled number in 16;
//! - FLOAT and DOUBLE: as 8 bytes of a DOUBLE, with one zero and one NaN; BOOLEAN: one byte, 0 or 1;
//! - strings and binaries: their bytes;
//! - ROW: the chain goes through its fields; ARRAY: through the length (8 bytes) and then the elements;
//! - MAP, MULTISET: through the length, then through the wrapping sum of the entries' hashes, each a chain
//!   from 0 over key and value; so the order of entries does not count.
//!
//! # Cost
//!
//! One pass per column over plain slices: a handful of instructions per integer, xxh3's speed for strings, no
//! allocation (except for maps). Nested values go element by element.

mod partition;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, OffsetSizeTrait, PrimitiveArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType, Time32MillisecondType, TimeUnit,
    TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

pub use partition::partition;

/// Replaces the content of `out` by the hash of each row of the columns. Without columns every row hashes to
/// 0.
pub fn hash_columns(columns: &[ArrayRef], rows: usize, out: &mut Vec<u64>) {
    out.clear();
    out.resize(rows, 0);
    for column in columns {
        debug_assert_eq!(column.len(), rows);
        chain(column.as_ref(), out);
    }
}

/// Extends the chain of each row by one value.
fn chain(array: &dyn Array, hashes: &mut [u64]) {
    match array.data_type() {
        DataType::Int8 => chain_integers::<Int8Type>(array, hashes, i64::from),
        DataType::Int16 => chain_integers::<Int16Type>(array, hashes, i64::from),
        DataType::Int32 => chain_integers::<Int32Type>(array, hashes, i64::from),
        DataType::Int64 => chain_integers::<Int64Type>(array, hashes, |value| value),
        DataType::UInt8 => chain_integers::<UInt8Type>(array, hashes, i64::from),
        DataType::UInt16 => chain_integers::<UInt16Type>(array, hashes, i64::from),
        DataType::UInt32 => chain_integers::<UInt32Type>(array, hashes, i64::from),
        DataType::UInt64 => chain_integers::<UInt64Type>(array, hashes, u64::cast_signed),
        DataType::Date32 => chain_integers::<Date32Type>(array, hashes, i64::from),
        DataType::Time32(TimeUnit::Millisecond) => {
            chain_integers::<Time32MillisecondType>(array, hashes, i64::from)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            chain_integers::<TimestampMicrosecondType>(array, hashes, |value| value);
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            chain_integers::<IntervalYearMonthType>(array, hashes, i64::from);
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            chain_integers::<DurationMillisecondType>(array, hashes, |value| value);
        }
        DataType::Float32 => {
            chain_primitives(array.as_primitive::<Float32Type>(), hashes, |value| {
                canonical(value.into()).to_le_bytes()
            });
        }
        DataType::Float64 => {
            chain_primitives(array.as_primitive::<Float64Type>(), hashes, |value| {
                canonical(value).to_le_bytes()
            });
        }
        DataType::Decimal128(..) => {
            chain_primitives(array.as_primitive::<Decimal128Type>(), hashes, i128::to_le_bytes);
        }
        DataType::Boolean => {
            let values = array.as_boolean().values();
            each(array.nulls(), hashes, |row, seed| xxh3_64_with_seed(&[values.value(row).into()], seed));
        }
        DataType::Utf8 => {
            let strings = array.as_string::<i32>();
            chain_bytes(strings.offsets(), strings.values(), array.nulls(), hashes);
        }
        DataType::Binary => {
            let binaries = array.as_binary::<i32>();
            chain_bytes(binaries.offsets(), binaries.values(), array.nulls(), hashes);
        }
        DataType::Struct(_) => chain_rows(array, hashes),
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            let (elements, offsets) = (lists.values().as_ref(), lists.offsets());
            each(array.nulls(), hashes, |row, seed| chain_list(elements, bounds(offsets, row), seed));
        }
        DataType::Map(..) => {
            let maps = array.as_map();
            let mut entries = vec![0; maps.entries().len()];
            chain(maps.keys().as_ref(), &mut entries);
            chain(maps.values().as_ref(), &mut entries);
            let offsets = maps.offsets();
            each(array.nulls(), hashes, |row, seed| {
                let (start, end) = bounds(offsets, row);
                let sum = entries[start..end].iter().fold(0u64, |sum, entry| sum.wrapping_add(*entry));
                let seed = xxh3_64_with_seed(&((end - start) as u64).to_le_bytes(), seed);
                xxh3_64_with_seed(&sum.to_le_bytes(), seed)
            });
        }
        DataType::Null => hashes.iter_mut().for_each(|hash| *hash = null(*hash)),
        other => debug_assert!(false, "no logical type is represented as {other}"),
    }
}

#[inline]
fn null(seed: u64) -> u64 {
    xxh3_64_with_seed(&[], !seed)
}

/// One bit pattern for both zeros, and one for every NaN.
#[inline]
fn canonical(value: f64) -> f64 {
    if value.is_nan() { f64::from_bits(0x7ff8_0000_0000_0000) } else { value + 0.0 }
}

#[inline]
fn bounds(offsets: &OffsetBuffer<i32>, row: usize) -> (usize, usize) {
    (offsets[row] as usize, offsets[row + 1] as usize)
}

#[inline]
fn each(nulls: Option<&NullBuffer>, hashes: &mut [u64], mut hash: impl FnMut(usize, u64) -> u64) {
    match nulls.filter(|nulls| nulls.null_count() > 0) {
        None => hashes.iter_mut().enumerate().for_each(|(row, seed)| *seed = hash(row, *seed)),
        Some(nulls) => {
            for (row, seed) in hashes.iter_mut().enumerate() {
                *seed = if nulls.is_valid(row) { hash(row, *seed) } else { null(*seed) };
            }
        }
    }
}

fn chain_integers<T: ArrowPrimitiveType>(
    array: &dyn Array,
    hashes: &mut [u64],
    widen: impl Fn(T::Native) -> i64,
) {
    chain_primitives(array.as_primitive::<T>(), hashes, |value| widen(value).to_le_bytes());
}

fn chain_primitives<T: ArrowPrimitiveType, const N: usize>(
    array: &PrimitiveArray<T>,
    hashes: &mut [u64],
    bytes: impl Fn(T::Native) -> [u8; N],
) {
    let values = &array.values()[..hashes.len()];
    each(array.nulls(), hashes, |row, seed| xxh3_64_with_seed(&bytes(values[row]), seed));
}

fn chain_bytes<O: OffsetSizeTrait>(
    offsets: &OffsetBuffer<O>,
    values: &[u8],
    nulls: Option<&NullBuffer>,
    hashes: &mut [u64],
) {
    each(nulls, hashes, |row, seed| {
        xxh3_64_with_seed(&values[offsets[row].as_usize()..offsets[row + 1].as_usize()], seed)
    });
}

fn chain_rows(array: &dyn Array, hashes: &mut [u64]) {
    let rows = array.as_struct();
    let before = rows.nulls().map(|nulls| (nulls, hashes.to_vec()));
    rows.columns().iter().for_each(|column| chain(column.as_ref(), hashes));
    if let Some((nulls, before)) = before {
        let absent =
            before.into_iter().zip(nulls.iter()).zip(hashes.iter_mut()).filter(|((_, valid), _)| !valid);
        absent.for_each(|((seed, _), hash)| *hash = null(seed));
    }
}

fn chain_list(elements: &dyn Array, (start, end): (usize, usize), seed: u64) -> u64 {
    let mut hash = [xxh3_64_with_seed(&((end - start) as u64).to_le_bytes(), seed)];
    for element in start..end {
        chain(elements.slice(element, 1).as_ref(), &mut hash);
    }
    hash[0]
}

#[cfg(test)]
mod tests;
