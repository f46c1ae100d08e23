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
//! | `results` | results of frames, gathered for rows in runs |
//! | `history` | the rows in bounded frames, which are taken out of the accumulators when they leave |
//! | `lag` | LAG |
//! | `complete` | OVER of rows that are all there, by any order and frame |
//! | `updating` | OVER by what is no time: results change when rows come between |
//! | `expiry` | keys that expire with all their rows |
//! | `deviation` | variances and standard deviations, of sums |
//!
//! With RANGE, rows of equal time have one result, except in unbounded processing time, where each row has
//! its own time.
//!
//! Results may be wider than rows: a LAG or a MAX repeats one wide value in every row. So rows are computed
//! and sent in runs whose results fit into one batch.
//!
//! Cost of a row: waiting (see `support::pending`); one update and one reading of accumulators, shared by the rows of one round (see
//! `frames`); in a bounded frame, encoding it into the history, and decoding it when it leaves.

mod complete;
mod deviation;
mod expiry;
mod frames;
mod history;
mod lag;
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
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};

pub(crate) use self::complete::{CompleteOver, CompleteParts};
use self::deviation::Deviations;
use self::frames::{Frame, Frames};
use self::lag::Lag;
use self::results::Results;
pub(crate) use self::updating::UpdatingOver;
use crate::BuildContext;
use crate::accumulate::{Keys, unique_fields};
use crate::support::{Pending, TimedRows, insertions, record_batch};

/// This many rows are sent at once.
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

/// What computes a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum By {
    Frames,
    RowNumbers,
    Lag,
    /// The frames' sums.
    Deviations,
}

/// The operator.
pub(crate) struct OverAggregate {
    schema: SchemaRef,
    partition: Vec<usize>,
    time_column: Option<usize>,
    /// In event time.
    pending: Option<Pending>,
    /// How far event time has come.
    progress: Progress,
    frames: Option<Frames>,
    row_numbers: Option<Frames>,
    lag: Option<Lag>,
    deviations: Deviations,
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
        };
        let (mut framed, mut numbered, mut lagging, mut outputs) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut deviations = Deviations::default();
        for call in parts.aggregates {
            if let Some(number) = deviations.add(call, input.len(), &mut framed) {
                outputs.push((By::Deviations, number));
                continue;
            }
            let (by, calls) = match call.function.as_str() {
                "ROW_NUMBER" => (By::RowNumbers, &mut numbered),
                "LAG" => (By::Lag, &mut lagging),
                "LEAD" | "RANK" | "DENSE_RANK" | "NTILE" | "PERCENT_RANK" | "CUME_DIST" => {
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
        let wide = deviations.schema(input);
        let frames = |name, frame, calls: Vec<AggregateCall>| {
            (!calls.is_empty())
                .then(|| Frames::new(name, frame, &calls, &wide, &keys, parts.ttl, context.batch_bytes))
                .transpose()
        };
        Ok(OverAggregate {
            schema: arrow_type::schema(node.node.schema.iter()),
            partition: parts.partition.to_vec(),
            time_column: parts.time_column,
            pending: match parts.time_column {
                Some(time) => Some(Pending::new(input, parts.partition, time, context)?),
                None => None,
            },
            progress: Progress::default(),
            frames: frames("accumulators", frame, framed)?,
            row_numbers: frames("row_numbers", all, numbered)?,
            lag: if lagging.is_empty() { None } else { Some(Lag::new(lagging, &keys, parts.ttl)?) },
            deviations,
            outputs,
            batch_bytes: context.batch_bytes,
        })
    }

    fn keys(&self, columns: &[ArrayRef]) -> Vec<ArrayRef> {
        self.partition.iter().map(|key| columns[*key].clone()).collect()
    }

    /// Sends rows with their results.
    fn advance(
        &mut self,
        columns: Vec<ArrayRef>,
        times: &[Timestamp],
        context: &mut Context<'_>,
    ) -> Result<()> {
        let mut wide = columns.clone();
        wide.append(&mut self.deviations.squares(&columns)?);
        if let Some(frames) = &self.frames
            && let Some(half) = frames.cut(&wide, times)
        {
            let slice = |first, rows| columns.iter().map(|column| column.slice(first, rows)).collect();
            self.advance(slice(0, half), &times[..half], context)?;
            return self.advance(slice(half, times.len() - half), &times[half..], context);
        }
        let keys = self.keys(&columns);
        // In event time a key is not forgotten while rows of it wait, however long; in processing time none do.
        let (now, expires) = (context.now, self.pending.is_none());
        let over = |frames: &mut Option<Frames>| match frames {
            Some(frames) => frames.compute(&keys, &wide, times, now, expires),
            None => Ok(Results::default()),
        };
        let framed = over(&mut self.frames)?;
        let numbers = over(&mut self.row_numbers)?;
        if let Some(lag) = &mut self.lag
            && expires
        {
            lag.history().forget_expired(&keys, times.len(), now)?;
        }
        for rows in self.runs(&columns, &framed, times.len()) {
            let part = columns.iter().map(|column| column.slice(rows.start, rows.len())).collect();
            let results = (framed.of_rows(rows.clone())?, numbers.of_rows(rows.clone())?);
            self.send(part, &times[rows], results, context)?;
        }
        Ok(())
    }

    /// Rows with their results in runs that fit into one batch.
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

    /// Sends rows with the results of frames and of row numbers.
    fn send(
        &mut self,
        mut columns: Vec<ArrayRef>,
        times: &[Timestamp],
        (framed, numbers): (Vec<ArrayRef>, Vec<ArrayRef>),
        context: &mut Context<'_>,
    ) -> Result<()> {
        let earlier = match &mut self.lag {
            Some(lag) => {
                let keys: Vec<ArrayRef> = self.partition.iter().map(|key| columns[*key].clone()).collect();
                lag.compute(&keys, &columns, times, context.now)?
            }
            None => Vec::new(),
        };
        let width = columns.len();
        for (index, (by, at)) in self.outputs.iter().enumerate() {
            let results = match by {
                By::Frames => &framed,
                By::RowNumbers => &numbers,
                By::Lag => &earlier,
                By::Deviations => {
                    let ty = self.schema.field(width + index).data_type();
                    columns.push(self.deviations.result(*at, &framed, ty)?);
                    continue;
                }
            };
            columns.extend(results.get(*at).cloned());
        }
        let rows = record_batch(&self.schema, columns, times.len())?;
        context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))
    }

    /// Lets go of some keys that have expired.
    fn expire(&mut self, rows: usize, context: &mut Context<'_>) -> Result<()> {
        let OverAggregate { pending, frames, row_numbers, lag, .. } = self;
        let mut waits = |keys: &[ArrayRef], number| match pending {
            Some(pending) => pending.waits(keys, number),
            None => Ok(vec![false; number]),
        };
        for frames in frames.iter_mut().chain(row_numbers) {
            let next = frames.expire(context.now, rows, &mut waits)?;
            next.into_iter().for_each(|at| context.schedule(at));
        }
        if let Some(lag) = lag {
            let next = lag.history().expire(context.now, rows, &mut waits)?;
            next.into_iter().for_each(|at| context.schedule(at));
        }
        Ok(())
    }
}

