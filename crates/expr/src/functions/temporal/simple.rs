//! The patterns of `java.text.SimpleDateFormat`: lenient where `DateTimeFormatter` is strict. Values roll over (the
//! 30th of February is a day in March), text after the last field is let pass, and before 1582-10-15 the calendar is
//! the Julian one.

use flott_batch::text::{civil_from_days, days_from_civil};
use flott_types::{Error, Result};

use super::pattern::{AM_PM, MONTHS, WEEKDAYS, long_and_short};
use super::zone::{Twice, Zone};

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

    /// Appends a point in time, in milliseconds since the epoch, as the zone's clock shows it.
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

    /// Milliseconds since the epoch; `None` for a text that does not begin as the pattern says.
    pub(super) fn parse(&self, text: &str, zone: Zone) -> Option<i64> {
        let mut found = Found::default();
        let mut rest = text;
        for (at, item) in self.items.iter().enumerate() {
            match item {
                Item::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
                Item::Field(letter, count) => {
                    // A number that another one follows directly has exactly as many digits as letters.
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

/// A date of the calendar that was in use, from days since 1970-01-01.
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

/// The inverse of [`date_of`]; the days that the change of calendars skipped are read as Julian ones.
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

/// The fields of a text; absent ones are those of 1970-01-01 00:00.
#[derive(Default)]
struct Found {
    before_christ: bool,
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    hour_of_half: Option<i64>,
    half: Option<i64>,
    /// Of fields that contradict each other the later one counts: the hour of the half day, the day of the year.
    half_counts: bool,
    day_of_year_counts: bool,
    minute: i64,
    second: i64,
    milli: i64,
    offset: Option<i64>,
}

impl Found {
    fn read<'a>(&mut self, text: &'a str, letter: char, count: usize, exact: bool) -> Option<&'a str> {
        let text = text.trim_start_matches([' ', '\t']);
        match letter {
            'G' => {
                let (at, rest) = name(text, &[&["AD", "Anno Domini"], &["BC", "Before Christ"]])?;
                self.before_christ = at == 1;
                return Some(rest);
            }
            'M' | 'L' if count >= 3 => {
                let months = MONTHS.map(long_and_short);
                let names: Vec<&[&str]> = months.iter().map(|names| names.as_slice()).collect();
                let (at, rest) = name(text, &names)?;
                self.month = Some(at as i64 + 1);
                return Some(rest);
            }
            'E' => {
                let days = WEEKDAYS.map(long_and_short);
                let names: Vec<&[&str]> = days.iter().map(|names| names.as_slice()).collect();
                return Some(name(text, &names)?.1);
            }
            'a' => {
                let (at, rest) = name(text, &[&AM_PM[..1], &AM_PM[1..]])?;
                self.half = Some(at as i64);
                self.half_counts = self.hour_of_half.is_some();
                return Some(rest);
            }
            'z' | 'Z' | 'X' => return self.zone(text, letter, count),
            _ => {}
        }
        let (value, rest) = integer(text, if exact { Some(count) } else { None })?;
        match letter {
            'y' | 'Y' => {
                let two_digits = count <= 2 && text.len() - rest.len() == 2 && value >= 0;
                // Java means the hundred years that began eighty years ago; 1946 to 2045 in 2026.
                self.year = Some(if two_digits {
                    if value > 45 { 1_900 + value } else { 2_000 + value }
                } else {
                    value
                });
            }
            'M' | 'L' => self.month = Some(value),
            'd' => {
                self.day = Some(value);
                self.day_of_year_counts = false;
            }
            'D' => {
                self.day_of_year = Some(value);
                self.day_of_year_counts = true;
            }
            'H' | 'k' => {
                self.hour = Some(if letter == 'k' && value == 24 { 0 } else { value });
                self.half_counts = false;
            }
            'K' | 'h' => {
                self.hour_of_half = Some(if letter == 'h' && value == 12 { 0 } else { value });
                self.half_counts = self.half.is_some();
            }
            'm' => self.minute = value,
            's' => self.second = value,
            'S' => self.milli = value,
            // Weeks and days of weeks yield to the day of the month.
            _ => {}
        }
        Some(rest)
    }

    fn zone<'a>(&mut self, text: &'a str, letter: char, count: usize) -> Option<&'a str> {
        if letter == 'X'
            && let Some(rest) = text.strip_prefix('Z')
        {
            self.offset = Some(0);
            return Some(rest);
        }
        let (name, rest) = match text.strip_prefix("GMT") {
            Some(rest) if rest.starts_with(['+', '-']) => ("", rest),
            _ if text.starts_with(['+', '-']) => ("", text),
            _ => {
                let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
                text.split_at(end)
            }
        };
        if !name.is_empty() {
            let zone = Zone::of(name);
            if zone == Zone::UTC && !matches!(name, "GMT" | "UTC" | "UT") {
                return None;
            }
            self.offset = Some(zone.offset_at(0));
            return Some(rest);
        }
        let sign = match rest.as_bytes().first() {
            Some(b'-') => -1,
            Some(b'+') => 1,
            _ => return None,
        };
        let named = rest.len() < text.len();
        let (seconds, rest) = clock_offset(
            &rest[1..],
            letter == 'X' && count == 1,
            if letter == 'X' { count == 3 } else { named },
            named,
        )?;
        self.offset = Some(sign * seconds);
        Some(rest)
    }

    fn millis(&self, zone: Zone) -> Option<i64> {
        let year = self.year.unwrap_or(1970);
        let year = if self.before_christ { 1 - year } else { year };
        if year.abs() > 300_000_000 {
            return None;
        }
        let days = match self.day_of_year {
            Some(of_year) if self.day_of_year_counts => days_of(year, 1, 1) + of_year - 1,
            _ => {
                let months = year * 12 + self.month.unwrap_or(1) - 1;
                let (year, month) = (months.div_euclid(12), months.rem_euclid(12) as u32 + 1);
                days_of(year, month, 1) + self.day.unwrap_or(1) - 1
            }
        };
        // Within a month of the change of calendars, counting days on from the first would miss it.
        let days = match (self.day, self.month) {
            (Some(day @ 1..=28), Some(month @ 1..=12)) if !self.day_of_year_counts => {
                days_of(year, month as u32, day as u32)
            }
            _ => days,
        };
        let half = self.half.unwrap_or(0);
        let hour = match (self.hour, self.hour_of_half) {
            (Some(hour), _) if !self.half_counts => hour,
            (_, of_half) => of_half.unwrap_or(0) + 12 * half,
        };
        let seconds = days
            .checked_mul(86_400)?
            .checked_add(hour.checked_mul(3_600)?)?
            .checked_add(self.minute.checked_mul(60)?)?
            .checked_add(self.second)?
            .checked_add(self.milli.div_euclid(1_000))?;
        let instant = match self.offset {
            Some(offset) => seconds - offset,
            None => zone.instant(seconds, Twice::Second),
        };
        instant.checked_mul(1_000)?.checked_add(self.milli.rem_euclid(1_000))
    }
}

