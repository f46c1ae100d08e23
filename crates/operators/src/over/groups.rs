//! What frames keep for a key.

use arrow::array::ArrayRef;
use arrow::datatypes::{FieldRef, Int64Type};
use flott_state::{PrimitiveColumn, SlotColumns, StateColumn};
use flott_types::{Error, Result};

use crate::accumulate::Aggregates;

/// What is kept for a key.
pub(super) struct Groups {
    pub aggregates: Aggregates,
    /// The time of the key's last row, for bounded frames.
    pub last_time: Option<PrimitiveColumn<Int64Type>>,
}

impl Groups {
    pub fn new(aggregates: Aggregates, bounded: bool) -> Self {
        let last_time = bounded.then(|| PrimitiveColumn::new("$last_time", i64::MIN));
        Groups { aggregates, last_time }
    }
}

impl SlotColumns for Groups {
    fn fields(&self) -> Vec<FieldRef> {
        let mut fields = self.last_time.iter().flat_map(|last| last.fields()).collect::<Vec<_>>();
        fields.extend(self.aggregates.fields());
        fields
    }

    fn reset(&mut self, slot: u32) {
        self.last_time.iter_mut().for_each(|last| last.reset(slot));
        self.aggregates.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut columns = match &self.last_time {
            Some(last) => last.read(slots)?,
            None => Vec::new(),
        };
        columns.append(&mut self.aggregates.read(slots)?);
        Ok(columns)
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let own = usize::from(self.last_time.is_some());
        let (last, aggregates) =
            columns.split_at_checked(own).ok_or_else(|| Error::internal("too few columns of frames"))?;
        if let Some(column) = &mut self.last_time {
            column.write(slots, last)?;
        }
        self.aggregates.write(slots, aggregates)
    }

    fn each_state(&mut self, each: &mut dyn FnMut(&mut dyn StateColumn) -> Result<()>) -> Result<()> {
        self.aggregates.each_state(each)
    }

    fn occupies(&self, slot: u32) -> bool {
        self.aggregates.occupies(slot)
    }

    fn bytes_of(&self, slot: u32) -> usize {
        self.aggregates.bytes_of(slot)
    }

    fn memory(&self) -> usize {
        self.aggregates.memory() + self.last_time.as_ref().map_or(0, SlotColumns::memory)
    }
}
