//! The node that calls a function of the registry.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use datafusion_common::{Result as DfResult, ScalarValue};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use flott_batch::arrow_type::to_arrow;
use flott_plan::Expr;
use flott_types::{LogicalType, Result};

use super::limit::check_constants;
use super::{Node, to_datafusion};
use crate::context::EvalContext;
use crate::function::{Argument, Call, Determinism, PreparedFunction, ScalarFunction};
use crate::value::Value;

#[derive(Debug)]
pub(super) struct FlinkCall {
    function: &'static dyn ScalarFunction,
    prepared: Option<Arc<dyn PreparedFunction>>,
    args: Vec<Node>,
    arg_types: Vec<LogicalType>,
    result: LogicalType,
    arrow: DataType,
    context: Arc<EvalContext>,
}

impl FlinkCall {
    pub(super) fn node(
        function: &'static dyn ScalarFunction,
        args: &[Expr],
        nodes: Vec<Node>,
        result: &LogicalType,
        context: &Arc<EvalContext>,
    ) -> Result<Node> {
        let arguments: Vec<_> = args
            .iter()
            .map(|arg| Argument {
                ty: arg.ty(),
                literal: match arg {
                    Expr::Literal { value, .. } => Some(value),
                    _ => None,
                },
            })
            .collect();
        let prepared = function.prepare(&arguments, result)?.map(Arc::from);
        Ok(Arc::new(FlinkCall {
            function,
            prepared,
            args: nodes,
            arg_types: args.iter().map(|arg| arg.ty().clone()).collect(),
            result: result.clone(),
            arrow: to_arrow(result),
            context: context.clone(),
        }))
    }
}

/// A value of DataFusion's as an argument of ours.
pub(super) fn to_value(value: ColumnarValue) -> DfResult<Value> {
    Ok(match value {
        ColumnarValue::Array(array) => Value::array(array),
        ColumnarValue::Scalar(scalar) => Value::constant(scalar.to_array()?),
    })
}

impl PhysicalExpr for FlinkCall {
    fn data_type(&self, _: &Schema) -> DfResult<DataType> {
        Ok(self.arrow.clone())
    }

    fn nullable(&self, _: &Schema) -> DfResult<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        let args =
            self.args.iter().map(|arg| to_value(arg.evaluate(batch)?)).collect::<DfResult<Vec<_>>>()?;
        // What is the same for every row is computed once.
        let constant =
            args.iter().all(Value::is_constant) && self.function.determinism() != Determinism::Never;
        let rows = if constant { 1 } else { batch.num_rows() };
        check_constants(&args, rows, self.context.room()).map_err(to_datafusion)?;
        let call = Call { rows, arg_types: &self.arg_types, result: &self.result, context: &self.context };
        let array = match &self.prepared {
            Some(prepared) => prepared.evaluate(&args, &call),
            None => self.function.evaluate(&args, &call),
        }
        .map_err(to_datafusion)?;
        debug_assert_eq!(array.len(), rows, "{} gave a wrong number of rows", self.function.name());
        debug_assert_eq!(*array.data_type(), self.arrow, "{} gave a wrong type", self.function.name());
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }

    fn children(&self) -> Vec<&Node> {
        self.args.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, args: Vec<Node>) -> DfResult<Node> {
        Ok(Arc::new(FlinkCall {
            function: self.function,
            prepared: self.prepared.clone(),
            args,
            arg_types: self.arg_types.clone(),
            result: self.result.clone(),
            arrow: self.arrow.clone(),
            context: self.context.clone(),
        }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }

    fn is_volatile_node(&self) -> bool {
        self.function.determinism() == Determinism::Never
    }
}

impl fmt::Display for FlinkCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.name())?;
        for (at, arg) in self.args.iter().enumerate() {
            write!(f, "{}{arg}", if at > 0 { ", " } else { "" })?;
        }
        f.write_str(")")
    }
}

impl PartialEq for FlinkCall {
    fn eq(&self, other: &Self) -> bool {
        self.function.name() == other.function.name()
            && self.result == other.result
            && self.args == other.args
    }
}

impl Eq for FlinkCall {}

impl Hash for FlinkCall {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name().hash(state);
        self.args.hash(state);
    }
}
