//! Which directory a value belongs to.

use std::str::FromStr;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use flott_types::{Error, Result, Timestamp};

use crate::date_pattern::DatePattern;

/// What is known of a value beside itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BucketContext {
    /// What the clock shows, in milliseconds.
    pub processing_time: Timestamp,
    /// The value's timestamp, if it has one.
    pub timestamp: Option<Timestamp>,
    /// How far event time has come.
    pub watermark: Timestamp,
}

/// Says which directory below the path of a sink a value is written to. A closure of the value is one.
pub trait BucketAssigner<T>: Send + Sync {
    /// The directory: `2024-06-01/eu`; an empty one is the path itself.
    ///
    /// # Errors
    /// If there is none for the value; the job fails.
    fn bucket(&self, value: &T, context: &BucketContext) -> Result<String>;
}

impl<T, F: Fn(&T) -> String + Send + Sync> BucketAssigner<T> for F {
    fn bucket(&self, value: &T, _: &BucketContext) -> Result<String> {
        Ok(self(value))
    }
}

/// All values are written to the path itself.
#[derive(Clone, Copy, Default, Debug)]
pub struct BasePathBucketAssigner;

impl<T> BucketAssigner<T> for BasePathBucketAssigner {
    fn bucket(&self, _: &T, _: &BucketContext) -> Result<String> {
        Ok(String::new())
    }
}

/// A directory for each hour, or each day, by the clock at the time when a value is written.
///
/// ```
/// use flott_connector_text_file::{BucketAssigner, BucketContext, DateTimeBucketAssigner};
///
/// let context = BucketContext { processing_time: 1_717_200_000_000, timestamp: None, watermark: i64::MIN };
/// let bucket = |assigner: &dyn BucketAssigner<u32>| assigner.bucket(&1, &context);
/// assert_eq!(bucket(&DateTimeBucketAssigner::default())?, "2024-06-01--00");
/// let days = DateTimeBucketAssigner::new("yyyy/MM/dd")?.with_zone("America/New_York")?;
/// assert_eq!(bucket(&days)?, "2024/05/31");
/// # Ok::<(), flott_types::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DateTimeBucketAssigner {
    pattern: DatePattern,
    zone: Tz,
}

impl Default for DateTimeBucketAssigner {
    /// `yyyy-MM-dd--HH` in UTC.
    fn default() -> Self {
        DateTimeBucketAssigner { pattern: DatePattern::hours(), zone: Tz::UTC }
    }
}

impl DateTimeBucketAssigner {
    /// By a pattern of Java's: `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss`, `SSS`; other letters in `'quotes'`.
    ///
    /// # Errors
    /// If the pattern has a letter that is none of these.
    pub fn new(pattern: &str) -> Result<Self> {
        Ok(DateTimeBucketAssigner { pattern: DatePattern::from_str(pattern)?, zone: Tz::UTC })
    }

    /// By the clocks of this zone: `Europe/Berlin`. The default is UTC.
    ///
    /// # Errors
    /// If there is no such zone.
    pub fn with_zone(self, zone: &str) -> Result<Self> {
        let no_zone = |_| {
            Error::invalid(format!("'{zone}' is no time zone; write a name such as Europe/Berlin, or UTC"))
        };
        Ok(DateTimeBucketAssigner { zone: zone.parse().map_err(no_zone)?, ..self })
    }
}

impl<T> BucketAssigner<T> for DateTimeBucketAssigner {
    fn bucket(&self, _: &T, context: &BucketContext) -> Result<String> {
        let at = context.processing_time;
        let utc = DateTime::from_timestamp_millis(at)
            .ok_or_else(|| Error::data(format!("{at} ms is no time that a calendar has")))?;
        let offset = self.zone.offset_from_utc_datetime(&utc.naive_utc()).fix();
        let local = utc.naive_utc().checked_add_offset(offset);
        Ok(self.pattern.write(local.unwrap_or(utc.naive_utc())))
    }
}
