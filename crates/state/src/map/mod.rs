//! Keys with any number of rows, each with values.
//!
//! [`GroupedRows`] hold, for each slot of an index, distinct rows (a map's keys), and for each of them values
//! in the operator's columns: what a join remembers of a side, what DISTINCT has seen, a `MapState`.
//! [`Arrivals`] are such rows that only their time of arrival tells apart. [`KeyedMap`] also has its own
//! index: the candidates of a top-n. Changes are tracked by row, so that a snapshot of a key with a million
//! rows writes those that changed. The rows of a key are unordered, or sorted by chosen columns, at 4 bytes
//! per row more than the row itself.
//!
//! # Cost
//!
//! A batch of rows is encoded at once into arrow-row bytes in a reused buffer. Per row one hash over key slot and
//! bytes and one probe; a new row is appended to one buffer, and in a sorted map placed by a binary search that
//! compares bytes. Per row 8 bytes a bucket, 24 a slot, 8 in the key's list, and the encoded row; for a single integer
//! 16 a bucket and 12 a slot in all, and one multiplication instead of a hash over bytes.

mod arrivals;
mod entries;
mod grouped;
mod lists;
mod multiset;
mod rows_of_keys;

use std::cmp::Ordering;

use arrow::array::ArrayRef;
use arrow::compute::SortOptions;
use arrow::datatypes::FieldRef;
use flott_types::{Result, Timestamp};

use crate::cut::runs;
use crate::{KeyedDelta, RestoredState, RowColumn, SharedIndex, SlotColumns, StateColumn};
pub use arrivals::Arrivals;
pub use grouped::GroupedRows;
pub use multiset::{Multiset, prefixed};

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

/// Keys with rows with values, for an operator that has no other state. See the module's header.
///
/// Keys have slots ([`KeyedMap::intern_keys`]), rows of a key have entries ([`KeyedMap::intern`]), values are columns
/// by entry. A key without entries is forgotten when the next batch's keys are interned; so slots of keys hold
/// for a batch.
#[derive(Debug)]
pub struct KeyedMap<V> {
    index: SharedIndex,
    column: RowColumn<GroupedRows<V>>,
}

impl<V: SlotColumns> KeyedMap<V> {
    /// An empty map.
    ///
    /// # Errors
    /// If a type cannot be encoded, names repeat, or an order names a column that is not there.
    pub fn new(spec: &MapSpec<'_>, values: V) -> Result<Self> {
        let index = SharedIndex::new(spec.keys, spec.partition_columns, spec.max_parallelism)?;
        let column = RowColumn::new(spec.name, GroupedRows::new(spec.rows, spec.order, values)?);
        column.check_names(index.index())?;
        Ok(KeyedMap { index, column })
    }

    /// Entries live this many milliseconds after their last use, or forever if that is not above 0.
    #[must_use]
    pub fn with_ttl(mut self, millis: i64) -> Self {
        self.column = self.column.with_coarse_ttl(millis, &self.index);
        self
    }

    /// The name under which snapshots know the map.
    pub fn name(&self) -> &str {
        self.column.name()
    }

    /// How many rows there are over all keys.
    pub fn len(&self) -> usize {
        self.column.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds or makes the slot of each row's key, replacing what is in `slots`. Keys that have no entries are
    /// forgotten first.
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn intern_keys(&mut self, keys: &[ArrayRef], rows: usize, slots: &mut Vec<u32>) -> Result<()> {
        self.forget_keys();
        self.index.intern(keys, rows, slots)
    }

    /// Forgets the keys that have no entries, and gives their slots out again.
    fn forget_keys(&mut self) {
        self.index.release(|key| self.column.occupied(key));
    }

    /// Finds the slot of each row's key, or [`NO_SLOT`](crate::NO_SLOT), replacing what is in `slots`. A key that is found may have
    /// no entries.
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn lookup_keys(&mut self, keys: &[ArrayRef], rows: usize, slots: &mut Vec<u32>) -> Result<()> {
        self.index.lookup(keys, rows, slots)
    }

    /// See [`RowColumn::intern`].
    ///
    /// # Errors
    /// If the columns are not of the row's types.
    pub fn intern(
        &mut self,
        keys: &[u32],
        rows: &[ArrayRef],
        entries: &mut Vec<u32>,
        on_new: impl FnMut(u32, usize),
    ) -> Result<()> {
        self.column.intern(keys, rows, entries, on_new)
    }

    /// See [`RowColumn::lookup`].
    ///
    /// # Errors
    /// If the columns are not of the row's types.
    pub fn lookup(&mut self, keys: &[u32], rows: &[ArrayRef], entries: &mut Vec<u32>) -> Result<()> {
        self.column.lookup(keys, rows, entries)
    }

    /// Removes an entry. It may be given out again, so remove when the batch's entries are no longer needed.
    pub fn remove(&mut self, entry: u32) {
        self.index.freed().extend(self.column.remove(entry));
    }

    /// Removes all entries of a key.
    pub fn remove_key(&mut self, key: u32) {
        if self.column.remove_key(key) {
            self.index.freed().push(key);
        }
    }

    /// Whether an entry is in use.
    #[inline]
    pub fn is_live(&self, entry: u32) -> bool {
        self.column.is_live(entry)
    }

    /// All entries in use, ascending.
    pub fn live(&self) -> impl Iterator<Item = u32> + '_ {
        self.column.live()
    }

