//! What every state needs apart from its data. See the header of `column.rs`.

mod evict;
mod read;
mod single;
mod spill;
mod stamped;
mod write;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use flott_batch::bytes::BATCH_BYTES;
use flott_types::{Error, Result, Timestamp};

pub use read::{Stored, StoredRows};
pub use single::SingleRows;
pub(crate) use single::same_types;
pub use spill::RowSpill;
use stamped::WithStamps;
pub use write::{RowSource, RowWriter};

use crate::bits::Bits;
use crate::spill::{Fetched, Spilled, SpilledTable};
use crate::{
    Changes, DirtySlots, Index, KeyedDelta, Migration, RestoredState, SharedIndex, StateColumn, Ttl,
};

/// The data of a state whose rows are numbered: what [`RowColumn`] must know of it.
pub trait Rows: RowSource<Row = u32> + Send + 'static {
    /// Whether a slot has rows here, or something in the states nested in its values. `is_there` returns
    /// whether a row is there, including removed rows that a snapshot must delete.
    fn occupies(&self, slot: u32, is_there: impl Fn(u32) -> bool) -> bool;

    /// Inserts rows of a snapshot. Returns their numbers, and how the stored type differed, if it did.
    ///
    /// # Errors
    /// If they are of types that cannot be read.
    fn restore(&mut self, stored: StoredRows) -> Result<(Vec<u32>, Option<Migration>)>;

    /// Forgets the values of a row that is removed. What identifies the row stays until [`Rows::forget`].
    fn clear(&mut self, row: u32);

    /// Forgets a row for good. Returns whether it may have been the last one of its key.
    fn forget(&mut self, row: u32) -> bool;

    /// Restores the states nested in the values. What belongs to rows that are not live is dropped.
    ///
    /// # Errors
    /// Those of [`StateColumn::restore`].
    fn restore_states(
        &mut self,
        index: &mut dyn Index,
        restored: &mut RestoredState,
        is_live: &dyn Fn(u32) -> bool,
    ) -> Result<()> {
        let _ = (index, restored, is_live);
        Ok(())
    }

    /// Takes what changed in the states nested in the values, like [`StateColumn::snapshot`].
    ///
    /// # Errors
    /// Those of [`StateColumn::snapshot`].
    fn snapshot_states(
        &mut self,
        index: &dyn Index,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let _ = (index, full, freed, into);
        Ok(())
    }

    /// See [`StateColumn::warm`].
    fn warm(&self, slots: &[u32]) -> usize {
        let _ = slots;
        0
    }

    /// Whether rows can leave memory and come back.
    fn can_spill(&mut self) -> bool {
        false
    }

    /// Adds the rows of a key that are there, and perhaps others, to `into`.
    fn rows_of(&self, slot: u32, into: &mut Vec<u32>) {
        let _ = (slot, into);
    }

    /// Whether the rows of a key can leave memory. `is_dead` returns whether a row is removed and waits for a
    /// snapshot: such a row can leave if it is among [`Rows::rows_of`], and can still be encoded.
    fn is_settled(&self, slot: u32, is_dead: impl Fn(u32) -> bool) -> bool {
        let _ = (slot, is_dead);
        false
    }

    /// Calls `each` with the states nested in the values, if they are over the slots of the keys.
    ///
    /// # Errors
    /// Those of `each`.
    fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
        let _ = each;
        Ok(())
    }

    /// The bytes of memory that it holds.
    fn memory(&self) -> usize;
}

/// A state: its data, which rows exist and which changed, and how long they live.
///
/// Cost of a record, apart from the data: one bit test for a row that changes.
pub struct RowColumn<R> {
    name: String,
    rows: R,
    live: Bits,
    changes: DirtySlots,
    ttl: Option<Ttl>,
    migration: Option<Migration>,
    /// The snapshot's files have other columns, so the next snapshot replaces them.
    rewrite: bool,
    batch_bytes: usize,
    /// Encodes rows that leave memory, if they can.
    codec: Option<Box<RowSpill>>,
}

