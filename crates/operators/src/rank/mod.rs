//! The first rows of each partition in an order: ROW_NUMBER() <= n, ORDER BY ... LIMIT, first and last row of
//! a key; LIMIT alone; ORDER BY of a bounded input.
//!
//! State is a sorted map from partition to rows, with their arrival numbers: rows that sort equal stay in
//! order of arrival. For append-only input only the wanted rows are kept; with retractions all are. For each
//! batch, each partition's net change is emitted: with the rank, the row at each rank before and after;
//! without it, which rows left and which entered. A single wanted row is updated in place.
//!
//! ROW_NUMBER() = 1 by the descending time attribute is "the last row of a key": of rows with the same time,
//! the later one wins, as in Flink's deduplication.
//!
//! If each partition belongs to one window, its rows are emitted when event time has passed the window's end,
//! and are never retracted; rows of windows that were already emitted are late.
//!
//! In batch queries, and without an upper rank, rows are emitted in order when the input has ended, and
//! nothing is retracted.
//!
//! | file | what |
//! |---|---|
//! | `ranked` | the sorted rows |
//! | `twins` | where equal rows are |
//! | `windows` | when windows are emitted |
//! | `best` | one wanted row of append-only input: no sorted rows |
//! | `earlier` | states of several rows for a partition, where one is wanted now |
//! | `local` | before an exchange: drops what certainly is not wanted |
//! | `limit` | LIMIT without an order, of append-only input: a count |
//! | `conflicts` | keys of a table that several rows have |
//!
//! Cost of a record: interning its partition, encoding its sort key, and a binary search among the partition's
//! rows (for one wanted row, only for the best of the batch); with retractions one more index of all rows. Of an
//! append-only input, a row that sorts behind all that are wanted costs one comparison with the last of them.
//! Per partition and batch: walking the wanted rows before and after, and decoding those that changed.

mod best;
mod conflicts;
mod earlier;
mod limit;
mod local;
mod ranked;
mod twins;
mod windows;

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, UInt32Array};
use arrow::datatypes::SchemaRef;
use arrow::row::RowConverter;
use flott_batch::{Batch, ChangeBatch, RowKind, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, Schema, SortKey};
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Error, FastSet, Result, Timestamp, TypeKind, Watermark};

use self::best::Best;
pub(crate) use self::best::sorter;
use self::conflicts::Conflicts;
use self::limit::Limit;
pub(crate) use self::local::LocalTopN;
use self::ranked::Ranked;
use self::windows::Windows;
use crate::BuildContext;
use crate::support::{Changelog, Equality, columns_of, kernel, record_batch, whole_updates};

/// How many rows are sent at a time when the input has ended.
const CHUNK: usize = 4096;

/// What a TopN is built from.
pub(crate) struct Parts<'a> {
    pub partition: &'a [usize],
    pub order: &'a [SortKey],
    pub from: u64,
    pub to: Option<u64>,
    pub output_rank: bool,
    pub input_updates: bool,
    pub ttl: i64,
    pub window_end: Option<usize>,
    pub emit_update_before: bool,
    /// Of rows that sort equal the last one counts.
    pub latest_first: bool,
    /// Several rows in a partition are an error.
    pub conflicts_fail: bool,
}

impl Parts<'_> {
    /// Whether only the first row of each partition is wanted, and rows come and stay.
    fn first_only(&self) -> bool {
        self.from <= 1 && self.to == Some(1) && !self.input_updates
    }

    /// Whether of rows that sort equal the last one counts.
    fn latest_first(&self, input: &Schema) -> bool {
        match self.order {
            [key] if self.first_only() && key.descending => matches!(
                input.columns.get(key.column).map(|column| &column.ty.kind),
                Some(TypeKind::Timestamp(0..=3) | TypeKind::TimestampLtz(0..=3))
            ),
            _ => self.latest_first,
        }
    }
}

/// The operator for what is wanted.
///
/// # Errors
/// If a type cannot be sorted or kept.
pub(crate) fn operator(
    node: &ChainedNode,
    parts: &Parts<'_>,
    context: &BuildContext,
) -> Result<Box<dyn Operator>> {
    if parts.order.is_empty() && !parts.output_rank && !parts.input_updates {
        return Ok(Box::new(Limit::new(node, parts, context)?));
    }
    let at_once = context.streaming && parts.window_end.is_none() && !parts.order.is_empty();
    match parts.first_only() && at_once {
        true => Ok(Box::new(Best::new(node, parts, context)?)),
        false => Ok(Box::new(TopN::new(node, parts, context)?)),
    }
}

