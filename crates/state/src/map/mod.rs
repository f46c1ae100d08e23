//! Keys with any number of rows, each with values.
//!
//! [`KeyedMap`] holds, for each key, distinct rows (a map's keys), and for each of them values in the operator's
//! columns: what a join remembers of a side, what DISTINCT has seen, the candidates of a top-n, a `MapState`. Changes
//! are tracked by row, so that a snapshot of a key with a million rows writes those that changed. The rows of
//! a key come in no order, or sorted by chosen columns, at 4 bytes a row more than the row itself.
//!
//! # Cost
//!
//! A batch of rows is encoded at once into arrow-row bytes in a reused buffer. Per row one hash over key slot and
//! bytes and one probe; a new row is appended to one buffer, and in a sorted map placed by a binary search that
//! compares bytes. Per row 8 bytes a bucket, 24 a slot, 8 in the key's list, and the encoded row; for a single integer
//! in no order 16 a bucket and 12 a slot in all.

mod entries;
mod lists;
mod multiset;

use std::cmp::Ordering;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::SortOptions;
use arrow::datatypes::FieldRef;
use flott_types::Result;

use crate::cut::runs;
use crate::index::Slots;
use crate::layout::{Columns, Layout, Restored};
use crate::{DirtySlots, KeyIndex, KeyedDelta, NO_SLOT, SlotColumns};
use entries::Entries;
use lists::Lists;
pub use multiset::KeyedMultiset;

/// How a table of keys with rows is called, keyed and sorted.
#[derive(Clone, Debug)]
pub struct MapSpec<'a> {
    /// The name under which snapshots know it.
    pub name: &'a str,
    /// The key's columns.
    pub keys: &'a [FieldRef],
    /// How many of them, from the first on, decide the key group.
    pub partition_columns: usize,
    /// The rows' columns. Their names differ from the key's.
    pub rows: &'a [FieldRef],
    /// Columns of `rows` by which the rows of a key are sorted, ties by the other columns; `None` for no order.
    pub order: Option<&'a [(usize, SortOptions)]>,
    /// The number of key groups.
    pub max_parallelism: u32,
}

/// Keys with rows with values. See the module's header.
///
/// Keys have slots ([`KeyedMap::intern_keys`]), rows of a key have entries ([`KeyedMap::intern`]), values are columns
/// by entry. A key without entries is forgotten when the next batch's keys are interned; so slots of keys hold
/// for a batch.
#[derive(Debug)]
pub struct KeyedMap<V> {
    layout: Layout,
    keys: KeyIndex,
    /// By key: how many entries refer to it, dead ones included.
    references: Vec<u32>,
    /// Keys that may have no entries.
    abandoned: Vec<u32>,
    entries: Entries,
    row_columns: usize,
    slots: Slots,
    lists: Lists,
    values: V,
    changes: DirtySlots,
}

impl<V: SlotColumns> KeyedMap<V> {
    /// An empty map.
    ///
    /// # Errors
    /// If a type cannot be encoded, names repeat, or an order names a column that is not there.
    pub fn new(spec: &MapSpec<'_>, values: V) -> Result<Self> {
        let key: Vec<FieldRef> = spec.keys.iter().chain(spec.rows).cloned().collect();
        Ok(KeyedMap {
            layout: Layout::new(
                spec.name,
                &key,
                spec.partition_columns,
                values.fields(),
                spec.max_parallelism,
            )?,
            keys: KeyIndex::new(spec.keys)?,
            references: Vec::new(),
            abandoned: Vec::new(),
            entries: Entries::new(spec.rows, spec.order)?,
            row_columns: spec.rows.len(),
            slots: Slots::default(),
            lists: if spec.order.is_some() { Lists::sorted() } else { Lists::bag() },
            values,
            changes: DirtySlots::default(),
        })
    }

    /// The name under which snapshots know the map.
    pub fn name(&self) -> &str {
        &self.layout.name
    }

