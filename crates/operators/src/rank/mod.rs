//! The first rows of each partition by an order: ROW_NUMBER() <= n, ORDER BY ... LIMIT, first and last row of a key.
//!
//! State is a sorted map from partition to rows. Of an input that only grows no more than the wanted rows are kept, and equal
//! rows stand in the order of arrival; with retractions all rows are kept, and equal keys stand in the order of the other
//! columns. A batch gives each partition's net change: with the rank, what stands at each rank before and after; without it, which
//! rows came in and which went out. The one row of a first-or-last-row query is updated in place.
//!
//! ROW_NUMBER() = 1 by the descending time attribute is "the last row of a key": of rows at the same time the later one
//! counts, as in Flink's deduplication.
//!
//! Cost of a record: interning its partition, encoding the row, a binary search among the partition's rows; of a partition
//! and batch: reading its wanted rows before and after.

mod limit;

use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, SchemaRef};
use flott_batch::{Batch, ChangeBatch, RowKind, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, SortKey};
use flott_state::{
    KeyedMap, KeyedMultiset, MapSpec, NO_SLOT, OperatorSnapshot, PrimitiveColumn, RestoredState,
};
use flott_types::{CheckpointId, Error, Result, TypeKind};
use std::sync::Arc;

use crate::BuildContext;
use crate::accumulate::unique_fields;
use crate::support::{Changelog, columns_of};

pub(crate) use limit::Limit;

/// The name of the table in snapshots.
const TABLE: &str = "rows";

/// What a TopN is built from.
pub(crate) struct Parts<'a> {
    pub partition: &'a [usize],
    pub order: &'a [SortKey],
    pub from: u64,
    pub to: Option<u64>,
    pub output_rank: bool,
    pub input_updates: bool,
}

/// How arrow sorts by a key.
pub(crate) fn sort_options(key: &SortKey) -> SortOptions {
    SortOptions { descending: key.descending, nulls_first: key.nulls_first }
}

/// The operator.
pub(crate) struct TopN {
    schema: SchemaRef,
    partition: Vec<usize>,
    /// Ranks that are skipped, and how many follow.
    skip: usize,
    take: usize,
    output_rank: bool,
    /// Rows leave again: none may be forgotten.
    keeps_all: bool,
    /// The rows, and behind them the number of the arrival; how often each occurs.
    rows: KeyedMap<PrimitiveColumn<Int64Type>>,
    arrivals: i64,
    batch: u32,
    /// By partition: the batch that touched it last.
    touched_in: Vec<u32>,
}

/// The wanted rows of the partitions that a batch touches, one partition after the other.
struct Wanted {
    entries: Vec<u32>,
    /// Where each partition's rows end.
    ends: Vec<usize>,
}

impl TopN {
    pub fn new(node: &ChainedNode, parts: &Parts<'_>, context: &BuildContext) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let fields = arrow_type::schema(input.iter());
        let key: Vec<FieldRef> = parts.partition.iter().map(|key| fields.fields()[*key].clone()).collect();
        let mut rows = KeyedMultiset::prefixed("row.", &unique_fields(fields.fields()));
        let mut order: Vec<(usize, SortOptions)> = Vec::new();
        for key in parts.order {
            if order.iter().all(|(column, _)| *column != key.column) {
                order.push((key.column, sort_options(key)));
            }
        }
        let latest_first = match (parts.order, parts.to) {
            ([key], Some(1)) if key.descending && !parts.input_updates => matches!(
                input.columns.get(key.column).map(|column| &column.ty.kind),
                Some(TypeKind::Timestamp(3) | TypeKind::TimestampLtz(3))
            ),
            _ => false,
        };
        if !parts.input_updates {
            order.push((rows.len(), SortOptions { descending: latest_first, nulls_first: false }));
            rows.push(Arc::new(Field::new("arrival", DataType::Int64, true)));
        }
        let spec = MapSpec {
            name: TABLE,
            keys: &KeyedMultiset::prefixed("key.", &unique_fields(&key)),
            partition_columns: key.len(),
            rows: &rows,
            order: Some(&order),
            max_parallelism: context.max_parallelism,
        };
        let skip = parts.from.saturating_sub(1) as usize;
        Ok(TopN {
            schema: arrow_type::schema(node.node.schema.iter()),
            partition: parts.partition.to_vec(),
            skip,
            take: parts.to.map_or(usize::MAX, |to| (to as usize).saturating_sub(skip)),
            output_rank: parts.output_rank,
            keeps_all: parts.input_updates,
            rows: KeyedMap::new(&spec, PrimitiveColumn::new("count", 0))?,
            arrivals: 0,
            batch: 0,
            touched_in: Vec::new(),
        })
    }

