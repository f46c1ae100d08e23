//! JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flott_batch::json::number::{canonical, unscaled};
use flott_batch::{arrow_type, variant};
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Function, Signature, no_signature};
use flott_expr::value::{Value, View};
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::mark_json;
use super::parse::parse;
use super::value::{Json, put};
use crate::build::try_strings;
use crate::check::{self, Family, infer};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("JSON_OBJECT", infer_object, object).arguments(mark_json),
    Function::new("JSON_ARRAY", infer_array, array).arguments(mark_json),
    Function::new("JSON_STRING", infer_string, |args, call| {
        try_strings(call, |row, out| {
            if args[0].is_null(row) {
                return Ok(None);
            }
            value_of(args[0].held(), args[0].position(row), &call.arg_types[0])?.write(out);
            Ok(Some(()))
        })
    }),
    Function::new(
        "JSON",
        infer!(with_null "JSON", &[&[Family::Character]], |_args| TypeKind::STRING.nullable()),
        json,
    ),
];

/// Whether values of a type can be written as JSON.
fn check_type(ty: &LogicalType) -> Result<()> {
    match &ty.kind {
        TypeKind::Date | TypeKind::Time(_) | TypeKind::IntervalYearMonth | TypeKind::IntervalDaySecond => {
            Err(Error::invalid(format!("Type '{ty}' is not scalar or cannot be converted into JSON.")))
        }
        TypeKind::Array(element) => check_type(element),
        TypeKind::Map(key, value) => {
            check_key(key)?;
            check_type(value)
        }
        TypeKind::Multiset(element) => check_key(element),
        TypeKind::Row(fields) | TypeKind::Structured(_, fields) => {
            fields.iter().try_for_each(|field| check_type(&field.ty))
        }
        _ => Ok(()),
    }
}

fn check_key(key: &LogicalType) -> Result<()> {
    if key.kind.is_character() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "Type '{key}' is not supported for JSON conversion. The key type must be a character string."
    )))
}

/// The first argument: whether NULLs are left out, and which arguments are JSON already.
fn on_null(word: &str) -> Option<(bool, Vec<usize>)> {
    let mut words = word.split(' ');
    let absent = match words.next()? {
        "ABSENT" => true,
        "NULL" => false,
        _ => return None,
    };
    Some((absent, words.filter_map(|position| position.parse().ok()).collect()))
}

