//! Values of any type by slot.

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_types::Result;

use super::SlotColumns;
use crate::codec::RowCodec;
use crate::slot_bytes::SlotBytes;

/// Values of one or several columns of any type, nested ones included, by slot, kept as encoded rows. For
/// values that are stored and passed on, not computed with.
#[derive(Debug)]
pub struct AnyColumn {
    fields: Vec<FieldRef>,
    codec: RowCodec,
    /// The encoded row of NULLs.
    null: Vec<u8>,
    rows: SlotBytes,
}

impl AnyColumn {
    /// Columns that are NULL until they are set.
    ///
    /// # Errors
    /// If a type cannot be encoded.
    pub fn new(fields: Vec<FieldRef>) -> Result<Self> {
        let mut codec = RowCodec::new(&fields)?;
        let nulls: Vec<ArrayRef> =
            fields.iter().map(|f| arrow::array::new_null_array(f.data_type(), 1)).collect();
        codec.encode(&nulls, 1)?;
        let null = codec.row(0).to_vec();
        Ok(AnyColumn { fields, codec, null, rows: SlotBytes::default() })
    }

    /// The encoded values of a slot. Equal bytes are equal values.
    pub fn bytes(&self, slot: u32) -> &[u8] {
        self.rows.get(slot).unwrap_or(&self.null)
    }

    /// Sets slots to rows of a batch: `slots[i]` to row `rows[i]`, in this order.
    ///
    /// # Errors
    /// If the columns are not of the given types.
    pub fn set_rows(&mut self, slots: &[u32], columns: &[ArrayRef], rows: &[u32]) -> Result<()> {
        self.codec.encode(columns, columns.first().map_or(0, |column| column.len()))?;
        for (slot, row) in slots.iter().zip(rows) {
            self.rows.set(*slot, self.codec.row(*row as usize));
        }
        Ok(())
    }
}

impl SlotColumns for AnyColumn {
    fn fields(&self) -> Vec<FieldRef> {
        self.fields.clone()
    }

    fn reset(&mut self, slot: u32) {
        self.rows.unset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.codec.decode(slots.iter().map(|slot| self.bytes(*slot)))
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.codec.encode(columns, slots.len())?;
        for (row, slot) in slots.iter().enumerate() {
            self.rows.set(*slot, self.codec.row(row));
        }
        Ok(())
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.bytes(slot).len()
    }

    fn memory(&self) -> usize {
        self.rows.memory() + self.codec.memory()
    }
}
