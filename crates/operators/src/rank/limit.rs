//! LIMIT without an order, over append-only input: rows are counted and forwarded.

use arrow::array::{ArrayRef, UInt32Array};
use arrow::datatypes::Int64Type;
use flott_batch::{Batch, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::ChainedNode;
use flott_state::{KeyedTable, OperatorSnapshot, PrimitiveColumn, RestoredState, SlotColumns, prefixed};
use flott_types::{CheckpointId, Result, Timestamp};

use super::Parts;
use crate::BuildContext;
use crate::accumulate::unique_fields;
use crate::support::columns_of;

/// The name of the table in snapshots.
const TABLE: &str = "counts";

/// The operator.
pub(crate) struct Limit {
    partition: Vec<usize>,
    skip: i64,
    end: i64,
    counts: KeyedTable<PrimitiveColumn<Int64Type>>,
    slots: Vec<u32>,
}

impl Limit {
    pub fn new(node: &ChainedNode, parts: &Parts<'_>, context: &BuildContext) -> Result<Self> {
        let input = arrow_type::schema(crate::build::input(node, 0)?.iter());
        let keys: Vec<_> = parts.partition.iter().map(|key| input.fields()[*key].clone()).collect();
        let keys = prefixed("key.", &unique_fields(&keys));
        let count = PrimitiveColumn::new("count", 0);
        Ok(Limit {
            partition: parts.partition.to_vec(),
            skip: parts.from.saturating_sub(1) as i64,
            end: parts.to.map_or(i64::MAX, |to| to as i64),
            counts: KeyedTable::new(TABLE, &keys, keys.len(), context.max_parallelism, count)?
                .with_ttl(parts.ttl)
                .with_spilling(context.table_memory())?,
            slots: Vec::new(),
        })
    }

    fn expire(&mut self, rows: usize, context: &mut Context<'_>) {
        let next = self.counts.expire(context.now, rows);
        next.into_iter().for_each(|at| context.schedule(at));
    }
}

impl Operator for Limit {
    fn restores_in_parts(&self) -> bool {
        true
    }

    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.counts.restore_in_parts(&mut restored, context.now)?;
        self.expire(0, context);
        Ok(())
    }

    fn processing_time(&mut self, _: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.expire(0, context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        let keys: Vec<ArrayRef> = self.partition.iter().map(|key| batch.column(*key).clone()).collect();
        self.counts.intern(&keys, batch.physical_rows(), &mut self.slots, |_, _| ())?;
        let mut rows: Vec<u32> = Vec::new();
        for (row, slot) in self.slots.iter().enumerate() {
            if self.counts.is_expired(*slot, context.now) {
                self.counts.values_mut().reset(*slot);
            }
            let count = &mut self.counts.values_mut().values_mut()[*slot as usize];
            if *count >= self.end {
                continue;
            }
            *count += 1;
            if *count > self.skip {
                rows.push(row as u32);
            }
            self.counts.touch(*slot, context.now);
            self.counts.mark(*slot);
        }
        self.expire(batch.physical_rows(), context);
        self.counts.make_room()?;
        match rows.len() {
            0 => Ok(()),
            all if all == batch.physical_rows() => context.output.emit(Batch::Changes(batch)),
            _ => context.output.emit(Batch::Changes(batch.take(&UInt32Array::from(rows))?)),
        }
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        self.counts.snapshot_into(full, &mut snapshot)?;
        Ok(snapshot)
    }
}
