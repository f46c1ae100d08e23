//! `+ - * / %` on numbers; on dates, times and intervals see [`super::interval`].
//!
//! Integers wrap around; division by zero fails for integers and decimals, and gives infinity for floating
//! point numbers. The operands are first cast to the type of the result, so that FLOAT + DOUBLE is computed
//! in FLOAT, as in Flink.

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::{
    ArrowNativeTypeOp, ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type,
};
use flott_expr::context::PlanContext;
use flott_expr::decimal::{self, Scaled};
use flott_expr::function::{Argument, Call, Function, ScalarFunction, Signature, any_nullable, no_signature};
use flott_expr::kernel::{as_ref, binary, decimal_array, try_binary, unary};
use flott_expr::typing::{common, decimal as decimal_type};
use flott_expr::value::Value;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::decimals::{self, Operation};
use super::interval;

pub(super) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        Function::new("+", |args, _| infer("+", args), add).boxed(),
        Function::new("-", |args, _| infer("-", args), subtract).boxed(),
        Function::new("*", |args, _| infer("*", args), multiply).boxed(),
        Function::new("/", |args, _| infer("/", args), divide).boxed(),
        Function::new("%", infer_modulo, modulo).aliases(&["MOD"]).boxed(),
    ]
}

fn forms(operator: &str) -> &'static [&'static str] {
    match operator {
        "+" => &[
            "<NUMERIC> + <NUMERIC>",
            "<DATETIME_INTERVAL> + <DATETIME_INTERVAL>",
            "<DATETIME> + <DATETIME_INTERVAL>",
            "<DATETIME_INTERVAL> + <DATETIME>",
        ],
        "-" => &[
            "<NUMERIC> - <NUMERIC>",
            "<DATETIME_INTERVAL> - <DATETIME_INTERVAL>",
            "<DATETIME> - <DATETIME_INTERVAL>",
            "-<NUMERIC>",
            "-<DATETIME_INTERVAL>",
        ],
        "*" => {
            &["<NUMERIC> * <NUMERIC>", "<DATETIME_INTERVAL> * <NUMERIC>", "<NUMERIC> * <DATETIME_INTERVAL>"]
        }
        "/" => &["<NUMERIC> / <NUMERIC>", "<DATETIME_INTERVAL> / <NUMERIC>"],
        _ => &["MOD(<EXACT_NUMERIC>, <EXACT_NUMERIC>)"],
    }
}

/// The operand types, with a bare NULL typed like the other side.
fn operand_types(args: &[Argument<'_>]) -> Vec<LogicalType> {
    let known = args.iter().map(|arg| &arg.ty.kind).find(|kind| **kind != TypeKind::Null);
    args.iter()
        .map(|arg| match (&arg.ty.kind, known) {
            (TypeKind::Null, Some(kind)) => kind.clone().nullable(),
            (TypeKind::Null, None) => TypeKind::Int.nullable(),
            _ => arg.ty.clone(),
        })
        .collect()
}

fn infer(operator: &'static str, args: &[Argument<'_>]) -> Result<Signature> {
    let types = operand_types(args);
    let nullable = any_nullable(args);
    let refuse = || no_signature(operator, args, forms(operator));
    match types.as_slice() {
        [one] if matches!(operator, "+" | "-") && (one.kind.is_numeric() || one.kind.is_interval()) => {
            Ok(Signature { result: one.clone(), casts: types })
        }
        [left, right] if left.kind.is_numeric() && right.kind.is_numeric() => {
            if let Some(kind) = decimal_result(operator, &left.kind, &right.kind) {
                let casts = types.iter().map(exact).collect();
                return Ok(Signature { casts, result: kind.with_nullable(nullable) });
            }
            let result = common::least_restrictive(&types).ok_or_else(refuse)?.with_nullable(nullable);
            Ok(Signature { casts: vec![result.clone(), result.clone()], result })
        }
        [left, right] => {
            let (casts, result) = interval::infer(operator, left, right).ok_or_else(refuse)?;
            Ok(Signature { casts, result: result.with_nullable(nullable) })
        }
        _ => Err(refuse()),
    }
}

/// The type of an operation on exact numbers, at least one of which is a DECIMAL.
fn decimal_result(operator: &str, left: &TypeKind, right: &TypeKind) -> Option<TypeKind> {
    if !left.is_decimal() && !right.is_decimal() {
        return None;
    }
    let (left, right) = (decimal_type::of_exact(left)?, decimal_type::of_exact(right)?);
    let (precision, scale) = match operator {
        "+" | "-" => decimal_type::add(left, right),
        "*" => decimal_type::multiply(left, right),
        "/" => decimal_type::divide(left, right),
        _ => decimal_type::modulo(left, right),
    };
    Some(TypeKind::Decimal(precision, scale))
}

