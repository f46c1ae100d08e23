//! The first of two phases of an aggregation: rows of a mini-batch become partial accumulators, one row per
//! key.
//!
//! It runs before the exchange, so that a hot key is sent once per mini-batch. It keeps nothing across a
//! barrier. Cost of a record: interning its key and the accumulators' loops; no output until the mini-batch
//! is full or the input runs dry.

use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{AggregateCall, ChainedNode};
use flott_state::{KeyIndex, SlotColumns};
use flott_types::{Error, Result, Watermark};

use crate::BuildContext;
use crate::accumulate::{Aggregates, Rows};
use crate::support::{columns_of, record_batch, selected};

/// The operator.
pub(crate) struct LocalGroupAggregate {
    schema: SchemaRef,
    keys: Vec<usize>,
    index: KeyIndex,
    aggregates: Aggregates,
    limit: usize,
    slots: Vec<u32>,
}

impl LocalGroupAggregate {
    pub fn new(
        node: &ChainedNode,
        keys: &[usize],
        calls: &[AggregateCall],
        input_updates: bool,
        context: &BuildContext,
    ) -> Result<Self> {
        if input_updates {
            return Err(Error::unsupported(
                "pre-aggregation of an input with retractions; aggregate in one phase",
            ));
        }
        calls.iter().try_for_each(|call| call.accumulators().map(|_| ()))?;
        let table_keys = super::group::table_keys(node, keys, context)?;
        Ok(LocalGroupAggregate {
            schema: arrow_type::schema(node.node.schema.iter()),
            keys: keys.to_vec(),
            index: KeyIndex::new(&table_keys.fields)?,
            aggregates: Aggregates::new(calls, false, &table_keys)?,
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
        columns.append(&mut self.aggregates.read(&slots)?);
        self.index.clear();
        let rows = record_batch(&self.schema, columns, slots.len())?;
        context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))
    }
}

impl Operator for LocalGroupAggregate {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        let rows = selected(&batch);
        let keys: Vec<_> = self.keys.iter().map(|key| batch.column(*key).clone()).collect();
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
