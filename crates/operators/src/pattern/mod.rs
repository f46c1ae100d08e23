//! MATCH_RECOGNIZE: the rows of each key are matched in order of time against a row pattern; one row per
//! match.
//!
//! | file | what |
//! |---|---|
//! | `matchers` | the open matches of each key |
//! | `window` | the rows that matter for the keys of a batch: those kept from before, then the batch's |
//! | `conditions` | whether a row may match a variable |
//! | `references` | values of matched rows: FIRST, LAST, aggregates |
//!
//! `flott_pattern` matches the pattern itself. In event time, rows wait until the watermark has passed them;
//! late rows are dropped and counted. In processing time, rows are matched as they arrive.
//!
//! State: waiting rows, open matches by key, and the rows since each key's oldest open match, all over one
//! index of the keys. A match is its first row and a few counts, so ten thousand open matches over one key's
//! rows store those rows once.
//!
//! Cost of a row: interning its key; waiting (see `pending`); for each open match of its key, one or two
//! conditions. A condition on the row alone is computed for a whole batch; one that reads earlier rows is
//! computed for each open match separately, which costs some microseconds. Rows that remain in an open match
//! are encoded into state, and decoded with each batch that touches their key.

mod conditions;
mod matchers;
mod references;
mod window;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::datatypes::SchemaRef;
use flott_batch::bytes::{Parts, Room};
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_operator::windows::{Ends, Progress};
use flott_operator::{Context, Operator};
use flott_pattern::{Node, Pattern, Run, Skip, StepError, Variable};
use flott_plan::{ChainedNode, PatternShape, PatternSkip, PatternSpec, PatternVariable, SortKey};
use flott_state::{OperatorSnapshot, RestoredState, RowColumn, SharedIndex, SingleRows, StateColumn};
use flott_types::{CheckpointId, Error, FastSet, Result, Timestamp, Watermark};

use self::conditions::{Conditions, Row};
use self::matchers::Matchers;
use self::references::{Match, Projection};
use self::window::{Kept, Window};
use crate::BuildContext;
use crate::accumulate::unique_fields;
use crate::support::{Pending, TimedRows, insertions, record_batch};

/// How many rows are matched at a time.
const CHUNK: usize = 4096;

/// The operator.
pub(crate) struct MatchRecognize {
    schema: SchemaRef,
    pattern: Pattern,
    /// The variables' names, for messages.
    names: Vec<String>,
    partition: Vec<usize>,
    time_column: Option<usize>,
    order: Vec<SortKey>,
    index: SharedIndex,
    /// Only in event time.
    pending: Option<Pending>,
    /// The progress of event time.
    progress: Progress,
    kept: Kept,
    matchers: RowColumn<SingleRows<Matchers>>,
    /// When open matches time out, with the slots of their keys. Stale entries are ignored.
    deadlines: Ends,
    conditions: Conditions,
    measures: Projection,
    /// Batches hold about this many bytes.
    batch_bytes: usize,
}

/// Rows in the order in which they are matched.
struct Arrived<'a> {
    columns: &'a [ArrayRef],
    times: &'a [Timestamp],
    /// The slots of their keys.
    slots: &'a [u32],
}

/// The pattern's machine.
fn pattern(spec: &PatternSpec, skip: Skip) -> Result<Pattern> {
    let Some(shape) = &spec.shape else {
        let variable = |of: &PatternVariable| Variable::new(of.min, of.max, of.greedy);
        return Ok(Pattern::new(spec.variables.iter().map(variable).collect(), spec.within, skip));
    };
    Pattern::nested(&node_of(shape), spec.variables.len(), spec.within, skip)
        .map_err(|_| Error::invalid("a group that repeats must have a part that is not optional"))
}

fn node_of(shape: &PatternShape) -> Node {
    let all = |parts: &[PatternShape]| parts.iter().map(node_of).collect();
    match shape {
        PatternShape::Variable(variable) => Node::Variable(*variable as u32),
        PatternShape::Sequence(parts) => Node::Sequence(all(parts)),
        PatternShape::Choice(parts) => Node::Choice(all(parts)),
        PatternShape::Permute(variables) => Node::permute(
            &variables.iter().map(|variable| Node::Variable(*variable as u32)).collect::<Vec<_>>(),
        ),
        PatternShape::Repeat { shape, min, max, greedy } => {
            Node::Repeat { node: Box::new(node_of(shape)), min: *min, max: *max, greedy: *greedy }
        }
    }
}

