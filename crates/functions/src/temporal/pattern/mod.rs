//! The patterns of `java.time.format.DateTimeFormatter`, compiled once: [`Pattern::format`] writes a local
//! date-time, [`Pattern::parse`] reads one, resolving as `ResolverStyle.SMART` does (`2021-02-30` is the last
//! day of February). Names are English, weeks are those of the United States.

mod compile;
mod format;
mod names;
mod parse;
mod resolve;

pub(super) use names::{AM_PM, MONTHS, WEEKDAYS, long_and_short};

use chrono::Datelike;
use flott_batch::text::{civil_from_days, days_from_civil};
use flott_expr::time::naive_date;

/// The fields of a local date-time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Local {
    pub(super) year: i64,
    pub(super) month: u32,
    pub(super) day: u32,
    /// Nanoseconds of the day.
    pub(super) nanos: i64,
}

const NANOS_OF_DAY: i128 = 86_400_000_000_000;

impl Local {
    /// From nanoseconds since 1970-01-01 00:00 on the local clock.
    pub(super) fn of(nanos: i128) -> Local {
        let (year, month, day) = civil_from_days(nanos.div_euclid(NANOS_OF_DAY) as i64);
        Local { year, month, day, nanos: nanos.rem_euclid(NANOS_OF_DAY) as i64 }
    }

    /// The inverse of [`Local::of`].
    pub(super) fn total(&self) -> i128 {
        i128::from(days_from_civil(self.year, self.month, self.day)) * NANOS_OF_DAY + i128::from(self.nanos)
    }

    fn days(&self) -> i64 {
        days_from_civil(self.year, self.month, self.day)
    }

    fn day_of_year(&self) -> i64 {
        self.days() - days_from_civil(self.year, 1, 1) + 1
    }

    /// 0 is Sunday.
    fn weekday(&self) -> usize {
        match naive_date(self.days()) {
            Some(date) => date.weekday().num_days_from_sunday() as usize,
            None => (self.days() + 4).rem_euclid(7) as usize,
        }
    }
}

/// The meaning of a number in a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Field {
    Year,
    YearOfEra,
    WeekYear,
    Quarter,
    Month,
    Week,
    WeekOfMonth,
    DayOfYear,
    Day,
    AlignedDay,
    Weekday,
    AmPm,
    Hour,
    HourOfClock,
    HourOfAmPm,
    HourOfHalfClock,
    Minute,
    Second,
    Nano,
    MilliOfDay,
    NanoOfDay,
}

/// How a number shows that it is longer than its minimum, or negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sign {
    /// With a minus sign.
    Normal,
    /// Also with a plus sign, if it has more digits than the minimum.
    ExceedsPad,
    /// Not at all.
    Never,
}

#[derive(Clone, PartialEq, Debug)]
enum Node {
    Literal(String),
    Number {
        field: Field,
        min: usize,
        max: usize,
        sign: Sign,
        /// How many digits the adjacent numbers after it need.
        reserved: usize,
        /// Exactly `min` digits, because it follows another number directly.
        fixed: bool,
    },
    /// The last two digits of a year from 2000 to 2099.
    ShortYear {
        field: Field,
        reserved: usize,
    },
    Fraction(usize),
    Text {
        field: Field,
        style: Style,
    },
    Era(Style),
    /// X, x, Z, O: with `true`, `Z` stands for zero.
    Offset {
        letter: char,
        count: usize,
    },
    /// z, v, V.
    ZoneName,
    Optional(Vec<Node>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Style {
    Short,
    Full,
    Narrow,
}

/// A compiled pattern.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Pattern {
    nodes: Vec<Node>,
}

impl Pattern {
    /// The smallest step of time that it shows, in nanoseconds: a day if it shows no time of day.
    pub(super) fn step(&self) -> i64 {
        self.nodes.iter().map(Node::step).min().unwrap_or(NANOS_OF_DAY as i64)
    }
}

impl Node {
    fn step(&self) -> i64 {
        const SECOND: i64 = 1_000_000_000;
        let of_field = |field: &Field| match field {
            Field::Minute => 60 * SECOND,
            Field::Second => SECOND,
            Field::MilliOfDay => 1_000_000,
            Field::Nano | Field::NanoOfDay => 1,
            Field::AmPm => 12 * 3_600 * SECOND,
            Field::Hour | Field::HourOfClock | Field::HourOfAmPm | Field::HourOfHalfClock => 3_600 * SECOND,
            _ => NANOS_OF_DAY as i64,
        };
        match self {
            Node::Number { field, .. } | Node::ShortYear { field, .. } | Node::Text { field, .. } => {
                of_field(field)
            }
            Node::Fraction(digits) => 10_i64.pow(9_u32.saturating_sub(*digits as u32)),
            Node::Optional(nodes) => nodes.iter().map(Node::step).min().unwrap_or(NANOS_OF_DAY as i64),
            Node::Literal(_) | Node::Era(_) | Node::Offset { .. } | Node::ZoneName => NANOS_OF_DAY as i64,
        }
    }
}
