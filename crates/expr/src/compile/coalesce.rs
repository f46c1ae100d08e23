//! COALESCE that computes an argument only for the rows in which all arguments before it are NULL.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::buffer::BooleanBuffer;
use flott_types::Result;

use super::limit;
use super::node::{Evaluate, Node};
use super::operand::Operand;
use crate::context::EvalContext;
use crate::kernel::fill;
use crate::value::Value;

#[derive(Debug)]
pub(super) struct LazyCoalesce {
    pub(super) first: Node,
    pub(super) rest: Vec<Operand>,
    pub(super) context: Arc<EvalContext>,
}

impl Evaluate for LazyCoalesce {
    fn evaluate(&self, batch: &RecordBatch) -> Result<Value> {
        let (rows, room) = (batch.num_rows(), self.context.room());
        let mut result = limit::column(&self.first.evaluate(batch)?, rows, room)?;
        for operand in &self.rest {
            if result.null_count() == 0 {
                break;
            }
            let open = match result.nulls() {
                Some(nulls) => !nulls.inner(),
                None => BooleanBuffer::new_unset(rows),
            };
            let next = operand.evaluate(batch, &open)?.spread(&open)?;
            result = fill(&result, &limit::column(&next, rows, room)?, room)?;
        }
        Ok(Value::array(result))
    }
}
