//! Expressions over the columns of a batch.

use arrow::array::{ArrayRef, RecordBatch};
use flott_operator::Context;
use flott_plan::{Expr, Schema};
use flott_types::{Error, Result};

use crate::BuildContext;

/// A compiled expression. A bare column costs nothing.
pub(crate) enum Expression {
    Column(usize),
}

impl Expression {
    pub fn new(expr: &Expr, input: &Schema, context: &BuildContext) -> Result<Self> {
        let _ = (input, context);
        match expr {
            Expr::Column { index, .. } => Ok(Expression::Column(*index)),
            _ => Err(Error::unsupported("expressions")),
        }
    }

    /// Whether it only names a column, so that it may see rows that do not count.
    pub fn is_column(&self) -> bool {
        matches!(self, Expression::Column(_))
    }

    /// One value a row.
    pub fn evaluate(&mut self, columns: &RecordBatch, context: &Context<'_>) -> Result<ArrayRef> {
        let _ = context;
        match self {
            Expression::Column(index) => Ok(columns.column(*index).clone()),
        }
    }
}
