//! Generates columns.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::*;
use flott_batch::arrow_type::{nanos_array, to_arrow, utc};
use flott_types::{Error, Result, Timestamp, TypeKind};

use crate::field::{Field, Kind};
use crate::random::{between, fraction, mix};

/// The values to generate: the row of each value, and a random number for each.
pub(crate) struct Cells<'a> {
    /// The rows' numbers; for sequences.
    pub(crate) rows: &'a [u64],
    /// One random number per value.
    pub(crate) seeds: &'a [u64],
    /// The present.
    pub(crate) now: Timestamp,
}

/// Distinct from the salts of fields and elements.
const NULL_SALT: u64 = u64::MAX;
const LENGTH_SALT: u64 = u64::MAX - 1;
const KEY_SALT: u64 = u64::MAX - 2;

/// The column of a field.
pub(crate) fn column(field: &Field, cells: &Cells<'_>) -> Result<ArrayRef> {
    let seeds = cells.seeds;
    let nulls = (field.null_rate > 0.0).then(|| {
        NullBuffer::from_iter(seeds.iter().map(|seed| fraction(mix(*seed, NULL_SALT)) >= field.null_rate))
    });
    let array = values(field, cells, nulls.clone())?;
    // Arrays of primitives get their NULLs here, collections have them already.
    match nulls {
        Some(nulls) if array.nulls().is_none() => {
            let data = array.to_data().into_builder().nulls(Some(nulls)).build();
            Ok(make_array(data.map_err(wrong)?))
        }
        _ => Ok(array),
    }
}

fn values(field: &Field, cells: &Cells<'_>, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let seeds = cells.seeds;
    Ok(match &field.kind {
        Kind::Sequence { start } => {
            let numbers = cells.rows.iter().map(|row| start.wrapping_add(*row as i64));
            match &field.ty.kind {
                TypeKind::Char(_) | TypeKind::Varchar(_) => {
                    Arc::new(StringArray::from_iter_values(numbers.map(|number| number.to_string())))
                }
                TypeKind::Float => {
                    Arc::new(Float32Array::from_iter_values(numbers.map(|number| number as f32)))
                }
                TypeKind::Double => {
                    Arc::new(Float64Array::from_iter_values(numbers.map(|number| number as f64)))
                }
                TypeKind::Decimal(_, scale) => {
                    let unit = 10i128.pow(u32::from(*scale));
                    decimals(field, numbers.map(|number| i128::from(number) * unit))?
                }
                _ => integers(&field.ty.kind, numbers),
            }
        }
        Kind::Boolean => Arc::new(BooleanArray::from_iter(seeds.iter().map(|seed| Some(seed >> 63 == 1)))),
        Kind::Integer { min, max } => {
            integers(&field.ty.kind, seeds.iter().map(|seed| between(*seed, *min, *max)))
        }
        Kind::Approximate { min, max } => {
            let numbers = seeds.iter().map(|seed| {
                let share = fraction(*seed);
                (min * (1.0 - share) + max * share).clamp(*min, *max)
            });
            match field.ty.kind {
                TypeKind::Float => {
                    Arc::new(Float32Array::from_iter_values(numbers.map(|number| number as f32)))
                }
                _ => Arc::new(Float64Array::from_iter_values(numbers)),
            }
        }
        Kind::Decimal { min, max } => {
            let span = (max - min) as u128 + 1;
            decimals(
                field,
                seeds.iter().map(|seed| {
                    let random = u128::from(*seed) << 64 | u128::from(mix(*seed, 1));
                    min + (random % span) as i128
                }),
            )?
        }
        Kind::Bytes { length, variable } => bytes(&field.ty.kind, *length, *variable, seeds),
        Kind::Now => {
            let day = cells.now.div_euclid(86_400_000) as i32;
            let millis = cells.now.rem_euclid(86_400_000) as i32;
            match field.ty.kind {
                TypeKind::Time(precision) => {
                    let step = 10i32.pow(3 - u32::from(precision.min(3)));
                    Arc::new(Time32MillisecondArray::from_value(millis / step * step, seeds.len()))
                }
                _ => Arc::new(Date32Array::from_value(day, seeds.len())),
            }
        }
        Kind::Past { max_past } => {
            let at = seeds
                .iter()
                .map(|seed| cells.now - if *max_past > 0 { between(*seed, 0, *max_past) } else { 0 });
            timestamps(field, at)
        }
        Kind::Collection { length, key, value } => {
            collection(field, *length, key.as_deref(), value.as_deref(), cells, nulls)?
        }
        Kind::Row(fields) => {
            let DataType::Struct(types) = to_arrow(&field.ty) else {
                return Err(Error::internal("a ROW is not a struct"));
            };
            let columns = fields.iter().enumerate().map(|(index, child)| {
                let seeds: Vec<u64> = seeds.iter().map(|seed| mix(*seed, index as u64)).collect();
                column(child, &Cells { rows: cells.rows, seeds: &seeds, now: cells.now })
            });
            let columns = columns.collect::<Result<Vec<_>>>()?;
            Arc::new(StructArray::try_new_with_length(types, columns, nulls, seeds.len()).map_err(wrong)?)
        }
    })
}

fn integers(kind: &TypeKind, numbers: impl Iterator<Item = i64>) -> ArrayRef {
    match kind {
        TypeKind::TinyInt => Arc::new(Int8Array::from_iter_values(numbers.map(|number| number as i8))),
        TypeKind::SmallInt => Arc::new(Int16Array::from_iter_values(numbers.map(|number| number as i16))),
        TypeKind::Int => Arc::new(Int32Array::from_iter_values(numbers.map(|number| number as i32))),
        TypeKind::IntervalYearMonth => {
            Arc::new(IntervalYearMonthArray::from_iter_values(numbers.map(|number| number as i32)))
        }
        TypeKind::IntervalDaySecond => Arc::new(DurationMillisecondArray::from_iter_values(numbers)),
        _ => Arc::new(Int64Array::from_iter_values(numbers)),
    }
}

