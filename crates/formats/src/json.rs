//! `json`, and the change formats based on it: `debezium-json`, `canal-json`, `maxwell-json`,
//! `ogg-json`.
//!
//! One record a line in files; one message elsewhere. A record is an object (or an array of objects, several
//! rows); a column is the member of its name. A member that is missing is NULL unless
//! `fail-on-missing-field`.
//!
//! - A value is read leniently, as in Flink: `"12"` is an INT, `1.9` is the INT 1, any value but `true` is
//!   the BOOLEAN FALSE, an object or array is its text for STRING. A number too large for a DECIMAL is NULL.
//! - With `ignore-parse-errors` a value that cannot be read is NULL, and a record that is not JSON is left
//!   out.
//! - BYTES are base64. MAP and MULTISET are objects and need STRING keys; the last of several equal keys
//!   counts.
//! - TIME keeps its fraction, which Flink drops.
//! - Text after a record is an error, which Flink ignores.
//!
//! A changed row is two rows: `-U` and `+U`. In Canal and Maxwell the old row lists only what has changed;
//! the rest is taken from the new one. When writing, there are only insertions and deletions; an update
//! becomes one of each, as in Flink.

mod decode;
mod encode;
mod envelope;
mod factory;
mod shape;

use std::sync::Arc;

use flott_connector::format::{
    MessageDecoder, MessageEncoder, MessageFormat, RecordDecoder, RecordEncoder, RecordFormat,
};
use flott_connector::{Changelog, Format};
use flott_plan::Schema;
use flott_types::{Error, LogicalType, Result, TypeKind};
use regex::Regex;

use crate::encode::RowEncoder;
use crate::scalar::TimeStyle;

pub(crate) use factory::JsonFactory;

/// A json format with its options.
#[derive(Clone, Debug)]
struct Json {
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
        database: Option<Arc<Regex>>,
        table: Option<Arc<Regex>>,
    },
    Maxwell,
    Ogg,
}

impl Json {
    fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<decode::JsonDecoder>> {
        check_types(schema)?;
        Ok(Box::new(decode::JsonDecoder::new(self.clone(), schema, projection)?))
    }

    fn encoder(&self, schema: &Schema) -> Result<Box<RowEncoder<encode::JsonEncoder>>> {
        check_types(schema)?;
        if let Envelope::Debezium { schema: true } = self.envelope {
            return Err(Error::invalid("'debezium-json.schema-include' = 'true' is for reading only"));
        }
        Ok(RowEncoder::new(encode::JsonEncoder::new(self.clone(), schema)))
    }
}

impl Format for Json {
    fn name(&self) -> &'static str {
        match self.envelope {
            Envelope::None => "json",
            Envelope::Debezium { .. } => "debezium-json",
            Envelope::Canal { .. } => "canal-json",
            Envelope::Maxwell => "maxwell-json",
            Envelope::Ogg => "ogg-json",
        }
    }

    fn changelog(&self) -> Changelog {
        match self.envelope {
            Envelope::None => Changelog::InsertOnly,
            Envelope::Debezium { .. } | Envelope::Canal { .. } | Envelope::Maxwell | Envelope::Ogg => {
                Changelog::Retract
            }
        }
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

impl MessageFormat for Json {
    fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn MessageDecoder>> {
        Ok(Json::decoder(self, schema, projection)?)
    }

    fn encoder(&self, schema: &Schema) -> Result<Box<dyn MessageEncoder>> {
        Ok(Json::encoder(self, schema)?)
    }
}

impl RecordFormat for Json {
    fn is_text(&self) -> bool {
        true
    }

    fn is_splittable(&self) -> bool {
        true
    }

    fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn RecordDecoder>> {
        Ok(Json::decoder(self, schema, projection)?)
    }

    fn encoder(&self, schema: &Schema) -> Result<Box<dyn RecordEncoder>> {
        Ok(Json::encoder(self, schema)?)
    }
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
