//! Parses literals of SQL: numbers, strings, dates, times, intervals, with the types that Flink gives them.

use flott_plan::{Expr, Literal};
use flott_types::{Error, Result, TypeKind};

use crate::time::{parse_date, parse_timestamp};

/// A field of an interval or of EXTRACT.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum IntervalUnit {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

impl IntervalUnit {
    /// The unit of this name, such as `DAY` or `DAYS`.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        Some(match name.strip_suffix('S').unwrap_or(&name) {
            "YEAR" => IntervalUnit::Year,
            "QUARTER" => IntervalUnit::Quarter,
            "MONTH" => IntervalUnit::Month,
            "WEEK" => IntervalUnit::Week,
            "DAY" => IntervalUnit::Day,
            "HOUR" => IntervalUnit::Hour,
            "MINUTE" => IntervalUnit::Minute,
            "SECOND" => IntervalUnit::Second,
            _ => return None,
        })
    }

    /// Whether it counts in months.
    pub fn is_months(self) -> bool {
        matches!(self, IntervalUnit::Year | IntervalUnit::Quarter | IntervalUnit::Month)
    }

    /// Its size: months for YEAR to MONTH, milliseconds for the others.
    pub fn size(self) -> i64 {
        match self {
            IntervalUnit::Year => 12,
            IntervalUnit::Quarter => 3,
            IntervalUnit::Month => 1,
            IntervalUnit::Week => 7 * 86_400_000,
            IntervalUnit::Day => 86_400_000,
            IntervalUnit::Hour => 3_600_000,
            IntervalUnit::Minute => 60_000,
            IntervalUnit::Second => 1_000,
        }
    }
}

/// A number as written, with an optional minus sign: INT, BIGINT, DECIMAL with its digits, or DOUBLE if it
/// has an exponent.
pub fn number(text: &str) -> Result<Expr> {
    let out_of_range = || Error::invalid(format!("Numeric literal '{text}' out of range"));
    if text.contains(['e', 'E']) {
        let value: f64 = text.parse().map_err(|_| Error::invalid(format!("'{text}' is not a number")))?;
        if value.is_infinite() {
            return Err(out_of_range());
        }
        return Ok(Expr::literal(Literal::Double(value), TypeKind::Double.not_null()));
    }
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if fraction.is_empty() {
        let value: i64 = text.trim_end_matches('.').parse().map_err(|_| out_of_range())?;
        let kind = if i32::try_from(value).is_ok() { TypeKind::Int } else { TypeKind::BigInt };
        return Ok(Expr::literal(Literal::Integer(value), kind.not_null()));
    }
    // Every written digit counts, including zeros before the point.
    let precision = whole.len() + fraction.len();
    if precision > 38 {
        return Err(out_of_range());
    }
    // Calcite accepts only as many digits as fit into eight bytes.
    let value: i128 = format!("{whole}{fraction}").parse().map_err(|_| out_of_range())?;
    if i64::try_from(value).is_err() {
        return Err(out_of_range());
    }
    let value = if text.starts_with('-') { -value } else { value };
    let kind = TypeKind::Decimal(precision as u8, fraction.len() as u8);
    Ok(Expr::literal(Literal::Decimal(value), kind.not_null()))
}

/// A character string: CHAR with its length, which for a literal counts Java's chars.
pub fn string(text: impl Into<String>) -> Expr {
    let text = text.into();
    let length = text.encode_utf16().count() as u32;
    Expr::literal(Literal::String(text), TypeKind::Char(length).not_null())
}

/// TRUE or FALSE.
pub fn boolean(value: bool) -> Expr {
    Expr::literal(Literal::Boolean(value), TypeKind::Boolean.not_null())
}

/// The bare NULL.
pub fn null() -> Expr {
    Expr::literal(Literal::Null, TypeKind::Null.nullable())
}