fn decimals(field: &Field, numbers: impl Iterator<Item = i128>) -> Result<ArrayRef> {
    let array = Decimal128Array::from_iter_values(numbers).with_data_type(to_arrow(&field.ty));
    Ok(Arc::new(array))
}

fn timestamps(field: &Field, millis: impl Iterator<Item = i64>) -> ArrayRef {
    let (precision, zone) = match field.ty.kind {
        TypeKind::TimestampLtz(precision) => (precision, Some(utc())),
        TypeKind::Timestamp(precision) => (precision, None),
        _ => (3, None),
    };
    let step = 10i64.pow(3 - u32::from(precision.min(3)));
    let millis = millis.map(|millis| millis.div_euclid(step) * step);
    if precision <= 6 {
        Arc::new(
            TimestampMicrosecondArray::from_iter_values(millis.map(|millis| millis * 1_000))
                .with_timezone_opt(zone),
        )
    } else {
        Arc::new(nanos_array(millis.map(|millis| Some(i128::from(millis) * 1_000_000))))
    }
}

/// Hexadecimal digits for text, any bytes for binaries.
fn bytes(kind: &TypeKind, length: u32, variable: bool, seeds: &[u64]) -> ArrayRef {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let text = kind.is_character();
    let mut data = Vec::with_capacity(seeds.len() * length as usize);
    let mut ends = Vec::with_capacity(seeds.len() + 1);
    ends.push(0i32);
    for seed in seeds {
        let length = if variable {
            between(mix(*seed, LENGTH_SALT), 1, length.into()) as usize
        } else {
            length as usize
        };
        let per_number = if text { 16 } else { 8 };
        for part in 0..length.div_ceil(per_number) {
            let random = mix(*seed, part as u64);
            let count = per_number.min(length - part * per_number);
            if text {
                data.extend((0..count).map(|digit| DIGITS[(random >> (4 * digit)) as usize & 15]));
            } else {
                data.extend_from_slice(&random.to_le_bytes()[..count]);
            }
        }
        ends.push(data.len() as i32);
    }
    let offsets = OffsetBuffer::new(ends.into());
    let binary = BinaryArray::new(offsets, data.into(), None);
    if text {
        let strings = StringArray::try_from_binary(binary);
        strings.map_or_else(|_| new_null_array(&DataType::Utf8, seeds.len()), |strings| Arc::new(strings))
    } else {
        Arc::new(binary)
    }
}

/// ARRAY, MAP and MULTISET. Of equal keys in one collection the first is kept.
fn collection(
    field: &Field,
    length: u32,
    key: Option<&Field>,
    value: Option<&Field>,
    cells: &Cells<'_>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let each = length as usize;
    let elements = |salt: u64| -> Vec<u64> {
        let of = |seed: &u64| {
            let seed = mix(*seed, salt);
            (0..each as u64).map(move |index| mix(seed, index))
        };
        cells.seeds.iter().flat_map(of).collect()
    };
    let rows = vec![0; cells.seeds.len() * each];
    let make = |child: &Field, salt: u64| {
        column(child, &Cells { rows: &rows, seeds: &elements(salt), now: cells.now })
    };
    match (to_arrow(&field.ty), key, value) {
        (DataType::List(item), None, Some(value)) => {
            let offsets = OffsetBuffer::from_repeated_length(each, cells.seeds.len());
            Ok(Arc::new(ListArray::try_new(item, offsets, make(value, 0)?, nulls).map_err(wrong)?))
        }
        (DataType::Map(entry, _), Some(key), value) => {
            // Keys are never NULL.
            let key = Field { null_rate: 0.0, ..key.clone() };
            let keys = make(&key, KEY_SALT)?;
            let values: ArrayRef = match value {
                Some(value) => make(value, 0)?,
                None => Arc::new(Int32Array::from_iter_values(
                    elements(0).into_iter().map(|seed| between(seed, 1, 10) as i32),
                )),
            };
            let hashes = hashes_of(&keys);
            let mut kept = Vec::with_capacity(keys.len());
            let mut lengths = Vec::with_capacity(cells.seeds.len());
            for row in 0..cells.seeds.len() {
                let range = row * each..(row + 1) * each;
                let first = kept.len();
                kept.extend(
                    range
                        .clone()
                        .filter(|at| !hashes[range.start..*at].contains(&hashes[*at]))
                        .map(|at| at as u32),
                );
                lengths.push(kept.len() - first);
            }
            let kept = UInt32Array::from(kept);
            let take = |array: &ArrayRef| arrow::compute::take(array.as_ref(), &kept, None).map_err(wrong);
            let DataType::Struct(fields) = entry.data_type() else {
                return Err(Error::internal("a MAP has no entries"));
            };
            let entries = StructArray::try_new(fields.clone(), vec![take(&keys)?, take(&values)?], None)
                .map_err(wrong)?;
            let offsets = OffsetBuffer::from_lengths(lengths);
            Ok(Arc::new(MapArray::try_new(entry, offsets, entries, nulls, false).map_err(wrong)?))
        }
        _ => Err(Error::internal("a collection without elements")),
    }
}

/// Stands for equality of keys.
fn hashes_of(keys: &ArrayRef) -> Vec<u64> {
    let mut hashes = Vec::new();
    flott_batch::hash::hash_columns(std::slice::from_ref(keys), keys.len(), &mut hashes);
    hashes
}

fn wrong(error: arrow::error::ArrowError) -> Error {
    Error::internal("columns made up").with_source(error)
}
