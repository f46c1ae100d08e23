//! Reads dates, times, timestamps and decimals from text. Each function consumes the whole text or returns
//! `None`.

use super::{days_from_civil, days_of_month};

/// `yyyy-MM-dd` as days since 1970-01-01. The year may have more digits and a minus sign; month and day
/// exactly two. A day that the month does not have is refused.
pub fn parse_date(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (year, rest) = digits.split_at_checked(digits.len().checked_sub(6)?)?;
    let &[b'-', m1, m2, b'-', d1, d2] = rest else {
        return None;
    };
    if year.len() < 4 || year.len() > 6 {
        return None;
    }
    let year = number(year)?;
    let year = if negative { -year } else { year };
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    i32::try_from(days_from_civil(year, month, day)).ok()
}

/// `HH:mm:ss` with up to nine digits of a fraction, as nanoseconds of the day.
pub fn parse_time(text: &[u8]) -> Option<i64> {
    let (clock, fraction) = text.split_at_checked(8)?;
    let &[h1, h2, b':', m1, m2, b':', s1, s2] = clock else {
        return None;
    };
    let (hour, minute, second) = (two(h1, h2)?, two(m1, m2)?, two(s1, s2)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = match fraction.split_first() {
        None => 0,
        Some((b'.', digits)) => parse_fraction(digits)?,
        Some(_) => return None,
    };
    Some(i64::from(hour * 3_600 + minute * 60 + second) * 1_000_000_000 + nanos)
}

/// Up to nine digits after the point, as nanoseconds.
pub fn parse_fraction(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    Some(number(digits)? * 10i64.pow(9 - digits.len() as u32))
}

/// A date and a time with this byte between them, as seconds since the epoch and nanoseconds within the
/// second.
pub fn parse_timestamp(text: &[u8], separator: u8) -> Option<(i64, i64)> {
    let at = text.iter().skip(1).position(|byte| *byte == separator)? + 1;
    let days = i64::from(parse_date(&text[..at])?);
    let nanos = parse_time(&text[at + 1..])?;
    Some((days * 86_400 + nanos / 1_000_000_000, nanos % 1_000_000_000))
}

/// A decimal number, perhaps with an exponent, as an unscaled value of DECIMAL(precision, scale), rounded
/// half up. `None` also if the precision is not sufficient.
pub fn parse_decimal(text: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        None => (text, 0),
        Some(at) => (&text[..at], signed(&text[at + 1..])?),
    };
    let (negative, digits) = match mantissa.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, mantissa),
    };
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        None => (digits, &[][..]),
        Some(at) => (&digits[..at], &digits[at + 1..]),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut all = whole.iter().chain(fraction);
    if !all.clone().all(u8::is_ascii_digit) {
        return None;
    }
    // The kept digits end `scale` places after the point, which the exponent has moved.
    let kept = whole.len() as i64 + i64::from(exponent) + i64::from(scale);
    let limit = 10i128.checked_pow(precision.into())?;
    let mut value = 0i128;
    let mut taken = 0i64;
    while taken < kept {
        let Some(byte) = all.next() else { break };
        value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
        if value >= limit {
            return None;
        }
        taken += 1;
    }
    if taken < kept {
        if value != 0 {
            value = value.checked_mul(10i128.checked_pow(u32::try_from(kept - taken).ok()?)?)?;
        }
    } else if kept >= 0 && all.next().is_some_and(|byte| *byte >= b'5') {
        value += 1;
    }
    (value < limit).then_some(if negative { -value } else { value })
}

/// Whether the text is a decimal number at all, whatever its size: the reason why [`parse_decimal`] returned
/// `None`.
pub fn is_decimal(text: &[u8]) -> bool {
    let (mantissa, exponent) = match text.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        None => (text, None),
        Some(at) => (&text[..at], Some(&text[at + 1..])),
    };
    let digits = |text: &[u8]| {
        let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text).to_vec();
        (!text.is_empty()).then_some(text)
    };
    let whole = digits(mantissa).is_some_and(|digits| {
        digits.iter().filter(|byte| **byte == b'.').count() <= 1
            && digits.iter().any(u8::is_ascii_digit)
            && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
    });
    whole
        && exponent
            .is_none_or(|text| digits(text).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit)))
}

fn signed(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let value =
        i32::try_from(number(digits.get(..digits.len().min(9))?)?).ok().filter(|_| digits.len() <= 9)?;
    Some(if negative { -value } else { value })
}

fn number(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    digits
        .iter()
        .try_fold(0i64, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

fn two(tens: u8, ones: u8) -> Option<u32> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let date = |text: &str| parse_date(text.as_bytes());
        assert_eq!(date("1970-01-01"), Some(0));
        assert_eq!(date("2000-02-29"), Some(11_016));
        assert_eq!(date("-0001-12-31"), Some(-719_529));
        assert_eq!(date("10000-01-01"), Some(2_932_897));
        for wrong in [
            "",
            "2001-02-29",
            "1900-02-29",
            "2000-13-01",
            "2000-00-01",
            "2000-1-01",
            "200-01-01",
            "x000-01-01",
        ] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn timestamps() {
        let timestamp = |text: &str| parse_timestamp(text.as_bytes(), b' ');
        assert_eq!(timestamp("1970-01-02 00:00:01.5"), Some((86_401, 500_000_000)));
        assert_eq!(timestamp("1969-12-31 23:59:59.999999999"), Some((-1, 999_999_999)));
        for wrong in [
            "1970-01-02",
            "1970-01-02T00:00:01",
            "1970-01-02 24:00:00",
            "1970-01-02 00:00:01.",
            "1970-01-02 00:00:01.1234567890",
        ] {
            assert_eq!(timestamp(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn decimals() {
        let decimal = |text: &str| parse_decimal(text.as_bytes(), 10, 2);
        for (text, unscaled) in [
            ("1", 100),
            ("-1.5", -150),
            ("+.5", 50),
            ("1.", 100),
            ("1.005", 101),
            ("-1.005", -101),
            ("1.0049", 100),
            ("1e3", 100_000),
            ("125E-2", 125),
            ("1E-3", 0),
            ("5E-3", 1),
            ("0.005", 1),
            ("9E-3", 1),
            ("9E-4", 0),
            ("0e99", 0),
            ("99999999.99", 9_999_999_999),
        ] {
            assert_eq!(decimal(text), Some(unscaled), "{text}");
        }
        for wrong in
            ["", "-", ".", "1x", "1e", "1e1000000000", "100000000", "99999999.995", "1e9", "0x1", " 1"]
        {
            assert_eq!(decimal(wrong), None, "{wrong}");
        }
        assert_eq!(parse_decimal(b"99999999999999999999999999999999999999", 38, 0), Some(10i128.pow(38) - 1));
    }
}
