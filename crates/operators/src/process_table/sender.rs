//! What a function gives, as rows of the output.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::SchemaRef;
use flott_batch::bytes::{RowBytes, runs};
use flott_batch::{Batch, ChangeBatch};
use flott_function_table::Given;
use flott_operator::Context;
use flott_types::{Result, Timestamp};

use crate::support::{record_batch, take_columns};

/// Where rows come from: the rows of a batch, or timers.
pub(super) struct Origins<'a> {
    /// The columns before those of the function.
    pub prefix: &'a [ArrayRef],
    /// The time of each, if the output has a time.
    pub times: Option<&'a [Timestamp]>,
    /// How many there are.
    pub count: usize,
}

/// Sends what a function gives.
pub(super) struct Sender {
    pub schema: SchemaRef,
    pub batch_bytes: usize,
}

impl Sender {
    /// Sends rows, each with the number of its origin.
    pub fn send(
        &self,
        Given { columns: given, kinds, origins: of }: Given,
        origins: &Origins<'_>,
        context: &mut Context<'_>,
    ) -> Result<()> {
        if of.is_empty() {
            return Ok(());
        }
        let (before, own) = (RowBytes::new(origins.prefix), RowBytes::new(&given));
        let bytes = |at: usize| before.of(of[at] as usize) + own.of(at);
        for run in runs(of.len(), self.batch_bytes, bytes) {
            let numbers = &of[run.clone()];
            let one_to_one =
                numbers.len() == origins.count && (0..).zip(numbers).all(|(at, number)| at == *number);
            let mut columns = match one_to_one {
                true => origins.prefix.to_vec(),
                false => take_columns(origins.prefix, numbers)?,
            };
            columns.extend(given.iter().map(|column| column.slice(run.start, run.len())));
            if let Some(times) = origins.times {
                columns.push(self.time(numbers.iter().map(|number| times[*number as usize])));
            }
            let rows: RecordBatch = record_batch(&self.schema, columns, run.len())?;
            let kinds = kinds.as_ref().map(|kinds| kinds.slice(run.start, run.len()));
            context.output.emit(Batch::Changes(ChangeBatch::new(rows, kinds)))?;
        }
        Ok(())
    }

    /// The last column.
    fn time(&self, times: impl Iterator<Item = Timestamp>) -> ArrayRef {
        let micros =
            TimestampMicrosecondArray::from_iter_values(times.map(|time| time.saturating_mul(1_000)));
        match self.schema.fields().last() {
            Some(field) => Arc::new(micros.with_data_type(field.data_type().clone())),
            None => Arc::new(micros),
        }
    }
}