/// The DECIMAL that holds the type's values exactly.
fn exact(ty: &LogicalType) -> LogicalType {
    match decimal_type::of_exact(&ty.kind) {
        Some((precision, scale)) => TypeKind::Decimal(precision, scale).with_nullable(ty.nullable),
        None => ty.clone(),
    }
}

/// The result of MOD has the type of its second argument, unless fraction digits are involved.
fn infer_modulo(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    let types = operand_types(args);
    let nullable = any_nullable(args);
    let [left, right] = types.as_slice() else {
        return Err(no_signature("MOD", args, forms("%")));
    };
    let (Some(a), Some(b)) = (decimal_type::of_exact(&left.kind), decimal_type::of_exact(&right.kind)) else {
        return Err(no_signature("%", args, forms("%")));
    };
    let decimals = left.kind.is_decimal() || right.kind.is_decimal();
    if decimals && (a.1 > 0 || b.1 > 0 || right.kind.is_decimal()) {
        let (precision, scale) = if a.1 == 0 && b.1 == 0 { b } else { decimal_type::modulo(a, b) };
        let result = TypeKind::Decimal(precision, scale).with_nullable(nullable);
        return Ok(Signature { casts: types.iter().map(exact).collect(), result });
    }
    let result = right.kind.clone().with_nullable(nullable);
    // The remainder is computed in the wider type, so that a large dividend is not truncated.
    let wide = TypeKind::BigInt;
    Ok(Signature { casts: vec![wide.clone().nullable(), wide.nullable()], result })
}

