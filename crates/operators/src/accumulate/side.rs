//! A multiset of values for each group, in a table of its own beside the groups'.
//!
//! The table has the groups' keys, so that it is snapshot and spread over subtasks like them. Between batches a group's
//! key is found again by the group's slot, without hashing it once more, as long as the group has values.

use arrow::array::{Array, ArrayRef};
use arrow::compute::SortOptions;
use arrow::datatypes::FieldRef;
use flott_state::{KeyedDelta, KeyedMultiset, MapSpec, RestoredState};
use flott_types::{Error, Result};

use super::set::Keys;
use crate::support::take_columns;

const NONE: u32 = u32::MAX;

/// Values by group.
pub(super) struct Side {
    name: String,
    set: KeyedMultiset,
    /// By the group's slot: the slot of its key in `set`.
    key_of: Vec<u32>,
    /// The other way round; tells whether `key_of` still holds.
    group_of: Vec<u32>,
}

/// Rows for [`Side::apply`], one after the other.
pub(super) struct Values<'a> {
    /// The groups' keys; all rows of the batch.
    pub keys: &'a [ArrayRef],
    /// For each value the row with its group's key.
    pub rows: &'a [u32],
    /// For each value its group.
    pub slots: &'a [u32],
    /// The values.
    pub columns: &'a [ArrayRef],
}

impl Side {
    /// Sorted by the first value column, or not at all. `numbers` is what the counts are called in snapshots.
    pub fn new(
        name: &str,
        numbers: &str,
        keys: &Keys,
        values: &[FieldRef],
        order: Option<SortOptions>,
    ) -> Result<Self> {
        let order = order.map(|options| [(0, options)]);
        let spec = MapSpec {
            name,
            keys: &keys.fields,
            partition_columns: keys.partition_columns,
            rows: values,
            order: order.as_ref().map(|order| order.as_slice()),
            max_parallelism: keys.max_parallelism,
        };
        let set = KeyedMultiset::new(&spec, &format!("{name}.{numbers}"))?;
        Ok(Side { name: name.to_owned(), set, key_of: Vec::new(), group_of: Vec::new() })
    }

    /// The slot of a group's key among the values, if it has any.
    pub fn key(&self, group: u32) -> Option<u32> {
        let key = *self.key_of.get(group as usize)?;
        let known = key != NONE && self.group_of.get(key as usize) == Some(&group);
        (known && self.set.map().len_of(key) > 0).then_some(key)
    }

    /// The values and how often they occur.
    pub fn set(&self) -> &KeyedMultiset {
        &self.set
    }

    fn bind(&mut self, group: u32, key: u32) {
        let (group_at, key_at) = (group as usize, key as usize);
        if group_at >= self.key_of.len() {
            self.key_of.resize(group_at + 1, NONE);
        }
        if key_at >= self.group_of.len() {
            self.group_of.resize(key_at + 1, NONE);
        }
        self.key_of[group_at] = key;
        self.group_of[key_at] = group;
    }

    /// Adds `delta(i)` to the count of value `i`. `on_change(i, before, after)` is told each count.
    pub fn apply(
        &mut self,
        values: &Values<'_>,
        delta: impl Fn(usize) -> i64,
        on_change: impl FnMut(usize, i64, i64),
    ) -> Result<()> {
        let keys = self.keys_of(values)?;
        self.set.apply(&keys, values.columns, delta, on_change)
    }

    /// Instead of counts, numbers of another meaning: see [`KeyedMultiset::update`].
    pub fn update(&mut self, values: &Values<'_>, change: impl FnMut(usize, &mut i64) -> bool) -> Result<()> {
        let keys = self.keys_of(values)?;
        self.set.update(&keys, values.columns, change)
    }

    /// The slot of each value's group's key.
    fn keys_of(&mut self, values: &Values<'_>) -> Result<Vec<u32>> {
        let unknown = values.slots.iter().enumerate().filter(|(_, group)| self.key(**group).is_none());
        let (rows, groups): (Vec<u32>, Vec<u32>) =
            unknown.map(|(at, group)| (values.rows[at], *group)).unzip();
        if !rows.is_empty() {
            let mut keys = Vec::new();
            self.set.intern_keys(&take_columns(values.keys, &rows)?, rows.len(), &mut keys)?;
            groups.iter().zip(keys).for_each(|(group, key)| self.bind(*group, key));
        }
        Ok(values.slots.iter().map(|group| self.key_of[*group as usize]).collect())
    }

    /// Forgets the values of a group.
    pub fn reset(&mut self, group: u32) {
        if let Some(key) = self.key(group) {
            self.set.remove_key(key);
        }
    }

    pub fn snapshot(&mut self, full: bool, out: &mut Vec<KeyedDelta>) -> Result<()> {
        out.extend(self.set.snapshot(full)?);
        Ok(())
    }

    pub fn restore(&mut self, restored: &mut RestoredState, keys: &[ArrayRef], groups: &[u32]) -> Result<()> {
        self.set.restore(restored.take_keyed(&self.name))?;
        let mut slots = Vec::new();
        self.set.lookup_keys(keys, groups.len(), &mut slots)?;
        for (group, key) in groups.iter().zip(slots) {
            if key != NONE {
                self.bind(*group, key);
            }
        }
        Ok(())
    }

    pub fn memory(&self) -> usize {
        self.set.memory() + (self.key_of.capacity() + self.group_of.capacity()) * 4
    }
}

/// The rows of an input where no argument is NULL.
pub(super) fn without_nulls(args: &[ArrayRef], rows: &[u32]) -> Option<Vec<usize>> {
    let nulls: Vec<_> =
        args.iter().filter_map(|arg| arg.logical_nulls()).filter(|n| n.null_count() > 0).collect();
    if nulls.is_empty() {
        return None;
    }
    let valid = |at: &usize| nulls.iter().all(|nulls| nulls.is_valid(rows[*at] as usize));
    Some((0..rows.len()).filter(valid).collect())
}

/// The rows of columns, shared when they are all rows.
pub(super) fn gather(columns: &[ArrayRef], rows: &[u32]) -> Result<Vec<ArrayRef>> {
    let all = columns.iter().all(|column| column.len() == rows.len())
        && rows.iter().enumerate().all(|(at, row)| at == *row as usize);
    if all { Ok(columns.to_vec()) } else { take_columns(columns, rows) }
}

/// The error for an aggregate that needs its groups' keys where there are none.
pub(super) fn keyless() -> Error {
    Error::internal("values of a group cannot be merged without its key")
}
