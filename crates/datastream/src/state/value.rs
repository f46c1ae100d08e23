//! One value for each key.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::concat;
use arrow::datatypes::{Field, FieldRef, Schema};
use flott_batch::Record;
use flott_state::{DirtySlots, KeyedDelta, RestoredState};
use flott_types::{Error, Result};

use super::{Keys, StateAccess, StateColumn};
use crate::codec::ColumnCodec;

/// A value for each key (`ValueState` of Flink). Declared in `open`; reads and writes the value of the current key.
///
/// ```
/// # use flott_datastream::*;
/// #[derive(Clone, Default)]
/// struct CountPerKey { count: ValueState<u64> }
///
/// impl KeyedProcessFunction<String, i64> for CountPerKey {
///     type Out = u64;
///     fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
///         self.count = context.value_state("count")?;
///         Ok(())
///     }
///     fn process_element(&mut self, _: i64, ctx: &mut KeyedContext<'_, String, u64>) -> Result<()> {
///         let count = self.count.get(ctx).copied().unwrap_or(0) + 1;
///         self.count.set(ctx, count);
///         ctx.collect(count);
///         Ok(())
///     }
/// }
/// ```
pub struct ValueState<T> {
    number: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for ValueState<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ValueState<T> {}

/// A state that was not declared; using it is an error.
impl<T> Default for ValueState<T> {
    fn default() -> Self {
        ValueState { number: u32::MAX, of: PhantomData }
    }
}

impl<T: Record> ValueState<T> {
    pub(crate) fn new(number: u32) -> Self {
        ValueState { number, of: PhantomData }
    }

    /// The value of the current key.
    #[inline]
    pub fn get<'a>(&self, context: &'a impl StateAccess) -> Option<&'a T> {
        let states = context.states();
        states.column::<ValueColumn<T>>(self.number)?.get(states.slot)
    }

    /// The value of the current key, to be changed in place.
    #[inline]
    pub fn get_mut<'a>(&self, context: &'a mut impl StateAccess) -> Option<&'a mut T> {
        let states = context.states_mut();
        let slot = states.slot;
        states.column_mut::<ValueColumn<T>>(self.number)?.get_mut(slot)
    }

    /// Sets the value of the current key.
    #[inline]
    pub fn set(&self, context: &mut impl StateAccess, value: T) {
        let states = context.states_mut();
        let slot = states.slot;
        if let Some(column) = states.column_mut::<ValueColumn<T>>(self.number) {
            column.set(slot, value);
        }
    }

    /// Removes the value of the current key and gives it.
    pub fn take(&self, context: &mut impl StateAccess) -> Option<T> {
        let states = context.states_mut();
        let slot = states.slot;
        let taken = states.column_mut::<ValueColumn<T>>(self.number)?.take(slot);
        if taken.is_some() {
            states.freed.push(slot);
        }
        taken
    }

    /// Removes the value of the current key.
    pub fn clear(&self, context: &mut impl StateAccess) {
        self.take(context);
    }
}

/// The values of one state, by the slots of keys.
pub(crate) struct ValueColumn<T> {
    name: String,
    values: Vec<Option<T>>,
    changes: DirtySlots,
    codec: ColumnCodec<T>,
}

impl<T: Record> ValueColumn<T> {
    pub fn new(name: &str) -> Result<Self> {
        Ok(ValueColumn {
            name: name.to_owned(),
            values: Vec::new(),
            changes: DirtySlots::default(),
            codec: ColumnCodec::new("value")?,
        })
    }

    #[inline]
    pub fn get(&self, slot: u32) -> Option<&T> {
        self.values.get(slot as usize).and_then(Option::as_ref)
    }

