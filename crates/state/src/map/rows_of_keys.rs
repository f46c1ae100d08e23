//! Which rows a state of rows by key has: an index over the slots of another.
//!
//! It is also the index for states nested in the values of rows (the distinct values of a session): its slots
//! are the rows' entries, and its keys are the key and the row together.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::SortOptions;
use arrow::datatypes::FieldRef;
use flott_types::{Error, Result};

use super::entries::Entries;
use crate::bits::Bits;
use crate::{Index, Slots, Stored};

/// Maps slots of keys and rows to entries.
#[derive(Debug)]
pub(super) struct RowsOfKeys {
    pub fields: Vec<FieldRef>,
    pub entries: Entries,
    pub slots: Slots,
    /// By the key's slot: how many entries refer to it, including removed ones that a snapshot must delete.
    references: Vec<u32>,
    /// Entries without a row that nested states still need.
    left: Bits,
}

impl RowsOfKeys {
    pub fn new(fields: &[FieldRef], order: Option<&[(usize, SortOptions)]>, found: bool) -> Result<Self> {
        Ok(Self::with(fields, Entries::new(fields, order, found)?))
    }

    pub fn with(fields: &[FieldRef], entries: Entries) -> Self {
        RowsOfKeys {
            fields: fields.to_vec(),
            entries,
            slots: Slots::default(),
            references: Vec::new(),
            left: Bits::default(),
        }
    }

    /// The entry of a row of the batch that was loaded last; a new one if there is none.
    #[inline]
    pub fn intern(&mut self, key: u32, row: usize) -> Result<u32> {
        if let Some(entry) = self.entries.find(key, row) {
            if self.left.ones() > 0 {
                self.left.unset(entry);
            }
            return Ok(entry);
        }
        let entry = self.slots.take()?;
        self.entries.insert(key, row, entry);
        if key as usize >= self.references.len() {
            self.references.resize(key as usize + 1, 0);
        }
        self.references[key as usize] += 1;
        Ok(entry)
    }

    /// Whether entries refer to a key.
    #[inline]
    pub fn refer_to(&self, key: u32) -> bool {
        self.references(key) > 0
    }

    /// How many entries refer to a key, including removed ones that a snapshot must delete.
    #[inline]
    pub fn references(&self, key: u32) -> u32 {
        self.references.get(key as usize).copied().unwrap_or_default()
    }

    /// Keeps an entry without a row for as long as nested states need it.
    pub fn leave(&mut self, entry: u32) {
        self.left.set(entry);
    }

    /// Forgets an entry; returns whether it was the last one of its key.
    pub fn forget(&mut self, entry: u32) -> bool {
        let key = self.entries.key_of(entry);
        self.entries.remove(entry);
        self.slots.release(entry);
        let references = &mut self.references[key as usize];
        *references -= 1;
        *references == 0
    }

    /// Nested states may no longer need these entries: forgets those without a row that are not `occupied`.
    /// Keys that have no others are added to `freed`.
    pub fn release(&mut self, entries: &[u32], occupied: impl Fn(u32) -> bool, freed: &mut Vec<u32>) {
        for entry in entries {
            if self.left.get(*entry) && !occupied(*entry) {
                self.left.unset(*entry);
                let key = self.entries.key_of(*entry);
                if self.forget(*entry) {
                    freed.push(key);
                }
            }
        }
    }

    pub fn memory(&self) -> usize {
        self.entries.memory() + self.slots.memory() + self.references.capacity() * 4 + self.left.memory()
    }

    fn keys_of(&self, entries: &[u32]) -> Vec<u32> {
        entries.iter().map(|entry| self.entries.key_of(*entry)).collect()
    }
}

/// The entries as a read-only index.
pub(super) struct RowIndex<'a> {
    pub keys: &'a dyn Index,
    pub rows: &'a RowsOfKeys,
}

/// The entries as an index to restore into.
pub(super) struct RestoredIndex<'a> {
    pub keys: &'a mut dyn Index,
    pub rows: &'a mut RowsOfKeys,
}

impl RestoredIndex<'_> {
    fn read(&self) -> RowIndex<'_> {
        RowIndex { keys: self.keys, rows: self.rows }
    }
}

impl Index for RowIndex<'_> {
    fn fields(&self) -> Vec<FieldRef> {
        [self.keys.fields(), self.rows.fields.clone()].concat()
    }

    fn slots_end(&self) -> usize {
        self.rows.slots.end()
    }

    fn partition_columns(&self) -> usize {
        self.keys.partition_columns()
    }

    fn columns(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = self.keys.columns(&self.rows.keys_of(slots))?;
        columns.append(&mut self.rows.entries.rows_of(slots)?);
        Ok(columns)
    }

    fn key_groups(&self, slots: &[u32], columns: &[ArrayRef]) -> Vec<u16> {
        self.keys.key_groups(&self.rows.keys_of(slots), columns)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.keys.bytes_of(self.rows.entries.key_of(slot)) + self.rows.entries.bytes_of(slot)
    }

    fn restore(&mut self, _: &RecordBatch) -> Result<Vec<u32>> {
        Err(Error::internal("rows are restored into an index that is only read"))
    }
}

impl Index for RestoredIndex<'_> {
    fn fields(&self) -> Vec<FieldRef> {
        self.read().fields()
    }

    fn slots_end(&self) -> usize {
        self.read().slots_end()
    }

    fn partition_columns(&self) -> usize {
        self.read().partition_columns()
    }

    fn columns(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.read().columns(slots)
    }

    fn key_groups(&self, slots: &[u32], columns: &[ArrayRef]) -> Vec<u16> {
        self.read().key_groups(slots, columns)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.read().bytes_of(slot)
    }

    fn restore(&mut self, rows: &RecordBatch) -> Result<Vec<u32>> {
        let keys = self.keys.restore(rows)?;
        let stored = self.rows.fields.iter().map(|field| Stored::of(rows, field)?.same_type(field));
        self.rows.entries.load(&stored.collect::<Result<Vec<ArrayRef>>>()?, &keys)?;
        keys.into_iter().enumerate().map(|(row, key)| self.rows.intern(key, row)).collect()
    }
}
