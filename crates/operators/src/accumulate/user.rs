//! Aggregate functions of a program.

use arrow::array::ArrayRef;
use arrow::datatypes::FieldRef;
use flott_expr::user::{AggregateRows, AggregateStates, UserFunction};
use flott_state::{Migration, SlotColumns, Stored};
use flott_types::Result;

use super::{Accumulator, Input, MergeInto};

/// The states of the function by slot, which the function's crate keeps in a typed column.
pub(super) struct User(Box<dyn AggregateStates>);

impl User {
    pub fn new(function: &UserFunction, name: &str) -> Result<Self> {
        function.states(name).map(User)
    }
}

impl Accumulator for User {
    fn update(&mut self, input: &Input<'_>) -> Result<()> {
        let Input { rows, slots, retract, args } = *input;
        self.0.update(&AggregateRows { args, rows, slots, retract })
    }

    fn merge(&mut self, from: &[u32], to: &[u32], _: MergeInto) -> Result<()> {
        self.0.merge(from, to)
    }

    fn values(&self, slots: &[u32]) -> Result<ArrayRef> {
        self.0.results(slots)
    }
}

impl SlotColumns for User {
    fn fields(&self) -> Vec<FieldRef> {
        self.0.fields()
    }

    fn reset(&mut self, slot: u32) {
        self.0.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.0.read(slots)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        self.0.write(slots, columns)
    }

    fn restore(&mut self, slots: &[u32], stored: Vec<Stored>) -> Result<Option<Migration>> {
        self.0.restore(slots, stored)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.0.bytes_of(slot)
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }
}