    #[inline]
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        let value = self.values.get_mut(slot as usize).and_then(Option::as_mut);
        if value.is_some() {
            self.changes.mark(slot);
        }
        value
    }

    #[inline]
    pub fn set(&mut self, slot: u32, value: T) {
        let at = slot as usize;
        if at >= self.values.len() {
            self.grow(at);
        }
        if !self.changes.revive(slot) {
            self.changes.mark(slot);
        }
        self.values[at] = Some(value);
    }

    #[cold]
    fn grow(&mut self, at: usize) {
        let end = (at + 1).max(self.values.len() * 2);
        self.values.resize_with(end, || None);
    }

    /// Whether the last snapshot has a value for the slot.
    pub fn is_persisted(&self, slot: u32) -> bool {
        self.changes.is_persisted(slot)
    }

    pub fn take(&mut self, slot: u32) -> Option<T> {
        let taken = self.values.get_mut(slot as usize).and_then(Option::take);
        if taken.is_some() {
            // Whether a snapshot must delete it, `occupied` tells.
            let _ = self.changes.remove(slot);
        }
        taken
    }
}

impl<T: Record> StateColumn for ValueColumn<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn occupied(&self, slot: u32) -> bool {
        self.get(slot).is_some() || self.changes.is_dead(slot)
    }

    fn restore(&mut self, keys: &mut dyn Keys, restored: &mut RestoredState) -> Result<()> {
        for rows in restored.take_keyed(&self.name) {
            let (field, column) = stored(&rows, &self.name, "key")?;
            let slots = keys.intern_column(field, column)?;
            let (field, column) = stored(&rows, &self.name, "value")?;
            let values =
                self.codec.decode_stored(field, column).map_err(|error| in_state(&self.name, error))?;
            for (slot, value) in slots.into_iter().zip(values) {
                self.set(slot, value);
                self.changes.restored(slot);
            }
        }
        Ok(())
    }

    fn snapshot(
        &mut self,
        keys: &dyn Keys,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let values = &self.values;
        let live = (0..keys.end()).filter(|slot| values.get(*slot as usize).is_some_and(Option::is_some));
        let changes = self.changes.take(full, live);
        freed.extend(&changes.deleted);
        let deleted = if full { Vec::new() } else { changes.deleted };
        if changes.changed.is_empty() && deleted.is_empty() && !full {
            return Ok(());
        }
        let encoded = self.codec.encode(changes.changed.iter().filter_map(|slot| self.get(*slot)))?;
        let (changed, field) = (&changes.changed, self.codec.field());
        into.push(delta(&self.name, keys, changed, &deleted, vec![(field.clone(), encoded)], full)?);
        Ok(())
    }
}

/// A column of a snapshot's rows.
pub(crate) fn stored<'a>(
    rows: &'a RecordBatch,
    state: &str,
    column: &str,
) -> Result<(&'a Field, &'a ArrayRef)> {
    match rows.schema_ref().column_with_name(column) {
        Some((at, field)) => Ok((field, rows.column(at))),
        None => Err(Error::state(format!("state '{state}' of the snapshot lacks column '{column}'"))),
    }
}

/// An error names its state.
pub(crate) fn in_state(state: &str, error: Error) -> Error {
    error.context(format_args!("state '{state}'"))
}

/// The rows of a snapshot for keys with values, and for keys whose values are gone.
pub(crate) fn delta(
    name: &str,
    keys: &dyn Keys,
    changed: &[u32],
    deleted: &[u32],
    values: Vec<(FieldRef, ArrayRef)>,
    full: bool,
) -> Result<KeyedDelta> {
    let slots: Vec<u32> = changed.iter().chain(deleted).copied().collect();
    let (field, key) = keys.encode(&slots)?;
    let mut fields = vec![field];
    let mut columns = vec![key];
    for (field, column) in values {
        let nullable = Arc::new(Field::clone(&field).with_nullable(true));
        let column = match deleted.len() {
            0 => column,
            gone => {
                let nulls = new_null_array(column.data_type(), gone);
                concat(&[column.as_ref(), nulls.as_ref()]).map_err(failed)?
            }
        };
        fields.push(nullable);
        columns.push(column);
    }
    Ok(KeyedDelta {
        name: name.to_owned(),
        rows: RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(failed)?,
        key_columns: 1,
        partition_columns: 1,
        key_groups: slots.iter().map(|slot| keys.key_group(*slot)).collect(),
        deleted: (!deleted.is_empty())
            .then(|| BooleanBuffer::collect_bool(slots.len(), |row| row >= changed.len())),
        full,
    })
}

pub(crate) fn failed(error: arrow::error::ArrowError) -> Error {
    Error::internal("rows of state").with_source(error)
}
