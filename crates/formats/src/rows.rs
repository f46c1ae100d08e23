//! Rows under construction for the formats whose records are bytes: columns that are filled a record at a
//! time.
//!
//! Whoever reads a record appends one value to each column and then calls [`Rows::commit`]; or something is
//! wrong in the middle, and [`Rows::abandon`] makes the columns equally long again. What was abandoned is
//! left out when the rows are taken, so a bad record costs nothing as long as there is none.

use arrow::array::{BooleanBufferBuilder, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use flott_batch::{ChangeBatch, RowKind, arrow_type};
use flott_plan::{Column as PlanColumn, Schema};
use flott_types::{Error, Result};

use crate::column::Column;

pub(crate) struct Rows {
    pub(crate) columns: Vec<Column>,
    schema: SchemaRef,
    /// The rows in the columns, those that were abandoned too.
    all: usize,
    /// The numbers of those that were abandoned.
    abandoned: Vec<usize>,
    /// Of formats with changes, the kinds of all rows.
    kinds: Vec<RowKind>,
}

impl Rows {
    /// Rows of these columns.
    pub(crate) fn new(columns: &[PlanColumn]) -> Self {
        Rows {
            columns: columns.iter().map(|column| Column::new(&column.ty)).collect(),
            schema: arrow_type::schema(columns.iter().map(|column| (column.name.as_str(), &column.ty))),
            all: 0,
            abandoned: Vec::new(),
            kinds: Vec::new(),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all - self.abandoned.len()
    }

    /// One value was appended to each column.
    pub(crate) fn commit(&mut self) {
        self.all += 1;
        debug_assert!(self.columns.iter().all(|column| column.len() == self.all), "a row is whole");
    }

    /// As [`Rows::commit`], of a format with changes: each of its rows has a kind.
    pub(crate) fn commit_change(&mut self, kind: RowKind) {
        self.kinds.resize(self.all, RowKind::Insert);
        self.kinds.push(kind);
        self.commit();
    }

    /// What was appended since the last row is none; and the rows before it, if there are to be fewer.
    pub(crate) fn abandon(&mut self, keep: usize) {
        let mut last = self.all;
        while self.len() > keep && last > 0 {
            last -= 1;
            if !self.abandoned.contains(&last) {
                self.abandoned.push(last);
            }
        }
        let begun = self.columns.iter().any(|column| column.reached() > self.all);
        if begun {
            self.abandoned.push(self.all);
            self.all += 1;
            self.columns.iter_mut().for_each(|column| column.fill(self.all));
        }
    }

    /// The rows so far; there are none after.
    pub(crate) fn finish(&mut self) -> Result<Option<ChangeBatch>> {
        let all = std::mem::take(&mut self.all);
        let abandoned = std::mem::take(&mut self.abandoned);
        let mut kinds = std::mem::take(&mut self.kinds);
        let columns = self.columns.iter_mut().map(Column::finish).collect::<Result<Vec<_>>>()?;
        if all == abandoned.len() {
            return Ok(None);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(all));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| Error::internal("columns of decoded records").with_source(error))?;
        let kinds = (!kinds.is_empty()).then(|| {
            kinds.resize(all, RowKind::Insert);
            kinds.into()
        });
        let batch = ChangeBatch::new(batch, kinds);
        if abandoned.is_empty() {
            return Ok(Some(batch));
        }
        let mut keep = BooleanBufferBuilder::new(all);
        keep.append_n(all, true);
        abandoned.iter().for_each(|row| keep.set_bit(*row, false));
        batch.select(&keep.finish()).compact().map(Some)
    }
}

/// The columns of a table at these positions.
pub(crate) fn projected(schema: &Schema, projection: &[usize]) -> Result<Vec<PlanColumn>> {
    let column = |index: &usize| {
        let column = schema.columns.get(*index).cloned();
        column.ok_or_else(|| Error::internal(format!("there is no column {index}")))
    };
    projection.iter().map(column).collect()
}