    /// How many rows there are over all keys.
    pub fn len(&self) -> usize {
        self.slots.live().ones() - self.changes.dead()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds or makes the slot of each row's key, replacing what is in `slots`. Keys that have no entries are
    /// forgotten first. `on_new(slot, row)` is called for each key that has no slot yet.
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn intern_keys(
        &mut self,
        keys: &[ArrayRef],
        rows: usize,
        slots: &mut Vec<u32>,
        mut on_new: impl FnMut(u32, usize),
    ) -> Result<()> {
        self.forget_keys();
        let (references, abandoned) = (&mut self.references, &mut self.abandoned);
        self.keys.intern(keys, rows, slots, |slot, row| {
            if slot as usize >= references.len() {
                references.resize(slot as usize + 1, 0);
            }
            abandoned.push(slot);
            on_new(slot, row);
        })
    }

    /// Forgets the keys that have no entries, and gives their slots out again.
    pub(crate) fn forget_keys(&mut self) {
        for key in self.abandoned.drain(..) {
            if self.references[key as usize] == 0 {
                self.keys.remove(key);
            }
        }
    }

    /// Finds the slot of each row's key, or [`NO_SLOT`], replacing what is in `slots`. A key that is found may have
    /// no entries.
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn lookup_keys(&mut self, keys: &[ArrayRef], rows: usize, slots: &mut Vec<u32>) -> Result<()> {
        self.keys.lookup(keys, rows, slots)
    }

    /// Finds or makes the entry of each row, replacing what is in `entries`: row `i` of the columns under the key in
    /// slot `keys[i]`. New entries have initial values and count as changed; `on_new(entry, row)` is called for each.
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
        self.entries.load(rows, keys.len())?;
        for (row, key) in keys.iter().enumerate() {
            let (entry, new) = self.intern_row(*key, row)?;
            if new {
                on_new(entry, row);
            }
            entries.push(entry);
        }
        Ok(())
    }

    /// Finds the entry of each row, or [`NO_SLOT`], replacing what is in `entries`. A key may be [`NO_SLOT`].
    ///
    /// # Errors
    /// If the columns are not of the row's types.
    pub fn lookup(&mut self, keys: &[u32], rows: &[ArrayRef], entries: &mut Vec<u32>) -> Result<()> {
        entries.clear();
        self.entries.load(rows, keys.len())?;
        for (row, key) in keys.iter().enumerate() {
            let found = self.entries.find(*key, row);
            entries.push(found.filter(|entry| !self.changes.is_dead(*entry)).unwrap_or(NO_SLOT));
        }
        Ok(())
    }

    /// Removes an entry. It may be given out again, so remove when the batch's entries are no longer needed.
    pub fn remove(&mut self, entry: u32) {
        if !self.is_live(entry) {
            return;
        }
        let entries = &self.entries;
        self.lists.remove(entries.key_of(entry), entry, |other| entries.compare(other, entry));
        self.values.reset(entry);
        if self.changes.remove(entry) {
            self.free(entry);
        }
    }

    /// Removes all entries of a key.
    pub fn remove_key(&mut self, key: u32) {
        let entries: Vec<u32> = self.entries_of(key).collect();
        entries.into_iter().for_each(|entry| self.remove(entry));
    }

    /// Whether an entry is in use.
    #[inline]
    pub fn is_live(&self, entry: u32) -> bool {
        self.slots.live().get(entry) && !self.changes.is_dead(entry)
    }

