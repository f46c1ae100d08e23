//! The json formats by name, and their options.

use std::sync::Arc;

use flott_connector::{AnyOption, Format, FormatFactory, Manual, Options, TableOption, WithDefault};
use flott_types::{Error, Result};
use regex::Regex;

use super::{Envelope, Json};
use crate::scalar::TimeStyle;

/// A format made of json.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum JsonFactory {
    Json,
    Debezium,
    Canal,
    Maxwell,
    Ogg,
}

const IGNORE_ERRORS: TableOption<bool, WithDefault> = TableOption::flag(
    "ignore-parse-errors",
    "a value that cannot be read is NULL, and a record that is not JSON is skipped, instead of an error",
)
.or("false");
const TIMESTAMPS: TableOption<TimeStyle, WithDefault> = TableOption::word(
    "timestamp-format.standard",
    &[("SQL", TimeStyle::Sql), ("ISO-8601", TimeStyle::Iso)],
    "how timestamps are written: `2020-12-30 12:13:14.123` or `2020-12-30T12:13:14.123`",
)
.or("SQL");
/// Maps have no NULL keys here: the two options are checked and make no difference.
const NULL_KEY_MODE: TableOption<(), WithDefault> = TableOption::word(
    "map-null-key.mode",
    &[("FAIL", ()), ("DROP", ()), ("LITERAL", ())],
    "what is written for a NULL key of a MAP",
)
.in_any_case()
.or("FAIL")
.without_effect("a MAP has no NULL keys");
const NULL_KEY_LITERAL: TableOption<String, WithDefault> =
    TableOption::text("map-null-key.literal", "the text for a NULL key of a MAP")
        .or("null")
        .without_effect("a MAP has no NULL keys");
const PLAIN_DECIMALS: TableOption<bool, WithDefault> = TableOption::flag(
    "encode.decimal-as-plain-number",
    "DECIMALs are written as `0.00000027` and not as `2.7E-7`",
)
.or("false");
const IGNORE_NULLS: TableOption<bool, WithDefault> =
    TableOption::flag("encode.ignore-null-fields", "members that are NULL are not written").or("false");

const FAIL_ON_MISSING: TableOption<bool, WithDefault> =
    TableOption::flag("fail-on-missing-field", "a missing member is an error instead of NULL").or("false");
const PARSER: TableOption<bool, WithDefault> =
    TableOption::flag("decode.json-parser.enabled", "which of Flink's two parsers is used")
        .or("true")
        .without_effect("there is one parser");

const SCHEMA: TableOption<bool, WithDefault> = TableOption::flag(
    "schema-include",
    "records are wrapped in Debezium's schema (`value.converter.schemas.enable`); only for reading",
)
.or("false");

const DATABASES: TableOption<Arc<Regex>> = TableOption::parsed(
    "database.include",
    "regular expression",
    "a regular expression",
    whole,
    "only changes of databases whose names match are read",
);
const TABLES: TableOption<Arc<Regex>> = TableOption::parsed(
    "table.include",
    "regular expression",
    "a regular expression",
    whole,
    "only changes of tables whose names match are read",
);

/// A regular expression that a whole name must match.
fn whole(pattern: &str) -> Option<Arc<Regex>> {
    Regex::new(&format!("^(?:{pattern})$")).ok().map(Arc::new)
}

const CHANGES: &str = "\
A record is a change and becomes one row, or two: an update is `-U` and `+U`.
When writing, there are only insertions and deletions; an update becomes one of each, as in Flink.";

