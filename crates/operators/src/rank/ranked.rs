//! The rows of each partition in their order.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Int64Type};
use flott_batch::{ChangeBatch, arrow_type};
use flott_plan::{Schema, SortKey};
use flott_state::{KeyIndex, KeyedDelta, KeyedMap, MapSpec, NO_SLOT};
use flott_types::{FastSet, Result};

use crate::BuildContext;
use crate::accumulate::unique_fields;
use crate::keyed_columns::KeyedColumns;
use crate::support::take_columns;

/// The name of the table in snapshots.
pub(super) const TABLE: &str = "rows";

/// How arrow sorts by a key.
pub(super) fn sort_options(key: &SortKey) -> SortOptions {
    SortOptions { descending: key.descending, nulls_first: key.nulls_first }
}

/// The rows of each partition, sorted; those that sort alike in the order of arrival, or the latest first.
pub(super) struct Ranked {
    columns: KeyedColumns,
    map: KeyedMap<()>,
    arrivals: i64,
    /// For an input with retractions.
    twins: Option<Twins>,
}

impl Ranked {
    pub fn new(
        input: &Schema,
        partition: &[usize],
        order: &[SortKey],
        latest_first: bool,
        retracts: bool,
        context: &BuildContext,
    ) -> Result<Self> {
        let arrival = Arc::new(Field::new("$arrival", DataType::Int64, true));
        let columns = KeyedColumns::new(input, partition, &[arrival])?;
        let (keys, rows) = columns.fields();
        let mut sorted: Vec<(usize, SortOptions)> = Vec::new();
        for key in order {
            // Within a partition its columns do not differ.
            if let Some(place) = columns.place(key.column)
                && sorted.iter().all(|(known, _)| *known != place)
            {
                sorted.push((place, sort_options(key)));
            }
        }
        sorted.push((rows.len() - 1, SortOptions { descending: latest_first, nulls_first: false }));
        let spec = MapSpec {
            name: TABLE,
            keys,
            partition_columns: keys.len(),
            rows,
            order: Some(&sorted),
            max_parallelism: context.max_parallelism,
        };
        Ok(Ranked {
            map: KeyedMap::new(&spec, ())?,
            columns,
            arrivals: 0,
            twins: if retracts { Some(Twins::new(input)?) } else { None },
        })
    }

    pub fn map(&self) -> &KeyedMap<()> {
        &self.map
    }

    /// The slot of each row's partition.
    pub fn partitions(&mut self, batch: &ChangeBatch, slots: &mut Vec<u32>) -> Result<()> {
        let keys = self.columns.keys(batch.columns().columns());
        self.map.intern_keys(&keys, batch.physical_rows(), slots, |_, _| ())
    }

    /// Puts the rows of a batch in. Rows that are taken away stay until they are removed: they are added to `gone`.
    pub fn apply(&mut self, batch: &ChangeBatch, partitions: &[u32], gone: &mut FastSet<u32>) -> Result<()> {
        let rows = batch.physical_rows();
        let mut columns = batch.columns().columns().to_vec();
        let (mut entries, mut keys) = (Vec::new(), partitions);
        let added: Vec<u32> =
            (0..rows as u32).filter(|row| batch.kind(*row as usize).is_addition()).collect();
        let some: Vec<u32>;
        if added.len() < rows {
            columns = take_columns(&columns, &added)?;
            some = added.iter().map(|row| partitions[*row as usize]).collect();
            keys = &some;
        }
        let mut columns = self.columns.rest(&columns);
        let first = self.arrivals;
        self.arrivals += added.len() as i64;
        columns.push(Arc::new(Int64Array::from_iter_values(first..self.arrivals)));
        self.map.intern(keys, &columns, &mut entries, |_, _| ())?;
        let Some(twins) = &mut self.twins else { return Ok(()) };
        twins.apply(batch, &entries, gone)
    }

    pub fn remove(&mut self, entries: impl IntoIterator<Item = u32>) {
        entries.into_iter().for_each(|entry| self.map.remove(entry));
    }