/// Hours and minutes of an offset in seconds: `08`, `0800`, `08:00`, or `8:00` where one digit is enough.
fn clock_offset(text: &str, only_hours: bool, colon: bool, one_digit: bool) -> Option<(i64, &str)> {
    let digits = text.bytes().take(2).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || (digits == 1 && !one_digit) {
        return None;
    }
    let hours: i64 = text[..digits].parse().ok()?;
    let rest = &text[digits..];
    if hours > 23 {
        return None;
    }
    if only_hours {
        return Some((hours * 3_600, rest));
    }
    let rest = if colon { rest.strip_prefix(':')? } else { rest };
    let minutes = rest.get(..2).filter(|minutes| minutes.bytes().all(|byte| byte.is_ascii_digit()))?;
    let minutes: i64 = minutes.parse().ok()?;
    (minutes < 60).then_some((hours * 3_600 + minutes * 60, &rest[2..]))
}

/// The longest of the names that the text begins with, in any case, and the rest.
fn name<'a>(text: &'a str, names: &[&[&str]]) -> Option<(usize, &'a str)> {
    let fits = |name: &&&str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let (at, length) = names
        .iter()
        .enumerate()
        .filter_map(|(at, names)| Some((at, names.iter().filter(fits).map(|name| name.len()).max()?)))
        .max_by_key(|(_, length)| *length)?;
    Some((at, &text[length..]))
}

/// A number with an optional minus sign; of exactly so many digits if said.
fn integer(text: &str, exact: Option<usize>) -> Option<(i64, &str)> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) if exact.is_none() => (true, digits),
        _ => (false, text),
    };
    let available = digits.bytes().take_while(|byte| byte.is_ascii_digit()).count();
    let length = match exact {
        Some(_) if available == 0 => return None,
        Some(exact) if digits.len() < exact => return None,
        Some(exact) => available.min(exact),
        None => available,
    };
    let value: i64 = digits.get(..length)?.parse().ok()?;
    Some((if negative { -value } else { value }, &digits[length..]))
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
