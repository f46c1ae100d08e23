//! The formats that Flott brings: csv, json and the change formats made of it, parquet, raw. What a format is says
//! [`flott_connector::format`].
//!
//! - Only the columns that are asked for are converted; the others are skipped as text.
//! - Where the user said `ignore-parse-errors`, a field that cannot be read is NULL as in Flink, and a record that cannot be taken apart is
//!   left out.
//! - Those of text and `raw` serve files of records and messages: in files a record is a line. `parquet` is for files.

mod column;
mod csv;
mod decode;
mod encode;
mod json;
mod parquet;
mod raw;
mod scalar;
mod write;

use std::sync::Arc;

use flott_connector::Formats;

pub use column::single_value;

/// The formats of this crate.
pub fn builtin() -> Formats {
    use json::JsonFactory;

    let mut formats = Formats::default();
    formats.register(Arc::new(csv::CsvFactory));
    for json in [JsonFactory::Json, JsonFactory::Debezium, JsonFactory::Canal, JsonFactory::Maxwell] {
        formats.register(Arc::new(json));
    }
    formats.register(Arc::new(parquet::ParquetFactory));
    formats.register(Arc::new(raw::RawFactory));
    formats
}
