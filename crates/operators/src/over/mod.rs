//! Aggregation OVER (PARTITION BY ... ORDER BY time): each row with aggregates of the rows up to it.
//!
//! In event time, rows wait until the watermark has passed them and are emitted in the order of time, then of
//! arrival; in processing time they are emitted as they arrive. Late rows are dropped and counted: for
//! unbounded frames, a row that the watermark has passed; for bounded ones, a row that its key has passed (as
//! in Flink).
//!
//! | file | what |
//! |---|---|
//! | `frames` | accumulators moved over the rows of each key; ROW_NUMBER is a COUNT of its own frame |
//! | `groups` | what frames keep for a key |
//! | `results` | results of frames, gathered for rows in runs |
//! | `history` | the rows in bounded frames, which are retracted from the accumulators when they leave |
//! | `lag` | LAG |
//! | `ranks` | RANK and DENSE_RANK |
//! | `complete` | OVER of complete partitions, with any order and frame |
//! | `updating` | OVER ordered by something other than time: results change when rows arrive between others |
//! | `expiry` | keys that expire together with all their rows |
//! | `deviation` | variances and standard deviations, computed from sums |
//!
//! With RANGE, rows with equal time share one result, except in unbounded processing time, where each row has
//! its own time.
//!
//! Results may be wider than rows: a LAG or a MAX repeats one wide value in every row. So rows are computed
//! and sent in runs whose results fit into one batch.
//!
//! All states are columns over one index of the keys. A key is interned once, when its row arrives; a waiting
//! row keeps its key's slot.
//!
//! Cost of a row: interning its key (one hash, one probe); waiting (see `support::pending`); one update and
//! one read of accumulators, shared by the rows of one round (see `frames`); in a bounded frame, encoding it
//! into the history and decoding it when it leaves.

mod complete;
mod deviation;
mod expiry;
mod frames;
mod groups;
mod history;
mod lag;
mod ranks;
mod results;
mod updating;

use std::iter;
use std::ops::Range;

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use flott_batch::bytes::{RowBytes, runs};
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_operator::windows::Progress;
use flott_operator::{Context, Operator};
use flott_plan::{AggregateCall, ChainedNode};
use flott_state::{OperatorSnapshot, RestoredState, SharedIndex};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};

pub(crate) use self::complete::{CompleteOver, CompleteParts};
use self::deviation::Deviations;
use self::frames::{Frame, Frames};
use self::lag::Lag;
use self::ranks::Peers;
use self::results::Results;
pub(crate) use self::updating::UpdatingOver;
use crate::BuildContext;
use crate::accumulate::{Keys, unique_fields};
use crate::support::{Pending, TimedRows, insertions, record_batch};

/// How many rows are sent at a time.
const CHUNK: usize = 4096;

/// What an OVER aggregation is built from.
pub(crate) struct OverParts<'a> {
    pub partition: &'a [usize],
    pub time_column: Option<usize>,
    pub preceding: Option<i64>,
    pub rows: bool,
    pub aggregates: &'a [AggregateCall],
    pub ttl: i64,
}

/// Which part computes a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Frames,
    RowNumbers,
    Lag,
    /// From the sums of the frames.
    Deviations,
    /// The rows up to now without those of the same time.
    Ranks,
}

/// What was computed for some rows.
struct Computed<'a> {
    framed: Vec<ArrayRef>,
    numbers: Vec<ArrayRef>,
    /// How many other rows have the same key and time, if ranks are asked for.
    others: &'a [i64],
}

/// The operator.
pub(crate) struct OverAggregate {
    schema: SchemaRef,
    partition: Vec<usize>,
    time_column: Option<usize>,
    index: SharedIndex,
    /// Only in event time.
    pending: Option<Pending>,
    /// The progress of event time.
    progress: Progress,
    frames: Option<Frames>,
    row_numbers: Option<Frames>,
    lag: Option<Lag>,
    deviations: Deviations,
    ranked: bool,
    /// For each call: which part computes it, and its index among that part's calls.
    outputs: Vec<(By, usize)>,
    batch_bytes: usize,
}