/// `x'0aff'`, given the hexadecimal digits: BINARY with its length.
pub fn binary(digits: &str) -> Result<Expr> {
    let wrong = || Error::invalid(format!("x'{digits}' must have an even number of hexadecimal digits"));
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return Err(wrong());
    }
    let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
    let bytes = bytes.collect::<Result<Vec<_>, _>>().map_err(|_| wrong())?;
    let kind = TypeKind::Binary(bytes.len() as u32);
    Ok(Expr::literal(Literal::Binary(bytes), kind.not_null()))
}

/// `DATE 'text'`
pub fn date(text: &str) -> Result<Expr> {
    let wrong = || Error::invalid(format!("Illegal DATE literal '{text}': not in format 'yyyy-MM-dd'"));
    if text.split('-').count() != 3 || text.trim().contains(' ') {
        return Err(wrong());
    }
    let days = parse_date(text).filter(|days| !is_skipped(*days)).ok_or_else(wrong)?;
    Ok(Expr::literal(Literal::Integer(days.into()), TypeKind::Date.not_null()))
}

/// `TIME 'text'`: as precise as written, up to milliseconds.
pub fn time(text: &str) -> Result<Expr> {
    let wrong = || Error::invalid(format!("Illegal TIME literal '{text}': not in format 'HH:mm:ss'"));
    let nanos = parse_timestamp(&format!("1970-01-01 {text}")).ok_or_else(wrong)?;
    let millis = (nanos / 1_000_000) as i64;
    Ok(Expr::literal(Literal::Integer(millis), TypeKind::Time(fraction_digits(text).min(3)).not_null()))
}

/// `TIMESTAMP 'text'`: as precise as written.
pub fn timestamp(text: &str) -> Result<Expr> {
    let wrong =
        || Error::invalid(format!("Illegal TIMESTAMP literal '{text}': not in format 'yyyy-MM-dd HH:mm:ss'"));
    let day = text.split(' ').next().unwrap_or_default();
    if parse_date(day).is_none_or(is_skipped) {
        return Err(wrong());
    }
    let nanos = parse_timestamp(text).ok_or_else(wrong)?;
    Ok(Expr::literal(Literal::Timestamp(nanos), TypeKind::Timestamp(fraction_digits(text)).not_null()))
}

/// The ten days that the calendar skipped, 1582-10-05 to 1582-10-14, and all before the year 1. A literal cannot
/// name them; text that is cast can.
fn is_skipped(days: i32) -> bool {
    (-141_437..=-141_428).contains(&days) || days < -719_162
}

fn fraction_digits(text: &str) -> u8 {
    text.rsplit_once('.').map_or(0, |(_, fraction)| fraction.len() as u8)
}