impl Operator for OverAggregate {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        if let Some(pending) = &mut self.pending {
            pending.restore(&mut restored)?;
            self.progress.restore(&mut restored)?;
        }
        for frames in self.frames.iter_mut().chain(&mut self.row_numbers) {
            frames.restore(&mut restored)?;
        }
        if let Some(lag) = &mut self.lag {
            lag.restore(&mut restored)?;
        }
        self.expire(0, context)
    }

    fn processing_time(&mut self, _: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.expire(0, context)
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = insertions(batch, "OVER aggregation")?;
        let Some(time_column) = self.time_column else {
            let rows = batch.columns();
            self.advance(rows.columns().to_vec(), &vec![context.now; rows.num_rows()], context)?;
            if let Some(frames) = &mut self.frames {
                frames.forget(context.now)?;
            }
            return self.expire(rows.num_rows(), context);
        };
        let rows = TimedRows::new(&batch, time_column)?;
        let keys = self.keys(&rows.columns);
        let past = match &mut self.frames {
            Some(frames) => frames.is_past(&keys, &rows.times)?,
            None => None,
        };
        let progress = self.progress;
        let late = |row: usize, time| past.as_ref().map_or(progress.has_reached(time), |past| past[row]);
        let rows = rows.in_time(late, context)?;
        match &mut self.pending {
            Some(pending) => pending.put(&rows),
            None => Ok(()),
        }
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.progress.advance(watermark.0);
        while let Some(pending) = &mut self.pending
            && let Some(due) = pending.due(watermark.0, CHUNK)?
        {
            self.advance(due.columns, &due.times, context)?;
        }
        if let (Some(_), Some(frames)) = (self.time_column, &mut self.frames) {
            frames.forget(watermark.0)?;
        }
        self.expire(0, context)?;
        context.output.watermark(watermark)
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        if let Some(pending) = &mut self.pending {
            snapshot.keyed.extend(pending.snapshot(full)?);
            self.progress.save(&mut snapshot);
        }
        for frames in self.frames.iter_mut().chain(&mut self.row_numbers) {
            frames.snapshot(full, &mut snapshot)?;
        }
        if let Some(lag) = &mut self.lag {
            snapshot.keyed.extend(lag.snapshot(full)?);
        }
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests;
