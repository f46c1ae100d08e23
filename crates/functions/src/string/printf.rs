//! PRINTF(format, values...): Java's format strings. A value is what Flink passes to Java: DATE and TIME are
//! the integers that represent them; DECIMAL and timestamps can only be written by `%s`.

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array,
    Int64Array, StringArray, Time32MillisecondArray,
};
use flott_batch::text;
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Function, Signature, no_signature};
use flott_expr::value::Value;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::java_format::{Format, Item};
use crate::build::try_strings;
use crate::constant::{self, Programs};

pub(super) const FUNCTIONS: &[Function] =
    &[Function::new("PRINTF", infer, |args, call| constant::evaluate(args, call, Format::parse, printf))
        .prepare(|args, _| {
            // An invalid constant format fails only when a row arrives, as in Flink.
            match args.first().and_then(crate::check::text).map(Format::parse) {
                Some(Ok(_)) => constant::prepare(args, 0, Format::parse, printf),
                _ => Ok(None),
            }
        })];

fn infer(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    let form = ["PRINTF(format <CHARACTER_STRING>, obj <ANY>...)"];
    match args {
        [format, ..] if format.ty.kind.is_character() => {
            Ok(Signature::as_is(args, TypeKind::STRING.nullable()))
        }
        [format, ..] if format.ty.kind == TypeKind::Null => {
            let mut signature = Signature::as_is(args, TypeKind::STRING.nullable());
            signature.casts[0] = TypeKind::STRING.nullable();
            Ok(signature)
        }
        [] => Err(Error::invalid(format!(
            "No match found for function signature PRINTF(). Supported signatures are: {}",
            form[0]
        ))),
        _ => Err(no_signature("PRINTF", args, &form)),
    }
}

fn printf(args: &[Value], call: &Call<'_>, formats: &mut Programs<'_, Format>) -> Result<ArrayRef> {
    let format = args[0].view::<StringArray>()?;
    let values = &args[1..];
    try_strings(call, |row, out| {
        let Some(format) = format.get(row) else {
            return Ok(None);
        };
        let items = values
            .iter()
            .zip(&call.arg_types[1..])
            .map(|(value, ty)| item(value, row, ty, call))
            .collect::<Result<Vec<_>>>()?;
        // A format that does not fit its values gives NULL and does not fail the job.
        Ok(formats.get(format).and_then(|format| format.write(&items, out)).ok())
    })
}

fn item<'a>(value: &'a Value, row: usize, ty: &LogicalType, call: &Call<'_>) -> Result<Item<'a>> {
    if value.is_null(row) {
        return Ok(Item::Null);
    }
    let at = value.position(row);
    let mut shown = String::new();
    Ok(match &ty.kind {
        TypeKind::Char(_) | TypeKind::Varchar(_) => Item::Text(value.view::<StringArray>()?.held().value(at)),
        TypeKind::Boolean => Item::Boolean(value.view::<BooleanArray>()?.held().value(at)),
        TypeKind::TinyInt => Item::Integer(value.view::<Int8Array>()?.held().value(at).into(), 8),
        TypeKind::SmallInt => Item::Integer(value.view::<Int16Array>()?.held().value(at).into(), 16),
        TypeKind::Int => Item::Integer(value.view::<Int32Array>()?.held().value(at).into(), 32),
        TypeKind::BigInt => Item::Integer(value.view::<Int64Array>()?.held().value(at), 64),
        TypeKind::Date => Item::Integer(value.view::<Date32Array>()?.held().value(at).into(), 32),
        TypeKind::Time(_) => {
            Item::Integer(value.view::<Time32MillisecondArray>()?.held().value(at).into(), 32)
        }
        TypeKind::Float => {
            let value = value.view::<Float32Array>()?.held().value(at);
            text::write_float(&mut shown, value);
            Item::Double(value.into(), shown)
        }
        TypeKind::Double => {
            let value = value.view::<Float64Array>()?.held().value(at);
            text::write_double(&mut shown, value);
            Item::Double(value, shown)
        }
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            text::write_value(&mut shown, value.held(), at, ty, chrono_tz::Tz::UTC);
            Item::Object(java_timestamp(&shown))
        }
        _ => {
            text::write_value(&mut shown, value.held(), at, ty, call.context.time_zone());
            Item::Object(shown)
        }
    })
}

/// `2020-01-01T12:34`, `2020-01-01T12:34:56.100`: as Java writes a local date-time, without seconds if they
/// are zero, and with the fraction in groups of three digits.
fn java_timestamp(text: &str) -> String {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let mut out = clock.replacen(' ', "T", 1);
    if fraction.is_empty() {
        if out.ends_with(":00") {
            out.truncate(out.len() - 3);
        }
        return out;
    }
    let digits = fraction.len().next_multiple_of(3);
    out.push('.');
    out.push_str(fraction);
    out.extend(std::iter::repeat_n('0', digits - fraction.len()));
    out
}
