//! `avro`: container files with the schema of their writer, and bare records as messages.
//!
//! - The schema of a table is derived as Flink derives it (`derive.rs`). Files are read by the schema that
//!   they bring along: fields are found by name, and a field of another type is read if it says the same
//!   there (`resolve.rs`). So a file of yesterday's columns is read today.
//! - Records are decoded straight into columns, and only into those that are wanted; the bytes of others are
//!   passed over (`decode.rs`).
//! - A file that was cut off, or whose blocks are not what the header promises, is an error with the block's
//!   position, and a value that is none with its field's path.
//!
//! The crate `arrow-avro` does much of this, and is not used: it takes the end of a file that was cut off for
//! the end of its rows, holds half a row after an error, needs the same names of records on both sides, does
//! not say which field was wrong, and reads no bare messages
//! (`docs/decisions/0016-avro-of-our-own.md`).

mod bytes;
mod codec;
#[cfg(feature = "confluent")]
mod confluent;
mod container;
mod decode;
mod derive;
mod encode;
mod messages;
mod resolve;
mod schema;
mod write;

use std::sync::Arc;

use flott_connector::format::{
    BulkFormat, BulkInput, BulkReader, BulkWriter, MessageDecoder, MessageEncoder, MessageFormat,
};
use flott_connector::{AnyOption, Format, FormatFactory, Manual, Options, TableOption, WithDefault};
use flott_plan::Schema;
use flott_types::Result;

use codec::Codec;
#[cfg(feature = "confluent")]
pub(crate) use confluent::ConfluentFactory;

const CODEC: TableOption<Codec, WithDefault> =
    TableOption::word("codec", &Codec::ALL, "how the blocks of written files are compressed").or("snappy");
const ENCODING: TableOption<(), WithDefault> =
    TableOption::word("encoding", &[("binary", ())], "how the records of messages are written")
        .not_yet(&["json"])
        .or("binary");
const LEGACY_TIMESTAMPS: TableOption<bool, WithDefault> = TableOption::flag(
    "timestamp_mapping.legacy",
    "a TIMESTAMP is written as `timestamp-millis`, as Flink did before 1.19; `false` writes it as `local-timestamp-millis` or \
     `-micros`, and a TIMESTAMP_LTZ as `timestamp-millis` or `-micros`",
)
.or("true");
const FAST_READ: TableOption<bool, WithDefault> =
    TableOption::flag("fast-read", "which of two readers of Java's is used")
        .or("false")
        .without_effect("there is one reader");

/// The format `avro`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AvroFactory;

impl FormatFactory for AvroFactory {
    fn name(&self) -> &'static str {
        "avro"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&CODEC, &ENCODING, &LEGACY_TIMESTAMPS, &FAST_READ];
        Manual {
            summary: "Apache Avro: container files, and records as messages.",
            details: "\
In files the schema of the writer is at the head of the file.
Columns are found by name: one that a file does not have is NULL, and what the table does not have is passed over.
A field of another type than the column's is read if nothing is lost: an int is a BIGINT, an enum a STRING, and a long without a logical type a TIMESTAMP.
Of a union one branch has to be of the column's type; a value of another branch is an error.

A message is one record of the table's schema, without anything before it.
That schema is the one that Flink derives: a column that may be NULL is a union with null, and a record within it is called after its column.

| SQL | Avro |
|---|---|
| TINYINT, SMALLINT, INT | int |
| BIGINT | long |
| CHAR, VARCHAR, STRING | string |
| BINARY, VARBINARY, BYTES | bytes |
| DECIMAL(p, s) | bytes, decimal(p, s) |
| DATE, TIME(3) | int, date and time-millis |
| TIMESTAMP(3) | long, timestamp-millis, or local-timestamp-millis |
| MAP, MULTISET | map; keys are STRING |
| ARRAY, ROW | array, record |",
            example: "CREATE TABLE trips (id BIGINT, fare DECIMAL(10, 2), started TIMESTAMP(3)) WITH (
  'connector' = 'filesystem',
  'path' = '/data/trips',
  'format' = 'avro',
  'avro.codec' = 'zstandard'
);",
            options: OPTIONS,
        }
    }

    fn format(&self, options: &Options<'_>) -> Result<Arc<dyn Format>> {
        options.get(&ENCODING)?;
        Ok(Arc::new(Avro {
            codec: options.get(&CODEC)?,
            legacy_timestamps: options.get(&LEGACY_TIMESTAMPS)?,
        }))
    }
}

/// `avro` with its options.
#[derive(Clone, Copy, Debug)]
struct Avro {
    codec: Codec,
    legacy_timestamps: bool,
}

impl Avro {
    fn record(self, schema: &Schema) -> Result<schema::Record> {
        derive::record(AvroFactory.name(), schema.iter(), self.legacy_timestamps)
    }
}

impl Format for Avro {
    fn name(&self) -> &'static str {
        AvroFactory.name()
    }

    fn messages(&self) -> Option<&dyn MessageFormat> {
        Some(self)
    }

    fn bulk(&self) -> Option<&dyn BulkFormat> {
        Some(self)
    }
}

impl MessageFormat for Avro {
    fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn MessageDecoder>> {
        Ok(Box::new(messages::BareDecoder::new(&self.record(schema)?, schema, projection)?))
    }

    fn encoder(&self, schema: &Schema) -> Result<Box<dyn MessageEncoder>> {
        Ok(Box::new(messages::BareEncoder::new(schema, self.record(schema)?)))
    }
}

impl BulkFormat for Avro {
    fn reader(
        &self,
        file: Box<dyn BulkInput>,
        first_row: u64,
        schema: &Schema,
        projection: &[usize],
    ) -> Result<Box<dyn BulkReader>> {
        Ok(Box::new(container::Reader::new(file, first_row, schema, projection)?))
    }

    fn writer(&self, schema: &Schema) -> Result<Box<dyn BulkWriter>> {
        Ok(Box::new(write::Writer::new(schema, self.record(schema)?, self.codec)))
    }

    fn check(&self, schema: &Schema) -> Result<()> {
        self.record(schema).map(drop)
    }
}
