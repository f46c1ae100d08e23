//! Local time in a session's zone.
//!
//! Windows over TIMESTAMP_LTZ are aligned to local time: a row's instant is converted to local time, windows
//! are computed there as if it were UTC, and a window fires when the instant of its end has passed. The hour
//! that a clock change repeats is one local hour; the skipped one has no rows.

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use flott_batch::text::offset_of_instant;
use flott_types::{Error, Result, Timestamp};

/// Offsets change at most this often.
const BLOCK: i64 = 15 * 60 * 1000;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A zone, or none for times that are already local.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zone {
    zone: Option<Tz>,
    /// The block of time whose offset is known.
    block: i64,
    offset: i64,
}

fn naive(millis: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_millis(millis).map(|time| time.naive_utc())
}

impl Zone {
    /// By its name; `None` for TIMESTAMP.
    pub fn new(name: Option<&str>) -> Result<Self> {
        let zone = match name {
            None | Some("UTC") => None,
            Some(name) => Some(name.parse::<Tz>().map_err(|_| {
                Error::invalid(format!(
                    "'{name}' is not a time zone; expected one such as Europe/Berlin or UTC"
                ))
            })?),
        };
        Ok(Zone { zone, block: i64::MIN, offset: 0 })
    }

    fn offset_at(zone: Tz, epoch: Timestamp) -> i64 {
        offset_of_instant(epoch.div_euclid(1000), zone) * 1000
    }

    /// The wall clock time at an instant.
    #[inline]
    pub fn local(&mut self, epoch: Timestamp) -> i64 {
        let Some(zone) = self.zone else { return epoch };
        let block = epoch.div_euclid(BLOCK);
        if block != self.block {
            (self.block, self.offset) = (block, Self::offset_at(zone, epoch));
        }
        epoch + self.offset
    }

    /// The instant of a wall clock time: the earlier of two; after the gap if there is none.
    pub fn epoch(&self, local: i64) -> Timestamp {
        self.instant(local, false)
    }

    /// The instant at which a local time has finally passed: the later of two.
    pub fn trigger(&self, local: i64) -> Timestamp {
        self.instant(local, true)
    }

    fn instant(&self, local: i64, later: bool) -> Timestamp {
        let (Some(zone), Some(time)) = (self.zone, naive(local)) else { return local };
        let offset = match zone.offset_from_local_datetime(&time) {
            chrono::LocalResult::Single(offset) => offset.fix().local_minus_utc(),
            chrono::LocalResult::Ambiguous(first, _) if !later => first.fix().local_minus_utc(),
            chrono::LocalResult::Ambiguous(_, second) => second.fix().local_minus_utc(),
            chrono::LocalResult::None => return local - Self::offset_at(zone, local - DAY),
        };
        local - i64::from(offset) * 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn the_repeated_hour_is_one_hour_and_the_skipped_hour_none() {
        let mut zone = Zone::new(Some("America/New_York")).unwrap();
        // 2024-11-03 05:30 and 06:30 UTC are both 01:30 in New York.
        let first = 1_730_611_800_000;
        assert_eq!(zone.local(first), zone.local(first + HOUR));
        let local = zone.local(first);
        assert_eq!((zone.epoch(local), zone.trigger(local)), (first, first + HOUR));
        // 2024-03-10 06:59:59.999 UTC is the last moment before 02:00, which does not exist.
        let last = 1_710_053_999_999;
        assert_eq!(zone.local(last + 1) - zone.local(last), HOUR + 1);
        let gap = zone.local(last) + 1;
        assert_eq!((zone.epoch(gap), zone.trigger(gap + HOUR)), (last + 1, last + 1));
    }

    #[test]
    fn without_a_zone_nothing_is_shifted() {
        let mut zone = Zone::new(None).unwrap();
        assert_eq!((zone.local(5), zone.epoch(5), zone.trigger(i64::MAX)), (5, 5, i64::MAX));
        assert!(Zone::new(Some("Mars/Base")).is_err());
    }
}
