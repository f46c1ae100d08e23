//! AND, OR, NOT, IS [NOT] TRUE / FALSE / UNKNOWN / NULL. AND and OR are compiled to nodes that skip the rows
//! that their left side decides; the code here is for typing and folding.

use arrow::array::{ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{and_kleene, not, or_kleene};
use flott_expr::function::{Argument, Call, Function, ScalarFunction, Signature, any_nullable, no_signature};
use flott_expr::kernel::{arrow_error, as_ref};
use flott_expr::value::Value;
use flott_types::{Error, Result, TypeKind};

pub(super) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        Function::new(
            "AND",
            |args, _| infer("AND", args),
            |args, call| fold(args, call, |a, b| and_kleene(a, b).map_err(arrow_error)),
        )
        .boxed(),
        Function::new(
            "OR",
            |args, _| infer("OR", args),
            |args, call| fold(args, call, |a, b| or_kleene(a, b).map_err(arrow_error)),
        )
        .boxed(),
        Function::new(
            "NOT",
            |args, _| infer("NOT", args),
            |args, call| {
                let input = args[0].to_array(call.rows)?;
                Ok(as_ref(not(booleans(&input)?).map_err(arrow_error)?))
            },
        )
        .boxed(),
        Function::new("IS NULL", infer_null_test, |args, call| test_null(args, call, true)).boxed(),
        Function::new("IS NOT NULL", infer_null_test, |args, call| test_null(args, call, false)).boxed(),
        Function::new(
            "IS UNKNOWN",
            |args, _| infer_test("IS UNKNOWN", args),
            |args, call| test_null(args, call, true),
        )
        .boxed(),
        Function::new(
            "IS NOT UNKNOWN",
            |args, _| infer_test("IS NOT UNKNOWN", args),
            |args, call| test_null(args, call, false),
        )
        .boxed(),
        Function::new(
            "IS TRUE",
            |args, _| infer_test("IS TRUE", args),
            |args, call| test(args, call, |value| value == Some(true)),
        )
        .boxed(),
        Function::new(
            "IS NOT TRUE",
            |args, _| infer_test("IS NOT TRUE", args),
            |args, call| test(args, call, |value| value != Some(true)),
        )
        .boxed(),
        Function::new(
            "IS FALSE",
            |args, _| infer_test("IS FALSE", args),
            |args, call| test(args, call, |value| value == Some(false)),
        )
        .boxed(),
        Function::new(
            "IS NOT FALSE",
            |args, _| infer_test("IS NOT FALSE", args),
            |args, call| test(args, call, |value| value != Some(false)),
        )
        .boxed(),
    ]
}

fn infer(name: &'static str, args: &[Argument<'_>]) -> Result<Signature> {
    if args.iter().any(|arg| arg.ty.kind == TypeKind::Null) {
        return Err(Error::invalid(format!("Illegal use of 'NULL' in {name}: write CAST(NULL AS BOOLEAN)")));
    }
    let right_number = if name == "NOT" { args.len() == 1 } else { args.len() >= 2 };
    if !right_number || args.iter().any(|arg| arg.ty.kind != TypeKind::Boolean) {
        let form =
            if name == "NOT" { "NOT(<BOOLEAN>)".to_owned() } else { format!("<BOOLEAN> {name} <BOOLEAN>") };
        return Err(no_signature(name, args, &[&form]));
    }
    Ok(Signature::as_is(args, TypeKind::Boolean.with_nullable(any_nullable(args))))
}

fn infer_null_test(args: &[Argument<'_>], _: &flott_expr::PlanContext) -> Result<Signature> {
    match args {
        [_] => Ok(Signature::as_is(args, TypeKind::Boolean.not_null())),
        _ => Err(no_signature("IS NULL", args, &["<ANY> IS [NOT] NULL"])),
    }
}

fn infer_test(name: &'static str, args: &[Argument<'_>]) -> Result<Signature> {
    match args {
        [arg] if matches!(arg.ty.kind, TypeKind::Boolean | TypeKind::Null) => {
            Ok(Signature { casts: vec![TypeKind::Boolean.nullable()], result: TypeKind::Boolean.not_null() })
        }
        _ => Err(no_signature(name, args, &[&format!("<BOOLEAN> {name}")])),
    }
}

fn booleans(array: &ArrayRef) -> Result<&BooleanArray> {
    array.as_boolean_opt().ok_or_else(|| Error::internal("logic on a column that is not BOOLEAN"))
}

fn fold(
    args: &[Value],
    call: &Call<'_>,
    combine: impl Fn(&BooleanArray, &BooleanArray) -> Result<BooleanArray>,
) -> Result<ArrayRef> {
    let mut result = booleans(&args[0].to_array(call.rows)?)?.clone();
    for arg in &args[1..] {
        result = combine(&result, booleans(&arg.to_array(call.rows)?)?)?;
    }
    Ok(as_ref(result))
}

fn test_null(args: &[Value], call: &Call<'_>, want: bool) -> Result<ArrayRef> {
    let bits = BooleanBuffer::collect_bool(call.rows, |row| args[0].is_null(row) == want);
    Ok(as_ref(BooleanArray::new(bits, None)))
}

fn test(args: &[Value], call: &Call<'_>, holds: impl Fn(Option<bool>) -> bool) -> Result<ArrayRef> {
    let input = args[0].view::<BooleanArray>()?;
    let bits = BooleanBuffer::collect_bool(call.rows, |row| holds(input.get(row)));
    Ok(as_ref(BooleanArray::new(bits, None)))
}
