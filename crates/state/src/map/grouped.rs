//! Rows of arrow columns by the slots of keys, each with values.

use std::cmp::Ordering;

use arrow::array::ArrayRef;
use arrow::compute::SortOptions;
use arrow::datatypes::FieldRef;
use flott_types::Result;

use super::entries::Entries;
use super::lists::Lists;
use super::rows_of_keys::{RestoredIndex, RowIndex, RowsOfKeys};
use crate::{
    Index, KeyedDelta, Migration, NO_SLOT, RestoredState, RowColumn, RowSource, Rows, SlotColumns, StoredRows,
};

/// For each slot of an index distinct rows, and for each of them values, which may in turn hold states over
/// the rows. See the header of this module.
#[derive(Debug)]
pub struct GroupedRows<V> {
    rows: RowsOfKeys,
    lists: Lists,
    values: V,
}

impl<V: SlotColumns> GroupedRows<V> {
    /// For rows of these columns, sorted by some of them with ties broken by the others, or unsorted.
    ///
    /// # Errors
    /// If a type cannot be encoded, or an order names a column that is not there.
    pub fn new(fields: &[FieldRef], order: Option<&[(usize, SortOptions)]>, values: V) -> Result<Self> {
        Self::with(fields, order, values, true)
    }

    /// For rows that are all different: each one that is interned is new, and none is looked for. So nothing is
    /// hashed. The values hold no states.
    ///
    /// # Errors
    /// As [`GroupedRows::new`].
    pub fn all_different(
        fields: &[FieldRef],
        order: Option<&[(usize, SortOptions)]>,
        values: V,
    ) -> Result<Self> {
        Self::with(fields, order, values, false)
    }

    /// For rows in any order that are seldom found: they stay in the batches in which they came, if their columns can
    /// be compared there. The values hold no states. [`RowColumn::tidy_rows`] frees their memory.
    ///
    /// # Errors
    /// As [`GroupedRows::new`].
    pub fn kept(fields: &[FieldRef], values: V) -> Result<Self> {
        let rows = RowsOfKeys::with(fields, Entries::kept(fields)?);
        Ok(GroupedRows { rows, lists: Lists::bag(), values })
    }

    fn with(
        fields: &[FieldRef],
        order: Option<&[(usize, SortOptions)]>,
        values: V,
        found: bool,
    ) -> Result<Self> {
        Ok(GroupedRows {
            rows: RowsOfKeys::new(fields, order, found)?,
            lists: if order.is_some() { Lists::sorted() } else { Lists::bag() },
            values,
        })
    }

    /// Starts a new entry: gives it initial values and a place among those of its key.
    fn begin(&mut self, key: u32, entry: u32) {
        self.values.reset(entry);
        let entries = &self.rows.entries;
        self.lists.insert(key, entry, |other| entries.compare(other, entry));
    }
}

impl<V: SlotColumns> RowSource for GroupedRows<V> {
    type Row = u32;

    fn key_fields(&self) -> Vec<FieldRef> {
        self.rows.fields.clone()
    }

    fn value_fields(&self) -> Vec<FieldRef> {
        self.values.fields()
    }

    fn slot_of(&self, row: u32) -> u32 {
        self.rows.entries.key_of(row)
    }

    fn keys(&self, rows: &[u32]) -> Result<Vec<ArrayRef>> {
        self.rows.entries.rows_of(rows)
    }

    fn values(&self, rows: &[u32]) -> Result<Vec<ArrayRef>> {
        self.values.read(rows)
    }

    fn key_bytes(&self, row: u32) -> usize {
        self.rows.entries.bytes_of(row)
    }

    fn value_bytes(&self, row: u32) -> usize {
        self.values.bytes_of(row)
    }
}

impl<V: SlotColumns> Rows for GroupedRows<V> {
    fn occupies(&self, slot: u32, _: impl Fn(u32) -> bool) -> bool {
        self.rows.refer_to(slot)
    }

