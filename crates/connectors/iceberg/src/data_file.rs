//! Files of data: Parquet, in which a column is known by its id.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use flott_batch::{ChangeBatch, arrow_type};
use flott_connector::format::BulkInput;
use flott_formats::{Chunks, Out};
use flott_plan::Column;
use flott_types::{Error, Result};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, PARQUET_FIELD_ID_META_KEY, ProjectionMask};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::WriterProperties;
use parquet::file::statistics::Statistics;

use crate::manifest::ColumnStatistics;
use crate::schema::{Field, Type, arrow_schema};

/// Of texts and bytes, bounds have so many characters or bytes at most, as other writers have it.
const BOUND: usize = 16;
/// Rows that are decoded at once.
const ROWS: usize = 8_192;

/// A column with another type, or an error: no value is lost.
pub(crate) fn cast(column: &ArrayRef, to: &DataType, name: &str) -> Result<ArrayRef> {
    if column.data_type() == to {
        return Ok(column.clone());
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(column, to, &options)
        .map_err(|error| Error::data(format!("the column '{name}' cannot be a {to}")).with_source(error))
}

/// Writes a file.
pub(crate) struct FileWriter {
    schema: SchemaRef,
    rows: ArrowWriter<Out>,
    out: Out,
    count: u64,
}

fn unwritable(error: ParquetError) -> Error {
    Error::data("a file of data cannot be written").with_source(error)
}

impl FileWriter {
    pub(crate) fn new(fields: &[Field]) -> Result<Self> {
        let compression = Compression::ZSTD(ZstdLevel::default());
        let properties = WriterProperties::builder().set_compression(compression).build();
        let (schema, out) = (arrow_schema(fields), Out::default());
        let rows = ArrowWriter::try_new(out.clone(), schema.clone(), Some(properties)).map_err(unwritable)?;
        Ok(FileWriter { schema, rows, out, count: 0 })
    }

    /// Takes columns that have the types of the table.
    pub(crate) fn write(&mut self, columns: Vec<ArrayRef>) -> Result<()> {
        let rows = RecordBatch::try_new(self.schema.clone(), columns)
            .map_err(|error| Error::data("rows do not fit an Iceberg table").with_source(error))?;
        self.count += rows.num_rows() as u64;
        self.rows.write(&rows).map_err(unwritable)
    }

    /// Closes the row group.
    pub(crate) fn flush(&mut self) -> Result<()> {
        self.rows.flush().map_err(unwritable)
    }

    /// The bytes that are complete.
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.out.0.lock())
    }

    /// How many bytes the rows that are not written will be in the file, about.
    pub(crate) fn growth(&self) -> usize {
        self.rows.in_progress_size()
    }

    /// How many bytes of memory it holds, about.
    pub(crate) fn held(&self) -> usize {
        self.rows.memory_size()
    }

    /// The last bytes, how many rows there are, and what is known of the columns.
    pub(crate) fn finish(self, fields: &[Field]) -> Result<(Vec<u8>, u64, BTreeMap<i32, ColumnStatistics>)> {
        let FileWriter { rows, out, count, .. } = self;
        let metadata = rows.close().map_err(unwritable)?;
        let rest = std::mem::take(&mut *out.0.lock());
        Ok((rest, count, statistics(&metadata, fields)))
    }
}

/// What is known of columns that hold simple values.
fn statistics(metadata: &ParquetMetaData, fields: &[Field]) -> BTreeMap<i32, ColumnStatistics> {
    let mut all: BTreeMap<i32, ColumnStatistics> = BTreeMap::new();
    let columns = metadata.file_metadata().schema_descr();
    for (at, column) in columns.columns().iter().enumerate() {
        let basic = column.self_type().get_basic_info();
        let field = fields.iter().find(|field| basic.has_id() && field.id == basic.id());
        let Some(field) = field else { continue };
        let mut known = ColumnStatistics { nulls: Some(0), ..ColumnStatistics::default() };
        let mut bounded = true;
        for group in metadata.row_groups() {
            let chunk = group.column(at);
            known.bytes += u64::try_from(chunk.compressed_size()).unwrap_or(0);
            known.values += u64::try_from(chunk.num_values()).unwrap_or(0);
            let found = chunk.statistics();
            let nulls = found.and_then(Statistics::null_count_opt);
            known.nulls = known.nulls.zip(nulls).map(|(all, these)| all + these);
            if nulls.is_some_and(|nulls| nulls == u64::try_from(chunk.num_values()).unwrap_or(0)) {
                continue;
            }
            let bounds = found.and_then(|found| bounds(found, &field.ty));
            bounded &= bounds.is_some();
            if let Some(bounds) = bounds {
                known.widen(bounds, &field.ty);
            }
        }
        if !bounded {
            (known.lower, known.upper) = (None, None);
        }
        known.shorten(&field.ty);
        all.insert(field.id, known);
    }
    all
}

