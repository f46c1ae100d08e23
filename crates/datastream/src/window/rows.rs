//! Rows of snapshots, in which a window is columns of its own.
//!
//! Columns of state know of one key. Windows have two parts, the key and the window: within the operator the key is a struct
//! of both, in snapshots it is two columns, of which only the first decides the key group.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use flott_state::{KeyedDelta, RestoredState};
use flott_types::{Error, Result};

use crate::state::failed;

const KEY: &str = "key";
const WINDOW: &str = "window";

/// A key column of keys and windows.
pub(super) fn pair(key: (FieldRef, ArrayRef), window: (FieldRef, ArrayRef)) -> Result<(FieldRef, ArrayRef)> {
    let fields = Fields::from(vec![key.0, window.0]);
    let pairs = StructArray::try_new(fields.clone(), vec![key.1, window.1], None).map_err(failed)?;
    Ok((Arc::new(Field::new(KEY, DataType::Struct(fields), true)), Arc::new(pairs)))
}

/// The two parts of a column that [`pair`] has made.
pub(super) fn parts(pairs: &ArrayRef) -> Result<[(FieldRef, ArrayRef); 2]> {
    if let Some(pairs) = pairs.as_struct_opt()
        && let ([key, window], [keys, windows]) = (&pairs.fields()[..], pairs.columns())
    {
        return Ok([(key.clone(), keys.clone()), (window.clone(), windows.clone())]);
    }
    Err(Error::state("the snapshot has state without windows, where windows are expected"))
}

/// For a snapshot: the parts of the key become columns.
pub(super) fn flatten(delta: &mut KeyedDelta) -> Result<()> {
    let (mut fields, mut columns) = (Vec::new(), Vec::new());
    for (at, (field, column)) in delta.rows.schema().fields().iter().zip(delta.rows.columns()).enumerate() {
        if at == 0 {
            for (field, column) in parts(column)? {
                fields.push(field);
                columns.push(column);
            }
        } else {
            fields.push(field.clone());
            columns.push(column.clone());
        }
    }
    delta.key_columns += 1;
    delta.rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(failed)?;
    Ok(())
}

/// Out of a snapshot: keys and windows become one column, in the states that are of windows.
pub(super) fn pack(restored: &mut RestoredState) -> Result<()> {
    for rows in restored.keyed.values_mut().flatten() {
        let schema = rows.schema();
        let [key, window, ..] = &schema.fields()[..] else { continue };
        if key.name() != KEY || window.name() != WINDOW {
            continue;
        }
        let column = |at: usize| rows.column(at).clone();
        let (field, pairs) = pair((key.clone(), column(0)), (window.clone(), column(1)))?;
        let fields: Vec<FieldRef> = [field].into_iter().chain(schema.fields()[2..].iter().cloned()).collect();
        let columns = [pairs].into_iter().chain(rows.columns()[2..].iter().cloned()).collect();
        *rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(failed)?;
    }
    Ok(())
}
