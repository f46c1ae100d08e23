//! The sorted rows of each partition.
//!
//! A row is told apart by when it arrived, and sorted by its sort key and that. Its other columns stay in the batch in
//! which they came ([`KeptRows`]).

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Int64Type};
use arrow::row::{RowConverter, SortField};
use flott_batch::ChangeBatch;
use flott_batch::bytes::runs;
use flott_plan::{Schema, SortKey};
use flott_state::{
    GroupedRows, KeptRows, OperatorSnapshot, RestoredState, RowColumn, SharedIndex, SlotColumns, StateColumn,
};
use flott_types::{FastSet, Result, Timestamp};

use super::twins::{Rows, TwinRows, Twins};
use crate::BuildContext;
use crate::keyed_columns::KeyedColumns;
use crate::support::{kernel, take_columns};

/// The name of the table in snapshots.
pub(super) const TABLE: &str = "rows";

/// How arrow sorts by a key.
pub(super) fn sort_options(key: &SortKey) -> SortOptions {
    SortOptions { descending: key.descending, nulls_first: key.nulls_first }
}

/// The rows of each partition, sorted; those that sort equal in order of arrival, or the latest first.
pub(super) struct Ranked {
    columns: KeyedColumns,
    index: SharedIndex,
    rows: TwinRows,
    /// Of the columns that are not part of the partition: those of the sort key, and the others.
    sort_key: Vec<usize>,
    payload: Vec<usize>,
    /// Encodes sort keys as `rows` does, if some rows need not be kept.
    sorter: Option<RowConverter>,
    latest_first: bool,
    batch_bytes: usize,
    arrivals: i64,
}

impl Ranked {
    pub fn new(
        input: &Schema,
        partition: &[usize],
        order: &[SortKey],
        latest_first: bool,
        retracts: bool,
        ttl: i64,
        context: &BuildContext,
    ) -> Result<Self> {
        let arrival = Arc::new(Field::new("$arrival", DataType::Int64, true));
        let columns = KeyedColumns::new(input, partition, &[arrival])?;
        let (keys, rows) = columns.fields();
        let mut sorted: Vec<(usize, SortOptions)> = Vec::new();
        for key in order {
            // Within a partition, its columns are constant.
            if let Some(place) = columns.place(key.column)
                && sorted.iter().all(|(known, _)| *known != place)
            {
                sorted.push((place, sort_options(key)));
            }
        }
        let arrival = rows.len() - 1;
        let sort_key: Vec<usize> = sorted.iter().map(|(place, _)| *place).collect();
        let payload: Vec<usize> = (0..arrival).filter(|place| !sort_key.contains(place)).collect();
        let of = |places: &[usize]| places.iter().map(|place| rows[*place].clone()).collect::<Vec<_>>();
        let identity = [of(&sort_key), of(&[arrival])].concat();
        let options = sorted.iter().map(|(_, options)| *options);
        let options = options.chain([SortOptions { descending: latest_first, nulls_first: false }]);
        let order: Vec<(usize, SortOptions)> = options.enumerate().collect();
        let sorter = (!retracts && ttl <= 0 && !sorted.is_empty()).then(|| {
            let field = |(place, options): &(usize, SortOptions)| {
                SortField::new_with_options(rows[*place].data_type().clone(), *options)
            };
            RowConverter::new(sorted.iter().map(field).collect()).map_err(kernel)
        });
        let index = SharedIndex::new(keys, keys.len(), context.max_parallelism)?;
        let kept = GroupedRows::all_different(&identity, Some(&order), KeptRows::new(of(&payload)))?;
        let rows = RowColumn::new(TABLE, kept);
        let mut rows = rows.with_coarse_ttl(ttl, &index);
        rows.set_batch_bytes(context.batch_bytes);
        let rows = TwinRows { rows, twins: if retracts { Some(Twins::new(input)?) } else { None } };
        Ok(Ranked {
            index,
            rows,
            batch_bytes: context.batch_bytes,
            sort_key,
            payload,
            sorter: sorter.transpose()?,
            latest_first,
            columns,
            arrivals: 0,
        })
    }

    /// Lets partitions leave memory, or if slots of theirs are kept somewhere, counts what they hold.
    pub fn with_memory(mut self, spills: bool, context: &BuildContext) -> Result<Self> {
        let (memory, ttl) = (context.table_memory(), self.rows.rows.time_to_live());
        match spills {
            true => self.index.spill_with(&mut [&mut self.rows], memory, ttl)?,
            false => self.index.count_with(memory)?,
        }
        Ok(self)
    }

