//! Values by slot.
//!
//! An operator keeps its values in typed arrays indexed by the slots of a [`KeyIndex`](crate::KeyIndex), and
//! updates them in typed loops. [`SlotColumns`] is what a table needs from them to write and restore
//! snapshots; it is called per batch of slots, never per record. Use the columns here, or write your own (an
//! accumulator with its own layout).

mod any;
mod boolean;
mod bytes;
mod kept;
mod primitive;
mod same;

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_types::{Error, Result};

use crate::rows::{Stored, same_types};
use crate::{Migration, StateColumn};

pub use any::AnyColumn;
pub use boolean::BooleanColumn;
pub use bytes::{BinaryColumn, StringColumn};
pub use kept::KeptRows;
pub use primitive::PrimitiveColumn;
pub(crate) use same::comparable;

/// One or several columns of values by slot, as a table sees them.
pub trait SlotColumns: Send + 'static {
    /// The columns, in order, under the names that they have in snapshots.
    fn fields(&self) -> Vec<FieldRef>;

    /// Creates a slot with its initial value. Called before a slot is used for the first time, and again each
    /// time it is reused.
    fn reset(&mut self, slot: u32);

    /// Whether a slot that was reset can be read.
    fn has_initial(&self) -> bool {
        true
    }

    /// The values of these slots, one column for each field.
    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>>;

    /// Sets the values of these slots from what [`SlotColumns::read`] returned. All of them have been reset
    /// before.
    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()>;

    /// Sets the values of these slots from the columns of a snapshot, in the order of the fields. Returns how
    /// the stored type differed, if it did. By default, a type other than the field's is refused.
    fn restore(&mut self, slots: &[u32], stored: Vec<Stored>) -> Result<Option<Migration>> {
        let columns = same_types(&self.fields(), stored)?;
        self.write(slots, &columns)?;
        Ok(None)
    }

    /// Calls `each` with each of the states nested in the values, over the same slots.
    fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
        let _ = each;
        Ok(())
    }

    /// Whether one of the states nested in the values occupies a slot.
    fn occupies(&self, slot: u32) -> bool {
        let _ = slot;
        false
    }

    /// See [`StateColumn::warm`].
    fn warm(&self, slots: &[u32]) -> usize {
        let _ = slots;
        0
    }

    /// The size of a slot's values in bytes, not counting fixed-width ones. Batches are cut by it.
    fn bytes_of(&self, slot: u32) -> usize {
        let _ = slot;
        0
    }

    /// The bytes of memory that they hold.
    fn memory(&self) -> usize {
        0
    }
}

/// No values: only the keys matter.
impl SlotColumns for () {
    fn fields(&self) -> Vec<FieldRef> {
        Vec::new()
    }

    fn reset(&mut self, _: u32) {}

    fn read(&self, _: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok(Vec::new())
    }

    fn write(&mut self, _: &[u32], _: &[ArrayRef]) -> Result<()> {
        Ok(())
    }
}

impl<C: SlotColumns + ?Sized> SlotColumns for Box<C> {
    fn fields(&self) -> Vec<FieldRef> {
        (**self).fields()
    }

    fn reset(&mut self, slot: u32) {
        (**self).reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        (**self).read(slots)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        (**self).write(slots, columns)
    }

    fn restore(&mut self, slots: &[u32], stored: Vec<Stored>) -> Result<Option<Migration>> {
        (**self).restore(slots, stored)
    }

    fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
        (**self).each_state(each)
    }

    fn occupies(&self, slot: u32) -> bool {
        (**self).occupies(slot)
    }

    fn warm(&self, slots: &[u32]) -> usize {
        (**self).warm(slots)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        (**self).bytes_of(slot)
    }

    fn memory(&self) -> usize {
        (**self).memory()
    }
}

/// Columns side by side.
impl<C: SlotColumns> SlotColumns for Vec<C> {
    fn fields(&self) -> Vec<FieldRef> {
        self.iter().flat_map(SlotColumns::fields).collect()
    }

    fn reset(&mut self, slot: u32) {
        self.iter_mut().for_each(|columns| columns.reset(slot));
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut read = Vec::new();
        for columns in self {
            read.append(&mut columns.read(slots)?);
        }
        Ok(read)
    }

    fn write(&mut self, slots: &[u32], mut columns: &[ArrayRef]) -> Result<()> {
        for part in self {
            columns = write_part(part, slots, columns)?;
        }
        Ok(())
    }

    fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
        self.iter_mut().try_for_each(|columns| columns.each_state(each))
    }

    fn occupies(&self, slot: u32) -> bool {
        self.iter().any(|columns| columns.occupies(slot))
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.iter().map(|columns| columns.bytes_of(slot)).sum()
    }

    fn memory(&self) -> usize {
        self.iter().map(SlotColumns::memory).sum()
    }
}

macro_rules! side_by_side {
    ($($part:ident . $index:tt),+) => {
        impl<$($part: SlotColumns),+> SlotColumns for ($($part,)+) {
            fn fields(&self) -> Vec<FieldRef> {
                let mut fields = Vec::new();
                $(fields.append(&mut self.$index.fields());)+
                fields
            }

            fn reset(&mut self, slot: u32) {
                $(self.$index.reset(slot);)+
            }

            fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
                let mut read = Vec::new();
                $(read.append(&mut self.$index.read(slots)?);)+
                Ok(read)
            }

            fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
                let rest = columns;
                $(let rest = write_part(&mut self.$index, slots, rest)?;)+
                let _ = rest;
                Ok(())
            }

            fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
                $(self.$index.each_state(each)?;)+
                Ok(())
            }

            fn occupies(&self, slot: u32) -> bool {
                false $(|| self.$index.occupies(slot))+
            }

            fn bytes_of(&self, slot: u32) -> usize {
                0 $(+ self.$index.bytes_of(slot))+
            }

            fn memory(&self) -> usize {
                0 $(+ self.$index.memory())+
            }
        }
    };
}

side_by_side!(A.0, B.1);
side_by_side!(A.0, B.1, C.2);
side_by_side!(A.0, B.1, C.2, D.3);

/// Passes one part its columns, and returns the columns of the rest.
fn write_part<'a>(
    part: &mut impl SlotColumns,
    slots: &[u32],
    columns: &'a [ArrayRef],
) -> Result<&'a [ArrayRef]> {
    let (own, rest) = columns
        .split_at_checked(part.fields().len())
        .ok_or_else(|| Error::internal("too few columns of state"))?;
    part.write(slots, own)?;
    Ok(rest)
}

/// The column, for a `write` that takes exactly one.
fn only(columns: &[ArrayRef]) -> Result<&ArrayRef> {
    match columns {
        [column] => Ok(column),
        _ => Err(Error::internal(format!("one column of state was expected, not {}", columns.len()))),
    }
}
