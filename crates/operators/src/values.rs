//! The rows of VALUES as columns.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch, RecordBatchOptions};
use arrow::compute::concat;
use arrow::datatypes::Schema as ArrowSchema;
use flott_batch::arrow_type;
use flott_expr::{EvalContext, compile};
use flott_plan::{Expr, Schema};
use flott_types::{Error, Result};

use crate::BuildContext;

/// Computes the rows. Each expression is compiled and computed separately on one row without columns, because
/// there are few.
pub(crate) fn evaluate(rows: &[Vec<Expr>], schema: &Schema, context: &BuildContext) -> Result<RecordBatch> {
    let context = Arc::new(EvalContext::new(&context.of_expressions(), context.query_time as u64));
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    let row = RecordBatch::try_new_with_options(Arc::new(ArrowSchema::empty()), Vec::new(), &one_row)
        .map_err(|error| Error::internal("a row without columns").with_source(error))?;
    let arrow = arrow_type::schema(schema.iter());
    if rows.is_empty() {
        return Ok(RecordBatch::new_empty(arrow));
    }
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
