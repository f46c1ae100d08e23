//! TUMBLE, HOP and CUMULATE as table functions: each row once for every window it lies in, with the window's columns.
//!
//! Rows whose time attribute is NULL are dropped and counted, as in Flink. Late rows pass: nothing fires here. Cost of a record: a
//! division; for windows that overlap a copy of the row for each.

use arrow::array::UInt32Array;
use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, WindowSpec};
use flott_types::Result;

use super::columns::WindowColumns;
use super::slicing::Slicing;
use crate::support::{Millis, Zone, columns_of, record_batch};

/// The operator.
pub(crate) struct WindowTableFunction {
    schema: SchemaRef,
    slicing: Slicing,
    /// `None` in processing time.
    time_column: Option<usize>,
    zone: Zone,
    columns: WindowColumns,
}

impl WindowTableFunction {
    pub fn new(node: &ChainedNode, window: &WindowSpec) -> Result<Self> {
        let schema = arrow_type::schema(node.node.schema.iter());
        let zone = Zone::new(window.zone.as_deref())?;
        Ok(WindowTableFunction {
            slicing: Slicing::new(&window.kind)?,
            time_column: window.event_time.then_some(window.time_column),
            columns: WindowColumns::new(&schema, [true; 3], zone)?,
            zone,
            schema,
        })
    }
}

impl Operator for WindowTableFunction {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        let times = self.time_column.map(|column| Millis::new(batch.column(column))).transpose()?;
        let (mut rows, mut starts, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        let mut nulls = 0;
        for row in 0..batch.physical_rows() {
            let time = match &times {
                None => context.now,
                Some(times) if times.is_valid(row) => times.get(row),
                Some(_) => {
                    nulls += 1;
                    continue;
                }
            };
            for end in self.slicing.windows(self.slicing.slice_end(self.zone.local(time))) {
                rows.push(row as u32);
                starts.push(self.slicing.start(end));
                ends.push(end);
            }
        }
        if nulls > 0 {
            context.metrics.num_records_in_errors.add(nulls);
        }
        let once = rows.len() == batch.physical_rows()
            && rows.iter().enumerate().all(|(at, row)| at == *row as usize);
        let batch = if once { batch } else { batch.take(&UInt32Array::from(rows))? };
        if batch.is_empty() {
            return Ok(());
        }
        let mut columns = batch.columns().columns().to_vec();
        self.columns.append(&mut columns, &starts, &ends);
        let columns = record_batch(&self.schema, columns, starts.len())?;
        context.output.emit(Batch::Changes(batch.with_columns(columns)))
    }
}
