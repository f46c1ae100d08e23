//! A multiset of rows.

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::Int64Type;
use flott_batch::{ChangeBatch, arrow_type};
use flott_plan::Schema;
use flott_state::{KeyedDelta, KeyedTable, PrimitiveColumn, RestoredState, prefixed};
use flott_types::Result;

use crate::BuildContext;
use crate::accumulate::unique_fields;
use crate::support::kernel;

/// The name of the table in snapshots.
const TABLE: &str = "rows";

/// How often each row is present.
pub(super) struct Rows {
    /// The order of the columns in the table's key: those of the partition come first.
    order: Vec<usize>,
    table: KeyedTable<PrimitiveColumn<Int64Type>>,
    slots: Vec<u32>,
}

impl Rows {
    pub fn new(input: &Schema, partition: &[usize], context: &BuildContext) -> Result<Self> {
        let mut order: Vec<usize> = Vec::with_capacity(input.len());
        partition.iter().chain(&(0..input.len()).collect::<Vec<_>>()).for_each(|column| {
            if !order.contains(column) {
                order.push(*column);
            }
        });
        let partition_columns = order.iter().filter(|column| partition.contains(column)).count();
        let schema = arrow_type::schema(input.iter());
        let fields: Vec<_> = order.iter().map(|column| schema.fields()[*column].clone()).collect();
        let fields = prefixed("row.", &unique_fields(&fields));
        let counts = PrimitiveColumn::new("count", 0);
        // Without a partition the whole row decides the key group.
        let partition_columns = if partition.is_empty() { fields.len() } else { partition_columns };
        let table = KeyedTable::new(TABLE, &fields, partition_columns, context.max_parallelism, counts)?;
        Ok(Rows { order, table, slots: Vec::new() })
    }

    /// Adds changes.
    pub fn add(&mut self, batch: &ChangeBatch) -> Result<()> {
        let keys: Vec<ArrayRef> = self.order.iter().map(|column| batch.column(*column).clone()).collect();
        self.table.intern(&keys, batch.physical_rows(), &mut self.slots, |_, _| ())?;
        let counts = self.table.values_mut().values_mut();
        for (row, slot) in self.slots.iter().enumerate() {
            counts[*slot as usize] += if batch.kind(row).is_addition() { 1 } else { -1 };
        }
        self.table.mark_all(&self.slots);
        if batch.kinds().is_some() {
            let mut gone: Vec<u32> = std::mem::take(&mut self.slots);
            gone.sort_unstable();
            gone.dedup();
            gone.retain(|slot| self.table.values().values()[*slot as usize] == 0);
            gone.into_iter().for_each(|slot| self.table.remove(slot));
        }
        Ok(())
    }

    /// Removes all rows and returns them in runs that fit into one batch: their columns, and how many rows
    /// there are.
    pub fn take(&mut self) -> Result<Vec<(Vec<ArrayRef>, usize)>> {
        let live: Vec<u32> = self.table.live().collect();
        let runs: Vec<Vec<u32>> = self.table.runs(&live).into_iter().map(<[u32]>::to_vec).collect();
        let taken = runs.iter().map(|run| self.gather(run)).collect();
        live.into_iter().for_each(|slot| self.table.remove(slot));
        taken
    }

    fn gather(&self, slots: &[u32]) -> Result<(Vec<ArrayRef>, usize)> {
        let keys = self.table.keys_of(slots)?;
        let counts = self.table.values().values();
        let times = |(at, slot): (usize, &u32)| {
            let count = usize::try_from(counts[*slot as usize]).unwrap_or(0);
            std::iter::repeat_n(at as u32, count)
        };
        let picks: UInt32Array = UInt32Array::from_iter_values(slots.iter().enumerate().flat_map(times));
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.order.len()];
        for (column, key) in self.order.iter().zip(&keys) {
            columns[*column] = Some(take(key, &picks, None).map_err(kernel)?);
        }
        Ok((columns.into_iter().flatten().collect(), picks.len()))
    }

    pub fn snapshot(&mut self, full: bool) -> Result<Vec<KeyedDelta>> {
        self.table.snapshot(full)
    }

    pub fn restore(&mut self, restored: &mut RestoredState) -> Result<()> {
        self.table.restore(restored)
    }
}
