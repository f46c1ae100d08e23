//! The first of two phases of a window aggregation: rows of a mini-batch become partial accumulators, one row
//! for each key and slice. It keeps nothing across a barrier and drops nothing: the second phase decides what
//! is late.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_operator::windows::Slicing;
use flott_operator::{Context, Operator};
use flott_state::{KeyIndex, SlotColumns};
use flott_types::{Error, Result, Watermark};

use super::aggregate::{Parts, key_fields};
use crate::BuildContext;
use crate::accumulate::{Aggregates, Keys, Rows};
use crate::support::{Millis, Zone, columns_of, record_batch};

/// The operator.
pub(crate) struct LocalWindowAggregate {
    schema: SchemaRef,
    keys: Vec<usize>,
    time_column: usize,
    /// `None` if the time column holds the end of the row's window.
    slicing: Option<Slicing>,
    zone: Zone,
    index: KeyIndex,
    aggregates: Aggregates,
    limit: usize,
    slots: Vec<u32>,
}

impl LocalWindowAggregate {
    pub fn new(parts: &Parts<'_>, context: &BuildContext) -> Result<Self> {
        if parts.input_updates {
            return Err(Error::unsupported(
                "pre-aggregation of an input with retractions; aggregate in one phase",
            ));
        }
        if !parts.window.event_time {
            return Err(Error::unsupported("windows of processing time in two phases"));
        }
        parts.calls.iter().try_for_each(|call| call.accumulators().map(|_| ()))?;
        let slicing = Slicing::new(&parts.window.kind)?;
        let table_keys = Keys {
            fields: key_fields(parts.node, parts.keys, &["slice_end"])?,
            partition_columns: parts.keys.len(),
            max_parallelism: context.max_parallelism,
            streaming: context.streaming,
            functions: context.functions.clone(),
        };
        Ok(LocalWindowAggregate {
            schema: arrow_type::schema(parts.node.node.schema.iter()),
            keys: parts.keys.to_vec(),
            time_column: parts.attached.map_or(parts.window.time_column, |(_, end)| end),
            slicing: Some(slicing).filter(|_| parts.attached.is_none()),
            zone: Zone::new(parts.window.zone.as_deref())?,
            index: KeyIndex::new(&table_keys.fields)?,
            aggregates: Aggregates::new(parts.calls, false, &table_keys)?,
            limit: context.mini_batch_size.max(1),
            slots: Vec::new(),
        })
    }

    fn flush(&mut self, context: &mut Context<'_>) -> Result<()> {
        if self.index.is_empty() {
            return Ok(());
        }
        let slots: Vec<u32> = self.index.live().collect();
        let mut columns = self.index.keys_of(&slots)?;
        let slice_end = columns.pop();
        columns.append(&mut self.aggregates.read(&slots)?);
        columns.extend(slice_end);
        self.index.clear();
        let rows = record_batch(&self.schema, columns, slots.len())?;
        context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))
    }
}

impl Operator for LocalWindowAggregate {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        let rows: Vec<u32> = (0..batch.physical_rows() as u32).collect();
        let times = Millis::required(batch.column(self.time_column))?;
        let (slicing, zone) = (self.slicing, &mut self.zone);
        let slice_end = |row: &u32| match (times.get(*row as usize), slicing) {
            (time, Some(slicing)) => slicing.slice_end(zone.local(time)),
            (end, None) => end,
        };
        let ends = Int64Array::from_iter_values(rows.iter().map(slice_end));
        let mut keys: Vec<ArrayRef> = self.keys.iter().map(|key| batch.column(*key).clone()).collect();
        keys.push(Arc::new(ends));
        let aggregates = &mut self.aggregates;
        self.index.intern(&keys, rows.len(), &mut self.slots, |slot, _| aggregates.reset(slot))?;
        let columns = batch.columns().columns();
        let rows = Rows { columns, rows: &rows, slots: &self.slots, retract: None };
        self.aggregates.update(&rows)?;
        if self.index.len() >= self.limit {
            self.flush(context)?;
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.flush(context)?;
        context.output.watermark(watermark)
    }

    fn input_dry(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.flush(context)
    }

    fn prepare_barrier(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.flush(context)
    }

    fn end_input(&mut self, _: usize, context: &mut Context<'_>) -> Result<()> {
        self.flush(context)
    }
}
