//! Between values and the rows of tables: where the two parts of a job meet.
//!
//! Each operator converts whole batches: values go through [`RowWriter`] into columns, columns through
//! [`RowReader`] into values. Watermarks pass. A value's timestamp may be a column of the table, and a column
//! the values' timestamp.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray};
use flott_batch::{Batch, ChangeBatch, Record, Records, RowKind, RowKinds, arrow_type};
use flott_operator::{Context, Operator};
use flott_types::{Error, LogicalType, Result, Timestamp, TypeKind};
use flott_values::{RowReader, RowWriter};

/// The type of the column that holds the timestamps of values.
pub const TIMESTAMP_COLUMN: LogicalType = LogicalType { kind: TypeKind::TimestampLtz(3), nullable: false };

/// What turns values of a type into rows.
pub struct Rows<T> {
    writer: RowWriter<T>,
    /// The name of a last column: the timestamps of the values.
    timestamps: Option<String>,
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Rows { writer: self.writer.clone(), timestamps: self.timestamps.clone() }
    }
}

impl<T: Record> Rows<T> {
    /// Writes the values, and their timestamps as the last column, if it has a name.
    pub fn new(writer: RowWriter<T>, timestamps: Option<String>) -> Self {
        Rows { writer, timestamps }
    }

    fn of(&self, values: &[T], timestamps: Option<Vec<Timestamp>>) -> Result<RecordBatch> {
        let rows = self.writer.write(values)?;
        let Some(name) = &self.timestamps else { return Ok(rows) };
        let Some(timestamps) = timestamps else {
            return Err(Error::invalid(
                "the table reads the timestamps of the stream, and its records have none; assign them with \
                 `assign_timestamps_and_watermarks` before the stream becomes a table",
            ));
        };
        let too_far = |millis: Timestamp| {
            Error::data(format!("{millis} ms is no time that {TIMESTAMP_COLUMN} can hold"))
        };
        let micros =
            timestamps.into_iter().map(|millis| millis.checked_mul(1_000).ok_or_else(|| too_far(millis)));
        let micros = micros.collect::<Result<Vec<i64>>>()?;
        let column: ArrayRef =
            Arc::new(TimestampMicrosecondArray::from(micros).with_timezone(arrow_type::utc()));
        let schema = rows.schema();
        let last = arrow_type::field(name, &TIMESTAMP_COLUMN);
        let fields: Vec<_> = schema.fields().iter().cloned().chain([last]).collect();
        let columns = rows.columns().iter().cloned().chain([column]).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(values.len()));
        RecordBatch::try_new_with_options(Arc::new(arrow::datatypes::Schema::new(fields)), columns, &options)
            .map_err(|error| Error::internal("columns of one batch differ").with_source(error))
    }
}

/// Values become rows that are inserted.
pub struct ToRows<T>(Rows<T>);

impl<T> ToRows<T> {
    /// Writes rows so.
    pub fn new(rows: Rows<T>) -> Self {
        ToRows(rows)
    }
}

impl<T: Record> Operator for ToRows<T> {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<T>()?;
        let rows = self.0.of(&values, timestamps)?;
        context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))
    }
}

/// Values with the kind of change that each is become the changes of rows.
pub struct ToChanges<T>(Rows<T>);

impl<T> ToChanges<T> {
    /// Writes rows so.
    pub fn new(rows: Rows<T>) -> Self {
        ToChanges(rows)
    }
}

impl<T: Record> Operator for ToChanges<T> {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<(RowKind, T)>()?;
        let (kinds, values): (Vec<RowKind>, Vec<T>) = values.into_iter().unzip();
        let rows = self.0.of(&values, timestamps)?;
        context.output.emit(Batch::Changes(ChangeBatch::new(rows, Some(RowKinds::from(kinds)))))
    }
}

/// What turns rows into values of a type.
pub struct Values<T> {
    reader: RowReader<T>,
    /// The column that is the values' timestamp.
    time: Option<usize>,
}

impl<T> Clone for Values<T> {
    fn clone(&self) -> Self {
        Values { reader: self.reader.clone(), time: self.time }
    }
}

impl<T: Record> Values<T> {
    /// Reads the values, and their timestamps from this column.
    pub fn new(reader: RowReader<T>, time: Option<usize>) -> Self {
        Values { reader, time }
    }

    fn of(&self, batch: Batch) -> Result<(ChangeBatch, Records<T>)> {
        let Batch::Changes(changes) = batch else {
            return Err(Error::internal("a table sends values"));
        };
        let changes = changes.compact()?;
        let values = self.reader.read(changes.columns())?;
        let timestamps = self.time.map(|time| timestamps(changes.column(time))).transpose()?;
        Ok((changes, Records { values, timestamps, routes: None }))
    }
}

/// Milliseconds since the epoch.
fn timestamps(column: &ArrayRef) -> Result<Vec<Timestamp>> {
    let at = |row: usize| match arrow_type::nanos_at(column.as_ref(), row) {
        Some(nanos) if column.is_valid(row) => Ok(nanos.div_euclid(1_000_000) as Timestamp),
        _ => Err(Error::data("the time attribute of a row that becomes a record is NULL")),
    };
    (0..column.len()).map(at).collect()
}

/// Rows that are inserted become values.
pub struct FromRows<T>(Values<T>);

impl<T> FromRows<T> {
    /// Reads values so.
    pub fn new(values: Values<T>) -> Self {
        FromRows(values)
    }
}

impl<T: Record> Operator for FromRows<T> {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let (changes, records) = self.0.of(batch)?;
        if changes.kinds().is_some_and(|kinds| !kinds.all_insert()) {
            return Err(Error::internal("the rows of a table that only grows are updated"));
        }
        context.output.emit(records.into())
    }
}

/// Changes of rows become values with the kind of change that each is.
pub struct FromChanges<T>(Values<T>);

impl<T> FromChanges<T> {
    /// Reads values so.
    pub fn new(values: Values<T>) -> Self {
        FromChanges(values)
    }
}

impl<T: Record> Operator for FromChanges<T> {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let (changes, Records { values, timestamps, .. }) = self.0.of(batch)?;
        let values = values.into_iter().enumerate().map(|(row, value)| (changes.kind(row), value)).collect();
        context.output.emit(Records::<(RowKind, T)> { values, timestamps, routes: None }.into())
    }
}
