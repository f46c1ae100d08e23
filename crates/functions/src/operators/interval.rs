//! `+ - * /` on dates, times, timestamps and intervals.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{
    Date32Type, Decimal128Type, DurationMillisecondType, Float64Type, Int64Type, IntervalYearMonthType,
    Time32MillisecondType, TimestampMicrosecondType,
};
use flott_batch::arrow_type::{in_nanos, nanos_array, utc};
use flott_expr::function::Call;
use flott_expr::kernel::{as_ref, binary, try_binary, unary};
use flott_expr::time::{self, MILLIS_OF_DAY};
use flott_expr::value::Value;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::arithmetic::division_by_zero;

/// The types of the operands after casts, and of the result; `None` if there is no such operation.
pub(super) fn infer(
    operator: &str,
    left: &LogicalType,
    right: &LogicalType,
) -> Option<(Vec<LogicalType>, LogicalType)> {
    let as_is = || vec![left.clone(), right.clone()];
    let number = |ty: &LogicalType| {
        let kind = if ty.kind.is_integer() { TypeKind::BigInt } else { TypeKind::Double };
        kind.with_nullable(ty.nullable)
    };
    let (l, r) = (&left.kind, &right.kind);
    match operator {
        "+" if r.is_datetime() && l.is_interval() => Some((as_is(), right.clone())),
        "+" | "-" if l.is_interval() && l == r => Some((as_is(), left.clone())),
        "+" | "-" if l.is_datetime() && r.is_interval() => Some((as_is(), left.clone())),
        "*" if l.is_interval() && r.is_numeric() => Some((vec![left.clone(), number(right)], left.clone())),
        "*" if l.is_numeric() && r.is_interval() => Some((vec![number(left), right.clone()], right.clone())),
        _ => None,
    }
}

/// The sum (`sign` 1) or difference (`sign` -1).
pub(super) fn add(args: &[Value], call: &Call<'_>, sign: i64) -> Result<ArrayRef> {
    let swapped = call.arg_types[0].kind.is_interval() && !call.arg_types[1].kind.is_interval();
    let (left, right) = if swapped { (1, 0) } else { (0, 1) };
    let (a, b) = (&args[left], &args[right]);
    let months = call.arg_types[right].kind == TypeKind::IntervalYearMonth;
    let rows = call.rows;
    Ok(match &call.result.kind {
        TypeKind::IntervalYearMonth => {
            let sign = sign as i32;
            as_ref(binary::<IntervalYearMonthType, IntervalYearMonthType, IntervalYearMonthType>(
                a,
                b,
                rows,
                |a, b| a.wrapping_add(sign.wrapping_mul(b)),
            )?)
        }
        TypeKind::IntervalDaySecond => as_ref(binary::<
            DurationMillisecondType,
            DurationMillisecondType,
            DurationMillisecondType,
        >(a, b, rows, |a, b| {
            a.wrapping_add(sign.wrapping_mul(b))
        })?),
        TypeKind::Date if months => {
            as_ref(binary::<Date32Type, IntervalYearMonthType, Date32Type>(a, b, rows, |a, b| {
                time::add_months(a.into(), sign * i64::from(b)) as i32
            })?)
        }
        TypeKind::Date => {
            as_ref(binary::<Date32Type, DurationMillisecondType, Date32Type>(a, b, rows, |a, b| {
                (i64::from(a)).wrapping_add(sign * (b / MILLIS_OF_DAY)) as i32
            })?)
        }
        TypeKind::Time(_) if months => a.to_array(rows)?,
        TypeKind::Time(_) => as_ref(binary::<
            Time32MillisecondType,
            DurationMillisecondType,
            Time32MillisecondType,
        >(a, b, rows, |a, b| {
            (i64::from(a) + sign * (b % MILLIS_OF_DAY)).rem_euclid(MILLIS_OF_DAY) as i32
        })?),
        TypeKind::Timestamp(precision) | TypeKind::TimestampLtz(precision) => {
            let zone = matches!(call.result.kind, TypeKind::TimestampLtz(_));
            let keep = 10i64.pow(3 - u32::from(*precision).min(3));
            if in_nanos(*precision) {
                fine_timestamp(a, b, call.rows, (sign, months), keep)?
            } else {
                timestamp(a, b, call, (sign, months), keep, zone)?
            }
        }
        other => return Err(Error::internal(format!("no temporal arithmetic on {other}"))),
    })
}

/// Microseconds per millisecond.
const UNITS: i64 = 1_000;
/// Nanoseconds per millisecond.
const NANOS: i128 = 1_000_000;

