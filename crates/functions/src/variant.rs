//! PARSE_JSON and TRY_PARSE_JSON; access to elements and members of a VARIANT is in [`super::collection`],
//! JSON_STRING in [`super::json`].

use arrow::array::{ArrayRef, BinaryArray, BooleanArray, Int64Array, StringArray};
use flott_batch::variant::{self, Shape};
use flott_expr::function::{Call, Function, ScalarFunction};
use flott_expr::value::Value;
use flott_types::{Error, Result, TypeKind};

use super::build::try_binaries;
use super::check::{Family, infer, nullable_if};
use super::json::parse_variant;

const FORMS: &[&[Family]] = &[&[Family::Character], &[Family::Character, Family::Boolean]];

const FUNCTIONS: &[Function] = &[
    Function::new(
        "PARSE_JSON",
        infer!(with_null "PARSE_JSON", FORMS, |args| nullable_if(TypeKind::Variant, args)),
        |args, call| parse(args, call, false),
    ),
    Function::new(
        "TRY_PARSE_JSON",
        infer!(with_null "TRY_PARSE_JSON", FORMS, |_args| TypeKind::Variant.nullable()),
        |args, call| parse(args, call, true),
    ),
];

/// The table of the family.
pub(crate) fn functions() -> Vec<Box<dyn ScalarFunction>> {
    FUNCTIONS.iter().map(|function| function.boxed()).collect()
}

/// (TRY_)PARSE_JSON(text [, allow duplicate keys]).
fn parse(args: &[Value], call: &Call<'_>, is_try: bool) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    let duplicates = args.get(1).map(Value::view::<BooleanArray>).transpose()?;
    try_binaries(call, |row, out| {
        let allowed = duplicates.map_or(Some(false), |duplicates| duplicates.get(row));
        let (Some(text), Some(allowed)) = (text.get(row), allowed) else {
            return Ok(None);
        };
        match parse_variant(text, allowed) {
            Ok(value) => {
                *out = value.encode();
                Ok(Some(()))
            }
            Err(_) if is_try => Ok(None),
            Err(why) => Err(Error::data(format!("Failed to parse json string: {text}: {why}"))),
        }
    })
}

/// `variant[1]`: elements count from 1; a missing element is NULL.
pub(super) fn element(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (value, index) = (args[0].view::<BinaryArray>()?, args[1].view::<Int64Array>()?);
    try_binaries(call, |row, out| {
        let (Some(value), Some(index)) = (value.get(row), index.get(row)) else {
            return Ok(None);
        };
        if variant::shape(value) != Shape::Array {
            return Err(Error::data(
                "Integer index access on variant requires an array variant, but a non-array variant was provided.",
            ));
        }
        let at = usize::try_from(index - 1).ok();
        Ok(at.and_then(|at| variant::element(value, at)).map(|found| out.extend_from_slice(found)))
    })
}

/// `variant['key']`: a missing member is NULL.
pub(super) fn member(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (value, key) = (args[0].view::<BinaryArray>()?, args[1].view::<StringArray>()?);
    try_binaries(call, |row, out| {
        let (Some(value), Some(key)) = (value.get(row), key.get(row)) else {
            return Ok(None);
        };
        if variant::shape(value) != Shape::Object {
            return Err(Error::data(
                "String key access on variant requires an object variant, but a non-object variant was provided.",
            ));
        }
        Ok(variant::member(value, key).map(|found| out.extend_from_slice(found)))
    })
}
