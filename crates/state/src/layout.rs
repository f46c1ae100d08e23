//! What the rows of a keyed table look like in a snapshot.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::concat;
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use flott_batch::bytes::BATCH_BYTES;
use flott_batch::hash::hash_columns;
use flott_types::{Error, KeyGroup, Result};

use crate::cut::runs;
use crate::{Changes, KeyedDelta};

/// In a field's metadata: a snapshot may lack the column, and its values are NULL then. Not written into snapshots.
const HAS_DEFAULT: &str = "flott.default";

/// In the metadata of a restored batch's schema: how many of its columns are the key.
pub(crate) const KEYS: &str = "flott.keys";

/// The same field, of a column of values that a snapshot may lack: NULLs are written into it then.
pub fn with_default(field: &FieldRef) -> FieldRef {
    let metadata = [(HAS_DEFAULT.to_owned(), String::new())].into();
    Arc::new(Field::clone(field).with_metadata(metadata))
}

/// Name, columns and keys of a table.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub name: String,
    pub schema: SchemaRef,
    /// Which columns a snapshot may lack.
    defaults: Vec<bool>,
    pub key_columns: usize,
    pub partition_columns: usize,
    pub max_parallelism: u32,
    /// See [`BATCH_BYTES`].
    pub batch_bytes: usize,
}

/// How the columns of a snapshot are read from a table.
pub(crate) trait Columns {
    /// The key columns of slots.
    fn keys(&self, slots: &[u32]) -> Result<Vec<ArrayRef>>;
    /// The value columns of slots.
    fn values(&self, slots: &[u32]) -> Result<Vec<ArrayRef>>;
    /// The bytes of a slot's key.
    fn key_bytes(&self, slot: u32) -> usize;
    /// The bytes of a slot's values.
    fn value_bytes(&self, slot: u32) -> usize;
}

impl Layout {
    pub fn new(
        name: &str,
        keys: &[FieldRef],
        partition_columns: usize,
        values: Vec<FieldRef>,
        max_parallelism: u32,
    ) -> Result<Self> {
        let mut defaults = vec![false; keys.len()];
        // Values of deleted rows are NULL.
        let values = values.iter().map(|field| {
            let mut field = Field::clone(field).with_nullable(true);
            defaults.push(field.metadata_mut().remove(HAS_DEFAULT).is_some());
            Arc::new(field)
        });
        let fields: Vec<FieldRef> = keys.iter().cloned().chain(values).collect();
        for (at, field) in fields.iter().enumerate() {
            if fields[..at].iter().any(|other| other.name() == field.name()) {
                return Err(Error::internal(format!("state '{name}' has two columns '{}'", field.name())));
            }
        }
        if partition_columns > keys.len() {
            return Err(Error::internal(format!("state '{name}' has more partition columns than keys")));
        }
        Ok(Layout {
            name: name.to_owned(),
            schema: Arc::new(Schema::new(fields)),
            defaults,
            key_columns: keys.len(),
            partition_columns,
            max_parallelism,
            batch_bytes: BATCH_BYTES,
        })
    }

    /// The rows of a snapshot, in as many parts as they are large. None if nothing changed, unless it is to be full.
    pub fn deltas(&self, changes: &Changes, full: bool, columns: &impl Columns) -> Result<Vec<KeyedDelta>> {
        let deleted: &[u32] = if full { &[] } else { &changes.deleted };
        let both = |slot| columns.key_bytes(slot) + columns.value_bytes(slot);
        let changed = runs(&changes.changed, self.batch_bytes, both);
        let deleted = runs(deleted, self.batch_bytes, |slot| columns.key_bytes(slot));
        let part = |changed: &[u32], deleted: &[u32], full| {
            let mut written = columns.keys(changed)?;
            written.append(&mut columns.values(changed)?);
            self.delta(written, changed.len(), columns.keys(deleted)?, deleted.len(), full)
        };
        match (changed.as_slice(), deleted.as_slice()) {
            ([], []) if !full => Ok(Vec::new()),
            (&([] | [_]), &([] | [_])) => {
                let first = |runs: &[&[u32]]| runs.first().map(|run| run.to_vec()).unwrap_or_default();
                Ok(vec![part(&first(&changed), &first(&deleted), full)?])
            }
            _ => {
                let written = changed.iter().enumerate().map(|(at, run)| part(run, &[], full && at == 0));
                written.chain(deleted.iter().map(|run| part(&[], run, false))).collect()
            }
        }
    }