    fn restore(&mut self, stored: StoredRows) -> Result<(Vec<u32>, Option<Migration>)> {
        let StoredRows { slots, keys, values, .. } = stored;
        let rows = keys.into_iter().zip(&self.rows.fields).map(|(key, field)| key.same_type(field));
        self.rows.entries.load(&rows.collect::<Result<Vec<_>>>()?, &slots)?;
        let mut numbers = Vec::with_capacity(slots.len());
        for (row, key) in slots.into_iter().enumerate() {
            let entry = self.rows.intern(key, row)?;
            self.begin(key, entry);
            numbers.push(entry);
        }
        self.rows.entries.settle()?;
        let migration = self.values.restore(&numbers, values)?;
        Ok((numbers, migration))
    }

    fn clear(&mut self, row: u32) {
        let entries = &self.rows.entries;
        self.lists.remove(entries.key_of(row), row, |other| entries.compare(other, row));
        self.values.reset(row);
    }

    fn forget(&mut self, row: u32) -> bool {
        if self.values.occupies(row) {
            self.rows.leave(row);
            return false;
        }
        self.rows.forget(row)
    }

    fn restore_states(
        &mut self,
        index: &mut dyn Index,
        restored: &mut RestoredState,
        is_live: &dyn Fn(u32) -> bool,
    ) -> Result<()> {
        let GroupedRows { rows, values, .. } = self;
        let mut more = false;
        values.each_state(&mut |state| {
            more = true;
            state.restore(&mut RestoredIndex { keys: index, rows }, restored)
        })?;
        if more {
            // State of rows that are not here is removed.
            let orphans: Vec<u32> = rows.slots.live().filter(|entry| !is_live(*entry)).collect();
            for entry in orphans {
                values.reset(entry);
                rows.leave(entry);
            }
        }
        Ok(())
    }

    fn snapshot_states(
        &mut self,
        index: &dyn Index,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let GroupedRows { rows, values, .. } = self;
        let mut left = Vec::new();
        let entries = RowIndex { keys: index, rows };
        values.each_state(&mut |state| state.snapshot(&entries, full, &mut left, into))?;
        rows.release(&left, |entry| values.occupies(entry), freed);
        Ok(())
    }

    /// Those of states nested in the values cannot, yet: their keys are the rows.
    fn can_spill(&mut self) -> bool {
        let mut nested = false;
        let asked = self.values.each_state(&mut |_| {
            nested = true;
            Ok(())
        });
        asked.is_ok() && !nested
    }

    fn rows_of(&self, slot: u32, into: &mut Vec<u32>) {
        let (first, parts) = self.lists.parts(slot);
        into.extend(first.iter().chain(parts.iter().flatten()));
    }

    fn is_settled(&self, slot: u32, _: impl Fn(u32) -> bool) -> bool {
        self.rows.references(slot) as usize == self.lists.len(slot)
    }

    fn memory(&self) -> usize {
        self.rows.memory() + self.lists.memory() + self.values.memory()
    }
}

impl<V: SlotColumns> RowColumn<GroupedRows<V>> {
    /// Finds or creates the entry of each row, replacing what is in `entries`: row `i` of the columns under
    /// the key in slot `keys[i]`. New entries have initial values and count as changed; `on_new(entry, row)`
    /// is called for each.
    ///
    /// # Errors
    /// If the columns are not of the row's types.
    pub fn intern(
        &mut self,
        keys: &[u32],
        rows: &[ArrayRef],
        entries: &mut Vec<u32>,
        mut on_new: impl FnMut(u32, usize),
    ) -> Result<()> {
        entries.clear();
        self.rows_mut().rows.entries.load(rows, keys)?;
        for (row, key) in keys.iter().enumerate() {
            let entry = self.rows_mut().rows.intern(*key, row)?;
            if self.add(entry) {
                self.rows_mut().begin(*key, entry);
                on_new(entry, row);
            }
            entries.push(entry);
        }
        self.rows_mut().rows.entries.settle()
    }

