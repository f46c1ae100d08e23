//! GROUP BY over an unbounded input: in one phase, or the second of two.
//!
//! For each batch, each group emits its net change: `+I` when it is new, `-U` and `+U` when its result
//! changed, nothing when it did not, `-D` when its last row was retracted. The old result need not be stored:
//! it is what the accumulators yield before the batch is added.
//!
//! Groups that are not used for long leave memory when there is not enough of it, and come back with their next row.
//!
//! Cost per record: interning its key (one hash, one probe) and one loop per call. Per group and batch: its
//! results before and after, gathered as columns.

use arrow::array::{ArrayRef, UInt32Array};
use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, ChangeBatch, RowKind, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{AggregateCall, AggregatePhase, ChainedNode};
use flott_state::{KeyedTable, OperatorSnapshot, RestoredState, SlotColumns};
use flott_types::{CheckpointId, Error, KeyGroup, Result, Timestamp};

use crate::BuildContext;
use crate::accumulate::{Aggregates, Keys, Rows, unique_fields};
use crate::support::{Changelog, Equality, columns_of, record_batch, take_columns, whole_keys};

/// The name of the groups' table in snapshots.
const TABLE: &str = "groups";

/// The keys of a table of groups.
pub(super) fn table_keys(node: &ChainedNode, keys: &[usize], context: &BuildContext) -> Result<Keys> {
    let input = arrow_type::schema(crate::build::input(node, 0)?.iter());
    let field = |key: &usize| {
        let known = input.fields().get(*key).cloned();
        known.ok_or_else(|| Error::internal(format!("there is no key column {key}")))
    };
    let fields = keys.iter().map(field).collect::<Result<Vec<_>>>()?;
    Ok(Keys {
        fields: unique_fields(&fields),
        partition_columns: keys.len(),
        max_parallelism: context.max_parallelism,
        streaming: context.streaming,
        functions: context.functions.clone(),
    })
}

/// The operator.
pub(crate) struct GroupAggregate {
    schema: SchemaRef,
    keys: Vec<usize>,
    partial: bool,
    emit_update_before: bool,
    /// A batch query without GROUP BY has a result even if there are no rows.
    result_of_nothing: bool,
    table: KeyedTable<Aggregates>,
    batch_bytes: usize,
    batch: u32,
    /// By slot: the batch that touched it last.
    touched_in: Vec<u32>,
    /// By slot: the batch in which the group was created.
    born_in: Vec<u32>,
    slots: Vec<u32>,
}

/// A group that a batch touched.
struct Touched {
    slot: u32,
    /// Its first row in the batch.
    row: u32,
    /// The position of its result before the batch, if it had one.
    before: Option<usize>,
}

impl GroupAggregate {
    /// For one phase, or for the global one of two.
    #[expect(clippy::too_many_arguments, reason = "the fields of the specification, one by one")]
    pub fn new(
        node: &ChainedNode,
        keys: &[usize],
        calls: &[AggregateCall],
        phase: AggregatePhase,
        input_updates: bool,
        emit_update_before: bool,
        ttl: i64,
        context: &BuildContext,
    ) -> Result<Self> {
        let partial = phase == AggregatePhase::Global;
        if partial && input_updates {
            return Err(Error::unsupported("two-phase aggregation of an input with retractions"));
        }
        let table_keys = table_keys(node, keys, context)?;
        let aggregates = Aggregates::new(calls, input_updates, &table_keys)?;
        Ok(GroupAggregate {
            schema: arrow_type::schema(node.node.schema.iter()),
            keys: keys.to_vec(),
            partial,
            emit_update_before,
            result_of_nothing: keys.is_empty() && !context.streaming,
            table: KeyedTable::new(
                TABLE,
                &table_keys.fields,
                table_keys.partition_columns,
                context.max_parallelism,
                aggregates,
            )?
            .with_ttl(ttl)
            .with_spilling(context.table_memory())?,
            batch_bytes: context.batch_bytes,
            batch: 0,
            touched_in: Vec::new(),
            born_in: Vec::new(),
            slots: Vec::new(),
        })
    }