    /// The partitions of a batch in the order of first touch.
    fn touched(&mut self, keys: &[u32]) -> Vec<u32> {
        self.batch = self.batch.wrapping_add(1).max(1);
        let mut touched = Vec::new();
        for key in keys {
            if *key as usize >= self.touched_in.len() {
                self.touched_in.resize(*key as usize + 1, 0);
            }
            if std::mem::replace(&mut self.touched_in[*key as usize], self.batch) != self.batch {
                touched.push(*key);
            }
        }
        touched
    }

    fn wanted(&self, partitions: &[u32]) -> Wanted {
        let mut wanted = Wanted { entries: Vec::new(), ends: Vec::with_capacity(partitions.len()) };
        let counts = self.rows.values().values();
        for partition in partitions {
            let entries = self.rows.entries_of(*partition);
            let each =
                entries.flat_map(|entry| std::iter::repeat_n(entry, counts[entry as usize].max(0) as usize));
            wanted.entries.extend(each.skip(self.skip).take(self.take));
            wanted.ends.push(wanted.entries.len());
        }
        wanted
    }

    /// Puts the rows of a batch in. Returns entries that are not wanted any more.
    fn apply(&mut self, batch: &ChangeBatch, keys: &[u32], touched: &[u32]) -> Result<Vec<u32>> {
        let mut columns = batch.columns().columns().to_vec();
        let mut entries = Vec::new();
        let mut gone = Vec::new();
        if !self.keeps_all {
            let arrivals = self.arrivals..self.arrivals + keys.len() as i64;
            self.arrivals = arrivals.end;
            columns.push(Arc::new(Int64Array::from_iter_values(arrivals)));
            self.rows.intern(keys, &columns, &mut entries, |_, _| ())?;
            let counts = self.rows.values_mut().values_mut();
            entries.iter().for_each(|entry| counts[*entry as usize] = 1);
            let limit = self.skip.saturating_add(self.take);
            for partition in touched {
                let extra = self.rows.len_of(*partition).saturating_sub(limit);
                gone.extend(self.rows.entries_of(*partition).rev().take(extra));
            }
            return Ok(gone);
        }
        self.rows.intern(keys, &columns, &mut entries, |_, _| ())?;
        for (row, entry) in entries.iter().enumerate() {
            let count = &mut self.rows.values_mut().values_mut()[*entry as usize];
            *count += if batch.kind(row).is_addition() { 1 } else { -1 };
            self.rows.mark(*entry);
        }
        let counts = self.rows.values().values();
        gone.extend(entries.into_iter().filter(|entry| counts[*entry as usize] == 0));
        Ok(gone)
    }

    /// The columns of rows, with their ranks when they are asked for.
    fn columns(&self, wanted: &Wanted) -> Result<Vec<ArrayRef>> {
        let mut columns = self.rows.rows_of(&wanted.entries)?;
        columns.truncate(self.schema.fields().len() - usize::from(self.output_rank));
        if self.output_rank {
            let mut ranks = Vec::with_capacity(wanted.entries.len());
            for end in &wanted.ends {
                let rows = end - ranks.len();
                ranks.extend((0..rows).map(|rank| (self.skip + rank + 1) as i64));
            }
            columns.push(Arc::new(Int64Array::from(ranks)));
        }
        Ok(columns)
    }

