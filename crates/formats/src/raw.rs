//! `raw`: a table of one column, a record is its value's bytes. In files a record is a line.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, SchemaRef,
};
use flott_batch::{ChangeBatch, arrow_type};
use flott_connector::format::{
    Decoder, MessageDecoder, MessageEncoder, MessageFormat, Progress, RecordDecoder, RecordEncoder,
    RecordFormat,
};
use flott_connector::{AnyOption, Format, FormatFactory, Manual, Options, TableOption, WithDefault};
use flott_plan::Schema;
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::column::Column;
use crate::decode::{next_line, not_a_value, step};
use crate::encode::{RowEncoder, RowWriter};

const CHARSET: TableOption<String, WithDefault> =
    TableOption::text("charset", "the encoding of text; only UTF-8 is supported").or("UTF-8");
const ENDIANNESS: TableOption<bool, WithDefault> = TableOption::word(
    "endianness",
    &[("big-endian", false), ("little-endian", true)],
    "whether the most or the least significant byte of a number comes first",
)
.or("big-endian");

/// The format `raw`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawFactory;

impl FormatFactory for RawFactory {
    fn name(&self) -> &'static str {
        "raw"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&CHARSET, &ENDIANNESS];
        Manual {
            summary: "A table of one column that contains the whole record.",
            details: "\
Text is stored as it is, numbers as their bytes, BOOLEAN as one byte.
In files a record is a line.",
            example: "CREATE TABLE log (line STRING) WITH (
  'connector' = 'filesystem',
  'path' = '/var/log/app',
  'format' = 'raw'
);",
            options: OPTIONS,
        }
    }

    fn format(&self, options: &Options<'_>) -> Result<Arc<dyn Format>> {
        if !options.get(&CHARSET)?.eq_ignore_ascii_case("UTF-8") {
            return Err(options.not_built(&CHARSET, "UTF-8"));
        }
        Ok(Arc::new(Raw { little_endian: options.get(&ENDIANNESS)? }))
    }
}

/// `raw` with its options.
#[derive(Clone, Copy, Debug)]
struct Raw {
    /// `endianness`
    little_endian: bool,
}

impl Raw {
    fn decoder(self, schema: &Schema, projection: &[usize]) -> Result<Box<RawDecoder>> {
        let (name, ty) = only_column(schema)?;
        let columns = projection.iter().map(|_| (name.as_str(), &ty));
        Ok(Box::new(RawDecoder {
            raw: self,
            schema: arrow_type::schema(columns),
            builder: Column::new(&ty),
            name,
            ty,
            rows: 0,
        }))
    }

    fn encoder(self, schema: &Schema) -> Result<Box<RowEncoder<RawEncoder>>> {
        let (_, ty) = only_column(schema)?;
        Ok(RowEncoder::new(RawEncoder { raw: self, ty }))
    }
}

impl Format for Raw {
    fn name(&self) -> &'static str {
        RawFactory.name()
    }

    fn messages(&self) -> Option<&dyn MessageFormat> {
        Some(self)
    }

    fn records(&self) -> Option<&dyn RecordFormat> {
        Some(self)
    }
}

impl MessageFormat for Raw {
    fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn MessageDecoder>> {
        Ok(Raw::decoder(*self, schema, projection)?)
    }

    fn encoder(&self, schema: &Schema) -> Result<Box<dyn MessageEncoder>> {
        Ok(Raw::encoder(*self, schema)?)
    }
}

impl RecordFormat for Raw {
    fn is_text(&self) -> bool {
        false
    }

    fn is_splittable(&self) -> bool {
        true
    }

    fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn RecordDecoder>> {
        Ok(Raw::decoder(*self, schema, projection)?)
    }

    fn encoder(&self, schema: &Schema) -> Result<Box<dyn RecordEncoder>> {
        Ok(Raw::encoder(*self, schema)?)
    }
}

fn only_column(schema: &Schema) -> Result<(String, LogicalType)> {
    let [column] = schema.columns.as_slice() else {
        return Err(Error::invalid(format!(
            "the format 'raw' is for tables of one column, not of {}",
            schema.len()
        )));
    };
    let kind = &column.ty.kind;
    let fits = kind.is_character() || kind.is_binary() || kind.is_integer() || kind.is_approximate();
    if !fits && *kind != TypeKind::Boolean {
        return Err(Error::invalid(format!(
            "the format 'raw' cannot hold column '{}' of type {kind}",
            column.name
        )));
    }
    Ok((column.name.clone(), column.ty.clone()))
}

struct RawDecoder {
    raw: Raw,
    name: String,
    ty: LogicalType,
    schema: SchemaRef,
    builder: Column,
    rows: usize,
}