    pub fn rows(&self) -> &Rows {
        &self.rows.rows
    }

    /// The slot of each row's partition. Partitions without rows are forgotten first, and those that had left
    /// memory come back.
    pub fn partitions(&mut self, batch: &ChangeBatch, slots: &mut Vec<u32>) -> Result<()> {
        self.release();
        let keys = self.columns.keys(batch.columns().columns());
        let known = self.index.freed().len();
        self.index.intern_with(&keys, batch.physical_rows(), slots, &mut [&mut self.rows])?;
        if self.rows.twins.is_some() {
            let new = self.index.freed().get(known..).unwrap_or_default();
            let entries = new.iter().flat_map(|slot| self.rows.entries_of(*slot)).collect();
            self.link(entries)?;
        }
        Ok(())
    }

    /// Lets partitions leave memory if there is too much. No slot is in use.
    pub fn make_room(&mut self) -> Result<()> {
        if !self.index.wants_room() {
            return Ok(());
        }
        self.release();
        let held = self.rows.memory();
        self.index.make_room(&mut [&mut self.rows], held)
    }

    /// The rows of a batch that may be among the first `end` of their partitions; `None` if all may. Of an input that only
    /// appends, a row that does not come before the last of them never will.
    pub fn candidates(
        &self,
        batch: &ChangeBatch,
        partitions: &[u32],
        end: usize,
    ) -> Result<Option<Vec<u32>>> {
        let Some(sorter) = &self.sorter else { return Ok(None) };
        let full = |partition: u32| end > 0 && self.rows.len_of(partition) >= end;
        if !partitions.iter().any(|partition| full(*partition)) {
            return Ok(None);
        }
        let rest = self.columns.rest(batch.columns().columns());
        let keys: Vec<ArrayRef> = self.sort_key.iter().map(|place| rest[*place].clone()).collect();
        let keys = sorter.convert_columns(&keys).map_err(kernel)?;
        let may = |(row, partition): &(usize, &u32)| {
            if !full(**partition) {
                return true;
            }
            let last = self.rows.nth(**partition, end - 1).and_then(|entry| self.rows.encoding(entry));
            // The encoding begins with the sort key.
            last.is_none_or(|last| {
                let key = keys.row(*row);
                let key: &[u8] = key.as_ref();
                let wins = |last: &[u8]| if self.latest_first { key <= last } else { key < last };
                last.get(..key.len()).is_none_or(wins)
            })
        };
        let rows = partitions.iter().enumerate().filter(may).map(|(row, _)| row as u32);
        let rows: Vec<u32> = rows.collect();
        Ok((rows.len() < partitions.len()).then_some(rows))
    }

    fn release(&mut self) {
        self.index.release(|partition| self.rows.occupied(partition));
    }

    /// The size of an entry with its key in bytes, not counting fixed-width columns.
    pub fn bytes_of(&self, entry: u32) -> usize {
        self.index.bytes_of(self.rows.key_of(entry)) + self.rows.row_bytes(entry)
    }

