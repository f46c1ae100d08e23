//! Constant rows as a bounded source: one split, which the first subtask has from the start.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, RecordBatchOptions};
use arrow::compute::concat;
use arrow::datatypes::Schema as ArrowSchema;
use flott_batch::{ChangeBatch, arrow_type};
use flott_connector::{Poll, ReaderContext, SourceOutput, SourceReader, Split};
use flott_expr::{EvalContext, PlanContext, compile};
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
        Ok(Box::new(ValuesReader { rows, schema, options, pending: false }))
    };
    let split = Split { id: ROWS.to_owned(), payload: String::new() };
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
        let split = Split { id: ROWS.to_owned(), payload: String::new() };
        Ok(if self.pending { vec![split] } else { Vec::new() })
    }
}

/// The rows as columns. Each expression is compiled and computed alone on one row without columns: there are few.
fn evaluate(rows: &[Vec<Expr>], schema: &Schema, options: &TaskOptions) -> Result<RecordBatch> {
    let time_zone = options.time_zone()?;
    let plan = PlanContext {
        time_zone,
        query_time: options.query_time,
        streaming: !options.batch,
        ..PlanContext::default()
    };
    let context = Arc::new(EvalContext::new(&plan, options.query_time as u64));
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(ArrowSchema::empty()), Vec::new(), &one_row)
        .map_err(|error| Error::internal("a row without columns").with_source(error))?;
    let arrow = arrow_type::schema(schema.iter());
    let mut columns = Vec::with_capacity(schema.len());
    for (index, column) in schema.columns.iter().enumerate() {
        let mut cells = Vec::with_capacity(rows.len());
        for expressions in rows {
            let Some(expression) = expressions.get(index).filter(|_| expressions.len() == schema.len())
            else {
                return Err(Error::internal("rows of VALUES differ in length"));
            };
            let cell = compile(&expression.clone().cast(column.ty.clone()), &[], &context)?.evaluate(&row)?;
            cells.push(cell);
        }
        let cells: Vec<&dyn Array> = cells.iter().map(|cell| &**cell).collect();
        columns
            .push(concat(&cells).map_err(|error| Error::internal("columns of VALUES").with_source(error))?);
    }
    let count = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(arrow, columns, &count)
        .map_err(|error| Error::internal("columns of VALUES").with_source(error))
}
