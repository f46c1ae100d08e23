//! The patterns of `java.text.SimpleDateFormat`: lenient where `DateTimeFormatter` is strict. Values roll
//! over (the 30th of February is a day in March), text after the last field is ignored, and before 1582-10-15
//! the calendar is the Julian one.

mod read;

use flott_batch::text::{civil_from_days, days_from_civil};
use flott_types::{Error, Result};

use self::read::Found;
use super::pattern::{AM_PM, MONTHS, WEEKDAYS};
use super::zone::Zone;

/// A compiled pattern.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct SimplePattern {
    items: Vec<Item>,
}

#[derive(Clone, PartialEq, Debug)]
enum Item {
    Literal(String),
    Field(char, usize),
}

/// 1582-10-15, the first day of the Gregorian calendar, in days since 1970-01-01.
const GREGORIAN: i64 = -141_427;
const MILLIS_OF_DAY: i64 = 86_400_000;

impl SimplePattern {
    pub(super) fn new(text: &str) -> Result<SimplePattern> {
        let mut items: Vec<Item> = Vec::new();
        let literal = |items: &mut Vec<Item>, c: char| match items.last_mut() {
            Some(Item::Literal(text)) => text.push(c),
            _ => items.push(Item::Literal(c.to_string())),
        };
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        let mut quoted = false;
        while at < chars.len() {
            let c = chars[at];
            at += 1;
            match c {
                '\'' if chars.get(at) == Some(&'\'') => {
                    literal(&mut items, '\'');
                    at += 1;
                }
                '\'' => quoted = !quoted,
                'a'..='z' | 'A'..='Z' if !quoted => {
                    if !"GyMdkHmsSEDFwWahKzZYuXL".contains(c) {
                        return Err(Error::data(format!("Illegal pattern character '{c}' in '{text}'")));
                    }
                    let count = 1 + chars[at..].iter().take_while(|next| **next == c).count();
                    at += count - 1;
                    if c == 'X' && count > 3 {
                        return Err(Error::data(format!(
                            "invalid ISO 8601 format in '{text}': write X, XX or XXX"
                        )));
                    }
                    items.push(Item::Field(c, count));
                }
                _ => literal(&mut items, c),
            }
        }
        if quoted {
            return Err(Error::data(format!("Unterminated quote in '{text}'")));
        }
        Ok(SimplePattern { items })
    }

    /// Appends an instant, in milliseconds since the epoch, as the zone's clock shows it.
    pub(super) fn format(&self, millis: i64, zone: Zone, out: &mut String) {
        let instant = millis.div_euclid(1_000);
        let offset = zone.calendar_offset_at(instant);
        let local = millis.saturating_add(offset * 1_000);
        let days = local.div_euclid(MILLIS_OF_DAY);
        let of_day = local.rem_euclid(MILLIS_OF_DAY);
        let (year, month, day) = date_of(days);
        let hour = of_day / 3_600_000;
        let of_era = if year > 0 { year } else { 1 - year };
        let weekday = (days + 4).rem_euclid(7);
        for item in &self.items {
            let (letter, count) = match item {
                Item::Literal(text) => {
                    out.push_str(text);
                    continue;
                }
                Item::Field(letter, count) => (*letter, *count),
            };
            let value = match letter {
                'G' => {
                    out.push_str(if year > 0 { "AD" } else { "BC" });
                    continue;
                }
                'y' | 'Y' => {
                    let year = if letter == 'y' { of_era } else { week(days, year).0 };
                    if count == 2 {
                        padded(out, year % 100, 2)
                    } else {
                        padded(out, year, count)
                    }
                    continue;
                }
                'M' | 'L' if count >= 3 => {
                    let name = MONTHS[month as usize - 1];
                    out.push_str(if count == 3 { &name[..3] } else { name });
                    continue;
                }
                'E' => {
                    let name = WEEKDAYS[weekday as usize];
                    out.push_str(if count >= 4 { name } else { &name[..3] });
                    continue;
                }
                'a' => {
                    out.push_str(AM_PM[(hour / 12) as usize]);
                    continue;
                }
                'z' => {
                    out.push_str(&zone.short_name(instant));
                    continue;
                }
                'Z' | 'X' => {
                    write_offset(out, offset, letter, count);
                    continue;
                }
                'M' | 'L' => month.into(),
                'd' => day.into(),
                'D' => days - days_of(year, 1, 1) + 1,
                'F' => (i64::from(day) - 1) / 7 + 1,
                'u' => (weekday + 6) % 7 + 1,
                'w' => week(days, year).1,
                'W' => {
                    let first = (days - i64::from(day) + 1 + 4).rem_euclid(7);
                    (i64::from(day) - 1 + first) / 7 + 1
                }
                'k' if hour == 0 => 24,
                'H' | 'k' => hour,
                'h' if hour % 12 == 0 => 12,
                'h' | 'K' => hour % 12,
                'm' => of_day / 60_000 % 60,
                's' => of_day / 1_000 % 60,
                _ => of_day % 1_000,
            };
            padded(out, value, count);
        }
    }

    /// Milliseconds since the epoch; `None` for text that does not start as the pattern requires.
    pub(super) fn parse(&self, text: &str, zone: Zone) -> Option<i64> {
        let mut found = Found::default();
        let mut rest = text;
        for (at, item) in self.items.iter().enumerate() {
            match item {
                Item::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
                Item::Field(letter, count) => {
                    // A number that is directly followed by another one has exactly as many digits as
                    // letters.
                    let exact = matches!(self.items.get(at + 1), Some(Item::Field(next, count)) if is_number(*next, *count));
                    rest = found.read(rest, *letter, *count, exact)?;
                }
            }
        }
        found.millis(zone)
    }
}

