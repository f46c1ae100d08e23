//! Reads the rows of a state from a snapshot.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{Field, FieldRef};
use flott_types::{Error, Result};

use super::{KEYS, is_default};
use crate::{Index, RestoredState, ttl};

/// A column of a snapshot, with the field under which it was stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its field.
    pub field: FieldRef,
    /// Its values.
    pub column: ArrayRef,
}

impl Stored {
    /// The column with the name of this field.
    ///
    /// # Errors
    /// If there is none.
    pub fn of(rows: &RecordBatch, field: &Field) -> Result<Self> {
        match rows.schema_ref().column_with_name(field.name()) {
            Some((at, _)) => {
                Ok(Stored { field: rows.schema_ref().fields()[at].clone(), column: rows.column(at).clone() })
            }
            None => Err(Error::state(format!("column '{}' is missing", field.name()))),
        }
    }

    /// The values, if they are of the field's type.
    ///
    /// # Errors
    /// If they are not.
    pub fn same_type(self, field: &Field) -> Result<ArrayRef> {
        if self.column.data_type().equals_datatype(field.data_type()) {
            return Ok(self.column);
        }
        Err(Error::state(format!(
            "column '{}' is {}, the operator needs {}",
            field.name(),
            self.column.data_type(),
            field.data_type()
        )))
    }
}

/// Rows of a state as a snapshot has them.
#[derive(Clone, Debug)]
pub struct StoredRows {
    /// The slot of each row's key.
    pub slots: Vec<u32>,
    /// The columns by which the rows of one key are told apart.
    pub keys: Vec<Stored>,
    /// The columns of values. A column that has a default and is missing is NULL.
    pub values: Vec<Stored>,
    /// Whether the snapshot's columns are those asked for, and the same ones tell rows apart. If not, its
    /// files are to be replaced.
    pub complete: bool,
}

impl StoredRows {
    /// Takes the rows of a state, one batch at a time.
    ///
    /// Columns are found by name. A column of values that is not asked for is skipped, with a message in the
    /// log. Any other mismatch is an error: other keys would be other entries, and values that nobody wrote
    /// would be wrong results.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if the rows are those of another state.
    pub fn take(
        name: &str,
        keys: &[FieldRef],
        values: &[FieldRef],
        index: &mut dyn Index,
        restored: &mut RestoredState,
        mut each: impl FnMut(StoredRows) -> Result<()>,
    ) -> Result<()> {
        for (at, rows) in restored.take_keyed(name).iter().enumerate() {
            let rows = Self::of(name, keys, values, index, rows, at == 0);
            let result = rows.and_then(&mut each);
            result.map_err(|error| error.context(format_args!("restored state '{name}'")))?;
        }
        Ok(())
    }

    fn of(
        name: &str,
        keys: &[FieldRef],
        values: &[FieldRef],
        index: &mut dyn Index,
        rows: &RecordBatch,
        tell: bool,
    ) -> Result<StoredRows> {
        let slots = index.restore(rows)?;
        let stored = keys.iter().map(|field| Stored::of(rows, field)).collect::<Result<_>>();
        let stored_keys: Vec<Stored> =
            stored.map_err(|error| error.context("it is a state of another kind"))?;
        let mut complete = true;
        let value = |field: &FieldRef| match Stored::of(rows, field) {
            Err(_) if is_default(field) => {
                complete = false;
                if tell && !ttl::is_stamp(field.name()) {
                    tracing::warn!(
                        state = name,
                        column = field.name(),
                        "a column of the state is new: it starts empty, beside what is restored"
                    );
                }
                let column = new_null_array(field.data_type(), rows.num_rows());
                Ok(Stored { field: Arc::clone(field), column })
            }
            found => found,
        };
        let stored_values = values.iter().map(value).collect::<Result<Vec<_>>>()?;
        let found = rows.schema();
        let known: Vec<FieldRef> = index.fields().iter().chain(keys).chain(values).cloned().collect();
        let unknown = |field: &FieldRef| known.iter().all(|known| known.name() != field.name());
        let own_keys = known.len() - values.len();
        let their_keys = found.metadata().get(KEYS).and_then(|keys| keys.parse().ok());
        let their_keys = their_keys.unwrap_or(own_keys);
        // Columns that told rows apart and are values now, or the other way round.
        complete &= their_keys == own_keys;
        for (at, field) in found.fields().iter().enumerate().filter(|(_, field)| unknown(field)) {
            if at < their_keys {
                return Err(Error::state(format!("its key '{}' is not known to the operator", field.name())));
            }
            complete = false;
            if tell {
                tracing::warn!(
                    state = name,
                    column = field.name(),
                    "a column of the restored state is no longer needed and is dropped"
                );
            }
        }
        Ok(StoredRows { slots, keys: stored_keys, values: stored_values, complete })
    }
}