/// The least and the greatest value.
fn bounds(found: &Statistics, ty: &Type) -> Option<(Vec<u8>, Vec<u8>)> {
    let known = matches!(
        ty,
        Type::Boolean
            | Type::Int
            | Type::Long
            | Type::Date
            | Type::Time
            | Type::Timestamp { .. }
            | Type::String
            | Type::Binary
    );
    let exact = found.min_is_exact() && found.max_is_exact();
    let (least, greatest) = (found.min_bytes_opt()?, found.max_bytes_opt()?);
    (known && exact).then(|| (least.to_vec(), greatest.to_vec()))
}

/// Compares single values.
fn order(a: &[u8], b: &[u8], ty: &Type) -> std::cmp::Ordering {
    let int = |bytes: &[u8]| i32::from_le_bytes(bytes.try_into().unwrap_or_default());
    let long = |bytes: &[u8]| i64::from_le_bytes(bytes.try_into().unwrap_or_default());
    match ty {
        Type::Int | Type::Date => int(a).cmp(&int(b)),
        Type::Long | Type::Time | Type::Timestamp { .. } => long(a).cmp(&long(b)),
        _ => a.cmp(b),
    }
}

impl ColumnStatistics {
    fn widen(&mut self, (least, greatest): (Vec<u8>, Vec<u8>), ty: &Type) {
        if self.lower.as_ref().is_none_or(|own| order(&least, own, ty).is_lt()) {
            self.lower = Some(least);
        }
        if self.upper.as_ref().is_none_or(|own| order(&greatest, own, ty).is_gt()) {
            self.upper = Some(greatest);
        }
    }

    /// A long text is not between itself and its beginning: it has no upper bound.
    fn shorten(&mut self, ty: &Type) {
        let is_long = |bound: &Vec<u8>| match ty {
            Type::String => std::str::from_utf8(bound).map_or(true, |text| text.chars().count() > BOUND),
            _ => bound.len() > BOUND,
        };
        if matches!(ty, Type::String | Type::Binary) {
            self.upper = self.upper.take().filter(|bound| !is_long(bound));
            self.lower = self.lower.take().and_then(|bound| match (is_long(&bound), ty) {
                (false, _) => Some(bound),
                (true, Type::String) => {
                    let text = std::str::from_utf8(&bound).ok()?;
                    Some(text.chars().take(BOUND).collect::<String>().into_bytes())
                }
                (true, _) => Some(bound.get(..BOUND)?.to_vec()),
            });
        }
    }
}

/// A column that is read.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) field: Field,
    pub(crate) column: Column,
    /// A file that has it not may be of a partition that has its value.
    pub(crate) is_identity: bool,
    /// It may have other names in files without ids.
    pub(crate) is_mapped: bool,
}

/// Whether what is within a column of a file is what is read: fields of structs would be taken by their names or
/// positions.
fn is_same_within(found: &DataType, wanted: &Type, has_ids: bool) -> bool {
    match (found, wanted) {
        (DataType::Struct(found), Type::Struct(wanted)) => {
            let is_same = |(found, wanted): (&FieldRef, &Field)| {
                (!has_ids || id_of(found) == Some(wanted.id))
                    && *found.name() == wanted.name
                    && is_same_within(found.data_type(), &wanted.ty, has_ids)
            };
            found.len() == wanted.len() && found.iter().zip(wanted).all(is_same)
        }
        (DataType::List(found) | DataType::LargeList(found), Type::List(wanted)) => {
            is_same_within(found.data_type(), &wanted.ty, has_ids)
        }
        (DataType::Map(entries, _), Type::Map(key, value)) => match entries.data_type() {
            DataType::Struct(entry) if entry.len() == 2 => {
                is_same_within(entry[0].data_type(), &key.ty, has_ids)
                    && is_same_within(entry[1].data_type(), &value.ty, has_ids)
            }
            _ => false,
        },
        (_, wanted) => !matches!(wanted, Type::Struct(_) | Type::List(_) | Type::Map(..)),
    }
}