/// Picks the typed loop for the type of the result.
macro_rules! by_type {
    ($call:expr, $args:expr, int: $int:ident, float: $float:ident, decimal: $decimal:expr) => {{
        let (args, call): (&[Value], &Call<'_>) = ($args, $call);
        match &call.result.kind {
            TypeKind::TinyInt => $int::<Int8Type>(args, call),
            TypeKind::SmallInt => $int::<Int16Type>(args, call),
            TypeKind::Int => $int::<Int32Type>(args, call),
            TypeKind::BigInt => $int::<Int64Type>(args, call),
            TypeKind::Float => $float::<Float32Type>(args, call),
            TypeKind::Double => $float::<Float64Type>(args, call),
            TypeKind::Decimal(..) => decimals::evaluate($decimal, args, call),
            other => Err(Error::internal(format!("no arithmetic on {other}"))),
        }
    }};
}

fn add(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    if args.len() == 1 {
        return args[0].to_array(call.rows);
    }
    if !call.result.kind.is_numeric() {
        return interval::add(args, call, 1);
    }
    fn typed<T: ArrowPrimitiveType>(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
        Ok(as_ref(binary::<T, T, T>(&args[0], &args[1], call.rows, |a, b| a.add_wrapping(b))?))
    }
    by_type!(call, args, int: typed, float: typed, decimal: Operation::Add)
}

fn subtract(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    if args.len() == 1 {
        return negate(&args[0], call);
    }
    if !call.result.kind.is_numeric() {
        return interval::add(args, call, -1);
    }
    fn typed<T: ArrowPrimitiveType>(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
        Ok(as_ref(binary::<T, T, T>(&args[0], &args[1], call.rows, |a, b| a.sub_wrapping(b))?))
    }
    by_type!(call, args, int: typed, float: typed, decimal: Operation::Subtract)
}

fn multiply(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    if !call.result.kind.is_numeric() {
        return interval::multiply(args, call);
    }
    fn typed<T: ArrowPrimitiveType>(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
        Ok(as_ref(binary::<T, T, T>(&args[0], &args[1], call.rows, |a, b| a.mul_wrapping(b))?))
    }
    by_type!(call, args, int: typed, float: typed, decimal: Operation::Multiply)
}

fn divide(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    if !call.result.kind.is_numeric() {
        return interval::divide(args, call);
    }
    fn whole<T: ArrowPrimitiveType>(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
        Ok(as_ref(try_binary::<T, T, T>(&args[0], &args[1], call.rows, |a, b| {
            if b.is_zero() { Err(division_by_zero()) } else { Ok(Some(a.div_wrapping(b))) }
        })?))
    }
    fn real<T: ArrowPrimitiveType>(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
        Ok(as_ref(binary::<T, T, T>(&args[0], &args[1], call.rows, |a, b| a.div_wrapping(b))?))
    }
    fn quotient(a: Scaled, b: Scaled, result: (u8, u8)) -> Option<i128> {
        decimal::divide(a, b, result)
    }
    match &call.result.kind {
        TypeKind::Decimal(..) => fallible_decimals(args, call, quotient),
        TypeKind::TinyInt => whole::<Int8Type>(args, call),
        TypeKind::SmallInt => whole::<Int16Type>(args, call),
        TypeKind::Int => whole::<Int32Type>(args, call),
        TypeKind::BigInt => whole::<Int64Type>(args, call),
        TypeKind::Float => real::<Float32Type>(args, call),
        TypeKind::Double => real::<Float64Type>(args, call),
        other => Err(Error::internal(format!("no division that gives {other}"))),
    }
}

fn modulo(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    if call.result.kind.is_decimal() {
        return fallible_decimals(args, call, decimal::remainder);
    }
    fn typed<T: ArrowPrimitiveType>(
        args: &[Value],
        call: &Call<'_>,
        cut: impl Fn(i64) -> T::Native,
    ) -> Result<ArrayRef> {
        if let Some(Some(divisor)) = args[1].view::<Int64Array>()?.constant().filter(|b| *b != Some(0)) {
            return Ok(as_ref(unary::<Int64Type, T>(&args[0], call.rows, |a| cut(a.wrapping_rem(divisor)))?));
        }
        Ok(as_ref(try_binary::<Int64Type, Int64Type, T>(&args[0], &args[1], call.rows, |a, b| match b {
            0 => Err(division_by_zero()),
            b => Ok(Some(cut(a.wrapping_rem(b)))),
        })?))
    }
    match call.result.kind {
        TypeKind::TinyInt => typed::<Int8Type>(args, call, |rest| rest as i8),
        TypeKind::SmallInt => typed::<Int16Type>(args, call, |rest| rest as i16),
        TypeKind::Int => typed::<Int32Type>(args, call, |rest| rest as i32),
        _ => typed::<Int64Type>(args, call, |rest| rest),
    }
}

/// The error for a division by zero at run time.
pub(super) fn division_by_zero() -> Error {
    Error::data("Division by zero")
}

fn operands(call: &Call<'_>) -> Result<(u8, u8, (u8, u8))> {
    let scale = |ty: &LogicalType| decimal_type::of_exact(&ty.kind).map(|(_, scale)| scale);
    match (call.arg_types, decimal_type::of_exact(&call.result.kind)) {
        ([left, right], Some(result)) => match (scale(left), scale(right)) {
            (Some(left), Some(right)) => Ok((left, right, result)),
            _ => Err(Error::internal("decimal arithmetic on other types")),
        },
        _ => Err(Error::internal("decimal arithmetic takes two operands")),
    }
}

fn fallible_decimals(
    args: &[Value],
    call: &Call<'_>,
    f: fn(Scaled, Scaled, (u8, u8)) -> Option<i128>,
) -> Result<ArrayRef> {
    let (s1, s2, result) = operands(call)?;
    let values = try_binary::<Decimal128Type, Decimal128Type, Decimal128Type>(
        &args[0],
        &args[1],
        call.rows,
        |a, b| {
            if b == 0 { Err(division_by_zero()) } else { Ok(f((a, s1), (b, s2), result)) }
        },
    )?;
    decimal_array(values, result)
}

fn negate(arg: &Value, call: &Call<'_>) -> Result<ArrayRef> {
    fn typed<T: ArrowPrimitiveType>(arg: &Value, call: &Call<'_>) -> Result<ArrayRef> {
        Ok(as_ref(unary::<T, T>(arg, call.rows, |value| value.neg_wrapping())?))
    }
    match &call.result.kind {
        TypeKind::TinyInt => typed::<Int8Type>(arg, call),
        TypeKind::SmallInt => typed::<Int16Type>(arg, call),
        TypeKind::Int => typed::<Int32Type>(arg, call),
        TypeKind::BigInt => typed::<Int64Type>(arg, call),
        TypeKind::Float => Ok(as_ref(unary::<Float32Type, Float32Type>(arg, call.rows, |value| -value)?)),
        TypeKind::Double => Ok(as_ref(unary::<Float64Type, Float64Type>(arg, call.rows, |value| -value)?)),
        TypeKind::Decimal(precision, scale) => {
            let values =
                unary::<Decimal128Type, Decimal128Type>(arg, call.rows, |value| value.wrapping_neg())?;
            decimal_array(values, (*precision, *scale))
        }
        _ => interval::negate(arg, call),
    }
}
