//! `json`, and the change formats made of it: `debezium-json`, `canal-json`, `maxwell-json`.
//!
//! One record a line in files; one message elsewhere. A record is an object (or an array of objects, several rows); a
//! column is the member of its name. A member that is missing is NULL unless `fail-on-missing-field`.
//!
//! - A value is read leniently, as in Flink: `"12"` is an INT, `1.9` is the INT 1, any value but `true` is the BOOLEAN FALSE, an
//!   object or array is its text for STRING. A number too large for a DECIMAL is NULL.
//! - With `ignore-parse-errors` a value that cannot be read is NULL, and a record that is not JSON is left out.
//! - BYTES are base64. MAP and MULTISET are objects and need STRING keys; the last of several equal keys counts.
//! - TIME keeps its fraction, which Flink drops.
//! - Text after a record is an error, which Flink ignores.
//!
//! A changed row is two rows: `-U` and `+U`. In Canal and Maxwell the old row lists what has changed only; the rest is
//! taken from the new one. Written are insertions and deletions only, an update as one of each, as in Flink.

mod decode;
mod encode;
mod envelope;
mod shape;

use flott_connector::{Changelog, Options};
use flott_plan::Schema;
use flott_types::{Error, LogicalType, Result, TypeKind};
use regex::Regex;

use crate::scalar::TimeStyle;
use crate::{RowDecoder, RowEncoder};

/// The options of a json format.
#[derive(Clone, Debug)]
pub struct Json {
    envelope: Envelope,
    /// `fail-on-missing-field`
    fail_on_missing: bool,
    /// `ignore-parse-errors`
    ignore_errors: bool,
    /// `timestamp-format.standard`
    style: TimeStyle,
    /// `encode.decimal-as-plain-number`
    plain_decimals: bool,
    /// `encode.ignore-null-fields`
    ignore_nulls: bool,
}

/// What is around a row.
#[derive(Clone, Debug)]
enum Envelope {
    /// Nothing: a record is a row.
    None,
    Debezium {
        /// `schema-include`
        schema: bool,
    },
    Canal {
        /// `database.include`, `table.include`
        database: Option<Regex>,
        table: Option<Regex>,
    },
    Maxwell,
}

const COMMON: [&str; 6] = [
    "ignore-parse-errors",
    "timestamp-format.standard",
    "map-null-key.mode",
    "map-null-key.literal",
    "encode.decimal-as-plain-number",
    "encode.ignore-null-fields",
];

impl Json {
    pub(crate) fn new(name: &str, options: &mut Options<'_>, prefix: &str) -> Result<Self> {
        let key = |name: &str| format!("{prefix}{name}");
        let mut known = COMMON.to_vec();
        let mut fail_on_missing = false;
        let envelope = match name {
            "debezium-json" => {
                known.push("schema-include");
                Envelope::Debezium { schema: options.flag(&key("schema-include"), false)? }
            }
            "canal-json" => {
                known.extend(["database.include", "table.include"]);
                Envelope::Canal {
                    database: whole(options, &key("database.include"))?,
                    table: whole(options, &key("table.include"))?,
                }
            }
            "maxwell-json" => Envelope::Maxwell,
            _ => {
                known.extend(["fail-on-missing-field", "decode.json-parser.enabled"]);
                fail_on_missing = options.flag(&key("fail-on-missing-field"), false)?;
                options.flag(&key("decode.json-parser.enabled"), true)?;
                Envelope::None
            }
        };
        let ignore_errors = options.flag(&key("ignore-parse-errors"), false)?;
        if fail_on_missing && ignore_errors {
            return Err(Error::invalid(format!(
                "'{}' and '{}' contradict each other: leave out one",
                key("fail-on-missing-field"),
                key("ignore-parse-errors")
            )));
        }
        let standard = key("timestamp-format.standard");
        let style = match options.text(&standard) {
            None | Some("SQL") => TimeStyle::Sql,
            Some("ISO-8601") => TimeStyle::Iso,
            Some(other) => return Err(options.wrong(&standard, other, "SQL or ISO-8601")),
        };
        // Maps have no NULL keys here: the two options are checked and make no difference.
        let mode = key("map-null-key.mode");
        if let Some(text) = options.text(&mode)
            && !["FAIL", "DROP", "LITERAL"].contains(&text.to_ascii_uppercase().as_str())
        {
            return Err(options.wrong(&mode, text, "FAIL, DROP or LITERAL"));
        }
        let json = Json {
            envelope,
            fail_on_missing,
            ignore_errors,
            style,
            plain_decimals: options.flag(&key("encode.decimal-as-plain-number"), false)?,
            ignore_nulls: options.flag(&key("encode.ignore-null-fields"), false)?,
        };
        crate::format::warn_of_unknown(options, prefix, &known);
        Ok(json)
    }

    pub(crate) fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn RowDecoder>> {
        check_types(schema)?;
        Ok(Box::new(decode::JsonDecoder::new(self.clone(), schema, projection)?))
    }

    pub(crate) fn encoder(&self, schema: &Schema) -> Result<Box<dyn RowEncoder>> {
        check_types(schema)?;
        if let Envelope::Debezium { schema: true } = self.envelope {
            return Err(Error::invalid("'debezium-json.schema-include' = 'true' is for reading only"));
        }
        Ok(Box::new(encode::JsonEncoder::new(self.clone(), schema)))
    }

    pub(crate) fn changelog(&self) -> Changelog {
        match self.envelope {
            Envelope::None => Changelog::InsertOnly,
            _ => Changelog::Retract,
        }
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

/// A regular expression that a whole name must match.
fn whole(options: &mut Options<'_>, key: &str) -> Result<Option<Regex>> {
    let Some(pattern) = options.text(key) else {
        return Ok(None);
    };
    let regex = Regex::new(&format!("^(?:{pattern})$"));
    regex.map(Some).map_err(|error| options.wrong(key, pattern, "a regular expression").with_source(error))
}

/// Objects have text for keys.
fn check_types(schema: &Schema) -> Result<()> {
    fn check(name: &str, ty: &LogicalType) -> Result<()> {
        match &ty.kind {
            TypeKind::Map(key, value) if key.kind.is_character() => check(name, value),
            TypeKind::Multiset(element) if element.kind.is_character() => Ok(()),
            TypeKind::Map(..) | TypeKind::Multiset(_) => Err(Error::invalid(format!(
                "the json formats cannot hold column '{name}': the keys of {ty} are not STRING"
            ))),
            TypeKind::Array(element) => check(name, element),
            TypeKind::Row(fields) => fields.iter().try_for_each(|field| check(name, &field.ty)),
            _ => Ok(()),
        }
    }
    schema.iter().try_for_each(|(name, ty)| check(name, ty))
}
