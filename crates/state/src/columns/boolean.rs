//! Truth values by slot.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use flott_types::Result;

use super::{SlotColumns, only};
use crate::bits::Bits;

/// TRUE, FALSE or NULL by slot.
#[derive(Debug)]
pub struct BooleanColumn {
    field: FieldRef,
    initial: Option<bool>,
    values: Bits,
    valid: Bits,
}

impl BooleanColumn {
    /// A column whose slots start with `initial`; `None` is NULL.
    pub fn new(name: &str, initial: Option<bool>) -> Self {
        let field = Arc::new(Field::new(name, DataType::Boolean, true));
        BooleanColumn { field, initial, values: Bits::default(), valid: Bits::default() }
    }

    /// The value of a slot.
    #[inline]
    pub fn get(&self, slot: u32) -> Option<bool> {
        self.valid.get(slot).then(|| self.values.get(slot))
    }

    /// Sets the value of a slot.
    pub fn set(&mut self, slot: u32, value: Option<bool>) {
        let set = |bits: &mut Bits, bit| if bit { bits.set(slot) } else { bits.unset(slot) };
        set(&mut self.valid, value.is_some());
        set(&mut self.values, value == Some(true));
    }
}

impl SlotColumns for BooleanColumn {
    fn fields(&self) -> Vec<FieldRef> {
        vec![self.field.clone()]
    }

    fn reset(&mut self, slot: u32) {
        self.set(slot, self.initial);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let values: BooleanArray = slots.iter().map(|slot| self.get(*slot)).collect();
        Ok(vec![Arc::new(values)])
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let array = only(columns)?.as_boolean();
        for (row, slot) in slots.iter().enumerate() {
            self.set(*slot, array.is_valid(row).then(|| array.value(row)));
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.values.memory() + self.valid.memory()
    }
}
