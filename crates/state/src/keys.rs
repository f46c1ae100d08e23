//! Keys that are arrow columns.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::FieldRef;
use flott_batch::hash::hash_columns;
use flott_types::{Error, KeyGroup, Result};

use crate::rows::Stored;
use crate::{Index, KeyIndex, SlotIndex};

/// A [`KeyIndex`] whose keys go into snapshots: with names and key groups.
#[derive(Debug)]
pub struct ColumnIndex {
    fields: Vec<FieldRef>,
    partition_columns: usize,
    max_parallelism: u32,
    keys: KeyIndex,
}

impl ColumnIndex {
    /// The first `partition_columns` of the keys decide the key group.
    ///
    /// # Errors
    /// If a type cannot be a key.
    pub fn new(fields: &[FieldRef], partition_columns: usize, max_parallelism: u32) -> Result<Self> {
        if partition_columns > fields.len() {
            return Err(Error::internal("a table has more partition columns than keys"));
        }
        Ok(ColumnIndex {
            fields: fields.to_vec(),
            partition_columns,
            max_parallelism,
            keys: KeyIndex::new(fields)?,
        })
    }

    /// The map from keys to slots.
    pub fn keys(&self) -> &KeyIndex {
        &self.keys
    }

    /// The map from keys to slots.
    pub fn keys_mut(&mut self) -> &mut KeyIndex {
        &mut self.keys
    }

    /// The same keys under the names that they have in the snapshots of one of the states.
    pub fn named<'a>(&'a mut self, fields: &'a [FieldRef]) -> NamedIndex<'a> {
        NamedIndex { fields, index: self }
    }

    fn restore_as(&mut self, fields: &[FieldRef], rows: &RecordBatch) -> Result<Vec<u32>> {
        let stored = fields.iter().map(|field| Stored::of(rows, field)?.same_type(field));
        let stored = stored.collect::<Result<Vec<ArrayRef>>>()?;
        let mut slots = Vec::new();
        self.keys.intern(&stored, rows.num_rows(), &mut slots, |_, _| ())?;
        Ok(slots)
    }
}

/// A [`ColumnIndex`] under other names: two inputs of an operator have the same keys under different names.
#[derive(Debug)]
pub struct NamedIndex<'a> {
    fields: &'a [FieldRef],
    index: &'a mut ColumnIndex,
}

impl Index for NamedIndex<'_> {
    fn fields(&self) -> Vec<FieldRef> {
        self.fields.to_vec()
    }

    fn slots_end(&self) -> usize {
        self.index.slots_end()
    }

    fn partition_columns(&self) -> usize {
        self.index.partition_columns()
    }

    fn columns(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.index.columns(slots)
    }

    fn key_groups(&self, slots: &[u32], columns: &[ArrayRef]) -> Vec<u16> {
        self.index.key_groups(slots, columns)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.index.bytes_of(slot)
    }

    fn restore(&mut self, rows: &RecordBatch) -> Result<Vec<u32>> {
        self.index.restore_as(self.fields, rows)
    }
}

impl Index for ColumnIndex {
    fn fields(&self) -> Vec<FieldRef> {
        self.fields.clone()
    }

    fn slots_end(&self) -> usize {
        self.keys.slots_end()
    }

    fn partition_columns(&self) -> usize {
        self.partition_columns
    }

    fn columns(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.keys.keys_of(slots)
    }

    fn key_groups(&self, slots: &[u32], columns: &[ArrayRef]) -> Vec<u16> {
        let mut hashes = Vec::new();
        hash_columns(&columns[..self.partition_columns], slots.len(), &mut hashes);
        hashes.iter().map(|hash| KeyGroup::of_hash(*hash, self.max_parallelism).0).collect()
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.keys.bytes_of(slot)
    }

    fn restore(&mut self, rows: &RecordBatch) -> Result<Vec<u32>> {
        let fields = self.fields.clone();
        self.restore_as(&fields, rows)
    }
}

impl SlotIndex for ColumnIndex {
    fn keys_in_use(&self) -> usize {
        self.keys.len()
    }

    fn is_in_use(&self, slot: u32) -> bool {
        self.keys.is_live(slot)
    }

    fn take_back(&mut self, keys: &[ArrayRef], rows: usize, new: &mut Vec<u32>) -> Result<Vec<u32>> {
        let mut slots = Vec::new();
        self.keys.intern(keys, rows, &mut slots, |slot, _| new.push(slot))?;
        Ok(slots)
    }

    fn release(&mut self, slot: u32) {
        self.keys.remove(slot);
    }
}
