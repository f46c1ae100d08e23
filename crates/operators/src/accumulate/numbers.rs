//! Converts numbers of any width to the widest of their kind, and back.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float32Array, Float64Array, PrimitiveArray};
use arrow::buffer::NullBuffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::support::kernel;

/// Calls a macro with the arrow type behind an integer data type.
macro_rules! with_integer {
    ($data_type:expr, $call:ident) => {
        match $data_type {
            ::arrow::datatypes::DataType::Int8 => $call!(::arrow::datatypes::Int8Type),
            ::arrow::datatypes::DataType::Int16 => $call!(::arrow::datatypes::Int16Type),
            ::arrow::datatypes::DataType::Int32 => $call!(::arrow::datatypes::Int32Type),
            ::arrow::datatypes::DataType::Int64 => $call!(::arrow::datatypes::Int64Type),
            other => {
                return Err(::flott_types::Error::internal(format!("an integer was expected, not {other}")));
            }
        }
    };
}
pub(super) use with_integer;

/// The greatest DECIMAL of any precision, plus one.
const DECIMAL_END: i128 = 10i128.pow(38);

/// Integers as a column of an integer type; integers that are too large wrap around, as in Flink.
pub(super) fn integers(ty: &LogicalType, values: &[i64], nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    fn narrow<T: ArrowPrimitiveType>(
        values: &[i64],
        nulls: Option<NullBuffer>,
        wrap: impl Fn(i64) -> T::Native,
    ) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::new(values.iter().map(|value| wrap(*value)).collect(), nulls))
    }
    Ok(match ty.kind {
        TypeKind::TinyInt => narrow::<Int8Type>(values, nulls, |value| value as i8),
        TypeKind::SmallInt => narrow::<Int16Type>(values, nulls, |value| value as i16),
        TypeKind::Int => narrow::<Int32Type>(values, nulls, |value| value as i32),
        TypeKind::BigInt => narrow::<Int64Type>(values, nulls, |value| value),
        _ => {
            return Err(Error::unsupported(format!("an aggregate of integers with result type {ty}")));
        }
    })
}

/// Numbers as a column of any numeric type, with the semantics of a CAST from DOUBLE.
pub(super) fn doubles(ty: &LogicalType, values: &[Option<f64>]) -> Result<ArrayRef> {
    let nulls = || values.iter().map(Option::is_some).collect::<NullBuffer>();
    let plain = || values.iter().map(|value| value.unwrap_or_default());
    Ok(match ty.kind {
        TypeKind::Double => Arc::new(values.iter().copied().collect::<Float64Array>()),
        TypeKind::Float => {
            Arc::new(values.iter().map(|value| value.map(|v| v as f32)).collect::<Float32Array>())
        }
        TypeKind::BigInt => integers(ty, &plain().map(|v| v as i64).collect::<Vec<_>>(), Some(nulls()))?,
        TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int => {
            integers(ty, &plain().map(|v| i64::from(v as i32)).collect::<Vec<_>>(), Some(nulls()))?
        }
        TypeKind::Decimal(precision, scale) => {
            let values = values.iter().map(|value| value.and_then(|v| decimal_of(v, precision, scale)));
            decimals(ty, values.collect())?
        }
        _ => {
            return Err(Error::unsupported(format!("an aggregate of numbers with result type {ty}")));
        }
    })
}

/// Unscaled decimals as a column of a DECIMAL type.
pub(super) fn decimals(ty: &LogicalType, values: Vec<Option<i128>>) -> Result<ArrayRef> {
    let array = PrimitiveArray::<Decimal128Type>::from(values);
    Ok(Arc::new(array.with_data_type(flott_batch::arrow_type::to_arrow(ty))))
}

/// Any numeric column as DOUBLE.
pub(super) fn as_doubles(column: &ArrayRef) -> Result<Float64Array> {
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let cast = cast_with_options(column, &DataType::Float64, &options).map_err(kernel)?;
    Ok(cast.as_primitive::<Float64Type>().clone())
}

