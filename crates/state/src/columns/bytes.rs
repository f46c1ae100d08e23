//! Strings and binaries by slot.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, GenericByteBuilder};
use arrow::datatypes::{BinaryType, ByteArrayType, Field, FieldRef, Utf8Type};
use flott_types::{Error, Result};

use super::{SlotColumns, only};
use crate::slot_bytes::SlotBytes;

/// Strings by slot, NULL until set, in one buffer.
pub type StringColumn = ByteColumn<Utf8Type>;
/// Binaries by slot, NULL until set, in one buffer.
pub type BinaryColumn = ByteColumn<BinaryType>;

/// Strings or binaries by slot. See [`StringColumn`] and [`BinaryColumn`].
#[derive(Debug)]
pub struct ByteColumn<T: ByteArrayType> {
    field: FieldRef,
    bytes: SlotBytes,
    of: PhantomData<T>,
}

/// Converts bytes to the values of a string or binary type.
pub trait FromBytes: ByteArrayType {
    /// The value that consists of these bytes.
    fn from_bytes(bytes: &[u8]) -> Result<&Self::Native>;
}

impl FromBytes for Utf8Type {
    fn from_bytes(bytes: &[u8]) -> Result<&str> {
        std::str::from_utf8(bytes).map_err(|e| Error::internal("a string of state").with_source(e))
    }
}

impl FromBytes for BinaryType {
    fn from_bytes(bytes: &[u8]) -> Result<&[u8]> {
        Ok(bytes)
    }
}

impl<T: FromBytes> ByteColumn<T> {
    /// A column that is NULL until it is set.
    pub fn new(name: &str) -> Self {
        ByteColumn {
            field: Arc::new(Field::new(name, T::DATA_TYPE, true)),
            bytes: SlotBytes::default(),
            of: PhantomData,
        }
    }

    /// The bytes of a slot's value; `None` is NULL. Strings compare like their bytes.
    #[inline]
    pub fn get(&self, slot: u32) -> Option<&[u8]> {
        self.bytes.get(slot)
    }

    /// Sets the value of a slot.
    pub fn set(&mut self, slot: u32, value: Option<&T::Native>) {
        match value {
            Some(value) => self.bytes.set(slot, value.as_ref()),
            None => self.bytes.unset(slot),
        }
    }
}

impl<T: FromBytes> SlotColumns for ByteColumn<T> {
    fn fields(&self) -> Vec<FieldRef> {
        vec![self.field.clone()]
    }

    fn reset(&mut self, slot: u32) {
        self.bytes.unset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let size = slots.iter().map(|slot| self.bytes_of(*slot)).sum();
        if size > i32::MAX as usize {
            return Err(Error::unsupported("a value of more than 2 GB in state"));
        }
        let mut builder = GenericByteBuilder::<T>::with_capacity(slots.len(), size);
        for slot in slots {
            match self.bytes.get(*slot) {
                Some(bytes) => builder.append_value(T::from_bytes(bytes)?),
                None => builder.append_null(),
            }
        }
        Ok(vec![Arc::new(builder.finish())])
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let array = only(columns)?.as_bytes::<T>();
        for (row, slot) in slots.iter().enumerate() {
            self.set(*slot, array.is_valid(row).then(|| array.value(row)));
        }
        Ok(())
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.bytes.bytes(slot).len()
    }

    fn memory(&self) -> usize {
        self.bytes.memory()
    }
}
