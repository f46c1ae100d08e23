//! Casts from text to everything that is not text.

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanBuilder, PrimitiveArray, PrimitiveBuilder,
};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    Time32MillisecondType,
};
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::{CastOptions, temporal, unreadable};
use crate::decimal;
use crate::kernel::as_ref;
use crate::kernel::decimal_array;
use crate::time;

/// The result of a parser: a value, NULL, or the reason why the text cannot be parsed.
type Parsed<T> = Result<Option<T>, &'static str>;

pub(super) fn from_text(array: &ArrayRef, to: &LogicalType, options: CastOptions) -> Result<ArrayRef> {
    let is_try = options.is_try;
    Ok(match &to.kind {
        TypeKind::Boolean => booleans(array, to, is_try)?,
        TypeKind::TinyInt => as_ref(parse::<Int8Type>(array, to, is_try, |text| {
            integer(text).and_then(|v| i8::try_from(v).map(Some).map_err(|_| OVERFLOW))
        })?),
        TypeKind::SmallInt => as_ref(parse::<Int16Type>(array, to, is_try, |text| {
            integer(text).and_then(|v| i16::try_from(v).map(Some).map_err(|_| OVERFLOW))
        })?),
        TypeKind::Int => as_ref(parse::<Int32Type>(array, to, is_try, |text| {
            integer(text).and_then(|v| i32::try_from(v).map(Some).map_err(|_| OVERFLOW))
        })?),
        TypeKind::BigInt => as_ref(parse::<Int64Type>(array, to, is_try, |text| integer(text).map(Some))?),
        TypeKind::Float => as_ref(parse::<Float32Type>(array, to, is_try, |text| {
            real(text, |t| t.parse().ok(), |d| d as f32)
        })?),
        TypeKind::Double => {
            as_ref(parse::<Float64Type>(array, to, is_try, |text| real(text, |t| t.parse().ok(), |d| d))?)
        }
        TypeKind::Decimal(precision, scale) => {
            let (precision, scale) = (*precision, *scale);
            let values =
                parse::<Decimal128Type>(array, to, is_try, |text| decimal_of(text, precision, scale))?;
            decimal_array(values, (precision, scale))?
        }
        TypeKind::Date => {
            as_ref(parse::<Date32Type>(array, to, is_try, |text| time::parse_date(text).map(Some).ok_or(""))?)
        }
        TypeKind::Time(precision) => {
            let unit = 10i32.pow(3 - u32::from(*precision).min(3));
            as_ref(parse::<Time32MillisecondType>(array, to, is_try, |text| {
                let millis = time::parse_time(text).ok_or("")?;
                Ok(Some((millis / unit * unit).rem_euclid(time::MILLIS_OF_DAY as i32)))
            })?)
        }
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            let rows = strings(array)?.iter().map(|text| {
                match text.map(|text| (text, time::parse_timestamp(text))) {
                    None => Ok(None),
                    Some((_, Some(nanos))) => Ok(Some(nanos)),
                    Some((_, None)) if is_try => Ok(None),
                    Some((text, None)) => {
                        Err(unreadable(text, to, "It is not of the form yyyy-MM-dd HH:mm:ss.SSS."))
                    }
                }
            });
            temporal::local_to_timestamp(rows, array.len(), to, options)?
        }
        other => return Err(Error::internal(format!("no cast from text to {other}"))),
    })
}

fn strings(array: &ArrayRef) -> Result<&arrow::array::StringArray> {
    array.as_string_opt::<i32>().ok_or_else(|| Error::internal(format!("{} is not text", array.data_type())))
}

fn parse<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    to: &LogicalType,
    is_try: bool,
    parser: impl Fn(&str) -> Parsed<T::Native>,
) -> Result<PrimitiveArray<T>> {
    let input = strings(array)?;
    let mut output = PrimitiveBuilder::<T>::with_capacity(input.len());
    for text in input {
        match text.map(|text| (text, parser(text))) {
            None => output.append_null(),
            Some((_, Ok(value))) => output.append_option(value),
            Some((_, Err(_))) if is_try => output.append_null(),
            Some((text, Err(why))) => return Err(unreadable(text, to, why)),
        }
    }
    Ok(output.finish())
}

fn booleans(array: &ArrayRef, to: &LogicalType, is_try: bool) -> Result<ArrayRef> {
    let input = strings(array)?;
    let mut output = BooleanBuilder::with_capacity(input.len());
    for text in input {
        let Some(text) = text else {
            output.append_null();
            continue;
        };
        let is_any = |words: &[&str]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
        if is_any(&["t", "true", "y", "yes", "1"]) {
            output.append_value(true);
        } else if is_any(&["f", "false", "n", "no", "0"]) {
            output.append_value(false);
        } else if is_try {
            output.append_null();
        } else {
            return Err(unreadable(text, to, "It is neither true nor false."));
        }
    }
    Ok(as_ref(output.finish()))
}

