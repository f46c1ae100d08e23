//! TO_DATE, TO_TIMESTAMP: text to dates and timestamps; NULL if it cannot be parsed.

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::Date32Type;
use flott_expr::function::{Call, Function};
use flott_expr::time;
use flott_expr::value::Value;
use flott_types::{Result, TypeKind};

use super::format::prepare;
use super::instant::{DAY, build};
use super::pattern::Pattern;
use super::simple::SimplePattern;
use super::zone::Zone;
use crate::build::try_primitives;
use crate::check::{Family, infer};
use crate::constant::{self, Programs};

const FORMS: &[&[Family]] = &[&[Family::Character], &[Family::Character, Family::Character]];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("TO_DATE", infer!("TO_DATE", FORMS, |_args| TypeKind::Date.nullable()), |args, call| {
        constant::evaluate(args, call, SimplePattern::new, to_date)
    })
    .prepare(|args, _| prepare(args, 1, SimplePattern::new, to_date)),
    Function::new(
        "TO_TIMESTAMP",
        infer!("TO_TIMESTAMP", FORMS, |_args| TypeKind::Timestamp(3).nullable()),
        |args, call| constant::evaluate(args, call, Pattern::new, to_timestamp),
    )
    .prepare(|args, _| prepare(args, 1, Pattern::new, to_timestamp)),
];

fn to_date(args: &[Value], call: &Call<'_>, patterns: &mut Programs<'_, SimplePattern>) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    let pattern = args.get(1).map(Value::view::<StringArray>).transpose()?;
    try_primitives::<Date32Type>(call.rows, |row| {
        let Some(text) = text.get(row) else {
            return Ok(None);
        };
        let Some(pattern) = &pattern else {
            return Ok(time::parse_date(text));
        };
        let Some(pattern) = pattern.get(row) else {
            return Ok(None);
        };
        let millis = patterns.get(pattern)?.parse(text, Zone::UTC);
        Ok(millis.and_then(|millis| i32::try_from(millis.div_euclid(DAY)).ok()))
    })
}

fn to_timestamp(args: &[Value], call: &Call<'_>, patterns: &mut Programs<'_, Pattern>) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    let pattern = args.get(1).map(Value::view::<StringArray>).transpose()?;
    let default = default_pattern()?;
    build(call.result, call.rows, |row| {
        let Some(text) = text.get(row) else {
            return Ok(None);
        };
        let Some(pattern) = &pattern else {
            return Ok(read_default(text, &default));
        };
        let Some(pattern) = pattern.get(row) else {
            return Ok(None);
        };
        Ok(read(text, patterns.get(pattern)?))
    })
}

/// The pattern of a timestamp in the default format up to the seconds; the fraction is parsed separately,
/// because it may have any number of digits.
pub(super) fn default_pattern() -> Result<Pattern> {
    Pattern::new("yyyy-[MM][M]-[dd][d][ [HH][H]:[mm][m]:[ss][s]]")
}

/// `yyyy-MM-dd[ HH:mm:ss[.fraction]]` with one or two digits per field; nanoseconds since 1970-01-01.
pub(super) fn read_default(text: &str, pattern: &Pattern) -> Option<i128> {
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) if clock.contains(':') => (clock, fraction),
        Some(_) => return None,
        None => (text, ""),
    };
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos = match fraction.parse::<i128>() {
        Ok(digits) => digits * 10_i128.pow(9 - fraction.len() as u32),
        Err(_) => 0,
    };
    let local = pattern.parse(clock)?;
    // 24:00 is a time of day only as a whole.
    if nanos > 0 && clock.contains(" 24:") {
        return None;
    }
    Some(local.total() + nanos)
}

/// Parses by the pattern; if that fails, as `java.sql.Timestamp.valueOf` and `java.sql.Date.valueOf` do. The
/// result's type truncates it to milliseconds.
pub(super) fn read(text: &str, pattern: &Pattern) -> Option<i128> {
    if let Some(local) = pattern.parse(text) {
        return Some(local.total());
    }
    let text = text.trim_matches(|c: char| c <= ' ');
    let Some((date, clock)) = text.split_once(' ') else {
        return Some(sql_date(text)? * 86_400_000_000_000);
    };
    let mut parts = clock.splitn(3, ':');
    let (hour, minute) = (java_int(parts.next()?)?, java_int(parts.next()?)?);
    let (second, fraction) = match parts.next()?.split_once('.') {
        Some((second, fraction)) => (second, fraction),
        None => (clock.rsplit(':').next()?, ""),
    };
    if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) || clock.ends_with('.') {
        return None;
    }
    let nanos = if fraction.is_empty() {
        0
    } else {
        fraction.parse::<i128>().ok()? * 10_i128.pow(9 - fraction.len() as u32)
    };
    // The fields roll over: 25 o'clock is one o'clock of the next day.
    let seconds = (hour * 60 + minute) * 60 + java_int(second)?;
    Some(sql_date(date)? * 86_400_000_000_000 + seconds * 1_000_000_000 + nanos)
}

/// `yyyy-[m]m-[d]d`; days up to 31 roll over.
fn sql_date(text: &str) -> Option<i128> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || !(1..=2).contains(&month.len()) || !(1..=2).contains(&day.len()) {
        return None;
    }
    let (year, month, day) = (java_int(year)?, java_int(month)?, java_int(day)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let first = flott_batch::text::days_from_civil(year as i64, month as u32, 1);
    Some(i128::from(first) + day - 1)
}

fn java_int(text: &str) -> Option<i128> {
    text.parse::<i32>().ok().map(i128::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_format() {
        let pattern = default_pattern().unwrap();
        let read = |text: &str| read_default(text, &pattern);
        assert_eq!(read("1970-01-02"), Some(86_400_000_000_000));
        assert_eq!(read("1970-1-1 0:0:1.5"), Some(1_500_000_000));
        assert_eq!(read("1970-01-01 00:00:01."), Some(1_000_000_000));
        assert_eq!(read("2021-02-30 00:00:00"), read("2021-02-28"));
        for wrong in
            ["1970-01-01T00:00:00", "1970-01-01 00:00", "x", "", "1970-01-01 00:00:00.1234567890", "70-01-01"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn falls_back_to_the_formats_of_sql() {
        let pattern = Pattern::new("dd.MM.yyyy").unwrap();
        assert_eq!(read("02.01.1970", &pattern), Some(86_400_000_000_000));
        assert_eq!(read("1970-1-2", &pattern), Some(86_400_000_000_000));
        assert_eq!(read("1970-01-01 25:00:00", &pattern), Some(90_000_000_000_000));
        assert_eq!(read("1970-01-01 00:00:00.001", &pattern), Some(1_000_000));
        assert_eq!(read("1970-01-01 extra", &pattern), None);
    }
}