impl MatchRecognize {
    pub fn new(node: &ChainedNode, spec: &PatternSpec, context: &BuildContext) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let skip = match spec.skip {
            PatternSkip::ToNextRow => Skip::ToNextRow,
            PatternSkip::PastLastRow => Skip::PastLastRow,
            PatternSkip::ToFirst(variable) => Skip::ToFirst(variable),
            PatternSkip::ToLast(variable) => Skip::ToLast(variable),
        };
        let fields = arrow_type::schema(input.iter());
        let key = |column: &usize| {
            let known = fields.fields().get(*column).cloned();
            known.ok_or_else(|| Error::internal(format!("there is no key column {column}")))
        };
        let keys = unique_fields(&spec.partition.iter().map(key).collect::<Result<Vec<_>>>()?);
        let (pending, index) = match spec.time_column {
            Some(time) => {
                let (pending, index) = Pending::new(input, &spec.partition, time, context)?;
                (Some(pending), index)
            }
            None => (None, SharedIndex::new(&keys, keys.len(), context.max_parallelism)?),
        };
        Ok(MatchRecognize {
            schema: arrow_type::schema(node.node.schema.iter()),
            pattern: pattern(spec, skip)?,
            names: spec.variables.iter().map(|variable| variable.name.clone()).collect(),
            partition: spec.partition.clone(),
            time_column: spec.time_column,
            order: spec.order.clone(),
            index,
            pending,
            progress: Progress::default(),
            batch_bytes: context.batch_bytes,
            kept: Kept::new(input, &spec.partition)?,
            matchers: RowColumn::new("matches", SingleRows::new(Matchers::default())),
            deadlines: Ends::default(),
            conditions: Conditions::new(&spec.variables, input, context)?,
            measures: Projection::new(&spec.references, &spec.measures, (&spec.variables, input), context)?,
        })
    }

    /// Matches rows, in order.
    fn match_rows(&mut self, rows: &TimedRows, context: &mut Context<'_>) -> Result<()> {
        let TimedRows { columns, times, slots } = rows;
        let mut touched = Vec::new();
        self.touch(slots, &mut touched);
        self.run(&touched, &Arrived { columns, times, slots }, context)
    }

    /// The distinct keys of rows, in the order of their first rows. Each of them gets a matcher.
    fn touch(&mut self, slots: &[u32], touched: &mut Vec<u32>) {
        self.matchers.open(slots, |_, _| ());
        let mut seen = FastSet::default();
        touched.extend(slots.iter().filter(|slot| seen.insert(**slot)));
    }

    /// Ends the open matches that have timed out, and emits the matches that waited for them.
    fn expire(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        let mut due = Vec::new();
        while let Some((_, slots)) = self.deadlines.pop(|deadline| deadline <= now) {
            due.extend_from_slice(&slots);
            self.deadlines.recycle(slots);
        }
        due.sort_unstable();
        due.dedup();
        due.retain(|slot| self.matchers.is_live(*slot));
        if due.is_empty() {
            return Ok(());
        }
        let mut found = Vec::new();
        for slot in &due {
            let runs = self.matchers.values_mut().get_mut(*slot).advance::<Error>(&self.pattern, now);
            let runs = runs.map_err(|error| failed(error, &self.names))?;
            found.extend(runs.into_iter().map(|run| (*slot, run)));
        }
        let nothing = Arrived { columns: &[], times: &[], slots: &[] };
        let matchers = &self.matchers;
        let next = |slot| matchers.values().get(slot).next_row();
        let window = self.kept.window(&due, &self.index, &nothing, next)?;
        self.emit(&window, found, context)?;
        self.settle(&due, window)
    }

    fn run(&mut self, touched: &[u32], arrived: &Arrived<'_>, context: &mut Context<'_>) -> Result<()> {
        let matchers = &self.matchers;
        let next = |slot| matchers.values().get(slot).next_row();
        let mut window = self.kept.window(touched, &self.index, arrived, next)?;
        let alone = self.conditions.of_rows(arrived.columns, arrived.times.len(), context)?;
        let mut found = Vec::new();
        for (row, (slot, time)) in arrived.slots.iter().zip(arrived.times).enumerate() {
            window.push(*slot, row)?;
            let row = Row { index: row, slot: *slot, alone: &alone, window: &window, context };
            let mut asked = self.conditions.ask(row);
            let runs = self.matchers.values_mut().get_mut(*slot).step(&self.pattern, *time, &mut asked);
            let runs = runs.map_err(|error| failed(error, &self.names))?;
            found.extend(runs.into_iter().map(|run| (*slot, run)));
        }
        self.emit(&window, found, context)?;
        self.settle(touched, window)
    }

    /// Emits matches.
    fn emit(&mut self, window: &Window, found: Vec<(u32, Run)>, context: &mut Context<'_>) -> Result<()> {
        for found in found.chunks(CHUNK) {
            let found: Vec<Match<'_>> = found.iter().map(|(slot, run)| window.of(*slot, run)).collect();
            let mut parts = Parts::new(found.len());
            while let Some(part) = parts.next() {
                let rows = self.rows_of(window, &found[part], context);
                if let Some(rows) = parts.settle(rows)? {
                    context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))?;
                }
            }
        }
        Ok(())
    }

    /// The rows of some matches; together they may be too large.
    fn rows_of(
        &mut self,
        window: &Window,
        found: &[Match<'_>],
        context: &Context<'_>,
    ) -> Result<RecordBatch> {
        let room = Room::of(found.len(), self.batch_bytes);
        let first = found.iter().map(Match::first_row).collect::<Result<Vec<u32>>>()?;
        let first = UInt32Array::from(first);
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        for key in &self.partition {
            columns.push(room.take(&window.columns()[*key], &first)?);
        }
        columns.append(&mut self.measures.evaluate(window, found, room, context)?);
        record_batch(&self.schema, columns, found.len())
    }

    /// Keeps the rows that open matches need; forgets the others, and keys without open matches.
    fn settle(&mut self, touched: &[u32], window: Window) -> Result<()> {
        let MatchRecognize { matchers, index, kept, .. } = self;
        let first = |slot| matchers.values().get(slot).first_row();
        kept.settle(touched, index.freed(), window, first)?;
        for slot in touched {
            if self.matchers.values().get(*slot).is_idle() {
                self.index.freed().extend(self.matchers.remove(*slot));
                continue;
            }
            self.matchers.mark(*slot);
            self.note_deadline(*slot);
        }
        Ok(())
    }

    fn note_deadline(&mut self, slot: u32) {
        let Some(deadline) = self.matchers.values().get(slot).deadline(&self.pattern) else { return };
        if self.matchers.values_mut().note(slot, deadline) {
            self.deadlines.push(deadline, slot);
        }
    }
}

