//! Functions of real numbers: every argument is cast to DOUBLE, and the result is DOUBLE. Undefined results
//! are NaN or infinite as in Java, never an error.

use std::f64::consts::{E, LN_2, PI};

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::Float64Type;
use flott_expr::function::{Argument, Call, Function, ScalarFunction, Signature, any_nullable, no_signature};
use flott_expr::kernel::{as_ref, binary, unary};
use flott_expr::value::Value;
use flott_types::{Result, TypeKind};

/// A row of the table: name, function.
macro_rules! real {
    ($name:literal, $f:expr) => {
        Function::new(
            $name,
            |args, _| infer($name, args, 1),
            |args, call| Ok(as_ref(unary::<Float64Type, Float64Type>(&args[0], call.rows, $f)?)),
        )
        .boxed()
    };
    ($name:literal, 2, $f:expr) => {
        Function::new(
            $name,
            |args, _| infer($name, args, 2),
            |args, call| {
                Ok(as_ref(binary::<Float64Type, Float64Type, Float64Type>(
                    &args[0], &args[1], call.rows, $f,
                )?))
            },
        )
        .boxed()
    };
}

pub(super) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        real!("ACOS", f64::acos),
        real!("ASIN", f64::asin),
        real!("ATAN", f64::atan),
        real!("ATAN2", 2, f64::atan2),
        real!("COS", f64::cos),
        real!("COSH", f64::cosh),
        real!("COT", |x: f64| 1.0 / x.tan()),
        real!("DEGREES", |x: f64| x * (180.0 / PI)),
        real!("EXP", f64::exp),
        real!("LN", f64::ln),
        real!("LOG10", f64::log10),
        real!("LOG2", |x: f64| x.ln() / LN_2),
        real!("POWER", 2, f64::powf),
        real!("RADIANS", |x: f64| x * (PI / 180.0)),
        real!("SIN", f64::sin),
        real!("SINH", f64::sinh),
        real!("SQRT", square_root),
        real!("TAN", f64::tan),
        real!("TANH", f64::tanh),
        Function::new("LOG", |args, _| infer("LOG", args, if args.len() == 2 { 2 } else { 1 }), log).boxed(),
        Function::new("PI", |args, _| infer("PI", args, 0), |_, call| Ok(constant(PI, call))).boxed(),
        Function::new("E", |args, _| infer("E", args, 0), |_, call| Ok(constant(E, call))).boxed(),
    ]
}

fn infer(name: &'static str, args: &[Argument<'_>], count: usize) -> Result<Signature> {
    let numeric = |arg: &Argument<'_>| arg.ty.kind.is_numeric() || arg.ty.kind == TypeKind::Null;
    if args.len() != count || !args.iter().all(numeric) {
        return Err(no_signature(name, args, &[&format!("{name}({})", vec!["<NUMERIC>"; count].join(", "))]));
    }
    Ok(Signature {
        casts: args.iter().map(|arg| TypeKind::Double.with_nullable(arg.ty.nullable)).collect(),
        result: TypeKind::Double.with_nullable(any_nullable(args)),
    })
}

/// The natural logarithm, or the logarithm to the base given by the first argument.
fn log(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    Ok(as_ref(match args {
        [base, x] => {
            binary::<Float64Type, Float64Type, Float64Type>(base, x, call.rows, |base, x| x.ln() / base.ln())?
        }
        _ => unary::<Float64Type, Float64Type>(&args[0], call.rows, f64::ln)?,
    }))
}

fn constant(value: f64, call: &Call<'_>) -> ArrayRef {
    as_ref(Float64Array::from_value(value, call.rows))
}

/// Like Java's `Math.pow(x, 0.5)`, which Flink uses: 0.0 for -0.0, and infinity for both infinities.
fn square_root(value: f64) -> f64 {
    if value == f64::NEG_INFINITY { f64::INFINITY } else { (value + 0.0).sqrt() }
}
