//! Splits rows into the columns of their key and the others, as states keep them.

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_batch::arrow_type;
use flott_plan::Schema;
use flott_types::{Error, Result};

use crate::accumulate::unique_fields;

/// Which columns of an input form the key, so that they are kept once per key instead of once per row.
pub(crate) struct KeyedColumns {
    keys: Vec<usize>,
    /// The columns that are not part of the key.
    rest: Vec<usize>,
    fields: Vec<FieldRef>,
}

impl KeyedColumns {
    /// `extra` columns follow those of the input.
    pub fn new(input: &Schema, keys: &[usize], extra: &[FieldRef]) -> Result<Self> {
        let input = arrow_type::schema(input.iter());
        let rest: Vec<usize> = (0..input.fields().len()).filter(|column| !keys.contains(column)).collect();
        let field = |column: &usize| {
            let known = input.fields().get(*column).cloned();
            known.ok_or_else(|| Error::internal(format!("there is no column {column}")))
        };
        let mut fields = keys.iter().chain(&rest).map(field).collect::<Result<Vec<_>>>()?;
        fields.extend(extra.iter().cloned());
        Ok(KeyedColumns { keys: keys.to_vec(), rest, fields: unique_fields(&fields) })
    }

    /// The columns of the key and those of the row, under different names.
    pub fn fields(&self) -> (&[FieldRef], &[FieldRef]) {
        self.fields.split_at(self.keys.len())
    }

    /// The position of an input column among the row's columns; `None` if it belongs to the key.
    pub fn place(&self, column: usize) -> Option<usize> {
        self.rest.iter().position(|rest| *rest == column)
    }

    /// The position of an input column among those of the key.
    pub fn key_place(&self, column: usize) -> Option<usize> {
        self.keys.iter().position(|key| *key == column)
    }

    /// The columns of the key.
    pub fn keys(&self, columns: &[ArrayRef]) -> Vec<ArrayRef> {
        self.keys.iter().map(|key| columns[*key].clone()).collect()
    }

    /// The columns of the row, without the extra ones.
    pub fn rest(&self, columns: &[ArrayRef]) -> Vec<ArrayRef> {
        self.rest.iter().map(|column| columns[*column].clone()).collect()
    }

    /// Reassembles rows as they arrived, followed by the extra columns, from the columns of the row and those
    /// of the key.
    pub fn reassemble(
        &self,
        mut rest: Vec<ArrayRef>,
        keys: impl FnOnce() -> Result<Vec<ArrayRef>>,
    ) -> Result<Vec<ArrayRef>> {
        let mut extra = rest.split_off(self.rest.len().min(rest.len()));
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.fields.len() - extra.len()];
        if !self.keys.is_empty() {
            for (place, key) in self.keys.iter().zip(keys()?) {
                columns[*place] = Some(key);
            }
        }
        for (place, column) in self.rest.iter().zip(rest) {
            columns[*place] = Some(column);
        }
        // A key that names a column twice leaves gaps.
        let mut columns: Vec<ArrayRef> = columns.into_iter().flatten().collect();
        columns.append(&mut extra);
        Ok(columns)
    }
}
