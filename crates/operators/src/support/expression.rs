//! Expressions over the columns of a batch.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use flott_expr::{CompiledExpr, EvalContext, compile};
use flott_operator::Context;
use flott_plan::{Expr, Schema};
use flott_types::{Error, LogicalType, Result, Timestamp, Watermark};

use crate::BuildContext;

/// A compiled expression. A bare column costs nothing.
pub(crate) enum Expression {
    Column(usize),
    Compiled { expr: CompiledExpr, context: Arc<EvalContext> },
}

impl Expression {
    pub fn new(expr: &Expr, input: &Schema, context: &BuildContext) -> Result<Self> {
        if let Expr::Column { index, .. } = expr {
            return match *index < input.len() {
                true => Ok(Expression::Column(*index)),
                false => Err(Error::internal(format!("there is no column {index}"))),
            };
        }
        let types: Vec<LogicalType> = input.columns.iter().map(|column| column.ty.clone()).collect();
        let evaluation = EvalContext::new(&context.of_expressions(), context.seed);
        let context = Arc::new(evaluation.with_batch_bytes(context.batch_bytes));
        Ok(Expression::Compiled { expr: compile(expr, &types, &context)?, context })
    }

    /// One value per row. Strings and collections may be too large together: see [`super::in_parts`].
    pub fn evaluate(&self, columns: &RecordBatch, at: &Context<'_>) -> Result<ArrayRef> {
        self.evaluate_at(columns, at.now, at.watermark)
    }

    /// Like [`Expression::evaluate`], outside an operator.
    pub fn evaluate_at(
        &self,
        columns: &RecordBatch,
        now: Timestamp,
        watermark: Watermark,
    ) -> Result<ArrayRef> {
        match self {
            Expression::Column(index) => Ok(columns.column(*index).clone()),
            Expression::Compiled { expr, context } => {
                context.set_now(now);
                context.set_watermark(watermark.0);
                expr.evaluate(columns)
            }
        }
    }

    /// The rows for which it is TRUE.
    pub fn holds(&self, columns: &RecordBatch, at: &Context<'_>) -> Result<BooleanBuffer> {
        let truth = self.evaluate(columns, at)?;
        let truth = truth.as_boolean_opt().ok_or_else(|| Error::internal("a condition is BOOLEAN"))?;
        Ok(match truth.nulls() {
            Some(nulls) => truth.values() & nulls.inner(),
            None => truth.values().clone(),
        })
    }
}
