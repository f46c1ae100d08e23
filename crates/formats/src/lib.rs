//! The built-in formats: avro, csv, json and the change formats based on it, parquet, protobuf, raw.
//! [`flott_connector::format`] defines what a format is.
//!
//! - Only the requested columns are converted; the others are skipped as text.
//! - With `ignore-parse-errors`, a field that cannot be read is NULL as in Flink, and a record that cannot be
//!   parsed is skipped.
//! - Text formats and `raw` are for files of records and for messages: in files a record is a line. `avro` is for files and for
//!   messages, `parquet` for files, `protobuf` for messages.

mod avro;
mod bad;
mod bytes;
mod column;
mod csv;
mod decode;
mod encode;
mod json;
mod parquet;
#[cfg(feature = "protobuf")]
mod protobuf;
mod raw;
#[cfg(feature = "confluent")]
mod registry;
mod rows;
mod scalar;
mod write;

use std::sync::Arc;

use flott_connector::Formats;

pub use column::single_value;
/// The bytes of a Parquet file, for those who read and write such files by themselves.
pub use parquet::{Chunks, Out};

/// The formats of this crate.
pub fn builtin() -> Formats {
    use json::JsonFactory;

    let mut formats = Formats::default();
    formats.register(Arc::new(avro::AvroFactory));
    #[cfg(feature = "confluent")]
    for confluent in [avro::ConfluentFactory::Rows, avro::ConfluentFactory::Changes] {
        formats.register(Arc::new(confluent));
    }
    formats.register(Arc::new(csv::CsvFactory));
    for json in
        [JsonFactory::Json, JsonFactory::Debezium, JsonFactory::Canal, JsonFactory::Maxwell, JsonFactory::Ogg]
    {
        formats.register(Arc::new(json));
    }
    formats.register(Arc::new(parquet::ParquetFactory));
    #[cfg(feature = "protobuf")]
    formats.register(Arc::new(protobuf::ProtobufFactory));
    formats.register(Arc::new(raw::RawFactory));
    formats
}