    /// All entries in use, ascending.
    pub fn live(&self) -> impl Iterator<Item = u32> + '_ {
        self.slots.live().iter().filter(|entry| !self.changes.is_dead(*entry))
    }

    /// All entries are below this.
    pub fn entries_end(&self) -> usize {
        self.slots.end()
    }

    /// The entries of a key, in order if the map is sorted. None for [`NO_SLOT`].
    pub fn entries_of(&self, key: u32) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.lists.parts(key).iter().flatten().copied()
    }

    /// How many entries a key has.
    pub fn len_of(&self, key: u32) -> usize {
        self.lists.len(key)
    }

    /// The entry at a position, from 0, among those of its key.
    pub fn nth(&self, key: u32, mut position: usize) -> Option<u32> {
        for part in self.lists.parts(key) {
            match part.get(position) {
                Some(entry) => return Some(*entry),
                None => position -= part.len(),
            }
        }
        None
    }

    /// The position, from 0, of an entry among those of its key in a sorted map.
    pub fn rank(&self, entry: u32) -> usize {
        self.lists.rank(self.key_of(entry), |other| self.compare(other, entry))
    }

    /// How two entries of a sorted map compare, whatever their keys.
    #[inline]
    pub fn compare(&self, left: u32, right: u32) -> Ordering {
        self.entries.compare(left, right)
    }

    /// The slot of an entry's key.
    #[inline]
    pub fn key_of(&self, entry: u32) -> u32 {
        self.entries.key_of(entry)
    }

    /// The keys in slots as columns.
    ///
    /// # Errors
    /// Only if memory is exhausted or the map is damaged.
    pub fn keys_of(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.keys.keys_of(slots)
    }

    /// The rows of entries as columns.
    ///
    /// # Errors
    /// If they hold more than 2 GB of strings: see [`KeyedMap::runs`].
    pub fn rows_of(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        self.entries.rows_of(entries)
    }

    /// The values by entry.
    pub fn values(&self) -> &V {
        &self.values
    }

    /// The values by entry. Mark the entries whose values you change.
    pub fn values_mut(&mut self) -> &mut V {
        &mut self.values
    }

    /// Notes that the values of an entry changed.
    #[inline]
    pub fn mark(&mut self, entry: u32) {
        self.changes.mark(entry);
    }

    /// How many rows an incremental snapshot would have now.
    pub fn pending(&self) -> usize {
        self.changes.pending()
    }

    /// What changed since the last snapshot, or with `full` everything; nothing if nothing did. What is large comes in parts.
    ///
    /// # Errors
    /// If the columns cannot be built (one value of more than 2 GB).
    pub fn snapshot(&mut self, full: bool) -> Result<Vec<KeyedDelta>> {
        let changes = self.changes.take(full, self.slots.live().iter());
        let deltas = self.layout.deltas(&changes, full, self)?;
        changes.deleted.iter().for_each(|entry| self.free(*entry));
        Ok(deltas)
    }

    /// The bytes of an entry with its key, beside those of numbers.
    pub fn bytes_of(&self, entry: u32) -> usize {
        self.key_bytes(entry) + self.value_bytes(entry)
    }

    /// Entries in runs whose keys, rows and values fit into one batch.
    pub fn runs<'a>(&self, entries: &'a [u32]) -> Vec<&'a [u32]> {
        runs(entries, self.layout.batch_bytes, |entry| self.bytes_of(entry))
    }

    /// Batches hold about so many bytes instead of [`BATCH_BYTES`](flott_batch::bytes::BATCH_BYTES).
    pub fn set_batch_bytes(&mut self, bytes: usize) {
        self.layout.batch_bytes = bytes;
    }

    /// Puts in the rows of a snapshot.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if the rows have other columns.
    pub fn restore(&mut self, batches: Vec<RecordBatch>) -> Result<()> {
        let (mut keys, mut entries) = (Vec::new(), Vec::new());
        for (at, batch) in batches.into_iter().enumerate() {
            let Restored { columns, complete } = self.layout.columns_of(&batch, at == 0)?;
            let (key_and_row, values) = columns.split_at(self.layout.key_columns);
            let (key, row) = key_and_row.split_at(self.layout.key_columns - self.row_columns);
            self.intern_keys(key, batch.num_rows(), &mut keys, |_, _| ())?;
            self.intern(&keys, row, &mut entries, |_, _| ())?;
            self.values.write(&entries, values)?;
            entries.iter().for_each(|entry| self.changes.restored(*entry));
            if !complete {
                self.changes.mark_all(&entries);
            }
        }
        Ok(())
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        let entries = self.entries.memory() + self.slots.memory() + self.lists.memory();
        let keys = self.keys.memory() + (self.references.capacity() + self.abandoned.capacity()) * 4;
        keys + entries + self.values.memory() + self.changes.memory()
    }

    /// The entry of a row of the batch encoded last, and whether it is new.
    fn intern_row(&mut self, key: u32, row: usize) -> Result<(u32, bool)> {
        let entry = match self.entries.find(key, row) {
            Some(entry) if self.changes.revive(entry) => entry,
            Some(entry) => return Ok((entry, false)),
            None => {
                let entry = self.slots.take()?;
                self.entries.insert(key, row, entry);
                self.references[key as usize] += 1;
                self.changes.mark(entry);
                entry
            }
        };
        self.values.reset(entry);
        let entries = &self.entries;
        self.lists.insert(key, entry, |other| entries.compare(other, entry));
        Ok((entry, true))
    }

    /// Gives up an entry that is in no list.
    fn free(&mut self, entry: u32) {
        let key = self.key_of(entry);
        self.entries.remove(entry);
        self.slots.release(entry);
        let references = &mut self.references[key as usize];
        *references -= 1;
        if *references == 0 {
            self.abandoned.push(key);
        }
    }
}

impl<V: SlotColumns> Columns for KeyedMap<V> {
    fn keys(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        let keys: Vec<u32> = entries.iter().map(|entry| self.key_of(*entry)).collect();
        let mut columns = self.keys.keys_of(&keys)?;
        columns.append(&mut self.rows_of(entries)?);
        Ok(columns)
    }

    fn values(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        self.values.read(entries)
    }

    fn key_bytes(&self, entry: u32) -> usize {
        self.keys.bytes_of(self.key_of(entry)) + self.entries.bytes_of(entry)
    }

    fn value_bytes(&self, entry: u32) -> usize {
        self.values.bytes_of(entry)
    }
}
