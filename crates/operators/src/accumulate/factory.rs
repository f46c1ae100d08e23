//! From a call to its accumulator.

use flott_plan::AggregateCall;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::Accumulator;
use super::best::{Pick, best};
use super::bitmap::{BitmapCall, Bitmaps};
use super::collect::Collect;
use super::count::Count;
use super::list::List;
use super::ordered::Ordered;
use super::outcome::Outcome;
use super::set::Keys;
use super::single::Single;
use super::sum::{self, Sum};
use super::variance::Variance;

/// Makes the accumulator of a call; DISTINCT and FILTER are not its business. `name` is unique among the calls. `keys` are
/// those of the table the groups live in.
pub(super) fn accumulator(
    call: &AggregateCall,
    name: &str,
    retracts: bool,
    keys: &Keys,
) -> Result<Box<dyn Accumulator>> {
    let average = if keys.streaming { sum::Outcome::Average } else { sum::Outcome::NarrowAverage };
    let function = call.function.trim_start_matches('$');
    if function == "COUNT" {
        return Ok(Box::new(Count::new(name)));
    }
    let argument =
        call.arg_types.first().ok_or_else(|| Error::internal(format!("{function} without an argument")))?;
    let numeric = || {
        let known = argument.kind.is_numeric();
        known.then_some(&argument.kind).ok_or_else(|| Error::unsupported(format!("{function} of {argument}")))
    };
    let list = |outcome: Outcome| -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(List::new(outcome, name, call, retracts)?))
    };
    let second = || call.arg_types.get(1).cloned().unwrap_or(TypeKind::Null.nullable());
    if let Some(bitmap) = BitmapCall::of(function) {
        return if retracts {
            list(Outcome::Bitmap(bitmap))
        } else {
            Ok(Box::new(Bitmaps::new(bitmap, name)))
        };
    }
    Ok(match function {
        "SUM" => Box::new(Sum::new(sum::Outcome::Sum, name, numeric()?, &call.ty)),
        "SUM0" => Box::new(Sum::new(sum::Outcome::Sum0, name, numeric()?, &call.ty)),
        "AVG" => Box::new(Sum::new(average, name, numeric()?, &call.ty)),
        "MIN" | "MAX" if retracts => Box::new(Ordered::new(function == "MAX", name, argument, keys)?),
        "MIN" => best(Pick::Min, name, argument)?,
        "MAX" => best(Pick::Max, name, argument)?,
        "FIRST_VALUE" if retracts => list(Outcome::First)?,
        "LAST_VALUE" if retracts => list(Outcome::Last)?,
        "FIRST_VALUE" => best(Pick::First, name, argument)?,
        "LAST_VALUE" => best(Pick::Last, name, argument)?,
        "SINGLE_VALUE" => Box::new(Single::new(name, argument)?),
        "STDDEV_POP" => Box::new(Variance::new(name, false, true, numeric().map(|_| &call.ty)?)),
        "STDDEV_SAMP" | "STDDEV" => Box::new(Variance::new(name, true, true, numeric().map(|_| &call.ty)?)),
        "VAR_POP" => Box::new(Variance::new(name, false, false, numeric().map(|_| &call.ty)?)),
        "VAR_SAMP" | "VARIANCE" => Box::new(Variance::new(name, true, false, numeric().map(|_| &call.ty)?)),
        "LISTAGG" if argument.kind.is_character() => list(Outcome::Text)?,
        "COLLECT" => Box::new(Collect::new(name, argument)?),
        "ARRAY_AGG" => list(Outcome::Array(argument.clone()))?,
        "JSON_ARRAYAGG" | "JSON_ARRAYAGG_ABSENT_ON_NULL" => {
            list(Outcome::JsonArray { ty: argument.clone(), nulls: false })?
        }
        "JSON_ARRAYAGG_NULL_ON_NULL" => list(Outcome::JsonArray { ty: argument.clone(), nulls: true })?,
        "JSON_OBJECTAGG" | "JSON_OBJECTAGG_NULL_ON_NULL" if argument.kind.is_character() => {
            list(Outcome::JsonObject { ty: second(), nulls: true })?
        }
        "JSON_OBJECTAGG_ABSENT_ON_NULL" if argument.kind.is_character() => {
            list(Outcome::JsonObject { ty: second(), nulls: false })?
        }
        "PERCENTILE" => {
            numeric()?;
            list(Outcome::Percentile { several: matches!(second().kind, TypeKind::Array(_)) })?
        }
        _ => {
            return Err(Error::unsupported(format!("aggregate function {function}({argument})")));
        }
    })
}

/// The accumulator columns of a call, by which the local phase of an aggregation hands its partial results to the
/// global phase: names and types, in order.
///
/// # Errors
/// [`flott_types::ErrorKind::Unsupported`] for calls that cannot be split into phases: DISTINCT, and functions whose result depends on
/// the order of the rows or needs all of them. Aggregate in one phase then.
///
/// ```
/// use flott_operators::accumulator_schema;
/// use flott_plan::AggregateCall;
/// use flott_types::TypeKind;
///
/// let average = AggregateCall {
///     function: "AVG".to_owned(),
///     args: vec![1],
///     arg_types: vec![TypeKind::Int.nullable()],
///     distinct: false,
///     filter: None,
///     ty: TypeKind::Int.nullable(),
///     name: "a".to_owned(),
/// };
/// let columns = accumulator_schema(&average)?;
/// let bigint = TypeKind::BigInt.nullable();
/// assert_eq!(columns, [("a.sum".to_owned(), bigint.clone()), ("a.count".to_owned(), bigint)]);
/// # Ok::<(), flott_types::Error>(())
/// ```
pub fn accumulator_schema(call: &AggregateCall) -> Result<Vec<(String, LogicalType)>> {
    let function = call.function.trim_start_matches('$');
    let refuse = |what: &str| Err(Error::unsupported(format!("{what} in two phases")));
    if call.distinct && !matches!(function, "MIN" | "MAX") {
        return refuse(&format!("{function}(DISTINCT ...)"));
    }
    let column = |name: &str, kind: TypeKind| (format!("{}.{name}", call.name), kind.nullable());
    let count = || column("count", TypeKind::BigInt);
    let argument = call.arg_types.first().map(|ty| ty.kind.clone());
    Ok(match (function, argument) {
        ("COUNT", _) => vec![count()],
        ("SUM" | "SUM0" | "AVG", Some(kind)) => {
            let sum = match kind {
                TypeKind::Decimal(_, scale) => TypeKind::Decimal(38, scale),
                TypeKind::Float if function != "AVG" => TypeKind::Float,
                TypeKind::Float | TypeKind::Double => TypeKind::Double,
                kind if kind.is_integer() => TypeKind::BigInt,
                _ => return refuse(&format!("{function} of {kind}")),
            };
            vec![column("sum", sum), count()]
        }
        ("MIN" | "MAX", Some(TypeKind::Boolean)) => vec![column("value", TypeKind::TinyInt)],
        ("MIN" | "MAX", Some(kind)) => vec![column("value", kind)],
        ("STDDEV_POP" | "STDDEV_SAMP" | "STDDEV" | "VAR_POP" | "VAR_SAMP" | "VARIANCE", Some(_)) => {
            vec![count(), column("mean", TypeKind::Double), column("m2", TypeKind::Double)]
        }
        _ => return refuse(function),
    })
}