    /// Cuts entries into runs whose rows fit into one batch.
    pub fn runs<'a>(&self, entries: &'a [u32]) -> Vec<&'a [u32]> {
        let runs = runs(entries.len(), self.batch_bytes, |at| self.bytes_of(entries[at]));
        runs.into_iter().map(|run| &entries[run]).collect()
    }

    /// Inserts the rows of a batch. Retracted rows stay until they are removed: they are added to `gone`.
    pub fn apply(
        &mut self,
        batch: &ChangeBatch,
        partitions: &[u32],
        now: Timestamp,
        gone: &mut FastSet<u32>,
    ) -> Result<()> {
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
        let rest = self.columns.rest(&columns);
        let of = |places: &[usize]| places.iter().map(|place| rest[*place].clone()).collect::<Vec<_>>();
        let first = self.arrivals;
        self.arrivals += added.len() as i64;
        let mut identity = of(&self.sort_key);
        identity.push(Arc::new(Int64Array::from_iter_values(first..self.arrivals)));
        self.rows.intern(keys, &identity, &mut entries, |_, _| ())?;
        self.rows.values_mut().write(&entries, &of(&self.payload))?;
        entries.iter().for_each(|entry| self.rows.touch(*entry, now));
        let TwinRows { rows, twins } = &mut self.rows;
        let Some(twins) = twins else { return Ok(()) };
        twins.apply(batch, &entries, |entry| rows.is_expired(entry, now), gone)
    }

    /// Removes some of what has expired; returns the latest time to call this again.
    pub fn expire(&mut self, now: Timestamp, rows: usize) -> Result<Option<Timestamp>> {
        let mut expired = self.rows.sweep(now, rows);
        let back = self.index.sweep(&mut [&mut self.rows], now, rows);
        if !back.is_empty() {
            let entries: Vec<u32> = back.iter().flat_map(|slot| self.rows.entries_of(*slot)).collect();
            self.link(entries.clone())?;
            expired.extend(entries.into_iter().filter(|entry| self.rows.is_expired(*entry, now)));
            expired.sort_unstable();
            expired.dedup();
        }
        for entry in &expired {
            self.rows.twins.iter_mut().for_each(|twins| twins.unlink(*entry));
        }
        if !expired.is_empty() {
            self.remove(expired);
            self.release();
        }
        self.tidy()?;
        Ok([self.rows.wake_at(), self.index.wake_at()].into_iter().flatten().min())
    }

    /// Frees some of the memory of rows that are gone.
    pub fn tidy(&mut self) -> Result<()> {
        self.rows.values_mut().tidy()
    }

    pub fn remove(&mut self, entries: impl IntoIterator<Item = u32>) {
        let rows = &mut self.rows;
        self.index.freed().extend(entries.into_iter().filter_map(|entry| rows.remove(entry)));
    }

    /// Rows as they arrived.
    pub fn rows_of(&self, entries: &[u32]) -> Result<Vec<ArrayRef>> {
        let slots = || entries.iter().map(|entry| self.rows.key_of(*entry)).collect::<Vec<_>>();
        let sort_key = if self.sort_key.is_empty() { Vec::new() } else { self.rows.rows_of(entries)? };
        let payload = self.rows.values().read(entries)?;
        let mut rest: Vec<Option<ArrayRef>> = vec![None; self.sort_key.len() + self.payload.len()];
        let places = self.sort_key.iter().zip(sort_key).chain(self.payload.iter().zip(payload));
        places.for_each(|(place, column)| rest[*place] = Some(column));
        let rest = rest.into_iter().flatten().collect();
        self.columns.reassemble(rest, || self.index.keys_of(&slots()))
    }

    pub fn snapshot(&mut self, full: bool, snapshot: &mut OperatorSnapshot) -> Result<()> {
        let mut deltas = Vec::new();
        self.index.snapshot(&mut self.rows, full, &mut deltas)?;
        snapshot.spilled.extend(self.index.spilled(&mut [&mut self.rows], &deltas)?);
        snapshot.keyed.append(&mut deltas);
        Ok(())
    }

    /// Part by part, if partitions may leave memory in between.
    pub fn restore(&mut self, restored: &mut RestoredState, now: Timestamp) -> Result<()> {
        self.rows.begin(now);
        loop {
            self.index.restore(&mut self.rows, restored)?;
            let entries = self.rows.live().collect();
            if let Some(last) = self.link(entries)? {
                self.arrivals = self.arrivals.max(last + 1);
            }
            self.index.grew();
            self.make_room()?;
            if !restored.next_part()? {
                return Ok(());
            }
        }
    }

    /// Puts entries among their equals, in the order in which they arrived, unless they are there already.
    /// Returns the last arrival.
    fn link(&mut self, mut entries: Vec<u32>) -> Result<Option<i64>> {
        if let Some(twins) = &self.rows.twins {
            entries.retain(|entry| !twins.has(*entry));
        }
        let mut arrived = Vec::with_capacity(entries.len());
        for run in self.runs(&entries) {
            let arrivals = self.rows.rows_of(run)?.pop();
            let Some(arrivals) = arrivals else { return Ok(None) };
            arrived.extend(
                arrivals.as_primitive::<Int64Type>().values().iter().copied().zip(run.iter().copied()),
            );
        }
        arrived.sort_unstable();
        let last = arrived.last().map(|(last, _)| *last);
        let Some(mut twins) = self.rows.twins.take() else { return Ok(last) };
        let sorted: Vec<u32> = arrived.into_iter().map(|(_, entry)| entry).collect();
        for run in self.runs(&sorted) {
            twins.restore(&self.rows_of(run)?, run)?;
        }
        self.rows.twins = Some(twins);
        Ok(last)
    }
}
