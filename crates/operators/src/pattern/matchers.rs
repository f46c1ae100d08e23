//! The open matches of each key.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use flott_pattern::Matcher;
use flott_state::SlotColumns;
use flott_types::{Error, Result, Timestamp};

/// A matcher by slot. In snapshots it is JSON, so that people can see which matches are open.
#[derive(Default)]
pub(super) struct Matchers {
    matchers: Vec<Matcher>,
    /// The deadline that is scheduled for a slot.
    noted: Vec<Timestamp>,
}

/// No deadline is scheduled.
const NEVER: Timestamp = Timestamp::MAX;

impl Matchers {
    pub fn get(&self, slot: u32) -> &Matcher {
        &self.matchers[slot as usize]
    }

    pub fn get_mut(&mut self, slot: u32) -> &mut Matcher {
        &mut self.matchers[slot as usize]
    }

    /// Notes a deadline; returns whether it changed.
    pub fn note(&mut self, slot: u32, deadline: Timestamp) -> bool {
        std::mem::replace(&mut self.noted[slot as usize], deadline) != deadline
    }
}

impl SlotColumns for Matchers {
    fn fields(&self) -> Vec<FieldRef> {
        vec![Arc::new(Field::new("$matcher", DataType::Utf8, true))]
    }

    fn reset(&mut self, slot: u32) {
        let slot = slot as usize;
        if slot >= self.matchers.len() {
            self.matchers.resize_with(slot + 1, Matcher::default);
            self.noted.resize(slot + 1, NEVER);
        }
        self.matchers[slot] = Matcher::default();
        self.noted[slot] = NEVER;
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let text = |slot: &u32| serde_json::to_string(self.get(*slot));
        let texts = slots.iter().map(text).collect::<Result<Vec<String>, _>>();
        let texts =
            texts.map_err(|error| Error::internal("open matches cannot be written").with_source(error))?;
        Ok(vec![Arc::new(StringArray::from(texts))])
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let [column] = columns else { return Err(Error::internal("open matches are one column")) };
        let texts = column.as_string_opt::<i32>().ok_or_else(|| Error::state("open matches are not text"))?;
        for (row, slot) in slots.iter().enumerate().filter(|(row, _)| texts.is_valid(*row)) {
            let read = serde_json::from_str(texts.value(row));
            self.matchers[*slot as usize] =
                read.map_err(|error| Error::state("open matches cannot be read").with_source(error))?;
        }
        Ok(())
    }

    fn memory(&self) -> usize {
        let matchers: usize = self.matchers.iter().map(Matcher::memory).sum();
        matchers + self.noted.capacity() * size_of::<Timestamp>()
    }
}