impl FormatFactory for JsonFactory {
    fn name(&self) -> &'static str {
        match self {
            JsonFactory::Json => "json",
            JsonFactory::Debezium => "debezium-json",
            JsonFactory::Canal => "canal-json",
            JsonFactory::Maxwell => "maxwell-json",
            JsonFactory::Ogg => "ogg-json",
        }
    }

    fn manual(&self) -> Manual {
        static JSON: &[&dyn AnyOption] = &[
            &FAIL_ON_MISSING,
            &IGNORE_ERRORS,
            &TIMESTAMPS,
            &NULL_KEY_MODE,
            &NULL_KEY_LITERAL,
            &PLAIN_DECIMALS,
            &IGNORE_NULLS,
            &PARSER,
        ];
        static DEBEZIUM: &[&dyn AnyOption] = &[
            &SCHEMA,
            &IGNORE_ERRORS,
            &TIMESTAMPS,
            &NULL_KEY_MODE,
            &NULL_KEY_LITERAL,
            &PLAIN_DECIMALS,
            &IGNORE_NULLS,
        ];
        static CANAL: &[&dyn AnyOption] = &[
            &DATABASES,
            &TABLES,
            &IGNORE_ERRORS,
            &TIMESTAMPS,
            &NULL_KEY_MODE,
            &NULL_KEY_LITERAL,
            &PLAIN_DECIMALS,
            &IGNORE_NULLS,
        ];
        static BARE: &[&dyn AnyOption] =
            &[&IGNORE_ERRORS, &TIMESTAMPS, &NULL_KEY_MODE, &NULL_KEY_LITERAL, &PLAIN_DECIMALS, &IGNORE_NULLS];
        match self {
            JsonFactory::Json => Manual {
                summary: "JSON, one object per row.",
                details: "\
A record is a line in files, and a message elsewhere.
It is an object, or an array of objects, which are several rows.
A column is the member with its name.
Values are read leniently, as in Flink: `\"12\"` is an INT, and an object is its text for STRING.

BYTES are base64.
MAP and MULTISET are objects and have STRING keys.",
                example:
                    "CREATE TABLE clicks (who STRING, at_ TIMESTAMP(3), page ROW<url STRING, size INT>) WITH (
  'connector' = 'filesystem',
  'path' = '/data/clicks',
  'format' = 'json',
  'json.ignore-parse-errors' = 'true',
  'json.timestamp-format.standard' = 'ISO-8601'
);",
                options: JSON,
            },
            JsonFactory::Debezium => Manual {
                summary: "Database changes in Debezium's JSON.",
                details: CHANGES,
                example: "CREATE TABLE products (id BIGINT, name STRING) WITH (
  'connector' = 'filesystem',
  'path' = '/data/products',
  'format' = 'debezium-json',
  'debezium-json.schema-include' = 'true'
);",
                options: DEBEZIUM,
            },
            JsonFactory::Canal => Manual {
                summary: "Database changes in Canal's JSON.",
                details: CHANGES,
                example: "CREATE TABLE products (id BIGINT, name STRING) WITH (
  'connector' = 'filesystem',
  'path' = '/data/products',
  'format' = 'canal-json',
  'canal-json.table.include' = 'products'
);",
                options: CANAL,
            },
            JsonFactory::Maxwell => Manual {
                summary: "Database changes in Maxwell's JSON.",
                details: CHANGES,
                example: "CREATE TABLE products (id BIGINT, name STRING) WITH (
  'connector' = 'filesystem',
  'path' = '/data/products',
  'format' = 'maxwell-json'
);",
                options: BARE,
            },
            JsonFactory::Ogg => Manual {
                summary: "Database changes in Oracle GoldenGate's JSON.",
                details: CHANGES,
                example: "CREATE TABLE products (id BIGINT, name STRING) WITH (
  'connector' = 'filesystem',
  'path' = '/data/products',
  'format' = 'ogg-json'
);",
                options: BARE,
            },
        }
    }

    fn format(&self, options: &Options<'_>) -> Result<Arc<dyn Format>> {
        let ignore_errors = options.get(&IGNORE_ERRORS)?;
        let mut fail_on_missing = false;
        let envelope = match self {
            JsonFactory::Json => {
                fail_on_missing = options.get(&FAIL_ON_MISSING)?;
                Envelope::None
            }
            JsonFactory::Debezium => Envelope::Debezium { schema: options.get(&SCHEMA)? },
            JsonFactory::Canal => {
                Envelope::Canal { database: options.get(&DATABASES)?, table: options.get(&TABLES)? }
            }
            JsonFactory::Maxwell => Envelope::Maxwell,
            JsonFactory::Ogg => Envelope::Ogg,
        };
        if fail_on_missing && ignore_errors {
            return Err(Error::invalid(format!(
                "'{}' and '{}' contradict each other: leave out one",
                options.key(&FAIL_ON_MISSING),
                options.key(&IGNORE_ERRORS)
            )));
        }
        Ok(Arc::new(Json {
            envelope,
            fail_on_missing,
            ignore_errors,
            style: options.get(&TIMESTAMPS)?,
            plain_decimals: options.get(&PLAIN_DECIMALS)?,
            ignore_nulls: options.get(&IGNORE_NULLS)?,
        }))
    }
}
