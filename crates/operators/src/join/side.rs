//! What a join remembers of one of its inputs.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{FieldRef, Int64Type};
use flott_batch::ChangeBatch;
use flott_plan::Schema;
use flott_state::{KeyedMap, MapSpec, PrimitiveColumn, SlotColumns};
use flott_types::{Error, Result, Timestamp};

use crate::BuildContext;
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

/// What is kept beside each row.
pub(super) struct Counts {
    /// How often the row is there.
    count: PrimitiveColumn<Int64Type>,
    /// How many rows of the other side match it.
    matches: Option<PrimitiveColumn<Int64Type>>,
}

/// The rows of an input by key, each once, with its count.
pub(super) struct Side {
    columns: KeyedColumns,
    null_safe: Vec<bool>,
    map: KeyedMap<Counts>,
    slots: Vec<u32>,
}

/// What became of the rows of a batch.
#[derive(Default)]
pub(super) struct Absorbed {
    /// The entry of each row.
    pub entries: Vec<u32>,
    /// For each row whose entry was there before: how many matches it had. Otherwise -1.
    pub known: Vec<i64>,
    /// Rows that take away what is not there.
    pub ignored: Vec<bool>,
}

impl Side {
    pub fn new(spec: &SideSpec<'_>, context: &BuildContext) -> Result<Self> {
        let columns = KeyedColumns::new(spec.input, spec.keys, &[])?;
        let (keys, rows) = columns.fields();
        let map = MapSpec {
            name: spec.name,
            keys,
            partition_columns: keys.len(),
            rows,
            order: None,
            max_parallelism: context.max_parallelism,
        };
        let counts = Counts {
            count: PrimitiveColumn::new("$count", 0),
            matches: spec.counts_matches.then(|| PrimitiveColumn::new("$matches", 0)),
        };
        Ok(Side {
            map: KeyedMap::new(&map, counts)?.with_ttl(spec.ttl),
            columns,
            null_safe: spec.null_safe.to_vec(),
            slots: Vec::new(),
        })
    }

    pub fn map(&mut self) -> &mut KeyedMap<Counts> {
        &mut self.map
    }

    pub fn key_columns(&self, batch: &ChangeBatch) -> Vec<ArrayRef> {
        self.columns.keys(batch.columns().columns())
    }

    /// The rows that can match at all: those without NULL in a key that is compared with `=`. `None` for all of them.
    pub fn joinable(&self, keys: &[ArrayRef]) -> Option<BooleanBuffer> {
        let plain = keys.iter().zip(&self.null_safe).filter(|(_, null_safe)| !**null_safe);
        let nulls = plain.fold(None, |nulls, (key, _)| union(nulls, key.as_ref()));
        nulls.filter(|nulls| nulls.null_count() > 0).map(|nulls| nulls.inner().clone())
    }

    /// Counts the rows of a batch in and out. Rows that are gone stay until [`Side::forget`].
    pub fn absorb(&mut self, batch: &ChangeBatch, keys: &[ArrayRef], now: Timestamp) -> Result<Absorbed> {
        let rows = batch.physical_rows();
        self.map.intern_keys(keys, rows, &mut self.slots, |_, _| ())?;
        let rest = self.columns.rest(batch.columns().columns());
        let mut absorbed = Absorbed::default();
        let mut fresh = Vec::new();
        self.map.intern(&self.slots, &rest, &mut absorbed.entries, |entry, _| fresh.push(entry))?;
        absorbed.known.reserve(rows);
        absorbed.ignored.reserve(rows);
        fresh.sort_unstable();
        for (row, entry) in absorbed.entries.iter().copied().enumerate() {
            let at = entry as usize;
            let mut is_new = !fresh.is_empty() && fresh.binary_search(&entry).is_ok();
            if !is_new && self.map.is_expired(entry, now) {
                self.map.values_mut().count.values_mut()[at] = 0;
                is_new = true;
            }
            self.map.touch(entry, now);
            let values = self.map.values_mut();
            let known =
                values.matches.as_ref().filter(|_| !is_new).map_or(-1, |matches| matches.values()[at]);
            let count = &mut values.count.values_mut()[at];
            let adds = batch.kind(row).is_addition();
            let ignored = !adds && *count <= 0;
            if !ignored {
                *count += if adds { 1 } else { -1 };
                self.map.mark(entry);
            }
            absorbed.known.push(known);
            absorbed.ignored.push(ignored);
        }
        Ok(absorbed)
    }

    /// The slot of each key, as it was when last interned here.
    pub fn probe(&mut self, keys: &[ArrayRef], rows: usize, slots: &mut Vec<u32>) -> Result<()> {
        self.map.lookup_keys(keys, rows, slots)
    }

    /// How many entries a key has, and how often the one at a position is there (0 when it expired).
    #[inline]
    pub fn len_of(&self, key: u32) -> usize {
        self.map.len_of(key)
    }

    #[inline]
    pub fn nth(&self, key: u32, position: usize, now: Timestamp) -> Option<u32> {
        let entry = self.map.nth(key, position)?;
        (!self.map.is_expired(entry, now) && self.count(entry) > 0).then_some(entry)
    }

    #[inline]
    pub fn count(&self, entry: u32) -> i64 {
        self.map.values().count.values()[entry as usize]
    }

    /// The bytes of a row, beside those of numbers.
    pub fn bytes_of(&self, entry: u32) -> usize {
        self.map.bytes_of(entry)
    }

    /// Sets how many matches a row has.
    pub fn set_matches(&mut self, entry: u32, number: i64) {
        if let Some(matches) = &mut self.map.values_mut().matches {
            let old = std::mem::replace(&mut matches.values_mut()[entry as usize], number);
            if old != number {
                self.map.mark(entry);
            }
        }
    }

    /// One match more or less; the number before and after.
    #[inline]
    pub fn add_match(&mut self, entry: u32, delta: i64, now: Timestamp) -> (i64, i64) {
        if self.map.values().matches.is_none() {
            return (0, 0);
        }
        self.map.touch(entry, now);
        let Some(matches) = &mut self.map.values_mut().matches else { return (0, 0) };
        let number = &mut matches.values_mut()[entry as usize];
        let before = *number;
        *number = (before + delta).max(0);
        let after = *number;
        self.map.mark(entry);
        (before, after)
    }

    /// The rows of entries, as they came in.
    pub fn rows_of(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        self.columns.rows_of(&self.map, entries)
    }

    /// Lets go of the rows of a batch that are gone.
    pub fn forget(&mut self, absorbed: &Absorbed) {
        for entry in &absorbed.entries {
            if self.map.is_live(*entry) && self.count(*entry) == 0 {
                self.map.remove(*entry);
            }
        }
    }
}

/// NULLs also in fields of a ROW: `=` compares field by field.
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