/// `INTERVAL [-]'text' from [TO to]`
pub fn interval(text: &str, from: IntervalUnit, to: Option<IntervalUnit>, negative: bool) -> Result<Expr> {
    let to = to.unwrap_or(from);
    let wrong = || {
        let range = if to == from { format!("{from:?}") } else { format!("{from:?} TO {to:?}") };
        Error::invalid(format!(
            "Illegal interval literal format '{text}' for INTERVAL {}",
            range.to_uppercase()
        ))
    };
    if to < from || from.is_months() != to.is_months() {
        return Err(wrong());
    }
    let trimmed = text.trim();
    let (minus, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let units: &[IntervalUnit] = match from {
        IntervalUnit::Year if to == IntervalUnit::Month => &[IntervalUnit::Year, IntervalUnit::Month],
        _ if to == from => &[],
        IntervalUnit::Day | IntervalUnit::Hour | IntervalUnit::Minute => {
            &[IntervalUnit::Day, IntervalUnit::Hour, IntervalUnit::Minute, IntervalUnit::Second]
        }
        _ => return Err(wrong()),
    };
    let units: Vec<_> = if units.is_empty() {
        vec![from]
    } else {
        units.iter().copied().filter(|u| (from..=to).contains(u)).collect()
    };
    let total = fields(digits, &units).ok_or_else(wrong)?;
    let total = if minus != negative { -total } else { total };
    let kind = if from.is_months() { TypeKind::IntervalYearMonth } else { TypeKind::IntervalDaySecond };
    Ok(Expr::literal(Literal::Integer(total), kind.not_null()))
}

fn fields(mut text: &str, units: &[IntervalUnit]) -> Option<i64> {
    let mut total = 0i64;
    for (at, unit) in units.iter().enumerate() {
        let last = at + 1 == units.len();
        let separator = match unit {
            IntervalUnit::Year => '-',
            IntervalUnit::Day => ' ',
            _ => ':',
        };
        let field = if last {
            text
        } else {
            let (field, rest) = text.split_once(separator)?;
            text = rest;
            field
        };
        let (whole, fraction) = match field.split_once('.') {
            Some((whole, fraction)) if *unit == IntervalUnit::Second => (whole, fraction),
            Some(_) => return None,
            None => (field, ""),
        };
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || fraction.len() > 9 {
            return None;
        }
        let count: i64 = whole.parse().ok()?;
        let limit = match unit {
            _ if at == 0 => i64::MAX,
            IntervalUnit::Month => 11,
            IntervalUnit::Hour => 23,
            _ => 59,
        };
        if count > limit {
            return None;
        }
        let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
        total = total.checked_add(count.checked_mul(unit.size())?)?.checked_add(millis.parse().ok()?)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(expr: Result<Expr>) -> String {
        match expr {
            Ok(Expr::Literal { value, ty }) => format!("{value:?} {ty}"),
            Ok(other) => format!("{other:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn numbers_take_the_smallest_type() {
        for (text, want) in [
            ("1", "Integer(1) INT NOT NULL"),
            ("00012", "Integer(12) INT NOT NULL"),
            ("-2147483648", "Integer(-2147483648) INT NOT NULL"),
            ("2147483648", "Integer(2147483648) BIGINT NOT NULL"),
            ("1.5", "Decimal(15) DECIMAL(2, 1) NOT NULL"),
            ("0.5", "Decimal(5) DECIMAL(2, 1) NOT NULL"),
            (".5", "Decimal(5) DECIMAL(1, 1) NOT NULL"),
            ("5.", "Integer(5) INT NOT NULL"),
            ("-0.50", "Decimal(-50) DECIMAL(3, 2) NOT NULL"),
            ("1.000", "Decimal(1000) DECIMAL(4, 3) NOT NULL"),
            ("0.00000000000000000001", "Decimal(1) DECIMAL(21, 20) NOT NULL"),
            ("99999999.99", "Decimal(9999999999) DECIMAL(10, 2) NOT NULL"),
            ("1e3", "Double(1000.0) DOUBLE NOT NULL"),
            (
                "123456789012345678901234567890",
                "Numeric literal '123456789012345678901234567890' out of range",
            ),
        ] {
            assert_eq!(show(number(text)), want, "{text}");
        }
    }

    #[test]
    fn times_are_as_precise_as_written() {
        assert_eq!(show(timestamp("1970-01-01 00:00:00.123")), "Timestamp(123000000) TIMESTAMP(3) NOT NULL");
        assert_eq!(show(timestamp("1970-01-01 00:00:01")), "Timestamp(1000000000) TIMESTAMP(0) NOT NULL");
        assert!(timestamp("2020-13-01 00:00:00").is_err());
        assert!(timestamp("2021-02-29 00:00:00").is_err());
        assert!(date("2021-02-29").is_err());
        assert_eq!(show(time("00:00:01.5")), "Integer(1500) TIME(1) NOT NULL");
    }

    #[test]
    fn intervals() {
        use IntervalUnit::*;
        for (text, from, to, millis) in [
            ("1", Day, None, 86_400_000),
            ("1.5", Second, None, 1_500),
            ("10 00:00:00.004", Day, Some(Second), 864_000_004),
            ("-1 02:03:04", Day, Some(Second), -93_784_000),
            ("02:03", Hour, Some(Minute), 7_380_000),
            ("2-10", Year, Some(Month), 34),
            ("2", Quarter, None, 6),
        ] {
            let Ok(Expr::Literal { value, .. }) = interval(text, from, to, false) else { panic!("{text}") };
            assert_eq!(value, Literal::Integer(millis), "{text}");
        }
        assert!(interval("abc", Day, None, false).is_err());
    }
}
