//! The value of an interval literal.

use crate::ast::{IntervalQualifier, IntervalValue, TimeUnit};

/// The fields from coarse to fine: milliseconds of one, and the largest value when it is not the first.
const TIME: [(TimeUnit, i64, i64); 4] = [
    (TimeUnit::Day, 86_400_000, i64::MAX),
    (TimeUnit::Hour, 3_600_000, 23),
    (TimeUnit::Minute, 60_000, 59),
    (TimeUnit::Second, 1_000, 59),
];

/// What an interval literal is worth; `None` if its text is not of the units' form.
pub(crate) fn interval_value(
    text: &str,
    negative: bool,
    qualifier: &IntervalQualifier,
) -> Option<IntervalValue> {
    let (first, last) = (qualifier.first, qualifier.last.unwrap_or(qualifier.first));
    let (sign, digits) = match text.trim().split_at_checked(1) {
        Some(("-", rest)) => (-1, rest.trim_start()),
        Some(("+", rest)) => (1, rest.trim_start()),
        _ => (1, text.trim()),
    };
    let sign = if negative { -sign } else { sign };
    let precision = qualifier.precision.unwrap_or(2);
    let leading = |digits: &str| {
        let value = number(digits)?;
        (digits.trim_start_matches('0').len() as u64 <= precision).then_some(value)
    };
    let times = |units: i64| leading(digits)?.checked_mul(units);
    match (first, last) {
        (TimeUnit::Year, TimeUnit::Year) => Some(IntervalValue::Months(sign * times(12)?)),
        (TimeUnit::Quarter, TimeUnit::Quarter) => Some(IntervalValue::Months(sign * times(3)?)),
        (TimeUnit::Month, TimeUnit::Month) => Some(IntervalValue::Months(sign * times(1)?)),
        (TimeUnit::Year, TimeUnit::Month) => {
            let (years, months) = digits.split_once('-')?;
            let months = number(months).filter(|months| *months < 12)?;
            Some(IntervalValue::Months(sign * leading(years)?.checked_mul(12)?.checked_add(months)?))
        }
        (TimeUnit::Week, TimeUnit::Week) => Some(IntervalValue::Millis(sign * times(604_800_000)?)),
        (first, last) => {
            let from = TIME.iter().position(|(field, ..)| *field == first)?;
            let to = TIME.iter().position(|(field, ..)| *field == last).filter(|to| *to >= from)?;
            let mut rest = digits;
            let mut millis = 0i64;
            for (i, (field, unit, limit)) in TIME.iter().enumerate().take(to + 1).skip(from) {
                let (part, behind) = if i == to {
                    (rest, "")
                } else {
                    rest.split_once(if *field == TimeUnit::Day { ' ' } else { ':' })?
                };
                let (whole, fraction) = match part.split_once('.') {
                    Some((whole, fraction)) if *field == TimeUnit::Second => {
                        (whole, millis_of(fraction, qualifier.fraction)?)
                    }
                    Some(_) => return None,
                    None => (part, 0),
                };
                let value = if i == from { leading(whole)? } else { number(whole).filter(|n| n <= limit)? };
                millis = millis.checked_add(value.checked_mul(*unit)?.checked_add(fraction)?)?;
                rest = behind.trim_start();
            }
            Some(IntervalValue::Millis(sign * millis))
        }
    }
}

fn number(digits: &str) -> Option<i64> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) { None } else { digits.parse().ok() }
}

/// A fraction has no more digits than its precision, which is 6 where nothing is said.
fn millis_of(fraction: &str, precision: Option<u64>) -> Option<i64> {
    let fits = fraction.len() as u64 <= precision.unwrap_or(6);
    if !fits || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<3}")[..3].parse().ok()
}