/// The operator.
pub(crate) struct TopN {
    schema: SchemaRef,
    /// How many ranks are skipped, and the last one that is wanted.
    skip: usize,
    end: usize,
    output_rank: bool,
    retracts: bool,
    at_end: bool,
    latest_first: bool,
    emit_update_before: bool,
    order: Vec<SortKey>,
    /// Encodes the sort key if only one row is wanted.
    sorter: Option<RowConverter>,
    rows: Ranked,
    spills: bool,
    windows: Option<Windows>,
    conflicts: Option<Conflicts>,
    batch_bytes: usize,
    batch: u32,
    /// By partition: the batch that touched it last, and the best row of that batch.
    touched_in: Vec<(u32, u32)>,
}

/// The wanted rows of partitions, one partition after the other.
#[derive(Default)]
struct Wanted {
    entries: Vec<u32>,
    /// Where each partition's rows end.
    ends: Vec<usize>,
}

/// A row that changes: its kind, its entry, and its rank.
struct Change {
    kind: RowKind,
    entry: u32,
    rank: usize,
}

impl TopN {
    pub fn new(node: &ChainedNode, parts: &Parts<'_>, context: &BuildContext) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let latest_first = parts.latest_first(input);
        let fields = arrow_type::schema(input.iter());
        let sorter =
            (parts.first_only() && !parts.order.is_empty()).then(|| best::sorter(&fields, parts.order));
        let (updates, order) = (parts.input_updates, parts.order);
        let at_end = !context.streaming || (parts.to.is_none() && !order.is_empty());
        let ttl = if at_end || parts.window_end.is_some() { 0 } else { parts.ttl };
        // What waits for event time or for the end refers to partitions by their slots.
        let spills = !at_end && parts.window_end.is_none() && !parts.conflicts_fail;
        Ok(TopN {
            spills,
            schema: arrow_type::schema(node.node.schema.iter()),
            skip: parts.from.saturating_sub(1) as usize,
            end: parts.to.map_or(usize::MAX, |to| to as usize),
            output_rank: parts.output_rank,
            retracts: updates,
            at_end,
            latest_first,
            emit_update_before: parts.emit_update_before,
            order: order.to_vec(),
            sorter: sorter.transpose()?,
            rows: Ranked::new(input, parts.partition, order, latest_first, updates, ttl, context)?
                .with_memory(spills, context)?,
            windows: parts.window_end.filter(|_| !at_end).map(Windows::new),
            conflicts: parts.conflicts_fail.then(|| Conflicts::new(input, parts.partition)),
            batch_bytes: context.batch_bytes,
            batch: 0,
            touched_in: Vec::new(),
        })
    }

    /// The partitions of a batch in the order in which it first touches them. With one wanted row, also the
    /// best row of each in the batch.
    fn touched(&mut self, batch: &ChangeBatch, partitions: &[u32]) -> Result<(Vec<u32>, Option<Vec<u32>>)> {
        let keys: Vec<ArrayRef> = self.order.iter().map(|key| batch.column(key.column).clone()).collect();
        let sorted =
            self.sorter.as_ref().map(|sorter| sorter.convert_columns(&keys)).transpose().map_err(kernel)?;
        self.batch = self.batch.wrapping_add(1).max(1);
        let mut touched = Vec::new();
        for (row, partition) in partitions.iter().enumerate() {
            if *partition as usize >= self.touched_in.len() {
                self.touched_in.resize(*partition as usize + 1, (0, 0));
            }
            let (in_batch, best) = &mut self.touched_in[*partition as usize];
            if std::mem::replace(in_batch, self.batch) != self.batch {
                touched.push(*partition);
                *best = row as u32;
            } else if let Some(sorted) = &sorted {
                let (new, old) = (sorted.row(row), sorted.row(*best as usize));
                if new < old || (self.latest_first && new == old) {
                    *best = row as u32;
                }
            }
        }
        let best = sorted.map(|_| touched.iter().map(|at| self.touched_in[*at as usize].1).collect());
        Ok((touched, best))
    }

    /// The wanted rows of partitions, without those that are gone or expired.
    fn wanted(&self, partitions: &[u32], gone: &FastSet<u32>, now: Timestamp) -> Wanted {
        let expiry = self.rows.rows();
        let mut wanted = Wanted::default();
        for partition in partitions {
            let entries = self.rows.rows().entries_of(*partition);
            let there = entries
                .filter(|entry| gone.is_empty() || !gone.contains(entry))
                .filter(|entry| !expiry.is_expired(*entry, now));
            wanted.entries.extend(there.take(self.end).skip(self.skip));
            wanted.ends.push(wanted.entries.len());
        }
        wanted
    }

