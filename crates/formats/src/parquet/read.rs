//! From files to columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use flott_batch::{ChangeBatch, arrow_type};
use flott_connector::format::{BulkInput, BulkReader};
use flott_plan::{Column, Schema};
use flott_types::{Error, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;

use super::bytes::Chunks;

/// This many rows are decoded at once.
const BATCH_ROWS: usize = 8_192;

pub(super) struct Reader {
    rows: ParquetRecordBatchReader,
    /// Decoded rows that were not requested yet.
    rest: Option<RecordBatch>,
    schema: SchemaRef,
    /// For each column of the result, where it is among those that are read, if the file has it.
    places: Vec<(Column, Option<usize>)>,
}

impl Reader {
    pub(super) fn new(
        file: Box<dyn BulkInput>,
        first_row: u64,
        schema: &Schema,
        projection: &[usize],
    ) -> Result<Self> {
        // The types are those of the format; additional notes of a library (that it had a dictionary in
        // memory) are ignored.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(Chunks(Arc::from(file)), options)
            .map_err(unreadable)?;
        let fields = builder.schema().fields().clone();
        let mut wanted: Vec<usize> = Vec::new();
        let mut found = Vec::new();
        for index in projection {
            let column = schema.columns.get(*index);
            let column = column.ok_or_else(|| Error::internal(format!("there is no column {index}")))?;
            let place = fields.iter().position(|field| *field.name() == column.name);
            wanted.extend(place);
            found.push((column.clone(), place));
        }
        wanted.sort_unstable();
        wanted.dedup();
        // Columns come in the order of the file.
        let place = |root: usize| wanted.iter().position(|other| *other == root);
        let places: Vec<(Column, Option<usize>)> =
            found.into_iter().map(|(column, root)| (column, root.and_then(place))).collect();
        let (groups, skipped) = groups_from(&builder, first_row);
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.iter().copied());
        let builder = builder.with_projection(mask).with_row_groups(groups).with_batch_size(BATCH_ROWS);
        let rows = builder.with_offset(skipped).build().map_err(unreadable)?;
        let schema = arrow_type::schema(places.iter().map(|(column, _)| (column.name.as_str(), &column.ty)));
        Ok(Reader { rows, rest: None, schema, places })
    }

    fn columns(&self, batch: &RecordBatch) -> Result<ChangeBatch> {
        let column = |(column, place): &(Column, Option<usize>)| match place {
            None => missing(column, batch.num_rows()),
            Some(place) => cast(batch.column(*place), column),
        };
        let columns = self.places.iter().map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options);
        batch.map(ChangeBatch::insert_only).map_err(|error| {
            Error::data("the columns of a parquet file do not fit the table's").with_source(error)
        })
    }
}

/// The row groups from that on which has a row, and how many rows of it come before that.
fn groups_from(builder: &ParquetRecordBatchReaderBuilder<Chunks>, first_row: u64) -> (Vec<usize>, usize) {
    let mut before = first_row;
    let groups = builder.metadata().row_groups();
    let mut first = 0;
    while let Some(group) = groups.get(first) {
        let rows = u64::try_from(group.num_rows()).unwrap_or(0);
        if before < rows {
            break;
        }
        before -= rows;
        first += 1;
    }
    ((first..groups.len()).collect(), usize::try_from(before).unwrap_or(usize::MAX))
}

fn missing(column: &Column, rows: usize) -> Result<ArrayRef> {
    if !column.ty.nullable {
        return Err(Error::data(format!("a file has no column '{}', which is NOT NULL", column.name)));
    }
    Ok(new_null_array(&arrow_type::to_arrow(&column.ty), rows))
}

/// A column as the table has it.
fn cast(array: &ArrayRef, column: &Column) -> Result<ArrayRef> {
    let wanted = arrow_type::to_arrow(&column.ty);
    let has = array.data_type();
    if *has == wanted {
        return Ok(array.clone());
    }
    if !is_kept(has, &wanted) {
        return Err(Error::data(format!(
            "the column '{}' of a file is of type {has}, which is not read as {}",
            column.name, column.ty
        )));
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, &wanted, &options).map_err(|error| {
        Error::data(format!("the column '{}' of a file is not of type {}", column.name, column.ty))
            .with_source(error)
    })
}

/// Whether each value of a type has one of another type that says the same; or the cast fails.
fn is_kept(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        Binary, BinaryView, Date32, Decimal128, FixedSizeBinary, Float32, Float64, LargeBinary, LargeList,
        LargeUtf8, List, Map, Struct, Time32, Time64, Timestamp, Utf8, Utf8View,
    };
    match (from, to) {
        (Utf8 | LargeUtf8 | Utf8View, Utf8) => true,
        (Binary | LargeBinary | BinaryView | FixedSizeBinary(_), Binary) => true,
        (Float32, Float64) => true,
        (Decimal128(..), Decimal128(_, scale)) => matches!(from, Decimal128(_, own) if own <= scale),
        (Timestamp(..), Timestamp(TimeUnit::Microsecond, _)) => true,
        (Time32(_) | Time64(_), Time32(_)) => true,
        (Date32, Date32) => true,
        (List(from) | LargeList(from), List(to)) => {
            from.data_type() == to.data_type() || is_kept(from.data_type(), to.data_type())
        }
        (Struct(from), Struct(to)) => {
            from.len() == to.len()
                && from.iter().zip(to).all(|(from, to)| {
                    from.name() == to.name()
                        && (from.data_type() == to.data_type() || is_kept(from.data_type(), to.data_type()))
                })
        }
        (Map(from, _), Map(to, _)) => match (from.data_type(), to.data_type()) {
            (Struct(from), Struct(to)) => from.iter().zip(to).all(|(from, to)| {
                from.data_type() == to.data_type() || is_kept(from.data_type(), to.data_type())
            }),
            _ => false,
        },
        // What does not fit is an error of the cast.
        (from, to) => from.is_integer() && to.is_integer(),
    }
}

impl BulkReader for Reader {
    fn read(&mut self, max_rows: usize) -> Result<Option<ChangeBatch>> {
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => loop {
                match self.rows.next().transpose() {
                    Ok(None) => return Ok(None),
                    Ok(Some(batch)) if batch.num_rows() == 0 => {}
                    Ok(Some(batch)) => break batch,
                    Err(error) => return Err(Error::data("a parquet file cannot be read").with_source(error)),
                }
            },
        };
        let rows = max_rows.max(1).min(batch.num_rows());
        if rows < batch.num_rows() {
            self.rest = Some(batch.slice(rows, batch.num_rows() - rows));
        }
        self.columns(&batch.slice(0, rows)).map(Some)
    }
}

fn unreadable(error: ParquetError) -> Error {
    Error::data("a parquet file cannot be read").with_source(error)
}
