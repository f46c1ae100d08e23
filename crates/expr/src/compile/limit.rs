//! How large the values of an expression may become, for nodes that put columns together themselves.
//!
//! Functions look at it in [`crate::function::Call::room`]. A constant is held once, however many rows it stands for: it is large only
//! when it becomes a column.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use datafusion_common::Result as DfResult;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use flott_batch::bytes::{Room, of_column};
use flott_types::Result;

use super::{Node, to_datafusion};
use crate::context::EvalContext;
use crate::value::Value;

/// The limit of an expression's context. It does not tell one node from another.
#[derive(Clone, Debug)]
pub(super) struct Limit(pub Arc<EvalContext>);

impl Limit {
    pub(super) fn room(&self) -> Room {
        self.0.room()
    }

    /// One element a row.
    pub(super) fn array(&self, value: ColumnarValue, rows: usize) -> DfResult<ArrayRef> {
        match value {
            ColumnarValue::Array(array) => Ok(array),
            ColumnarValue::Scalar(scalar) => {
                self.room().fits(rows * of_column(&scalar.to_array()?)).map_err(to_datafusion)?;
                scalar.to_array_of_size(rows)
            }
        }
    }
}

impl PartialEq for Limit {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Limit {}

impl Hash for Limit {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// The bytes of a value that stands for so many rows.
pub(super) fn bytes_of(value: &Value, rows: usize) -> usize {
    of_column(value.held()) * if value.is_constant() { rows } else { 1 }
}

/// Refuses constants among the arguments of a function that are large when they are copied for each row.
pub(super) fn check_constants(args: &[Value], rows: usize, room: Room) -> Result<()> {
    args.iter().filter(|arg| arg.is_constant()).try_for_each(|arg| room.fits(bytes_of(arg, rows)))
}

/// The values of a CASE of DataFusion's, which puts them together without looking at their size: they are summed up before it does.
#[derive(Debug)]
pub(super) struct Summed {
    inner: Node,
    limit: Limit,
    sum: Arc<AtomicUsize>,
    /// The CASE itself, with which the sum begins anew, and no value of it.
    whole: bool,
}

impl Summed {
    /// A CASE of these parts, made by `case`; `is_large` says which values may be.
    pub(super) fn case(
        branches: Vec<(Node, Node, bool)>,
        (otherwise, is_large): (Node, bool),
        limit: &Limit,
        case: impl FnOnce(Vec<(Node, Node)>, Node) -> DfResult<Node>,
    ) -> DfResult<Node> {
        let sum = Arc::new(AtomicUsize::new(0));
        let summed = |inner: Node, whole: bool| -> Node {
            Arc::new(Summed { inner, limit: limit.clone(), sum: sum.clone(), whole })
        };
        let value = |node: Node, is_large: bool| if is_large { summed(node, false) } else { node };
        let branches = branches.into_iter().map(|(when, then, is_large)| (when, value(then, is_large)));
        Ok(summed(case(branches.collect(), value(otherwise, is_large))?, true))
    }
}

impl PhysicalExpr for Summed {
    fn data_type(&self, input: &Schema) -> DfResult<DataType> {
        self.inner.data_type(input)
    }

    fn nullable(&self, input: &Schema) -> DfResult<bool> {
        self.inner.nullable(input)
    }

    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        if self.whole {
            self.sum.store(0, Ordering::Relaxed);
            return self.inner.evaluate(batch);
        }
        let value = self.inner.evaluate(batch)?;
        let bytes = match &value {
            ColumnarValue::Array(array) => of_column(array),
            ColumnarValue::Scalar(scalar) => batch.num_rows() * of_column(&scalar.to_array()?),
        };
        let sum = self.sum.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.limit.room().fits(sum).map_err(to_datafusion)?;
        Ok(value)
    }

    fn children(&self) -> Vec<&Node> {
        vec![&self.inner]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Node>) -> DfResult<Node> {
        let inner = children.into_iter().next().unwrap_or_else(|| self.inner.clone());
        Ok(Arc::new(Summed { inner, limit: self.limit.clone(), sum: self.sum.clone(), whole: self.whole }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Summed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

impl PartialEq for Summed {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for Summed {}

impl Hash for Summed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}
