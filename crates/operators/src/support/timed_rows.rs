//! Rows of an event-time operator, with their times.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{SortColumn, SortOptions, filter, lexsort_to_indices};
use flott_batch::{Batch, ChangeBatch};
use flott_operator::Context;
use flott_operator::windows::count_late;
use flott_plan::SortKey;
use flott_state::SharedIndex;
use flott_types::{Error, Result, Timestamp};

use super::{Millis, columns_of, kernel, take_columns};

/// A compact batch of insertions. `operator` names the operator that accepts nothing else.
pub(crate) fn insertions(batch: Batch, operator: &str) -> Result<ChangeBatch> {
    let batch = columns_of(batch)?.compact()?;
    if batch.kinds().is_some_and(|kinds| kinds.iter().any(|kind| !kind.is_addition())) {
        return Err(Error::internal(format!("{operator} got a retraction")));
    }
    Ok(batch)
}

/// The rows of a compact batch that are not late; late ones are counted. No time may be NULL.
pub(crate) fn batch_in_time(
    batch: ChangeBatch,
    time_column: usize,
    is_late: impl Fn(Timestamp) -> bool,
    context: &Context<'_>,
) -> Result<ChangeBatch> {
    let time = Millis::required(batch.column(time_column))?;
    let keep = BooleanBuffer::collect_bool(batch.physical_rows(), |row| !is_late(time.get(row)));
    let late = keep.len() - keep.count_set_bits();
    if late == 0 {
        return Ok(batch);
    }
    count_late(late, context);
    batch.select(&keep).compact()
}

/// Rows with the time of each, and the slot of its key.
pub(crate) struct TimedRows {
    pub columns: Vec<ArrayRef>,
    pub times: Vec<Timestamp>,
    pub slots: Vec<u32>,
}

impl TimedRows {
    /// The rows of a compact batch; all of them arrive now if there is no time column. No time may be NULL.
    /// `keys` are the columns of the index.
    pub fn new(
        batch: &ChangeBatch,
        time_column: Option<usize>,
        now: Timestamp,
        keys: &[usize],
        index: &mut SharedIndex,
    ) -> Result<Self> {
        let rows = batch.physical_rows();
        let times = match time_column {
            Some(column) => {
                let time = Millis::required(batch.column(column))?;
                (0..rows).map(|row| time.get(row)).collect()
            }
            None => vec![now; rows],
        };
        let mut slots = Vec::new();
        let keys: Vec<ArrayRef> = keys.iter().map(|key| batch.column(*key).clone()).collect();
        index.intern(&keys, rows, &mut slots)?;
        Ok(TimedRows { columns: batch.columns().columns().to_vec(), times, slots })
    }

    /// The rows that are not late; late ones are counted.
    pub fn in_time(
        mut self,
        is_late: impl Fn(usize, Timestamp) -> bool,
        context: &Context<'_>,
    ) -> Result<Self> {
        let keep = BooleanBuffer::collect_bool(self.times.len(), |row| !is_late(row, self.times[row]));
        let late = keep.len() - keep.count_set_bits();
        if late == 0 {
            return Ok(self);
        }
        count_late(late, context);
        let mut kept = keep.iter();
        self.times.retain(|_| kept.next().unwrap_or_default());
        let mut kept = keep.iter();
        self.slots.retain(|_| kept.next().unwrap_or_default());
        let keep = BooleanArray::new(keep, None);
        for column in &mut self.columns {
            *column = filter(column, &keep).map_err(kernel)?;
        }
        Ok(self)
    }

    /// Sorts rows that are in order of time and arrival by time, then these keys, then arrival.
    pub fn ordered(self, keys: &[SortKey]) -> Result<Self> {
        if keys.is_empty() {
            return Ok(self);
        }
        let key = |key: &SortKey| SortColumn {
            values: self.columns[key.column].clone(),
            options: Some(SortOptions { descending: key.descending, nulls_first: key.nulls_first }),
        };
        let plain = |values: ArrayRef| SortColumn { values, options: None };
        let time = plain(Arc::new(Int64Array::from(self.times.clone())));
        let arrival = plain(Arc::new(UInt32Array::from_iter_values(0..self.times.len() as u32)));
        let sort: Vec<SortColumn> = [time].into_iter().chain(keys.iter().map(key)).chain([arrival]).collect();
        let order = lexsort_to_indices(&sort, None).map_err(kernel)?;
        let slots = order.values().iter().map(|row| self.slots[*row as usize]).collect();
        // Only rows with the same time have moved.
        Ok(TimedRows { columns: take_columns(&self.columns, order.values())?, times: self.times, slots })
    }
}
