//! `csv`: as Flink reads and writes it, which is as Jackson does.
//!
//! - There is no header line. A file with one is read with `csv.ignore-parse-errors` (its fields become NULL where they
//!   are no numbers) or by a table of STRINGs.
//! - An empty field is an empty string for STRING; for every other type it is an error unless `csv.null-literal` is
//!   empty. The null literal is compared with the whole field as it stands.
//! - Numbers, booleans and times may have blanks around them. BOOLEAN is true for `true` and false for everything else.
//! - Fewer fields than columns, or more, is an error. With `ignore-parse-errors` missing fields are NULL and a
//!   record with too many is left out. One empty field too many at the end is allowed.
//! - A quoted field may hold delimiters, line ends and doubled quotes. That is why a file is not split between readers
//!   unless quotes are disabled (Flink never splits csv).
//! - BYTES are base64; ARRAY and ROW are their elements with `csv.array-element-delimiter` between them, one level deep.

mod decode;
mod encode;
mod scan;

use flott_connector::Options;
use flott_plan::Schema;
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::{RowDecoder, RowEncoder};

/// The options of `csv`.
#[derive(Clone, PartialEq, Debug)]
pub struct Csv {
    /// `field-delimiter`
    delimiter: char,
    /// `quote-character`; `None` with `disable-quote-character`.
    quote: Option<char>,
    /// `escape-character`
    escape: Option<char>,
    /// `allow-comments`
    comments: bool,
    /// `ignore-parse-errors`
    ignore_errors: bool,
    /// `array-element-delimiter`
    element_delimiter: String,
    /// `null-literal`
    null_literal: Option<String>,
    /// `write-bigdecimal-in-scientific-notation`
    scientific: bool,
}

impl Csv {
    pub(crate) fn new(options: &mut Options<'_>, prefix: &str) -> Result<Self> {
        let key = |name: &str| format!("{prefix}{name}");
        let disabled = options.flag(&key("disable-quote-character"), false)?;
        if disabled && options.text(&key("quote-character")).is_some() {
            return Err(Error::invalid(format!(
                "'{}' and '{}' contradict each other: leave out one",
                key("quote-character"),
                key("disable-quote-character")
            )));
        }
        let quote = character(options, &key("quote-character"))?.unwrap_or('"');
        let escape = character(options, &key("escape-character"))?;
        for (name, set) in [("quote-character", Some(quote)), ("escape-character", escape)] {
            if let Some(wide) = set.filter(|set| !set.is_ascii()) {
                return Err(options.wrong(&key(name), &wide.to_string(), "an ASCII character"));
            }
        }
        let csv = Csv {
            delimiter: character(options, &key("field-delimiter"))?.unwrap_or(','),
            quote: (!disabled).then_some(quote),
            escape,
            comments: options.flag(&key("allow-comments"), false)?,
            ignore_errors: options.flag(&key("ignore-parse-errors"), false)?,
            element_delimiter: options.text(&key("array-element-delimiter")).unwrap_or(";").to_owned(),
            null_literal: options.text(&key("null-literal")).map(str::to_owned),
            scientific: options.flag(&key("write-bigdecimal-in-scientific-notation"), true)?,
        };
        crate::format::warn_of_unknown(
            options,
            prefix,
            &[
                "field-delimiter",
                "disable-quote-character",
                "quote-character",
                "allow-comments",
                "ignore-parse-errors",
                "array-element-delimiter",
                "escape-character",
                "null-literal",
                "write-bigdecimal-in-scientific-notation",
            ],
        );
        Ok(csv)
    }

    pub(crate) fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn RowDecoder>> {
        check_types(schema)?;
        Ok(Box::new(decode::CsvDecoder::new(self.clone(), schema, projection)?))
    }

    pub(crate) fn encoder(&self, schema: &Schema) -> Result<Box<dyn RowEncoder>> {
        check_types(schema)?;
        Ok(Box::new(encode::CsvEncoder::new(self.clone(), schema)))
    }

    pub(crate) fn is_splittable(&self) -> bool {
        self.quote.is_none() && self.escape.is_none()
    }
}

/// An option of exactly one character, which may be written as an escape sequence of Java's.
fn character(options: &mut Options<'_>, key: &str) -> Result<Option<char>> {
    let Some(text) = options.text(key) else {
        return Ok(None);
    };
    let mut characters = text.chars();
    let found = match (characters.next(), characters.as_str()) {
        (Some('\\'), "t") => Some('\t'),
        (Some('\\'), "n") => Some('\n'),
        (Some('\\'), "r") => Some('\r'),
        (Some('\\'), "f") => Some('\u{c}'),
        (Some('\\'), "b") => Some('\u{8}'),
        (Some('\\'), "\\") => Some('\\'),
        (Some('\\'), rest) if rest.starts_with('u') => {
            let code = u32::from_str_radix(rest.trim_start_matches('u'), 16).ok();
            code.and_then(char::from_u32)
        }
        (Some('\\'), rest) if rest.chars().count() == 1 => rest.chars().next(),
        (Some(one), "") => Some(one),
        _ => None,
    };
    match found {
        Some('\n' | '\r') | None => Err(options.wrong(key, text, "a single character")),
        Some(character) => Ok(Some(character)),
    }
}

/// Which types a csv field can hold.
fn check_types(schema: &Schema) -> Result<()> {
    for (name, ty) in schema.iter() {
        let nested: Vec<&LogicalType> = match &ty.kind {
            TypeKind::Array(element) => vec![element],
            TypeKind::Row(fields) => fields.iter().map(|field| &field.ty).collect(),
            _ => vec![ty],
        };
        let wrong = nested.into_iter().find(|ty| {
            matches!(
                ty.kind,
                TypeKind::Array(_) | TypeKind::Map(..) | TypeKind::Multiset(_) | TypeKind::Row(_)
            )
        });
        if wrong.is_some() {
            return Err(Error::invalid(format!(
                "the format 'csv' cannot hold column '{name}' of type {ty}: it has ARRAY and ROW of plain types, and no MAP"
            )));
        }
    }
    Ok(())
}
