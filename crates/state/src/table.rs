//! Keys with values.

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_types::{Result, Timestamp};

use crate::cut::runs;
use crate::spill::{TableMemory, WantedAt};
use crate::{
    KeyedDelta, NO_SLOT, OperatorSnapshot, RestoredState, RowColumn, SharedIndex, SingleRows, SlotColumns,
    StateColumn, Ttl,
};

/// A keyed table: an index of keys and one row of values for each of them, for an operator that has no other
/// state. The values may hold nested states over the same slots.
///
/// ```
/// # use std::sync::Arc;
/// # use arrow::array::{ArrayRef, StringArray};
/// # use arrow::datatypes::{DataType, Field, Int64Type};
/// # use flott_state::{KeyedTable, PrimitiveColumn};
/// # fn main() -> flott_types::Result<()> {
/// let key = Arc::new(Field::new("carrier", DataType::Utf8, true));
/// let count = PrimitiveColumn::<Int64Type>::new("count", 0);
/// let mut table = KeyedTable::new("aggregate", &[key], 1, 128, count)?;
/// let carriers: ArrayRef = Arc::new(StringArray::from(vec!["UA", "AA", "UA"]));
/// let mut slots = Vec::new();
/// table.intern(&[carriers], 3, &mut slots, |_, _| ())?;
/// for slot in &slots {
///     table.values_mut().values_mut()[*slot as usize] += 1;
/// }
/// table.mark_all(&slots);
/// let deltas = table.snapshot(false)?;
/// assert_eq!(deltas[0].rows.num_rows(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct KeyedTable<V> {
    index: SharedIndex,
    column: RowColumn<SingleRows<V>>,
    /// When keys are wanted, for an operator that says so.
    wanted: Option<WantedAt>,
    /// The slots whose keys the last call of [`KeyedTable::intern`] brought back into memory.
    fetched: Vec<u32>,
}

/// All states over the index.
fn states<'a, V: SlotColumns>(
    column: &'a mut RowColumn<SingleRows<V>>,
    wanted: &'a mut Option<WantedAt>,
) -> Vec<&'a mut dyn StateColumn> {
    let wanted = wanted.iter_mut().map(|wanted| wanted as &mut dyn StateColumn);
    std::iter::once(column as &mut dyn StateColumn).chain(wanted).collect()
}

impl<V: SlotColumns> KeyedTable<V> {
    /// An empty table. The first `partition_columns` of the keys decide the key group.
    ///
    /// # Errors
    /// If a type cannot be a key, or names repeat.
    pub fn new(
        name: &str,
        keys: &[FieldRef],
        partition_columns: usize,
        max_parallelism: u32,
        values: V,
    ) -> Result<Self> {
        let index = SharedIndex::new(keys, partition_columns, max_parallelism)?;
        let column = RowColumn::new(name, SingleRows(values));
        column.check_names(index.index())?;
        Ok(KeyedTable { index, column, wanted: None, fetched: Vec::new() })
    }

    /// Keys live this many milliseconds after their last use, or forever if that is not above 0.
    #[must_use]
    pub fn with_ttl(mut self, millis: i64) -> Self {
        self.column = self.column.with_coarse_ttl(millis, &self.index);
        self
    }

    /// The table's name in snapshots.
    pub fn name(&self) -> &str {
        self.column.name()
    }

    /// How many keys there are in memory.
    pub fn len(&self) -> usize {
        self.column.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && !self.index.has_spilled()
    }

    /// All slots are below this.
    pub fn slots_end(&self) -> usize {
        self.index.keys().slots_end()
    }

