//! COALESCE that computes an argument only for the rows for which all before it are NULL.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Schema};
use datafusion_common::Result as DfResult;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;

use super::limit::Limit;
use super::{Node, to_datafusion};
use crate::functions::fill;

#[derive(PartialEq, Eq, Hash, Debug)]
pub(super) struct LazyCoalesce {
    args: Vec<Node>,
    /// Which arguments can fail: the others are computed for all rows, which is cheaper than choosing rows.
    can_fail: Vec<bool>,
    arrow: DataType,
    limit: Limit,
}

impl LazyCoalesce {
    pub(super) fn node(args: Vec<Node>, can_fail: Vec<bool>, arrow: DataType, limit: Limit) -> Node {
        Arc::new(LazyCoalesce { args, can_fail, arrow, limit })
    }
}

impl PhysicalExpr for LazyCoalesce {
    fn data_type(&self, _: &Schema) -> DfResult<DataType> {
        Ok(self.arrow.clone())
    }

    fn nullable(&self, _: &Schema) -> DfResult<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        let rows = batch.num_rows();
        let mut result = self.limit.array(self.args[0].evaluate(batch)?, rows)?;
        for (arg, can_fail) in self.args.iter().zip(&self.can_fail).skip(1) {
            if result.null_count() == 0 {
                break;
            }
            let next = if *can_fail {
                let open = BooleanBuffer::collect_bool(rows, |row| result.is_null(row));
                arg.evaluate_selection(batch, &BooleanArray::new(open, None))?
            } else {
                arg.evaluate(batch)?
            };
            let next = self.limit.array(next, rows)?;
            result = fill(&result, &next, self.limit.room()).map_err(to_datafusion)?;
        }
        Ok(ColumnarValue::Array(result))
    }

    fn children(&self) -> Vec<&Node> {
        self.args.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, args: Vec<Node>) -> DfResult<Node> {
        Ok(LazyCoalesce::node(args, self.can_fail.clone(), self.arrow.clone(), self.limit.clone()))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for LazyCoalesce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("COALESCE(")?;
        for (at, arg) in self.args.iter().enumerate() {
            write!(f, "{}{arg}", if at > 0 { ", " } else { "" })?;
        }
        f.write_str(")")
    }
}
