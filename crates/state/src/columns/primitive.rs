//! Numbers, times and decimals by slot.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef};
use flott_types::{Error, Result};

use super::{SlotColumns, only};
use crate::bits::Bits;

/// Values of a primitive arrow type by slot. Loops may work on [`PrimitiveColumn::values_mut`] directly.
pub struct PrimitiveColumn<T: ArrowPrimitiveType> {
    field: FieldRef,
    initial: Option<T::Native>,
    values: Vec<T::Native>,
    /// Which values are not NULL; absent in a column that has no NULLs.
    valid: Option<Bits>,
}

impl<T: ArrowPrimitiveType> PrimitiveColumn<T> {
    /// A column without NULLs, of the type's default data type (for decimals and time zones see
    /// `with_data_type`).
    pub fn new(name: &str, initial: T::Native) -> Self {
        PrimitiveColumn {
            field: Arc::new(Field::new(name, T::DATA_TYPE, true)),
            initial: Some(initial),
            values: Vec::new(),
            valid: None,
        }
    }

    /// A column that is NULL until it is set.
    pub fn nullable(name: &str) -> Self {
        PrimitiveColumn {
            initial: None,
            valid: Some(Bits::default()),
            ..Self::new(name, T::Native::default())
        }
    }

    /// The same with another data type for the same values: a decimal's precision and scale, a time zone.
    #[must_use]
    pub fn with_data_type(mut self, data_type: DataType) -> Self {
        debug_assert!(PrimitiveArray::<T>::is_compatible(&data_type));
        self.field = Arc::new(Field::new(self.field.name(), data_type, true));
        self
    }

    /// The value of a slot; `None` is NULL.
    #[inline]
    pub fn get(&self, slot: u32) -> Option<T::Native> {
        self.is_valid(slot).then(|| self.values[slot as usize])
    }

    /// Whether the value of a slot is not NULL.
    #[inline]
    pub fn is_valid(&self, slot: u32) -> bool {
        self.valid.as_ref().is_none_or(|valid| valid.get(slot))
    }

    /// Sets the value of a slot; in a column without NULLs, NULL sets the initial value.
    #[inline]
    pub fn set(&mut self, slot: u32, value: Option<T::Native>) {
        if let Some(valid) = &mut self.valid {
            match value {
                Some(_) => valid.set(slot),
                None => valid.unset(slot),
            };
        }
        self.values[slot as usize] = value.or(self.initial).unwrap_or_default();
    }

    /// The values by slot. Those of NULL slots are arbitrary.
    pub fn values(&self) -> &[T::Native] {
        &self.values
    }

    /// The values by slot. Writing to a NULL slot leaves it NULL.
    pub fn values_mut(&mut self) -> &mut [T::Native] {
        &mut self.values
    }

    /// Makes a slot not NULL, whatever its value. Returns whether it was NULL.
    #[inline]
    pub fn set_valid(&mut self, slot: u32) -> bool {
        self.valid.as_mut().is_some_and(|valid| valid.set(slot))
    }
}

impl<T: ArrowPrimitiveType> SlotColumns for PrimitiveColumn<T> {
    fn fields(&self) -> Vec<FieldRef> {
        vec![self.field.clone()]
    }

    fn reset(&mut self, slot: u32) {
        if slot as usize >= self.values.len() {
            self.values.resize(slot as usize + 1, T::Native::default());
        }
        self.set(slot, self.initial);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let values: ScalarBuffer<T::Native> = slots.iter().map(|slot| self.values[*slot as usize]).collect();
        let nulls: Option<NullBuffer> =
            self.valid.as_ref().map(|valid| slots.iter().map(|slot| valid.get(*slot)).collect());
        let array = PrimitiveArray::<T>::try_new(values, nulls)
            .map_err(|e| Error::internal("values of state").with_source(e))?;
        Ok(vec![Arc::new(array.with_data_type(self.field.data_type().clone()))])
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let array = only(columns)?.as_primitive::<T>();
        for (row, slot) in slots.iter().enumerate() {
            self.set(*slot, array.is_valid(row).then(|| array.value(row)));
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.values.capacity() * size_of::<T::Native>() + self.valid.as_ref().map_or(0, Bits::memory)
    }
}

impl<T: ArrowPrimitiveType> fmt::Debug for PrimitiveColumn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrimitiveColumn({}, {} slots)", self.field, self.values.len())
    }
}
