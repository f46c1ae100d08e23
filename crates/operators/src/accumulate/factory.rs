//! Builds the accumulator of a call.

use flott_plan::AggregateCall;
use flott_types::{Error, Result, TypeKind};

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
use super::user::User;
use super::variance::Variance;

/// Builds the accumulator of a call; DISTINCT and FILTER are handled elsewhere. `name` is unique among the
/// calls. `keys` are those of the table that holds the groups.
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
    if let Some(user) = keys.functions.called(function) {
        return Ok(Box::new(User::new(user, name)?));
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
        "MIN" | "MAX" if retracts => Box::new(Ordered::new(function == "MAX", name, argument)?),
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
