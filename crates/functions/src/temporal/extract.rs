//! EXTRACT('unit', x), YEAR, QUARTER, MONTH, WEEK, DAYOFYEAR, DAYOFMONTH, DAYOFWEEK, HOUR, MINUTE, SECOND.
//!
//! Fields of a timestamp are computed from its milliseconds by truncating division, as in Flink: before 1970
//! the day may be the next one and hours are negative.

use arrow::array::{ArrayRef, DurationMillisecondArray, IntervalYearMonthArray, StringArray};
use arrow::datatypes::Int64Type;
use flott_batch::text::{civil_from_days, days_from_civil};
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Function, Signature, no_signature};
use flott_expr::time;
use flott_expr::value::Value;
use flott_types::{Error, Result, TypeKind};

use super::instant::{DAY, Instants};
use super::unit::Unit;
use crate::build::{primitives, try_primitives};
use crate::check::{self, illegal_null, nullable_if};

macro_rules! field {
    ($name:literal, $unit:expr) => {
        Function::new(
            $name,
            |args, _| infer_field($name, args),
            |args, call| extract(&args[0], 0, call, $unit),
        )
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("EXTRACT", infer, |args, call| {
        let unit = args[0].view::<StringArray>()?.constant().flatten();
        let unit = unit.ok_or_else(|| Error::internal("the unit of EXTRACT is not a constant"))?;
        extract(&args[1], 1, call, Unit::parse(unit)?)
    }),
    field!("YEAR", Unit::Year),
    field!("QUARTER", Unit::Quarter),
    field!("MONTH", Unit::Month),
    field!("WEEK", Unit::Week),
    field!("DAYOFYEAR", Unit::DayOfYear),
    field!("DAYOFMONTH", Unit::Day),
    field!("DAYOFWEEK", Unit::DayOfWeek),
    field!("HOUR", Unit::Hour),
    field!("MINUTE", Unit::Minute),
    field!("SECOND", Unit::Second),
];

fn infer(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    let [unit, from] = args else {
        return Err(no_signature("EXTRACT", args, &FORMS));
    };
    let unit = Unit::parse(check::text(unit).ok_or_else(|| no_signature("EXTRACT", args, &FORMS))?)?;
    check_field(unit, "EXTRACT", from, args)?;
    Ok(Signature::as_is(args, nullable_if(TypeKind::BigInt, args)))
}

const FORMS: [&str; 2] =
    ["EXTRACT(<DATETIME_INTERVAL> FROM <DATETIME_INTERVAL>)", "EXTRACT(<DATETIME_INTERVAL> FROM <DATETIME>)"];

fn infer_field(name: &str, args: &[Argument<'_>]) -> Result<Signature> {
    let [from] = args else {
        return Err(Error::invalid(format!(
            "Invalid number of arguments to function '{name}'. Was expecting 1 arguments"
        )));
    };
    if from.ty.kind == TypeKind::Null {
        return Err(illegal_null(name));
    }
    if !from.ty.kind.is_datetime() && !from.ty.kind.is_interval() {
        return Err(no_signature(name, args, &[&format!("{name}(<DATETIME>)")]));
    }
    Ok(Signature::as_is(args, nullable_if(TypeKind::BigInt, args)))
}

fn check_field(unit: Unit, name: &str, from: &Argument<'_>, args: &[Argument<'_>]) -> Result<()> {
    let fits = match from.ty.kind {
        TypeKind::Null => return Err(illegal_null(name)),
        TypeKind::Time(_) if unit == Unit::Epoch => {
            return Err(Error::invalid("unit EPOCH can not be applied to time variable"));
        }
        TypeKind::Time(_) | TypeKind::Date if matches!(unit, Unit::Microsecond | Unit::Nanosecond) => false,
        TypeKind::Time(_) => !is_of_date(unit),
        TypeKind::IntervalYearMonth => unit.months().is_some(),
        TypeKind::IntervalDaySecond => !is_of_date(unit) || unit == Unit::Day,
        _ => from.ty.kind.is_datetime(),
    };
    if fits { Ok(()) } else { Err(no_signature(name, args, &FORMS)) }
}

fn is_of_date(unit: Unit) -> bool {
    !matches!(
        unit,
        Unit::Hour
            | Unit::Minute
            | Unit::Second
            | Unit::Millisecond
            | Unit::Microsecond
            | Unit::Nanosecond
            | Unit::Epoch
    )
}

fn extract(value: &Value, position: usize, call: &Call<'_>, unit: Unit) -> Result<ArrayRef> {
    let ty = &call.arg_types[position];
    match ty.kind {
        TypeKind::IntervalYearMonth => {
            let months = value.view::<IntervalYearMonthArray>()?;
            return Ok(primitives::<Int64Type>(call.rows, |row| {
                let months = i64::from(months.get(row)?);
                Some(match unit {
                    Unit::Month => months % 12,
                    Unit::Quarter => months % 12 / 3 + 1,
                    _ => months / unit.months().unwrap_or(12),
                })
            }));
        }
        TypeKind::IntervalDaySecond => {
            let millis = value.view::<DurationMillisecondArray>()?;
            return Ok(primitives::<Int64Type>(call.rows, |row| {
                let millis = millis.get(row)?;
                Some(if unit == Unit::Day { millis / DAY } else { field_of_day(millis, 0, unit) })
            }));
        }
        _ => {}
    }
    let instants = Instants::of(value, ty)?;
    let zone = call.context.time_zone();
    let local = matches!(ty.kind, TypeKind::TimestampLtz(_));
    try_primitives::<Int64Type>(call.rows, |row| {
        let Some(mut millis) = instants.millis(row) else {
            return Ok(None);
        };
        if local {
            millis += time::offset_of_instant(millis.div_euclid(1_000), zone) * 1_000;
        }
        if is_of_date(unit) {
            return Ok(Some(field_of_date(millis / DAY, unit)));
        }
        let nanos = instants.nanos_of_milli(row).unwrap_or(0);
        Ok(Some(field_of_day(millis, nanos, unit)))
    })
}

/// A field of the time of day, with the sign of the milliseconds.
fn field_of_day(millis: i64, nanos_of_milli: i64, unit: Unit) -> i64 {
    match unit {
        Unit::Hour => millis % DAY / 3_600_000,
        Unit::Minute => millis % 3_600_000 / 60_000,
        Unit::Second => millis % 60_000 / 1_000,
        Unit::Millisecond => millis % 1_000,
        Unit::Microsecond => millis % 1_000 * 1_000 + nanos_of_milli / 1_000,
        Unit::Nanosecond => millis % 1_000 * 1_000_000 + nanos_of_milli,
        _ => millis / 1_000,
    }
}

/// A field of a date, given in days since 1970-01-01.
fn field_of_date(days: i64, unit: Unit) -> i64 {
    let (year, month, day) = civil_from_days(days);
    // 1970-01-01 was a Thursday.
    let monday_based = (days + 3).rem_euclid(7);
    let rounded_up = |unit: i64| {
        if year > 0 { (year + unit - 1) / unit } else { (year - unit + 1) / unit }
    };
    match unit {
        Unit::Millennium => rounded_up(1_000),
        Unit::Century => rounded_up(100),
        Unit::Decade => year / 10,
        Unit::Year => year,
        Unit::IsoYear => iso_week(days).0,
        Unit::Quarter => i64::from(month + 2) / 3,
        Unit::Month => month.into(),
        Unit::Week => iso_week(days).1,
        Unit::DayOfYear => days - days_from_civil(year, 1, 1) + 1,
        Unit::DayOfWeek => (days + 4).rem_euclid(7) + 1,
        Unit::IsoDayOfWeek => monday_based + 1,
        _ => day.into(),
    }
}

/// Year and number of the ISO 8601 week: the year is that of its Thursday.
fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - (days + 3).rem_euclid(7) + 3;
    let (year, _, _) = civil_from_days(thursday);
    (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_weeks() {
        let cases = [
            ((1994, 9, 27), (1994, 39)),
            ((2020, 12, 31), (2020, 53)),
            ((2021, 1, 1), (2020, 53)),
            ((2024, 12, 30), (2025, 1)),
            ((1970, 1, 1), (1970, 1)),
        ];
        for ((year, month, day), week) in cases {
            assert_eq!(iso_week(days_from_civil(year, month, day)), week, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn fields_before_1970_keep_their_sign() {
        // 0001-01-01 00:00:01.1
        let millis = -62_135_596_798_900;
        assert_eq!(field_of_day(millis, 0, Unit::Hour), -23);
        assert_eq!(field_of_day(millis, 0, Unit::Second), -58);
        assert_eq!(field_of_day(millis, 0, Unit::Millisecond), -900);
        assert_eq!(field_of_date(millis / DAY, Unit::Day), 2);
    }

    #[test]
    fn wide_fields() {
        let days = days_from_civil(2020, 8, 15);
        assert_eq!(field_of_date(days, Unit::Century), 21);
        assert_eq!(field_of_date(days, Unit::Millennium), 3);
        assert_eq!(field_of_date(days, Unit::Decade), 202);
        assert_eq!(field_of_date(days, Unit::DayOfYear), 228);
    }
}
