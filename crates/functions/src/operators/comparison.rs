//! `= <> < <= > >=`, IS [NOT] DISTINCT FROM, IN.

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::or_kleene;
use flott_expr::function::{Argument, Call, Function, ScalarFunction, Signature, any_nullable, no_signature};
use flott_expr::kernel::{arrow_error, as_ref};
use flott_expr::typing::{common, decimal};
use flott_expr::value::Value;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::equality::{Comparison, compare};
use super::in_set;

pub(super) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        Function::new("=", |args, _| infer("=", args), |args, call| evaluate(Comparison::Equal, args, call))
            .boxed(),
        Function::new(
            "<>",
            |args, _| infer("<>", args),
            |args, call| evaluate(Comparison::NotEqual, args, call),
        )
        .boxed(),
        Function::new("<", |args, _| infer("<", args), |args, call| evaluate(Comparison::Less, args, call))
            .boxed(),
        Function::new(
            "<=",
            |args, _| infer("<=", args),
            |args, call| evaluate(Comparison::LessOrEqual, args, call),
        )
        .boxed(),
        Function::new(
            ">",
            |args, _| infer(">", args),
            |args, call| evaluate(Comparison::Greater, args, call),
        )
        .boxed(),
        Function::new(
            ">=",
            |args, _| infer(">=", args),
            |args, call| evaluate(Comparison::GreaterOrEqual, args, call),
        )
        .boxed(),
        Function::new(
            "IS DISTINCT FROM",
            |args, _| infer_distinct(args),
            |args, call| distinct(args, call, true),
        )
        .boxed(),
        Function::new(
            "IS NOT DISTINCT FROM",
            |args, _| infer_distinct(args),
            |args, call| distinct(args, call, false),
        )
        .boxed(),
        Function::new("IN", |args, _| infer_in(args), is_in).prepare(|args, _| in_set::prepare(args)).boxed(),
    ]
}

fn infer(operator: &'static str, args: &[Argument<'_>]) -> Result<Signature> {
    let form = format!("<COMPARABLE_TYPE> {operator} <COMPARABLE_TYPE>");
    let refuse = || no_signature(operator, args, &[&form]);
    let [left, right] = args else { return Err(refuse()) };
    let equality = matches!(operator, "=" | "<>");
    let (l, r) = (&left.ty.kind, &right.ty.kind);
    if equality && (l.is_numeric() && r.is_character() || l.is_character() && r.is_numeric()) {
        return Err(Error::invalid(format!(
            "implicit type conversion between {l} and {r} is not supported in '{operator}': CAST one side to the \
             other's type"
        )));
    }
    let casts = operand_types(left.ty, right.ty, equality).ok_or_else(refuse)?;
    if !equality && !casts.iter().all(|ty| is_ordered(&ty.kind)) {
        return Err(Error::invalid(format!(
            "Comparable type expected by '{operator}', but was '{}'",
            casts[0]
        )));
    }
    Ok(Signature { casts, result: TypeKind::Boolean.with_nullable(any_nullable(args)) })
}

/// The types to which the sides of a comparison are cast. Decimals, strings and timestamps are compared
/// without a cast. As in Flink, `=` and `<>` cast other numbers to their common type; for the others Java
/// compares FLOAT with DOUBLE as doubles, and DECIMAL with them by `Double.compare`.
fn operand_types(left: &LogicalType, right: &LogicalType, equality: bool) -> Option<Vec<LogicalType>> {
    use TypeKind::{Decimal, Double, Float, Null, Timestamp, TimestampLtz};
    let exact = |ty: &LogicalType| {
        let (precision, scale) = decimal::of_exact(&ty.kind)?;
        Some(Decimal(precision, scale).with_nullable(ty.nullable))
    };
    let as_is = || Some(vec![left.clone(), right.clone()]);
    match (&left.kind, &right.kind) {
        (l, r) if l.is_character() && r.is_character() || l.is_binary() && r.is_binary() => as_is(),
        (Timestamp(_), Timestamp(_)) | (TimestampLtz(_), TimestampLtz(_)) => as_is(),
        (Decimal(..), Float | Double) if !equality => {
            Some(vec![left.clone(), Double.with_nullable(right.nullable)])
        }
        (Float | Double, Decimal(..)) if !equality => {
            Some(vec![Double.with_nullable(left.nullable), right.clone()])
        }
        (Float, Double) | (Double, Float) if !equality => {
            Some(vec![Double.with_nullable(left.nullable), Double.with_nullable(right.nullable)])
        }
        (Decimal(..), r) if decimal::of_exact(r).is_some() => Some(vec![left.clone(), exact(right)?]),
        (l, Decimal(..)) if decimal::of_exact(l).is_some() => Some(vec![exact(left)?, right.clone()]),
        (Null, Null) => Some(vec![TypeKind::Boolean.nullable(), TypeKind::Boolean.nullable()]),
        _ => {
            let ty = common::comparison_type(left, right)?;
            Some(vec![ty.clone(), ty])
        }
    }
}

