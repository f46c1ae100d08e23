//! The node that calls a function of the registry.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use flott_batch::arrow_type::to_arrow;
use flott_plan::Expr;
use flott_types::{LogicalType, Result};

use super::limit::check_constants;
use super::node::{Evaluate, Node};
use crate::context::EvalContext;
use crate::function::{Argument, Call, Determinism, PreparedFunction, ScalarFunction};
use crate::value::Value;

#[derive(Debug)]
pub(super) struct FlinkCall {
    function: Arc<dyn ScalarFunction>,
    prepared: Option<Box<dyn PreparedFunction>>,
    args: Vec<Node>,
    arg_types: Vec<LogicalType>,
    result: LogicalType,
    arrow: DataType,
    context: Arc<EvalContext>,
}

impl FlinkCall {
    pub(super) fn node(
        function: Arc<dyn ScalarFunction>,
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
        Ok(Arc::new(FlinkCall {
            prepared: function.prepare(&arguments, result)?,
            function,
            args: nodes,
            arg_types: args.iter().map(|arg| arg.ty().clone()).collect(),
            result: result.clone(),
            arrow: to_arrow(result),
            context: context.clone(),
        }))
    }
}

impl Evaluate for FlinkCall {
    fn evaluate(&self, batch: &RecordBatch) -> Result<Value> {
        let args = self.args.iter().map(|arg| arg.evaluate(batch)).collect::<Result<Vec<_>>>()?;
        // A result that is the same for every row is computed once.
        let constant =
            args.iter().all(Value::is_constant) && self.function.determinism() != Determinism::Never;
        let rows = if constant { 1 } else { batch.num_rows() };
        check_constants(&args, rows, self.context.room())?;
        let call = Call { rows, arg_types: &self.arg_types, result: &self.result, context: &self.context };
        let array = match &self.prepared {
            Some(prepared) => prepared.evaluate(&args, &call),
            None => self.function.evaluate(&args, &call),
        }?;
        debug_assert_eq!(array.len(), rows, "{} gave a wrong number of rows", self.function.name());
        debug_assert_eq!(*array.data_type(), self.arrow, "{} gave a wrong type", self.function.name());
        Ok(if constant { Value::constant(array) } else { Value::array(array) })
    }
}