    /// Interns the keys of a batch.
    fn intern(&mut self, batch: &ChangeBatch) -> Result<()> {
        let keys = self.key_columns(batch);
        let mut new = Vec::new();
        self.table.intern(&keys, batch.physical_rows(), &mut self.slots, |slot, _| new.push(slot))?;
        self.batch = self.batch.wrapping_add(1).max(1);
        self.touched_in.resize(self.table.slots_end().max(self.touched_in.len()), 0);
        self.born_in.resize(self.touched_in.len(), 0);
        new.iter().for_each(|slot| self.born_in[*slot as usize] = self.batch);
        Ok(())
    }

    /// The groups in the order in which a batch, or a part of it, first touches them.
    fn touch(&mut self, now: Timestamp) -> Vec<Touched> {
        let mut touched: Vec<Touched> = Vec::new();
        for (row, slot) in self.slots.iter().enumerate() {
            if std::mem::replace(&mut self.touched_in[*slot as usize], self.batch) != self.batch {
                touched.push(Touched { slot: *slot, row: row as u32, before: Some(0) });
            }
        }
        let mut existed = 0;
        for group in &mut touched {
            let mut is_new = self.born_in[group.slot as usize] == self.batch;
            if !is_new && self.table.is_expired(group.slot, now) {
                is_new = true;
                self.table.values_mut().reset(group.slot);
            }
            group.before = (!is_new).then_some(existed);
            existed += usize::from(!is_new);
            self.table.touch(group.slot, now);
            self.table.mark(group.slot);
        }
        touched
    }

    /// Adds a batch to the accumulators.
    fn accumulate(&mut self, batch: &ChangeBatch) -> Result<()> {
        let end = self.table.slots_end();
        let aggregates = self.table.values_mut();
        let columns = batch.columns().columns();
        if self.partial {
            let partial = columns
                .get(self.keys.len()..self.keys.len() + aggregates.width())
                .ok_or_else(|| Error::internal("the input of a global aggregate has too few columns"))?;
            return aggregates.merge_partial(&self.slots, partial, end);
        }
        let mut rows: Vec<u32> = (0..batch.physical_rows() as u32).collect();
        let Some(counts) = aggregates.row_counts() else {
            let rows = Rows { columns, rows: &rows, slots: &self.slots, retract: None };
            return aggregates.update(&rows);
        };
        // A retraction of a missing row is ignored, as in Flink.
        let mut retract: Vec<bool> = Vec::with_capacity(rows.len());
        let mut slots: Vec<u32> = Vec::with_capacity(rows.len());
        rows.retain(|row| {
            let (slot, takes_away) = (self.slots[*row as usize], !batch.kind(*row as usize).is_addition());
            let count = &mut counts[slot as usize];
            if takes_away && *count == 0 {
                return false;
            }
            *count += if takes_away { -1 } else { 1 };
            retract.push(takes_away);
            slots.push(slot);
            true
        });
        aggregates.update(&Rows { columns, rows: &rows, slots: &slots, retract: Some(&retract) })
    }

    fn key_columns(&self, batch: &ChangeBatch) -> Vec<ArrayRef> {
        match self.partial {
            true => (0..self.keys.len()).map(|key| batch.column(key).clone()).collect(),
            false => self.keys.iter().map(|key| batch.column(*key).clone()).collect(),
        }
    }

