//! Time zones by the names that Java's `TimeZone` and `ZoneId` know.

use chrono::{LocalResult, Offset, TimeZone};
use chrono_tz::{OffsetComponents, OffsetName, Tz};

/// A region with its history, or a fixed offset in seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Zone {
    Region(Tz),
    Fixed(i32),
}

/// Which occurrence is meant when a clock shows a local time twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Twice {
    /// `java.time`: the earlier.
    First,
    /// `java.util.Calendar`: the one in standard time.
    Second,
}

/// 1900-01-01 00:00 UTC, before which `java.util.Calendar` knows no history.
const YEAR_1900: i64 = -2_208_988_800;

/// How many seconds a region's standard time is ahead of UTC today.
fn standard_offset(zone: Tz) -> i64 {
    let recent = chrono::DateTime::from_timestamp(1_577_836_800, 0).unwrap_or_default();
    zone.offset_from_utc_datetime(&recent.naive_utc()).base_utc_offset().num_seconds()
}

impl Zone {
    pub(super) const UTC: Zone = Zone::Region(Tz::UTC);

    /// Like `TimeZone.getTimeZone`: an unknown name is GMT.
    pub(super) fn of(name: &str) -> Zone {
        if let Some(offset) = name.strip_prefix("GMT").and_then(custom_offset) {
            return Zone::Fixed(offset);
        }
        region(name).unwrap_or(Zone::UTC)
    }

    /// Like `ZoneId.of`: `None` for an unknown name.
    pub(super) fn strict(name: &str) -> Option<Zone> {
        if matches!(name, "Z" | "UTC" | "GMT" | "UT") {
            return Some(Zone::UTC);
        }
        let offset =
            ["UTC", "GMT", "UT", ""].iter().find_map(|prefix| iso_offset(name.strip_prefix(prefix)?));
        match offset {
            Some(offset) => Some(Zone::Fixed(offset)),
            None => name.parse().ok().map(Zone::Region),
        }
    }

    /// How many seconds its clock is ahead of UTC at an instant, in seconds since the epoch.
    pub(super) fn offset_at(self, instant: i64) -> i64 {
        match self {
            Zone::Region(zone) => flott_expr::time::offset_of_instant(instant, zone),
            Zone::Fixed(offset) => offset.into(),
        }
    }

    /// Like [`Zone::offset_at`], but as `java.util.Calendar` has it: before 1900, today's standard time.
    pub(super) fn calendar_offset_at(self, instant: i64) -> i64 {
        match self {
            Zone::Region(zone) if instant < YEAR_1900 => standard_offset(zone),
            _ => self.offset_at(instant),
        }
    }

    /// The instant at which its clock shows a local time, both in seconds. A skipped local time takes the
    /// offset before the jump.
    pub(super) fn instant(self, local: i64, twice: Twice) -> i64 {
        let zone = match self {
            Zone::Region(zone) => zone,
            Zone::Fixed(offset) => return local - i64::from(offset),
        };
        if twice == Twice::Second {
            let instant = local - standard_offset(zone);
            if instant < YEAR_1900 {
                return instant;
            }
        }
        if twice == Twice::Second
            && zone != Tz::UTC
            && let Some(naive) = chrono::DateTime::from_timestamp(local, 0).map(|at| at.naive_utc())
            && let LocalResult::Ambiguous(_, later) = zone.offset_from_local_datetime(&naive)
        {
            return local - i64::from(later.fix().local_minus_utc());
        }
        flott_expr::time::from_local(local, 1, zone)
    }

    /// The short name at an instant: `PST`, `GMT+08:00`.
    pub(super) fn short_name(self, instant: i64) -> String {
        match self {
            Zone::Region(zone) => {
                let at = chrono::DateTime::from_timestamp(instant, 0).unwrap_or_default();
                let offset = zone.offset_from_utc_datetime(&at.naive_utc());
                match offset.abbreviation() {
                    Some(name) if name.starts_with(|c: char| c.is_ascii_alphabetic()) => name.to_owned(),
                    _ => gmt_name(offset.fix().local_minus_utc()),
                }
            }
            Zone::Fixed(offset) => gmt_name(offset),
        }
    }
}

