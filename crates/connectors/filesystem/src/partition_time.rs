//! The time of a partition, read from its name: Flink's extractor `default`.

use chrono::{DateTime, LocalResult, Offset, TimeZone};
use chrono_tz::Tz;
use flott_batch::text::{days_from_civil, days_of_month};
use flott_types::{Error, Result, Timestamp};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// How the time of a partition is read.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct PartitionTime {
    /// Text with `$column` in it; without it the first column is the time.
    pub(crate) pattern: Option<String>,
    pub(crate) formatter: Option<Formatter>,
    /// The zone of that time.
    pub(crate) zone: Tz,
}

impl PartitionTime {
    /// The instant at which a partition begins. Its columns come with the texts of their values.
    ///
    /// # Errors
    /// If the text is no time.
    pub(crate) fn of(&self, columns: &[(&str, String)]) -> Result<Timestamp> {
        let text = match &self.pattern {
            None => columns.first().map(|(_, value)| value.clone()).unwrap_or_default(),
            Some(pattern) => {
                let replace =
                    |text: String, (name, value): &(&str, String)| text.replace(&format!("${name}"), value);
                columns.iter().fold(pattern.clone(), replace)
            }
        };
        let local = match &self.formatter {
            None => standard(&text),
            Some(formatter) => formatter.read(&text),
        };
        let local = local.ok_or_else(|| {
            let form = self.formatter.as_ref().map_or("yyyy-MM-dd HH:mm:ss", |one| &one.pattern);
            Error::data(format!("'{text}' is not a time of the form '{form}'"))
        })?;
        Ok(self.instant(local))
    }

    /// Of a time that there is twice, the earlier; one that is left out moves on with the clock.
    fn instant(&self, local: i64) -> Timestamp {
        let Some(time) = DateTime::from_timestamp_millis(local) else { return local };
        let offset = match self.zone.offset_from_local_datetime(&time.naive_utc()) {
            LocalResult::Single(offset) | LocalResult::Ambiguous(offset, _) => offset,
            LocalResult::None => match DateTime::from_timestamp_millis(local - DAY) {
                Some(before) => self.zone.offset_from_utc_datetime(&before.naive_utc()),
                None => return local,
            },
        };
        local - i64::from(offset.fix().local_minus_utc()) * 1_000
    }
}

/// A date, and perhaps a time of the day; months, days and hours may have one digit.
fn standard(text: &str) -> Option<i64> {
    let (date, clock) = match text.split_once(' ') {
        Some((date, clock)) => (date, Some(clock)),
        None => (text, None),
    };
    let mut fields = Fields::default();
    let mut parts = date.split('-');
    fields.year = whole(parts.next()?, 10)?;
    fields.month = whole(parts.next()?, 2)?;
    fields.day = whole(parts.next()?, 2)?;
    if parts.next().is_some() {
        return None;
    }
    if let Some(clock) = clock {
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let mut parts = clock.split(':');
        fields.hour = whole(parts.next()?, 2)?;
        fields.minute = whole(parts.next()?, 2)?;
        fields.second = whole(parts.next()?, 2)?;
        if parts.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
        fields.millis = whole(&digits, 3)?;
    }
    fields.local()
}

fn whole(digits: &str, most: usize) -> Option<i64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && digits.len() <= most).then(|| digits.parse().ok()).flatten()
}

/// The parts of a time.
struct Fields {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    millis: i64,
}

impl Default for Fields {
    fn default() -> Self {
        Fields { year: 1970, month: 1, day: 1, hour: 0, minute: 0, second: 0, millis: 0 }
    }
}

impl Fields {
    /// Milliseconds since the epoch, on the clock on the wall. A day that the month does not have is its last, as in Java.
    fn local(&self) -> Option<i64> {
        let within = (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
            && (0..24).contains(&self.hour)
            && (0..60).contains(&self.minute)
            && (0..60).contains(&self.second)
            && self.year <= 999_999;
        if !within {
            return None;
        }
        let month = u32::try_from(self.month).ok()?;
        let day = u32::try_from(self.day).ok()?.min(days_of_month(self.year, month));
        let clock = self.hour * HOUR + self.minute * 60_000 + self.second * 1_000 + self.millis;
        Some(days_from_civil(self.year, month, day) * DAY + clock)
    }
}

/// A pattern as Java's `DateTimeFormatter` reads it, of numbers and text.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Formatter {
    pattern: String,
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Debug)]
enum Part {
    /// A letter, and how often it stands there.
    Number(char, usize),
    Text(String),
}