/// The user's error message for a failed step.
fn failed(error: StepError<Error>, names: &[String]) -> Error {
    let name = |variable: usize| names.get(variable).map_or("", String::as_str);
    match error {
        StepError::Condition(error) => error,
        StepError::NoRowToSkipTo { variable } => Error::invalid(format!(
            "Could not skip to {0}: a match has no row of it; make {0} not optional, or skip elsewhere",
            name(variable)
        )),
        StepError::SkipsToFirstRow { variable } => Error::invalid(format!(
            "Could not skip to first element of a match: {} begins with it, and the same match would be found forever",
            name(variable)
        )),
    }
}

impl Operator for MatchRecognize {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        if let Some(pending) = &mut self.pending {
            pending.restore(&mut self.index, &mut restored)?;
            self.progress.restore(&mut restored, context.info)?;
        }
        self.index.restore(self.kept.state(), &mut restored)?;
        self.index.restore(&mut self.matchers, &mut restored)?;
        let live: Vec<u32> = self.matchers.live().collect();
        for slot in live {
            self.note_deadline(slot);
        }
        self.schedule(context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = insertions(batch, "MATCH_RECOGNIZE")?;
        let progress = self.progress;
        let rows = TimedRows::new(&batch, self.time_column, context.now, &self.partition, &mut self.index)?;
        match &mut self.pending {
            Some(pending) => pending.put(&rows.in_time(|_, time| progress.has_reached(time), context)?)?,
            None => {
                self.match_rows(&rows, context)?;
                self.schedule(context);
            }
        }
        self.release();
        Ok(())
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.progress.advance(watermark.0);
        while let Some(pending) = &mut self.pending
            && let Some(due) = pending.due(&mut self.index, watermark.0, CHUNK)?
        {
            self.match_rows(&due.ordered(&self.order)?, context)?;
        }
        if self.time_column.is_some() {
            self.expire(watermark.0, context)?;
        }
        self.release();
        context.output.watermark(watermark)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        if self.time_column.is_none() {
            self.expire(now, context)?;
            self.release();
            self.schedule(context);
        }
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        let index = &mut self.index;
        if let Some(pending) = &mut self.pending {
            pending.snapshot(index, full, &mut snapshot.keyed)?;
            self.progress.save(&mut snapshot);
        }
        index.snapshot(self.kept.state(), full, &mut snapshot.keyed)?;
        index.snapshot(&mut self.matchers, full, &mut snapshot.keyed)?;
        self.release();
        Ok(snapshot)
    }
}

impl MatchRecognize {
    /// In processing time: schedules a call for when the next open match times out.
    fn schedule(&self, context: &mut Context<'_>) {
        if let (None, Some(next)) = (self.time_column, self.deadlines.earliest()) {
            context.schedule(next);
        }
    }

    /// Forgets the keys for which nothing is kept.
    fn release(&mut self) {
        let MatchRecognize { index, pending, kept, matchers, .. } = self;
        index.release(|slot| {
            pending.as_ref().is_some_and(|pending| pending.occupied(slot))
                || kept.occupied(slot)
                || matchers.occupied(slot)
        });
    }
}

#[cfg(test)]
mod tests;
