//! Columns and rows.

use std::cmp::Ordering;

use arrow::array::{
    Array, ArrayRef, DynComparator, RecordBatch, RecordBatchOptions, UInt32Array, make_comparator,
};
use arrow::compute::{SortOptions, take};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use flott_batch::{Batch, ChangeBatch};
use flott_types::{Error, Result};

/// The error of an arrow kernel, which can fail only because of a bug of ours.
pub(crate) fn kernel(error: ArrowError) -> Error {
    Error::internal("arrow kernel failed").with_source(error)
}

/// The columns that an operator of SQL must have received.
pub(crate) fn columns_of(batch: Batch) -> Result<ChangeBatch> {
    match batch {
        Batch::Changes(changes) => Ok(changes),
        Batch::Records(_) => Err(Error::internal("an operator of SQL got records of a user's type")),
    }
}

/// The selected physical rows, in order.
pub(crate) fn selected(batch: &ChangeBatch) -> Vec<u32> {
    match batch.selection() {
        None => (0..batch.physical_rows() as u32).collect(),
        Some(selection) => selection.set_indices().map(|row| row as u32).collect(),
    }
}

/// A record batch with this many rows, even if it has no columns.
pub(crate) fn record_batch(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(kernel)
}

/// These rows of each column.
pub(crate) fn take_columns(columns: &[ArrayRef], rows: &[u32]) -> Result<Vec<ArrayRef>> {
    let rows = UInt32Array::from(rows.to_vec());
    columns.iter().map(|column| take(column, &rows, None).map_err(kernel)).collect()
}

/// These rows of each column, NULL where there is none: one side of joined rows.
pub(crate) fn gather(columns: &[ArrayRef], rows: &[Option<u32>]) -> Result<Vec<ArrayRef>> {
    let rows = UInt32Array::from(rows.to_vec());
    columns.iter().map(|column| take(column, &rows, None).map_err(kernel)).collect()
}

/// Whether rows of two lists of columns are equal; NULL equals NULL.
pub(crate) struct Equality {
    columns: Vec<Column>,
}

enum Column {
    Compared(DynComparator),
    /// Types without an order.
    Sliced(ArrayRef, ArrayRef),
}

impl Equality {
    /// For columns of the same types.
    pub fn new(left: &[ArrayRef], right: &[ArrayRef]) -> Self {
        let column = |(left, right): (&ArrayRef, &ArrayRef)| match make_comparator(
            left,
            right,
            SortOptions::default(),
        ) {
            Ok(comparator) => Column::Compared(comparator),
            Err(_) => Column::Sliced(left.clone(), right.clone()),
        };
        Equality { columns: left.iter().zip(right).map(column).collect() }
    }

    pub fn equal(&self, left: usize, right: usize) -> bool {
        self.columns.iter().all(|column| match column {
            Column::Compared(compare) => compare(left, right) == Ordering::Equal,
            Column::Sliced(a, b) => a.slice(left, 1).as_ref() == b.slice(right, 1).as_ref(),
        })
    }
}
