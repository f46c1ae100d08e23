//! ChangelogNormalize: an upsert or CDC stream becomes a changelog with full `-U` and `-D` rows.
//!
//! Keeps the last row of each key, and emits each key's net change per batch. Cost of a record: interning its
//! key. Cost per key and batch: decoding the old row, encoding the new one.

use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use flott_batch::bytes::{RowBytes, runs};
use flott_batch::{Batch, ChangeBatch, RowKind, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::ChainedNode;
use flott_state::{AnyColumn, KeyedTable, OperatorSnapshot, RestoredState, SlotColumns, prefixed};
use flott_types::{CheckpointId, Result, Timestamp};

use crate::BuildContext;
use crate::accumulate::unique_fields;
use crate::support::{Changelog, Equality, columns_of};

/// The name of the table in snapshots.
const TABLE: &str = "last_rows";

/// The operator.
pub(crate) struct ChangelogNormalize {
    schema: SchemaRef,
    keys: Vec<usize>,
    table: KeyedTable<AnyColumn>,
    slots: Vec<u32>,
    batch_bytes: usize,
    batch: u32,
    emit_update_before: bool,
    /// By slot: the batch that touched it last, and its index among the touched keys.
    touched: Vec<(u32, u32)>,
}

/// A key that a batch touched.
struct Touched {
    slot: u32,
    /// Whether it has a row from before the batch.
    known: bool,
    /// Its last row in the batch, or its deletion.
    after: Option<u32>,
}

impl ChangelogNormalize {
    pub fn new(
        node: &ChainedNode,
        keys: &[usize],
        ttl: i64,
        emit_update_before: bool,
        context: &BuildContext,
    ) -> Result<Self> {
        let schema = arrow_type::schema(node.node.schema.iter());
        let key: Vec<_> = keys.iter().map(|key| schema.fields()[*key].clone()).collect();
        let key = prefixed("key.", &unique_fields(&key));
        let row = AnyColumn::new(prefixed("row.", &unique_fields(schema.fields())))?;
        Ok(ChangelogNormalize {
            table: KeyedTable::new(TABLE, &key, key.len(), context.max_parallelism, row)?
                .with_ttl(ttl)
                .with_spilling(context.table_memory())?,
            schema,
            keys: keys.to_vec(),
            slots: Vec::new(),
            batch_bytes: context.batch_bytes,
            batch: 0,
            emit_update_before,
            touched: Vec::new(),
        })
    }

    /// Sends the changes of some keys and keeps their last rows.
    fn change(&mut self, keys: &[Touched], batch: &ChangeBatch, context: &mut Context<'_>) -> Result<()> {
        let known = keys.iter().filter(|key| key.known);
        let before = self.table.values().read(&known.map(|key| key.slot).collect::<Vec<_>>())?;
        let expires = self.table.expires();
        let after = batch.columns().columns();
        let same = Equality::new(&before, after);
        let mut changes = Changelog::default();
        let (mut slots, mut rows) = (Vec::new(), Vec::new());
        let (mut gone, mut places) = (Vec::new(), 0..);
        for key in keys {
            let before = if key.known { places.next() } else { None };
            match (before, key.after) {
                (None, Some(row)) => changes.push(RowKind::Insert, 1, row as usize),
                // With a time to live, an equal row is sent too, which keeps state downstream alive.
                (Some(before), Some(row)) if !expires && same.equal(before, row as usize) => continue,
                (Some(before), Some(row)) => {
                    if self.emit_update_before {
                        changes.push(RowKind::UpdateBefore, 0, before);
                    }
                    changes.push(RowKind::UpdateAfter, 1, row as usize);
                }
                (Some(before), None) => changes.push(RowKind::Delete, 0, before),
                (None, None) => (),
            }
            match key.after {
                Some(row) => {
                    slots.push(key.slot);
                    rows.push(row);
                }
                None => gone.push(key.slot),
            }
        }
        self.table.values_mut().set_rows(&slots, after, &rows)?;
        self.table.mark_all(&slots);
        gone.into_iter().for_each(|slot| self.table.remove(slot));
        if changes.is_empty() {
            return Ok(());
        }
        context.output.emit(Batch::Changes(changes.build(&self.schema, &[&before, after])?))
    }

    fn expire(&mut self, rows: usize, context: &mut Context<'_>) {
        let next = self.table.expire(context.now, rows);
        next.into_iter().for_each(|at| context.schedule(at));
    }
}

impl Operator for ChangelogNormalize {
    fn restores_in_parts(&self) -> bool {
        true
    }

    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.table.restore_in_parts(&mut restored, context.now)?;
        self.expire(0, context);
        Ok(())
    }

    fn processing_time(&mut self, _: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.expire(0, context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        let keys: Vec<ArrayRef> = self.keys.iter().map(|key| batch.column(*key).clone()).collect();
        let mut created = Vec::new();
        self.table.intern(&keys, batch.physical_rows(), &mut self.slots, |slot, _| created.push(slot))?;
        created.sort_unstable();
        self.batch = self.batch.wrapping_add(1).max(1);
        self.touched.resize(self.table.slots_end().max(self.touched.len()), (0, 0));
        let mut touched: Vec<Touched> = Vec::new();
        for (row, slot) in self.slots.iter().enumerate() {
            let (batch_of_slot, at) = &mut self.touched[*slot as usize];
            if *batch_of_slot != self.batch {
                (*batch_of_slot, *at) = (self.batch, touched.len() as u32);
                let known =
                    created.binary_search(slot).is_err() && !self.table.is_expired(*slot, context.now);
                self.table.touch(*slot, context.now);
                touched.push(Touched { slot: *slot, known, after: None });
            }
            let key = &mut touched[*at as usize];
            match batch.kind(row) {
                RowKind::Insert | RowKind::UpdateAfter => key.after = Some(row as u32),
                RowKind::Delete => key.after = None,
                // The following +U contains everything; a -U alone removes the row.
                RowKind::UpdateBefore => key.after = None,
            }
        }
        let bytes = RowBytes::new(batch.columns().columns());
        let of = |key: &Touched| {
            let before = if key.known { self.table.values().bytes_of(key.slot) } else { 0 };
            before + key.after.map_or(0, |row| bytes.of(row as usize))
        };
        for run in runs(touched.len(), self.batch_bytes, |at| of(&touched[at])) {
            self.change(&touched[run], &batch, context)?;
        }
        self.expire(batch.physical_rows(), context);
        self.table.make_room()
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        self.table.snapshot_into(full, &mut snapshot)?;
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use crate::harness::{Harness, node};
    use flott_plan::OperatorSpec;

    #[test]
    fn the_last_row_of_a_key_counts() {
        let spec = OperatorSpec::ChangelogNormalize { keys: vec![0], ttl: 0, emit_update_before: true };
        let mut normalize = Harness::keyed(node(spec, &["INT STRING"], "INT STRING"), &[&[0]]);
        assert_eq!(normalize.push("+I 1 a\n+U 2 b\n+I 1 aa\n+I 3 x\n-D 3 x"), "+I 1 aa\n+I 2 b\n");
        assert_eq!(normalize.push("+U 1 aa\n+U 2 c"), "-U 2 b\n+U 2 c\n");
        normalize.checkpoint(false);
        normalize.restore(2);
        assert_eq!(normalize.push("-D 2 NULL\n-D 9 x"), "-D 2 c\n");
        assert_eq!(normalize.push("-U 1 aa\n+U 1 z"), "-U 1 aa\n+U 1 z\n");
        assert_eq!(normalize.checkpoint(false), 2);
        assert_eq!(normalize.checkpoint(false), 0);
    }

    #[test]
    fn updates_without_their_first_half() {
        let spec = OperatorSpec::ChangelogNormalize { keys: vec![0], ttl: 0, emit_update_before: false };
        let node = node(spec, &["INT STRING"], "INT STRING");
        let mut normalize = Harness::keyed(node, &[&[0]]).upsert();
        assert_eq!(normalize.push("+U 1 a\n+U 2 b"), "+I 1 a\n+I 2 b\n");
        normalize.checkpoint(false);
        normalize.restore(2);
        assert_eq!(normalize.push("+U 1 aa"), "+U 1 aa\n");
        assert_eq!(normalize.push("+U 2 b\n-D 2 NULL"), "-D 2 b\n");
        assert_eq!(normalize.push("-U 1 aa\n+U 1 z"), "+U 1 z\n");
    }
}
