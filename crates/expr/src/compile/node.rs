//! What a compiled expression consists of, and the nodes that have no optional operands.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{is_not_null, is_null, not};
use flott_types::{Error, Result};

use crate::kernel::{arrow_error, as_ref};
use crate::value::Value;

/// One node of a compiled expression: computes its value for all rows of a batch.
pub(super) trait Evaluate: Debug + Send + Sync {
    /// One value per row, or one for all rows.
    fn evaluate(&self, batch: &RecordBatch) -> Result<Value>;
}

/// A node and what is below it.
pub(super) type Node = Arc<dyn Evaluate>;

/// The array as BOOLEANs.
pub(super) fn booleans(array: &ArrayRef) -> Result<&BooleanArray> {
    let found = || Error::internal(format!("a condition of type {}", array.data_type()));
    array.as_boolean_opt().ok_or_else(found)
}

/// A column of the batch, by position.
#[derive(Debug)]
pub(super) struct Column(pub usize);

impl Evaluate for Column {
    fn evaluate(&self, batch: &RecordBatch) -> Result<Value> {
        let column = batch.columns().get(self.0);
        let column = column.ok_or_else(|| Error::internal(format!("a batch has no column {}", self.0)))?;
        Ok(Value::array(column.clone()))
    }
}

/// A literal.
#[derive(Debug)]
pub(super) struct Constant(pub ArrayRef);

impl Evaluate for Constant {
    fn evaluate(&self, _: &RecordBatch) -> Result<Value> {
        Ok(Value::constant(self.0.clone()))
    }
}

/// A test of one value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Question {
    /// NOT, of a BOOLEAN.
    Not,
    /// IS NULL
    IsNull,
    /// IS NOT NULL
    IsNotNull,
}

/// Applies a test to one value.
#[derive(Debug)]
pub(super) struct Ask {
    pub question: Question,
    pub input: Node,
}

impl Evaluate for Ask {
    fn evaluate(&self, batch: &RecordBatch) -> Result<Value> {
        let value = self.input.evaluate(batch)?;
        let answer = match self.question {
            Question::Not => not(booleans(value.held())?),
            Question::IsNull => is_null(value.held()),
            Question::IsNotNull => is_not_null(value.held()),
        };
        let answer = as_ref(answer.map_err(arrow_error)?);
        Ok(if value.is_constant() { Value::constant(answer) } else { Value::array(answer) })
    }
}