fn id_of(field: &FieldRef) -> Option<i32> {
    field.metadata().get(PARQUET_FIELD_ID_META_KEY)?.parse().ok()
}

/// Reads columns of a file.
pub(crate) struct FileReader {
    rows: ParquetRecordBatchReader,
    /// Decoded rows that were not asked for yet.
    rest: Option<RecordBatch>,
    schema: SchemaRef,
    /// For each column of the result, where it is among those that are read, if the file has it.
    places: Vec<(Column, Option<usize>)>,
}

fn unreadable(error: ParquetError) -> Error {
    Error::data("a file of data cannot be read").with_source(error)
}

impl FileReader {
    /// From a row on. Columns are found by their ids; in a file that has none, by their names.
    ///
    /// # Errors
    /// If the file cannot be read, or values of it would be others than those of the table.
    pub(crate) fn new(file: Arc<dyn BulkInput>, first_row: u64, columns: &[Wanted]) -> Result<Self> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(Chunks(file)).map_err(unreadable)?;
        let fields = builder.schema().fields().clone();
        let has_ids = fields.iter().any(|field| id_of(field).is_some());
        let mut roots = Vec::new();
        for Wanted { field, column, is_identity, is_mapped } in columns {
            let is_it = |at: &usize| match has_ids {
                true => id_of(&fields[*at]) == Some(field.id),
                false => *fields[*at].name() == column.name,
            };
            let root = (0..fields.len()).find(is_it);
            let refused = match root {
                _ if !has_ids && *is_mapped => "is found in files without ids by names of before",
                None if *is_identity => "is not in a file, but only in what is said of its partition",
                Some(at) if !is_same_within(fields[at].data_type(), &field.ty, has_ids) => {
                    "has other fields within it in a file of before than in the table"
                }
                _ => {
                    roots.push((column.clone(), root));
                    continue;
                }
            };
            return Err(Error::unsupported(format!(
                "the column '{}' {refused}, which is not read: let another engine rewrite the data (rewrite_data_files)",
                column.name
            )));
        }
        let mut wanted: Vec<usize> = roots.iter().filter_map(|(_, root)| *root).collect();
        wanted.sort_unstable();
        wanted.dedup();
        // Columns come in the order of the file.
        let place = |root: usize| wanted.iter().position(|other| *other == root);
        let places: Vec<_> = roots.into_iter().map(|(column, root)| (column, root.and_then(place))).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().copied());
        let skipped = usize::try_from(first_row).unwrap_or(usize::MAX);
        let rows = builder.with_projection(mask).with_batch_size(ROWS).with_offset(skipped).build();
        let schema = arrow_type::schema(places.iter().map(|(column, _)| (column.name.as_str(), &column.ty)));
        Ok(FileReader { rows: rows.map_err(unreadable)?, rest: None, schema, places })
    }

    /// The next rows, at most this many; `None` at the end.
    pub(crate) fn read(&mut self, most: usize) -> Result<Option<ChangeBatch>> {
        let batch = loop {
            if let Some(rest) = self.rest.take() {
                break rest;
            }
            match self.rows.next().transpose() {
                Ok(None) => return Ok(None),
                Ok(Some(batch)) => self.rest = Some(batch).filter(|batch| batch.num_rows() > 0),
                Err(error) => return Err(Error::data("a file of data cannot be read").with_source(error)),
            }
        };
        let rows = batch.num_rows().min(most.max(1));
        if rows < batch.num_rows() {
            self.rest = Some(batch.slice(rows, batch.num_rows() - rows));
        }
        let batch = batch.slice(0, rows);
        let column = |(column, place): &(Column, Option<usize>)| {
            let wanted = arrow_type::to_arrow(&column.ty);
            match place {
                Some(place) => cast(batch.column(*place), &wanted, &column.name),
                None if column.ty.nullable => Ok(new_null_array(&wanted, rows)),
                None => {
                    Err(Error::data(format!("a file has no column '{}', which is NOT NULL", column.name)))
                }
            }
        };
        let columns = self.places.iter().map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options);
        let batch =
            batch.map_err(|error| Error::data("columns do not fit the table's").with_source(error))?;
        Ok(Some(ChangeBatch::insert_only(batch)))
    }
}
