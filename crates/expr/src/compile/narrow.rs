//! An operand with only the columns that it reads, so that choosing rows for it copies no others.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion_common::Result as DfResult;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;

use super::Node;

#[derive(Debug)]
pub(super) struct Narrow {
    /// The columns that the operand reads. These are the children: whoever moves columns about moves them here.
    columns: Vec<Node>,
    /// The operand, over a batch of those columns.
    inner: Node,
    schema: SchemaRef,
    arrow: DataType,
}

impl Narrow {
    pub(super) fn node(columns: Vec<Node>, inner: Node, schema: SchemaRef, arrow: DataType) -> Node {
        Arc::new(Narrow { columns, inner, schema, arrow })
    }

    fn narrow(&self, batch: &RecordBatch) -> DfResult<RecordBatch> {
        let rows = batch.num_rows();
        let arrays = self.columns.iter().map(|column| column.evaluate(batch)?.into_array(rows));
        let arrays = arrays.collect::<DfResult<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)?)
    }
}

impl PhysicalExpr for Narrow {
    fn data_type(&self, _: &Schema) -> DfResult<DataType> {
        Ok(self.arrow.clone())
    }

    fn nullable(&self, _: &Schema) -> DfResult<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        self.inner.evaluate(&self.narrow(batch)?)
    }

    fn evaluate_selection(&self, batch: &RecordBatch, selection: &BooleanArray) -> DfResult<ColumnarValue> {
        self.inner.evaluate_selection(&self.narrow(batch)?, selection)
    }

    fn children(&self) -> Vec<&Node> {
        self.columns.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, columns: Vec<Node>) -> DfResult<Node> {
        Ok(Narrow::node(columns, self.inner.clone(), self.schema.clone(), self.arrow.clone()))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Narrow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

impl PartialEq for Narrow {
    fn eq(&self, other: &Self) -> bool {
        self.columns == other.columns && self.inner.eq(&other.inner)
    }
}

impl Eq for Narrow {}

impl Hash for Narrow {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.columns.hash(state);
        self.inner.hash(state);
    }
}