    /// Emits the final wanted rows of partitions.
    fn send(&self, partitions: &[u32], context: &mut Context<'_>) -> Result<()> {
        let wanted = self.wanted(partitions, &FastSet::default(), context.now);
        let mut changes = Vec::with_capacity(wanted.entries.len());
        for at in 0..partitions.len() {
            let ranks = self.skip + 1..;
            let rows = wanted.partition(at).iter().zip(ranks);
            changes.extend(rows.map(|(entry, rank)| Change { kind: RowKind::Insert, entry: *entry, rank }));
        }
        for chunk in changes.chunks(CHUNK).flat_map(|chunk| self.runs(chunk)) {
            let rows = record_batch(&self.schema, self.columns(chunk)?, chunk.len())?;
            context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))?;
        }
        Ok(())
    }

    /// Removes rows beyond the last wanted one, which cannot come back.
    fn trim(&mut self, partitions: &[u32], now: Timestamp) {
        if self.retracts {
            return;
        }
        if self.rows.rows().ttl().is_some() {
            let all = partitions.iter().flat_map(|partition| self.rows.rows().entries_of(*partition));
            let expired = all.filter(|entry| self.rows.rows().is_expired(*entry, now));
            let expired: Vec<u32> = expired.collect();
            self.rows.remove(expired);
        }
        for partition in partitions {
            let extra = self.rows.rows().len_of(*partition).saturating_sub(self.end);
            if extra > 0 {
                let gone: Vec<u32> = self.rows.rows().entries_of(*partition).rev().take(extra).collect();
                self.rows.remove(gone);
            }
        }
    }

    /// The net change of one partition.
    fn change(&self, before: &[u32], after: &[u32], changes: &mut Vec<Change>) {
        let mut push =
            |kind, entry: u32, at: usize| changes.push(Change { kind, entry, rank: self.skip + at + 1 });
        if self.output_rank || self.end == self.skip + 1 {
            for at in 0..before.len().max(after.len()) {
                match (before.get(at), after.get(at)) {
                    (Some(old), Some(new)) if old == new => (),
                    (Some(old), Some(new)) => {
                        // An update that may be to an equal row is compared before it is sent.
                        if self.emit_update_before || self.retracts {
                            push(RowKind::UpdateBefore, *old, at);
                        }
                        push(RowKind::UpdateAfter, *new, at);
                    }
                    (Some(old), None) => push(RowKind::Delete, *old, at),
                    (None, Some(new)) => push(RowKind::Insert, *new, at),
                    (None, None) => (),
                }
            }
            return;
        }
        // Both lists are in the same order: walk through them in parallel.
        let (mut old, mut new) = (0, 0);
        let mut entered = Vec::new();
        loop {
            match (before.get(old), after.get(new)) {
                (None, None) => break,
                (Some(a), Some(b)) if a == b => (old, new) = (old + 1, new + 1),
                (Some(a), b) if b.is_none_or(|b| self.rows.rows().compare(*a, *b).is_lt()) => {
                    push(RowKind::Delete, *a, old);
                    old += 1;
                }
                _ => {
                    entered.push(new);
                    new += 1;
                }
            }
        }
        entered.into_iter().for_each(|at| push(RowKind::Insert, after[at], at));
    }

    /// The rows of changes, with the rank if it is wanted.
    fn columns(&self, changes: &[Change]) -> Result<Vec<ArrayRef>> {
        let entries: Vec<u32> = changes.iter().map(|change| change.entry).collect();
        let mut columns = self.rows.rows_of(&entries)?;
        if self.output_rank {
            let ranks = changes.iter().map(|change| change.rank as i64);
            columns.push(Arc::new(Int64Array::from_iter_values(ranks)));
        }
        Ok(columns)
    }

    /// Cuts changes into runs that fit into one batch, without splitting updates.
    fn runs<'a>(&self, changes: &'a [Change]) -> Vec<&'a [Change]> {
        let bytes = |at: usize| self.rows.bytes_of(changes[at].entry);
        let runs = whole_updates(changes.len(), self.batch_bytes, |at| changes[at].kind, bytes);
        runs.into_iter().map(|run| &changes[run]).collect()
    }

    fn emit(&self, changes: &[Change], context: &mut Context<'_>) -> Result<()> {
        let columns = self.columns(changes)?;
        let same = Equality::new(&columns, &columns);
        let mut log = Changelog::default();
        let mut at = 0;
        while at < changes.len() {
            // An update to an equal row is dropped.
            let updates = changes[at].kind == RowKind::UpdateBefore;
            if updates && self.retracts && same.equal(at, at + 1) {
                at += 2;
                continue;
            }
            if self.emit_update_before || !updates {
                log.push(changes[at].kind, 0, at);
            }
            at += 1;
        }
        if log.is_empty() {
            return Ok(());
        }
        context.output.emit(Batch::Changes(log.build(&self.schema, &[&columns])?))
    }
}