impl OverAggregate {
    pub fn new(node: &ChainedNode, parts: &OverParts<'_>, context: &BuildContext) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let fields = arrow_type::schema(input.iter());
        let field = |key: &usize| {
            let known = fields.fields().get(*key).cloned();
            known.ok_or_else(|| Error::internal(format!("there is no key column {key}")))
        };
        let key_fields = parts.partition.iter().map(field).collect::<Result<Vec<_>>>()?;
        let keys = Keys {
            fields: unique_fields(&key_fields),
            partition_columns: parts.partition.len(),
            max_parallelism: context.max_parallelism,
            streaming: context.streaming,
            functions: context.functions.clone(),
        };
        let (mut framed, mut numbered, mut lagging, mut outputs) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let ranked = parts.aggregates.iter().any(|call| ranks::is_rank(&call.function));
        let with_first = ranked.then(|| ranks::schema(input));
        let mut deviations = Deviations::new(with_first.as_ref().unwrap_or(input));
        for call in parts.aggregates {
            if let Some(number) = deviations.add(call, &mut framed, context)? {
                outputs.push((By::Deviations, number));
                continue;
            }
            let (by, calls) = match call.function.as_str() {
                "ROW_NUMBER" => (By::RowNumbers, &mut numbered),
                "LAG" => (By::Lag, &mut lagging),
                "RANK" | "DENSE_RANK" => {
                    let by = if call.function == "RANK" { By::Ranks } else { By::Frames };
                    outputs.push((by, framed.len()));
                    framed.push(ranks::counted(call, input.len()));
                    continue;
                }
                "LEAD" | "NTILE" | "PERCENT_RANK" | "CUME_DIST" => {
                    let refused = format!("{} with OVER on a stream", call.function);
                    return Err(Error::unsupported(refused).in_operator(&node.node.name));
                }
                _ => (By::Frames, &mut framed),
            };
            outputs.push((by, calls.len()));
            calls.push(match by {
                By::RowNumbers => AggregateCall { function: "COUNT".to_owned(), ..call.clone() },
                _ => call.clone(),
            });
        }
        let all = Frame { rows: true, preceding: None, peers: false };
        let frame = Frame {
            rows: parts.rows,
            preceding: parts.preceding,
            peers: !parts.rows && (parts.time_column.is_some() || parts.preceding.is_some()),
        };
        let wide = deviations.schema();
        let (pending, mut index) = match parts.time_column {
            Some(time) => {
                let (pending, index) = Pending::new(input, parts.partition, time, context)?;
                (Some(pending), index)
            }
            None => (None, SharedIndex::new(&keys.fields, keys.partition_columns, keys.max_parallelism)?),
        };
        index.count_with(context.table_memory())?;
        let frames = |name, frame, calls: Vec<AggregateCall>| {
            let (keys, bytes) = ((&keys, &index), context.batch_bytes);
            (!calls.is_empty())
                .then(|| Frames::new(name, frame, &calls, &wide, keys, parts.ttl, bytes))
                .transpose()
        };
        let (frames, row_numbers) =
            (frames("accumulators", frame, framed)?, frames("row_numbers", all, numbered)?);
        Ok(OverAggregate {
            schema: arrow_type::schema(node.node.schema.iter()),
            partition: parts.partition.to_vec(),
            time_column: parts.time_column,
            pending,
            progress: Progress::default(),
            frames,
            row_numbers,
            lag: if lagging.is_empty() { None } else { Some(Lag::new(lagging, parts.ttl, &index)?) },
            index,
            deviations,
            ranked,
            outputs,
            batch_bytes: context.batch_bytes,
        })
    }

    /// Emits rows with their results.
    fn advance(
        &mut self,
        columns: Vec<ArrayRef>,
        times: &[Timestamp],
        slots: &[u32],
        context: &mut Context<'_>,
    ) -> Result<()> {
        let mut wide = columns.clone();
        let peers = self.ranked.then(|| Peers::new(slots, times, self.time_column.is_none()));
        wide.extend(peers.iter().map(|peers| ArrayRef::clone(&peers.first)));
        wide.append(&mut self.deviations.added(&wide, times.len())?);
        if let Some(frames) = &self.frames
            && let Some(half) = frames.cut(&wide, times)
        {
            let slice = |first, rows| columns.iter().map(|column| column.slice(first, rows)).collect();
            self.advance(slice(0, half), &times[..half], &slots[..half], context)?;
            return self.advance(slice(half, times.len() - half), &times[half..], &slots[half..], context);
        }
        // In event time a key is not forgotten while rows of it wait, however long; in processing time none
        // wait.
        let (now, expires) = (context.now, self.pending.is_none());
        let index = &mut self.index;
        let mut over = |frames: &mut Option<Frames>| match frames {
            Some(frames) => frames.compute(index, slots, &wide, times, now, expires),
            None => Ok(Results::default()),
        };
        let framed = over(&mut self.frames)?;
        let numbers = over(&mut self.row_numbers)?;
        if let Some(lag) = &mut self.lag
            && expires
        {
            lag.forget_expired(&mut self.index, slots, now);
        }
        for rows in self.runs(&columns, &framed, times.len()) {
            let part = columns.iter().map(|column| column.slice(rows.start, rows.len())).collect();
            let results = Computed {
                framed: framed.of_rows(rows.clone())?,
                numbers: numbers.of_rows(rows.clone())?,
                others: peers.as_ref().map_or(&[], |peers| &peers.others[rows.clone()]),
            };
            self.send(part, &times[rows.clone()], &slots[rows], results, context)?;
        }
        Ok(())
    }

    /// Cuts rows with their results into runs that fit into one batch.
    fn runs(&mut self, columns: &[ArrayRef], framed: &Results, rows: usize) -> Vec<Range<usize>> {
        let lagging = self.lag.as_mut().map_or(0, |lag| lag.widest(columns, rows));
        let frames = self.frames.as_ref().is_some_and(Frames::vary);
        if lagging == 0 && !frames {
            return iter::once(0..rows).collect();
        }
        let input = RowBytes::new(columns);
        let results = |row| if frames { framed.bytes_of(row) } else { 0 };
        runs(rows, self.batch_bytes, |row| input.of(row) + results(row) + lagging)
    }

