//! REGEXP, REGEXP_REPLACE, REGEXP_EXTRACT, REGEXP_EXTRACT_ALL, REGEXP_COUNT, REGEXP_INSTR, REGEXP_SUBSTR,
//! STR_TO_MAP.
//!
//! An invalid pattern is not an error: REGEXP is FALSE, the others are NULL.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Int64Array, MapBuilder, MapFieldNames, StringArray, StringBuilder, new_null_array,
};
use arrow::datatypes::{DataType, Int32Type};
use flott_expr::function::{Call, Function, ScalarFunction};
use flott_expr::value::Value;
use flott_types::{Error, ErrorKind, Result, TypeKind};

use super::JavaRegex;
use crate::build::{TextLists, slices, try_booleans, try_primitives, try_strings};
use crate::check::{Family, infer, nullable_if};
use crate::constant::{self, Programs};
use crate::utf16;

/// `None` for a pattern that Java refuses.
type Program = Option<JavaRegex>;

fn compile(pattern: &str) -> Result<Program> {
    match JavaRegex::new(pattern) {
        Ok(regex) => Ok(Some(regex)),
        Err(error) if error.kind() == ErrorKind::Invalid => Ok(None),
        Err(error) => Err(error),
    }
}

const TWO: &[&[Family]] = &[&[Family::Character, Family::Character]];
const WITH_GROUP: &[&[Family]] =
    &[&[Family::Character, Family::Character], &[Family::Character, Family::Character, Family::Integer]];
const THREE: &[&[Family]] = &[&[Family::Character, Family::Character, Family::Character]];
const TO_MAP: &[&[Family]] =
    &[&[Family::Character], &[Family::Character, Family::Character, Family::Character]];

fn strings_array() -> TypeKind {
    TypeKind::Array(Box::new(TypeKind::STRING.nullable()))
}

fn strings_map() -> TypeKind {
    TypeKind::Map(Box::new(TypeKind::STRING.nullable()), Box::new(TypeKind::STRING.nullable()))
}

macro_rules! with_pattern {
    ($name:literal, $infer:expr, $run:expr) => {
        Function::new($name, $infer, |args, call| constant::evaluate(args, call, compile, $run))
            .prepare(|args, _| constant::prepare(args, 1, compile, $run))
            .boxed()
    };
}

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    vec![
        with_pattern!("REGEXP", infer!("REGEXP", TWO, |args| nullable_if(TypeKind::Boolean, args)), regexp),
        with_pattern!(
            "REGEXP_REPLACE",
            infer!("REGEXP_REPLACE", THREE, |args| nullable_if(TypeKind::STRING, args)),
            replace
        ),
        with_pattern!(
            "REGEXP_EXTRACT",
            infer!("REGEXP_EXTRACT", WITH_GROUP, |_args| TypeKind::STRING.nullable()),
            extract
        ),
        with_pattern!(
            "REGEXP_EXTRACT_ALL",
            infer!(with_null "REGEXP_EXTRACT_ALL", WITH_GROUP, |_args| strings_array().nullable()),
            extract_all
        ),
        with_pattern!(
            "REGEXP_COUNT",
            infer!(with_null "REGEXP_COUNT", TWO, |_args| TypeKind::Int.nullable()),
            count
        ),
        with_pattern!(
            "REGEXP_INSTR",
            infer!(with_null "REGEXP_INSTR", TWO, |_args| TypeKind::Int.nullable()),
            instr
        ),
        with_pattern!(
            "REGEXP_SUBSTR",
            infer!(with_null "REGEXP_SUBSTR", TWO, |_args| TypeKind::STRING.nullable()),
            extract
        ),
        Function::new(
            "STR_TO_MAP",
            infer!("STR_TO_MAP", TO_MAP, |_args| strings_map().nullable()),
            str_to_map,
        )
        .boxed(),
    ]
}

type Patterns<'a, 'b> = &'a mut Programs<'b, Program>;

/// The empty pattern finds nothing.
fn regexp(args: &[Value], call: &Call<'_>, patterns: Patterns<'_, '_>) -> Result<ArrayRef> {
    let (text, pattern) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    try_booleans(call.rows, |row| {
        let (Some(text), Some(pattern)) = (text.get(row), pattern.get(row)) else {
            return Ok(None);
        };
        let regex = patterns.get(pattern)?.as_ref();
        Ok(Some(!pattern.is_empty() && regex.is_some_and(|regex| regex.find_at(text, 0).is_some())))
    })
}

/// The replacement is literal: `$1` means nothing.
fn replace(args: &[Value], call: &Call<'_>, patterns: Patterns<'_, '_>) -> Result<ArrayRef> {
    let (text, pattern) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    let new = args[2].view::<StringArray>()?;
    try_strings(call, |row, out| {
        let (Some(text), Some(pattern), Some(new)) = (text.get(row), pattern.get(row), new.get(row)) else {
            return Ok(None);
        };
        let Some(regex) = patterns.get(pattern)? else {
            return Ok(None);
        };
        let mut from = 0;
        for (start, end) in regex.find_all(text) {
            out.push_str(&text[from..start]);
            out.push_str(new);
            from = end;
        }
        out.push_str(&text[from..]);
        Ok(Some(()))
    })
}

/// The group that a call asks for: the default if there is no third argument.
fn group_of(args: &[Value], default: i64) -> Result<impl Fn(usize) -> Option<i64>> {
    let group = args.get(2).map(Value::view::<Int64Array>).transpose()?;
    Ok(move |row| match &group {
        Some(group) => group.get(row),
        None => Some(default),
    })
}

