//! CEIL, FLOOR, ROUND, TRUNCATE of numbers. CEIL and FLOOR to a unit of time belong to the temporal family.

use arrow::array::{ArrayRef, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use flott_expr::decimal::{self, power10};
use flott_expr::function::{Argument, Call, Function, ScalarFunction, Signature, any_nullable, no_signature};
use flott_expr::kernel::{as_ref, decimal_array, try_binary, unary, unary_opt};
use flott_expr::typing::decimal as decimal_type;
use flott_expr::value::Value;
use flott_plan::Literal;
use flott_types::{Error, Result, TypeKind};

use crate::temporal;

pub(super) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        Function::new("CEIL", |args, _| infer_whole("CEIL", args), |args, call| whole(args, call, true))
            .aliases(&["CEILING"])
            .boxed(),
        Function::new("FLOOR", |args, _| infer_whole("FLOOR", args), |args, call| whole(args, call, false))
            .boxed(),
        Function::new(
            "ROUND",
            |args, _| infer_digits("ROUND", args),
            |args, call| to_digits(args, call, true),
        )
        .boxed(),
        Function::new(
            "TRUNCATE",
            |args, _| infer_digits("TRUNCATE", args),
            |args, call| to_digits(args, call, false),
        )
        .boxed(),
    ]
}

fn infer_whole(name: &'static str, args: &[Argument<'_>]) -> Result<Signature> {
    match args {
        [arg] if arg.ty.kind.is_numeric() => {
            let kind = match arg.ty.kind {
                TypeKind::Decimal(precision, _) => TypeKind::Decimal(precision, 0),
                ref kind => kind.clone(),
            };
            Ok(Signature::as_is(args, kind.with_nullable(arg.ty.nullable)))
        }
        [arg, _] if arg.ty.kind.is_datetime() => temporal::infer_round(name, args),
        _ => Err(no_signature(
            name,
            args,
            &[&format!("{name}(<NUMERIC>)"), &format!("{name}(<DATETIME> TO <TIME_UNIT>)")],
        )),
    }
}

fn whole(args: &[Value], call: &Call<'_>, up: bool) -> Result<ArrayRef> {
    if args.len() == 2 {
        let direction = if up { temporal::Direction::Up } else { temporal::Direction::Down };
        return temporal::round(args, call, direction);
    }
    let arg = &args[0];
    match (&call.arg_types[0].kind, &call.result.kind) {
        (_, TypeKind::Float) => {
            let f = if up { f32::ceil } else { f32::floor };
            Ok(as_ref(unary::<Float32Type, Float32Type>(arg, call.rows, f)?))
        }
        (_, TypeKind::Double) => {
            let f = if up { f64::ceil } else { f64::floor };
            Ok(as_ref(unary::<Float64Type, Float64Type>(arg, call.rows, f)?))
        }
        (TypeKind::Decimal(_, scale), TypeKind::Decimal(precision, _)) => {
            let (unit, precision) = (power10(u32::from(*scale)), *precision);
            let values = unary_opt::<Decimal128Type, Decimal128Type>(arg, call.rows, |value| {
                let down = value.div_euclid(unit);
                decimal::fit(if up && down * unit != value { down + 1 } else { down }, precision)
            })?;
            decimal_array(values, (precision, 0))
        }
        _ => arg.to_array(call.rows),
    }
}

fn infer_digits(name: &'static str, args: &[Argument<'_>]) -> Result<Signature> {
    let forms = [format!("{name}(<NUMERIC>)"), format!("{name}(<NUMERIC>, <INTEGER>)")];
    let refuse = || no_signature(name, args, &[&forms[0], &forms[1]]);
    let (value, digits) = match args {
        [value] => (value, Some(0)),
        [value, digits] if digits.ty.kind.is_integer() || digits.ty.kind == TypeKind::Null => {
            let digits = match digits.literal {
                Some(Literal::Integer(digits)) => Some(*digits),
                _ => None,
            };
            (value, digits)
        }
        _ => return Err(refuse()),
    };
    if !value.ty.kind.is_numeric() {
        return Err(refuse());
    }
    let kind = match (&value.ty.kind, digits) {
        (TypeKind::Decimal(precision, scale), Some(digits)) => {
            let (precision, scale) = decimal_type::round((*precision, *scale), digits);
            TypeKind::Decimal(precision, scale)
        }
        (kind, _) => kind.clone(),
    };
    let mut casts = vec![value.ty.clone()];
    if args.len() == 2 {
        casts.push(TypeKind::Int.with_nullable(args[1].ty.nullable));
    }
    Ok(Signature { casts, result: kind.with_nullable(any_nullable(args)) })
}