    /// Finds the entry of each row, or [`NO_SLOT`], replacing what is in `entries`. A key may be [`NO_SLOT`].
    ///
    /// # Errors
    /// If the columns are not of the row's types.
    pub fn lookup(&mut self, keys: &[u32], rows: &[ArrayRef], entries: &mut Vec<u32>) -> Result<()> {
        entries.clear();
        self.rows_mut().rows.entries.load(rows, keys)?;
        for (row, key) in keys.iter().enumerate() {
            let found = self.rows_mut().rows.entries.find(*key, row);
            entries.push(found.filter(|entry| self.is_live(*entry)).unwrap_or(NO_SLOT));
        }
        self.rows_mut().rows.entries.settle()
    }

    /// Frees some of the memory of rows that are gone: call this from time to time.
    ///
    /// # Errors
    /// Only if memory is exhausted.
    pub fn tidy_rows(&mut self) -> Result<()> {
        self.rows_mut().rows.entries.tidy()
    }

    /// Some columns of the rows of entries.
    ///
    /// # Errors
    /// As [`RowColumn::rows_of`].
    pub fn columns_of(&self, entries: &[u32], columns: &[usize]) -> Result<Vec<ArrayRef>> {
        self.rows().rows.entries.columns_of(entries, columns)
    }

    /// Whether reading some columns costs less than reading all.
    pub fn reads_columns(&self) -> bool {
        self.rows().rows.entries.reads_columns()
    }

    /// Removes all entries of a key, and returns whether it has none left that a snapshot must delete.
    pub fn remove_key(&mut self, key: u32) -> bool {
        let entries: Vec<u32> = self.entries_of(key).collect();
        let mut free = false;
        for entry in entries {
            free |= self.remove(entry).is_some();
        }
        free
    }

    /// All entries are below this.
    pub fn entries_end(&self) -> usize {
        self.rows().rows.slots.end()
    }

    /// The entries of a key, in order if they are sorted; none for [`NO_SLOT`].
    pub fn entries_of(&self, key: u32) -> impl DoubleEndedIterator<Item = u32> + '_ {
        let (first, parts) = self.rows().lists.parts(key);
        first.iter().chain(parts.iter().flatten()).copied()
    }

    /// How many entries a key has.
    #[inline]
    pub fn len_of(&self, key: u32) -> usize {
        self.rows().lists.len(key)
    }

    /// The entry at a position, counting from 0, among those of its key.
    #[inline]
    pub fn nth(&self, key: u32, mut position: usize) -> Option<u32> {
        let (first, parts) = self.rows().lists.parts(key);
        if parts.is_empty() {
            return first.get(position).copied();
        }
        for part in parts {
            match part.get(position) {
                Some(entry) => return Some(*entry),
                None => position -= part.len(),
            }
        }
        None
    }

    /// The position of an entry among those of its key, counting from 0, if they are sorted.
    pub fn rank(&self, entry: u32) -> usize {
        self.rows().lists.rank(self.key_of(entry), |other| self.compare(other, entry))
    }

    /// Compares two entries in sort order, whatever their keys.
    #[inline]
    pub fn compare(&self, left: u32, right: u32) -> Ordering {
        self.rows().rows.entries.compare(left, right)
    }

    /// The encoded row of an entry, which begins with the columns that it is sorted by and compares like them; `None` if
    /// it is kept as a number.
    #[inline]
    pub fn encoding(&self, entry: u32) -> Option<&[u8]> {
        self.rows().rows.entries.encoding(entry)
    }

    /// The slot of an entry's key.
    #[inline]
    pub fn key_of(&self, entry: u32) -> u32 {
        self.rows().rows.entries.key_of(entry)
    }

    /// The rows of entries as columns.
    ///
    /// # Errors
    /// If they hold more than 2 GB of strings.
    pub fn rows_of(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        self.rows().rows.entries.rows_of(entries)
    }

    /// The values by entry.
    #[inline]
    pub fn values(&self) -> &V {
        &self.rows().values
    }

    /// The values by entry. Mark the entries whose values you change.
    #[inline]
    pub fn values_mut(&mut self) -> &mut V {
        &mut self.rows_mut().values
    }
}
