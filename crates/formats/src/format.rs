//! A format with its options, checked.

use flott_connector::{Changelog, Options};
use flott_plan::Schema;
use flott_types::{Error, Result};

use crate::csv::Csv;
use crate::json::Json;
use crate::raw::Raw;
use crate::{RowDecoder, RowEncoder};

/// A format and its options. Plain data: made when a statement is planned, and again in every task.
#[derive(Clone, PartialEq, Debug)]
pub enum Format {
    /// `csv`
    Csv(Csv),
    /// `json`, `debezium-json`, `canal-json`, `maxwell-json`
    Json(Json),
    /// `raw`
    Raw(Raw),
}

impl Format {
    /// The format of this name, with the options that start with `prefix` (`csv.`, or `value.csv.` where a
    /// table has two formats).
    pub fn new(name: &str, options: &mut Options<'_>, prefix: &str) -> Result<Self> {
        match name {
            "csv" => Csv::new(options, prefix).map(Format::Csv),
            "json" | "debezium-json" | "canal-json" | "maxwell-json" => {
                Json::new(name, options, prefix).map(Format::Json)
            }
            "raw" => Raw::new(options, prefix).map(Format::Raw),
            "avro"
            | "parquet"
            | "orc"
            | "protobuf"
            | "avro-confluent"
            | "debezium-avro-confluent"
            | "ogg-json" => {
                Err(Error::unsupported(format!("the format '{name}' is not built yet; there are: {NAMES}")))
            }
            _ => Err(Error::invalid(format!("there is no format '{name}'; there are: {NAMES}"))),
        }
    }

    /// Reads records of the physical columns `schema` and produces the columns at the positions `projection`.
    pub fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn RowDecoder>> {
        match self {
            Format::Csv(csv) => csv.decoder(schema, projection),
            Format::Json(json) => json.decoder(schema, projection),
            Format::Raw(raw) => raw.decoder(schema, projection),
        }
    }

    /// Writes rows of the columns `schema`.
    pub fn encoder(&self, schema: &Schema) -> Result<Box<dyn RowEncoder>> {
        match self {
            Format::Csv(csv) => csv.encoder(schema),
            Format::Json(json) => json.encoder(schema),
            Format::Raw(raw) => raw.encoder(schema),
        }
    }

    /// The kinds of changes that records stand for.
    pub fn changelog(&self) -> Changelog {
        match self {
            Format::Json(json) => json.changelog(),
            Format::Csv(_) | Format::Raw(_) => Changelog::InsertOnly,
        }
    }

    /// Whether a file is text, so that a byte order mark may stand at its head.
    pub fn is_text(&self) -> bool {
        match self {
            Format::Csv(_) | Format::Json(_) => true,
            Format::Raw(_) => false,
        }
    }

    /// Whether every line end in a file ends a record, so that a file may be read from the middle.
    pub fn is_splittable(&self) -> bool {
        match self {
            Format::Csv(csv) => csv.is_splittable(),
            Format::Json(_) | Format::Raw(_) => true,
        }
    }
}

const NAMES: &str = "canal-json, csv, debezium-json, json, maxwell-json, raw";

/// Flink ignores options that a format does not have; say so at least.
pub(crate) fn warn_of_unknown(options: &mut Options<'_>, prefix: &str, known: &[&str]) {
    for (key, _) in options.with_prefix(prefix) {
        if !known.contains(&&key[prefix.len()..]) {
            tracing::warn!("the option '{key}' is ignored: the format has: {}", known.join(", "));
        }
    }
}
