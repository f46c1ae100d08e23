//! Resolves fields into a date-time, like `ResolverStyle.SMART`.

use flott_batch::text::{days_from_civil, days_of_month};

use super::parse::Parsed;
use super::{Field, Local, NANOS_OF_DAY};

/// `None` for values that are out of range and for fields that contradict each other.
pub(super) fn resolve(parsed: &Parsed) -> Option<Local> {
    let year = match (parsed.get(Field::Year), parsed.get(Field::YearOfEra)) {
        (Some(year), of_era) => {
            let own = if year > 0 { year } else { 1 - year };
            if of_era.is_some_and(|of_era| of_era != own) {
                return None;
            }
            Some(year)
        }
        (None, Some(of_era)) => {
            if of_era < 1 {
                return None;
            }
            Some(if parsed.before_christ() == Some(true) { 1 - of_era } else { of_era })
        }
        (None, None) => None,
    };
    let month = in_range(parsed.get(Field::Month), 1, 12)?;
    let day = in_range(parsed.get(Field::Day), 1, 31)?;
    let (mut year, mut month, mut day, complete) = match (year, month, day) {
        // Without a day or month, a date comes from the day of the year.
        (Some(year), month, day) if parsed.get(Field::DayOfYear).is_some() => {
            let of_year = in_range(parsed.get(Field::DayOfYear), 1, 366)??;
            let date = days_from_civil(year, 1, 1) + of_year - 1;
            let (resolved, found_month, found_day) = flott_batch::text::civil_from_days(date);
            let fits = resolved == year
                && month.is_none_or(|month| month == i64::from(found_month))
                && day.is_none_or(|day| day == i64::from(found_day));
            if !fits {
                return None;
            }
            (year, found_month, found_day, true)
        }
        (year, month, day) => {
            let complete = year.is_some() && month.is_some() && day.is_some();
            (year.unwrap_or(1970), month.unwrap_or(1) as u32, day.unwrap_or(1) as u32, complete)
        }
    };
    if !(-999_999_999..=999_999_999).contains(&year) {
        return None;
    }
    let last = days_of_month(year, month);
    if day > last {
        if !complete {
            return None;
        }
        day = last;
    }
    let (nanos, next_day) = time_of_day(parsed)?;
    let mut local = Local { year, month, day, nanos };
    if complete {
        if parsed.get(Field::Weekday).is_some_and(|weekday| weekday != local.weekday() as i64) {
            return None;
        }
        if next_day {
            (year, month, day) = flott_batch::text::civil_from_days(local.days() + 1);
            local = Local { year, month, day, nanos };
        }
    }
    Some(local)
}

/// The outer `None` means that the value is out of range.
fn in_range(value: Option<i64>, min: i64, max: i64) -> Option<Option<i64>> {
    match value {
        Some(value) if !(min..=max).contains(&value) => None,
        value => Some(value),
    }
}

