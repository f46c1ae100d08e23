//! Functions on dates, times and timestamps.
//!
//! Two of Java's formatting classes are reimplemented here, because they define Flink's functions:
//! `DateTimeFormatter` ([`pattern`], for DATE_FORMAT of timestamps and TO_TIMESTAMP) and `SimpleDateFormat`
//! ([`simple`], for DATE_FORMAT of text, FROM_UNIXTIME, UNIX_TIMESTAMP, TO_DATE and CONVERT_TZ). They differ
//! in letters, in leniency, and in how they read a local time that a clock shows twice: the former takes the
//! first occurrence, the latter the second.
//!
//! Where Flink computes on milliseconds with Java's truncating division, so do we: the fields of timestamps
//! before 1970 come out the same.

mod add;
mod convert;
mod current;
mod epoch;
mod extract;
mod format;
mod instant;
mod overlaps;
mod pattern;
mod round;
mod simple;
mod unit;
mod zone;

use flott_expr::function::{Function, ScalarFunction};

pub(crate) use round::{Direction, infer_round, round};

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    let tables: [&[Function]; 7] = [
        add::FUNCTIONS,
        convert::FUNCTIONS,
        current::FUNCTIONS,
        epoch::FUNCTIONS,
        extract::FUNCTIONS,
        format::FUNCTIONS,
        overlaps::FUNCTIONS,
    ];
    tables.into_iter().flatten().map(|function| function.boxed()).collect()
}