const OVERFLOW: &str = "Overflow.";
const INVALID: &str = "Invalid character found.";

/// A whole number with optional sign; digits after a point are checked and dropped.
fn integer(text: &str) -> Result<i64, &'static str> {
    let bytes = text.trim_matches(' ').as_bytes();
    let (negative, digits) = match bytes {
        [] => return Err("Input is empty."),
        [b'-' | b'+'] => return Err("Input has only positive or negative symbol."),
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    };
    let point = digits.iter().position(|b| *b == b'.');
    let (whole, fraction) = digits.split_at(point.unwrap_or(digits.len()));
    // Accumulated as a negative number, so that the smallest one fits.
    let mut value = 0i64;
    for byte in whole {
        if !byte.is_ascii_digit() {
            return Err(INVALID);
        }
        let digit = i64::from(byte - b'0');
        value = value.checked_mul(10).and_then(|value| value.checked_sub(digit)).ok_or(OVERFLOW)?;
    }
    if !fraction.iter().skip(1).all(u8::is_ascii_digit) {
        return Err(INVALID);
    }
    if negative { Ok(value) } else { value.checked_neg().ok_or(OVERFLOW) }
}

/// A floating point number as Java writes it: `1.5`, `1e10`, `NaN`, `-Infinity`, `1.5f`, `0x1p3`.
fn real<T>(text: &str, parse: impl Fn(&str) -> Option<T>, from_f64: impl Fn(f64) -> T) -> Parsed<T> {
    let text = text.trim_matches(|c: char| c <= ' ');
    let (sign, unsigned) = match text.as_bytes().first() {
        None => return Err("Input is empty."),
        Some(b'-') => (-1.0, &text[1..]),
        Some(b'+') => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    match unsigned {
        "NaN" => return Ok(Some(from_f64(f64::NAN))),
        "Infinity" => return Ok(Some(from_f64(sign * f64::INFINITY))),
        _ => {}
    }
    if let Some(hex) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        return hexadecimal(hex).map(|value| Some(from_f64(sign * value))).ok_or(INVALID);
    }
    let number = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    let plain = number.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    if !plain {
        return Err(INVALID);
    }
    parse(number).map(Some).ok_or(INVALID)
}

/// Parses what follows `0x`, such as `1.8p3`.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(exponent).parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let value = u64::from_str_radix(&digits, 16).ok()?;
    Some(value as f64 * 2f64.powi(exponent - 4 * fraction.len() as i32))
}

/// DECIMAL: short text for short decimals goes through a separate parser, which is more lenient (the last
/// character may be anything) and never fails: what it cannot parse is NULL.
fn decimal_of(text: &str, precision: u8, scale: u8) -> Parsed<i128> {
    if precision <= 18 && text.len() <= 18 {
        return Ok(short_decimal(text.as_bytes(), precision, scale));
    }
    let trimmed = text.trim_matches([' ', '\n', '\t']);
    decimal::parse(trimmed, precision, scale).ok_or("It is not a decimal number.")
}

fn short_decimal(bytes: &[u8], precision: u8, scale: u8) -> Option<i128> {
    let is_space = |b: u8| matches!(b, b' ' | b'\n' | b'\t');
    let mut rest = bytes.iter().copied().skip_while(|b| is_space(*b)).peekable();
    let negative = *rest.peek()? == b'-';
    if matches!(rest.peek(), Some(b'-' | b'+')) {
        rest.next();
        rest.peek()?;
    }
    let (mut significand, mut count, mut point) = (0i128, 0i32, None);
    let mut last = 0;
    for byte in rest.by_ref() {
        last = byte;
        match byte {
            b'0'..=b'9' => {
                significand = significand * 10 + i128::from(byte - b'0');
                count += 1;
            }
            b'.' if point.is_some() => return None,
            b'.' => point = Some(count),
            _ => break,
        }
    }
    let mut exponent = 0i32;
    if matches!(last, b'e' | b'E') && rest.peek().is_some() {
        let minus = rest.peek() == Some(&b'-');
        if matches!(rest.peek(), Some(b'-' | b'+')) {
            rest.next();
            rest.peek()?;
        }
        for byte in rest.by_ref() {
            if !byte.is_ascii_digit() {
                break;
            }
            if exponent < 40 {
                exponent = exponent * 10 + i32::from(byte - b'0');
            }
        }
        exponent = if minus { -exponent } else { exponent };
    }
    exponent -= count - point.unwrap_or(count);
    if rest.any(|b| !is_space(b)) {
        return None;
    }
    if count + exponent + i32::from(scale) > precision.into() {
        return None;
    }
    decimal::rescale(if negative { -significand } else { significand }, -exponent, scale.into(), 38)
}
