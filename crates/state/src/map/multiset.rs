//! Rows by the slots of keys, and how often each occurs.

use arrow::array::ArrayRef;
use arrow::compute::SortOptions;
use arrow::datatypes::{FieldRef, Int64Type};
use flott_types::Result;

use super::GroupedRows;
use crate::{PrimitiveColumn, RowColumn};

type Counts = PrimitiveColumn<Int64Type>;

/// For each slot of an index a multiset of rows, sorted or not: retractable MIN and MAX, DISTINCT. It is a
/// state beside others of the same keys.
///
/// A count may fall below zero when a retraction overtakes its insertion; such a row is kept until the two
/// cancel, and does not count as present. A row with count zero is dropped.
#[derive(Debug)]
pub struct Multiset {
    column: RowColumn<GroupedRows<Counts>>,
    entries: Vec<u32>,
}

impl Multiset {
    /// An empty multiset of rows of these columns, sorted by some of them or not at all. The counts are
    /// called `count_column` in snapshots.
    ///
    /// # Errors
    /// As [`GroupedRows::new`].
    pub fn new(
        name: &str,
        rows: &[FieldRef],
        order: Option<&[(usize, SortOptions)]>,
        count_column: &str,
    ) -> Result<Self> {
        let counts = PrimitiveColumn::new(count_column, 0);
        let column = RowColumn::new(name, GroupedRows::new(rows, order, counts)?);
        Ok(Multiset { column, entries: Vec::new() })
    }

    /// The state column.
    pub fn column(&self) -> &RowColumn<GroupedRows<Counts>> {
        &self.column
    }

    /// The state column, for snapshots.
    pub fn column_mut(&mut self) -> &mut RowColumn<GroupedRows<Counts>> {
        &mut self.column
    }

    /// Adds to the counts of rows, in order: `delta(i)` to that of row `i` of the columns under the key in
    /// slot `keys[i]`. `on_change(i, before, after)` is called with each row's count.
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
        let Multiset { column, entries } = self;
        column.intern(keys, rows, entries, |_, _| ())?;
        let mut zeros = false;
        for (row, entry) in entries.iter().enumerate() {
            let count = &mut column.values_mut().values_mut()[*entry as usize];
            let before = *count;
            *count += delta(row);
            let after = *count;
            zeros |= after == 0;
            on_change(row, before, after);
            column.mark(*entry);
        }
        if zeros {
            for entry in entries.iter() {
                if column.values().values()[*entry as usize] == 0 {
                    column.remove(*entry);
                }
            }
        }
        Ok(())
    }

    /// For numbers to which the caller gives another meaning, none of them 0: `change(i, number)` changes the
    /// number of row `i`, which is 0 for a new row, and returns whether it did.
    ///
    /// # Errors
    /// If the columns are not of the row's types.
    pub fn update(
        &mut self,
        keys: &[u32],
        rows: &[ArrayRef],
        mut change: impl FnMut(usize, &mut i64) -> bool,
    ) -> Result<()> {
        let Multiset { column, entries } = self;
        column.intern(keys, rows, entries, |_, _| ())?;
        for (row, entry) in entries.iter().enumerate() {
            if change(row, &mut column.values_mut().values_mut()[*entry as usize]) {
                column.mark(*entry);
            }
        }
        Ok(())
    }

    /// How often the row of an entry occurs.
    #[inline]
    pub fn count(&self, entry: u32) -> i64 {
        self.column.values().values()[entry as usize]
    }

    /// The entries of a key that are present, in order if the multiset is sorted.
    pub fn entries_of(&self, key: u32) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.column.entries_of(key).filter(|entry| self.count(*entry) > 0)
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
        self.column.rows_of(entries)
    }

    /// Removes all rows of a key.
    pub fn remove_key(&mut self, key: u32) {
        self.column.remove_key(key);
    }
}

/// Columns with a prefix before their names, so that they do not clash with others.
pub fn prefixed(prefix: &str, fields: &[FieldRef]) -> Vec<FieldRef> {
    let rename = |field: &FieldRef| {
        let name = format!("{prefix}{}", field.name());
        FieldRef::new(field.as_ref().clone().with_name(name))
    };
    fields.iter().map(rename).collect()
}
