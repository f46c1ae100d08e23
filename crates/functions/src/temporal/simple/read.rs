//! Parses text field by field, and resolves the fields leniently, like `java.util.Calendar`.

use super::super::pattern::{AM_PM, MONTHS, WEEKDAYS, long_and_short};
use super::super::zone::{Twice, Zone};
use super::days_of;

/// The parsed fields; absent ones are those of 1970-01-01 00:00.
#[derive(Default)]
pub(super) struct Found {
    before_christ: bool,
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: Option<i64>,
    hour_of_half: Option<i64>,
    half: Option<i64>,
    /// Of contradicting fields the later one wins: here the hour of the half day.
    half_counts: bool,
    day_of_year_counts: bool,
    minute: i64,
    second: i64,
    milli: i64,
    offset: Option<i64>,
}

impl Found {
    pub(super) fn read<'a>(
        &mut self,
        text: &'a str,
        letter: char,
        count: usize,
        exact: bool,
    ) -> Option<&'a str> {
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
                // Java means the hundred years that began eighty years ago: 1946 to 2045 in 2026.
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
            // Weeks and days of the week yield to the day of the month.
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

    pub(super) fn millis(&self, zone: Zone) -> Option<i64> {
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
        // Within a month of the change of calendars, counting days from the first would miss it.
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

/// Hours and minutes of an offset, in seconds: `08`, `0800`, `08:00`, or `8:00` if one digit is enough.
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

/// The longest name that the text begins with, in any case, and the rest.
fn name<'a>(text: &'a str, names: &[&[&str]]) -> Option<(usize, &'a str)> {
    let fits = |name: &&&str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let (at, length) = names
        .iter()
        .enumerate()
        .filter_map(|(at, names)| Some((at, names.iter().filter(fits).map(|name| name.len()).max()?)))
        .max_by_key(|(_, length)| *length)?;
    Some((at, &text[length..]))
}

/// A number with an optional minus sign; with exactly this many digits if given.
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
