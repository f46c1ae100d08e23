//! Casts among DATE, TIME, TIMESTAMP and TIMESTAMP_LTZ.

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Time32MillisecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Date32Type, Decimal128Type, Time32MillisecondType, TimestampMicrosecondType};
use flott_batch::arrow_type::{in_nanos, nanos_array, utc};
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::CastOptions;
use crate::kernel::as_ref;
use crate::time::{self, MILLIS_OF_DAY, NANOS_OF_DAY};

const NANOS_OF_SECOND: i128 = 1_000_000_000;

pub(super) fn to_datetime(
    array: &ArrayRef,
    from: &LogicalType,
    to: &LogicalType,
    options: CastOptions,
) -> Result<ArrayRef> {
    let zone = options.time_zone;
    let from_ltz = matches!(from.kind, TypeKind::TimestampLtz(_));
    let nanos = nanos_of(array, from)?;
    // The wall clock time of the value, in nanoseconds since 1970-01-01.
    let local = |nanos: i128| {
        if !from_ltz {
            return nanos;
        }
        let seconds = nanos.div_euclid(NANOS_OF_SECOND) as i64;
        nanos + i128::from(time::offset_of_instant(seconds, zone)) * NANOS_OF_SECOND
    };
    Ok(match &to.kind {
        // A TIMESTAMP is truncated to days, or to the time of day, towards 1970; a TIMESTAMP_LTZ follows the
        // calendar.
        TypeKind::Date => as_ref(
            nanos
                .map(|nanos| {
                    nanos.map(|nanos| {
                        let millis = local(nanos).div_euclid(1_000_000) as i64;
                        (if from_ltz { millis.div_euclid(MILLIS_OF_DAY) } else { millis / MILLIS_OF_DAY })
                            as i32
                    })
                })
                .collect::<Date32Array>(),
        ),
        TypeKind::Time(precision) => {
            let unit = 10i64.pow(3 - u32::from(*precision).min(3));
            as_ref(
                nanos
                    .map(|nanos| {
                        nanos.map(|nanos| {
                            let millis = local(nanos).div_euclid(1_000_000) as i64;
                            let millis = if from_ltz {
                                millis.rem_euclid(MILLIS_OF_DAY)
                            } else {
                                millis % MILLIS_OF_DAY
                            };
                            (millis / unit * unit).rem_euclid(MILLIS_OF_DAY) as i32
                        })
                    })
                    .collect::<Time32MillisecondArray>(),
            )
        }
        TypeKind::Timestamp(_) => {
            let rows = nanos.map(|nanos| Ok(nanos.map(local)));
            store(rows, array.len(), to, options)?
        }
        TypeKind::TimestampLtz(_) if from_ltz => store(nanos.map(Ok), array.len(), to, options)?,
        TypeKind::TimestampLtz(_) => local_to_timestamp(nanos.map(Ok), array.len(), to, options)?,
        other => return Err(Error::internal(format!("{other} is not a date or time"))),
    })
}

/// Nanoseconds since 1970-01-01, row by row.
fn nanos_of<'a>(
    array: &'a ArrayRef,
    from: &LogicalType,
) -> Result<Box<dyn Iterator<Item = Option<i128>> + 'a>> {
    let wrong = || Error::internal(format!("{} does not hold {}", array.data_type(), from.kind));
    Ok(match from.kind {
        TypeKind::Date => {
            let days = array.as_primitive_opt::<Date32Type>().ok_or_else(wrong)?;
            Box::new(days.iter().map(|days| days.map(|days| i128::from(days) * NANOS_OF_DAY)))
        }
        TypeKind::Time(_) => {
            let millis = array.as_primitive_opt::<Time32MillisecondType>().ok_or_else(wrong)?;
            Box::new(millis.iter().map(|millis| millis.map(|millis| i128::from(millis) * 1_000_000)))
        }
        TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) if precision <= 6 => {
            let micros = array.as_primitive_opt::<TimestampMicrosecondType>().ok_or_else(wrong)?;
            Box::new(micros.iter().map(|micros| micros.map(|micros| i128::from(micros) * 1_000)))
        }
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            let nanos = array.as_primitive_opt::<Decimal128Type>().ok_or_else(wrong)?;
            Box::new(nanos.iter())
        }
        _ => return Err(wrong()),
    })
}

/// Wall clock times, as TIMESTAMP or, interpreted in the session's zone, as TIMESTAMP_LTZ.
pub(super) fn local_to_timestamp(
    rows: impl Iterator<Item = Result<Option<i128>>>,
    len: usize,
    to: &LogicalType,
    options: CastOptions,
) -> Result<ArrayRef> {
    if matches!(to.kind, TypeKind::Timestamp(_)) {
        return store(rows, len, to, options);
    }
    let instant = |nanos: i128| {
        let seconds = nanos.div_euclid(NANOS_OF_SECOND) as i64;
        nanos - i128::from(time::offset_of_local(seconds, options.time_zone)) * NANOS_OF_SECOND
    };
    store(rows.map(|row| row.map(|nanos| nanos.map(instant))), len, to, options)
}

/// Nanoseconds since the epoch, truncated to the type's precision, in the type's unit.
fn store(
    rows: impl Iterator<Item = Result<Option<i128>>>,
    len: usize,
    to: &LogicalType,
    options: CastOptions,
) -> Result<ArrayRef> {
    let (precision, zone) = match to.kind {
        TypeKind::Timestamp(precision) => (precision, None),
        TypeKind::TimestampLtz(precision) => (precision, Some(utc())),
        _ => return Err(Error::internal(format!("{} is no timestamp", to.kind))),
    };
    if in_nanos(precision) {
        let cut = |row: Result<Option<i128>>| {
            row.map(|nanos| nanos.map(|nanos| time::truncate_nanos(nanos, precision)))
        };
        return Ok(as_ref(nanos_array(rows.map(cut).collect::<Result<Vec<_>>>()?)));
    }
    let mut values = Vec::with_capacity(len);
    for row in rows {
        let value = match row? {
            None => None,
            Some(nanos) => match i64::try_from(time::truncate_nanos(nanos, precision).div_euclid(1_000)) {
                Ok(value) => Some(value),
                Err(_) if options.is_try => None,
                Err(_) => {
                    return Err(Error::data(format!(
                        "CAST to {}: the time is further away than 290,000 years",
                        to.kind
                    )));
                }
            },
        };
        values.push(value);
    }
    Ok(as_ref(TimestampMicrosecondArray::from(values).with_timezone_opt(zone)))
}
