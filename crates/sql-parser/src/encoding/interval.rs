//! The value of an interval literal.

use sqlparser::ast::{DateTimeField, Expr, Interval, UnaryOperator};
use sqlparser::tokenizer::Span;

use super::string_literal;
use crate::error::{ParseError, Result};

/// What an interval literal is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IntervalValue {
    /// Of YEAR and MONTH: so many months.
    Months(i64),
    /// Of WEEK to SECOND: so many milliseconds. Finer fractions are cut off, as in Flink.
    Millis(i64),
}

/// Reads the value of an interval literal. The parser has done so already: it cannot fail on what it returned.
pub fn decode_interval(interval: &Interval) -> Result<IntervalValue> {
    let (text, sign, span) = match interval.value.as_ref() {
        Expr::UnaryOp { op, expr } => {
            (string_literal(expr), if *op == UnaryOperator::Minus { -1 } else { 1 }, span(expr))
        }
        value => (string_literal(value), 1, span(value)),
    };
    let text =
        text.ok_or_else(|| ParseError::new("An interval literal needs a string behind INTERVAL", span))?;
    let value = interval_value(text, interval).ok_or_else(|| {
        let unit = qualifier(interval);
        ParseError::new(format!("Illegal interval literal format '{text}' for INTERVAL {unit}"), span)
    })?;
    Ok(match value {
        IntervalValue::Months(n) => IntervalValue::Months(sign * n),
        IntervalValue::Millis(n) => IntervalValue::Millis(sign * n),
    })
}

fn span(expr: &Expr) -> Span {
    match expr {
        Expr::Value(value) => value.span,
        _ => Span::empty(),
    }
}

fn qualifier(interval: &Interval) -> String {
    let name = |field: &Option<DateTimeField>| field.as_ref().map(ToString::to_string);
    match (name(&interval.leading_field), name(&interval.last_field)) {
        (Some(first), Some(last)) => format!("{first} TO {last}"),
        (Some(first), None) => first,
        _ => String::new(),
    }
}

/// The fields from coarse to fine: milliseconds (or months) of one, and the largest value when it is not the first.
const TIME: [(DateTimeField, i64, i64); 4] = [
    (DateTimeField::Day, 86_400_000, i64::MAX),
    (DateTimeField::Hour, 3_600_000, 23),
    (DateTimeField::Minute, 60_000, 59),
    (DateTimeField::Second, 1_000, 59),
];

fn interval_value(text: &str, interval: &Interval) -> Option<IntervalValue> {
    let first = interval.leading_field.as_ref()?;
    let last = interval.last_field.as_ref().unwrap_or(first);
    let (sign, digits) = match text.trim().split_at_checked(1) {
        Some(("-", rest)) => (-1, rest.trim_start()),
        Some(("+", rest)) => (1, rest.trim_start()),
        _ => (1, text.trim()),
    };
    let precision = interval.leading_precision.unwrap_or(2);
    let leading = |digits: &str| {
        let value = number(digits)?;
        (digits.trim_start_matches('0').len() as u64 <= precision).then_some(value)
    };
    match (first, last) {
        (DateTimeField::Year, DateTimeField::Year) => {
            Some(IntervalValue::Months(sign * leading(digits)?.checked_mul(12)?))
        }
        (DateTimeField::Quarter, DateTimeField::Quarter) => {
            Some(IntervalValue::Months(sign * leading(digits)?.checked_mul(3)?))
        }
        (DateTimeField::Month, DateTimeField::Month) => Some(IntervalValue::Months(sign * leading(digits)?)),
        (DateTimeField::Year, DateTimeField::Month) => {
            let (years, months) = digits.split_once('-')?;
            let months = number(months).filter(|months| *months < 12)?;
            Some(IntervalValue::Months(sign * leading(years)?.checked_mul(12)?.checked_add(months)?))
        }
        (DateTimeField::Week(_), DateTimeField::Week(_)) => {
            Some(IntervalValue::Millis(sign * leading(digits)?.checked_mul(604_800_000)?))
        }
        (first, last) => {
            let from = TIME.iter().position(|(field, ..)| field == first)?;
            let to = TIME.iter().position(|(field, ..)| field == last).filter(|to| *to >= from)?;
            let mut rest = digits;
            let mut millis = 0i64;
            for (i, (field, unit, limit)) in TIME.iter().enumerate().take(to + 1).skip(from) {
                let (part, behind) = if i == to {
                    (rest, "")
                } else {
                    rest.split_once(if *field == DateTimeField::Day { ' ' } else { ':' })?
                };
                let (whole, fraction) = match part.split_once('.') {
                    Some((whole, fraction)) if *field == DateTimeField::Second => {
                        (whole, millis_of(fraction)?)
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

fn millis_of(fraction: &str) -> Option<i64> {
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<3}")[..3].parse().ok()
}
