//! Dates as text, by patterns of Java's `DateTimeFormatter`, as far as directories need them.

use std::fmt::Write;
use std::str::FromStr;

use chrono::{Datelike, NaiveDateTime, Timelike};
use flott_types::{Error, Result};

/// A pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DatePattern(Vec<Part>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    /// A number with at least so many digits.
    Field(Field, usize),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Year,
    /// Its last two digits.
    ShortYear,
    Month,
    Day,
    DayOfYear,
    Hour,
    Minute,
    Second,
    /// The first digits of the fraction of a second.
    Fraction,
}

impl DatePattern {
    /// `yyyy-MM-dd--HH`
    pub(crate) fn hours() -> Self {
        let text = |text: &str| Part::Text(text.to_owned());
        DatePattern(vec![
            Part::Field(Field::Year, 4),
            text("-"),
            Part::Field(Field::Month, 2),
            text("-"),
            Part::Field(Field::Day, 2),
            text("--"),
            Part::Field(Field::Hour, 2),
        ])
    }

    pub(crate) fn write(&self, time: NaiveDateTime) -> String {
        let mut out = String::new();
        for part in &self.0 {
            let (number, digits) = match part {
                Part::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Part::Field(Field::Fraction, digits) => {
                    let nanos = format!("{:09}", time.nanosecond() % 1_000_000_000);
                    out.push_str(nanos.get(..*digits).unwrap_or(&nanos));
                    continue;
                }
                Part::Field(field, digits) => (number(*field, time), *digits),
            };
            // Writing to a string does not fail.
            let _ = write!(out, "{number:0digits$}");
        }
        out
    }
}

fn number(field: Field, time: NaiveDateTime) -> i64 {
    match field {
        Field::Year => i64::from(time.year()),
        Field::ShortYear => i64::from(time.year().rem_euclid(100)),
        Field::Month => i64::from(time.month()),
        Field::Day => i64::from(time.day()),
        Field::DayOfYear => i64::from(time.ordinal()),
        Field::Hour => i64::from(time.hour()),
        Field::Minute => i64::from(time.minute()),
        Field::Second => i64::from(time.second()),
        Field::Fraction => i64::from(time.nanosecond()),
    }
}

impl FromStr for DatePattern {
    type Err = Error;

    fn from_str(pattern: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = pattern.chars().peekable();
        while let Some(next) = rest.next() {
            match next {
                '\'' => quoted(&mut rest, &mut text, pattern)?,
                letter if letter.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while rest.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    if !text.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut text)));
                    }
                    parts.push(field(letter, count, pattern)?);
                }
                '[' | ']' | '{' | '}' | '#' => {
                    return Err(wrong(pattern, &format!("'{next}' is reserved, quote it")));
                }
                other => text.push(other),
            }
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Ok(DatePattern(parts))
    }
}

/// What stands between quotes; two of them are one.
fn quoted(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    text: &mut String,
    pattern: &str,
) -> Result<()> {
    if rest.next_if_eq(&'\'').is_some() {
        text.push('\'');
        return Ok(());
    }
    loop {
        match rest.next() {
            Some('\'') if rest.next_if_eq(&'\'').is_some() => text.push('\''),
            Some('\'') => return Ok(()),
            Some(other) => text.push(other),
            None => return Err(wrong(pattern, "a quote is not closed")),
        }
    }
}

fn field(letter: char, count: usize, pattern: &str) -> Result<Part> {
    let known = match (letter, count) {
        ('y' | 'u', 2) => Some((Field::ShortYear, 2)),
        ('y' | 'u', 1 | 4) => Some((Field::Year, count)),
        ('M', 1 | 2) => Some((Field::Month, count)),
        ('d', 1 | 2) => Some((Field::Day, count)),
        ('D', 1..=3) => Some((Field::DayOfYear, count)),
        ('H', 1 | 2) => Some((Field::Hour, count)),
        ('m', 1 | 2) => Some((Field::Minute, count)),
        ('s', 1 | 2) => Some((Field::Second, count)),
        ('S', 1..=9) => Some((Field::Fraction, count)),
        _ => None,
    };
    let letters = letter.to_string().repeat(count);
    known.map(|(field, digits)| Part::Field(field, digits)).ok_or_else(|| {
        wrong(
            pattern,
            &format!("it has no '{letters}'; there are yyyy, yy, MM, dd, DDD, HH, mm, ss and SSS, and text in quotes"),
        )
    })
}

fn wrong(pattern: &str, why: &str) -> Error {
    Error::invalid(format!("the pattern '{pattern}' is not one of dates: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pattern: &str) -> String {
        let time = chrono::DateTime::from_timestamp_millis(1_717_218_067_089).unwrap();
        DatePattern::from_str(pattern)
            .map_or_else(|error| error.to_string(), |own| own.write(time.naive_utc()))
    }

    /// As Java's `DateTimeFormatter.ofPattern(...)` writes them.
    #[test]
    fn patterns_write_what_java_writes() {
        assert_eq!(written("yyyy-MM-dd--HH"), "2024-06-01--05");
        assert_eq!(DatePattern::from_str("yyyy-MM-dd--HH").unwrap(), DatePattern::hours());
        assert_eq!(written("yy/M/d H:m:s.SSS"), "24/6/1 5:1:7.089");
        assert_eq!(written("'dt='uuuu-MM-dd/'h='HH"), "dt=2024-06-01/h=05");
        assert_eq!(written("yyyy''DDD ä"), "2024'153 ä");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert!(written("yyyy-MMM").contains("it has no 'MMM'"));
        assert!(written("YYYY").contains("it has no 'YYYY'"));
        assert!(written("'x").contains("a quote is not closed"));
        assert!(written("yyyy[MM]").contains("'[' is reserved"));
    }
}
