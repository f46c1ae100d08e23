//! `parquet`: columnar files that other tools read and write.
//!
//! - Columns are found by name. A column that a file does not have is NULL; additional columns of the file
//!   are ignored.
//! - A column of another type than the table's is cast if no value is lost: an INT in a file can be a BIGINT
//!   of the table. Other types are an error.
//! - Timestamps are written in microseconds; all units are read, and INT96 too. A TIMESTAMP is a local time,
//!   a TIMESTAMP_LTZ a point in time.
//! - Only row groups and columns that are needed are read.

mod bytes;
mod read;
mod write;

pub use self::bytes::{Chunks, Out};

use std::sync::Arc;

use flott_connector::format::{BulkFormat, BulkInput, BulkReader, BulkWriter};
use flott_connector::{AnyOption, Format, FormatFactory, Manual, Options, TableOption, WithDefault};
use flott_plan::Schema;
use flott_types::{Error, LogicalType, Result, TypeKind};
use parquet::basic::{Compression, ZstdLevel};

/// How pages are compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Codec {
    None,
    Snappy,
    Zstd,
}

const COMPRESSION: TableOption<Codec, WithDefault> = TableOption::word(
    "compression",
    &[("UNCOMPRESSED", Codec::None), ("SNAPPY", Codec::Snappy), ("ZSTD", Codec::Zstd)],
    "the compression of written files",
)
.in_any_case()
.not_yet(&["GZIP", "LZO", "BROTLI", "LZ4"])
.or("SNAPPY");
const BLOCK_SIZE: TableOption<u64, WithDefault> = TableOption::size(
    "block.size",
    "a row group is closed when it has about this many bytes; this much memory is needed for each file in progress",
)
.or("16 mb");
const UTC: TableOption<bool, WithDefault> =
    TableOption::flag("utc-timezone", "how timestamps are converted to INT96, which is never written")
        .or("true")
        .without_effect("a TIMESTAMP is written as the local time that it is");
const INT64: TableOption<(), WithDefault> = TableOption::word(
    "write.int64.timestamp",
    &[("true", ())],
    "timestamps are written as 64-bit numbers and not as INT96",
)
.in_any_case()
.not_yet(&["false"])
.or("true");
const UNIT: TableOption<(), WithDefault> =
    TableOption::word("timestamp.time.unit", &[("micros", ())], "the unit in which timestamps are written")
        .not_yet(&["nanos", "millis"])
        .or("micros");

/// The format `parquet`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ParquetFactory;

impl FormatFactory for ParquetFactory {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&COMPRESSION, &BLOCK_SIZE, &INT64, &UNIT, &UTC];
        Manual {
            summary: "Apache Parquet: files of columns.",
            details: "\
For files only.
Columns are found by name; one that a file does not have is NULL.
A column of another type than the table's is cast if no value is lost.
Each file is read by one reader, and only the columns of the query are read.

TIMESTAMP and TIMESTAMP_LTZ have up to 6 fractional digits.
INTERVALs, MULTISET, VARIANT and structured types are refused.",
            example: "CREATE TABLE trips (id BIGINT, fare DECIMAL(10, 2), started TIMESTAMP(3)) WITH (
  'connector' = 'filesystem',
  'path' = '/data/trips',
  'format' = 'parquet',
  'parquet.compression' = 'ZSTD'
);",
            options: OPTIONS,
        }
    }

    fn format(&self, options: &Options<'_>) -> Result<Arc<dyn Format>> {
        let compression = match options.get(&COMPRESSION)? {
            Codec::None => Compression::UNCOMPRESSED,
            Codec::Snappy => Compression::SNAPPY,
            Codec::Zstd => Compression::ZSTD(ZstdLevel::default()),
        };
        let block_size = usize::try_from(options.get(&BLOCK_SIZE)?).unwrap_or(usize::MAX);
        Ok(Arc::new(Parquet { compression, block_size }))
    }
}

/// `parquet` with its options.
#[derive(Clone, Debug)]
struct Parquet {
    compression: Compression,
    block_size: usize,
}

impl Format for Parquet {
    fn name(&self) -> &'static str {
        ParquetFactory.name()
    }

    fn bulk(&self) -> Option<&dyn BulkFormat> {
        Some(self)
    }
}

impl BulkFormat for Parquet {
    fn reader(
        &self,
        file: Box<dyn BulkInput>,
        first_row: u64,
        schema: &Schema,
        projection: &[usize],
    ) -> Result<Box<dyn BulkReader>> {
        Ok(Box::new(read::Reader::new(file, first_row, schema, projection)?))
    }

    fn writer(&self, schema: &Schema) -> Result<Box<dyn BulkWriter>> {
        Ok(Box::new(write::Writer::new(schema, self.compression, self.block_size)?))
    }

    fn check(&self, schema: &Schema) -> Result<()> {
        schema.iter().try_for_each(|(name, ty)| check(name, ty))
    }
}

/// Which types a file can hold.
fn check(name: &str, ty: &LogicalType) -> Result<()> {
    match &ty.kind {
        TypeKind::Timestamp(7..) | TypeKind::TimestampLtz(7..) => Err(Error::unsupported(format!(
            "the format 'parquet' holds column '{name}' of type {ty} with 6 digits of a second: write TIMESTAMP(6)"
        ))),
        TypeKind::Multiset(_)
        | TypeKind::IntervalYearMonth
        | TypeKind::IntervalDaySecond
        | TypeKind::Structured(..)
        | TypeKind::Variant
        | TypeKind::Bitmap
        | TypeKind::Null => {
            Err(Error::invalid(format!("the format 'parquet' cannot hold column '{name}' of type {ty}")))
        }
        TypeKind::Array(element) => check(name, element),
        TypeKind::Map(key, value) => check(name, key).and_then(|()| check(name, value)),
        TypeKind::Row(fields) => fields.iter().try_for_each(|field| check(name, &field.ty)),
        _ => Ok(()),
    }
}