/// Nanoseconds of the day, and whether it was 24:00.
fn time_of_day(parsed: &Parsed) -> Option<(i64, bool)> {
    if let Some(nanos) = in_range(parsed.get(Field::NanoOfDay), 0, NANOS_OF_DAY as i64 - 1)? {
        return Some((nanos, false));
    }
    if let Some(millis) = in_range(parsed.get(Field::MilliOfDay), 0, 86_399_999)? {
        return Some((millis * 1_000_000, false));
    }
    let half = in_range(parsed.get(Field::AmPm), 0, 1)?;
    let of_half = match in_range(parsed.get(Field::HourOfHalfClock), 1, 12)? {
        Some(hour) => Some(hour % 12),
        None => in_range(parsed.get(Field::HourOfAmPm), 0, 11)?,
    };
    let of_clock = in_range(parsed.get(Field::HourOfClock), 1, 24)?.map(|hour| hour % 24);
    let of_both = half.zip(of_half).map(|(half, hour)| half * 12 + hour);
    let mut hour: Option<i64> = None;
    for candidate in [in_range(parsed.get(Field::Hour), 0, 24)?, of_clock, of_both].into_iter().flatten() {
        if hour.is_some_and(|hour| hour != candidate) {
            return None;
        }
        hour = Some(candidate);
    }
    let minute = in_range(parsed.get(Field::Minute), 0, 59)?;
    let second = in_range(parsed.get(Field::Second), 0, 59)?;
    let nano = in_range(parsed.get(Field::Nano), 0, 999_999_999)?;
    if hour.is_none() && of_half.is_none() && minute.is_none() && second.is_none() && nano.is_none() {
        // AM or PM alone means the middle of that half of the day.
        hour = half.map(|half| half * 12 + 6);
    }
    let rest = (minute.unwrap_or(0) * 60 + second.unwrap_or(0)) * 1_000_000_000 + nano.unwrap_or(0);
    match hour {
        Some(24) => (rest == 0).then_some((0, true)),
        hour => Some((hour.unwrap_or(0) * 3_600_000_000_000 + rest, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;

    fn parse(pattern: &str, text: &str) -> Option<String> {
        let local = Pattern::new(pattern).unwrap().parse(text)?;
        let mut out = String::new();
        Pattern::new("uuuu-MM-dd HH:mm:ss.SSS").unwrap().format(&local, &mut out).unwrap();
        Some(out)
    }

    #[test]
    fn reads() {
        let cases = [
            ("yyyy-MM-dd HH:mm:ss.SSSSSS", "2020-02-29 12:34:56.123456", Some("2020-02-29 12:34:56.123")),
            ("yyyy", "2020", Some("2020-01-01 00:00:00.000")),
            ("MM/dd/yy hh:mm a", "02/29/20 01:02 PM", Some("2020-02-29 13:02:00.000")),
            ("yyyy-MM-dd'T'HH:mm:ss", "2020-02-29T12:34:56", Some("2020-02-29 12:34:56.000")),
            ("HH:mm", "12:34", Some("1970-01-01 12:34:00.000")),
            ("yyyy-MM-dd HH:mm:ssX", "2020-02-29 12:34:56Z", Some("2020-02-29 12:34:56.000")),
            ("yyyy-MM-dd", "2020-02-29 extra", None),
            ("yyyy-MM-dd", "2021-02-30", Some("2021-02-28 00:00:00.000")),
            ("yyyy-MM-dd", "2021-02-32", None),
            ("yyyyMMddHHmmssSSS", "20200229123456789", Some("2020-02-29 12:34:56.789")),
            ("yyyy-MM-dd HH:mm", "2020-02-29 24:00", Some("2020-03-01 00:00:00.000")),
            ("d MMM yyyy", "9 Feb 2020", Some("2020-02-09 00:00:00.000")),
            ("EEE, d MMM yyyy", "Mon, 9 Feb 2020", None),
            ("yyyy-DDD", "2020-060", Some("2020-02-29 00:00:00.000")),
            ("yyyy-MM-dd[ HH:mm]", "2020-02-29", Some("2020-02-29 00:00:00.000")),
            ("yyyy-MM-dd", "12020-02-29", None),
            ("yyyy-MM-dd", "0000-02-29", None),
            ("yyyy-M-d", "2020-2-9", Some("2020-02-09 00:00:00.000")),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(parse(pattern, text).as_deref(), expected, "{text} as {pattern}");
        }
    }

    #[test]
    fn writes() {
        let local =
            Pattern::new("yyyy-MM-dd HH:mm:ss.SSS").unwrap().parse("2020-02-09 15:04:05.678").unwrap();
        let cases = [
            ("yyyy-MM-dd HH:mm:ss", "2020-02-09 15:04:05"),
            ("yy", "20"),
            ("M/d/yy", "2/9/20"),
            ("MMM d, yyyy", "Feb 9, 2020"),
            ("MMMM EEE EEEE EEEEE", "February Sun Sunday S"),
            ("hh:mm a", "03:04 PM"),
            ("SSS", "678"),
            ("SSSS", "6780"),
            ("D", "40"),
            ("YYYY-ww e", "2020-07 1"),
            ("G yyyyy", "AD 02020"),
            ("Q QQ QQQ QQQQ", "1 01 Q1 1st quarter"),
            ("LLL c ccc", "Feb 1 Sun"),
            ("W w", "3 7"),
            ("k K", "15 3"),
            ("n N A", "678000000 54245678000000 54245678"),
            ("'o''clock'", "o'clock"),
            ("yyyy[ z]", "2020"),
        ];
        for (pattern, expected) in cases {
            let mut out = String::new();
            Pattern::new(pattern).unwrap().format(&local, &mut out).unwrap();
            assert_eq!(out, expected, "{pattern}");
        }
        assert!(Pattern::new("yyyy z").unwrap().format(&local, &mut String::new()).is_err());
        for wrong in ["b", "ddd", "yyyy'", "{", "]", "aa"] {
            assert!(Pattern::new(wrong).is_err(), "{wrong}");
        }
    }
}
