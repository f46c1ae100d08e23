//! Joins whose rows match only if they are close in event time: interval joins, and joins of the rows of one
//! window.
//!
//! A row is kept until no more on-time rows of the other side can match it, and is then evicted. Only then is
//! a row of an outer or anti join known to have no match, and only then is it emitted. So nothing is ever
//! retracted, and state is bounded by event time.
//!
//! Cost per row in addition to the join's: one step in a tree of times when it arrives, one when it is
//! evicted.

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::SchemaRef;
use flott_batch::bytes::runs;
use flott_batch::{Batch, ChangeBatch, RowKind, arrow_type};
use flott_operator::Context;
use flott_operator::windows::{Ends, Progress};
use flott_plan::{JoinBound, JoinKind, Schema};
use flott_state::SharedIndex;
use flott_types::{FastSet, Result, Timestamp, Watermark};

use super::output::{Joined, Others};
use super::side::Side;
use super::work::{CHUNK, parts, shows_unmatched};
use crate::BuildContext;
use crate::support::{Millis, batch_in_time};

/// When the rows of both sides are evicted.
pub(super) struct Bound {
    times: [usize; 2],
    /// By side: how long after its time a row may still be matched by an on-time row.
    lasts: [i64; 2],
    /// Whether rows belong to windows: then rows of an expired window are dropped. `times` are the ends of
    /// windows.
    windows: bool,
    /// How far output may lag behind the watermark.
    delay: i64,
    /// By side: the entries to evict when the watermark reaches a time. An entry may occur several times.
    due: [Ends; 2],
    pub progress: Progress,
    kind: JoinKind,
    schema: SchemaRef,
    /// A row of NULLs, by side.
    nothing: [Vec<ArrayRef>; 2],
    batch_bytes: usize,
}

impl Bound {
    /// `inputs` are the left and the right one; `schema` is that of the output.
    pub fn new(
        spec: &JoinBound,
        kind: JoinKind,
        inputs: [&Schema; 2],
        schema: SchemaRef,
        context: &BuildContext,
    ) -> Self {
        let nothing = |schema: &Schema| {
            schema.iter().map(|(_, ty)| new_null_array(&arrow_type::to_arrow(ty), 1)).collect()
        };
        let lasts = [spec.upper, spec.lower.saturating_neg()];
        Bound {
            times: [spec.left_time, spec.right_time],
            lasts,
            windows: spec.windows,
            delay: if spec.windows { 0 } else { lasts[0].max(lasts[1]).max(0) },
            due: Default::default(),
            progress: Progress::default(),
            kind,
            schema,
            nothing: inputs.map(nothing),
            batch_bytes: context.batch_bytes,
        }
    }

    /// The watermark at which a row with this time is evicted.
    fn end(&self, input: usize, time: Timestamp) -> Timestamp {
        // A window expires with its last millisecond. Elsewhere, rows as late as the watermark itself still
        // match each other.
        let slack = if self.windows { -1 } else { 1 };
        time.saturating_add(self.lasts[input]).saturating_add(slack)
    }

    /// Drops the rows of expired windows from a batch and counts them.
    pub fn on_time(&self, input: usize, batch: ChangeBatch, context: &Context<'_>) -> Result<ChangeBatch> {
        let is_late = |time| self.windows && self.progress.has_reached(self.end(input, time));
        batch_in_time(batch, self.times[input], is_late, context)
    }

    /// Schedules the eviction of these rows.
    pub fn note(&mut self, input: usize, columns: &[ArrayRef], entries: &[u32]) -> Result<()> {
        let time = Millis::new(&columns[self.times[input]])?;
        // Rows with the same time usually come in runs: one tree lookup for each run.
        let mut from = 0;
        while from < entries.len() {
            let end = self.end(input, time.get(from));
            let same = (from..entries.len()).take_while(|row| self.end(input, time.get(*row)) == end).count();
            self.due[input].extend(end, &entries[from..from + same]);
            from += same;
        }
        Ok(())
    }

    /// Advances event time; returns the watermark for downstream.
    pub fn advance(&mut self, watermark: Watermark) -> Watermark {
        self.progress.advance(watermark.0);
        match watermark {
            Watermark::MAX => watermark,
            Watermark(time) => Watermark(time.saturating_sub(self.delay)),
        }
    }

    /// Evicts the expired rows of a side; those without a match are emitted if the join includes such rows.
    /// Keys that may have no rows left are added to `freed`.
    pub fn evict(
        &mut self,
        input: usize,
        side: &mut Side,
        index: &mut SharedIndex,
        context: &mut Context<'_>,
    ) -> Result<()> {
        let shows = shows_unmatched(self.kind, input);
        let progress = self.progress;
        while let Some((_, entries)) = self.due[input].pop(|end| progress.has_reached(end)) {
            if shows {
                let mut seen = FastSet::default();
                let unmatched = entries.iter().copied();
                let unmatched: Vec<u32> =
                    unmatched.filter(|entry| side.matches(*entry) == 0 && seen.insert(*entry)).collect();
                for run in self.runs(side, index, &unmatched) {
                    self.pad(input, side, index, run, context)?;
                }
            }
            entries.iter().for_each(|entry| side.remove(*entry, index.freed()));
            self.due[input].recycle(entries);
        }
        Ok(())
    }

    fn pad(
        &self,
        input: usize,
        side: &Side,
        index: &SharedIndex,
        entries: &[u32],
        context: &mut Context<'_>,
    ) -> Result<()> {
        let mut joined = Joined::default();
        for (pair, entry) in entries.iter().enumerate() {
            for _ in 0..side.count(*entry) {
                joined.push(RowKind::Insert, None, Some(pair as u32));
            }
        }
        let others = Others {
            side,
            keys: index.keys(),
            entries,
            decoded: Some(&side.rows_of(index.keys(), entries)?),
        };
        let parts = parts(self.kind, 1 - input);
        let rows = joined.build(&self.schema, parts, &self.nothing[1 - input], &others)?;
        context.output.emit(Batch::Changes(rows))
    }

    /// Cuts entries into runs whose rows fit into one batch.
    fn runs<'e>(&self, side: &Side, index: &SharedIndex, entries: &'e [u32]) -> Vec<&'e [u32]> {
        let bytes = |entry: u32| side.bytes_of(index, entry) * side.count(entry).max(1) as usize;
        let cut = |chunk: &'e [u32]| {
            let runs = runs(chunk.len(), self.batch_bytes, |at| bytes(chunk[at]));
            runs.into_iter().map(|run| &chunk[run])
        };
        entries.chunks(CHUNK).flat_map(cut).collect()
    }

    /// Schedules the eviction of restored rows.
    pub fn restore(&mut self, input: usize, side: &Side, index: &SharedIndex) -> Result<()> {
        let entries = side.live();
        for run in self.runs(side, index, &entries) {
            self.note(input, &side.rows_of(index.keys(), run)?, run)?;
        }
        Ok(())
    }
}
