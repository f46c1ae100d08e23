//! Dates and times: parsing text as Flink's casts do, months, zones.

use chrono::{LocalResult, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;
pub use flott_batch::text::offset_of_instant;
use flott_batch::text::{civil_from_days, days_from_civil, days_of_month};

/// Milliseconds of a day.
pub const MILLIS_OF_DAY: i64 = 86_400_000;
/// Nanoseconds of a day.
pub const NANOS_OF_DAY: i128 = 86_400_000_000_000;

/// The date this many months later, or the last day of that month if it is too short.
pub fn add_months(days: i64, months: i64) -> i64 {
    let (year, month, day) = civil_from_days(days);
    let months = year * 12 + i64::from(month) - 1 + months;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) as u32 + 1);
    days_from_civil(year, month, day.min(days_of_month(year, month)))
}

/// An instant this many months later; its unit is such that a day has `units_of_day` of them.
pub fn add_months_to_instant(value: i64, units_of_day: i64, months: i64) -> i64 {
    let (days, rest) = (value.div_euclid(units_of_day), value.rem_euclid(units_of_day));
    add_months(days, months).saturating_mul(units_of_day).saturating_add(rest)
}

/// How many seconds a zone's clock is ahead of UTC when it shows this local time (in seconds since 1970). A
/// time that the clock skips takes the offset before the jump; if it shows a time twice, the first one is
/// meant.
pub fn offset_of_local(seconds: i64, zone: Tz) -> i64 {
    if zone == Tz::UTC {
        return 0;
    }
    let Some(local) = chrono::DateTime::from_timestamp(seconds, 0).map(|at| at.naive_utc()) else {
        return 0;
    };
    let offset = match zone.offset_from_local_datetime(&local) {
        LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset,
        LocalResult::None => {
            let before = local - chrono::TimeDelta::hours(24);
            zone.offset_from_utc_datetime(&before)
        }
    };
    offset.fix().local_minus_utc().into()
}

/// The instant at which a zone's clock shows a local time; a second has `units_of_second` of the units of
/// both.
pub fn from_local(value: i64, units_of_second: i64, zone: Tz) -> i64 {
    value - offset_of_local(value.div_euclid(units_of_second), zone) * units_of_second
}

/// What a zone's clock shows at an instant; a second has `units_of_second` of the units of both.
pub fn to_local(value: i64, units_of_second: i64, zone: Tz) -> i64 {
    value + offset_of_instant(value.div_euclid(units_of_second), zone) * units_of_second
}