    /// The slots in use, ascending.
    pub fn live(&self) -> impl Iterator<Item = u32> + '_ {
        self.column.live()
    }

    /// Whether a slot is in use.
    pub fn is_live(&self, slot: u32) -> bool {
        self.column.is_live(slot)
    }

    /// Finds or creates the slot of each row's key, replacing what is in `slots`. New keys have initial
    /// values and count as changed; `on_new(slot, row)` is called for each.
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn intern(
        &mut self,
        keys: &[ArrayRef],
        rows: usize,
        slots: &mut Vec<u32>,
        mut on_new: impl FnMut(u32, usize),
    ) -> Result<()> {
        let KeyedTable { index, column, wanted, fetched } = self;
        let spilled = index.has_spilled();
        if spilled {
            fetched.clear();
            index.keys_mut().intern(keys, rows, slots, |slot, _| fetched.push(slot))?;
            index.fetch(&mut states(column, wanted), fetched)?;
            fetched.retain(|slot| column.is_live(*slot));
        } else {
            index.keys_mut().intern(keys, rows, slots, |slot, row| {
                column.values_mut().reset(slot);
                column.add(slot);
                on_new(slot, row);
            })?;
        }
        index.note_use(slots);
        if spilled || self.has_more_keys() {
            for (row, slot) in slots.iter().enumerate() {
                if self.column.add(*slot) {
                    self.column.values_mut().reset(*slot);
                    on_new(*slot, row);
                }
            }
        }
        Ok(())
    }

    /// The slots whose keys the last call of [`KeyedTable::intern`] brought back into memory: what an operator
    /// derives from their rows is to be derived again.
    pub fn fetched(&self) -> &[u32] {
        &self.fetched
    }

    /// Whether the index has keys without a row: removed ones that a snapshot must delete, and keys that only
    /// other states have.
    fn has_more_keys(&self) -> bool {
        self.index.keys().len() > self.column.len()
    }

    /// Finds the slot of each row's key, or [`NO_SLOT`], replacing what is in `slots`.
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn lookup(&mut self, keys: &[ArrayRef], rows: usize, slots: &mut Vec<u32>) -> Result<()> {
        self.index.lookup_with(keys, rows, slots, &mut states(&mut self.column, &mut self.wanted))?;
        if self.has_more_keys() {
            for slot in slots.iter_mut().filter(|slot| !self.column.is_live(**slot)) {
                *slot = NO_SLOT;
            }
        }
        Ok(())
    }

    /// Lets the keys that were not used for longest leave memory when the table exceeds its share of it. They
    /// come back when they are interned or looked up. After [`KeyedTable::with_ttl`]. Call
    /// [`KeyedTable::make_room`] from time to time, and take snapshots with [`KeyedTable::snapshot_into`].
    /// Without effect if values cannot be spilled.
    ///
    /// # Errors
    /// Only through a defect.
    pub fn with_spilling(mut self, memory: TableMemory) -> Result<Self> {
        let ttl = self.column.ttl().map(Ttl::millis);
        self.index.spill_with(&mut states(&mut self.column, &mut self.wanted), memory, ttl)?;
        Ok(self)
    }

    /// The same for an operator that says of each key when it [wants](KeyedTable::want) it, and fetches those whose
    /// time has come: they may have left memory.
    ///
    /// # Errors
    /// Only through a defect.
    pub fn with_spilling_until_wanted(mut self, memory: TableMemory) -> Result<Self> {
        self.wanted = Some(WantedAt::default());
        self.with_spilling(memory)
    }

    /// Whether keys may have left memory.
    #[inline]
    pub fn has_spilled(&self) -> bool {
        self.index.has_spilled()
    }

    /// Notes when the key in a slot is wanted, instead of what was noted before. That time must not be over.
    #[inline]
    pub fn want(&mut self, slot: u32, at: Timestamp) {
        if let Some(wanted) = &mut self.wanted {
            wanted.set(slot, at);
        }
    }

    /// When the key in a slot is wanted.
    pub fn wanted_at(&self, slot: u32) -> Option<Timestamp> {
        self.wanted.as_ref()?.get(slot)
    }

    /// Brings back some of the keys that are wanted by this time, and returns the slots of all of them that are in
    /// memory. They stay there until it is noted when they are wanted next, or they are removed.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn fetch_wanted(&mut self, until: Timestamp) -> Result<Vec<u32>> {
        let KeyedTable { index, column, wanted, .. } = self;
        index.fetch_due(WantedAt::STATE, &mut states(column, wanted), until)?;
        Ok(wanted.as_mut().map(|wanted| wanted.until(until)).unwrap_or_default())
    }

    /// Whether there may be keys that are wanted by this time and are not in memory.
    pub fn wants_more(&self, until: Timestamp) -> bool {
        self.index.first_due(WantedAt::STATE).is_some_and(|at| at <= until)
    }

    /// For a table whose keys cannot leave memory: what it holds is counted, and where nothing may leave memory,
    /// too much is an error. Call [`KeyedTable::make_room`] from time to time.
    ///
    /// # Errors
    /// Only through a defect.
    pub fn counted(mut self, memory: TableMemory) -> Result<Self> {
        self.index.count_with(memory)?;
        Ok(self)
    }

    /// Lets keys leave memory if the table holds too much. Call it after each batch: no slot is valid after
    /// it.
    ///
    /// # Errors
    /// If they cannot be written to the local disk, or there is no place for them but memory.
    pub fn make_room(&mut self) -> Result<()> {
        self.make_room_beside(|| 0)
    }

    /// Like [`KeyedTable::make_room`], where the operator holds so many bytes itself for the keys in the table.
    ///
    /// # Errors
    /// Those of [`KeyedTable::make_room`].
    pub fn make_room_beside(&mut self, derived: impl FnOnce() -> usize) -> Result<()> {
        if !self.index.wants_room() {
            return Ok(());
        }
        let KeyedTable { index, column, wanted, .. } = self;
        let of_wanted = wanted.as_ref().map_or(0, |wanted| wanted.memory());
        let held = column.memory() + of_wanted + derived();
        index.release(|slot| column.occupied(slot));
        index.make_room(&mut states(column, wanted), held)
    }

    /// The values.
    #[inline]
    pub fn values(&self) -> &V {
        self.column.values()
    }

    /// The values. Mark the slots whose values you change.
    #[inline]
    pub fn values_mut(&mut self) -> &mut V {
        self.column.values_mut()
    }

    /// The keys of slots as columns.
    ///
    /// # Errors
    /// Only if memory is exhausted or the table is damaged.
    pub fn keys_of(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.index.keys_of(slots)
    }

    /// Notes that the values of a slot changed.
    #[inline]
    pub fn mark(&mut self, slot: u32) {
        self.column.mark(slot);
    }

    /// Notes that the values of slots changed.
    pub fn mark_all(&mut self, slots: &[u32]) {
        self.column.mark_all(slots);
    }

    /// Whether keys expire.
    #[inline]
    pub fn expires(&self) -> bool {
        self.column.ttl().is_some()
    }

    /// Notes that a key is used.
    #[inline]
    pub fn touch(&mut self, slot: u32, now: Timestamp) {
        self.column.touch(slot, now);
    }

    /// Whether a key has expired and is still there.
    #[inline]
    pub fn is_expired(&self, slot: u32, now: Timestamp) -> bool {
        self.column.is_expired(slot, now)
    }

    /// Some of what has expired and is still there; see [`Ttl::sweep`].
    pub fn sweep(&mut self, now: Timestamp, rows: usize) -> Vec<u32> {
        let KeyedTable { index, column, wanted, .. } = self;
        let mut expired = index.sweep(&mut states(column, wanted), now, rows);
        expired.retain(|slot| column.is_expired(*slot, now));
        expired.append(&mut column.sweep(now, rows));
        expired.sort_unstable();
        expired.dedup();
        expired
    }

    /// The latest time to call [`KeyedTable::sweep`] or [`KeyedTable::expire`] again.
    pub fn wake_at(&self) -> Option<Timestamp> {
        [self.column.wake_at(), self.index.wake_at()].into_iter().flatten().min()
    }

    /// Removes some of what has expired; `rows` as for [`Ttl::sweep`]. Returns the latest time to call this
    /// again.
    pub fn expire(&mut self, now: Timestamp, rows: usize) -> Option<Timestamp> {
        self.sweep(now, rows).into_iter().for_each(|slot| self.remove(slot));
        self.wake_at()
    }

    /// Removes a key. Its slot may be reused, so remove keys when the batch's slots are no longer needed.
    pub fn remove(&mut self, slot: u32) {
        self.wanted.iter_mut().for_each(|wanted| wanted.unset(slot));
        if let Some(slot) = self.column.remove(slot) {
            self.index.free(slot, self.column.occupied(slot));
        }
    }

    /// How many rows an incremental snapshot would have now.
    pub fn pending(&self) -> usize {
        self.column.pending()
    }

    /// What changed since the last snapshot, or with `full` everything; nothing if nothing changed. Large
    /// snapshots come in parts. The states nested in the values come after the table itself. Not for a table
    /// that spills.
    ///
    /// # Errors
    /// If the columns cannot be built (one value of more than 2 GB).
    pub fn snapshot(&mut self, full: bool) -> Result<Vec<KeyedDelta>> {
        self.index.check_resident()?;
        let KeyedTable { index, column, .. } = self;
        let mut deltas = Vec::new();
        index.snapshot(column, full, &mut deltas)?;
        index.release(|slot| column.occupied(slot));
        Ok(deltas)
    }

    /// Adds what changed since the last snapshot, or with `full` everything, to a snapshot, with what is not
    /// in memory.
    ///
    /// # Errors
    /// Those of [`KeyedTable::snapshot`].
    pub fn snapshot_into(&mut self, full: bool, snapshot: &mut OperatorSnapshot) -> Result<()> {
        let KeyedTable { index, column, wanted, .. } = self;
        let mut deltas = Vec::new();
        index.snapshot(column, full, &mut deltas)?;
        snapshot.spilled.extend(index.spilled(&mut states(column, wanted), &deltas)?);
        index.release(|slot| column.occupied(slot));
        snapshot.keyed.append(&mut deltas);
        Ok(())
    }

    /// The size of a slot's key and values in bytes, not counting fixed-width columns.
    pub fn bytes_of(&self, slot: u32) -> usize {
        self.index.bytes_of(slot) + self.column.row_bytes(slot)
    }

    /// Cuts slots into runs whose keys and values fit into one batch.
    pub fn runs<'a>(&self, slots: &'a [u32]) -> Vec<&'a [u32]> {
        runs(slots, self.column.batch_bytes(), |slot| self.bytes_of(slot))
    }

    /// Sets the size of batches to about this many bytes instead of
    /// [`BATCH_BYTES`](flott_batch::bytes::BATCH_BYTES).
    pub fn set_batch_bytes(&mut self, bytes: usize) {
        self.column.set_batch_bytes(bytes);
    }

    /// Restores the table and the states nested in its values.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if the rows have other columns.
    pub fn restore(&mut self, restored: &mut RestoredState) -> Result<()> {
        self.index.grew();
        self.index.restore(&mut self.column, restored)
    }

    /// Call this before a restore in parts: rows without a time of their last use live from now on.
    pub fn begin(&self, now: Timestamp) {
        self.column.begin(now);
    }

    /// Restores the table part by part: what does not fit into memory leaves it before the next part is read.
    ///
    /// # Errors
    /// Those of [`KeyedTable::restore`] and [`KeyedTable::make_room`].
    pub fn restore_in_parts(&mut self, restored: &mut RestoredState, now: Timestamp) -> Result<()> {
        self.column.begin(now);
        loop {
            self.restore(restored)?;
            self.make_room()?;
            if !restored.next_part()? {
                return Ok(());
            }
        }
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.index.memory() + self.column.memory()
    }
}
