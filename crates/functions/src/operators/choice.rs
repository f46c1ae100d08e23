//! COALESCE, IFNULL, GREATEST, LEAST. COALESCE and IFNULL are compiled to a node that computes an argument
//! only for the rows that need it; the code here is for typing and folding.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{kernels::zip::zip, nullif, or_kleene};
use arrow::datatypes::{Float32Type, Float64Type};
use flott_expr::function::{Argument, Call, Function, ScalarFunction, Signature, any_nullable, no_signature};
use flott_expr::kernel::{arrow_error, fill};
use flott_expr::typing::merge;
use flott_expr::value::Value;
use flott_types::{Error, Result};

use super::equality::{Comparison, compare};

pub(super) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        Function::new("COALESCE", |args, _| infer_coalesce("COALESCE", args), coalesce).boxed(),
        Function::new("IFNULL", |args, _| infer_if_null(args), coalesce).boxed(),
        Function::new(
            "GREATEST",
            |args, _| infer_extreme("GREATEST", args),
            |args, call| extreme(args, call, Comparison::Greater),
        )
        .boxed(),
        Function::new(
            "LEAST",
            |args, _| infer_extreme("LEAST", args),
            |args, call| extreme(args, call, Comparison::Less),
        )
        .boxed(),
    ]
}

fn infer_coalesce(name: &'static str, args: &[Argument<'_>]) -> Result<Signature> {
    let types: Vec<_> = args.iter().map(|arg| arg.ty.clone()).collect();
    let common = merge(&types)
        .ok_or_else(|| no_signature(name, args, &[&format!("{name}(<COMMON>, <COMMON>...)")]))?;
    let result = common.with_nullable(args.iter().all(|arg| arg.ty.nullable));
    Ok(Signature { casts: vec![result.clone(); args.len()], result })
}

fn infer_if_null(args: &[Argument<'_>]) -> Result<Signature> {
    match args {
        [_, _] => infer_coalesce("IFNULL", args),
        _ => Err(no_signature("IFNULL", args, &["IFNULL(<COMMON>, <COMMON>)"])),
    }
}

fn coalesce(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let mut result = args[0].to_array(call.rows)?;
    for arg in &args[1..] {
        if result.null_count() == 0 {
            break;
        }
        result = fill(&result, &arg.to_array(call.rows)?, call.room())?;
    }
    Ok(result)
}

fn infer_extreme(name: &'static str, args: &[Argument<'_>]) -> Result<Signature> {
    use flott_types::TypeKind::{Array, Map, Multiset, Row};
    let types: Vec<_> = args.iter().map(|arg| arg.ty.clone()).collect();
    let common = merge(&types).filter(|ty| !matches!(ty.kind, Array(_) | Map(..) | Multiset(_) | Row(_)));
    let refuse = || no_signature(name, args, &[&format!("{name}(<COMPARABLE>, <COMPARABLE>...)")]);
    let result = common.ok_or_else(refuse)?.with_nullable(any_nullable(args));
    Ok(Signature { casts: vec![result.clone(); args.len()], result })
}

fn is_nan(array: &ArrayRef) -> BooleanArray {
    let nan =
        |row: usize| match (array.as_primitive_opt::<Float64Type>(), array.as_primitive_opt::<Float32Type>())
        {
            (Some(doubles), _) => doubles.value(row).is_nan(),
            (_, Some(floats)) => floats.value(row).is_nan(),
            _ => false,
        };
    BooleanArray::new(BooleanBuffer::collect_bool(array.len(), |row| array.is_valid(row) && nan(row)), None)
}

fn extreme(args: &[Value], call: &Call<'_>, wins: Comparison) -> Result<ArrayRef> {
    let rows = call.rows;
    let [first, rest @ ..] = args else {
        return Err(Error::internal("GREATEST and LEAST take arguments"));
    };
    let mut best = first.to_array(rows)?;
    for arg in rest {
        let held = Value::array(best.clone());
        let mut keep = compare(wins, (&held, call.result), (arg, call.result), rows)?;
        if call.result.kind.is_approximate() {
            // NaN is the greatest number.
            let other = arg.to_array(rows)?;
            let nan = if wins == Comparison::Greater { is_nan(&best) } else { is_nan(&other) };
            keep = or_kleene(&keep, &nan).map_err(arrow_error)?;
        }
        let other = arg.to_array(rows)?;
        call.room().fit_all([best.as_ref(), other.as_ref()])?;
        best = zip(&keep, &best, &other).map_err(arrow_error)?;
    }
    let missing = BooleanBuffer::collect_bool(rows, |row| args.iter().any(|arg| arg.is_null(row)));
    nullif(&best, &BooleanArray::new(missing, None)).map_err(arrow_error)
}
