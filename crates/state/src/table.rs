//! Keys with values.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::FieldRef;
use flott_types::Result;

use crate::cut::runs;
use crate::layout::{Columns, Layout, Restored};
use crate::{DirtySlots, KeyIndex, KeyedDelta, NO_SLOT, SlotColumns};

/// A keyed table: an index of keys, the operator's columns of values, and what changed since the last snapshot.
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
    layout: Layout,
    index: KeyIndex,
    values: V,
    changes: DirtySlots,
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
        Ok(KeyedTable {
            layout: Layout::new(name, keys, partition_columns, values.fields(), max_parallelism)?,
            index: KeyIndex::new(keys)?,
            values,
            changes: DirtySlots::default(),
        })
    }

    /// The name under which snapshots know the table.
    pub fn name(&self) -> &str {
        &self.layout.name
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.index.len() - self.changes.dead()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All slots are below this.
    pub fn slots_end(&self) -> usize {
        self.index.slots_end()
    }

    /// The slots in use, ascending.
    pub fn live(&self) -> impl Iterator<Item = u32> + '_ {
        self.index.live().filter(|slot| !self.changes.is_dead(*slot))
    }

    /// Whether a slot is in use.
    pub fn is_live(&self, slot: u32) -> bool {
        self.index.is_live(slot) && !self.changes.is_dead(slot)
    }

    /// Finds or makes the slot of each row's key, replacing what is in `slots`. New keys have initial values and
    /// count as changed; `on_new(slot, row)` is called for each.
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
        let KeyedTable { index, values, changes, .. } = self;
        index.intern(keys, rows, slots, |slot, row| {
            values.reset(slot);
            changes.mark(slot);
            on_new(slot, row);
        })?;
        if changes.dead() > 0 {
            for (row, slot) in slots.iter().enumerate() {
                if changes.revive(*slot) {
                    values.reset(*slot);
                    on_new(*slot, row);
                }
            }
        }
        Ok(())
    }

    /// Finds the slot of each row's key, or [`NO_SLOT`], replacing what is in `slots`.
    ///
    /// # Errors
    /// If the columns are not of the key's types.
    pub fn lookup(&mut self, keys: &[ArrayRef], rows: usize, slots: &mut Vec<u32>) -> Result<()> {
        self.index.lookup(keys, rows, slots)?;
        if self.changes.dead() > 0 {
            for slot in slots.iter_mut().filter(|slot| self.changes.is_dead(**slot)) {
                *slot = NO_SLOT;
            }
        }
        Ok(())
    }

    /// The values.
    pub fn values(&self) -> &V {
        &self.values
    }

    /// The values. Mark the slots whose values you change.
    pub fn values_mut(&mut self) -> &mut V {
        &mut self.values
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
        self.changes.mark(slot);
    }

    /// Notes that the values of slots changed.
    pub fn mark_all(&mut self, slots: &[u32]) {
        self.changes.mark_all(slots);
    }

    /// Removes a key. Its slot may be given out again, so remove when the batch's slots are no longer needed.
    pub fn remove(&mut self, slot: u32) {
        if self.is_live(slot) {
            self.values.reset(slot);
            if self.changes.remove(slot) {
                self.index.remove(slot);
            }
        }
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
        let changes = self.changes.take(full, self.index.live());
        let deltas = self.layout.deltas(&changes, full, self)?;
        changes.deleted.iter().for_each(|slot| self.index.remove(*slot));
        Ok(deltas)
    }

    /// The bytes of a slot's key and values, beside those of numbers.
    pub fn bytes_of(&self, slot: u32) -> usize {
        self.key_bytes(slot) + self.value_bytes(slot)
    }

    /// Slots in runs whose keys and values fit into one batch.
    pub fn runs<'a>(&self, slots: &'a [u32]) -> Vec<&'a [u32]> {
        runs(slots, self.layout.batch_bytes, |slot| self.bytes_of(slot))
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
        let mut slots = Vec::new();
        for (at, batch) in batches.into_iter().enumerate() {
            let Restored { columns, complete } = self.layout.columns_of(&batch, at == 0)?;
            let (keys, values) = columns.split_at(self.layout.key_columns);
            self.intern(keys, batch.num_rows(), &mut slots, |_, _| ())?;
            self.values.write(&slots, values)?;
            slots.iter().for_each(|slot| self.changes.restored(*slot));
            if !complete {
                self.changes.mark_all(&slots);
            }
        }
        Ok(())
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.index.memory() + self.values.memory() + self.changes.memory()
    }
}

impl<V: SlotColumns> Columns for KeyedTable<V> {
    fn keys(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.index.keys_of(slots)
    }

    fn values(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.values.read(slots)
    }

    fn key_bytes(&self, slot: u32) -> usize {
        self.index.bytes_of(slot)
    }

    fn value_bytes(&self, slot: u32) -> usize {
        self.values.bytes_of(slot)
    }
}