fn gmt_name(offset: i32) -> String {
    let minutes = offset.abs() / 60;
    let sign = if offset < 0 { '-' } else { '+' };
    format!("GMT{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The abbreviations that Java keeps for old programs, and all names of the time zone database.
fn region(name: &str) -> Option<Zone> {
    let name = match name {
        "ACT" => "Australia/Darwin",
        "AET" => "Australia/Sydney",
        "AGT" => "America/Argentina/Buenos_Aires",
        "ART" => "Africa/Cairo",
        "AST" => "America/Anchorage",
        "BET" => "America/Sao_Paulo",
        "BST" => "Asia/Dhaka",
        "CAT" => "Africa/Harare",
        "CNT" => "America/St_Johns",
        "CST" => "America/Chicago",
        "CTT" => "Asia/Shanghai",
        "EAT" => "Africa/Addis_Ababa",
        "ECT" => "Europe/Paris",
        "IET" => "America/Indiana/Indianapolis",
        "IST" => "Asia/Kolkata",
        "JST" => "Asia/Tokyo",
        "MIT" => "Pacific/Apia",
        "NET" => "Asia/Yerevan",
        "NST" => "Pacific/Auckland",
        "PLT" => "Asia/Karachi",
        "PNT" => "America/Phoenix",
        "PRT" => "America/Puerto_Rico",
        "PST" => "America/Los_Angeles",
        "SST" => "Pacific/Guadalcanal",
        "VST" => "Asia/Ho_Chi_Minh",
        other => other,
    };
    name.parse().ok().map(Zone::Region)
}

/// `+8`, `-08`, `+8:30`, `+0830` after GMT.
fn custom_offset(text: &str) -> Option<i32> {
    let (sign, digits) = signed(text)?;
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 && (1..=2).contains(&hours.len()) => (hours, minutes),
        Some(_) => return None,
        None if digits.len() <= 2 => (digits, "0"),
        None if digits.len() <= 4 => digits.split_at(digits.len() - 2),
        None => return None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// `+8`, `+08`, `+08:30`, `+0830`, `+08:30:15`, as `ZoneOffset.of` parses them.
fn iso_offset(text: &str) -> Option<i32> {
    let (sign, rest) = signed(text)?;
    let (hours, minutes, seconds) = match rest.len() {
        1 | 2 => (rest, "0", "0"),
        4 => (rest.get(..2)?, rest.get(2..)?, "0"),
        5 if rest.as_bytes()[2] == b':' => (rest.get(..2)?, rest.get(3..)?, "0"),
        8 if rest.as_bytes()[2] == b':' && rest.as_bytes()[5] == b':' => {
            (rest.get(..2)?, rest.get(3..5)?, rest.get(6..)?)
        }
        _ => return None,
    };
    let seconds = number(hours)? * 3_600 + number(minutes)? * 60 + number(seconds)?;
    (seconds <= 18 * 3_600).then_some(sign * seconds)
}

fn signed(text: &str) -> Option<(i32, &str)> {
    match text.as_bytes().first()? {
        b'+' => Some((1, &text[1..])),
        b'-' => Some((-1, &text[1..])),
        _ => None,
    }
}

fn number(digits: &str) -> Option<i32> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(Zone::of("No/Where"), Zone::UTC);
        assert_eq!(Zone::of("GMT+8"), Zone::Fixed(28_800));
        assert_eq!(Zone::of("GMT-8:30"), Zone::Fixed(-30_600));
        assert_eq!(Zone::of("UTC+8"), Zone::UTC);
        assert_eq!(Zone::of("PST"), Zone::Region(Tz::America__Los_Angeles));
        assert_eq!(Zone::strict("UTC+08:00"), Some(Zone::Fixed(28_800)));
        assert_eq!(Zone::strict("Nope"), None);
    }

    #[test]
    fn repeated_and_skipped_local_times() {
        let zone = Zone::of("America/Los_Angeles");
        let local = |text| (flott_expr::time::parse_timestamp(text).unwrap() / 1_000_000_000) as i64;
        let doubled = local("2021-11-07 01:30:00");
        assert_eq!(zone.instant(doubled, Twice::First), 1_636_273_800);
        assert_eq!(zone.instant(doubled, Twice::Second), 1_636_277_400);
        let skipped = local("2021-03-14 02:30:00");
        assert_eq!(zone.instant(skipped, Twice::First), 1_615_717_800);
        assert_eq!(zone.instant(skipped, Twice::Second), 1_615_717_800);
    }
}