    /// If the groups' results before and after the batch do not fit into one batch, they are computed part by
    /// part.
    fn process_in_parts(&mut self, batch: &ChangeBatch, context: &mut Context<'_>) -> Result<()> {
        let groups = self.table.values();
        let Some(parts) = whole_keys(batch, &self.slots, self.batch_bytes, |slot| groups.bytes_of(slot))
        else {
            return self.process_part(batch, context);
        };
        let slots = std::mem::take(&mut self.slots);
        for rows in parts {
            self.slots.clear();
            self.slots.extend(rows.iter().map(|row| slots[*row as usize]));
            self.process_part(&batch.take(&UInt32Array::from(rows))?, context)?;
        }
        Ok(())
    }

    /// Processes rows whose keys are interned.
    fn process_part(&mut self, batch: &ChangeBatch, context: &mut Context<'_>) -> Result<()> {
        let keys = self.key_columns(batch);
        let touched = self.touch(context.now);
        let existed: Vec<&Touched> = touched.iter().filter(|group| group.before.is_some()).collect();
        let old_rows: Vec<u32> = existed.iter().map(|group| group.row).collect();
        let old_slots: Vec<u32> = existed.iter().map(|group| group.slot).collect();
        let mut before = take_columns(&keys, &old_rows)?;
        before.append(&mut self.table.values().values(&old_slots)?);

        self.accumulate(batch)?;

        let groups = self.table.values();
        let stays = |group: &&Touched| groups.has_rows(group.slot);
        let (new_rows, new_slots): (Vec<u32>, Vec<u32>) =
            touched.iter().filter(stays).map(|group| (group.row, group.slot)).unzip();
        let mut after = take_columns(&keys, &new_rows)?;
        after.append(&mut groups.values(&new_slots)?);

        let width = keys.len();
        let same = Equality::new(&before[width..], &after[width..]);
        let mut changes = Changelog::default();
        let mut next = 0;
        let mut gone = Vec::new();
        for group in &touched {
            let stays = groups.has_rows(group.slot);
            match group.before {
                None if stays => changes.push(RowKind::Insert, 1, next),
                // With a time to live, an unchanged result is sent too, which keeps state downstream alive.
                Some(before) if stays && !self.table.expires() && same.equal(before, next) => (),
                Some(before) if stays => {
                    if self.emit_update_before {
                        changes.push(RowKind::UpdateBefore, 0, before);
                    }
                    changes.push(RowKind::UpdateAfter, 1, next);
                }
                Some(before) => changes.push(RowKind::Delete, 0, before),
                None => (),
            }
            next += usize::from(stays);
            if !stays {
                gone.push(group.slot);
            }
        }
        gone.iter().for_each(|slot| self.table.remove(*slot));
        if changes.is_empty() {
            return Ok(());
        }
        context.output.emit(Batch::Changes(changes.build(&self.schema, &[&before, &after])?))
    }

    fn expire(&mut self, rows: usize, context: &mut Context<'_>) {
        let next = self.table.expire(context.now, rows);
        next.into_iter().for_each(|at| context.schedule(at));
    }
}

impl Operator for GroupAggregate {
    fn restores_in_parts(&self) -> bool {
        true
    }

    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.table.restore_in_parts(&mut restored, context.now)?;
        self.expire(0, context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        self.intern(&batch)?;
        match self.table.values().varies() {
            true => self.process_in_parts(&batch, context)?,
            false => self.process_part(&batch, context)?,
        }
        self.expire(batch.physical_rows(), context);
        self.table.make_room()
    }

    fn processing_time(&mut self, _: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.expire(0, context);
        Ok(())
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        // The single group without a key belongs to the first key group.
        let owned = context.info.key_groups.contains(KeyGroup::of_hash(0, context.info.max_parallelism));
        if !self.result_of_nothing || !owned || !self.table.is_empty() {
            return Ok(());
        }
        self.table.intern(&[], 1, &mut self.slots, |_, _| ())?;
        let values = self.table.values().values(&self.slots)?;
        let rows = ChangeBatch::insert_only(record_batch(&self.schema, values, 1)?);
        context.output.emit(Batch::Changes(rows))
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        self.table.snapshot_into(full, &mut snapshot)?;
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests;