/// The sum, or `None` if it has more digits than a DECIMAL.
pub(super) fn decimal_sum(a: i128, b: i128) -> Option<i128> {
    a.checked_add(b).filter(|sum| sum.abs() < DECIMAL_END)
}

/// `sum / count` with more or fewer digits after the point, halves rounded away from zero.
pub(super) fn decimal_average(sum: i128, from_scale: u8, count: i64, to_scale: u8) -> Option<i128> {
    let shift = i32::from(to_scale) - i32::from(from_scale);
    let (numerator, denominator) = if shift >= 0 {
        let Some(shifted) = 10i128.checked_pow(shift as u32).and_then(|factor| sum.checked_mul(factor))
        else {
            return long_average(sum, shift as u32, count);
        };
        (shifted, i128::from(count))
    } else {
        (sum, i128::from(count).checked_mul(10i128.checked_pow(-shift as u32)?)?)
    };
    Some(divide_half_up(numerator, denominator))
}

/// The same if the shifted sum has more than 38 digits: computed as quotient and remainder.
fn long_average(sum: i128, shift: u32, count: i64) -> Option<i128> {
    let count = i128::from(count);
    let factor = 10i128.checked_pow(shift)?;
    let whole = (sum / count).checked_mul(factor)?;
    let rest = divide_half_up((sum % count).checked_mul(factor)?, count);
    decimal_sum(whole, rest)
}

fn divide_half_up(numerator: i128, denominator: i128) -> i128 {
    let (quotient, rest) = (numerator / denominator, numerator % denominator);
    if rest.unsigned_abs() * 2 >= denominator.unsigned_abs() {
        quotient + if (numerator < 0) == (denominator < 0) { 1 } else { -1 }
    } else {
        quotient
    }
}

/// Converts a DOUBLE to an unscaled decimal by its shortest text, as Java's `BigDecimal.valueOf` does.
fn decimal_of(value: f64, precision: u8, scale: u8) -> Option<i128> {
    if !value.is_finite() {
        return None;
    }
    let mut text = format!("{value}");
    // Of two shortest texts that are equally near, Java takes the one with the even digit.
    let quarter = value.fract().abs();
    if (quarter == 0.25 || quarter == 0.75) && text.len() - text.find('.').unwrap_or(0) == 2 {
        text.pop();
        text.push(if quarter == 0.25 { '2' } else { '8' });
    }
    let (digits, negative) = text.strip_prefix('-').map_or((text.as_str(), false), |digits| (digits, true));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let kept = &fraction[..fraction.len().min(scale as usize)];
    let mut unscaled: i128 = format!("{whole}{kept}").parse().ok()?;
    unscaled = unscaled.checked_mul(10i128.checked_pow(u32::from(scale) - kept.len() as u32)?)?;
    if fraction.as_bytes().get(scale as usize).is_some_and(|digit| *digit >= b'5') {
        unscaled += 1;
    }
    let fits = unscaled < 10i128.pow(u32::from(precision));
    fits.then_some(if negative { -unscaled } else { unscaled })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_round_halves_away_from_zero() {
        assert_eq!(decimal_average(5, 0, 2, 0), Some(3));
        assert_eq!(decimal_average(-5, 0, 2, 0), Some(-3));
        assert_eq!(decimal_average(550, 2, 3, 6), Some(1_833_333));
        let nearly = 10i128.pow(37) * 9;
        assert_eq!(decimal_average(nearly, 0, 3_000_000, 2), Some(nearly / 30_000));
    }

    #[test]
    fn doubles_become_decimals_by_their_shortest_text() {
        assert_eq!(decimal_of(47_140_452.079_103, 38, 4), Some(471_404_520_791));
        assert_eq!(decimal_of(1_777_777_726_355_558.0 + 0.25, 38, 6), Some(1_777_777_726_355_558_200_000));
        assert_eq!(decimal_of(-0.000_000_5, 38, 6), Some(-1));
        assert_eq!(decimal_of(1e30, 20, 0), None);
        assert_eq!(decimal_of(f64::NAN, 20, 0), None);
    }
}