    /// Rows as they came in.
    pub fn rows_of(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = self.columns.rows_of(&self.map, entries)?;
        columns.pop();
        Ok(columns)
    }

    pub fn snapshot(&mut self, full: bool) -> Result<Option<KeyedDelta>> {
        self.map.snapshot(full)
    }

    pub fn restore(&mut self, batches: Vec<RecordBatch>) -> Result<()> {
        self.map.restore(batches)?;
        let entries: Vec<u32> = self.map.live().collect();
        let mut columns = self.columns.rows_of(&self.map, &entries)?;
        let Some(arrivals) = columns.pop() else { return Ok(()) };
        let arrivals = arrivals.as_primitive::<Int64Type>();
        self.arrivals = arrow::compute::max(arrivals).map_or(0, |last| last + 1);
        let Some(twins) = &mut self.twins else { return Ok(()) };
        let mut order: Vec<u32> = (0..entries.len() as u32).collect();
        order.sort_by_key(|row| arrivals.value(*row as usize));
        let sorted: Vec<u32> = order.iter().map(|row| entries[*row as usize]).collect();
        twins.restore(&take_columns(&columns, &order)?, &sorted)
    }
}

/// Which entries hold equal rows, the earlier before the later: so a retraction finds the row that it takes away. Lives in
/// memory alone; a snapshot has the rows themselves.
struct Twins {
    index: KeyIndex,
    /// By slot of the index: the earliest and the latest entry.
    ends: Vec<(u32, u32)>,
    /// By entry: the one after it.
    next: Vec<u32>,
    slots: Vec<u32>,
}

impl Twins {
    fn new(input: &Schema) -> Result<Self> {
        let fields: Vec<_> = arrow_type::schema(input.iter()).fields().iter().cloned().collect();
        Ok(Twins {
            index: KeyIndex::new(&unique_fields(&fields))?,
            ends: Vec::new(),
            next: Vec::new(),
            slots: Vec::new(),
        })
    }

    fn intern(&mut self, columns: &[ArrayRef], rows: usize) -> Result<()> {
        let ends = &mut self.ends;
        self.index.intern(columns, rows, &mut self.slots, |slot, _| {
            if slot as usize >= ends.len() {
                ends.resize(slot as usize + 1, (NO_SLOT, NO_SLOT));
            }
            ends[slot as usize] = (NO_SLOT, NO_SLOT);
        })
    }

    fn push(&mut self, slot: u32, entry: u32) {
        if entry as usize >= self.next.len() {
            self.next.resize(entry as usize + 1, NO_SLOT);
        }
        self.next[entry as usize] = NO_SLOT;
        let (first, last) = &mut self.ends[slot as usize];
        match *first {
            NO_SLOT => *first = entry,
            _ => self.next[*last as usize] = entry,
        }
        *last = entry;
    }

    /// Takes the rows of a batch in turn; `entries` are those of the rows that come.
    fn apply(&mut self, batch: &ChangeBatch, entries: &[u32], gone: &mut FastSet<u32>) -> Result<()> {
        let rows = batch.physical_rows();
        self.intern(batch.columns().columns(), rows)?;
        let mut entries = entries.iter().copied();
        for row in 0..rows {
            let slot = self.slots[row];
            if batch.kind(row).is_addition() {
                if let Some(entry) = entries.next() {
                    self.push(slot, entry);
                }
                continue;
            }
            // A retraction of what is not there is passed over.
            let (first, _) = &mut self.ends[slot as usize];
            if *first != NO_SLOT {
                gone.insert(*first);
                *first = self.next[*first as usize];
            }
        }
        for slot in &self.slots {
            if self.ends[*slot as usize].0 == NO_SLOT {
                self.index.remove(*slot);
            }
        }
        Ok(())
    }

    fn restore(&mut self, columns: &[ArrayRef], entries: &[u32]) -> Result<()> {
        self.intern(columns, entries.len())?;
        for (row, entry) in entries.iter().enumerate() {
            self.push(self.slots[row], *entry);
        }
        Ok(())
    }
}
