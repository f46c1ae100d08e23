//! COUNT.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{FieldRef, Int64Type};
use flott_state::{PrimitiveColumn, SlotColumns};
use flott_types::Result;

use super::{Accumulator, Input, MergeInto};

/// Counts rows, or rows in which no argument is NULL.
pub(super) struct Count {
    counts: PrimitiveColumn<Int64Type>,
}

impl Count {
    pub fn new(name: &str) -> Self {
        Count { counts: PrimitiveColumn::new(&format!("{name}.count"), 0) }
    }
}

impl Accumulator for Count {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let counts = self.counts.values_mut();
        let nulls = input.args.first().and_then(|arg| arg.logical_nulls());
        match input.args {
            [] | [_] => input.for_each(nulls.as_ref(), |_, slot, sign| counts[slot] += sign),
            [_, others @ ..] => {
                let others: Vec<_> = others.iter().filter_map(|arg| arg.logical_nulls()).collect();
                input.for_each(nulls.as_ref(), |row, slot, sign| {
                    if others.iter().all(|nulls| nulls.is_valid(row)) {
                        counts[slot] += sign;
                    }
                });
            }
        }
        Ok(())
    }

    fn merge(&mut self, from: &[u32], to: &[u32], _: MergeInto) -> Result<()> {
        let counts = self.counts.values_mut();
        for (from, to) in from.iter().zip(to) {
            counts[*to as usize] += counts[*from as usize];
        }
        Ok(())
    }

    fn merge_columns(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<bool> {
        let [counts] = columns else { return Ok(false) };
        let all = self.counts.values_mut();
        for (slot, count) in slots.iter().zip(counts.as_primitive::<Int64Type>().values()) {
            all[*slot as usize] += count;
        }
        Ok(true)
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        let values = slots.iter().map(|slot| self.counts.values()[*slot as usize]);
        Ok(Arc::new(arrow::array::Int64Array::from_iter_values(values)))
    }
}

impl SlotColumns for Count {
    fn fields(&self) -> Vec<FieldRef> {
        self.counts.fields()
    }

    fn reset(&mut self, slot: u32) {
        self.counts.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.counts.read(slots)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.counts.write(slots, columns)
    }

    fn memory(&self) -> usize {
        self.counts.memory()
    }
}
