//! AND and OR of three-valued logic that compute the right side only for the rows that the left side leaves open.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{and_kleene, or_kleene};
use arrow::datatypes::{DataType, Schema};
use datafusion_common::Result as DfResult;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use flott_types::Error;

use super::{Node, to_datafusion};

#[derive(Debug)]
pub(super) struct LazyLogic {
    is_and: bool,
    left: Node,
    right: Node,
    right_can_fail: bool,
}

impl LazyLogic {
    pub(super) fn node(is_and: bool, left: Node, right: Node, right_can_fail: bool) -> Node {
        Arc::new(LazyLogic { is_and, left, right, right_can_fail })
    }
}

fn booleans(array: &ArrayRef) -> DfResult<&BooleanArray> {
    array.as_boolean_opt().ok_or_else(|| {
        to_datafusion(Error::internal(format!("logic on a column of type {}", array.data_type())))
    })
}

impl PhysicalExpr for LazyLogic {
    fn data_type(&self, _: &Schema) -> DfResult<DataType> {
        Ok(DataType::Boolean)
    }

    fn nullable(&self, _: &Schema) -> DfResult<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        let rows = batch.num_rows();
        let left = self.left.evaluate(batch)?.into_array(rows)?;
        let left = booleans(&left)?;
        // FALSE decides AND, TRUE decides OR; NULL decides neither.
        let decided = if self.is_and { left.false_count() } else { left.true_count() };
        if decided == rows {
            return Ok(ColumnarValue::Array(Arc::new(left.clone())));
        }
        let right = if decided == 0 || !self.right_can_fail {
            self.right.evaluate(batch)?
        } else {
            let open = |value: Option<bool>| value != Some(!self.is_and);
            let open: BooleanArray = left.iter().map(|value| Some(open(value))).collect();
            self.right.evaluate_selection(batch, &open)?
        };
        let right = right.into_array(rows)?;
        let right = booleans(&right)?;
        let both = if self.is_and { and_kleene(left, right)? } else { or_kleene(left, right)? };
        Ok(ColumnarValue::Array(Arc::new(both)))
    }

    fn children(&self) -> Vec<&Node> {
        vec![&self.left, &self.right]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Node>) -> DfResult<Node> {
        let mut children = children.into_iter();
        let left = children.next().unwrap_or_else(|| self.left.clone());
        let right = children.next().unwrap_or_else(|| self.right.clone());
        Ok(LazyLogic::node(self.is_and, left, right, self.right_can_fail))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for LazyLogic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} {} {})", self.left, if self.is_and { "AND" } else { "OR" }, self.right)
    }
}

impl PartialEq for LazyLogic {
    fn eq(&self, other: &Self) -> bool {
        self.is_and == other.is_and && self.left.eq(&other.left) && self.right.eq(&other.right)
    }
}

impl Eq for LazyLogic {}

impl Hash for LazyLogic {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.is_and.hash(state);
        self.left.hash(state);
        self.right.hash(state);
    }
}
