//! English names of months, days, quarters, and AM and PM.

use super::{Field, Style};

/// From January.
pub(in super::super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// From Sunday.
pub(in super::super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// Before and after noon.
pub(in super::super) const AM_PM: [&str; 2] = ["AM", "PM"];
const QUARTERS: [&str; 4] = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"];
const SHORT_QUARTERS: [&str; 4] = ["Q1", "Q2", "Q3", "Q4"];

/// A name and its first three letters.
pub(in super::super) fn long_and_short(name: &'static str) -> [&'static str; 2] {
    [name, &name[..3]]
}

/// The name of a field's value: months and quarters from 1, weekdays (from Sunday) and halves of the day from
/// 0.
pub(super) fn name(field: Field, style: Style, value: usize) -> Option<&'static str> {
    let cut = |name: &'static str| match style {
        Style::Short => &name[..3.min(name.len())],
        Style::Full => name,
        Style::Narrow => &name[..1],
    };
    match field {
        Field::Month => MONTHS.get(value.checked_sub(1)?).copied().map(cut),
        Field::Weekday => WEEKDAYS.get(value).copied().map(cut),
        Field::AmPm => AM_PM.get(value).copied(),
        Field::Quarter => {
            let at = value.checked_sub(1)?;
            match style {
                Style::Short => SHORT_QUARTERS.get(at).copied(),
                Style::Full => QUARTERS.get(at).copied(),
                Style::Narrow => ["1", "2", "3", "4"].get(at).copied(),
            }
        }
        _ => None,
    }
}

/// The values for which a field has names.
pub(super) fn values(field: Field) -> std::ops::Range<usize> {
    match field {
        Field::Month => 1..13,
        Field::Quarter => 1..5,
        Field::Weekday => 0..7,
        _ => 0..2,
    }
}
