//! CASE whose conditions and values cannot fail: all are computed for all rows, and each row takes its value.
//!
//! That is cheaper than choosing the rows for each branch, copying their columns together, and putting the results into place: the rows of numbers are
//! copied from one branch as they are, and only those of the other branches are overwritten.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, Schema};
use arrow::downcast_primitive_array;
use datafusion_common::Result as DfResult;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use flott_batch::bytes::Room;
use flott_types::Error;

use super::call::to_value;
use super::limit::{Limit, bytes_of};
use super::{Node, to_datafusion};
use crate::value::Value;

#[derive(PartialEq, Eq, Hash, Debug)]
pub(super) struct Choose {
    /// Condition and value of each branch, and the value of all other rows.
    operands: Vec<Node>,
    arrow: DataType,
    limit: Limit,
}

impl Choose {
    pub(super) fn node(branches: Vec<(Node, Node)>, otherwise: Node, arrow: DataType, limit: Limit) -> Node {
        let operands =
            branches.into_iter().flat_map(|(when, then)| [when, then]).chain([otherwise]).collect();
        Arc::new(Choose { operands, arrow, limit })
    }

    /// The rows of each branch, and its values. Those of no row are left out.
    fn taken(&self, batch: &RecordBatch) -> DfResult<Vec<(BooleanBuffer, Value)>> {
        let rows = batch.num_rows();
        let mut open = BooleanBuffer::new_set(rows);
        let (branches, otherwise) = self.operands.as_chunks();
        let mut taken = Vec::with_capacity(branches.len() + 1);
        for [when, then] in branches {
            let condition = self.limit.array(when.evaluate(batch)?, rows)?;
            let condition = condition
                .as_boolean_opt()
                .ok_or_else(|| to_datafusion(Error::internal("a condition of CASE is no BOOLEAN")))?;
            let mut holds = &open & condition.values();
            if let Some(nulls) = condition.nulls() {
                holds = &holds & nulls.inner();
            }
            if holds.count_set_bits() > 0 {
                open = &open & &!&holds;
                taken.push((holds, to_value(then.evaluate(batch)?)?));
            }
        }
        if let ([otherwise], true) = (otherwise, open.count_set_bits() > 0 || taken.is_empty()) {
            taken.push((open, to_value(otherwise.evaluate(batch)?)?));
        }
        Ok(taken)
    }
}

impl PhysicalExpr for Choose {
    fn data_type(&self, _: &Schema) -> DfResult<DataType> {
        Ok(self.arrow.clone())
    }

    fn nullable(&self, _: &Schema) -> DfResult<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        let rows = batch.num_rows();
        let mut taken = self.taken(batch)?;
        if let [(_, only)] = taken.as_slice() {
            self.limit.room().fits(bytes_of(only, rows)).map_err(to_datafusion)?;
            return Ok(ColumnarValue::Array(only.to_array(rows).map_err(to_datafusion)?));
        }
        if let Some((_, other)) = taken.iter().find(|(_, value)| *value.held().data_type() != self.arrow) {
            let found = other.held().data_type();
            let error = Error::internal(format!("a value of CASE is {found}, not {}", self.arrow));
            return Err(to_datafusion(error));
        }
        // What most rows take comes first, so that the least is overwritten.
        taken.sort_by_key(|(holds, _)| std::cmp::Reverse(holds.count_set_bits()));
        let first = taken[0].1.held().as_ref();
        let array = downcast_primitive_array! {
            first => numbers(first, &taken, rows),
            _ => others(&taken, rows, self.limit.room())?
        };
        Ok(ColumnarValue::Array(array))
    }

    fn children(&self) -> Vec<&Node> {
        self.operands.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, operands: Vec<Node>) -> DfResult<Node> {
        Ok(Arc::new(Choose { operands, arrow: self.arrow.clone(), limit: self.limit.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The values of the first branch, with those of the others put over them.
fn numbers<T: ArrowPrimitiveType>(
    first: &PrimitiveArray<T>,
    taken: &[(BooleanBuffer, Value)],
    rows: usize,
) -> ArrayRef {
    let mut values: Vec<T::Native> = Vec::with_capacity(rows);
    let mut validity: Option<BooleanBuffer> = None;
    for (at, (holds, value)) in taken.iter().enumerate() {
        let array = value.held().as_primitive::<T>();
        let source = array.values();
        match (at, value.is_constant()) {
            (0, true) => values.resize(rows, source[0]),
            (0, false) => values.extend_from_slice(source),
            (_, true) => holds.set_indices().for_each(|row| values[row] = source[0]),
            (_, false) => holds.set_slices().for_each(|(start, end)| {
                values[start..end].copy_from_slice(&source[start..end]);
            }),
        }
        if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
            let valid = match value.is_constant() {
                true => BooleanBuffer::new_unset(rows),
                false => nulls.inner().clone(),
            };
            let valid = &valid | &!holds;
            validity = Some(validity.map_or_else(|| valid.clone(), |others| &others & &valid));
        }
    }
    let nulls = validity.map(NullBuffer::new).filter(|nulls| nulls.null_count() > 0);
    let array = PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls);
    Arc::new(array.with_data_type(first.data_type().clone()))
}

fn others(taken: &[(BooleanBuffer, Value)], rows: usize, room: Room) -> DfResult<ArrayRef> {
    let bytes = taken.iter().map(|(holds, value)| bytes_of(value, holds.count_set_bits()));
    room.fits(bytes.sum()).map_err(to_datafusion)?;
    let mut picks = vec![(0, 0); rows];
    for (branch, (holds, value)) in taken.iter().enumerate() {
        holds.set_indices().for_each(|row| picks[row] = (branch, value.position(row)));
    }
    let arrays: Vec<&dyn Array> = taken.iter().map(|(_, value)| value.held().as_ref()).collect();
    Ok(interleave(&arrays, &picks)?)
}

impl fmt::Display for Choose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CASE(")?;
        for (at, operand) in self.operands.iter().enumerate() {
            write!(f, "{}{operand}", if at > 0 { ", " } else { "" })?;
        }
        f.write_str(")")
    }
}
