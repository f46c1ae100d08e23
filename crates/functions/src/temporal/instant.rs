//! Instants as numbers: reads them from arrays of any date or time type, and builds arrays of them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Date32Builder, Decimal128Array, Time32MillisecondArray, Time32MillisecondBuilder,
    TimestampMicrosecondArray, TimestampMicrosecondBuilder,
};
use flott_batch::arrow_type::{in_nanos, nanos_array, utc};
use flott_expr::value::{Value, View};
use flott_types::{Error, LogicalType, Result, TypeKind};

/// Milliseconds of a day.
pub(super) const DAY: i64 = 86_400_000;
const NANOS_OF_MILLI: i128 = 1_000_000;

/// Typed access to a DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ argument.
#[derive(Clone, Copy)]
pub(super) enum Instants<'a> {
    Date(View<'a, Date32Array>),
    Time(View<'a, Time32MillisecondArray>),
    Micros(View<'a, TimestampMicrosecondArray>),
    Nanos(View<'a, Decimal128Array>),
}

impl<'a> Instants<'a> {
    pub(super) fn of(value: &'a Value, ty: &LogicalType) -> Result<Instants<'a>> {
        Ok(match &ty.kind {
            TypeKind::Date => Instants::Date(value.view()?),
            TypeKind::Time(_) => Instants::Time(value.view()?),
            TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) => {
                if in_nanos(*precision) {
                    Instants::Nanos(value.view()?)
                } else {
                    Instants::Micros(value.view()?)
                }
            }
            other => return Err(Error::internal(format!("{other} is not a point in time"))),
        })
    }

    /// Milliseconds since the epoch (of the day for TIME), rounded down.
    #[inline]
    pub(super) fn millis(&self, row: usize) -> Option<i64> {
        Some(match self {
            Instants::Date(days) => i64::from(days.get(row)?) * DAY,
            Instants::Time(millis) => i64::from(millis.get(row)?),
            Instants::Micros(micros) => micros.get(row)?.div_euclid(1_000),
            Instants::Nanos(nanos) => nanos.get(row)?.div_euclid(NANOS_OF_MILLI) as i64,
        })
    }

    /// The nanoseconds within the millisecond.
    #[inline]
    pub(super) fn nanos_of_milli(&self, row: usize) -> Option<i64> {
        Some(match self {
            Instants::Date(_) | Instants::Time(_) => 0,
            Instants::Micros(micros) => micros.get(row)?.rem_euclid(1_000) * 1_000,
            Instants::Nanos(nanos) => nanos.get(row)?.rem_euclid(NANOS_OF_MILLI) as i64,
        })
    }

    /// Nanoseconds since the epoch.
    #[inline]
    pub(super) fn nanos(&self, row: usize) -> Option<i128> {
        Some(match self {
            Instants::Micros(micros) => i128::from(micros.get(row)?) * 1_000,
            Instants::Nanos(nanos) => nanos.get(row)?,
            Instants::Date(_) | Instants::Time(_) => i128::from(self.millis(row)?) * NANOS_OF_MILLI,
        })
    }
}

/// An array of a DATE, TIME, TIMESTAMP or TIMESTAMP_LTZ type from nanoseconds since the epoch (of the day for
/// TIME), rounded down to the type's precision.
pub(super) fn build(
    ty: &LogicalType,
    rows: usize,
    mut each: impl FnMut(usize) -> Result<Option<i128>>,
) -> Result<ArrayRef> {
    let mut next = |row: usize, unit: i128| -> Result<Option<i128>> {
        Ok(each(row)?.map(|nanos| nanos.div_euclid(unit)))
    };
    let narrow = |value: Option<i128>| -> Result<Option<i32>> {
        value.map(i32::try_from).transpose().map_err(|_| Error::data("a date is out of range"))
    };
    Ok(match &ty.kind {
        TypeKind::Date => {
            let mut builder = Date32Builder::with_capacity(rows);
            for row in 0..rows {
                builder.append_option(narrow(next(row, i128::from(DAY) * NANOS_OF_MILLI)?)?);
            }
            Arc::new(builder.finish())
        }
        TypeKind::Time(_) => {
            let mut builder = Time32MillisecondBuilder::with_capacity(rows);
            for row in 0..rows {
                builder.append_option(narrow(next(row, NANOS_OF_MILLI)?)?);
            }
            Arc::new(builder.finish())
        }
        TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) => {
            let step = 10_i128.pow(9 - u32::from((*precision).min(9)));
            if in_nanos(*precision) {
                let values = (0..rows).map(|row| Ok(next(row, step)?.map(|steps| steps * step)));
                return Ok(Arc::new(nanos_array(values.collect::<Result<Vec<_>>>()?)));
            }
            let mut builder = TimestampMicrosecondBuilder::with_capacity(rows);
            for row in 0..rows {
                let value = next(row, step)?.map(|steps| i64::try_from(steps * step / 1_000)).transpose();
                builder.append_option(value.map_err(|_| Error::data("a timestamp is out of range"))?);
            }
            let zone = matches!(ty.kind, TypeKind::TimestampLtz(_)).then(utc);
            Arc::new(builder.finish().with_timezone_opt(zone))
        }
        other => return Err(Error::internal(format!("{other} is not a point in time"))),
    })
}

/// Like [`build`], from milliseconds, for closures that cannot fail.
pub(super) fn from_millis(
    ty: &LogicalType,
    rows: usize,
    mut each: impl FnMut(usize) -> Option<i64>,
) -> Result<ArrayRef> {
    build(ty, rows, |row| Ok(each(row).map(|millis| i128::from(millis) * NANOS_OF_MILLI)))
}
