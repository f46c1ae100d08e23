//! Writes the rows of a state to a snapshot.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{concat, take};
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use flott_batch::bytes::{BATCH_BYTES, Parts};
use flott_types::{Error, ErrorKind, Result};

use super::has_default;
use crate::cut::runs;
use crate::group_order::ascending;
use crate::{Index, KeyedDelta};

/// Where the rows of a state come from. A row is identified by whatever is easiest for the state: a number,
/// or a slot and a position.
pub trait RowSource {
    /// What identifies a row.
    type Row: Copy;

    /// The columns by which the rows of one key are told apart.
    fn key_fields(&self) -> Vec<FieldRef> {
        Vec::new()
    }

    /// The columns of a row's values.
    fn value_fields(&self) -> Vec<FieldRef>;

    /// The slot of a row's key.
    fn slot_of(&self, row: Self::Row) -> u32;

    /// The values of [`RowSource::key_fields`].
    ///
    /// # Errors
    /// If a value cannot be stored.
    fn keys(&self, rows: &[Self::Row]) -> Result<Vec<ArrayRef>> {
        let _ = rows;
        Ok(Vec::new())
    }

    /// The values of [`RowSource::value_fields`].
    ///
    /// # Errors
    /// If a value cannot be stored. [`ErrorKind::TooLarge`] if this many of them do not fit into one column;
    /// the call is repeated with fewer.
    fn values(&self, rows: &[Self::Row]) -> Result<Vec<ArrayRef>>;

    /// The size in bytes of what tells a row apart, not counting fixed-width columns.
    fn key_bytes(&self, row: Self::Row) -> usize {
        let _ = row;
        0
    }

    /// The size of a row's values in bytes, not counting fixed-width columns.
    fn value_bytes(&self, row: Self::Row) -> usize {
        let _ = row;
        0
    }
}

/// The columns of a state in snapshots, and how many of them form the key.
pub(crate) fn stored_schema(index: &dyn Index, keys: &[FieldRef], values: &[FieldRef]) -> (SchemaRef, usize) {
    let mut fields = index.fields();
    fields.extend(keys.iter().cloned());
    let key_columns = fields.len();
    // Values of deleted rows are NULL.
    let value = |field: &FieldRef| {
        let mut field = Field::clone(field).with_nullable(true);
        has_default(&mut field);
        Arc::new(field)
    };
    fields.extend(values.iter().map(value));
    (Arc::new(Schema::new(fields)), key_columns)
}

/// Takes a step with all rows of a run, or with fewer of them at a time if that is too large.
pub(super) fn in_parts<T>(run: &[T], mut step: impl FnMut(&[T]) -> Result<()>) -> Result<()> {
    let mut parts = Parts::new(run.len());
    while let Some(part) = parts.next() {
        parts.settle(step(&run[part]))?;
    }
    Ok(())
}

/// Turns the rows of one state into deltas.
pub struct RowWriter<'a, S> {
    name: &'a str,
    index: &'a dyn Index,
    source: &'a S,
    schema: SchemaRef,
    key_columns: usize,
    batch_bytes: usize,
}

impl<'a, S: RowSource> RowWriter<'a, S> {
    /// A writer for the state with this name over an index.
    pub fn new(name: &'a str, index: &'a dyn Index, source: &'a S) -> Self {
        let (schema, key_columns) = stored_schema(index, &source.key_fields(), &source.value_fields());
        RowWriter { name, index, source, schema, key_columns, batch_bytes: BATCH_BYTES }
    }

    /// Sets the size of batches to about this many bytes instead of [`BATCH_BYTES`].
    #[must_use]
    pub fn with_batch_bytes(mut self, bytes: usize) -> Self {
        self.batch_bytes = bytes;
        self
    }

    /// Writes rows, and others as deleted, in as many parts as their size requires. A full snapshot is
    /// written even if it is empty, and deletes none.
    ///
    /// # Errors
    /// If values cannot be stored.
    pub fn write(
        &self,
        changed: &[S::Row],
        deleted: &[S::Row],
        full: bool,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let deleted = if full { &[] } else { deleted };
        let key = |row| self.index.bytes_of(self.source.slot_of(row)) + self.source.key_bytes(row);
        let changed = runs(changed, self.batch_bytes, |row| key(row) + self.source.value_bytes(row));
        let deleted = runs(deleted, self.batch_bytes, key);
        match (changed.as_slice(), deleted.as_slice()) {
            ([], []) if !full => return Ok(()),
            (&([] | [_]), &([] | [_])) => {
                let first = |runs: &[&'_ [S::Row]]| runs.first().map(|run| run.to_vec()).unwrap_or_default();
                match self.delta(&first(&changed), &first(&deleted), full) {
                    // The size of values of a user's type is known only when they are written.
                    Err(error) if error.kind() == ErrorKind::TooLarge => {}
                    delta => {
                        into.push(delta?);
                        return Ok(());
                    }
                }
            }
            _ => {}
        }
        // Only the first part of a full snapshot is marked as full.
        let first = into.len();
        for run in changed {
            in_parts(run, |rows| {
                let delta = self.delta(rows, &[], full && into.len() == first)?;
                into.push(delta);
                Ok(())
            })?;
        }
        for run in deleted {
            in_parts(run, |rows| {
                into.push(self.delta(&[], rows, false)?);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Changed rows with keys and values, then the keys of deleted ones. The changed ones come in the order of their
    /// key groups, as in files: the rows are gathered here, and it costs little to gather them in that order.
    fn delta(&self, changed: &[S::Row], deleted: &[S::Row], full: bool) -> Result<KeyedDelta> {
        let mut rows: Vec<S::Row> = changed.iter().chain(deleted).copied().collect();
        let slots: Vec<u32> = rows.iter().map(|row| self.source.slot_of(*row)).collect();
        let mut columns = self.index.columns(&slots)?;
        let mut key_groups = self.index.key_groups(&slots, &columns);
        if let Some(mut order) = ascending(&key_groups[..changed.len()]) {
            for (to, from) in order.iter().enumerate() {
                rows[to] = changed[*from as usize];
            }
            order.extend(changed.len() as u32..rows.len() as u32);
            key_groups = order.iter().map(|row| key_groups[*row as usize]).collect();
            let order = UInt32Array::from(order);
            let sorted = columns.iter().map(|column| take(column, &order, None).map_err(failed));
            columns = sorted.collect::<Result<_>>()?;
        }
        columns.append(&mut self.source.keys(&rows)?);
        for column in self.source.values(&rows[..changed.len()])? {
            columns.push(match deleted.len() {
                0 => column,
                gone => {
                    let nulls = new_null_array(column.data_type(), gone);
                    concat(&[column.as_ref(), nulls.as_ref()]).map_err(failed)?
                }
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        Ok(KeyedDelta {
            name: self.name.to_owned(),
            rows: RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
                .map_err(failed)?,
            key_columns: self.key_columns,
            partition_columns: self.index.partition_columns(),
            key_groups,
            deleted: (!deleted.is_empty())
                .then(|| BooleanBuffer::collect_bool(rows.len(), |row| row >= changed.len())),
            full,
        })
    }
}

fn failed(error: arrow::error::ArrowError) -> Error {
    Error::internal("rows of state").with_source(error)
}
