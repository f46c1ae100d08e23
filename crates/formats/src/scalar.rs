//! Scalars from text, as Java's `parseInt`, `parseDouble`, `LocalTime.parse` and so on read them.

use flott_batch::text::{parse_date, parse_time};

/// How dates and times are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TimeStyle {
    /// `2020-01-02 03:04:05.678`, and a `Z` after it for TIMESTAMP_LTZ; `timestamp-format.standard: SQL`.
    Sql,
    /// The same with a `T`, and seconds may be left out; `ISO-8601`.
    Iso,
}

/// As Java's `String.trim`: blanks and control characters.
pub(crate) fn trim(mut text: &[u8]) -> &[u8] {
    while let [0..=b' ', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., 0..=b' '] = text {
        text = rest;
    }
    text
}

/// As Java's `Long.parseLong`.
#[inline]
pub(crate) fn parse_long(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    if digits.len() <= 18 {
        let mut value = 0i64;
        for byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + i64::from(digit);
        }
        return Some(if negative { -value } else { value });
    }
    // Counted downwards, because the smallest number has no positive counterpart.
    let mut value = 0i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_sub(i64::from(digit))?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

/// An integer type's `parse`.
#[inline]
pub(crate) fn parse_integer<T: TryFrom<i64>>(text: &[u8]) -> Option<T> {
    T::try_from(parse_long(text)?).ok()
}

/// As Java's `Double.parseDouble` and `Float.parseFloat`, without hexadecimal numbers.
pub(crate) fn parse_float<T: std::str::FromStr + std::ops::Neg<Output = T> + From<f32>>(
    text: &[u8],
) -> Option<T> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let value = match unsigned {
        b"NaN" => T::from(f32::NAN),
        b"Infinity" => T::from(f32::INFINITY),
        [b'0'..=b'9' | b'.', ..] => {
            let number = match unsigned {
                [rest @ .., b'f' | b'F' | b'd' | b'D'] => rest,
                _ => unsigned,
            };
            std::str::from_utf8(number).ok()?.parse::<T>().ok()?
        }
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

/// As Java's `Boolean.parseBoolean`: everything but `true` is false.
pub(crate) fn parse_boolean(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"true")
}

/// A date of which month and day may have one digit, as `java.sql.Date.valueOf` reads them.
pub(crate) fn parse_loose_date(text: &[u8]) -> Option<i32> {
    if let Some(days) = parse_date(text) {
        return Some(days);
    }
    let mut parts = text.splitn(3, |byte| *byte == b'-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let mut padded = year.to_vec();
    for part in [month, day] {
        padded.extend_from_slice(if part.len() == 1 { b"-0" } else { b"-" });
        padded.extend_from_slice(part);
    }
    parse_date(&padded)
}

/// `HH:mm[:ss[.fraction]]` as nanoseconds of the day.
pub(crate) fn parse_loose_time(text: &[u8]) -> Option<i64> {
    if text.len() != 5 {
        return parse_time(text);
    }
    let mut padded = *b"00:00:00";
    padded[..5].copy_from_slice(text);
    parse_time(&padded)
}

/// A TIMESTAMP, or a TIMESTAMP_LTZ with its `Z`, as seconds since the epoch and nanoseconds.
pub(crate) fn parse_timestamp(text: &[u8], style: TimeStyle, local_zone: bool) -> Option<(i64, i64)> {
    let text = if local_zone { text.strip_suffix(b"Z")? } else { text };
    // Nearly every timestamp has a year of four digits.
    let at = if text.len() > 10 && !text[10].is_ascii_digit() && text[10] != b'-' {
        10
    } else {
        let separator = if style == TimeStyle::Sql { b' ' } else { b'T' };
        text.iter().position(|byte| *byte == separator)?
    };
    let (date, rest) = text.split_at_checked(at)?;
    let (separator, time) = rest.split_first()?;
    let days = i64::from(parse_date(date)?);
    let nanos = match (style, separator) {
        (TimeStyle::Sql, b' ') => match time {
            // SQL's fraction may be empty after the point.
            [clock @ .., b'.'] if clock.len() == 8 => parse_time(clock)?,
            _ => parse_time(time)?,
        },
        (TimeStyle::Iso, b'T' | b't') => parse_loose_time(time)?,
        _ => return None,
    };
    Some((days * 86_400 + nanos / 1_000_000_000, nanos % 1_000_000_000))
}

/// Cuts a fraction of nanoseconds to this many digits.
pub(crate) fn truncate_nanos(nanos: i64, precision: u8) -> i64 {
    let step = 10i64.pow(9 - u32::from(precision.min(9)));
    nanos - nanos % step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        for value in [0, 1, -1, i64::MAX, i64::MIN, 999_999_999_999_999_999] {
            assert_eq!(parse_long(value.to_string().as_bytes()), Some(value));
        }
        assert_eq!(parse_long(b"+007"), Some(7));
        for wrong in [
            "",
            "-",
            "+",
            "1.0",
            "1 ",
            "9223372036854775808",
            "-9223372036854775809",
            "12345678901234567890x",
        ] {
            assert_eq!(parse_long(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(parse_integer::<i8>(b"127"), Some(127));
        assert_eq!(parse_integer::<i8>(b"128"), None);
    }

    #[test]
    fn floats() {
        assert_eq!(parse_float::<f64>(b"1.0E7"), Some(1e7));
        assert_eq!(parse_float::<f64>(b"-Infinity"), Some(f64::NEG_INFINITY));
        assert_eq!(parse_float::<f32>(b"1.5f"), Some(1.5));
        assert!(parse_float::<f64>(b"NaN").unwrap().is_nan());
        for wrong in ["", "inf", "nan", "infinity", "e5", "--1", "1,5", "1e", "abc"] {
            assert_eq!(parse_float::<f64>(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn times() {
        let at = |text: &str, style, ltz| parse_timestamp(text.as_bytes(), style, ltz);
        assert_eq!(at("1970-01-01 00:00:01.5", TimeStyle::Sql, false), Some((1, 500_000_000)));
        assert_eq!(at("1970-01-01 00:00:01.5Z", TimeStyle::Sql, true), Some((1, 500_000_000)));
        assert_eq!(at("1970-01-01T00:01", TimeStyle::Iso, false), Some((60, 0)));
        assert_eq!(at("-0001-12-31 00:00:00", TimeStyle::Sql, false).unwrap().1, 0);
        assert_eq!(at("1970-01-01 00:00:01", TimeStyle::Sql, true), None);
        assert_eq!(at("1970-01-01T00:00:01", TimeStyle::Sql, false), None);
        assert_eq!(at("1970-01-01 00:01", TimeStyle::Sql, false), None);
        assert_eq!(parse_loose_date(b"2020-1-2"), parse_loose_date(b"2020-01-02"));
        assert_eq!(parse_loose_date(b"2020-1"), None);
        assert_eq!(truncate_nanos(123_456_789, 3), 123_000_000);
        assert_eq!(trim(b" \ta b\r "), b"a b");
    }
}
