//! What a join remembers of one of its inputs.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{FieldRef, Int64Type};
use flott_batch::ChangeBatch;
use flott_plan::Schema;
use flott_state::{
    GroupedRows, KeyIndex, KeyedDelta, PrimitiveColumn, RestoredState, RowColumn, SharedIndex, SlotColumns,
    StateColumn,
};
use flott_types::{Error, Result, Timestamp};

use crate::keyed_columns::KeyedColumns;

/// How the side of a join is built.
pub(super) struct SideSpec<'a> {
    /// The table's name in snapshots.
    pub name: &'a str,
    pub input: &'a Schema,
    pub keys: &'a [usize],
    pub null_safe: &'a [bool],
    /// Whether the number of matches of each row is kept.
    pub counts_matches: bool,
    pub ttl: i64,
}

/// What is kept for each row.
pub(super) struct Counts {
    /// How often the row is present.
    count: PrimitiveColumn<Int64Type>,
    /// How many rows of the other side match it.
    matches: Option<PrimitiveColumn<Int64Type>>,
}

/// The rows of an input by the slots of their keys, each once, with its count. Both inputs share the keys.
pub(super) struct Side {
    columns: KeyedColumns,
    null_safe: Vec<bool>,
    rows: RowColumn<GroupedRows<Counts>>,
}

/// What happened to the rows of a batch.
#[derive(Default)]
pub(super) struct Absorbed {
    /// The entry of each row; empty if rows are not kept.
    pub entries: Vec<u32>,
    /// For each row: how many matches its entry had, if the entry was there before; otherwise -1.
    pub known: Vec<i64>,
    /// Rows that retract a missing row.
    pub ignored: Vec<bool>,
}

impl Absorbed {
    /// For rows that are not kept.
    pub fn let_through(rows: usize) -> Self {
        Absorbed { entries: Vec::new(), known: vec![-1; rows], ignored: vec![false; rows] }
    }
}

impl Side {
    pub fn new(spec: &SideSpec<'_>) -> Result<Self> {
        let columns = KeyedColumns::new(spec.input, spec.keys, &[])?;
        let (keys, rows) = columns.fields();
        let counts = Counts {
            count: PrimitiveColumn::new("$count", 0),
            matches: spec.counts_matches.then(|| PrimitiveColumn::new("$matches", 0)),
        };
        let rows = RowColumn::new(spec.name, GroupedRows::new(rows, None, counts)?);
        let rows = rows.with_ttl_beside(spec.ttl, keys);
        Ok(Side { rows, columns, null_safe: spec.null_safe.to_vec() })
    }

    /// The key's columns, under this input's names.
    pub fn key_fields(&self) -> &[FieldRef] {
        self.columns.fields().0
    }

    /// Whether it has, or had at the last snapshot, rows with a key.
    pub fn occupied(&self, key: u32) -> bool {
        self.rows.occupied(key)
    }

    pub fn restore(&mut self, index: &mut SharedIndex, restored: &mut RestoredState) -> Result<()> {
        let Side { columns, rows, .. } = self;
        index.restore_as(columns.fields().0, rows, restored)
    }

    pub fn snapshot(
        &mut self,
        index: &mut SharedIndex,
        full: bool,
        into: &mut Vec<KeyedDelta>,
    ) -> Result<()> {
        let Side { columns, rows, .. } = self;
        index.snapshot_as(columns.fields().0, rows, full, into)
    }

    /// Removes some of the expired rows; `number` is how many rows have arrived. Returns the latest time to
    /// call this again.
    pub fn expire(&mut self, now: Timestamp, number: usize, freed: &mut Vec<u32>) -> Option<Timestamp> {
        self.rows.tidy(now, number, freed);
        self.rows.wake_at()
    }

    pub fn key_columns(&self, batch: &ChangeBatch) -> Vec<ArrayRef> {
        self.columns.keys(batch.columns().columns())
    }

    /// The rows that can match at all: those without NULL in a key that is compared with `=`. `None` means
    /// all of them.
    pub fn joinable(&self, keys: &[ArrayRef]) -> Option<BooleanBuffer> {
        let plain = keys.iter().zip(&self.null_safe).filter(|(_, null_safe)| !**null_safe);
        let nulls = plain.fold(None, |nulls, (key, _)| union(nulls, key.as_ref()));
        nulls.filter(|nulls| nulls.null_count() > 0).map(|nulls| nulls.inner().clone())
    }

