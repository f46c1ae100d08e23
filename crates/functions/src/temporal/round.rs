//! FLOOR(x, 'unit') and CEIL(x, 'unit'): the start of the unit that contains an instant, and that of the next
//! one.
//!
//! The functions FLOOR and CEIL themselves belong to arithmetic, which passes calls with a unit to [`round`].

use arrow::array::{ArrayRef, StringArray};
use flott_batch::text::{civil_from_days, days_from_civil};
use flott_expr::function::{Argument, Call, Signature, no_signature};
use flott_expr::time;
use flott_expr::value::Value;
use flott_types::{Error, Result, TypeKind};

use super::instant::{DAY, Instants, from_millis};
use super::unit::Unit;
use crate::check;

/// FLOOR or CEIL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// FLOOR
    Down,
    /// CEIL
    Up,
}

/// Types a call with a unit: the result has the type of the instant.
pub(crate) fn infer_round(name: &str, args: &[Argument<'_>]) -> Result<Signature> {
    let form = format!("{name}(<DATETIME> TO <TIME UNIT>)");
    match args {
        [point, unit] if point.ty.kind.is_datetime() => {
            let unit = check::text(unit).ok_or_else(|| no_signature(name, args, &[&form]))?;
            Unit::parse(unit)?;
            Ok(Signature::as_is(args, point.ty.clone()))
        }
        _ => Err(no_signature(name, args, &[&form])),
    }
}

/// Computes a call with a unit.
pub(crate) fn round(args: &[Value], call: &Call<'_>, direction: Direction) -> Result<ArrayRef> {
    let unit = args[1].view::<StringArray>()?.constant().flatten();
    let unit = Unit::parse(unit.ok_or_else(|| Error::internal("the unit of FLOOR is not a constant"))?)?;
    let ty = &call.arg_types[0];
    let points = Instants::of(&args[0], ty)?;
    let zone = call.context.time_zone();
    match ty.kind {
        TypeKind::Date => from_millis(call.result, call.rows, |row| {
            let days = points.millis(row)?.div_euclid(DAY);
            Some(if is_of_days(unit) { round_days(days, unit, direction) * DAY } else { days * DAY })
        }),
        TypeKind::Time(_) => from_millis(call.result, call.rows, |row| {
            let millis = points.millis(row)?;
            Some(if is_of_days(unit) || unit == Unit::Day {
                millis
            } else {
                round_millis(millis, unit, direction)
            })
        }),
        TypeKind::TimestampLtz(_) => from_millis(call.result, call.rows, |row| {
            let millis = points.millis(row)?;
            let offset = time::offset_of_instant(millis.div_euclid(1_000), zone) * 1_000;
            Some(round_timestamp(millis + offset, unit, direction) - offset)
        }),
        _ => from_millis(call.result, call.rows, |row| {
            Some(round_timestamp(points.millis(row)?, unit, direction))
        }),
    }
}

/// Whether the unit is longer than a day.
fn is_of_days(unit: Unit) -> bool {
    unit.months().is_some() || unit == Unit::Week
}

/// Longer units depend only on the day, which Flink finds by truncating division: CEIL ignores the time of
/// day.
fn round_timestamp(millis: i64, unit: Unit, direction: Direction) -> i64 {
    if is_of_days(unit) {
        round_days(millis / DAY, unit, direction) * DAY
    } else {
        round_millis(millis, unit, direction)
    }
}

fn round_millis(millis: i64, unit: Unit, direction: Direction) -> i64 {
    let size = unit.millis().unwrap_or(1);
    let down = millis.div_euclid(size) * size;
    if direction == Direction::Up && down != millis { down + size } else { down }
}

fn round_days(days: i64, unit: Unit, direction: Direction) -> i64 {
    let (year, month, day) = civil_from_days(days);
    let up = direction == Direction::Up;
    let years = |size: i64| {
        let first = (year + size - 1).div_euclid(size) * size;
        days_from_civil(if up { first + 1 } else { first - size + 1 }, 1, 1)
    };
    match unit {
        Unit::Millennium => years(1_000),
        Unit::Century => years(100),
        Unit::Decade => days_from_civil((year.div_euclid(10) + i64::from(up)) * 10, 1, 1),
        Unit::Year => days_from_civil(year + i64::from(up && (month > 1 || day > 1)), 1, 1),
        Unit::Quarter => {
            // Flink moves to the next quarter even from the first day of the second, third and fourth.
            let quarter = i64::from(month + 2) / 3 + i64::from(up && (month > 1 || day > 1));
            month_start(year, quarter * 3 - 2)
        }
        Unit::Month => month_start(year, i64::from(month) + i64::from(up && day > 1)),
        _ => {
            // Weeks begin on Sunday; 1970-01-01 was a Thursday.
            let since_sunday = (days + 4).rem_euclid(7);
            days - since_sunday + if up && since_sunday > 0 { 7 } else { 0 }
        }
    }
}

fn month_start(year: i64, month: i64) -> i64 {
    let months = year * 12 + month - 1;
    days_from_civil(months.div_euclid(12), months.rem_euclid(12) as u32 + 1, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(text: &str) -> i64 {
        time::parse_date(text).unwrap().into()
    }

    #[test]
    fn rounds_days() {
        let cases = [
            ("2020-08-15", Unit::Quarter, "2020-07-01", "2020-10-01"),
            ("2020-08-15", Unit::Week, "2020-08-09", "2020-08-16"),
            ("2020-08-15", Unit::Decade, "2020-01-01", "2030-01-01"),
            ("2020-08-15", Unit::Century, "2001-01-01", "2101-01-01"),
            ("2020-08-15", Unit::Millennium, "2001-01-01", "3001-01-01"),
            ("2021-11-07", Unit::Quarter, "2021-10-01", "2022-01-01"),
            ("1970-01-01", Unit::Year, "1970-01-01", "1970-01-01"),
            ("2021-03-14", Unit::Week, "2021-03-14", "2021-03-14"),
        ];
        for (date, unit, down, up) in cases {
            assert_eq!(round_days(days(date), unit, Direction::Down), days(down), "{date} {unit:?}");
            assert_eq!(round_days(days(date), unit, Direction::Up), days(up), "{date} {unit:?}");
        }
    }

    #[test]
    fn rounds_timestamps_before_1970() {
        assert_eq!(round_timestamp(-1, Unit::Year, Direction::Down), 0);
        assert_eq!(round_timestamp(-1, Unit::Day, Direction::Down), -DAY);
        assert_eq!(round_timestamp(-1, Unit::Second, Direction::Up), 0);
    }
}
