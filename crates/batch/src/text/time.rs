//! Dates, times, timestamps and intervals. The calendar is the proleptic Gregorian one; years have at least
//! four digits, years before 0 a minus sign.

use std::fmt::Write;

use arrow::datatypes::TimeUnit;
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

const SECONDS_OF_DAY: i64 = 86_400;

/// Year, month and day of a count of days since 1970-01-01.
pub fn civil_from_days(days: i64) -> (i64, u32, u32) {
    // Years begin in March here, so that the leap day is a year's last; eras of 400 years have 146,097 days.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

/// The count of days since 1970-01-01 of a date of the calendar; the inverse of [`civil_from_days`].
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = i64::from(month + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The number of days of a month.
pub fn days_of_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A DATE, given in days since 1970-01-01: `2020-02-29`.
pub fn write_date(out: &mut String, days: i64) {
    let (year, month, day) = civil_from_days(days);
    let sign = if year < 0 { "-" } else { "" };
    let _ = write!(out, "{sign}{:04}-{month:02}-{day:02}", year.unsigned_abs());
}

/// A TIME, given in milliseconds of the day, with at most this many digits of the fraction: `12:34:56.789`. As
/// in Flink, zeros at its end are left out, but for the first digit: `12:34:56.0`.
pub fn write_time(out: &mut String, millis: i32, precision: u8) {
    let fraction = millis.rem_euclid(1_000);
    let digits = match fraction {
        _ if fraction % 100 == 0 => 1,
        _ if fraction % 10 == 0 => 2,
        _ => 3,
    };
    write_clock(out, millis.div_euclid(1_000).into(), i64::from(fraction) * 1_000_000, precision.min(digits));
}

/// A TIMESTAMP with exactly `precision` digits of the fraction: `2020-02-29 12:34:56.789`.
pub fn write_timestamp(out: &mut String, value: i64, unit: TimeUnit, precision: u8) {
    let (seconds, nanos) = split(value, unit);
    write_seconds(out, seconds, nanos, precision);
}

/// A TIMESTAMP_LTZ as local time in a zone; otherwise like [`write_timestamp`].
pub fn write_timestamp_ltz(out: &mut String, value: i64, unit: TimeUnit, precision: u8, zone: Tz) {
    let (seconds, nanos) = split(value, unit);
    write_seconds(out, seconds + offset_of_instant(seconds, zone), nanos, precision);
}

/// A TIMESTAMP_LTZ in nanoseconds since the epoch, as local time in a zone; with UTC a TIMESTAMP.
pub fn write_timestamp_nanos(out: &mut String, nanos: i128, precision: u8, zone: Tz) {
    let (seconds, nanos) = (nanos.div_euclid(1_000_000_000) as i64, nanos.rem_euclid(1_000_000_000) as i64);
    write_seconds(out, seconds + offset_of_instant(seconds, zone), nanos, precision);
}

/// The local time of a zone at a point in time, in the same unit.
pub fn to_local(value: i64, unit: TimeUnit, zone: Tz) -> i64 {
    let offset = offset_of_instant(split(value, unit).0, zone);
    value.saturating_add(offset.saturating_mul(per_second(unit)))
}

/// INTERVAL DAY TO SECOND, given in milliseconds: `+1 02:03:04.567`.
pub fn write_day_second_interval(out: &mut String, millis: i64) {
    let (sign, millis) = (if millis < 0 { '-' } else { '+' }, millis.unsigned_abs());
    let (days, rest) = (millis / 86_400_000, millis % 86_400_000);
    let _ = write!(out, "{sign}{days} ");
    write_clock(out, (rest / 1_000) as i64, (rest % 1_000 * 1_000_000) as i64, 3);
}

/// INTERVAL YEAR TO MONTH, given in months: `+1-02`.
pub fn write_year_month_interval(out: &mut String, months: i32) {
    let (sign, months) = (if months < 0 { '-' } else { '+' }, months.unsigned_abs());
    let _ = write!(out, "{sign}{}-{:02}", months / 12, months % 12);
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Seconds since the epoch and the nanoseconds within the second.
fn split(value: i64, unit: TimeUnit) -> (i64, i64) {
    let units = per_second(unit);
    (value.div_euclid(units), value.rem_euclid(units) * (1_000_000_000 / units))
}

/// The offset of a zone from UTC at a point in time, in seconds; 0 for times outside the calendar's range.
pub fn offset_of_instant(seconds: i64, zone: Tz) -> i64 {
    if zone == Tz::UTC {
        return 0;
    }
    let at = DateTime::from_timestamp(seconds, 0);
    at.map_or(0, |at| zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc().into())
}

fn write_seconds(out: &mut String, seconds: i64, nanos: i64, precision: u8) {
    write_date(out, seconds.div_euclid(SECONDS_OF_DAY));
    out.push(' ');
    write_clock(out, seconds.rem_euclid(SECONDS_OF_DAY), nanos, precision);
}

fn write_clock(out: &mut String, seconds: i64, nanos: i64, precision: u8) {
    write_two(out, seconds / 3_600);
    out.push(':');
    write_two(out, seconds / 60 % 60);
    out.push(':');
    write_two(out, seconds % 60);
    let precision = precision.min(9);
    if precision > 0 {
        let shown = nanos / 10i64.pow(u32::from(9 - precision));
        let _ = write!(out, ".{shown:0width$}", width = usize::from(precision));
    }
}

fn write_two(out: &mut String, value: i64) {
    out.push((b'0' + (value / 10 % 10) as u8) as char);
    out.push((b'0' + (value % 10) as u8) as char);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn dates() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (11_016, "2000-02-29"),
            (-719_162, "0001-01-01"),
            (-719_528, "0000-01-01"),
            (-719_529, "-0001-12-31"),
            (2_932_896, "9999-12-31"),
            (2_932_897, "10000-01-01"),
        ] {
            assert_eq!(text(|out| write_date(out, days)), expected);
        }
    }

    #[test]
    fn the_calendar_is_its_own_inverse() {
        for days in (-1_000_000..4_000_000).step_by(97) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }

    #[test]
    fn timestamps_have_exactly_their_precision() {
        let write = |value, unit, precision| text(|out| write_timestamp(out, value, unit, precision));
        let micros = 1_582_979_696_789_012;
        assert_eq!(write(micros, TimeUnit::Microsecond, 0), "2020-02-29 12:34:56");
        assert_eq!(write(micros, TimeUnit::Microsecond, 3), "2020-02-29 12:34:56.789");
        assert_eq!(write(micros, TimeUnit::Microsecond, 6), "2020-02-29 12:34:56.789012");
        assert_eq!(write(-1, TimeUnit::Nanosecond, 9), "1969-12-31 23:59:59.999999999");
        assert_eq!(write(i64::MIN, TimeUnit::Microsecond, 0), "-290308-12-21 19:59:05");
    }

    #[test]
    fn local_time_follows_the_zones_clock_changes() {
        let write = |seconds: i64| {
            text(|out| write_timestamp_ltz(out, seconds, TimeUnit::Second, 0, chrono_tz::America::New_York))
        };
        assert_eq!(write(1_615_705_199), "2021-03-14 01:59:59");
        assert_eq!(write(1_615_705_200), "2021-03-14 03:00:00");
        let local = to_local(1_615_705_200_000, TimeUnit::Millisecond, chrono_tz::America::New_York);
        assert_eq!(local, 1_615_705_200_000 - 4 * 3_600_000);
        text(|out| write_timestamp_ltz(out, i64::MAX, TimeUnit::Microsecond, 6, chrono_tz::Europe::Berlin));
    }

    #[test]
    fn times_and_intervals() {
        assert_eq!(text(|out| write_time(out, 45_296_789, 3)), "12:34:56.789");
        assert_eq!(text(|out| write_time(out, 45_296_789, 0)), "12:34:56");
        assert_eq!(text(|out| write_day_second_interval(out, 93_784_567)), "+1 02:03:04.567");
        assert_eq!(text(|out| write_day_second_interval(out, -93_784_000)), "-1 02:03:04.000");
        assert_eq!(text(|out| write_day_second_interval(out, 0)), "+0 00:00:00.000");
        assert_eq!(text(|out| write_year_month_interval(out, 14)), "+1-02");
        assert_eq!(text(|out| write_year_month_interval(out, -27)), "-2-03");
    }
}