    /// Adds the rows of a batch to the counts, or subtracts them. Rows that are gone stay until
    /// [`Side::forget`].
    pub fn absorb(&mut self, batch: &ChangeBatch, keys: &[u32], now: Timestamp) -> Result<Absorbed> {
        let rows = batch.physical_rows();
        let rest = self.columns.rest(batch.columns().columns());
        let mut absorbed = Absorbed::default();
        let mut fresh = Vec::new();
        self.rows.intern(keys, &rest, &mut absorbed.entries, |entry, _| fresh.push(entry))?;
        absorbed.known.reserve(rows);
        absorbed.ignored.reserve(rows);
        fresh.sort_unstable();
        for (row, entry) in absorbed.entries.iter().copied().enumerate() {
            let at = entry as usize;
            let mut is_new = !fresh.is_empty() && fresh.binary_search(&entry).is_ok();
            if !is_new && self.rows.is_expired(entry, now) {
                self.rows.values_mut().count.values_mut()[at] = 0;
                is_new = true;
            }
            self.rows.touch(entry, now);
            let values = self.rows.values_mut();
            let known =
                values.matches.as_ref().filter(|_| !is_new).map_or(-1, |matches| matches.values()[at]);
            let count = &mut values.count.values_mut()[at];
            let adds = batch.kind(row).is_addition();
            let ignored = !adds && *count <= 0;
            if !ignored {
                *count += if adds { 1 } else { -1 };
                self.rows.mark(entry);
            }
            absorbed.known.push(known);
            absorbed.ignored.push(ignored);
        }
        Ok(absorbed)
    }

    /// How many entries a key has.
    #[inline]
    pub fn len_of(&self, key: u32) -> usize {
        self.rows.len_of(key)
    }

    #[inline]
    pub fn nth(&self, key: u32, position: usize, now: Timestamp) -> Option<u32> {
        let entry = self.rows.nth(key, position)?;
        (!self.rows.is_expired(entry, now) && self.count(entry) > 0).then_some(entry)
    }

    #[inline]
    pub fn count(&self, entry: u32) -> i64 {
        self.rows.values().count.values()[entry as usize]
    }

    /// How many matches a row has, if that is kept.
    pub fn matches(&self, entry: u32) -> i64 {
        self.rows.values().matches.as_ref().map_or(0, |matches| matches.values()[entry as usize])
    }

    /// All rows.
    pub fn live(&self) -> Vec<u32> {
        self.rows.live().collect()
    }

    /// Removes a row.
    pub fn remove(&mut self, entry: u32, freed: &mut Vec<u32>) {
        if self.rows.is_live(entry) {
            freed.extend(self.rows.remove(entry));
        }
    }

    /// The size of a row in bytes, not counting fixed-width columns.
    pub fn bytes_of(&self, index: &SharedIndex, entry: u32) -> usize {
        index.bytes_of(self.rows.key_of(entry)) + self.rows.row_bytes(entry)
    }

    /// Sets how many matches a row has.
    pub fn set_matches(&mut self, entry: u32, number: i64) {
        if let Some(matches) = &mut self.rows.values_mut().matches {
            let old = std::mem::replace(&mut matches.values_mut()[entry as usize], number);
            if old != number {
                self.rows.mark(entry);
            }
        }
    }

    /// Adds or removes one match; returns the number before and after.
    #[inline]
    pub fn add_match(&mut self, entry: u32, delta: i64, now: Timestamp) -> (i64, i64) {
        if self.rows.values().matches.is_none() {
            return (0, 0);
        }
        self.rows.touch(entry, now);
        let Some(matches) = &mut self.rows.values_mut().matches else { return (0, 0) };
        let number = &mut matches.values_mut()[entry as usize];
        let before = *number;
        *number = (before + delta).max(0);
        let after = *number;
        self.rows.mark(entry);
        (before, after)
    }

    /// The rows of entries, as they arrived.
    pub fn rows_of(&self, keys: &KeyIndex, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        let slots = || entries.iter().map(|entry| self.rows.key_of(*entry)).collect::<Vec<_>>();
        self.columns.reassemble(self.rows.rows_of(entries)?, || keys.keys_of(&slots()))
    }

    /// Removes the rows of a batch that are gone.
    pub fn forget(&mut self, absorbed: &Absorbed, freed: &mut Vec<u32>) {
        for entry in &absorbed.entries {
            if self.rows.is_live(*entry) && self.count(*entry) == 0 {
                freed.extend(self.rows.remove(*entry));
            }
        }
    }
}

/// Includes NULLs in fields of a ROW, because `=` compares field by field.
fn union(nulls: Option<NullBuffer>, key: &dyn Array) -> Option<NullBuffer> {
    let nulls = NullBuffer::union(nulls.as_ref(), key.logical_nulls().as_ref());
    match key.as_struct_opt() {
        Some(row) => row.columns().iter().fold(nulls, |nulls, field| union(nulls, field.as_ref())),
        None => nulls,
    }
}

impl SlotColumns for Counts {
    fn fields(&self) -> Vec<FieldRef> {
        let mut fields = self.count.fields();
        fields.extend(self.matches.iter().flat_map(|matches| matches.fields()));
        fields
    }

    fn reset(&mut self, slot: u32) {
        self.count.reset(slot);
        self.matches.iter_mut().for_each(|matches| matches.reset(slot));
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = self.count.read(slots)?;
        if let Some(matches) = &self.matches {
            columns.append(&mut matches.read(slots)?);
        }
        Ok(columns)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let mut columns = columns.iter().map(std::slice::from_ref);
        let mut next = || columns.next().ok_or_else(|| Error::internal("too few columns of a join's side"));
        self.count.write(slots, next()?)?;
        if let Some(matches) = &mut self.matches {
            matches.write(slots, next()?)?;
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        self.count.memory() + self.matches.as_ref().map_or(0, SlotColumns::memory)
    }
}
