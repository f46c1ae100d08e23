//! Constant rows as a bounded source: one split, which the first subtask has from the start.

use arrow::array::RecordBatch;
use flott_batch::{ChangeBatch, arrow_type};
use flott_connector::{Poll, ReaderContext, SourceOutput, SourceReader, Split};
use flott_operator::{OperatorMetrics, TaskInfo};
use flott_plan::{Expr, Schema};
use flott_types::{Error, Result};

use crate::TaskOptions;
use crate::source::SourceHead;

/// The id of the only split.
const ROWS: &str = "values";

/// The head of a task that emits constant rows.
pub(crate) fn source(
    info: TaskInfo,
    rows: Vec<Vec<Expr>>,
    schema: &Schema,
    options: &TaskOptions,
    metrics: OperatorMetrics,
) -> Result<SourceHead> {
    let first = info.subtask.0 == 0;
    let schema = schema.clone();
    let options = options.clone();
    let factory = move |_: ReaderContext| -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(ValuesReader {
            rows,
            schema,
            options,
            pending: false,
        }))
    };
    let split = Split {
        id: ROWS.to_owned(),
        payload: String::new(),
    };
    let splits = if first { vec![split] } else { Vec::new() };
    Ok(SourceHead::new(info, Box::new(factory), metrics).with_fixed_splits(splits))
}

struct ValuesReader {
    rows: Vec<Vec<Expr>>,
    schema: Schema,
    options: TaskOptions,
    /// The rows are still to be emitted.
    pending: bool,
}

impl SourceReader for ValuesReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        self.pending |= !splits.is_empty();
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if !self.pending {
            return Ok(Poll::SplitsDone);
        }
        self.pending = false;
        if !self.rows.is_empty() {
            let columns = evaluate(&self.rows, &self.schema, &self.options)?;
            output.emit(ROWS, ChangeBatch::insert_only(columns).into())?;
        }
        Ok(Poll::More)
    }

    fn snapshot(&mut self) -> Result<Vec<Split>> {
        let split = Split {
            id: ROWS.to_owned(),
            payload: String::new(),
        };
        Ok(if self.pending { vec![split] } else { Vec::new() })
    }
}

/// The rows as columns.
fn evaluate(rows: &[Vec<Expr>], schema: &Schema, options: &TaskOptions) -> Result<RecordBatch> {
    let _ = (rows, options, arrow_type::schema(schema.iter()));
    Err(Error::unsupported("constant rows"))
}