    /// Changed rows with keys and values, then the keys of deleted ones.
    fn delta(
        &self,
        changed: Vec<ArrayRef>,
        changed_rows: usize,
        deleted: Vec<ArrayRef>,
        deleted_rows: usize,
        full: bool,
    ) -> Result<KeyedDelta> {
        let rows = changed_rows + deleted_rows;
        let columns = if deleted_rows == 0 {
            changed
        } else {
            let nulls = self.schema.fields()[self.key_columns..].iter();
            let nulls = nulls.map(|field| new_null_array(field.data_type(), deleted_rows));
            let deleted = deleted.into_iter().chain(nulls);
            let both = changed.iter().zip(deleted);
            both.map(|(live, dead)| concat(&[live.as_ref(), dead.as_ref()]))
                .collect::<Result<_, _>>()
                .map_err(failed)?
        };
        let mut hashes = Vec::new();
        hash_columns(&columns[..self.partition_columns], rows, &mut hashes);
        let key_groups = hashes.iter().map(|hash| KeyGroup::of_hash(*hash, self.max_parallelism).0).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(KeyedDelta {
            name: self.name.clone(),
            rows: RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
                .map_err(failed)?,
            key_columns: self.key_columns,
            partition_columns: self.partition_columns,
            key_groups,
            deleted: (deleted_rows > 0).then(|| BooleanBuffer::collect_bool(rows, |row| row >= changed_rows)),
            full,
        })
    }

    /// The columns of a restored batch in this table's order, found by name.
    ///
    /// A column of values that the operator does not know any more is passed over, and that is told; one that has a default and is not
    /// there has it. `tell` for one of a table's batches. Anything else that does not fit is an error: other keys would be other entries, and values that nobody
    /// wrote would be wrong results.
    pub fn columns_of(&self, batch: &RecordBatch, tell: bool) -> Result<Restored> {
        let wrong = |what: String| Error::state(format!("restored state '{}' {what}", self.name));
        let found = batch.schema();
        let unknown = |field: &FieldRef| self.schema.field_with_name(field.name()).is_err();
        let mut complete = true;
        let mut column = |(at, field): (usize, &FieldRef)| {
            let Some(column) = batch.column_by_name(field.name()) else {
                if !self.defaults[at] {
                    return Err(wrong(format!("lacks column '{}'", field.name())));
                }
                complete = false;
                return Ok(new_null_array(field.data_type(), batch.num_rows()));
            };
            if !column.data_type().equals_datatype(field.data_type()) {
                return Err(wrong(format!(
                    "has column '{}' as {}, the operator needs {}",
                    field.name(),
                    column.data_type(),
                    field.data_type()
                )));
            }
            Ok(column.clone())
        };
        let columns = self.schema.fields().iter().enumerate().map(&mut column).collect::<Result<_>>()?;
        let keys = found.metadata().get(KEYS).and_then(|keys| keys.parse().ok());
        let keys = keys.unwrap_or(self.key_columns);
        for (at, field) in found.fields().iter().enumerate().filter(|(_, field)| unknown(field)) {
            if at < keys {
                return Err(wrong(format!("has a key '{}' that the operator does not know", field.name())));
            }
            if tell {
                tracing::warn!(
                    state = self.name,
                    column = field.name(),
                    "a column of the restored state is not needed any more and is dropped"
                );
            }
        }
        Ok(Restored { columns, complete })
    }
}

/// What a batch of a snapshot holds for a table.
pub(crate) struct Restored {
    /// The table's columns.
    pub columns: Vec<ArrayRef>,
    /// Whether the snapshot had all of them. If not, the next one must be given them.
    pub complete: bool,
}

fn failed(error: arrow::error::ArrowError) -> Error {
    Error::internal("rows of state").with_source(error)
}