    /// All entries are below this.
    pub fn entries_end(&self) -> usize {
        self.column.entries_end()
    }

    /// The entries of a key, in order if the map is sorted. None for [`NO_SLOT`](crate::NO_SLOT).
    pub fn entries_of(&self, key: u32) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.column.entries_of(key)
    }

    /// How many entries a key has.
    #[inline]
    pub fn len_of(&self, key: u32) -> usize {
        self.column.len_of(key)
    }

    /// The entry at a position, from 0, among those of its key.
    #[inline]
    pub fn nth(&self, key: u32, position: usize) -> Option<u32> {
        self.column.nth(key, position)
    }

    /// The position, from 0, of an entry among those of its key in a sorted map.
    pub fn rank(&self, entry: u32) -> usize {
        self.column.rank(entry)
    }

    /// How two entries of a sorted map compare, whatever their keys.
    #[inline]
    pub fn compare(&self, left: u32, right: u32) -> Ordering {
        self.column.compare(left, right)
    }

    /// The slot of an entry's key.
    #[inline]
    pub fn key_of(&self, entry: u32) -> u32 {
        self.column.key_of(entry)
    }

    /// The keys in slots as columns.
    ///
    /// # Errors
    /// Only if memory is exhausted or the map is damaged.
    pub fn keys_of(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.index.keys_of(slots)
    }

    /// The rows of entries as columns.
    ///
    /// # Errors
    /// If they hold more than 2 GB of strings: see [`KeyedMap::runs`].
    pub fn rows_of(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        self.column.rows_of(entries)
    }

    /// The values by entry.
    #[inline]
    pub fn values(&self) -> &V {
        self.column.values()
    }

    /// The values by entry. Mark the entries whose values you change.
    #[inline]
    pub fn values_mut(&mut self) -> &mut V {
        self.column.values_mut()
    }

    /// Notes that the values of an entry changed.
    #[inline]
    pub fn mark(&mut self, entry: u32) {
        self.column.mark(entry);
    }

    /// Whether entries expire.
    #[inline]
    pub fn expires(&self) -> bool {
        self.column.ttl().is_some()
    }

    /// Notes that an entry is used.
    #[inline]
    pub fn touch(&mut self, entry: u32, now: Timestamp) {
        self.column.touch(entry, now);
    }

    /// Whether an entry has expired and is still there.
    #[inline]
    pub fn is_expired(&self, entry: u32, now: Timestamp) -> bool {
        self.column.is_expired(entry, now)
    }

    /// Some of what has expired and is still there; see [`Ttl::sweep`].
    pub fn sweep(&mut self, now: Timestamp, rows: usize) -> Vec<u32> {
        self.column.sweep(now, rows)
    }

    /// When to call [`KeyedMap::sweep`] or [`KeyedMap::expire`] again at the latest.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.column.wake_at()
    }

    /// Removes some of what has expired, keys without entries too; `rows` as for [`Ttl::sweep`], `leaves` is told each entry before
    /// it is removed. Returns when to call this again at the latest.
    pub fn expire(&mut self, now: Timestamp, rows: usize, mut leaves: impl FnMut(u32)) -> Option<Timestamp> {
        let expired = self.sweep(now, rows);
        if !expired.is_empty() {
            for entry in expired {
                leaves(entry);
                self.remove(entry);
            }
            self.forget_keys();
        }
        self.wake_at()
    }

    /// How many rows an incremental snapshot would have now.
    pub fn pending(&self) -> usize {
        self.column.pending()
    }

    /// What changed since the last snapshot, or with `full` everything; nothing if nothing did. What is large comes in parts.
    ///
    /// # Errors
    /// If the columns cannot be built (one value of more than 2 GB).
    pub fn snapshot(&mut self, full: bool) -> Result<Vec<KeyedDelta>> {
        let mut deltas = Vec::new();
        self.index.snapshot(&mut self.column, full, &mut deltas)?;
        Ok(deltas)
    }

    /// The bytes of an entry with its key, beside those of numbers.
    pub fn bytes_of(&self, entry: u32) -> usize {
        self.index.bytes_of(self.key_of(entry)) + self.column.row_bytes(entry)
    }

    /// Entries in runs whose keys, rows and values fit into one batch.
    pub fn runs<'a>(&self, entries: &'a [u32]) -> Vec<&'a [u32]> {
        runs(entries, self.column.batch_bytes(), |entry| self.bytes_of(entry))
    }

    /// Batches hold about this many bytes instead of [`BATCH_BYTES`](flott_batch::bytes::BATCH_BYTES).
    pub fn set_batch_bytes(&mut self, bytes: usize) {
        self.column.set_batch_bytes(bytes);
    }

    /// Takes what a snapshot has of the map.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if the rows have other columns.
    pub fn restore(&mut self, restored: &mut RestoredState) -> Result<()> {
        self.index.restore(&mut self.column, restored)
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.index.memory() + self.column.memory()
    }
}