impl RawDecoder {
    /// Appends the value; false if the bytes are no value of the type.
    fn append(&mut self, record: &[u8]) -> bool {
        fn number<const N: usize>(raw: &Raw, record: &[u8]) -> Option<[u8; N]> {
            let mut bytes: [u8; N] = record.try_into().ok()?;
            if raw.little_endian {
                bytes.reverse();
            }
            Some(bytes)
        }
        let raw = &self.raw;
        let appended = match &mut self.builder {
            Column::Text(builder) => std::str::from_utf8(record).map(|text| builder.append_value(text)).ok(),
            Column::Binary(builder) => {
                builder.append_value(record);
                Some(())
            }
            Column::Boolean(builder) => {
                number::<1>(raw, record).map(|[byte]| builder.append_value(byte != 0))
            }
            Column::TinyInt(builder) => {
                number(raw, record).map(|bytes| builder.append_value(i8::from_be_bytes(bytes)))
            }
            Column::SmallInt(builder) => {
                number(raw, record).map(|bytes| builder.append_value(i16::from_be_bytes(bytes)))
            }
            Column::Int(builder) => {
                number(raw, record).map(|bytes| builder.append_value(i32::from_be_bytes(bytes)))
            }
            Column::BigInt(builder) => {
                number(raw, record).map(|bytes| builder.append_value(i64::from_be_bytes(bytes)))
            }
            Column::Float(builder) => {
                number(raw, record).map(|bytes| builder.append_value(f32::from_be_bytes(bytes)))
            }
            Column::Double(builder) => {
                number(raw, record).map(|bytes| builder.append_value(f64::from_be_bytes(bytes)))
            }
            _ => None,
        };
        self.rows += usize::from(appended.is_some());
        appended.is_some()
    }

    fn record(&mut self, record: &[u8]) -> Result<()> {
        if self.append(record) {
            return Ok(());
        }
        Err(not_a_value(&self.name, &self.ty, record, record))
    }
}

impl RecordDecoder for RawDecoder {
    fn decode(&mut self, bytes: &[u8], end: bool, line: u64, max_rows: usize) -> Result<Progress> {
        let mut progress = Progress::default();
        while self.rows < max_rows {
            let input = &bytes[progress.consumed..];
            let Some((len, consumed)) = next_line(input, end) else {
                break;
            };
            let result = self.record(&input[..len]);
            if !step(&mut progress, (len, consumed, 1), line, result)? {
                break;
            }
        }
        Ok(progress)
    }
}

impl MessageDecoder for RawDecoder {
    fn decode(&mut self, message: &[u8]) -> Result<()> {
        self.record(message)
    }
}

impl Decoder for RawDecoder {
    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Option<ChangeBatch>> {
        if self.rows == 0 {
            return Ok(None);
        }
        let column = self.builder.finish()?;
        let columns: Vec<ArrayRef> = self.schema.fields().iter().map(|_| Arc::clone(&column)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.rows)));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| Error::internal("columns of a raw batch").with_source(error))?;
        Ok(Some(ChangeBatch::insert_only(batch)))
    }

    fn take_skipped(&mut self) -> u64 {
        0
    }
}

struct RawEncoder {
    raw: Raw,
    ty: LogicalType,
}

impl RawEncoder {
    fn push<T: ArrowPrimitiveType, const N: usize>(
        &self,
        column: &dyn Array,
        row: usize,
        out: &mut Vec<u8>,
        bytes: impl FnOnce(T::Native) -> [u8; N],
    ) {
        let mut bytes = bytes(column.as_primitive::<T>().value(row));
        if self.raw.little_endian {
            bytes.reverse();
        }
        out.extend_from_slice(&bytes);
    }
}

impl RowWriter for RawEncoder {
    fn write(&mut self, batch: &ChangeBatch, row: usize, out: &mut Vec<u8>) -> Result<()> {
        let column = batch.column(0).as_ref();
        if column.is_null(row) {
            return Ok(());
        }
        match &self.ty.kind {
            TypeKind::Char(_) | TypeKind::Varchar(_) => {
                out.extend_from_slice(column.as_string::<i32>().value(row).as_bytes());
            }
            TypeKind::Boolean => out.push(column.as_boolean().value(row).into()),
            TypeKind::TinyInt => self.push::<Int8Type, 1>(column, row, out, i8::to_be_bytes),
            TypeKind::SmallInt => self.push::<Int16Type, 2>(column, row, out, i16::to_be_bytes),
            TypeKind::Int => self.push::<Int32Type, 4>(column, row, out, i32::to_be_bytes),
            TypeKind::BigInt => self.push::<Int64Type, 8>(column, row, out, i64::to_be_bytes),
            TypeKind::Float => self.push::<Float32Type, 4>(column, row, out, f32::to_be_bytes),
            TypeKind::Double => self.push::<Float64Type, 8>(column, row, out, f64::to_be_bytes),
            _ => out.extend_from_slice(column.as_binary::<i32>().value(row)),
        }
        Ok(())
    }
}