fn is_ordered(kind: &TypeKind) -> bool {
    !matches!(
        kind,
        TypeKind::Array(_)
            | TypeKind::Map(..)
            | TypeKind::Multiset(_)
            | TypeKind::Row(_)
            | TypeKind::Structured(..)
            | TypeKind::Variant
            | TypeKind::Bitmap
    )
}

fn evaluate(comparison: Comparison, args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    Ok(as_ref(compare(
        comparison,
        (&args[0], &call.arg_types[0]),
        (&args[1], &call.arg_types[1]),
        call.rows,
    )?))
}

fn infer_distinct(args: &[Argument<'_>]) -> Result<Signature> {
    let signature = infer("=", args)?;
    let [left, right] = args else { return Ok(signature) };
    // Numbers are compared as `<` compares them.
    let casts = operand_types(left.ty, right.ty, false).unwrap_or(signature.casts);
    Ok(Signature { casts, result: TypeKind::Boolean.not_null() })
}

fn distinct(args: &[Value], call: &Call<'_>, want: bool) -> Result<ArrayRef> {
    let (left, right) = (&args[0], &args[1]);
    let equal =
        compare(Comparison::Equal, (left, &call.arg_types[0]), (right, &call.arg_types[1]), call.rows)?;
    let distinct = BooleanBuffer::collect_bool(call.rows, |row| {
        let same =
            if equal.is_valid(row) { equal.value(row) } else { left.is_null(row) && right.is_null(row) };
        same != want
    });
    Ok(as_ref(BooleanArray::new(distinct, None)))
}

fn infer_in(args: &[Argument<'_>]) -> Result<Signature> {
    let [value, list @ ..] = args else {
        return Err(no_signature("IN", args, &["<ANY> IN (<ANY>, ...)"]));
    };
    let types: Vec<_> = args.iter().map(|arg| arg.ty.clone()).collect();
    let nullable = any_nullable(args);
    let listed: Vec<_> = list.iter().map(|arg| arg.ty.clone()).collect();
    let common = common::least_restrictive(&types).or_else(|| {
        // A list of strings is cast to the value's type.
        common::comparison_type(value.ty, &common::least_restrictive(&listed)?)
    });
    let common = common.filter(|_| !list.is_empty()).ok_or_else(|| {
        Error::invalid("Values in expression list must have compatible types: CAST them to the type of the value before IN")
    })?;
    let result = TypeKind::Boolean.with_nullable(nullable);
    if !value.ty.kind.is_numeric() {
        return Ok(Signature { casts: vec![common; args.len()], result });
    }
    // As in Flink, numbers of another type are cast to that of the value: `1 IN (1.5)` is TRUE.
    let casts = args.iter().map(|arg| match (&value.ty.kind, &arg.ty.kind) {
        (TypeKind::Decimal(..), TypeKind::Decimal(..)) => arg.ty.clone(),
        (kind, _) => kind.clone().with_nullable(arg.ty.nullable),
    });
    Ok(Signature { casts: casts.collect(), result })
}

fn is_in(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let mut found: Option<BooleanArray> = None;
    let value = (&args[0], &call.arg_types[0]);
    for candidate in args.iter().zip(call.arg_types).skip(1) {
        let equal = compare(Comparison::Equal, value, candidate, call.rows)?;
        found = Some(match found {
            Some(found) => or_kleene(&found, &equal).map_err(arrow_error)?,
            None => equal,
        });
    }
    Ok(as_ref(found.unwrap_or_else(|| BooleanArray::from(vec![false; call.rows]))))
}
