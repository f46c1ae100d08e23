//! CASE: each row takes the value of the first branch whose condition holds.
//!
//! Conditions and values that cannot fail are computed for all rows. That is cheaper than selecting the rows
//! for each branch, gathering their columns, and scattering the results: numbers are copied from one branch
//! as a whole, and only the rows of the other branches are overwritten. Branches that can fail are computed
//! only for the rows that reach them, and the results are then copied into place.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::compute::interleave;
use arrow::datatypes::DataType;
use arrow::downcast_primitive_array;
use flott_batch::bytes::{Room, of_column};
use flott_types::{Error, Result};

use super::limit::bytes_of;
use super::node::{Evaluate, booleans};
use super::operand::{Operand, Part};
use crate::context::EvalContext;
use crate::kernel::{arrow_error, as_ref};
use crate::value::Value;

#[derive(Debug)]
pub(super) struct Case {
    /// Condition and value of each branch.
    pub(super) branches: Vec<(Operand, Operand)>,
    /// The value of all other rows.
    pub(super) otherwise: Operand,
    pub(super) arrow: DataType,
    pub(super) context: Arc<EvalContext>,
}

/// The rows of one branch, and their values.
struct Taken {
    rows: BooleanBuffer,
    count: usize,
    part: Part,
}

impl Taken {
    fn array(&self) -> &ArrayRef {
        match &self.part {
            Part::Whole(value) => value.held(),
            Part::Chosen(chosen) => chosen,
        }
    }
}

impl Case {
    /// The result of each branch. Branches that no row takes are left out.
    fn taken(&self, batch: &RecordBatch) -> Result<Vec<Taken>> {
        let rows = batch.num_rows();
        let (mut open, mut left) = (BooleanBuffer::new_set(rows), rows);
        let mut taken = Vec::with_capacity(self.branches.len() + 1);
        for (when, then) in &self.branches {
            if left == 0 && !taken.is_empty() {
                break;
            }
            let condition = when.evaluate(batch, &open)?.spread(&open)?.to_array(rows)?;
            let condition = booleans(&condition)?;
            let mut holds = &open & condition.values();
            if let Some(nulls) = condition.nulls() {
                holds = &holds & nulls.inner();
            }
            let count = holds.count_set_bits();
            if count > 0 {
                open = &open & &!&holds;
                left -= count;
                let part = then.evaluate(batch, &holds)?;
                taken.push(Taken { rows: holds, count, part });
            }
        }
        if left > 0 || taken.is_empty() {
            let part = self.otherwise.evaluate(batch, &open)?;
            taken.push(Taken { rows: open, count: left, part });
        }
        Ok(taken)
    }
}

impl Evaluate for Case {
    fn evaluate(&self, batch: &RecordBatch) -> Result<Value> {
        let rows = batch.num_rows();
        let mut taken = self.taken(batch)?;
        if taken.len() == 1
            && let Some(only) = taken.pop()
        {
            let value = only.part.spread(&only.rows)?;
            self.context.room().fits(bytes_of(&value, rows))?;
            return Ok(value);
        }
        if let Some(other) = taken.iter().find(|taken| *taken.array().data_type() != self.arrow) {
            let found = other.array().data_type();
            return Err(Error::internal(format!("a value of CASE is {found}, not {}", self.arrow)));
        }
        // The branch that most rows take comes first, so that as little as possible is overwritten; it must
        // have a value for every row.
        let whole = |taken: &Taken| matches!(taken.part, Part::Whole(_));
        taken.sort_by_key(|taken| std::cmp::Reverse((whole(taken), taken.count)));
        let first = taken[0].array().as_ref();
        Ok(Value::array(downcast_primitive_array! {
            first => numbers(first, &taken, rows),
            _ => others(&taken, rows, self.context.room())?
        }))
    }
}

/// The values of the first branch, overwritten with those of the others.
fn numbers<T: ArrowPrimitiveType>(first: &PrimitiveArray<T>, taken: &[Taken], rows: usize) -> ArrayRef {
    let mut values: Vec<T::Native> = Vec::with_capacity(rows);
    let mut validity: Option<BooleanBuffer> = None;
    for (at, Taken { rows: holds, part, .. }) in taken.iter().enumerate() {
        let (array, is_constant) = match part {
            Part::Whole(value) => (value.held(), value.is_constant()),
            Part::Chosen(chosen) => {
                values.resize(rows, T::Native::default());
                let array = chosen.as_primitive::<T>();
                let mut from = 0;
                for (start, end) in holds.set_slices() {
                    let next = from + end - start;
                    values[start..end].copy_from_slice(&array.values()[from..next]);
                    from = next;
                }
                if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
                    let mut valid = nulls.inner().iter();
                    // The rows come in order.
                    let valid = BooleanBuffer::collect_bool(rows, |row| {
                        !holds.value(row) || valid.next().unwrap_or_default()
                    });
                    validity = Some(validity.map_or_else(|| valid.clone(), |others| &others & &valid));
                }
                continue;
            }
        };
        let array = array.as_primitive::<T>();
        let source = array.values();
        match (at, is_constant) {
            (0, true) => values.resize(rows, source[0]),
            (0, false) => values.extend_from_slice(source),
            (_, true) => holds.set_indices().for_each(|row| values[row] = source[0]),
            (_, false) => holds.set_slices().for_each(|(start, end)| {
                values[start..end].copy_from_slice(&source[start..end]);
            }),
        }
        if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
            let valid = match is_constant {
                true => BooleanBuffer::new_unset(rows),
                false => nulls.inner().clone(),
            };
            let valid = &valid | &!holds;
            validity = Some(validity.map_or_else(|| valid.clone(), |others| &others & &valid));
        }
    }
    let nulls = validity.map(NullBuffer::new).filter(|nulls| nulls.null_count() > 0);
    let array = PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls);
    as_ref(array.with_data_type(first.data_type().clone()))
}

fn others(taken: &[Taken], rows: usize, room: Room) -> Result<ArrayRef> {
    let bytes = taken.iter().map(|taken| match &taken.part {
        Part::Whole(value) => bytes_of(value, taken.count),
        Part::Chosen(chosen) => of_column(chosen),
    });
    room.fits(bytes.sum())?;
    let mut picks = vec![(0, 0); rows];
    for (branch, Taken { rows: holds, part, .. }) in taken.iter().enumerate() {
        match part {
            Part::Whole(value) => {
                holds.set_indices().for_each(|row| picks[row] = (branch, value.position(row)));
            }
            Part::Chosen(_) => {
                holds.set_indices().enumerate().for_each(|(at, row)| picks[row] = (branch, at));
            }
        }
    }
    let arrays: Vec<&dyn Array> = taken.iter().map(|taken| taken.array().as_ref()).collect();
    interleave(&arrays, &picks).map_err(arrow_error)
}
