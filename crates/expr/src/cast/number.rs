//! Casts among BOOLEAN and numbers.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::CastOptions;
use crate::decimal;
use crate::kernel::as_ref;
use crate::kernel::decimal_array;
use crate::typing::decimal::of_exact;

/// A number of any type, in the widest representation of its kind.
#[derive(Clone, Copy)]
enum Number {
    Whole(i64),
    Real(f64),
    Decimal(i128, u8),
}

pub(super) fn to_number(
    array: &ArrayRef,
    from: &TypeKind,
    to: &LogicalType,
    options: CastOptions,
) -> Result<ArrayRef> {
    match from {
        TypeKind::Boolean => {
            let input = array.as_boolean_opt().ok_or_else(|| mismatch(array))?;
            convert(input.iter().map(|value| value.map(|value| Number::Whole(value.into()))), to, options)
        }
        TypeKind::TinyInt => whole::<Int8Type>(array, from, to, options),
        TypeKind::SmallInt => whole::<Int16Type>(array, from, to, options),
        TypeKind::Int => whole::<Int32Type>(array, from, to, options),
        TypeKind::BigInt => whole::<Int64Type>(array, from, to, options),
        TypeKind::Float => typed::<Float32Type>(array, to, options, |value| Number::Real(value.into())),
        TypeKind::Double => typed::<Float64Type>(array, to, options, Number::Real),
        TypeKind::Decimal(_, scale) => {
            let scale = *scale;
            if let TypeKind::Decimal(..) = to.kind {
                return exact::<Decimal128Type>(array, from, &to.kind);
            }
            typed::<Decimal128Type>(array, to, options, move |value| Number::Decimal(value, scale))
        }
        other => Err(Error::internal(format!("no cast from {other} to {}", to.kind))),
    }
}

fn whole<T>(array: &ArrayRef, from: &TypeKind, to: &LogicalType, options: CastOptions) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i64> + Into<i128>,
{
    match to.kind {
        TypeKind::Decimal(..) => exact::<T>(array, from, &to.kind),
        _ => typed::<T>(array, to, options, |value| Number::Whole(value.into())),
    }
}

/// Casts exact numbers to DECIMAL. The fit of each value is checked only if the target does not hold all
/// values of the type.
fn exact<T>(array: &ArrayRef, from: &TypeKind, to: &TypeKind) -> Result<ArrayRef>
where
    T: ArrowPrimitiveType,
    T::Native: Into<i128>,
{
    let input = array.as_primitive_opt::<T>().ok_or_else(|| mismatch(array))?;
    let (Some((digits, scale)), Some(result)) = (of_exact(from), of_exact(to)) else {
        return Err(Error::internal(format!("no exact cast from {from} to {to}")));
    };
    let (precision, new_scale) = result;
    let values = if new_scale >= scale && digits + (new_scale - scale) <= precision {
        let up = decimal::power10((new_scale - scale).into());
        // Wrapping, because the value under a NULL can be anything.
        input.unary::<_, Decimal128Type>(|value| {
            let value: i128 = value.into();
            value.wrapping_mul(up)
        })
    } else {
        input.unary_opt(|value| decimal::rescale(value.into(), scale.into(), new_scale.into(), precision))
    };
    decimal_array(values, result)
}

fn mismatch(array: &ArrayRef) -> Error {
    Error::internal(format!("cast of an unexpected array of type {}", array.data_type()))
}

fn typed<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    to: &LogicalType,
    options: CastOptions,
    number: impl Fn(T::Native) -> Number + Copy,
) -> Result<ArrayRef> {
    let input = array.as_primitive_opt::<T>().ok_or_else(|| mismatch(array))?;
    // The common targets process the whole value buffer, NULLs included.
    Ok(match to.kind {
        TypeKind::Boolean => as_ref(BooleanArray::from_unary(input, |value| is_true(number(value)))),
        TypeKind::TinyInt => as_ref(input.unary::<_, Int8Type>(|value| small(number(value)) as i8)),
        TypeKind::SmallInt => as_ref(input.unary::<_, Int16Type>(|value| small(number(value)) as i16)),
        TypeKind::Int => as_ref(input.unary::<_, Int32Type>(|value| small(number(value)))),
        TypeKind::BigInt => as_ref(input.unary::<_, Int64Type>(|value| long(number(value)))),
        TypeKind::Float => as_ref(input.unary::<_, Float32Type>(|value| float(number(value)))),
        TypeKind::Double => as_ref(input.unary::<_, Float64Type>(|value| double(number(value)))),
        _ => return convert(input.iter().map(|value| value.map(number)), to, options),
    })
}

