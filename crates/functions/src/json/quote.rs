//! JSON_QUOTE, JSON_UNQUOTE, IS JSON.

use arrow::array::{ArrayRef, StringArray};
use flott_expr::function::{Call, Function};
use flott_expr::value::Value;
use flott_types::{Error, Result, TypeKind};

use super::parse::parse;
use super::value::Json;
use crate::build::{booleans, strings, try_strings};
use crate::check::{Family, infer, nullable_if};
use crate::utf16;

const ONE: &[&[Family]] = &[&[Family::Character]];

macro_rules! is_json {
    ($name:literal, $test:expr) => {
        Function::new($name, infer!($name, ONE, |_args| TypeKind::Boolean.not_null()), |args, call| {
            is(args, call, $test)
        })
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "JSON_QUOTE",
        infer!(with_null "JSON_QUOTE", ONE, |args| nullable_if(TypeKind::STRING, args)),
        |args, call| {
            let text = args[0].view::<StringArray>()?;
            strings(call, |row, out| {
                quote(text.get(row)?, out);
                Some(())
            })
        },
    ),
    Function::new(
        "JSON_UNQUOTE",
        infer!(with_null "JSON_UNQUOTE", ONE, |args| nullable_if(TypeKind::STRING, args)),
        |args, call| {
            let text = args[0].view::<StringArray>()?;
            try_strings(call, |row, out| text.get(row).map(|text| unquote(text, out)).transpose())
        },
    ),
    is_json!("IS JSON VALUE", |_| true).aliases(&["IS JSON"]),
    is_json!("IS JSON OBJECT", |value| matches!(value, Json::Object(_))),
    is_json!("IS JSON ARRAY", |value| matches!(value, Json::Array(_))),
    is_json!("IS JSON SCALAR", Json::is_scalar),
];

/// NULL is not JSON.
fn is(args: &[Value], call: &Call<'_>, test: fn(&Json) -> bool) -> Result<ArrayRef> {
    let text = args[0].view::<StringArray>()?;
    Ok(booleans(call.rows, |row| {
        Some(text.get(row).and_then(|text| parse(text).ok()).is_some_and(|value| test(&value)))
    }))
}

/// Escapes everything beyond ASCII. For a character of two UTF-16 units Flink writes the whole code and then
/// the second unit again.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '\u{8}' => out.push_str("\\b"),
            '\u{C}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if c.is_ascii() => out.push(c),
            _ => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
                let mut units = [0; 2];
                if let [_, low] = c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{low:04x}"));
                }
            }
        }
    }
    out.push('"');
}

/// Removes the quotes and escapes of a quoted string that begins with a JSON value; any other text is
/// unchanged.
fn unquote(text: &str, out: &mut String) -> Result<()> {
    let quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    if !quoted || parse(text).is_err() {
        out.push_str(text);
        return Ok(());
    }
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text[1..text.len() - 1].chars();
    let mut buffer = [0; 2];
    while let Some(c) = chars.next() {
        if c != '\\' {
            units.extend_from_slice(c.encode_utf16(&mut buffer));
            continue;
        }
        // The last backslash may escape the closing quote.
        let escaped = chars.next().unwrap_or('"');
        let unit = match escaped {
            '"' | '\\' | '/' => escaped as u16,
            'b' => 8,
            'f' => 12,
            'n' => u16::from(b'\n'),
            'r' => u16::from(b'\r'),
            't' => u16::from(b'\t'),
            'u' => {
                let digits: String = chars.by_ref().take(4).collect();
                u16::from_str_radix(&digits, 16).map_err(|error| {
                    Error::data(format!("JSON_UNQUOTE: \\u{digits} is no character")).with_source(error)
                })?
            }
            other => return Err(Error::data(format!("JSON_UNQUOTE: illegal escape sequence: \\{other}"))),
        };
        units.push(unit);
    }
    utf16::push(out, units);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes() {
        let cases = [
            ("Hello", "\"Hello\""),
            ("ßİ", "\"\\u00df\\u0130\""),
            ("a😀", "\"a\\u1f600\\ude00\""),
            ("tab\t\\\"", "\"tab\\t\\\\\\\"\""),
        ];
        for (text, expected) in cases {
            let mut out = String::new();
            quote(text, &mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn unquotes() {
        let cases = [
            ("\"a\"", "a"),
            ("a", "a"),
            ("\"a\\\"b\"", "a\"b"),
            ("\"\\u0041\"", "A"),
            ("", ""),
            ("\"", "\""),
            ("\"a\"b\"", "a\"b"),
            ("[1, 2]", "[1, 2]"),
            ("\"\\\\u0041\"", "\\u0041"),
            ("\"a\\u1f600\\ude00b\"", "aὠ0?b"),
        ];
        for (text, expected) in cases {
            let mut out = String::new();
            unquote(text, &mut out).unwrap();
            assert_eq!(out, expected, "{text}");
        }
    }
}