/// Timestamps with more than six digits.
fn fine_timestamp(
    a: &Value,
    b: &Value,
    rows: usize,
    (sign, months): (i64, bool),
    keep: i64,
) -> Result<ArrayRef> {
    let sums = if months {
        binary::<Decimal128Type, IntervalYearMonthType, Decimal128Type>(a, b, rows, |a, b| {
            let (millis, rest) = (a.div_euclid(NANOS) as i64, a.rem_euclid(NANOS));
            let moved = time::add_months_to_instant(millis, MILLIS_OF_DAY, sign * i64::from(b));
            i128::from(moved) * NANOS + rest
        })?
    } else {
        binary::<Decimal128Type, DurationMillisecondType, Decimal128Type>(a, b, rows, |a, b| {
            a.wrapping_add(i128::from((sign * b).div_euclid(keep) * keep) * NANOS)
        })?
    };
    Ok(as_ref(sums.with_data_type(nanos_array([]).data_type().clone())))
}

/// `keep` is the smallest step, in milliseconds, that the precision can represent.
fn timestamp(
    a: &Value,
    b: &Value,
    call: &Call<'_>,
    (sign, months): (i64, bool),
    keep: i64,
    zone: bool,
) -> Result<ArrayRef> {
    type T = TimestampMicrosecondType;
    let array = if months {
        binary::<T, IntervalYearMonthType, T>(a, b, call.rows, |a, b| {
            time::add_months_to_instant(a, MILLIS_OF_DAY * UNITS, sign * i64::from(b))
        })?
    } else {
        // The interval comes first, so that a constant one is scaled only once.
        let scaled = unary::<DurationMillisecondType, Int64Type>(
            b,
            if b.is_constant() { 1 } else { call.rows },
            |b| (sign * b).div_euclid(keep).wrapping_mul(keep * UNITS),
        )?;
        let scaled =
            if b.is_constant() { Value::constant(as_ref(scaled)) } else { Value::array(as_ref(scaled)) };
        binary::<T, Int64Type, T>(a, &scaled, call.rows, |a, b| a.wrapping_add(b))?
    };
    Ok(as_ref(array.with_timezone_opt(zone.then(utc))))
}

fn scale(
    args: &[Value],
    call: &Call<'_>,
    whole: fn(i64, i64) -> Result<Option<i64>>,
    real: fn(f64, f64) -> f64,
) -> Result<ArrayRef> {
    let swapped = !call.arg_types[0].kind.is_interval();
    let (left, right) = if swapped { (1, 0) } else { (0, 1) };
    let (a, b, rows) = (&args[left], &args[right], call.rows);
    let integer = call.arg_types[right].kind == TypeKind::BigInt;
    Ok(match (&call.result.kind, integer) {
        (TypeKind::IntervalYearMonth, true) => as_ref(try_binary::<
            IntervalYearMonthType,
            Int64Type,
            IntervalYearMonthType,
        >(a, b, rows, |a, b| {
            Ok(whole(a.into(), b)?.map(|months| months as i32))
        })?),
        (TypeKind::IntervalYearMonth, false) => as_ref(binary::<
            IntervalYearMonthType,
            Float64Type,
            IntervalYearMonthType,
        >(a, b, rows, |a, b| {
            real(a.into(), b) as i32
        })?),
        (_, true) => as_ref(try_binary::<DurationMillisecondType, Int64Type, DurationMillisecondType>(
            a, b, rows, whole,
        )?),
        (_, false) => as_ref(binary::<DurationMillisecondType, Float64Type, DurationMillisecondType>(
            a,
            b,
            rows,
            |a, b| real(a as f64, b) as i64,
        )?),
    })
}

/// An interval multiplied by a number.
pub(super) fn multiply(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    scale(args, call, |a, b| Ok(Some(a.wrapping_mul(b))), |a, b| a * b)
}

/// An interval divided by a number.
pub(super) fn divide(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let whole = |a: i64, b: i64| {
        if b == 0 { Err(division_by_zero()) } else { Ok(Some(a.wrapping_div(b))) }
    };
    scale(args, call, whole, |a, b| a / b)
}

/// The negated interval.
pub(super) fn negate(arg: &Value, call: &Call<'_>) -> Result<ArrayRef> {
    let array: ArrayRef = match call.result.kind {
        TypeKind::IntervalYearMonth => {
            as_ref(unary::<IntervalYearMonthType, IntervalYearMonthType>(arg, call.rows, i32::wrapping_neg)?)
        }
        _ => as_ref(unary::<DurationMillisecondType, DurationMillisecondType>(
            arg,
            call.rows,
            i64::wrapping_neg,
        )?),
    };
    debug_assert_eq!(array.len(), call.rows);
    Ok(array)
}