impl TopN {
    fn expire(&mut self, rows: usize, context: &mut Context<'_>) -> Result<()> {
        let next = self.rows.expire(context.now, rows)?;
        next.into_iter().for_each(|at| context.schedule(at));
        Ok(())
    }
}

impl Wanted {
    fn partition(&self, at: usize) -> &[u32] {
        let first = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.entries[first..self.ends[at]]
    }
}

impl Operator for TopN {
    fn restores_in_parts(&self) -> bool {
        self.spills
    }

    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.rows.restore(&mut restored, context.now)?;
        if let Some(windows) = &mut self.windows {
            windows.progress.restore(&mut restored, context.info)?;
            windows.restore(&self.rows)?;
        }
        if let Some(conflicts) = &mut self.conflicts {
            conflicts.restore(&self.rows);
        }
        self.expire(0, context)
    }

    fn processing_time(&mut self, _: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.expire(0, context)
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let mut batch = columns_of(batch)?.compact()?;
        let (now, rows) = (context.now, batch.physical_rows());
        if !self.retracts && batch.kinds().is_some_and(|kinds| kinds.iter().any(|kind| !kind.is_addition())) {
            return Err(Error::internal("a retraction where only insertions were planned for"));
        }
        if let Some(windows) = &self.windows {
            batch = windows.on_time(batch, context)?;
        }
        let mut partitions = Vec::new();
        self.rows.partitions(&batch, &mut partitions)?;
        if let Some(windows) = &mut self.windows {
            windows.note(&batch, &partitions, &self.rows)?;
        }
        if let Some(candidates) = self.rows.candidates(&batch, &partitions, self.end)? {
            partitions = candidates.iter().map(|row| partitions[*row as usize]).collect();
            batch = batch.take(&UInt32Array::from(candidates))?;
        }
        let (touched, best) = self.touched(&batch, &partitions)?;
        if let Some(best) = best {
            batch = batch.take(&UInt32Array::from(best))?;
            partitions.clone_from(&touched);
        }
        let mut gone = FastSet::default();
        if self.at_end || self.windows.is_some() {
            self.rows.apply(&batch, &partitions, now, &mut gone)?;
            self.rows.remove(gone);
            self.trim(&touched, now);
            self.rows.tidy()?;
            return self.rows.make_room();
        }
        let before = self.wanted(&touched, &gone, now);
        self.rows.apply(&batch, &partitions, now, &mut gone)?;
        let after = self.wanted(&touched, &gone, now);
        let mut changes = Vec::new();
        for at in 0..touched.len() {
            self.change(before.partition(at), after.partition(at), &mut changes);
        }
        if !changes.is_empty() {
            self.runs(&changes).into_iter().try_for_each(|changes| self.emit(changes, context))?;
        }
        self.rows.remove(gone);
        self.trim(&touched, now);
        if let Some(conflicts) = &mut self.conflicts {
            conflicts.note(&touched, &self.rows);
        }
        self.expire(rows, context)?;
        self.rows.make_room()
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        if let Some(windows) = &mut self.windows {
            windows.advance(watermark);
        }
        if let Some(conflicts) = &mut self.conflicts {
            conflicts.check(&self.rows)?;
        }
        while let Some(mut partitions) = self.windows.as_mut().and_then(Windows::ended) {
            self.send(&partitions, context)?;
            let rows = partitions.iter().flat_map(|partition| self.rows.rows().entries_of(*partition));
            let rows: Vec<u32> = rows.collect();
            self.rows.remove(rows);
            self.windows.iter_mut().for_each(|windows| windows.recycle(&mut partitions));
            self.rows.tidy()?;
        }
        context.output.watermark(watermark)
    }

    fn end_input(&mut self, _: usize, context: &mut Context<'_>) -> Result<()> {
        if !self.at_end {
            return Ok(());
        }
        let all: Vec<u32> = self.rows.rows().live().collect();
        let mut seen = FastSet::default();
        let partitions =
            all.iter().map(|entry| self.rows.rows().key_of(*entry)).filter(|key| seen.insert(*key));
        let partitions: Vec<u32> = partitions.collect();
        self.send(&partitions, context)?;
        // A job that is restored after this must not send them again.
        self.rows.remove(all);
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        self.rows.snapshot(full, &mut snapshot)?;
        if let Some(windows) = &self.windows {
            windows.progress.save(&mut snapshot);
        }
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests;