fn convert(
    values: impl Iterator<Item = Option<Number>>,
    to: &LogicalType,
    options: CastOptions,
) -> Result<ArrayRef> {
    fn collect<T: ArrowPrimitiveType>(
        values: impl Iterator<Item = Option<Number>>,
        f: impl Fn(Number) -> T::Native,
    ) -> ArrayRef {
        as_ref(values.map(|value| value.map(&f)).collect::<PrimitiveArray<T>>())
    }
    Ok(match &to.kind {
        TypeKind::Boolean => as_ref(values.map(|value| value.map(is_true)).collect::<BooleanArray>()),
        TypeKind::TinyInt => collect::<Int8Type>(values, |value| small(value) as i8),
        TypeKind::SmallInt => collect::<Int16Type>(values, |value| small(value) as i16),
        TypeKind::Int => collect::<Int32Type>(values, small),
        TypeKind::BigInt => collect::<Int64Type>(values, long),
        TypeKind::Float => collect::<Float32Type>(values, float),
        TypeKind::Double => collect::<Float64Type>(values, double),
        TypeKind::Decimal(precision, scale) => {
            let (precision, scale) = (*precision, *scale);
            let values = values.map(|value| match value {
                Some(value) => to_decimal(value, precision, scale, to, options),
                None => Ok(None),
            });
            let values = values.collect::<Result<Vec<_>>>()?;
            return decimal_array(PrimitiveArray::<Decimal128Type>::from_iter(values), (precision, scale));
        }
        other => {
            debug_assert!(of_exact(other).is_none());
            return Err(Error::internal(format!("no cast from a number to {other}")));
        }
    })
}

fn is_true(value: Number) -> bool {
    match value {
        Number::Whole(value) => value != 0,
        Number::Real(value) => value != 0.0,
        Number::Decimal(value, _) => value != 0,
    }
}

/// Like Java's `(int)`: wraps integers, saturates floating point numbers.
#[inline]
fn small(value: Number) -> i32 {
    match value {
        Number::Real(value) => value as i32,
        other => long(other) as i32,
    }
}

#[inline]
fn long(value: Number) -> i64 {
    match value {
        Number::Whole(value) => value,
        Number::Real(value) => value as i64,
        Number::Decimal(value, scale) => (value / decimal::power10(scale.into())) as i64,
    }
}

#[inline]
fn float(value: Number) -> f32 {
    match value {
        Number::Whole(value) => value as f32,
        Number::Real(value) => value as f32,
        Number::Decimal(value, scale) => decimal::to_f32(value, scale),
    }
}

#[inline]
fn double(value: Number) -> f64 {
    match value {
        Number::Whole(value) => value as f64,
        Number::Real(value) => value,
        Number::Decimal(value, scale) => decimal::to_f64(value, scale),
    }
}

fn to_decimal(
    value: Number,
    precision: u8,
    scale: u8,
    to: &LogicalType,
    options: CastOptions,
) -> Result<Option<i128>> {
    Ok(match value {
        Number::Whole(value) => decimal::rescale(value.into(), 0, scale.into(), precision),
        Number::Decimal(value, from) => decimal::rescale(value, from.into(), scale.into(), precision),
        Number::Real(value) if value.is_finite() => {
            decimal::parse(&format!("{value:e}"), precision, scale).flatten()
        }
        Number::Real(_) if options.is_try => None,
        Number::Real(value) => {
            return Err(super::unreadable(&value.to_string(), to, "It is not a decimal number."));
        }
    })
}
