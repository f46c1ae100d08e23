//! An operand that is computed only for some of the rows if it can fail for others.
//!
//! Selecting rows copies them, so only the columns that the operand reads are selected. An operand that
//! cannot fail is computed for all rows, which is cheaper.

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{FilterBuilder, take};
use arrow::datatypes::{DataType, SchemaRef};
use flott_types::{Error, Result};

use super::node::Node;
use crate::kernel::{arrow_error, as_ref};
use crate::value::Value;

/// An operand that may be skipped for some of the rows.
#[derive(Debug)]
pub(super) struct Operand {
    /// Takes a batch of the columns that it reads if it can fail; otherwise the whole batch.
    node: Node,
    arrow: DataType,
    reads: Option<Reads>,
}

/// The columns that an operand reads.
#[derive(Debug)]
pub(super) struct Reads {
    pub positions: Vec<usize>,
    pub schema: SchemaRef,
}

/// The result of an operand.
pub(super) enum Part {
    /// A value for every row, or one for all; for rows that were not requested it is arbitrary.
    Whole(Value),
    /// A value for each requested row.
    Chosen(ArrayRef),
}

impl Operand {
    /// An operand that is computed for all rows.
    pub(super) fn safe(node: Node, arrow: DataType) -> Self {
        Operand { node, arrow, reads: None }
    }

    /// An operand that is computed only for rows that need it; `node` takes the columns of `reads`.
    pub(super) fn fallible(node: Node, arrow: DataType, reads: Reads) -> Self {
        Operand { node, arrow, reads: Some(reads) }
    }

    /// Computes it at least for the rows in `wanted`.
    pub(super) fn evaluate(&self, batch: &RecordBatch, wanted: &BooleanBuffer) -> Result<Part> {
        let Some(reads) = &self.reads else {
            return Ok(Part::Whole(self.node.evaluate(batch)?));
        };
        let count = wanted.count_set_bits();
        if count == 0 {
            return Ok(Part::Whole(Value::constant(new_null_array(&self.arrow, 1))));
        }
        let columns = reads.positions.iter().map(|position| {
            let missing = || Error::internal(format!("a batch has no column {position}"));
            batch.columns().get(*position).ok_or_else(missing)
        });
        if count == batch.num_rows() {
            let columns = columns.map(|column| column.cloned()).collect::<Result<_>>()?;
            return Ok(Part::Whole(self.node.evaluate(&reads.batch(columns, count)?)?));
        }
        let filter = FilterBuilder::new(&BooleanArray::new(wanted.clone(), None)).optimize().build();
        let columns = columns.map(|column| filter.filter(column?).map_err(arrow_error));
        let chosen = reads.batch(columns.collect::<Result<_>>()?, count)?;
        let value = self.node.evaluate(&chosen)?;
        Ok(if value.is_constant() { Part::Whole(value) } else { Part::Chosen(value.held().clone()) })
    }
}

impl Reads {
    fn batch(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options).map_err(arrow_error)
    }
}

impl Part {
    /// One value for every row; for rows that were not requested it is arbitrary.
    pub(super) fn spread(self, wanted: &BooleanBuffer) -> Result<Value> {
        let chosen = match self {
            Part::Whole(value) => return Ok(value),
            Part::Chosen(chosen) => chosen,
        };
        let mut positions = vec![0; wanted.len()];
        wanted.set_indices().zip(0..).for_each(|(row, position)| positions[row] = position);
        let positions = UInt32Array::new(positions.into(), Some(wanted.clone().into()));
        Ok(Value::array(as_ref(take(&chosen, &positions, None).map_err(arrow_error)?)))
    }
}