/// Whether year, month and day name a day of the calendar that Flink accepts: years 0 to 9999.
fn is_date(year: i64, month: i64, day: i64) -> bool {
    (0..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && day <= days_of_month(year, month as u32).into()
}

fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Days since 1970-01-01 of `2020-02-29`, `2020-2-9`, `2020-02` or `2020`; anything may follow after a space.
pub fn parse_date(text: &str) -> Option<i32> {
    let text = match text.find(' ') {
        Some(at) if at > 0 => &text[..at],
        _ => text,
    };
    let mut parts = text.splitn(3, '-');
    let year = integer(parts.next()?)?;
    let month = parts.next().map_or(Some(1), integer)?;
    let day = parts.next().map_or(Some(1), integer)?;
    is_date(year, month, day).then(|| days_from_civil(year, month as u32, day as u32) as i32)
}

/// Milliseconds of the day of `12:34:56.789`, `12:34` or `12`, with an optional offset such as `+01:00`.
pub fn parse_time(text: &str) -> Option<i32> {
    let zone = text.find('-').map(|at| (at, -1)).or_else(|| text.find('+').map(|at| (at, 1)));
    let (clock, offset) = match zone {
        None => (text, 0),
        Some((at, sign)) => {
            let mut parts = text[at + 1..].splitn(2, ':');
            let hours = integer(parts.next()?)?;
            let minutes = parts.next().map_or(Some(0), integer)?;
            (&text[..at], sign * (hours * 60 + minutes) * 60_000)
        }
    };
    let mut parts = clock.splitn(3, ':');
    let hour = integer(parts.next()?)?;
    let minute = parts.next().map_or(Some(0), integer)?;
    let (second, millis) = match parts.next() {
        None => (0, 0),
        Some(seconds) => match seconds.split_once('.') {
            None => (integer(seconds)?, 0),
            Some((seconds, fraction)) => (integer(seconds)?, fraction_millis(fraction.trim())),
        },
    };
    let valid = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    valid.then(|| (hour * 3_600_000 + minute * 60_000 + second * 1_000 + millis + offset) as i32)
}

fn fraction_millis(fraction: &str) -> i64 {
    let digit = |at: usize| {
        fraction.as_bytes().get(at).filter(|b| b.is_ascii_digit()).map_or(0, |b| i64::from(b - b'0'))
    };
    digit(0) * 100 + digit(1) * 10 + digit(2)
}

/// Nanoseconds since 1970-01-01 of `2020-02-29 12:34:56.789` or `2020-02-29`. A day up to 31 that the month
/// does not have is taken as its last day, as in `java.time`.
pub fn parse_timestamp(text: &str) -> Option<i128> {
    let (date, clock) = match text.split_once(' ') {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let year = digits(parts.next()?, 4, 4)?;
    let (month, day) = (digits(parts.next()?, 1, 2)?, digits(parts.next()?, 1, 2)?);
    if year == 0 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let day = (day as u32).min(days_of_month(year, month as u32));
    let days = i128::from(days_from_civil(year, month as u32, day));
    Some(days * NANOS_OF_DAY + clock.map_or(Some(0), parse_clock)?)
}

fn parse_clock(text: &str) -> Option<i128> {
    let mut parts = text.splitn(3, ':');
    let (hour, minute) = (digits(parts.next()?, 1, 2)?, digits(parts.next()?, 1, 2)?);
    let seconds = parts.next()?;
    let (second, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let second = digits(second, 1, 2)?;
    let nanos = match fraction.len() {
        0 => 0,
        len @ 1..=9 => digits(fraction, 1, 9)? * 10i64.pow(9 - len as u32),
        _ => return None,
    };
    let valid = hour < 24 && minute < 60 && second < 60;
    valid.then(|| i128::from(hour * 3_600 + minute * 60 + second) * 1_000_000_000 + i128::from(nanos))
}

fn digits(text: &str, least: usize, most: usize) -> Option<i64> {
    let right = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if right { text.parse().ok() } else { None }
}

/// Truncates a timestamp (nanoseconds since the epoch) to this many fraction digits, as Flink does: with
/// three digits or more it floors within the millisecond, with fewer it truncates the milliseconds towards
/// zero.
pub fn truncate_nanos(nanos: i128, precision: u8) -> i128 {
    match precision {
        9.. => nanos,
        3..=8 => {
            let unit = 10i128.pow(9 - u32::from(precision));
            nanos.div_euclid(unit) * unit
        }
        _ => {
            let unit = 10i128.pow(3 - u32::from(precision));
            nanos.div_euclid(1_000_000) / unit * unit * 1_000_000
        }
    }
}

/// The calendar date of a day number.
pub fn naive_date(days: i64) -> Option<NaiveDate> {
    let (year, month, day) = civil_from_days(days);
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_leniently_but_must_exist() {
        for (text, days) in [
            ("1970-01-01", Some(0)),
            ("2020-02-29", Some(18321)),
            ("2020-2-9", Some(18301)),
            ("2020-02-29 12:34:56", Some(18321)),
            ("2020", Some(18262)),
            ("2020-02", Some(18293)),
            ("2021-02-29", None),
            ("2020-02-29T12:34:56", None),
            ("abc", None),
            ("", None),
        ] {
            assert_eq!(parse_date(text), days, "{text}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(parse_time("12:34:56.789"), Some(45_296_789));
        assert_eq!(parse_time("12:34"), Some(45_240_000));
        assert_eq!(parse_time("25:00:00"), None);
        assert_eq!(parse_time("x"), None);
    }

    #[test]
    fn timestamps_roll_back_to_the_last_day() {
        assert_eq!(parse_timestamp("2021-02-31 00:00:00"), parse_timestamp("2021-02-28"));
        assert_eq!(parse_timestamp("1970-01-02 00:00:00.5"), Some(NANOS_OF_DAY + 500_000_000));
        for wrong in [
            "2020-02-29T12:34:56",
            "2020-02-29 12:34",
            "2020-02-29 25:00:00",
            "2020-02-29 12:34:56Z",
            "2020-02-29 12:34:56+02:00",
            "20-1-1",
        ] {
            assert_eq!(parse_timestamp(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn low_precisions_cut_towards_zero() {
        assert_eq!(truncate_nanos(-1, 0), 0);
        assert_eq!(truncate_nanos(-1, 3), -1_000_000);
        assert_eq!(truncate_nanos(1_999_999_999, 0), 1_000_000_000);
    }

    #[test]
    fn skipped_local_times_move_forward() {
        let zone = chrono_tz::America::Los_Angeles;
        let local = parse_timestamp("2021-03-14 02:30:00").unwrap() as i64 / 1_000_000_000;
        let instant = from_local(local, 1, zone);
        assert_eq!(to_local(instant, 1, zone), local + 3_600);
        assert_eq!(add_months(18_292, 1), 18_321);
    }
}