impl<R: Rows> RowColumn<R> {
    /// An empty state with this name.
    pub fn new(name: &str, rows: R) -> Self {
        RowColumn {
            name: name.to_owned(),
            rows,
            live: Bits::default(),
            changes: DirtySlots::default(),
            ttl: None,
            migration: None,
            rewrite: false,
            batch_bytes: BATCH_BYTES,
            codec: None,
        }
    }

    /// Makes rows expire, if there is a time to live.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Option<Ttl>) -> Self {
        self.ttl = ttl;
        self
    }

    /// Rows live this many milliseconds after their last use, or forever if that is not above 0. `index` is
    /// that of their keys.
    #[must_use]
    pub fn with_coarse_ttl(self, millis: i64, index: &SharedIndex) -> Self {
        self.with_ttl_beside(millis, &index.fields())
    }

    /// Like [`RowColumn::with_coarse_ttl`], for keys whose columns have these names in snapshots.
    #[must_use]
    pub fn with_ttl_beside(self, millis: i64, keys: &[FieldRef]) -> Self {
        let ttl = Ttl::coarse(millis, &[keys, &self.rows.key_fields(), &self.rows.value_fields()].concat());
        self.with_ttl(ttl)
    }

    /// Fails if two columns of the state would have one name.
    pub(crate) fn check_names(&self, index: &dyn Index) -> Result<()> {
        let own = [index.fields(), self.rows.key_fields(), self.value_fields()].concat();
        for (at, field) in own.iter().enumerate() {
            if own[..at].iter().any(|other| other.name() == field.name()) {
                let (state, column) = (&self.name, field.name());
                return Err(Error::internal(format!("state '{state}' has two columns '{column}'")));
            }
        }
        Ok(())
    }

    fn value_fields(&self) -> Vec<FieldRef> {
        let mut fields = self.rows.value_fields();
        fields.extend(self.ttl.as_ref().map(Ttl::field));
        fields
    }

    /// The data.
    #[inline]
    pub fn rows(&self) -> &R {
        &self.rows
    }

    /// The data. Report what becomes of its rows.
    #[inline]
    pub fn rows_mut(&mut self) -> &mut R {
        &mut self.rows
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.live.ones()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a row is there.
    #[inline]
    pub fn is_live(&self, row: u32) -> bool {
        self.live.get(row)
    }

    /// The rows that are there, ascending.
    pub fn live(&self) -> impl Iterator<Item = u32> + '_ {
        self.live.iter()
    }

    /// Whether the last snapshot has a row, even if it was changed or removed since.
    pub fn is_persisted(&self, row: u32) -> bool {
        self.changes.is_persisted(row)
    }

    /// Notes that a row is there. Returns whether it is new.
    #[inline]
    pub fn add(&mut self, row: u32) -> bool {
        if !self.live.set(row) {
            return false;
        }
        if !self.changes.revive(row) {
            self.changes.mark(row);
        }
        true
    }

    /// Notes that the values of a row changed.
    #[inline]
    pub fn mark(&mut self, row: u32) {
        self.changes.mark(row);
    }

    /// Notes that the values of rows changed.
    pub fn mark_all(&mut self, rows: &[u32]) {
        self.changes.mark_all(rows);
    }

    /// Removes a row. Returns the slot of its key if that may have been the last row of it. A row that is in
    /// the last snapshot stays until the next one.
    pub fn remove(&mut self, row: u32) -> Option<u32> {
        if !self.live.unset(row) {
            return None;
        }
        self.rows.clear(row);
        self.ttl.iter_mut().for_each(|ttl| ttl.unset(row));
        if !self.changes.remove(row) {
            return None;
        }
        let slot = self.rows.slot_of(row);
        self.rows.forget(row).then_some(slot)
    }

    /// How many rows an incremental snapshot would have now.
    pub fn pending(&self) -> usize {
        if self.rewrite { self.len() } else { self.changes.pending() }
    }

    /// The time to live.
    #[inline]
    pub fn ttl(&self) -> Option<&Ttl> {
        self.ttl.as_ref()
    }

    /// Call this before a restore after which rows may leave memory: those without a stamp live from now on.
    pub fn begin(&self, now: Timestamp) {
        self.ttl.iter().for_each(|ttl| ttl.begin(now));
    }

    /// Notes that a row is used.
    #[inline]
    pub fn touch(&mut self, row: u32, now: Timestamp) {
        if let Some(ttl) = &mut self.ttl
            && ttl.touch(row, now)
        {
            self.changes.mark(row);
        }
    }

    /// Whether a row has expired, even if it is still there.
    #[inline]
    pub fn is_expired(&self, row: u32, now: Timestamp) -> bool {
        self.ttl.as_ref().is_some_and(|ttl| ttl.is_expired(row, now))
    }

    /// Notes that a row is read; returns whether it is visible.
    #[inline]
    pub fn is_visible(&self, row: u32, now: Timestamp) -> bool {
        self.ttl.as_ref().is_none_or(|ttl| ttl.read(row, now))
    }

    /// Some of the rows that have expired and are still there; see [`Ttl::sweep`]. Those that are not removed
    /// will be returned again.
    pub fn sweep(&mut self, now: Timestamp, rows: usize) -> Vec<u32> {
        let mut expired = Vec::new();
        self.ttl.iter_mut().for_each(|ttl| ttl.sweep(now, rows, &mut expired));
        expired
    }

    /// Marks the rows whose time to live was extended by reads: their stamps must be written.
    fn note_reads(&mut self) {
        let touched = self.ttl.as_mut().map(Ttl::take_touched);
        for row in touched.into_iter().flatten().filter(|row| self.live.get(*row)) {
            self.changes.mark(row);
        }
    }

    /// Sets the size of batches to about this many bytes instead of [`BATCH_BYTES`].
    pub fn set_batch_bytes(&mut self, bytes: usize) {
        self.batch_bytes = bytes;
    }

    pub(crate) fn batch_bytes(&self) -> usize {
        self.batch_bytes
    }

    /// The size in bytes of a row's own key and values, not counting fixed-width columns.
    pub fn row_bytes(&self, row: u32) -> usize {
        self.rows.key_bytes(row) + self.rows.value_bytes(row)
    }
}

