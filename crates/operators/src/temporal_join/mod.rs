//! Temporal join in event time: each left row is joined with the version of the right side that was valid at
//! the row's time.
//!
//! Rows of the left side wait until the watermark of both inputs has passed them. By then all versions up to
//! their times have arrived, and nothing is ever retracted. A version is valid from its time until that of
//! the next version of its key; a deletion is an empty version. `-U` adds nothing to the `+U` that follows,
//! and is ignored.
//!
//! As in Flink, a late row of the left side is joined at the next watermark, with the versions that are still
//! known then.
//!
//! State: the waiting rows, and for each key the version that is valid at the watermark and all later ones.
//! Cost of a left row: waiting (see `pending`), one probe, and a binary search among the versions of its key.
//! Cost of a version: one probe and encoding it.

mod versions;

use arrow::array::ArrayRef;
use arrow::datatypes::{FieldRef, SchemaRef};
use flott_batch::bytes::runs;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, JoinKind, Schema, TemporalJoinSpec};
use flott_state::{OperatorSnapshot, RestoredState, SharedIndex};
use flott_types::{CheckpointId, Error, Result, Watermark};

use self::versions::Versions;
use crate::BuildContext;
use crate::support::{
    Expression, Pending, TimedRows, columns_of, gather, insertions, record_batch, take_columns,
};

/// How many rows are joined at a time.
const CHUNK: usize = 4096;

/// The operator.
pub(crate) struct TemporalJoin {
    schema: SchemaRef,
    left_join: bool,
    left_keys: Vec<usize>,
    left_time: usize,
    /// Shared by both sides, which have the same keys.
    index: SharedIndex,
    pending: Pending,
    versions: Versions,
    /// The condition in addition to the keys, over left columns, then right columns.
    condition: Option<(Expression, SchemaRef)>,
    /// Batches hold about this many bytes.
    batch_bytes: usize,
}

impl TemporalJoin {
    pub fn new(node: &ChainedNode, spec: &TemporalJoinSpec, context: &BuildContext) -> Result<Self> {
        let (left, right) = (crate::build::input(node, 0)?, crate::build::input(node, 1)?);
        let left_join = match spec.kind {
            JoinKind::Inner => false,
            JoinKind::Left => true,
            JoinKind::Right | JoinKind::Full | JoinKind::Semi | JoinKind::Anti => {
                return Err(Error::internal("a temporal join is INNER or LEFT").in_operator(&node.node.name));
            }
        };
        let condition = spec.condition.as_ref().map(|condition| {
            // Names may repeat; columns are identified by position.
            let both = left.columns.iter().chain(&right.columns).enumerate();
            let both = Schema::new(both.map(|(at, column)| (format!("c{at}"), column.ty.clone())));
            let expression = Expression::new(condition, &both, context)?;
            Ok::<_, Error>((expression, arrow_type::schema(both.iter())))
        });
        let (pending, mut index) = Pending::new(left, &spec.left_keys, spec.left_time, context)?;
        index.count_with(context.table_memory())?;
        let versions = Versions::new(right, spec)?;
        let same = |(left, right): (&FieldRef, &FieldRef)| left.data_type() == right.data_type();
        if !index.fields().iter().zip(versions.key_fields()).all(same) {
            return Err(Error::internal("the keys of a temporal join's sides are of different types")
                .in_operator(&node.node.name));
        }
        Ok(TemporalJoin {
            schema: arrow_type::schema(node.node.schema.iter()),
            left_join,
            left_keys: spec.left_keys.clone(),
            left_time: spec.left_time,
            index,
            pending,
            versions,
            condition: condition.transpose()?,
            batch_bytes: context.batch_bytes,
        })
    }

    /// Emits left rows with their versions.
    fn join(&mut self, rows: &TimedRows, context: &mut Context<'_>) -> Result<()> {
        let found = self.versions.find(&rows.slots, &rows.times);
        // A wide version may belong to many rows.
        let bytes = |row: usize| found[row].map_or(0, |version| self.versions.bytes_of(version));
        for run in runs(found.len(), self.batch_bytes, bytes) {
            let left: Vec<ArrayRef> =
                rows.columns.iter().map(|column| column.slice(run.start, run.len())).collect();
            self.send(&left, &found[run], context)?;
        }
        Ok(())
    }

    /// Forgets the keys that neither side needs.
    fn release(&mut self) {
        let TemporalJoin { index, pending, versions, .. } = self;
        index.release(|slot| pending.occupied(slot) || versions.occupied(slot));
    }

    fn send(&self, left: &[ArrayRef], found: &[Option<u32>], context: &mut Context<'_>) -> Result<()> {
        let entries: Vec<u32> = found.iter().flatten().copied().collect();
        let right = self.versions.rows(&entries)?;
        // For each left row, its row in `right`.
        let mut next = 0..;
        let mut partner: Vec<Option<u32>> =
            found.iter().map(|entry| entry.and_then(|_| next.next())).collect();
        self.apply_condition(left, &right, &mut partner, context)?;
        let mut left = left.to_vec();
        if !self.left_join {
            let rows: Vec<u32> =
                (0..partner.len() as u32).filter(|row| partner[*row as usize].is_some()).collect();
            left = take_columns(&left, &rows)?;
            partner.retain(Option::is_some);
        }
        if partner.is_empty() {
            return Ok(());
        }
        left.append(&mut gather(&right, &partner)?);
        let rows = record_batch(&self.schema, left, partner.len())?;
        context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))
    }

    /// Separates the pairs for which the condition does not hold.
    fn apply_condition(
        &self,
        left: &[ArrayRef],
        right: &[ArrayRef],
        partner: &mut [Option<u32>],
        context: &Context<'_>,
    ) -> Result<()> {
        let Some((condition, schema)) = &self.condition else { return Ok(()) };
        let rows: Vec<u32> =
            (0..partner.len() as u32).filter(|row| partner[*row as usize].is_some()).collect();
        if rows.is_empty() {
            return Ok(());
        }
        let mut columns = take_columns(left, &rows)?;
        columns.extend(right.iter().cloned());
        let holds = condition.holds(&record_batch(schema, columns, rows.len())?, context)?;
        for (pair, row) in rows.into_iter().enumerate() {
            if !holds.value(pair) {
                partner[row as usize] = None;
            }
        }
        Ok(())
    }
}

impl Operator for TemporalJoin {
    fn open(&mut self, mut restored: RestoredState, _: &mut Context<'_>) -> Result<()> {
        self.pending.restore(&mut self.index, &mut restored)?;
        self.versions.restore(&mut self.index, &mut restored)
    }

    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let index = &mut self.index;
        if input == 1 {
            self.versions.put(&columns_of(batch)?.compact()?, index)?;
        } else {
            let batch = insertions(batch, "the left of a temporal join")?;
            let time = Some(self.left_time);
            self.pending.put(&TimedRows::new(&batch, time, context.now, &self.left_keys, index)?)?;
        }
        self.release();
        self.index.count(|| self.pending.memory() + self.versions.memory())
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        while let Some(due) = self.pending.due(&mut self.index, watermark.0, CHUNK)? {
            self.join(&due, context)?;
        }
        self.versions.forget(watermark.0, self.index.freed());
        self.release();
        context.output.watermark(watermark)
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        self.pending.snapshot(&mut self.index, full, &mut snapshot.keyed)?;
        self.versions.snapshot(&mut self.index, full, &mut snapshot.keyed)?;
        self.release();
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests;
