//! Constants, and units of time.

use std::fmt;

/// A constant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Literal {
    /// A number as written, without a sign.
    Number(String),
    /// A string, escapes resolved.
    String(String),
    /// `x'0a'`: the digits.
    Binary(String),
    /// TRUE, FALSE
    Boolean(bool),
    /// NULL
    Null,
    /// `DATE '..'`
    Date(String),
    /// `TIME '..'`
    Time(String),
    /// `TIMESTAMP '..'`
    Timestamp(String),
    /// `INTERVAL '..' unit`
    Interval(Box<Interval>),
}

/// `INTERVAL [-] '1-2' YEAR(3) TO MONTH`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Interval {
    /// What it is worth.
    pub value: IntervalValue,
    /// There is a minus before the string.
    pub negative: bool,
    /// The characters of the string.
    pub text: String,
    /// The units.
    pub qualifier: IntervalQualifier,
}

/// The units of an interval with their precisions: `DAY(3) TO SECOND(2)`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IntervalQualifier {
    /// The first unit.
    pub first: TimeUnit,
    /// How many digits it may have.
    pub precision: Option<u64>,
    /// TO
    pub last: Option<TimeUnit>,
    /// The digits of a fraction of seconds.
    pub fraction: Option<u64>,
}

/// What an interval literal is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IntervalValue {
    /// For YEAR and MONTH: a number of months.
    Months(i64),
    /// For WEEK to SECOND: a number of milliseconds. Finer fractions are cut off, as in Flink.
    Millis(i64),
}

/// A unit of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum TimeUnit {
    Year,
    IsoYear,
    Quarter,
    Month,
    Week,
    Day,
    DayOfWeek,
    IsoDayOfWeek,
    DayOfYear,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
    Epoch,
    Decade,
    Century,
    Millennium,
}

impl TimeUnit {
    /// The key word.
    pub fn as_str(self) -> &'static str {
        match self {
            TimeUnit::Year => "YEAR",
            TimeUnit::IsoYear => "ISOYEAR",
            TimeUnit::Quarter => "QUARTER",
            TimeUnit::Month => "MONTH",
            TimeUnit::Week => "WEEK",
            TimeUnit::Day => "DAY",
            TimeUnit::DayOfWeek => "DOW",
            TimeUnit::IsoDayOfWeek => "ISODOW",
            TimeUnit::DayOfYear => "DOY",
            TimeUnit::Hour => "HOUR",
            TimeUnit::Minute => "MINUTE",
            TimeUnit::Second => "SECOND",
            TimeUnit::Millisecond => "MILLISECOND",
            TimeUnit::Microsecond => "MICROSECOND",
            TimeUnit::Nanosecond => "NANOSECOND",
            TimeUnit::Epoch => "EPOCH",
            TimeUnit::Decade => "DECADE",
            TimeUnit::Century => "CENTURY",
            TimeUnit::Millennium => "MILLENNIUM",
        }
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
