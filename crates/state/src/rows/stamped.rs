//! Rows with the column of their stamps.

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_types::Result;

use super::{RowSource, Rows};
use crate::Ttl;

/// Rows, and when each was last used.
pub(super) struct WithStamps<'a, R> {
    pub rows: &'a R,
    pub ttl: Option<&'a Ttl>,
}

impl<R: Rows> RowSource for WithStamps<'_, R> {
    type Row = u32;

    fn key_fields(&self) -> Vec<FieldRef> {
        self.rows.key_fields()
    }

    fn value_fields(&self) -> Vec<FieldRef> {
        let mut fields = self.rows.value_fields();
        fields.extend(self.ttl.map(Ttl::field));
        fields
    }

    fn slot_of(&self, row: u32) -> u32 {
        self.rows.slot_of(row)
    }

    fn keys(&self, rows: &[u32]) -> Result<Vec<ArrayRef>> {
        self.rows.keys(rows)
    }

    fn values(&self, rows: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = self.rows.values(rows)?;
        columns.extend(self.ttl.map(|ttl| ttl.column(rows)));
        Ok(columns)
    }

    fn key_bytes(&self, row: u32) -> usize {
        self.rows.key_bytes(row)
    }

    fn value_bytes(&self, row: u32) -> usize {
        self.rows.value_bytes(row)
    }
}