fn infer_values(name: &str, args: &[Argument<'_>]) -> Result<()> {
    let word = args.first().and_then(check::text).and_then(on_null);
    if word.is_none() {
        return Err(Error::internal(format!("{name} is called without NULL or ABSENT ON NULL")));
    }
    args[1..].iter().try_for_each(|arg| check_type(arg.ty))
}

fn infer_object(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    infer_values("JSON_OBJECT", args)?;
    if args.len().is_multiple_of(2) {
        return Err(Error::invalid("JSON_OBJECT takes pairs of key and value"));
    }
    if !args[1..].iter().step_by(2).all(|key| key.ty.kind.is_character()) {
        return Err(no_signature("JSON_OBJECT", args, &["JSON_OBJECT([KEY] <CHARACTER> VALUE <ANY>, ...)"]));
    }
    Ok(Signature::as_is(args, TypeKind::STRING.not_null()))
}

fn infer_array(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    infer_values("JSON_ARRAY", args)?;
    Ok(Signature::as_is(args, TypeKind::STRING.not_null()))
}

fn infer_string(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    match args {
        [arg] => {
            check_type(arg.ty)?;
            Ok(Signature::as_is(args, TypeKind::STRING.with_nullable(arg.ty.nullable)))
        }
        _ => Err(no_signature("JSON_STRING", args, &["JSON_STRING(value <ANY>)"])),
    }
}

fn first_word(args: &[Value]) -> Result<(bool, Vec<usize>)> {
    let word = args[0].view::<StringArray>()?.constant().flatten();
    word.and_then(on_null).ok_or_else(|| Error::internal("ON NULL is not a constant"))
}

/// The value of an argument; `None` for NULL.
fn argument(args: &[Value], at: usize, row: usize, raw: &[usize], call: &Call<'_>) -> Result<Option<Json>> {
    let value = &args[at];
    if value.is_null(row) {
        return Ok(None);
    }
    let position = value.position(row);
    if raw.contains(&at) {
        return Ok(Some(Json::Raw(value.view::<StringArray>()?.held().value(position).to_owned())));
    }
    value_of(value.held(), position, &call.arg_types[at]).map(Some)
}

fn object(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (absent, raw) = first_word(args)?;
    let keys: Vec<View<'_, StringArray>> =
        args[1..].iter().step_by(2).map(Value::view).collect::<Result<_>>()?;
    try_strings(call, |row, out| {
        let mut members = Vec::with_capacity(keys.len());
        for (at, key) in keys.iter().enumerate() {
            let Some(key) = key.get(row) else {
                return Err(Error::data("a key of JSON_OBJECT is NULL"));
            };
            match argument(args, 2 * at + 2, row, &raw, call)? {
                Some(value) => put(&mut members, key.to_owned(), value),
                None if absent => {}
                None => put(&mut members, key.to_owned(), Json::Null),
            }
        }
        Json::Object(members).write(out);
        Ok(Some(()))
    })
}

fn array(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (absent, raw) = first_word(args)?;
    try_strings(call, |row, out| {
        let mut elements = Vec::with_capacity(args.len());
        for at in 1..args.len() {
            match argument(args, at, row, &raw, call)? {
                Some(value) => elements.push(value),
                None if absent => {}
                None => elements.push(Json::Null),
            }
        }
        Json::Array(elements).write(out);
        Ok(Some(()))
    })
}

/// JSON(text): the same document in normalised form; NULL for blank text.
fn json(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    try_strings(call, |row, out| {
        let Some(text) = text.get(row).map(|text| text.trim_matches(|c: char| c <= ' ')) else {
            return Ok(None);
        };
        if text.is_empty() {
            return Ok(None);
        }
        let document = parse(text).map_err(|error| {
            Error::data(format!("Invalid JSON string in JSON(value) function: \"{text}\". Error: {error}"))
        })?;
        document.write(out);
        Ok(Some(()))
    })
}

/// A value that is not NULL as JSON.
fn value_of(array: &dyn Array, at: usize, ty: &LogicalType) -> Result<Json> {
    let mismatch = || Error::internal(format!("a {} array does not hold values of {ty}", array.data_type()));
    let integer = |value: i64| Json::Integer(value.to_string());
    macro_rules! primitive {
        ($type:ty) => {
            array.as_primitive_opt::<$type>().ok_or_else(mismatch)?.value(at)
        };
    }
    Ok(match &ty.kind {
        TypeKind::Null => Json::Null,
        TypeKind::Char(_) | TypeKind::Varchar(_) => {
            Json::Text(array.as_string_opt::<i32>().ok_or_else(mismatch)?.value(at).to_owned())
        }
        TypeKind::Boolean => Json::Bool(array.as_boolean_opt().ok_or_else(mismatch)?.value(at)),
        TypeKind::Binary(_) | TypeKind::Varbinary(_) => {
            Json::Text(STANDARD.encode(array.as_binary_opt::<i32>().ok_or_else(mismatch)?.value(at)))
        }
        TypeKind::TinyInt => integer(primitive!(Int8Type).into()),
        TypeKind::SmallInt => integer(primitive!(Int16Type).into()),
        TypeKind::Int => integer(primitive!(Int32Type).into()),
        TypeKind::BigInt => integer(primitive!(Int64Type)),
        TypeKind::Float => double(primitive!(Float32Type).into())?,
        TypeKind::Double => double(primitive!(Float64Type))?,
        TypeKind::Decimal(_, scale) => {
            let value = primitive!(Decimal128Type);
            Json::Decimal(unscaled(value < 0, &value.unsigned_abs().to_string(), (*scale).into()))
        }
        TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_) => {
            let nanos = arrow_type::nanos_at(array, at).ok_or_else(mismatch)?;
            let mut text = String::new();
            iso_timestamp(nanos, &mut text);
            if matches!(ty.kind, TypeKind::TimestampLtz(_)) {
                text.push('Z');
            }
            Json::Text(text)
        }
        TypeKind::Array(element) => {
            let elements = array.as_list_opt::<i32>().ok_or_else(mismatch)?.value(at);
            let values = (0..elements.len()).map(|at| nullable_value_of(&elements, at, element));
            Json::Array(values.collect::<Result<_>>()?)
        }
        TypeKind::Map(_, value) => map(array, at, value, &mismatch)?,
        TypeKind::Multiset(_) => map(array, at, &TypeKind::Int.not_null(), &mismatch)?,
        TypeKind::Variant => {
            let mut text = String::new();
            let bytes = array.as_binary_opt::<i32>().ok_or_else(mismatch)?.value(at);
            variant::write_json(&mut text, bytes).ok_or_else(mismatch)?;
            Json::Raw(text)
        }
        TypeKind::Row(fields) | TypeKind::Structured(_, fields) => {
            let row = array.as_struct_opt().ok_or_else(mismatch)?;
            let mut members = Vec::with_capacity(fields.len());
            for (field, column) in fields.iter().zip(row.columns()) {
                put(&mut members, field.name.clone(), nullable_value_of(column, at, &field.ty)?);
            }
            Json::Object(members)
        }
        _ => {
            return Err(Error::invalid(format!(
                "Type '{ty}' is not scalar or cannot be converted into JSON."
            )));
        }
    })
}

fn nullable_value_of(array: &ArrayRef, at: usize, ty: &LogicalType) -> Result<Json> {
    if array.is_null(at) { Ok(Json::Null) } else { value_of(array, at, ty) }
}

fn map(array: &dyn Array, at: usize, value: &LogicalType, mismatch: &dyn Fn() -> Error) -> Result<Json> {
    let entries = array.as_map_opt().ok_or_else(mismatch)?.value(at);
    let keys = entries.column(0).as_string_opt::<i32>().ok_or_else(mismatch)?;
    let mut members = Vec::with_capacity(entries.len());
    for entry in 0..entries.len() {
        put(&mut members, keys.value(entry).to_owned(), nullable_value_of(entries.column(1), entry, value)?);
    }
    Ok(Json::Object(members))
}

fn double(value: f64) -> Result<Json> {
    let mut text = String::new();
    flott_batch::text::write_double(&mut text, value);
    if !value.is_finite() {
        return Ok(Json::Text(text));
    }
    canonical(&text).map(Json::Decimal).ok_or_else(|| Error::internal(format!("{text} is not a number")))
}

/// `2020-01-01T12:34:56.123`, without trailing zeros in the fraction.
fn iso_timestamp(nanos: i128, out: &mut String) {
    const DAY: i128 = 86_400_000_000_000;
    flott_batch::text::write_date(out, nanos.div_euclid(DAY) as i64);
    out.push('T');
    let of_day = nanos.rem_euclid(DAY);
    flott_batch::text::write_time(out, (of_day / 1_000_000_000 * 1_000) as i32, 0);
    let fraction = of_day % 1_000_000_000;
    if fraction > 0 {
        out.push('.');
        out.push_str(format!("{fraction:09}").trim_end_matches('0'));
    }
}
