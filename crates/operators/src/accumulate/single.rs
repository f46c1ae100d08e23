//! SINGLE_VALUE: the value of a scalar subquery, which must have at most one row.

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::{FieldRef, Int64Type};
use flott_batch::arrow_type;
use flott_state::{AnyColumn, PrimitiveColumn, SlotColumns};
use flott_types::{Error, LogicalType, Result};

use super::{Accumulator, Input, MergeInto};
use crate::support::kernel;

/// The value and how many rows there are.
pub(super) struct Single {
    columns: (AnyColumn, PrimitiveColumn<Int64Type>),
}

impl Single {
    pub fn new(name: &str, ty: &LogicalType) -> Result<Self> {
        let value = AnyColumn::new(vec![arrow_type::field(&format!("{name}.value"), ty)])?;
        Ok(Single { columns: (value, PrimitiveColumn::new(&format!("{name}.count"), 0)) })
    }
}

fn too_many() -> Error {
    Error::data("SingleValueAggFunction received more than one element.")
}

impl Accumulator for Single {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let (mut slots, mut rows, mut failed) = (Vec::new(), Vec::new(), false);
        let counts = self.columns.1.values_mut();
        input.for_each(None, |row, slot, sign| {
            counts[slot] += sign;
            failed |= counts[slot] > 1;
            if sign > 0 {
                slots.push(slot as u32);
                rows.push(row as u32);
            }
        });
        if failed {
            return Err(too_many());
        }
        self.columns.0.set_rows(&slots, input.args, &rows)
    }

    fn merge(&mut self, from: &[u32], to: &[u32], _: MergeInto) -> Result<()> {
        let counts = self.columns.1.values_mut();
        let filled = from.iter().zip(to).filter(|(from, _)| counts[**from as usize] > 0);
        let (from, to): (Vec<u32>, Vec<u32>) = filled.map(|(from, to)| (*from, *to)).unzip();
        for slot in &to {
            counts[*slot as usize] += 1;
            if counts[*slot as usize] > 1 {
                return Err(too_many());
            }
        }
        let values = self.columns.0.read(&from)?;
        self.columns.0.write(&to, &values)
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        let values = self.columns.0.read(slots)?.remove(0);
        let absent = new_null_array(values.data_type(), 1);
        let picks: Vec<_> = slots
            .iter()
            .enumerate()
            .map(|(row, slot)| if self.columns.1.values()[*slot as usize] > 0 { (0, row) } else { (1, 0) })
            .collect();
        interleave(&[values.as_ref(), absent.as_ref()], &picks).map_err(kernel)
    }
}

impl SlotColumns for Single {
    fn fields(&self) -> Vec<FieldRef> {
        self.columns.fields()
    }

    fn reset(&mut self, slot: u32) {
        self.columns.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.columns.read(slots)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.columns.write(slots, columns)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.columns.bytes_of(slot)
    }

    fn memory(&self) -> usize {
        self.columns.memory()
    }
}