impl Formatter {
    /// `None` if there is something in it that is no number or text.
    pub(crate) fn new(pattern: &str) -> Option<Self> {
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = pattern.chars().peekable();
        while let Some(first) = rest.next() {
            match first {
                '\'' => {
                    let text: String = rest.by_ref().take_while(|next| *next != '\'').collect();
                    parts.push(Part::Text(if text.is_empty() { "'".to_owned() } else { text }));
                }
                letter if letter.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while rest.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    let most = match letter {
                        'y' | 'u' => 9,
                        'M' | 'd' | 'H' | 'm' | 's' => 2,
                        'S' => 9,
                        _ => return None,
                    };
                    if count > most {
                        return None;
                    }
                    parts.push(Part::Number(letter, count));
                }
                '[' | ']' | '{' | '}' | '#' => return None,
                other => parts.push(Part::Text(other.to_string())),
            }
        }
        Some(Formatter { pattern: pattern.to_owned(), parts })
    }

    fn read(&self, text: &str) -> Option<i64> {
        let mut fields = Fields::default();
        let mut rest = text;
        for part in &self.parts {
            match part {
                Part::Text(text) => rest = rest.strip_prefix(text.as_str())?,
                Part::Number(letter, count) => {
                    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                    let most = if matches!(letter, 'y' | 'u') { 9 } else { 2 };
                    let len = if *count == 1 { digits.min(most) } else { *count };
                    let (number, after) = rest.split_at_checked(len)?;
                    let value = whole(number, 9)?;
                    rest = after;
                    match letter {
                        'y' | 'u' if *count == 2 => fields.year = 2_000 + value,
                        'y' | 'u' => fields.year = value,
                        'M' => fields.month = value,
                        'd' => fields.day = value,
                        'H' => fields.hour = value,
                        'm' => fields.minute = value,
                        's' => fields.second = value,
                        _ => {
                            let digits: String = number.chars().chain("000".chars()).take(3).collect();
                            fields.millis = whole(&digits, 3)?;
                        }
                    }
                }
            }
        }
        rest.is_empty().then(|| fields.local()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(pattern: Option<&str>, formatter: Option<&str>, zone: Tz) -> PartitionTime {
        let formatter = formatter.map(|pattern| Formatter::new(pattern).unwrap());
        PartitionTime { pattern: pattern.map(str::to_owned), formatter, zone }
    }

    fn read(time: &PartitionTime, columns: &[(&str, &str)]) -> Option<String> {
        let columns: Vec<_> = columns.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let millis = time.of(&columns).ok()?;
        Some(DateTime::from_timestamp_millis(millis)?.format("%Y-%m-%d %H:%M:%S%.3f").to_string())
    }

    #[test]
    fn a_time_is_the_first_column_or_put_together_from_several() {
        let first = time(None, None, Tz::UTC);
        let of = |text| read(&first, &[("dt", text), ("hr", "7")]);
        assert_eq!(of("2024-02-29").unwrap(), "2024-02-29 00:00:00.000");
        assert_eq!(of("2024-2-9 7:5:1").unwrap(), "2024-02-09 07:05:01.000");
        assert_eq!(of("2024-02-30 23:59:59.5").unwrap(), "2024-02-29 23:59:59.500");
        for wrong in
            ["__DEFAULT_PARTITION__", "", "2024-02", "2024-13-01", "2024-01-01 25:00:00", "2024-01-01T10"]
        {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        let both = time(Some("$dt $hr:00:00"), None, Tz::UTC);
        assert_eq!(read(&both, &[("dt", "2024-01-02"), ("hr", "7")]).unwrap(), "2024-01-02 07:00:00.000");
        let three = time(Some("$year-$month-$day"), None, Tz::UTC);
        let columns = [("year", "2024"), ("month", "3"), ("day", "04")];
        assert_eq!(read(&three, &columns).unwrap(), "2024-03-04 00:00:00.000");
    }

    #[test]
    fn a_formatter_says_what_the_text_looks_like() {
        for (formatter, text, expected) in [
            ("yyyyMMdd", "20240102", Some("2024-01-02 00:00:00.000")),
            ("yyyyMMddHH", "2024010205", Some("2024-01-02 05:00:00.000")),
            ("yyyy-MM-dd'T'HH:mm", "2024-01-02T05:06", Some("2024-01-02 05:06:00.000")),
            ("d.M.yy", "2.1.24", Some("2024-01-02 00:00:00.000")),
            ("yyyyMMdd", "2024010", None),
            ("yyyyMMdd", "202401021", None),
            ("yyyyMMdd", "2024-01-02", None),
        ] {
            let found = read(&time(None, Some(formatter), Tz::UTC), &[("dt", text)]);
            assert_eq!(found.as_deref(), expected, "{formatter} {text}");
        }
        for unknown in ["yyyy-MMM-dd", "EEE", "yyyy[MM]", "hh a"] {
            assert_eq!(Formatter::new(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_time_is_of_the_zone() {
        let berlin = time(None, None, Tz::Europe__Berlin);
        let of = |text| read(&berlin, &[("dt", text)]).unwrap();
        assert_eq!(of("2024-07-01"), "2024-06-30 22:00:00.000");
        assert_eq!(of("2024-10-27 02:30:00"), "2024-10-27 00:30:00.000", "the earlier of two");
        assert_eq!(of("2024-03-31 02:30:00"), "2024-03-31 01:30:00.000", "an hour that is left out");
    }
}
