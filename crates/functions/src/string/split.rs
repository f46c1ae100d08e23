//! SPLIT, SPLIT_INDEX.

use arrow::array::{ArrayRef, Int64Array, StringArray};
use flott_expr::function::{Call, Function};
use flott_expr::value::Value;
use flott_types::{Result, TypeKind};

use super::needle::Needle;
use crate::build::{TextLists, slices};
use crate::check::{Family, infer, nullable_if};
use crate::utf16;

const INDEX: &[&[Family]] = &[
    &[Family::Character, Family::Integer, Family::Integer],
    &[Family::Character, Family::Character, Family::Integer],
];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "SPLIT",
        infer!(with_null "SPLIT", &[&[Family::Character, Family::Character]], |args| {
            nullable_if(TypeKind::Array(Box::new(TypeKind::STRING.nullable())), args)
        }),
        split,
    ),
    Function::new(
        "SPLIT_INDEX",
        infer!("SPLIT_INDEX", INDEX, |_args| TypeKind::STRING.nullable()),
        split_index,
    ),
];

/// An empty delimiter splits into single Java chars.
fn split(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (text, delimiter) = (args[0].view::<StringArray>()?, args[1].view::<StringArray>()?);
    let mut lists = TextLists::new(call);
    let mut part = String::new();
    for row in 0..call.rows {
        let (Some(text), Some(delimiter)) = (text.get(row), delimiter.get(row)) else {
            lists.end(false);
            continue;
        };
        if delimiter.is_empty() {
            for unit in text.encode_utf16() {
                part.clear();
                utf16::push(&mut part, [unit]);
                lists.push(Some(&part))?;
            }
        } else {
            for part in text.split(delimiter) {
                lists.push(Some(part))?;
            }
        }
        lists.end(true);
    }
    Ok(lists.finish())
}

/// The n-th part, counting from 0. The separator is a string or a character's code from 1 to 255; the empty
/// string splits at white space. An empty text has no parts.
fn split_index(args: &[Value], call: &Call<'_>) -> Result<ArrayRef> {
    let (text, index) = (args[0].view::<StringArray>()?, args[2].view::<Int64Array>()?);
    let position = |row| usize::try_from(index.get(row)?).ok();
    if call.arg_types[1].kind.is_integer() {
        let code = args[1].view::<Int64Array>()?;
        return slices(call, |row| {
            let (text, code, position) = (text.get(row)?, code.get(row)?, position(row)?);
            let separator = u8::try_from(code).ok().filter(|code| *code > 0)?;
            if text.is_empty() { None } else { text.split(char::from(separator)).nth(position) }
        });
    }
    let separator = args[1].view::<StringArray>()?;
    if let Some(Some(separator)) = separator.constant().filter(|text| *text != Some("")) {
        let needle = Needle::new(separator);
        return slices(call, |row| {
            let (text, position) = (text.get(row)?, position(row)?);
            if text.is_empty() { None } else { needle.part(text, position) }
        });
    }
    slices(call, |row| {
        let (text, separator, position) = (text.get(row)?, separator.get(row)?, position(row)?);
        match (text, separator) {
            ("", _) => None,
            (_, "") => text.split(char::is_whitespace).nth(position),
            _ => text.split(separator).nth(position),
        }
    })
}
