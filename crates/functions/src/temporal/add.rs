//! TIMESTAMPADD('unit', n, x) and TIMESTAMPDIFF('unit', from, to).

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DurationMillisecondType, Int32Type, IntervalYearMonthType};
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Function, Signature, no_signature};
use flott_expr::time;
use flott_expr::value::Value;
use flott_types::{Error, Result, TypeKind};

use super::instant::{DAY, Instants, build};
use super::unit::Unit;
use crate::build::primitives;
use crate::check::{self, illegal_null, nullable_if};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("TIMESTAMPADD", infer_add, add),
    Function::new("TIMESTAMPDIFF", infer_diff, diff),
    Function::new("$MINUS_DATE", infer_interval, interval),
];

fn unit_of(args: &[Argument<'_>], name: &str, form: &str) -> Result<Unit> {
    if args.len() != 3 {
        return Err(Error::invalid(format!(
            "Invalid number of arguments to function '{name}'. Was expecting 3 arguments"
        )));
    }
    if args.iter().any(|arg| arg.ty.kind == TypeKind::Null) {
        return Err(illegal_null(name));
    }
    Unit::parse(check::text(&args[0]).ok_or_else(|| no_signature(name, args, &[form]))?)
}

fn unit_value(args: &[Value]) -> Result<Unit> {
    let unit = args[0].view::<StringArray>()?.constant().flatten();
    Unit::parse(unit.ok_or_else(|| Error::internal("a unit of time is not a constant"))?)
}

/// Hours and shorter units turn a DATE into a TIMESTAMP; fractions of a second make a timestamp more precise.
fn infer_add(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    const FORM: &str = "TIMESTAMPADD(<ANY>, <INTEGER>, <DATETIME>)";
    let unit = unit_of(args, "TIMESTAMPADD", FORM)?;
    let (count, point) = (args[1].ty, args[2].ty);
    if !count.kind.is_integer() || !point.kind.is_datetime() || !is_added(unit) {
        return Err(no_signature("TIMESTAMPADD", args, &[FORM]));
    }
    let precision = match unit {
        Unit::Nanosecond => 9,
        Unit::Microsecond => 6,
        Unit::Millisecond => 3,
        _ => 0,
    };
    let kind = match &point.kind {
        TypeKind::Date if unit.millis().is_some_and(|millis| millis >= DAY) || unit.months().is_some() => {
            TypeKind::Date
        }
        TypeKind::Date => TypeKind::Timestamp(if precision == 0 { 6 } else { precision }),
        TypeKind::Timestamp(own) => TypeKind::Timestamp(precision.max(*own)),
        TypeKind::TimestampLtz(own) => TypeKind::TimestampLtz(precision.max(*own)),
        other => other.clone(),
    };
    let mut casts: Vec<_> = args.iter().map(|arg| arg.ty.clone()).collect();
    casts[1] = TypeKind::BigInt.with_nullable(count.nullable);
    Ok(Signature { casts, result: nullable_if(kind, &args[1..]) })
}

fn is_added(unit: Unit) -> bool {
    unit.months().is_some() || unit.millis().is_some() || matches!(unit, Unit::Microsecond | Unit::Nanosecond)
}

fn add(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let unit = unit_value(args)?;
    let count = args[1].view::<Int64Array>()?;
    let points = Instants::of(&args[2], &call.arg_types[2])?;
    let is_time = matches!(call.result.kind, TypeKind::Time(_));
    build(call.result, call.rows, |row| {
        let (Some(count), Some(millis)) = (count.get(row), points.millis(row)) else {
            return Ok(None);
        };
        let nanos = i128::from(points.nanos_of_milli(row).unwrap_or(0));
        let overflow = || Error::data(format!("TIMESTAMPADD of {count} overflows"));
        let millis = if let Some(months) = unit.months() {
            if is_time {
                millis
            } else {
                let months = count.checked_mul(months).ok_or_else(overflow)?;
                time::add_months_to_instant(millis, DAY, i64::from(months as i32))
            }
        } else {
            let added = match unit {
                Unit::Microsecond => count / 1_000,
                Unit::Nanosecond => count / 1_000_000,
                _ => count.checked_mul(unit.millis().unwrap_or(1)).ok_or_else(overflow)?,
            };
            if is_time {
                (millis + DAY + added % DAY) % DAY
            } else {
                millis.checked_add(added).ok_or_else(overflow)?
            }
        };
        Ok(Some(i128::from(millis) * 1_000_000 + nanos))
    })
}

fn infer_diff(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    const FORM: &str = "TIMESTAMPDIFF(<ANY>, <DATETIME>, <DATETIME>)";
    let unit = unit_of(args, "TIMESTAMPDIFF", FORM)?;
    let (from, to) = (args[1].ty, args[2].ty);
    if !from.kind.is_datetime() || !to.kind.is_datetime() || !is_added(unit) {
        return Err(no_signature("TIMESTAMPDIFF", args, &[FORM]));
    }
    let is_ltz = |kind: &TypeKind| matches!(kind, TypeKind::TimestampLtz(_));
    if is_ltz(&from.kind) != is_ltz(&to.kind) {
        return Err(Error::invalid("TIMESTAMP_LTZ only supports diff between the same type."));
    }
    Ok(Signature::as_is(args, nullable_if(TypeKind::Int, &args[1..])))
}

/// Whole units from the first to the second instant; like Java's int, the number wraps around.
fn diff(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let unit = unit_value(args)?;
    let from = Instants::of(&args[1], &call.arg_types[1])?;
    let to = Instants::of(&args[2], &call.arg_types[2])?;
    let months = unit.months();
    Ok(primitives::<Int32Type>(call.rows, |row| {
        let (from, to) = (from.millis(row)?, to.millis(row)?);
        let difference = to.wrapping_sub(from);
        Some(match (unit, months) {
            (_, Some(months)) => months_between(to, from) / months,
            (Unit::Microsecond, _) => difference.wrapping_mul(1_000),
            (Unit::Nanosecond, _) => difference.wrapping_mul(1_000_000),
            _ => difference / unit.millis().unwrap_or(1),
        } as i32)
    }))
}

/// `$MINUS_DATE('unit', a, b)` is `(a - b) unit`: an interval of months or of milliseconds, as the unit is.
fn infer_interval(args: &[Argument<'_>], context: &PlanContext) -> Result<Signature> {
    let difference = infer_diff(args, context)?;
    let unit = unit_of(args, "-", "'<DATETIME> - <DATETIME>'")?;
    let kind =
        if unit.months().is_some() { TypeKind::IntervalYearMonth } else { TypeKind::IntervalDaySecond };
    Ok(Signature::as_is(args, kind.with_nullable(difference.result.nullable)))
}

fn interval(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let left = Instants::of(&args[1], &call.arg_types[1])?;
    let right = Instants::of(&args[2], &call.arg_types[2])?;
    let both = |row| Some((left.millis(row)?, right.millis(row)?));
    Ok(if call.result.kind == TypeKind::IntervalYearMonth {
        primitives::<IntervalYearMonthType>(call.rows, |row| {
            both(row).map(|(left, right)| months_between(left, right) as i32)
        })
    } else {
        primitives::<DurationMillisecondType>(call.rows, |row| {
            both(row).map(|(left, right)| left.wrapping_sub(right))
        })
    })
}

/// Whole months from `from` to `to`, both in milliseconds.
fn months_between(to: i64, from: i64) -> i64 {
    let (to_day, from_day) = (to.div_euclid(DAY), from.div_euclid(DAY));
    let months = months_between_days(to_day, from_day);
    let reached = time::add_months(from_day, months);
    months - i64::from(reached == to_day && to.rem_euclid(DAY) < from.rem_euclid(DAY))
}

fn months_between_days(to: i64, from: i64) -> i64 {
    if to < from {
        return -months_between_days(from, to);
    }
    // No month is longer than 31 days: the estimate is never too high.
    let mut months = (to - from) / 31;
    while time::add_months(from, months) < to && time::add_months(from, months + 1) <= to {
        months += 1;
    }
    months
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str) -> i64 {
        (time::parse_timestamp(text).unwrap() / 1_000_000) as i64
    }

    #[test]
    fn whole_months() {
        let cases = [
            ("2019-01-31 10:00:00", "2020-03-01 09:59:59", 13),
            ("2020-01-31", "2020-02-29", 1),
            ("2020-02-29", "2020-01-31", -1),
            ("2000-01-31 12:00:00", "1969-12-31 23:59:59.999", -361),
            ("2000-01-31 12:00:00", "1970-01-01", -360),
            ("2000-01-31 12:00:00", "2024-12-30 10:00:00", 298),
            ("2020-01-15 12:00:00", "2020-02-15 11:00:00", 0),
        ];
        for (from, to, expected) in cases {
            assert_eq!(months_between(millis(to), millis(from)), expected, "{from} to {to}");
        }
    }
}
