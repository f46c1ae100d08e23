//! The node that casts with Flink's semantics.

use std::sync::Arc;

use arrow::array::RecordBatch;
use flott_batch::arrow_type::to_arrow;
use flott_types::{LogicalType, Result};

use super::node::{Evaluate, Node};
use crate::cast::{CastOptions, cast_array, is_noop};
use crate::context::EvalContext;
use crate::value::Value;

#[derive(Debug)]
pub(super) struct FlinkCast {
    input: Node,
    from: LogicalType,
    to: LogicalType,
    is_try: bool,
    context: Arc<EvalContext>,
}

impl FlinkCast {
    pub(super) fn node(
        input: Node,
        from: LogicalType,
        to: LogicalType,
        is_try: bool,
        context: Arc<EvalContext>,
    ) -> Node {
        if is_noop(&from.kind, &to.kind) && to_arrow(&from) == to_arrow(&to) {
            return input;
        }
        Arc::new(FlinkCast { input, from, to, is_try, context })
    }
}

impl Evaluate for FlinkCast {
    fn evaluate(&self, batch: &RecordBatch) -> Result<Value> {
        let value = self.input.evaluate(batch)?;
        let options = CastOptions {
            time_zone: self.context.time_zone(),
            is_try: self.is_try,
            room: self.context.room(),
        };
        let array = cast_array(value.held(), &self.from, &self.to, options)?;
        Ok(if value.is_constant() { Value::constant(array) } else { Value::array(array) })
    }
}
