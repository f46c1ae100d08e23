//! Keys with rows and how often each occurs.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{FieldRef, Int64Type};
use flott_types::Result;

use super::{KeyedMap, MapSpec};
use crate::{KeyedDelta, PrimitiveColumn};

/// For each key a multiset of rows, sorted or not: retractable MIN and MAX, DISTINCT, a join's side, top-n.
///
/// A count may fall below zero when a retraction overtakes its insertion; such a row is kept until the two cancel, and
/// does not count as present. A row with count zero is not kept.
#[derive(Debug)]
pub struct KeyedMultiset {
    map: KeyedMap<PrimitiveColumn<Int64Type>>,
    entries: Vec<u32>,
}

impl KeyedMultiset {
    /// An empty multiset. The counts are called `count_column` in snapshots.
    ///
    /// # Errors
    /// As [`KeyedMap::new`].
    pub fn new(spec: &MapSpec<'_>, count_column: &str) -> Result<Self> {
        let counts = PrimitiveColumn::new(count_column, 0);
        Ok(KeyedMultiset { map: KeyedMap::new(spec, counts)?, entries: Vec::new() })
    }

    /// The rows and their order, for reading.
    pub fn map(&self) -> &KeyedMap<PrimitiveColumn<Int64Type>> {
        &self.map
    }

    /// See [`KeyedMap::intern_keys`].
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn intern_keys(&mut self, keys: &[ArrayRef], rows: usize, slots: &mut Vec<u32>) -> Result<()> {
        self.map.intern_keys(keys, rows, slots, |_, _| ())
    }

    /// See [`KeyedMap::lookup_keys`].
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn lookup_keys(&mut self, keys: &[ArrayRef], rows: usize, slots: &mut Vec<u32>) -> Result<()> {
        self.map.lookup_keys(keys, rows, slots)
    }

    /// Adds to the counts of rows, in order: row `i` of the columns under the key in slot `keys[i]` by `delta(i)`.
    /// `on_change(i, before, after)` is told each row's count.
    ///
    /// # Errors
    /// If the columns are not of the row's types.
    pub fn apply(
        &mut self,
        keys: &[u32],
        rows: &[ArrayRef],
        delta: impl Fn(usize) -> i64,
        mut on_change: impl FnMut(usize, i64, i64),
    ) -> Result<()> {
        let KeyedMultiset { map, entries } = self;
        map.intern(keys, rows, entries, |_, _| ())?;
        let mut zeros = false;
        for (row, entry) in entries.iter().enumerate() {
            let count = &mut map.values.values_mut()[*entry as usize];
            let before = *count;
            *count += delta(row);
            zeros |= *count == 0;
            on_change(row, before, *count);
            map.changes.mark(*entry);
        }
        if zeros {
            for entry in entries.iter() {
                if map.values.values()[*entry as usize] == 0 {
                    map.remove(*entry);
                }
            }
        }
        Ok(())
    }

    /// For numbers that the caller gives another meaning, none of them 0: `change(i, number)` changes the number of row `i`, 0 for a row
    /// that is new, and says whether it did.
    ///
    /// # Errors
    /// If the columns are not of the row's types.
    pub fn update(
        &mut self,
        keys: &[u32],
        rows: &[ArrayRef],
        mut change: impl FnMut(usize, &mut i64) -> bool,
    ) -> Result<()> {
        let KeyedMultiset { map, entries } = self;
        map.intern(keys, rows, entries, |_, _| ())?;
        let numbers = map.values.values_mut();
        for (row, entry) in entries.iter().enumerate() {
            if change(row, &mut numbers[*entry as usize]) {
                map.changes.mark(*entry);
            }
        }
        Ok(())
    }

    /// How often the row of an entry occurs.
    #[inline]
    pub fn count(&self, entry: u32) -> i64 {
        self.map.values.values()[entry as usize]
    }

    /// The entries of a key that are present, in order if the multiset is sorted.
    pub fn entries_of(&self, key: u32) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.map.entries_of(key).filter(|entry| self.count(*entry) > 0)
    }

    /// The least row of a key in a sorted multiset.
    pub fn first(&self, key: u32) -> Option<u32> {
        self.entries_of(key).next()
    }

    /// The greatest row of a key in a sorted multiset.
    pub fn last(&self, key: u32) -> Option<u32> {
        self.entries_of(key).next_back()
    }

    /// The rows of entries as columns.
    ///
    /// # Errors
    /// If they hold more than 2 GB of strings.
    pub fn rows_of(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        self.map.rows_of(entries)
    }

    /// Removes all rows of a key.
    pub fn remove_key(&mut self, key: u32) {
        self.map.remove_key(key);
    }

    /// See [`KeyedMap::snapshot`].
    ///
    /// # Errors
    /// If the columns cannot be built (one value of more than 2 GB).
    pub fn snapshot(&mut self, full: bool) -> Result<Vec<KeyedDelta>> {
        self.map.snapshot(full)
    }

    /// See [`KeyedMap::restore`].
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if the rows have other columns.
    pub fn restore(&mut self, batches: Vec<RecordBatch>) -> Result<()> {
        self.map.restore(batches)
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.map.memory() + self.entries.capacity() * 4
    }

    /// The columns of a multiset's rows under names of their own, for a key that has columns of the same names.
    pub fn prefixed(prefix: &str, fields: &[FieldRef]) -> Vec<FieldRef> {
        let rename = |field: &FieldRef| {
            let name = format!("{prefix}{}", field.name());
            FieldRef::new(field.as_ref().clone().with_name(name))
        };
        fields.iter().map(rename).collect()
    }
}
