//! ABS and SIGN: the result has the type of the argument.

use arrow::array::ArrayRef;
use arrow::datatypes::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use flott_expr::decimal;
use flott_expr::function::{Argument, Call, Function, ScalarFunction, Signature, no_signature};
use flott_expr::kernel::{as_ref, decimal_array, unary, unary_opt};
use flott_expr::value::Value;
use flott_types::{Error, Result, TypeKind};

pub(super) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        Function::new("ABS", |args, _| infer("ABS", args), abs).boxed(),
        Function::new("SIGN", |args, _| infer("SIGN", args), sign).boxed(),
    ]
}

fn infer(name: &'static str, args: &[Argument<'_>]) -> Result<Signature> {
    match args {
        [arg] if arg.ty.kind.is_numeric() => Ok(Signature::as_is(args, arg.ty.clone())),
        _ => Err(no_signature(name, args, &[&format!("{name}(<NUMERIC>)")])),
    }
}

fn typed<T: ArrowPrimitiveType>(
    arg: &Value,
    call: &Call<'_>,
    f: impl Fn(T::Native) -> T::Native,
) -> Result<ArrayRef> {
    Ok(as_ref(unary::<T, T>(arg, call.rows, f)?))
}

fn abs(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let arg = &args[0];
    match &call.result.kind {
        TypeKind::TinyInt => typed::<Int8Type>(arg, call, i8::wrapping_abs),
        TypeKind::SmallInt => typed::<Int16Type>(arg, call, i16::wrapping_abs),
        TypeKind::Int => typed::<Int32Type>(arg, call, i32::wrapping_abs),
        TypeKind::BigInt => typed::<Int64Type>(arg, call, i64::wrapping_abs),
        TypeKind::Float => typed::<Float32Type>(arg, call, f32::abs),
        TypeKind::Double => typed::<Float64Type>(arg, call, f64::abs),
        TypeKind::Decimal(precision, scale) => {
            let values = unary::<Decimal128Type, Decimal128Type>(arg, call.rows, i128::wrapping_abs)?;
            decimal_array(values, (*precision, *scale))
        }
        other => Err(Error::internal(format!("ABS of {other}"))),
    }
}

/// Zeros keep their sign, NaN is NaN.
fn signum(value: f64) -> f64 {
    if value == 0.0 { value } else { value.signum() }
}

fn sign(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let arg = &args[0];
    match &call.result.kind {
        TypeKind::TinyInt => typed::<Int8Type>(arg, call, i8::signum),
        TypeKind::SmallInt => typed::<Int16Type>(arg, call, i16::signum),
        TypeKind::Int => typed::<Int32Type>(arg, call, i32::signum),
        TypeKind::BigInt => typed::<Int64Type>(arg, call, i64::signum),
        TypeKind::Float => typed::<Float32Type>(arg, call, |value| signum(value.into()) as f32),
        TypeKind::Double => typed::<Float64Type>(arg, call, signum),
        TypeKind::Decimal(precision, scale) => {
            let (precision, scale) = (*precision, *scale);
            let values = unary_opt::<Decimal128Type, Decimal128Type>(arg, call.rows, |value| {
                decimal::rescale(value.signum(), 0, scale.into(), precision)
            })?;
            decimal_array(values, (precision, scale))
        }
        other => Err(Error::internal(format!("SIGN of {other}"))),
    }
}