/// A group of the first match; NULL without a match or group. For REGEXP_SUBSTR it is the whole match.
fn extract(args: &[Value], call: &Call<'_>, patterns: Patterns<'_, '_>) -> Result<ArrayRef> {
    let (text, pattern) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    let group = group_of(args, 0)?;
    if let (Some(Some(pattern)), true) = (pattern.constant(), call.rows > 0) {
        let Some(regex) = patterns.get(pattern)? else {
            return Ok(new_null_array(&DataType::Utf8, call.rows));
        };
        let mut groups = regex.groups_of_match();
        return slices(call, |row| {
            let (text, group) = (text.get(row)?, usize::try_from(group(row)?).ok()?);
            regex.group_in(text, group, &mut groups).map(|(start, end)| &text[start..end])
        });
    }
    try_strings(call, |row, out| {
        let (Some(text), Some(pattern), Some(group)) = (text.get(row), pattern.get(row), group(row)) else {
            return Ok(None);
        };
        let (Some(regex), Ok(group)) = (patterns.get(pattern)?, usize::try_from(group)) else {
            return Ok(None);
        };
        let found = regex.group_in(text, group, &mut regex.groups_of_match());
        Ok(found.map(|(start, end)| out.push_str(&text[start..end])))
    })
}

/// A group of all matches; the first group by default.
fn extract_all(args: &[Value], call: &Call<'_>, patterns: Patterns<'_, '_>) -> Result<ArrayRef> {
    let (text, pattern) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    let group = group_of(args, 1)?;
    let mut lists = TextLists::new(call);
    for row in 0..call.rows {
        let (Some(text), Some(pattern), Some(group)) = (text.get(row), pattern.get(row), group(row)) else {
            lists.end(false);
            continue;
        };
        let regex = patterns.get(pattern)?.as_ref();
        let group = usize::try_from(group).ok();
        let (Some(regex), Some(group)) = (regex, group) else {
            lists.end(false);
            continue;
        };
        if group > regex.groups() {
            lists.end(false);
            continue;
        }
        for (_, found) in regex.group_all(text, group) {
            lists.push(found.map(|(start, end)| &text[start..end]))?;
        }
        lists.end(true);
    }
    Ok(lists.finish())
}

fn count(args: &[Value], call: &Call<'_>, patterns: Patterns<'_, '_>) -> Result<ArrayRef> {
    let (text, pattern) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    try_primitives::<Int32Type>(call.rows, |row| {
        let (Some(text), Some(pattern)) = (text.get(row), pattern.get(row)) else {
            return Ok(None);
        };
        let regex = patterns.get(pattern)?.as_ref();
        Ok(regex.map(|regex| regex.find_all(text).count() as i32))
    })
}

/// Where the first match begins, in Java's chars, counting from 1; 0 without a match.
fn instr(args: &[Value], call: &Call<'_>, patterns: Patterns<'_, '_>) -> Result<ArrayRef> {
    let (text, pattern) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    try_primitives::<Int32Type>(call.rows, |row| {
        let (Some(text), Some(pattern)) = (text.get(row), pattern.get(row)) else {
            return Ok(None);
        };
        let regex = patterns.get(pattern)?.as_ref();
        Ok(regex.map(|regex| match regex.find_at(text, 0) {
            Some((start, _)) => utf16::len(&text[..start]) as i32 + 1,
            None => 0,
        }))
    })
}

/// `STR_TO_MAP(text, between pairs, between key and value)`: both separators are regular expressions. A pair
/// without a value has the value NULL; if keys are equal, the last one wins.
fn str_to_map(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    let delimiter = |at: usize| args.get(at).map(Value::view::<StringArray>).transpose();
    let (pairs, values) = (delimiter(1)?, delimiter(2)?);
    let mut patterns: Programs<'_, JavaRegex> = Programs::new(|pattern| {
        JavaRegex::new(pattern).map_err(|error| Error::data(error.message().to_owned()))
    });
    let names = MapFieldNames { entry: "entries".into(), key: "keys".into(), value: "values".into() };
    let mut maps = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    let arrow_error = |error| Error::internal("cannot build a map").with_source(error);
    for row in 0..call.rows {
        let pair = pairs.as_ref().map_or(Some(","), |pairs| pairs.get(row));
        let value = values.as_ref().map_or(Some("="), |values| values.get(row));
        let (Some(text), Some(pair), Some(value)) = (text.get(row), pair, value) else {
            maps.append(false).map_err(arrow_error)?;
            continue;
        };
        let mut entries: Vec<(&str, Option<&str>)> = Vec::new();
        if !text.is_empty() {
            for part in patterns.get(pair)?.split(text, 0) {
                let entry = match patterns.get(value)?.split(part, 2).as_slice() {
                    [key, value] => (*key, Some(*value)),
                    _ => (part, None),
                };
                match entries.iter_mut().find(|(key, _)| *key == entry.0) {
                    Some(known) => *known = entry,
                    None => entries.push(entry),
                }
            }
        }
        for (key, value) in entries {
            let bytes = maps.keys().values_slice().len().max(maps.values().values_slice().len());
            call.room().fits(bytes + key.len() + value.map_or(0, str::len))?;
            maps.keys().append_value(key);
            maps.values().append_option(value);
        }
        maps.append(true).map_err(arrow_error)?;
    }
    Ok(Arc::new(maps.finish()))
}