    /// Emits rows with the results of frames and row numbers.
    fn send(
        &mut self,
        mut columns: Vec<ArrayRef>,
        times: &[Timestamp],
        slots: &[u32],
        Computed { framed, numbers, others }: Computed<'_>,
        context: &mut Context<'_>,
    ) -> Result<()> {
        let earlier = match &mut self.lag {
            Some(lag) => lag.compute(&mut self.index, slots, &columns, times, context.now)?,
            None => Vec::new(),
        };
        for (by, at) in &self.outputs {
            let results = match by {
                By::Frames => &framed,
                By::RowNumbers => &numbers,
                By::Lag => &earlier,
                By::Ranks => {
                    columns.extend(framed.get(*at).map(|counts| ranks::ranks(counts, others)));
                    continue;
                }
                By::Deviations => {
                    columns.push(self.deviations.result(*at, &framed, times.len())?);
                    continue;
                }
            };
            columns.extend(results.get(*at).cloned());
        }
        let rows = record_batch(&self.schema, columns, times.len())?;
        context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))
    }

    /// Removes some expired keys.
    fn expire(&mut self, rows: usize, context: &mut Context<'_>) {
        let OverAggregate { index, pending, frames, row_numbers, lag, .. } = self;
        let waits = |slot| pending.as_ref().is_some_and(|pending| pending.waits(slot));
        for frames in frames.iter_mut().chain(row_numbers) {
            let next = frames.expire(context.now, rows, index, waits);
            next.into_iter().for_each(|at| context.schedule(at));
        }
        if let Some(lag) = lag {
            let next = lag.expire(context.now, rows, index, waits);
            next.into_iter().for_each(|at| context.schedule(at));
        }
        self.release();
    }

    /// Reports how much memory the state has.
    fn count(&mut self) -> Result<()> {
        let OverAggregate { index, pending, frames, row_numbers, lag, .. } = self;
        index.count(|| {
            let pending = pending.as_ref().map_or(0, Pending::memory);
            let frames: usize = frames.iter().chain(row_numbers.iter()).map(Frames::memory).sum();
            pending + frames + lag.as_ref().map_or(0, Lag::memory)
        })
    }

    /// Forgets the keys for which nothing is kept.
    fn release(&mut self) {
        let OverAggregate { index, pending, frames, row_numbers, lag, .. } = self;
        index.release(|slot| {
            pending.as_ref().is_some_and(|pending| pending.occupied(slot))
                || frames.iter().chain(row_numbers.iter()).any(|frames| frames.occupied(slot))
                || lag.as_ref().is_some_and(|lag| lag.occupied(slot))
        });
    }
}

impl Operator for OverAggregate {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        if let Some(pending) = &mut self.pending {
            pending.restore(&mut self.index, &mut restored)?;
            self.progress.restore(&mut restored, context.info)?;
        }
        for frames in self.frames.iter_mut().chain(&mut self.row_numbers) {
            frames.restore(&mut self.index, &mut restored)?;
        }
        if let Some(lag) = &mut self.lag {
            lag.restore(&mut self.index, &mut restored)?;
        }
        self.expire(0, context);
        Ok(())
    }

    fn processing_time(&mut self, _: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.expire(0, context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = insertions(batch, "OVER aggregation")?;
        let now = context.now;
        let rows = TimedRows::new(&batch, self.time_column, now, &self.partition, &mut self.index)?;
        let Some(pending) = &mut self.pending else {
            let TimedRows { columns, times, slots } = rows;
            self.advance(columns, &times, &slots, context)?;
            if let Some(frames) = &mut self.frames {
                frames.forget(now, &mut self.index, |_| false);
            }
            self.expire(times.len(), context);
            return self.count();
        };
        let past = self.frames.as_ref().and_then(|frames| frames.is_past(&rows.slots, &rows.times));
        let progress = self.progress;
        let late = |row: usize, time| past.as_ref().map_or(progress.has_reached(time), |past| past[row]);
        pending.put(&rows.in_time(late, context)?)?;
        self.release();
        self.count()
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.progress.advance(watermark.0);
        while let Some(pending) = &mut self.pending
            && let Some(due) = pending.due(&mut self.index, watermark.0, CHUNK)?
        {
            self.advance(due.columns, &due.times, &due.slots, context)?;
        }
        if let (Some(pending), Some(frames)) = (&self.pending, &mut self.frames) {
            frames.forget(watermark.0, &mut self.index, |slot| pending.waits(slot));
        }
        self.expire(0, context);
        context.output.watermark(watermark)
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        let index = &mut self.index;
        if let Some(pending) = &mut self.pending {
            pending.snapshot(index, full, &mut snapshot.keyed)?;
            self.progress.save(&mut snapshot);
        }
        for frames in self.frames.iter_mut().chain(&mut self.row_numbers) {
            frames.snapshot(index, full, &mut snapshot)?;
        }
        if let Some(lag) = &mut self.lag {
            lag.snapshot(index, full, &mut snapshot)?;
        }
        self.release();
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests;
