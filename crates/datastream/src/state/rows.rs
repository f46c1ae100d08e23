//! Rows of snapshots.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::concat;
use arrow::datatypes::{Field, FieldRef, Schema};
use arrow::error::ArrowError;
use flott_state::KeyedDelta;
use flott_types::{Error, Result};

use super::Keys;
use crate::codec::{ColumnCodec, FieldChanges, type_text};

/// A column of a snapshot's rows.
pub(crate) fn stored<'a>(
    rows: &'a RecordBatch,
    state: &str,
    column: &str,
) -> Result<(&'a Field, &'a ArrayRef)> {
    match rows.schema_ref().column_with_name(column) {
        Some((at, field)) => Ok((field, rows.column(at))),
        None => Err(Error::state(format!(
            "state '{state}' of the snapshot lacks column '{column}'; it is a state of another kind"
        ))),
    }
}

/// An error names its state.
pub(crate) fn in_state(state: &str, error: Error) -> Error {
    error.context(format_args!("state '{state}'"))
}

pub(crate) fn failed(error: ArrowError) -> Error {
    Error::internal("rows of state").with_source(error)
}

/// What is stored is of another type than what is kept now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Migration {
    pub from: String,
    pub to: String,
    pub fields: FieldChanges,
}

impl Migration {
    /// Compares a column of a snapshot with what its codec writes. Changes are added to those that are known.
    pub fn note<T>(known: &mut Option<Migration>, stored: &Field, codec: &ColumnCodec<T>) {
        let (from, to) = (type_text(stored), codec.type_text());
        if from != to && known.is_none() {
            *known = Some(Migration { from, to, fields: codec.field_changes(stored) });
        }
    }
}

/// Rows for a snapshot: first those that are written, then those that are deleted.
pub(crate) struct DeltaRows<'a> {
    pub name: &'a str,
    /// The slots of the keys that rows are written for.
    pub changed: Vec<u32>,
    /// The slots of the keys that rows are deleted for.
    pub deleted: Vec<u32>,
    /// Columns that belong to the key, for all rows.
    pub further_keys: Vec<(FieldRef, ArrayRef)>,
    /// Columns of what is written.
    pub values: Vec<(FieldRef, ArrayRef)>,
    pub full: bool,
}

impl DeltaRows<'_> {
    /// Hands the rows over, if there is something to say.
    pub fn finish(self, keys: &dyn Keys, into: &mut Vec<KeyedDelta>) -> Result<()> {
        let DeltaRows { name, changed, deleted, further_keys, values, full } = self;
        if changed.is_empty() && deleted.is_empty() && !full {
            return Ok(());
        }
        let mut slots = changed;
        let written = slots.len();
        slots.extend(&deleted);
        let (field, key) = keys.encode(&slots)?;
        let (mut fields, mut columns) = (vec![field], vec![key]);
        for (field, column) in further_keys {
            fields.push(field);
            columns.push(column);
        }
        let key_columns = fields.len();
        for (field, column) in values {
            fields.push(Arc::new(Field::clone(&field).with_nullable(true)));
            columns.push(match deleted.len() {
                0 => column,
                gone => {
                    let nulls = new_null_array(column.data_type(), gone);
                    concat(&[column.as_ref(), nulls.as_ref()]).map_err(failed)?
                }
            });
        }
        into.push(KeyedDelta {
            name: name.to_owned(),
            rows: RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(failed)?,
            key_columns,
            partition_columns: 1,
            key_groups: slots.iter().map(|slot| keys.key_group(*slot)).collect(),
            deleted: (!deleted.is_empty())
                .then(|| BooleanBuffer::collect_bool(slots.len(), |row| row >= written)),
            full,
        });
        Ok(())
    }
}
