//! Batch queries: work that is done once all rows have arrived.
//!
//! | file | what |
//! |---|---|
//! | `rows` | the rows that result from a changelog |
//!
//! A changelog that is held back until its end is a table: append-only sinks accept it, and OVER can look in
//! both directions.
//!
//! Cost: each row is kept as a key of a table until the end.

mod rows;

use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use arrow::datatypes::SchemaRef;
use flott_batch::bytes::of_column;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::ChainedNode;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Error, Result};

use self::rows::Rows;
use crate::BuildContext;
use crate::over::{CompleteOver, CompleteParts};
use crate::support::{columns_of, kernel, record_batch};

/// How many rows are sent at a time.
const CHUNK: usize = 8_192;

/// Holds rows back until the end, and computes OVER if requested.
pub(crate) struct AtEnd {
    schema: SchemaRef,
    rows: Rows,
    over: Option<CompleteOver>,
}

impl AtEnd {
    /// Emits the rows unchanged.
    pub fn new(node: &ChainedNode, context: &BuildContext) -> Result<Self> {
        let rows = Rows::new(crate::build::input(node, 0)?, &[], context)?;
        Ok(AtEnd { schema: arrow_type::schema(node.node.schema.iter()), rows, over: None })
    }

    /// Emits the rows with OVER functions.
    pub fn over(node: &ChainedNode, parts: &CompleteParts<'_>, context: &BuildContext) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        Ok(AtEnd {
            schema: arrow_type::schema(node.node.schema.iter()),
            rows: Rows::new(input, parts.partition, context)?,
            over: Some(CompleteOver::new(input, parts, context)?),
        })
    }
}

impl Operator for AtEnd {
    fn open(&mut self, mut restored: RestoredState, _: &mut Context<'_>) -> Result<()> {
        self.rows.restore(&mut restored)
    }

    fn process(&mut self, _: usize, batch: Batch, _: &mut Context<'_>) -> Result<()> {
        self.rows.add(&columns_of(batch)?.compact()?)
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        let mut taken = self.rows.take()?;
        if let Some(over) = &self.over {
            if taken.is_empty() {
                return Ok(());
            }
            let (columns, rows) = concatenated(taken)?;
            taken = vec![(over.compute(columns)?.0, rows)];
        }
        for (columns, rows) in taken {
            let all = record_batch(&self.schema, columns, rows)?;
            for start in (0..rows).step_by(CHUNK) {
                let part = all.slice(start, CHUNK.min(rows - start));
                context.output.emit(Batch::Changes(ChangeBatch::insert_only(part)))?;
            }
        }
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        snapshot.keyed.extend(self.rows.snapshot(full)?);
        Ok(snapshot)
    }
}

/// All rows of one subtask, concatenated, because OVER sorts them.
fn concatenated(runs: Vec<(Vec<ArrayRef>, usize)>) -> Result<(Vec<ArrayRef>, usize)> {
    let rows = runs.iter().map(|(_, rows)| rows).sum();
    let width = runs.first().map_or(0, |(columns, _)| columns.len());
    let whole = |at: usize| {
        let parts: Vec<&dyn Array> =
            runs.iter().filter_map(|(columns, _)| columns.get(at)).map(AsRef::as_ref).collect();
        if parts.iter().map(|part| of_column(*part)).sum::<usize>() > i32::MAX as usize {
            return Err(Error::unsupported(
                "OVER of a batch query over more than 2 GB of one column in one subtask; a higher parallelism spreads its partitions",
            ));
        }
        concat(&parts).map_err(kernel)
    };
    Ok(((0..width).map(whole).collect::<Result<_>>()?, rows))
}

#[cfg(test)]
mod tests;
