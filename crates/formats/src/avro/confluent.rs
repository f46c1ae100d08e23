//! `avro-confluent` and `debezium-avro-confluent`: messages that name the schema that they were written by.
//!
//! A message begins with a zero and the id of its schema, four bytes, the most significant first. The schema
//! comes from a registry, once for each id, and each id has a plan of its own of how its records become rows:
//! messages of many versions of a schema may be mixed.
//!
//! A sink registers its schema when it writes the first row, not when the statement is planned.

mod change;
mod read;
mod write;

use std::sync::Arc;

use flott_connector::format::{MessageDecoder, MessageEncoder, MessageFormat};
use flott_connector::{AnyOption, Changelog, Format, FormatFactory, Manual, Options};
use flott_plan::Schema as TableSchema;
use flott_types::{Error, LogicalType, Result, RowField, TypeKind};

use super::schema::{Parsed, Record, Schema};
use super::{LEGACY_TIMESTAMPS, derive};
use crate::registry::{
    BASIC_AUTH, BASIC_AUTH_USER, BEARER_AUTH, BEARER_TOKEN, KEYSTORE, KEYSTORE_PASSWORD, Registry, SCHEMA,
    SUBJECT, TRUSTSTORE, TRUSTSTORE_PASSWORD, URL,
};

/// A message begins with this.
const MAGIC: u8 = 0;

/// The formats of messages with a registry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ConfluentFactory {
    Rows,
    /// With changed rows in Debezium's envelope.
    Changes,
}

impl FormatFactory for ConfluentFactory {
    fn name(&self) -> &'static str {
        match self {
            ConfluentFactory::Rows => "avro-confluent",
            ConfluentFactory::Changes => "debezium-avro-confluent",
        }
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[
            &URL,
            &SUBJECT,
            &SCHEMA,
            &LEGACY_TIMESTAMPS,
            &BASIC_AUTH,
            &BASIC_AUTH_USER,
            &BEARER_AUTH,
            &BEARER_TOKEN,
            &KEYSTORE,
            &KEYSTORE_PASSWORD,
            &TRUSTSTORE,
            &TRUSTSTORE_PASSWORD,
        ];
        match self {
            ConfluentFactory::Rows => Manual {
                summary: "Apache Avro with a schema registry: each message names its schema.",
                details: "\
For messages only.
A message begins with a zero byte and the id of its schema in four bytes.
The schema is fetched from the registry once for each id; messages of several versions may be mixed.
Fields become columns as with the format `avro`: by name, and of another type if nothing is lost.

A sink registers the schema that is derived of the table, or the one of the option `schema`, when it writes the first row.",
                example: "CREATE TABLE trips (id BIGINT, fare DECIMAL(10, 2), started TIMESTAMP(3)) WITH (
  'connector' = 'kafka',
  'topic' = 'trips',
  'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'avro-confluent',
  'avro-confluent.url' = 'http://localhost:8081'
);",
                options: OPTIONS,
            },
            ConfluentFactory::Changes => Manual {
                summary: "Database changes of Debezium's in Apache Avro with a schema registry.",
                details: "\
For messages only.
A record is a change and becomes one row, or two: an update is `-U` and `+U`, and needs the whole old row (in Postgres: REPLICA IDENTITY FULL).
When writing, there are only insertions and deletions; an update becomes one of each, as in Flink.
Schemas are those of `before` and `after` in the envelope; otherwise it is as with the format `avro-confluent`.",
                example: "CREATE TABLE products (id BIGINT, name STRING) WITH (
  'connector' = 'kafka',
  'topic' = 'products',
  'properties.bootstrap.servers' = 'localhost:9092',
  'scan.startup.mode' = 'earliest-offset',
  'format' = 'debezium-avro-confluent',
  'debezium-avro-confluent.url' = 'http://localhost:8081'
);",
                options: OPTIONS,
            },
        }
    }

    fn format(&self, options: &Options<'_>) -> Result<Arc<dyn Format>> {
        let schema = options.get(&SCHEMA)?;
        let given = schema.map(|text| Ok((Parsed::new(&text)?.plain_record()?.clone(), text)));
        let given =
            given.transpose().map_err(|what: String| options.wrong(&SCHEMA, &format!("a schema: {what}")))?;
        Ok(Arc::new(Confluent {
            factory: *self,
            registry: Arc::new(Registry::of(options)?),
            subject: options.get(&SUBJECT)?,
            subject_key: options.key(&SUBJECT),
            given,
            legacy_timestamps: options.get(&LEGACY_TIMESTAMPS)?,
        }))
    }
}

/// A format with its options.
#[derive(Debug)]
struct Confluent {
    factory: ConfluentFactory,
    registry: Arc<Registry>,
    subject: Option<String>,
    subject_key: String,
    /// The schema that is registered, if it is not derived.
    given: Option<(Arc<Record>, String)>,
    legacy_timestamps: bool,
}

impl Confluent {
    /// The record that is written, and its schema's text.
    fn written(&self, table: &TableSchema) -> Result<(Arc<Record>, String)> {
        if let Some((record, text)) = &self.given {
            return Ok((record.clone(), text.clone()));
        }
        let record = match self.factory {
            ConfluentFactory::Rows => derive::record(self.name(), table.iter(), self.legacy_timestamps),
            ConfluentFactory::Changes => {
                let row = row_type(table.iter());
                let text = TypeKind::STRING.nullable();
                let fields = [("before", &row), ("after", &row), ("op", &text)];
                derive::record(self.name(), fields.into_iter(), self.legacy_timestamps)
            }
        }?;
        let text = derive::to_json(&record);
        Ok((Arc::new(record), text))
    }
}

/// A row of these columns.
fn row_type<'a>(columns: impl Iterator<Item = (&'a str, &'a LogicalType)>) -> LogicalType {
    let field =
        |(name, ty): (&str, &LogicalType)| RowField { name: name.to_owned(), ty: ty.clone(), comment: None };
    TypeKind::Row(columns.map(field).collect()).nullable()
}

impl Format for Confluent {
    fn name(&self) -> &'static str {
        self.factory.name()
    }

    fn changelog(&self) -> Changelog {
        match self.factory {
            ConfluentFactory::Rows => Changelog::InsertOnly,
            ConfluentFactory::Changes => Changelog::Retract,
        }
    }

    fn messages(&self) -> Option<&dyn MessageFormat> {
        Some(self)
    }
}

impl MessageFormat for Confluent {
    fn decoder(&self, schema: &TableSchema, projection: &[usize]) -> Result<Box<dyn MessageDecoder>> {
        let has_changes = self.factory == ConfluentFactory::Changes;
        Ok(Box::new(read::RegistryDecoder::new(self.registry.clone(), has_changes, schema, projection)?))
    }

    fn encoder(&self, schema: &TableSchema) -> Result<Box<dyn MessageEncoder>> {
        let subject = self.subject.clone();
        let subject = subject.ok_or_else(|| {
            Error::invalid(format!(
                "the option '{}' is missing: the schema of a sink is registered under a subject",
                self.subject_key
            ))
        })?;
        let (record, text) = self.written(schema)?;
        let has_changes = self.factory == ConfluentFactory::Changes;
        let encoder =
            write::RegistryEncoder::new(self.registry.clone(), subject, has_changes, schema, record, text)?;
        Ok(Box::new(encoder))
    }
}

/// The record in a union with null, or a record.
fn record_of(schema: &Schema) -> Option<&Arc<Record>> {
    match schema {
        Schema::Record(record) => Some(record),
        Schema::Union(branches) => branches.iter().find_map(record_of),
        _ => None,
    }
}
