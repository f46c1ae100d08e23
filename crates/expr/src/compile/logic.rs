//! AND and OR of three-valued logic that compute the right side only for the rows that the left side leaves open.

use arrow::array::{Array, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{and_kleene, or_kleene};
use flott_types::Result;

use super::node::{Evaluate, Node, booleans};
use super::operand::Operand;
use crate::kernel::{arrow_error, as_ref};
use crate::value::Value;

#[derive(Debug)]
pub(super) struct LazyLogic {
    pub(super) is_and: bool,
    pub(super) left: Node,
    pub(super) right: Operand,
}

impl Evaluate for LazyLogic {
    fn evaluate(&self, batch: &RecordBatch) -> Result<Value> {
        let rows = batch.num_rows();
        let left = self.left.evaluate(batch)?.to_array(rows)?;
        let left = booleans(&left)?;
        // FALSE decides AND, TRUE decides OR; NULL decides neither.
        let decided = if self.is_and { left.false_count() } else { left.true_count() };
        if decided == rows {
            return Ok(Value::array(as_ref(left.clone())));
        }
        let decides = if self.is_and { !left.values() } else { left.values().clone() };
        let open = match left.nulls() {
            _ if decided == 0 => BooleanBuffer::new_set(rows),
            Some(nulls) => !&(&decides & nulls.inner()),
            None => !&decides,
        };
        let right = self.right.evaluate(batch, &open)?.spread(&open)?.to_array(rows)?;
        let right = booleans(&right)?;
        let both = if self.is_and { and_kleene(left, right) } else { or_kleene(left, right) };
        Ok(Value::array(as_ref(both.map_err(arrow_error)?)))
    }
}
