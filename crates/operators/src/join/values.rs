//! What is kept beside the identity of each row of a side.

use arrow::array::ArrayRef;
use arrow::datatypes::{FieldRef, Int64Type};
use flott_state::{KeptRows, PrimitiveColumn, SlotColumns};
use flott_types::{Error, Result};

/// The values of an entry.
pub(super) struct Values {
    /// How often the row is present; absent where it is present once.
    pub count: Option<PrimitiveColumn<Int64Type>>,
    /// How many rows of the other side match it, if the kind of join needs that.
    pub matches: Option<PrimitiveColumn<Int64Type>>,
    /// The columns of the row that do not tell it apart.
    pub rest: KeptRows,
}

impl Values {
    /// The two numbers, as far as they are kept.
    fn numbers(&self) -> impl Iterator<Item = &PrimitiveColumn<Int64Type>> {
        self.count.iter().chain(&self.matches)
    }
}

impl SlotColumns for Values {
    fn fields(&self) -> Vec<FieldRef> {
        let mut fields: Vec<FieldRef> = self.numbers().flat_map(SlotColumns::fields).collect();
        fields.append(&mut self.rest.fields());
        fields
    }

    fn reset(&mut self, slot: u32) {
        self.count.iter_mut().chain(&mut self.matches).for_each(|numbers| numbers.reset(slot));
        self.rest.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = Vec::new();
        for numbers in self.numbers() {
            columns.append(&mut numbers.read(slots)?);
        }
        columns.append(&mut self.rest.read(slots)?);
        Ok(columns)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let (numbers, rest) = columns
            .split_at_checked(self.numbers().count())
            .ok_or_else(|| Error::internal("too few columns of a join's side"))?;
        let of = self.count.iter_mut().chain(&mut self.matches);
        of.zip(numbers).try_for_each(|(of, column)| of.write(slots, std::slice::from_ref(column)))?;
        self.rest.write(slots, rest)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.rest.bytes_of(slot)
    }

    fn memory(&self) -> usize {
        self.numbers().map(SlotColumns::memory).sum::<usize>() + self.rest.memory()
    }
}
