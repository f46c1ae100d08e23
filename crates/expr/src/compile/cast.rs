//! The node that casts with Flink's semantics.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use datafusion_common::{Result as DfResult, ScalarValue};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use flott_batch::arrow_type::to_arrow;
use flott_types::LogicalType;

use super::call::to_value;
use super::{Node, to_datafusion};
use crate::cast::{CastOptions, cast_array, is_noop};
use crate::context::EvalContext;

#[derive(Debug)]
pub(super) struct FlinkCast {
    input: Node,
    from: LogicalType,
    to: LogicalType,
    is_try: bool,
    arrow: DataType,
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
        let arrow = to_arrow(&to);
        Arc::new(FlinkCast { input, from, to, is_try, arrow, context })
    }
}

impl PhysicalExpr for FlinkCast {
    fn data_type(&self, _: &Schema) -> DfResult<DataType> {
        Ok(self.arrow.clone())
    }

    fn nullable(&self, _: &Schema) -> DfResult<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        let value = to_value(self.input.evaluate(batch)?)?;
        let options = CastOptions {
            time_zone: self.context.time_zone(),
            is_try: self.is_try,
            room: self.context.room(),
        };
        let array = cast_array(value.held(), &self.from, &self.to, options).map_err(to_datafusion)?;
        if value.is_constant() {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }

    fn children(&self) -> Vec<&Node> {
        vec![&self.input]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Node>) -> DfResult<Node> {
        let input = children.into_iter().next().unwrap_or_else(|| self.input.clone());
        Ok(Arc::new(FlinkCast {
            input,
            from: self.from.clone(),
            to: self.to.clone(),
            is_try: self.is_try,
            arrow: self.arrow.clone(),
            context: self.context.clone(),
        }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for FlinkCast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.is_try { "TRY_CAST" } else { "CAST" };
        write!(f, "{name}({} AS {})", self.input, self.to.kind)
    }
}

impl PartialEq for FlinkCast {
    fn eq(&self, other: &Self) -> bool {
        self.is_try == other.is_try && self.to == other.to && self.input.eq(&other.input)
    }
}

impl Eq for FlinkCast {}

impl Hash for FlinkCast {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to.hash(state);
        self.is_try.hash(state);
        self.input.hash(state);
    }
}
