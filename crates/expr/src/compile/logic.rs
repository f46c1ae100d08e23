//! Three-valued AND and OR that compute an operand only for the rows that the operands to its left leave
//! undecided.

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch};
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
    pub(super) first: Node,
    pub(super) rest: Vec<Operand>,
}

impl Evaluate for LazyLogic {
    fn evaluate(&self, batch: &RecordBatch) -> Result<Value> {
        let rows = batch.num_rows();
        let mut left = self.first.evaluate(batch)?.to_array(rows)?;
        for right in &self.rest {
            match self.joined(booleans(&left)?, right, batch)? {
                Some(both) => left = both,
                None => break,
            }
        }
        Ok(Value::array(left))
    }
}

impl LazyLogic {
    /// With one more operand; `None` if the left side decides all rows.
    fn joined(&self, left: &BooleanArray, right: &Operand, batch: &RecordBatch) -> Result<Option<ArrayRef>> {
        let rows = batch.num_rows();
        // FALSE decides AND, TRUE decides OR; NULL decides neither.
        let decided = if self.is_and { left.false_count() } else { left.true_count() };
        if decided == rows {
            return Ok(None);
        }
        let decides = if self.is_and { !left.values() } else { left.values().clone() };
        let open = match left.nulls() {
            _ if decided == 0 => BooleanBuffer::new_set(rows),
            Some(nulls) => !&(&decides & nulls.inner()),
            None => !&decides,
        };
        let right = right.evaluate(batch, &open)?.spread(&open)?.to_array(rows)?;
        let right = booleans(&right)?;
        let both = if self.is_and { and_kleene(left, right) } else { or_kleene(left, right) };
        both.map(|both| Some(as_ref(both))).map_err(arrow_error)
    }
}