    /// The net change of one partition, whose rows are at these places.
    fn change(&self, before: Rows<'_>, after: Rows<'_>, changes: &mut Changelog) {
        if self.output_rank || self.take == 1 {
            for rank in 0..before.entries.len().max(after.entries.len()) {
                match (before.entries.get(rank), after.entries.get(rank)) {
                    (Some(old), Some(new)) if old == new => (),
                    (Some(_), Some(_)) => {
                        changes.push(RowKind::UpdateBefore, 0, before.first + rank);
                        changes.push(RowKind::UpdateAfter, 1, after.first + rank);
                    }
                    (Some(_), None) => changes.push(RowKind::Delete, 0, before.first + rank),
                    (None, Some(_)) => changes.push(RowKind::Insert, 1, after.first + rank),
                    (None, None) => (),
                }
            }
            return;
        }
        // Both lists have the same order: walk through them together.
        let (mut old, mut new) = (0, 0);
        let mut came = Vec::new();
        loop {
            match (before.entries.get(old), after.entries.get(new)) {
                (None, None) => break,
                (Some(a), Some(b)) if a == b => (old, new) = (old + 1, new + 1),
                (Some(a), Some(b)) if self.rows.compare(*a, *b).is_gt() => {
                    came.push(after.first + new);
                    new += 1;
                }
                (Some(_), _) => {
                    changes.push(RowKind::Delete, 0, before.first + old);
                    old += 1;
                }
                (None, Some(_)) => {
                    came.push(after.first + new);
                    new += 1;
                }
            }
        }
        came.into_iter().for_each(|row| changes.push(RowKind::Insert, 1, row));
    }
}

/// Wanted rows of one partition.
#[derive(Clone, Copy)]
struct Rows<'a> {
    entries: &'a [u32],
    first: usize,
}

impl Wanted {
    fn partition(&self, at: usize) -> Rows<'_> {
        let first = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Rows { entries: &self.entries[first..self.ends[at]], first }
    }
}

impl Operator for TopN {
    fn open(&mut self, mut restored: RestoredState, _: &mut Context<'_>) -> Result<()> {
        self.rows.restore(restored.take_keyed(TABLE))?;
        if !self.keeps_all {
            let entries: Vec<u32> = self.rows.live().collect();
            let arrivals = self.rows.rows_of(&entries)?.pop();
            let arrivals = arrivals.as_ref().and_then(|column| column.as_any().downcast_ref::<Int64Array>());
            self.arrivals = arrivals.and_then(arrow::compute::max).map_or(0, |last| last + 1);
        }
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        if !self.keeps_all && batch.kinds().is_some_and(|kinds| kinds.iter().any(|kind| !kind.is_addition()))
        {
            return Err(Error::internal("a retraction where only insertions were planned for"));
        }
        let columns: Vec<ArrayRef> = self.partition.iter().map(|key| batch.column(*key).clone()).collect();
        let mut keys = Vec::new();
        self.rows.intern_keys(&columns, batch.physical_rows(), &mut keys, |_, _| ())?;
        debug_assert!(!keys.contains(&NO_SLOT));
        let touched = self.touched(&keys);
        let before = self.wanted(&touched);
        let old = self.columns(&before)?;
        let gone = self.apply(&batch, &keys, &touched)?;
        let after = self.wanted(&touched);
        let new = self.columns(&after)?;
        let mut changes = Changelog::default();
        for at in 0..touched.len() {
            self.change(before.partition(at), after.partition(at), &mut changes);
        }
        gone.into_iter().for_each(|entry| self.rows.remove(entry));
        if changes.is_empty() {
            return Ok(());
        }
        context.output.emit(Batch::Changes(changes.build(&self.schema, &[&old, &new])?))
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        snapshot.keyed.extend(self.rows.snapshot(full)?);
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests;