/// Whether a field is written in digits.
fn is_number(letter: char, count: usize) -> bool {
    match letter {
        'M' | 'L' => count <= 2,
        _ => !matches!(letter, 'G' | 'E' | 'a' | 'z' | 'Z' | 'X'),
    }
}

/// A date in the calendar of its time, from days since 1970-01-01.
fn date_of(days: i64) -> (i64, u32, u32) {
    if days >= GREGORIAN {
        return civil_from_days(days);
    }
    // Four Julian years have 1461 days; count from 0000-03-01 of the Julian calendar.
    let shifted = days + 719_470;
    let cycle = shifted.div_euclid(1_461);
    let of_cycle = shifted.rem_euclid(1_461);
    let year_of_cycle = (of_cycle - of_cycle / 1_460) / 365;
    let of_year = of_cycle - 365 * year_of_cycle;
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (cycle * 4 + year_of_cycle + i64::from(month <= 2), month as u32, day as u32)
}

/// The inverse of [`date_of`]; the days that the change of calendars skipped are taken as Julian ones.
fn days_of(year: i64, month: u32, day: u32) -> i64 {
    let gregorian = days_from_civil(year, month, day);
    if gregorian >= GREGORIAN {
        return gregorian;
    }
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let shifted_month = i64::from(month + 9) % 12;
    shifted_year * 365 + shifted_year.div_euclid(4) + (153 * shifted_month + 2) / 5 + i64::from(day)
        - 1
        - 719_470
}

fn week(days: i64, year: i64) -> (i64, i64) {
    let start = |year: i64| {
        let january = days_of(year, 1, 1);
        january - (january + 4).rem_euclid(7)
    };
    let year = if days >= start(year + 1) { year + 1 } else { year };
    (year, (days - start(year)) / 7 + 1)
}

fn padded(out: &mut String, value: i64, width: usize) {
    let digits = value.to_string();
    out.extend(std::iter::repeat_n('0', width.saturating_sub(digits.len())));
    out.push_str(&digits);
}

fn write_offset(out: &mut String, offset: i64, letter: char, count: usize) {
    if letter == 'X' && offset == 0 {
        out.push('Z');
        return;
    }
    out.push(if offset < 0 { '-' } else { '+' });
    let minutes = offset.abs() / 60;
    padded(out, minutes / 60, 2);
    if letter == 'X' && count == 1 {
        return;
    }
    if letter == 'X' && count == 3 {
        out.push(':');
    }
    padded(out, minutes % 60, 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pattern: &str, text: &str) -> Option<String> {
        let millis = SimplePattern::new(pattern).unwrap().parse(text, Zone::UTC)?;
        let mut out = String::new();
        SimplePattern::new("yyyy-MM-dd HH:mm:ss.SSS").unwrap().format(millis, Zone::UTC, &mut out);
        Some(out)
    }

    #[test]
    fn reads_leniently() {
        let cases = [
            ("yyyy-MM-dd", "2021-02-29", Some("2021-03-01 00:00:00.000")),
            ("yyyy-MM-dd", "2020-2-9 and more", Some("2020-02-09 00:00:00.000")),
            ("yyyy-MM-dd", "2020-13-01", Some("2021-01-01 00:00:00.000")),
            ("yyyyMMdd", "20200229", Some("2020-02-29 00:00:00.000")),
            ("yyyy-MM-dd HH:mm:ss", "2020-02-29", None),
            ("yyyy-MM-dd HH:mm:ss.SSS", "2020-02-29 12:34:56.5", Some("2020-02-29 12:34:56.005")),
            ("MM/dd/yy hh:mm a", "02/29/20 01:02 pm", Some("2020-02-29 13:02:00.000")),
            ("d MMM yyyy", "9 February 2020", Some("2020-02-09 00:00:00.000")),
            ("yyyy-MM-dd", "x", None),
            ("yyyy-MM-dd", "0001-01-01", Some("0001-01-01 00:00:00.000")),
            ("yyyy-MM-dd HH:mm:ss Z", "2020-01-01 00:00:00 +0100", Some("2019-12-31 23:00:00.000")),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(parse(pattern, text).as_deref(), expected, "{text} as {pattern}");
        }
    }

    #[test]
    fn writes_as_the_zone_shows_it() {
        let zone = Zone::of("America/Los_Angeles");
        let cases = [
            ("yyyy-MM-dd HH:mm:ss", "2020-02-09 07:04:05"),
            ("YYYY-ww u", "2020-07 7"),
            ("G yyyyy y yyy", "AD 02020 2020 2020"),
            ("LLL LLLL EEEEE EE", "Feb February Sunday Sun"),
            ("W w k K", "3 7 7 7"),
            ("SSSS S", "0678 678"),
            ("D F", "40 2"),
            ("z Z X XXX", "PST -0800 -08 -08:00"),
        ];
        for (pattern, expected) in cases {
            let mut out = String::new();
            SimplePattern::new(pattern).unwrap().format(1_581_260_645_678, zone, &mut out);
            assert_eq!(out, expected, "{pattern}");
        }
    }

    #[test]
    fn the_calendar_changed_in_1582() {
        for days in [GREGORIAN - 1, GREGORIAN, -719_162, -719_528, 0, -500_000] {
            let (year, month, day) = date_of(days);
            assert_eq!(days_of(year, month, day), days);
        }
        assert_eq!(date_of(GREGORIAN - 1), (1582, 10, 4));
    }
}