impl<R: Rows> StateColumn for RowColumn<R> {
    fn name(&self) -> &str {
        &self.name
    }

    fn occupied(&self, slot: u32) -> bool {
        self.rows.occupies(slot, |row| self.live.get(row) || self.changes.is_dead(row))
    }

    fn restore(&mut self, index: &mut dyn Index, restored: &mut RestoredState) -> Result<()> {
        let RowColumn { name, rows, live, changes, ttl, migration, rewrite, .. } = self;
        let (keys, mut values) = (rows.key_fields(), rows.value_fields());
        values.extend(ttl.as_ref().map(Ttl::field));
        StoredRows::take(name, &keys, &values, index, restored, |mut stored| {
            let stamps = if ttl.is_some() { stored.values.pop() } else { None };
            let complete = stored.complete;
            let (numbers, migrated) = rows.restore(stored)?;
            *rewrite |= migrated.is_some() || !complete;
            *migration = migration.take().or(migrated);
            for row in &numbers {
                live.set(*row);
                changes.restored(*row);
            }
            match (ttl.as_mut(), stamps) {
                (Some(ttl), Some(stamps)) => ttl.restore(&numbers, stamps),
                _ => Ok(()),
            }
        })?;
        rows.restore_states(index, restored, &|row| live.get(row))
    }

