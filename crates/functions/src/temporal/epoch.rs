//! TO_TIMESTAMP_LTZ: from a number since the epoch, or from text.

use arrow::array::{ArrayRef, Decimal128Array, Float32Array, Float64Array, Int64Array, StringArray};
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Function, Signature, no_signature};
use flott_expr::value::Value;
use flott_plan::Literal;
use flott_types::{Error, Result, TypeKind};

use super::convert::{default_pattern, read, read_default};
use super::format::prepare;
use super::instant::build;
use super::pattern::Pattern;
use super::zone::{Twice, Zone};
use crate::constant::{self, Programs};

pub(super) const FUNCTIONS: &[Function] = &[Function::new("TO_TIMESTAMP_LTZ", infer, |args, call| {
    constant::evaluate(args, call, Pattern::new, to_timestamp_ltz)
})
.prepare(|args, _| {
    if args[0].ty.kind.is_character() { prepare(args, 1, Pattern::new, to_timestamp_ltz) } else { Ok(None) }
})];

const FORMS: [&str; 5] = [
    "TO_TIMESTAMP_LTZ(<NUMERIC>)",
    "TO_TIMESTAMP_LTZ(<NUMERIC>, <INTEGER>)",
    "TO_TIMESTAMP_LTZ(<CHARACTER>)",
    "TO_TIMESTAMP_LTZ(<CHARACTER>, <CHARACTER>)",
    "TO_TIMESTAMP_LTZ(<CHARACTER>, <CHARACTER>, <CHARACTER>)",
];

fn infer(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    let is_text = |arg: &Argument<'_>| arg.ty.kind.is_character() || arg.ty.kind == TypeKind::Null;
    let is_number = |arg: &Argument<'_>| arg.ty.kind.is_numeric() || arg.ty.kind == TypeKind::Null;
    let precision = match args {
        [number] if is_number(number) => 3,
        [number, precision] if is_number(number) && precision.ty.kind.is_integer() => match precision.literal
        {
            Some(Literal::Integer(digits @ 0..=9)) => (*digits as u8).max(3),
            Some(Literal::Integer(digits)) => {
                return Err(Error::invalid(format!(
                    "Precision for TO_TIMESTAMP_LTZ must be between 0 and 9 but was {digits}."
                )));
            }
            _ => 3,
        },
        [_, ..] if args.len() <= 3 && args.iter().all(is_text) => 3,
        _ => return Err(no_signature("TO_TIMESTAMP_LTZ", args, &FORMS)),
    };
    let cast = |arg: &Argument<'_>| match &arg.ty.kind {
        kind if kind.is_integer() || (*kind == TypeKind::Null && is_number(&args[0])) => {
            TypeKind::BigInt.with_nullable(arg.ty.nullable)
        }
        TypeKind::Null => TypeKind::STRING.nullable(),
        _ => arg.ty.clone(),
    };
    Ok(Signature {
        casts: args.iter().map(cast).collect(),
        result: TypeKind::TimestampLtz(precision).nullable(),
    })
}

/// 0000-01-01 and the end of 9999-12-31 in milliseconds: outside of this the result is NULL.
const RANGE: std::ops::RangeInclusive<i128> = -62_167_219_200_000..=253_402_300_799_999;

fn to_timestamp_ltz(
    args: &[Value],
    call: &Call<'_>,
    patterns: &mut Programs<'_, Pattern>,
) -> Result<ArrayRef> {
    let kind = &call.arg_types[0].kind;
    if kind.is_character() {
        return from_text(args, call, patterns);
    }
    let digits = args.get(1).map(Value::view::<Int64Array>).transpose()?;
    // How many nanoseconds one unit of the number is.
    let unit = |row: usize| -> Result<Option<i128>> {
        match digits.map_or(Some(3), |digits| digits.get(row)) {
            None => Ok(None),
            Some(digits @ 0..=9) => Ok(Some(10_i128.pow(9 - digits as u32))),
            Some(digits) => Err(Error::data(format!(
                "Precision for TO_TIMESTAMP_LTZ must be between 0 and 9 but was {digits}."
            ))),
        }
    };
    let in_range = |nanos: i128| RANGE.contains(&nanos.div_euclid(1_000_000)).then_some(nanos);
    let double = |value: f64, unit: i128| in_range((value * unit as f64) as i128);
    let number = &args[0];
    let at = |row: usize| (!number.is_null(row)).then(|| number.position(row));
    match kind {
        TypeKind::Double => {
            let values = number.view::<Float64Array>()?.held();
            build(call.result, call.rows, |row| {
                Ok(at(row).zip(unit(row)?).and_then(|(at, unit)| double(values.value(at), unit)))
            })
        }
        TypeKind::Float => {
            let values = number.view::<Float32Array>()?.held();
            build(call.result, call.rows, |row| {
                Ok(at(row).zip(unit(row)?).and_then(|(at, unit)| double(values.value(at).into(), unit)))
            })
        }
        TypeKind::Decimal(_, scale) => {
            let values = number.view::<Decimal128Array>()?.held();
            let one = 10_i128.pow((*scale).into());
            build(call.result, call.rows, |row| {
                Ok(at(row)
                    .zip(unit(row)?)
                    .and_then(|(at, unit)| in_range((values.value(at) / one).checked_mul(unit)?)))
            })
        }
        _ => {
            let values = number.view::<Int64Array>()?.held();
            build(call.result, call.rows, |row| {
                Ok(at(row)
                    .zip(unit(row)?)
                    .and_then(|(at, unit)| in_range(i128::from(values.value(at)) * unit)))
            })
        }
    }
}

/// (text), (text, pattern), (text, pattern, zone); the zone is UTC by default.
fn from_text(args: &[Value], call: &Call<'_>, patterns: &mut Programs<'_, Pattern>) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    let pattern = args.get(1).map(Value::view::<StringArray>).transpose()?;
    let zone = args.get(2).map(Value::view::<StringArray>).transpose()?;
    let default = default_pattern()?;
    build(call.result, call.rows, |row| {
        let Some(text) = text.get(row) else {
            return Ok(None);
        };
        let local = match &pattern {
            // Text that cannot be parsed is an error without a pattern, and NULL with one.
            None => Some(
                read_default(text, &default)
                    .ok_or_else(|| Error::data(format!("Text '{text}' could not be parsed at index 0")))?,
            ),
            Some(pattern) => match pattern.get(row) {
                None => None,
                Some(pattern) => read(text, patterns.get(pattern)?),
            },
        };
        let Some(zone) = &zone else {
            return Ok(local);
        };
        let zone = zone.get(row).and_then(Zone::strict);
        Ok(local.zip(zone).map(|(local, zone)| {
            let seconds = local.div_euclid(1_000_000_000) as i64;
            i128::from(zone.instant(seconds, Twice::First)) * 1_000_000_000 + local.rem_euclid(1_000_000_000)
        }))
    })
}
