//! JSON_VALUE, JSON_QUERY, JSON_EXISTS.

use std::borrow::Cow;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::{Float64Type, Int32Type};
use flott_batch::arrow_type::to_arrow;
use flott_expr::context::PlanContext;
use flott_expr::function::{Argument, Call, Function, Signature, no_signature};
use flott_expr::value::Value;
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::evaluate::evaluate;
use super::parse::parse;
use super::path::Path;
use super::value::Json;
use crate::build::{TextLists, try_booleans, try_primitives, try_strings};
use crate::check::{self, illegal_null};
use crate::constant::{self, Programs};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("JSON_VALUE", infer_value, |args, call| {
        constant::evaluate(args, call, Path::new, json_value)
    })
    .prepare(|args, _| constant::prepare(args, 1, Path::new, json_value)),
    Function::new("JSON_QUERY", infer_query, |args, call| {
        constant::evaluate(args, call, Path::new, json_query)
    })
    .prepare(|args, _| constant::prepare(args, 1, Path::new, json_query)),
    Function::new("JSON_EXISTS", infer_exists, |args, call| {
        constant::evaluate(args, call, Path::new, json_exists)
    })
    .prepare(|args, _| constant::prepare(args, 1, Path::new, json_exists)),
];

fn check_document(name: &str, args: &[Argument<'_>], counts: std::ops::RangeInclusive<usize>) -> Result<()> {
    let form = format!("{name}(<CHARACTER>, <CHARACTER>)");
    if !counts.contains(&args.len()) {
        return Err(no_signature(name, args, &[&form]));
    }
    if args[..2].iter().any(|arg| arg.ty.kind == TypeKind::Null) {
        return Err(illegal_null(name));
    }
    if !args[..2].iter().all(|arg| arg.ty.kind.is_character()) {
        return Err(no_signature(name, args, &[&form]));
    }
    Ok(())
}

/// The error for a `word` that is not allowed here.
fn refused(name: &str, place: &str, word: &str) -> Error {
    Error::invalid(format!("Illegal {place} behavior '{word}' specified in {name} function"))
}

fn infer_value(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    check_document("JSON_VALUE", args, 6..=7)?;
    let result = match args.get(6).map(|arg| &arg.ty.kind) {
        None | Some(TypeKind::Varchar(_)) => {
            args.get(6).map_or(TypeKind::STRING.nullable(), |arg| arg.ty.clone())
        }
        Some(kind @ (TypeKind::Boolean | TypeKind::Int | TypeKind::Double)) => kind.clone().nullable(),
        Some(kind) => {
            return Err(Error::invalid(format!("Unsupported type '{kind}' for RETURNING in JSON_VALUE().")));
        }
    };
    for at in [2, 4] {
        match check::text(&args[at]) {
            Some("NULL" | "ERROR" | "DEFAULT") => {}
            other => {
                return Err(refused(
                    "JSON_VALUE",
                    if at == 2 { "empty" } else { "error" },
                    other.unwrap_or("?"),
                ));
            }
        }
    }
    let mut casts: Vec<LogicalType> = args.iter().map(|arg| arg.ty.clone()).collect();
    casts[3] = result.clone();
    casts[5] = result.clone();
    Ok(Signature { casts, result })
}

fn infer_query(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    check_document("JSON_QUERY", args, 5..=6)?;
    let strings = TypeKind::Array(Box::new(TypeKind::STRING.nullable()));
    let result = match args.get(5).map(|arg| &arg.ty.kind) {
        None => TypeKind::STRING,
        Some(kind @ TypeKind::Varchar(_)) => kind.clone(),
        Some(TypeKind::Array(element)) if matches!(element.kind, TypeKind::Varchar(_)) => strings,
        Some(kind) => {
            return Err(Error::invalid(format!("Unsupported type '{kind}' for RETURNING in JSON_QUERY().")));
        }
    };
    let is_array = matches!(result, TypeKind::Array(_));
    for at in [3, 4] {
        match check::text(&args[at]) {
            Some("EMPTY OBJECT") if is_array => {
                return Err(refused("JSON_QUERY", if at == 3 { "empty" } else { "error" }, "EMPTY OBJECT"));
            }
            Some("NULL" | "ERROR" | "EMPTY ARRAY" | "EMPTY OBJECT") => {}
            other => {
                return Err(refused(
                    "JSON_QUERY",
                    if at == 3 { "empty" } else { "error" },
                    other.unwrap_or("?"),
                ));
            }
        }
    }
    Ok(Signature::as_is(args, result.nullable()))
}

fn infer_exists(args: &[Argument<'_>], _context: &PlanContext) -> Result<Signature> {
    check_document("JSON_EXISTS", args, 3..=3)?;
    match check::text(&args[2]) {
        Some("TRUE" | "FALSE" | "UNKNOWN" | "ERROR") => {}
        other => return Err(refused("JSON_EXISTS", "error", other.unwrap_or("?"))),
    }
    Ok(Signature::as_is(args, TypeKind::Boolean.nullable()))
}

/// A constant keyword.
fn word(args: &[Value], at: usize) -> Result<&str> {
    let word = args[at].view::<StringArray>()?.constant().flatten();
    word.ok_or_else(|| Error::internal("a keyword of a JSON function is not a constant"))
}

/// Evaluates the path for a row, and passes on what it leads to. `None` for a NULL document or path.
fn with_result<R>(
    args: &[Value],
    row: usize,
    paths: &mut Programs<'_, Path>,
    then: impl FnOnce(&Path, Result<Option<Cow<'_, Json>>, String>) -> Result<R>,
) -> Result<Option<R>> {
    let (text, path) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    let (Some(text), Some(path)) = (text.get(row), path.get(row)) else {
        return Ok(None);
    };
    let path = paths.get(path)?;
    match parse(text) {
        Ok(document) => then(path, evaluate(path, &document)),
        // For a lax path, a document that is not JSON is empty.
        Err(_) if path.lax => then(path, Ok(None)),
        Err(error) => then(path, Err(error)),
    }
    .map(Some)
}

fn json_exists(args: &[Value], call: &Call<'_>, paths: &mut Programs<'_, Path>) -> Result<ArrayRef> {
    let on_error = word(args, 2)?;
    try_booleans(call.rows, |row| {
        let exists = with_result(args, row, paths, |_, found| match (found, on_error) {
            (Ok(found), _) => Ok(Some(found.is_some())),
            (Err(_), "TRUE") => Ok(Some(true)),
            (Err(_), "FALSE") => Ok(Some(false)),
            (Err(_), "UNKNOWN") => Ok(None),
            (Err(error), _) => Err(Error::data(error)),
        })?;
        Ok(exists.flatten())
    })
}

/// The outcome of a row of JSON_VALUE or JSON_QUERY.
enum Outcome {
    Null,
    /// The default ON EMPTY (false) or ON ERROR (true).
    Default(bool),
    Value(Json),
}

fn json_value(args: &[Value], call: &Call<'_>, paths: &mut Programs<'_, Path>) -> Result<ArrayRef> {
    let (on_empty, on_error) = (word(args, 2)?, word(args, 4)?);
    let mut defaults: Vec<(usize, bool)> = Vec::new();
    let mut outcome = |row: usize| -> Result<Option<Json>> {
        let found = with_result(args, row, paths, |path, found| {
            let error = match found {
                Ok(Some(value)) if value.is_scalar() => return Ok(Outcome::Value(value.into_owned())),
                Ok(Some(value)) if !path.lax => {
                    let mut shown = String::new();
                    value.write(&mut shown);
                    format!("Strict jsonpath mode requires scalar value, and the actual value is: '{shown}'")
                }
                Ok(_) => {
                    return match on_empty {
                        "NULL" => Ok(Outcome::Null),
                        "DEFAULT" => Ok(Outcome::Default(false)),
                        _ => Err(Error::data("Empty result of JSON_VALUE function is not allowed")),
                    };
                }
                Err(error) => error,
            };
            match on_error {
                "NULL" => Ok(Outcome::Null),
                "DEFAULT" => Ok(Outcome::Default(true)),
                _ => Err(Error::data(error)),
            }
        })?;
        Ok(match found {
            Some(Outcome::Value(value)) => Some(value),
            Some(Outcome::Default(on_error)) => {
                defaults.push((row, on_error));
                None
            }
            Some(Outcome::Null) | None => None,
        })
    };
    let wrong = |value: &Json, ty: &TypeKind| {
        let mut shown = String::new();
        value.write(&mut shown);
        Error::data(format!("JSON_VALUE: {shown} cannot be returned as {ty}"))
    };
    let kind = &call.result.kind;
    let array: ArrayRef = match kind {
        TypeKind::Boolean => try_booleans(call.rows, |row| match outcome(row)? {
            None => Ok(None),
            Some(Json::Bool(value)) => Ok(Some(value)),
            Some(other) => Err(wrong(&other, kind)),
        })?,
        TypeKind::Int => try_primitives::<Int32Type>(call.rows, |row| match outcome(row)? {
            None => Ok(None),
            Some(Json::Integer(text)) => {
                text.parse().map(Some).map_err(|_| wrong(&Json::Integer(text), kind))
            }
            Some(other) => Err(wrong(&other, kind)),
        })?,
        TypeKind::Double => try_primitives::<Float64Type>(call.rows, |row| match outcome(row)? {
            None => Ok(None),
            Some(Json::Integer(text) | Json::Decimal(text)) => {
                text.parse().map(Some).map_err(|_| wrong(&Json::Decimal(text), kind))
            }
            Some(other) => Err(wrong(&other, kind)),
        })?,
        _ => try_strings(call, |row, out| Ok(outcome(row)?.map(|value| value.write_plain(out))))?,
    };
    fill_in(array, &defaults, args, call)
}

/// Fills in the defaults for the rows that need them.
fn fill_in(array: ArrayRef, defaults: &[(usize, bool)], args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    if defaults.is_empty() {
        return Ok(array);
    }
    let mut indices: Vec<(usize, usize)> = (0..call.rows).map(|row| (0, row)).collect();
    for (row, on_error) in defaults {
        let source = if *on_error { 2 } else { 1 };
        indices[*row] = (source, args[2 * source + 1].position(*row));
    }
    let sources: [&dyn Array; 3] = [&array, args[3].held(), args[5].held()];
    call.room().interleave(&sources, &indices)
}

fn json_query(args: &[Value], call: &Call<'_>, paths: &mut Programs<'_, Path>) -> Result<ArrayRef> {
    let (wrapper, on_empty, on_error) = (word(args, 2)?, word(args, 3)?, word(args, 4)?);
    let wants_array = matches!(call.result.kind, TypeKind::Array(_));
    let otherwise = |behavior: &str, error: &str| match behavior {
        "NULL" => Ok(Outcome::Null),
        "EMPTY ARRAY" => Ok(Outcome::Value(Json::Array(Vec::new()))),
        "EMPTY OBJECT" => Ok(Outcome::Value(Json::Object(Vec::new()))),
        _ => Err(Error::data(error.to_owned())),
    };
    let mut outcome = |row: usize| -> Result<Option<Json>> {
        let found = with_result(args, row, paths, |path, found| {
            let value = match found {
                Err(error) => return otherwise(on_error, &error),
                Ok(value) => value.map(|value| match wrapper {
                    "UNCONDITIONAL" => Json::Array(vec![value.into_owned()]),
                    "CONDITIONAL" if !matches!(*value, Json::Array(_)) => {
                        Json::Array(vec![value.into_owned()])
                    }
                    _ => value.into_owned(),
                }),
            };
            match value {
                Some(value) if wants_array && matches!(value, Json::Object(_)) => {
                    otherwise(on_error, "JSON_QUERY: an object cannot be returned as an array")
                }
                Some(value) if !value.is_scalar() => Ok(Outcome::Value(value)),
                Some(value) if !path.lax => {
                    let mut shown = String::new();
                    value.write_plain(&mut shown);
                    let error = format!(
                        "Strict jsonpath mode requires array or object value, and the actual value is: '{shown}'"
                    );
                    otherwise(on_error, &error)
                }
                _ => otherwise(on_empty, "Empty result of JSON_QUERY function is not allowed"),
            }
        })?;
        Ok(match found {
            Some(Outcome::Value(value)) => Some(value),
            _ => None,
        })
    };
    if !wants_array {
        return try_strings(call, |row, out| Ok(outcome(row)?.map(|value| value.write(out))));
    }
    let mut lists = TextLists::new(call);
    let mut text = String::new();
    for row in 0..call.rows {
        let Some(Json::Array(elements)) = outcome(row)? else {
            lists.end(false);
            continue;
        };
        for element in elements {
            if element == Json::Null {
                lists.push(None)?;
                continue;
            }
            text.clear();
            element.write_plain(&mut text);
            lists.push(Some(&text))?;
        }
        lists.end(true);
    }
    let array = lists.finish();
    debug_assert_eq!(array.data_type(), &to_arrow(call.result));
    Ok(array)
}