    fn snapshot(
        &mut self,
        index: &dyn Index,
        full: bool,
        freed: &mut Vec<u32>,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        self.note_reads();
        let RowColumn { name, rows, live, changes, ttl, rewrite, .. } = self;
        let all = full | std::mem::take(rewrite);
        let left_out = |row: &u32| ttl.as_ref().is_some_and(|ttl| ttl.is_left_out(*row));
        let Changes { changed, deleted } = changes.take(all, live.iter().filter(|row| !left_out(row)));
        let source = WithStamps { rows, ttl: ttl.as_ref() };
        let writer = RowWriter::new(name, index, &source).with_batch_bytes(self.batch_bytes);
        writer
            .write(&changed, &deleted, all, into)
            .map_err(|error| error.context(format_args!("state '{name}'")))?;
        for row in deleted {
            let slot = rows.slot_of(row);
            if rows.forget(row) {
                freed.push(slot);
            }
        }
        rows.snapshot_states(index, full, freed, into)
    }

    fn warm(&self, slots: &[u32]) -> usize {
        self.rows.warm(slots)
    }

    fn tidy(&mut self, now: Timestamp, rows: usize, freed: &mut Vec<u32>) {
        for row in self.sweep(now, rows) {
            freed.extend(self.remove(row));
        }
        self.note_reads();
    }

    fn wake_at(&self) -> Option<Timestamp> {
        self.ttl.as_ref().and_then(Ttl::wake_at)
    }

    fn enable_spilling(&mut self) -> bool {
        self.enable_eviction()
    }

    fn retain_settled(&mut self, slots: &mut Vec<u32>) -> Result<()> {
        self.retain_evictable(slots)
    }

    fn expiry(&self, slot: u32) -> Timestamp {
        self.last_expiry(slot)
    }

    fn time_to_live(&self) -> Option<i64> {
        self.ttl.as_ref().filter(|ttl| ttl.is_swept()).map(Ttl::millis)
    }

    fn drop_expired(&mut self, slots: &[u32], now: Timestamp, freed: &mut Vec<u32>) {
        let mut rows = Vec::new();
        slots.iter().for_each(|slot| self.rows.rows_of(*slot, &mut rows));
        rows.retain(|row| self.is_expired(*row, now));
        freed.extend(rows.into_iter().filter_map(|row| self.remove(row)));
    }

    fn spill(&mut self, slots: &[u32], into: &mut Spilled<'_>) -> Result<()> {
        self.evict(slots, into)
    }

    fn leave(&mut self, slots: &[u32]) -> Result<()> {
        self.forget_evicted(slots)
    }

    fn fetch(&mut self, from: &Fetched<'_>) -> Result<()> {
        self.take_back(from)
    }

    fn describe(&mut self, index: &dyn Index, into: &mut Vec<SpilledTable>) -> Result<()> {
        self.describe_evicted(index, into)
    }

    fn migration(&self) -> Option<&Migration> {
        self.migration.as_ref()
    }

    fn memory(&self) -> usize {
        let ttl = self.ttl.as_ref().map_or(0, Ttl::memory);
        let codec = self.codec.as_ref().map_or(0, |codec| codec.memory());
        self.rows.memory() + self.live.memory() + self.changes.memory() + ttl + codec
    }
}

impl<R> fmt::Debug for RowColumn<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowColumn({}, {} rows)", self.name, self.live.ones())
    }
}

/// Key of a restored batch's schema metadata: how many of its columns are the key.
pub(crate) const KEYS: &str = "flott.keys";

/// Key of a field's metadata: a snapshot may lack the column, and its values are NULL then. Not written into
/// snapshots.
const HAS_DEFAULT: &str = "flott.default";

/// Marks a field as one that a snapshot may lack; its values are NULL then.
pub fn with_default(field: &FieldRef) -> FieldRef {
    let mut metadata = field.metadata().clone();
    metadata.insert(HAS_DEFAULT.to_owned(), String::new());
    Arc::new(Field::clone(field).with_metadata(metadata))
}

fn is_default(field: &Field) -> bool {
    field.metadata().contains_key(HAS_DEFAULT)
}

/// Removes the mark; returns whether it was there.
fn has_default(field: &mut Field) -> bool {
    field.metadata_mut().remove(HAS_DEFAULT).is_some()
}
