//! `csv`: read and written as Flink does, which is as Jackson does.
//!
//! - There is no header line. A file with one is read with `csv.ignore-parse-errors` (fields that are not
//!   numbers become NULL) or by a table of STRINGs.
//! - An empty field is an empty string for STRING; for every other type it is an error unless
//!   `csv.null-literal` is empty. The null literal is compared with the whole field.
//! - Numbers, booleans and times may have blanks around them. BOOLEAN is true for `true` and false for
//!   everything else.
//! - Fewer fields than columns, or more, is an error. With `ignore-parse-errors` missing fields are NULL and
//!   a record with too many is left out. One empty field too many at the end is allowed.
//! - A quoted field may hold delimiters, line ends and doubled quotes. That is why a file is not split
//!   between readers unless quotes are disabled (Flink never splits csv).
//! - BYTES are base64; ARRAY and ROW are their elements with `csv.array-element-delimiter` between them, one
//!   level deep.

mod decode;
mod encode;
mod scan;

use std::sync::Arc;

use flott_connector::format::{
    MessageDecoder, MessageEncoder, MessageFormat, RecordDecoder, RecordEncoder, RecordFormat,
};
use flott_connector::{AnyOption, Format, FormatFactory, Manual, Options, TableOption, WithDefault};
use flott_plan::Schema;
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::encode::RowEncoder;

const FIELD_DELIMITER: TableOption<char, WithDefault> = TableOption::parsed(
    "field-delimiter",
    "character",
    "a single character",
    character,
    "the separator of fields; `\\t` and Java's other escape sequences are understood",
)
.or(",");
const NO_QUOTES: TableOption<bool, WithDefault> = TableOption::flag(
    "disable-quote-character",
    "no quoting: a quote is an ordinary character, and a large file can be read by several readers",
)
.or("false");
const QUOTE: TableOption<char, WithDefault> = TableOption::parsed(
    "quote-character",
    "character",
    "a single ASCII character",
    ascii,
    "the quote around a field that contains delimiters or line ends",
)
.or("\"");
const COMMENTS: TableOption<bool, WithDefault> =
    TableOption::flag("allow-comments", "lines that begin with `#` are skipped").or("false");
const IGNORE_ERRORS: TableOption<bool, WithDefault> = TableOption::flag(
    "ignore-parse-errors",
    "a field that cannot be read is NULL, and a record that cannot be parsed is skipped, instead of an error",
)
.or("false");
const ELEMENT_DELIMITER: TableOption<String, WithDefault> =
    TableOption::text("array-element-delimiter", "the separator of the elements of an ARRAY or ROW").or(";");
const ESCAPE: TableOption<char> = TableOption::parsed(
    "escape-character",
    "character",
    "a single ASCII character",
    ascii,
    "escapes the character after it",
);
const NULL_LITERAL: TableOption<String> =
    TableOption::text("null-literal", "the text that stands for NULL; by default none does");
const SCIENTIFIC: TableOption<bool, WithDefault> = TableOption::flag(
    "write-bigdecimal-in-scientific-notation",
    "DECIMALs are written as `1E+3` where Java would do so",
)
.or("true");

/// The format `csv`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CsvFactory;

impl FormatFactory for CsvFactory {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[
            &FIELD_DELIMITER,
            &NO_QUOTES,
            &QUOTE,
            &COMMENTS,
            &IGNORE_ERRORS,
            &ELEMENT_DELIMITER,
            &ESCAPE,
            &NULL_LITERAL,
            &SCIENTIFIC,
        ];
        Manual {
            summary: "Comma-separated values, read and written as in Flink.",
            details: "\
There is no header line.
A file with one can be read with `csv.ignore-parse-errors`, or by a table of STRINGs.

An empty field is an empty text for STRING and an error for every other type, unless `csv.null-literal` is empty.
Fewer fields than columns, or more, are an error; with `csv.ignore-parse-errors` missing fields are NULL, and a record with too many fields is skipped.

BYTES are base64.
ARRAY and ROW contain plain types.
MAP cannot be written.",
            example: "CREATE TABLE orders (id BIGINT, item STRING, price DECIMAL(10, 2)) WITH (
  'connector' = 'filesystem',
  'path' = '/data/orders',
  'format' = 'csv',
  'csv.field-delimiter' = ';',
  'csv.null-literal' = ''
);",
            options: OPTIONS,
        }
    }

    fn format(&self, options: &Options<'_>) -> Result<Arc<dyn Format>> {
        let disabled = options.get(&NO_QUOTES)?;
        if disabled && options.is_set(&QUOTE) {
            return Err(Error::invalid(format!(
                "'{}' and '{}' contradict each other: leave out one",
                options.key(&QUOTE),
                options.key(&NO_QUOTES)
            )));
        }
        let quote = options.get(&QUOTE)?;
        Ok(Arc::new(Csv {
            delimiter: options.get(&FIELD_DELIMITER)?,
            quote: (!disabled).then_some(quote),
            escape: options.get(&ESCAPE)?,
            comments: options.get(&COMMENTS)?,
            ignore_errors: options.get(&IGNORE_ERRORS)?,
            element_delimiter: options.get(&ELEMENT_DELIMITER)?,
            null_literal: options.get(&NULL_LITERAL)?,
            scientific: options.get(&SCIENTIFIC)?,
        }))
    }
}

/// `csv` with its options.
#[derive(Clone, Debug)]
struct Csv {
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
    fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<decode::CsvDecoder>> {
        check_types(schema)?;
        Ok(Box::new(decode::CsvDecoder::new(self.clone(), schema, projection)?))
    }

    fn encoder(&self, schema: &Schema) -> Result<Box<RowEncoder<encode::CsvEncoder>>> {
        check_types(schema)?;
        Ok(RowEncoder::new(encode::CsvEncoder::new(self.clone(), schema)))
    }
}

impl Format for Csv {
    fn name(&self) -> &'static str {
        CsvFactory.name()
    }

    fn leaves_out_errors(&self) -> bool {
        self.ignore_errors
    }

    fn messages(&self) -> Option<&dyn MessageFormat> {
        Some(self)
    }

    fn records(&self) -> Option<&dyn RecordFormat> {
        Some(self)
    }
}

impl MessageFormat for Csv {
    fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn MessageDecoder>> {
        Ok(Csv::decoder(self, schema, projection)?)
    }

    fn encoder(&self, schema: &Schema) -> Result<Box<dyn MessageEncoder>> {
        Ok(Csv::encoder(self, schema)?)
    }
}

impl RecordFormat for Csv {
    fn is_text(&self) -> bool {
        true
    }

    fn is_splittable(&self) -> bool {
        self.quote.is_none() && self.escape.is_none()
    }

    fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn RecordDecoder>> {
        Ok(Csv::decoder(self, schema, projection)?)
    }

    fn encoder(&self, schema: &Schema) -> Result<Box<dyn RecordEncoder>> {
        Ok(Csv::encoder(self, schema)?)
    }
}

/// Exactly one character, which may be written as an escape sequence of Java's.
fn character(text: &str) -> Option<char> {
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
    found.filter(|character| !matches!(character, '\n' | '\r'))
}

/// The same, of one byte.
fn ascii(text: &str) -> Option<char> {
    character(text).filter(char::is_ascii)
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