fn to_digits(args: &[Value], call: &Call<'_>, half_up: bool) -> Result<ArrayRef> {
    let none = Value::constant(as_ref(PrimitiveArray::<Int32Type>::from(vec![0])));
    let digits = args.get(1).unwrap_or(&none);
    let value = &args[0];
    fn typed<T: ArrowPrimitiveType>(
        value: &Value,
        digits: &Value,
        rows: usize,
        f: impl Fn(T::Native, i32) -> T::Native,
    ) -> Result<ArrayRef> {
        Ok(as_ref(try_binary::<T, Int32Type, T>(value, digits, rows, |value, digits| {
            Ok(Some(f(value, digits)))
        })?))
    }
    let rows = call.rows;
    let long = |value: i64, digits: i32| round_whole(value.into(), digits, half_up) as i64;
    match &call.result.kind {
        TypeKind::TinyInt => {
            typed::<Int8Type>(value, digits, rows, |value, digits| long(value.into(), digits) as i8)
        }
        TypeKind::SmallInt => {
            typed::<Int16Type>(value, digits, rows, |v, digits| long(v.into(), digits) as i16)
        }
        TypeKind::Int => {
            typed::<Int32Type>(value, digits, rows, |value, digits| long(value.into(), digits) as i32)
        }
        TypeKind::BigInt => typed::<Int64Type>(value, digits, rows, long),
        TypeKind::Float => typed::<Float32Type>(value, digits, rows, |value, digits| {
            round_real(value.into(), digits, half_up) as f32
        }),
        TypeKind::Double => {
            typed::<Float64Type>(value, digits, rows, |value, digits| round_real(value, digits, half_up))
        }
        TypeKind::Decimal(precision, scale) => {
            let TypeKind::Decimal(_, from) = call.arg_types[0].kind else {
                return Err(Error::internal("ROUND to DECIMAL of another type"));
            };
            let (precision, scale) = (*precision, *scale);
            let values = try_binary::<Decimal128Type, Int32Type, Decimal128Type>(
                value,
                digits,
                rows,
                |value, digits| {
                    if digits >= from.into() {
                        return Ok(decimal::fit(value, precision));
                    }
                    // The unscaled value at the new scale. If the digits are not constant, the type keeps its
                    // scale, and Flink reads the same unscaled value at that scale.
                    let shift = i32::from(from) - digits;
                    let cut = round_whole(value, -shift, half_up);
                    let kept = if digits < 0 { from.into() } else { shift.clamp(0, 38) as u32 };
                    let unscaled = cut / power10(kept);
                    debug_assert!(digits < 0 || digits <= scale.into());
                    Ok(decimal::fit(unscaled, precision))
                },
            )?;
            decimal_array(values, (precision, scale))
        }
        other => Err(Error::internal(format!("ROUND of {other}"))),
    }
}

/// A whole number rounded (away from zero) or truncated at a digit: -2 is the hundreds. Digits after the
/// point change nothing.
fn round_whole(value: i128, digits: i32, half_up: bool) -> i128 {
    match digits {
        0.. => value,
        -38..=-1 => {
            let unit = power10(digits.unsigned_abs());
            let rest = value % unit;
            let down = value - rest;
            let up = half_up && rest.unsigned_abs() >= unit.unsigned_abs() - rest.unsigned_abs();
            if up { down.saturating_add(unit * value.signum()) } else { down }
        }
        _ => 0,
    }
}

/// A floating point number rounded or truncated in its printed decimal form.
fn round_real(value: f64, digits: i32, half_up: bool) -> f64 {
    if !value.is_finite() || value == 0.0 {
        return value;
    }
    let text = format!("{:e}", value.abs());
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return value;
    };
    let shown: Vec<u8> = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    let keep = exponent.parse::<i64>().unwrap_or(0) + 1 + i64::from(digits);
    if keep >= shown.len() as i64 {
        return value;
    }
    if keep < 0 {
        return 0.0;
    }
    let (kept, dropped) = shown.split_at(keep as usize);
    let number = kept.iter().fold(0u64, |number, digit| number * 10 + u64::from(digit - b'0'));
    let number = number + u64::from(half_up && dropped[0] >= b'5');
    let rounded: f64 = format!("{number}e{}", -i64::from(digits)).parse().unwrap_or(value);
    if number == 0 { 0.0 } else { rounded.copysign(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers() {
        assert_eq!(round_whole(12345, -2, true), 12300);
        assert_eq!(round_whole(15, -1, true), 20);
        assert_eq!(round_whole(-15, -1, true), -20);
        assert_eq!(round_whole(-19, -1, false), -10);
        assert_eq!(round_whole(i64::MAX.into(), -19, true) as i64, -8_446_744_073_709_551_616);
    }

    #[test]
    fn real_numbers_round_as_they_are_printed() {
        assert_eq!(round_real(1.005, 2, true), 1.01);
        assert_eq!(round_real(2.5, 0, true), 3.0);
        assert_eq!(round_real(-2.25, 1, true), -2.3);
        assert_eq!(round_real(0.5, 0, true), 1.0);
        assert_eq!(round_real(0.05, 0, true), 0.0);
        assert_eq!(round_real(-0.99, 0, false), 0.0);
        assert_eq!(round_real(1234.5678, -2, true), 1200.0);
        assert_eq!(round_real(f64::MAX, 1, true), f64::MAX);
    }
}
