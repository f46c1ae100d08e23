//! OVER ordered by something other than time: a row that arrives between others changes the results of those
//! after it.
//!
//! All rows of a key are kept. For each batch, the results of the touched keys are computed before and after
//! it, as in a batch query ([`CompleteOver`]), for as many keys at a time as fit into a batch, and the
//! differences are sent. Rows with equal order stay in order of arrival.
//!
//! Cost per key and batch: two sorts of the key's rows and two passes over them, however many of them the
//! batch changes.

use arrow::array::{ArrayRef, UInt32Array, new_empty_array};
use arrow::compute::take;
use arrow::datatypes::{FieldRef, Int64Type, SchemaRef};
use flott_batch::{Batch, ChangeBatch, RowKind, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::ChainedNode;
use flott_state::{
    GroupedRows, OperatorSnapshot, PrimitiveColumn, RestoredState, RowColumn, SharedIndex, SlotColumns,
    StateColumn, prefixed,
};
use flott_types::{CheckpointId, Error, FastMap, Result, Timestamp};

use super::complete::{CompleteOver, CompleteParts};
use super::expiry;
use crate::BuildContext;
use crate::accumulate::unique_fields;
use crate::support::{Changelog, Equality, columns_of, kernel, whole_keys};

/// The name of the table in snapshots.
const TABLE: &str = "rows";

/// The operator.
pub(crate) struct UpdatingOver {
    schema: SchemaRef,
    partition: Vec<usize>,
    over: CompleteOver,
    index: SharedIndex,
    rows: RowColumn<GroupedRows<Copies>>,
    /// The position that the next new row gets among rows with equal order.
    next: i64,
    entries: Vec<u32>,
    emit_update_before: bool,
    batch_bytes: usize,
}

/// How often a row is present, and its position among rows with equal order.
struct Copies {
    count: PrimitiveColumn<Int64Type>,
    position: PrimitiveColumn<Int64Type>,
}

/// The rows of some keys with their results, and the origin of each.
struct Computed {
    columns: Vec<ArrayRef>,
    /// By row: its entry, and the number of this copy.
    copies: Vec<(u32, u32)>,
}

impl UpdatingOver {
    pub fn new(
        node: &ChainedNode,
        parts: &CompleteParts<'_>,
        ttl: i64,
        emit_update_before: bool,
        context: &BuildContext,
    ) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let fields = arrow_type::schema(input.iter());
        let key_fields: Vec<FieldRef> =
            parts.partition.iter().map(|key| fields.fields()[*key].clone()).collect();
        let keys = unique_fields(&key_fields);
        let mut index = SharedIndex::new(&keys, keys.len(), context.max_parallelism)?;
        let copies = Copies {
            count: PrimitiveColumn::new("$count", 0),
            position: PrimitiveColumn::new("$position", 0),
        };
        let rows = GroupedRows::new(&prefixed("row.", &unique_fields(fields.fields())), None, copies)?;
        let mut rows = RowColumn::new(TABLE, rows).with_coarse_ttl(ttl, &index);
        index.spill_with(&mut [&mut rows], context.table_memory(), (ttl > 0).then_some(ttl))?;
        Ok(UpdatingOver {
            schema: arrow_type::schema(node.node.schema.iter()),
            partition: parts.partition.to_vec(),
            over: CompleteOver::new(input, parts, context)?,
            rows,
            index,
            next: 0,
            entries: Vec::new(),
            emit_update_before,
            batch_bytes: context.batch_bytes,
        })
    }

    /// If the rows of the keys do not fit into one batch, they are computed part by part.
    fn process_in_parts(&mut self, batch: &ChangeBatch, context: &mut Context<'_>) -> Result<()> {
        let keys: Vec<ArrayRef> = self.partition.iter().map(|key| batch.column(*key).clone()).collect();
        let mut slots = Vec::new();
        self.index.intern_with(&keys, batch.physical_rows(), &mut slots, &mut [&mut self.rows])?;
        expiry::forget_expired(&mut self.rows, &mut self.index, &slots, context.now);
        let rows = &self.rows;
        let kept = |slot| rows.entries_of(slot).map(|entry| rows.row_bytes(entry)).sum();
        let Some(parts) = whole_keys(batch, &slots, self.batch_bytes, kept) else {
            return self.process_part(batch, &slots, context);
        };
        for rows in parts {
            let slots: Vec<u32> = rows.iter().map(|row| slots[*row as usize]).collect();
            self.process_part(&batch.take(&UInt32Array::from(rows))?, &slots, context)?;
        }
        Ok(())
    }

    fn process_part(&mut self, batch: &ChangeBatch, slots: &[u32], context: &mut Context<'_>) -> Result<()> {
        let mut touched = slots.to_vec();
        touched.sort_unstable();
        touched.dedup();
        let before = self.compute(&touched)?;
        self.apply(batch, slots)?;
        let after = self.compute(&touched)?;
        let unused: Vec<u32> = {
            let count = self.rows.values().count.values();
            let mut unused = std::mem::take(&mut self.entries);
            unused.retain(|entry| count[*entry as usize] == 0);
            unused.sort_unstable();
            unused.dedup();
            unused
        };
        self.index.freed().extend(unused.into_iter().filter_map(|entry| self.rows.remove(entry)));
        expiry::touch(&mut self.rows, &touched, context.now);

        let changes = self.difference(&before, &after);
        let sources: [&[ArrayRef]; 2] = [&before.columns, &after.columns];
        let emit = |changes| context.output.emit(Batch::Changes(changes));
        changes.build_in_runs(&self.schema, &sources, self.batch_bytes, emit)
    }

    /// Applies a batch. The rows' entries stay in `entries`, including those that are gone.
    fn apply(&mut self, batch: &ChangeBatch, slots: &[u32]) -> Result<()> {
        let mut new = Vec::new();
        self.rows.intern(slots, batch.columns().columns(), &mut self.entries, |entry, _| new.push(entry))?;
        let copies = self.rows.values_mut();
        for entry in new {
            copies.position.values_mut()[entry as usize] = self.next;
            self.next += 1;
        }
        let counts = copies.count.values_mut();
        for (row, entry) in self.entries.iter().enumerate() {
            let count = &mut counts[*entry as usize];
            // A retraction of a missing row, which has expired, is ignored.
            *count = if batch.kind(row).is_addition() { *count + 1 } else { (*count - 1).max(0) };
        }
        self.rows.mark_all(&self.entries);
        Ok(())
    }

    /// Computes the results of the keys' rows.
    fn compute(&self, keys: &[u32]) -> Result<Computed> {
        let Copies { count, position } = self.rows.values();
        let (counts, positions) = (count.values(), position.values());
        let mut entries: Vec<u32> = keys.iter().flat_map(|key| self.rows.entries_of(*key)).collect();
        entries.retain(|entry| counts[*entry as usize] > 0);
        entries.sort_unstable_by_key(|entry| positions[*entry as usize]);
        let (mut copies, mut rows) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
        for (at, entry) in entries.iter().enumerate() {
            let count = u32::try_from(counts[*entry as usize]).unwrap_or(u32::MAX);
            copies.extend((0..count).map(|copy| (*entry, copy)));
            rows.extend(std::iter::repeat_n(at as u32, count as usize));
        }
        let mut columns = self.rows.rows_of(&entries)?;
        if rows.len() > entries.len() {
            let rows = UInt32Array::from(rows);
            columns = columns
                .iter()
                .map(|column| take(column, &rows, None))
                .collect::<Result<_, _>>()
                .map_err(kernel)?;
        }
        if copies.is_empty() {
            let columns = self.schema.fields().iter().map(|field| new_empty_array(field.data_type()));
            return Ok(Computed { columns: columns.collect(), copies });
        }
        let (columns, order) = self.over.compute(columns)?;
        let copies = order.values().iter().map(|row| copies[*row as usize]).collect();
        Ok(Computed { columns, copies })
    }

    /// The changes of rows and of their results.
    fn difference(&self, before: &Computed, after: &Computed) -> Changelog {
        let width = self.schema.fields().len() - self.over.calls();
        let same = Equality::new(&before.columns[width..], &after.columns[width..]);
        let mut known: FastMap<(u32, u32), usize> =
            before.copies.iter().enumerate().map(|(row, copy)| (*copy, row)).collect();
        let mut changes = Changelog::default();
        let mut new = Vec::new();
        for (row, copy) in after.copies.iter().enumerate() {
            match known.remove(copy) {
                // With a time to live, an unchanged result is sent too, which keeps state downstream alive.
                Some(old) if self.rows.ttl().is_none() && same.equal(old, row) => (),
                Some(old) => new.push((Some(old), row)),
                None => new.push((None, row)),
            }
        }
        let gone = before.copies.iter().enumerate().filter(|(_, copy)| known.contains_key(*copy));
        gone.for_each(|(row, _)| changes.push(RowKind::Delete, 0, row));
        for (old, row) in new {
            match old {
                Some(old) => {
                    if self.emit_update_before {
                        changes.push(RowKind::UpdateBefore, 0, old);
                    }
                    changes.push(RowKind::UpdateAfter, 1, row);
                }
                None => changes.push(RowKind::Insert, 1, row),
            }
        }
        changes
    }

    /// Lets keys leave memory if there is too much.
    fn make_room(&mut self) -> Result<()> {
        if !self.index.wants_room() {
            return Ok(());
        }
        self.index.release(|slot| self.rows.occupied(slot));
        let held = self.rows.memory();
        self.index.make_room(&mut [&mut self.rows], held)
    }

    fn expire(&mut self, rows: usize, context: &mut Context<'_>) {
        let back = self.index.sweep(&mut [&mut self.rows], context.now, rows);
        expiry::forget_expired(&mut self.rows, &mut self.index, &back, context.now);
        expiry::expire(&mut self.rows, &mut self.index, context.now, rows, |_| false);
        [self.rows.wake_at(), self.index.wake_at()].into_iter().flatten().for_each(|at| context.schedule(at));
        self.index.release(|slot| self.rows.occupied(slot));
    }
}

impl Operator for UpdatingOver {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.rows.begin(context.now);
        loop {
            self.index.restore(&mut self.rows, &mut restored)?;
            let positions = self.rows.values().position.values();
            let next = self.rows.live().map(|entry| positions[entry as usize] + 1).max();
            self.next = self.next.max(next.unwrap_or_default());
            self.index.grew();
            self.make_room()?;
            if !restored.next_part()? {
                break;
            }
        }
        self.expire(0, context);
        Ok(())
    }

    fn restores_in_parts(&self) -> bool {
        true
    }

    fn processing_time(&mut self, _: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.expire(0, context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        self.process_in_parts(&batch, context)?;
        self.expire(batch.physical_rows(), context);
        self.make_room()
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        self.index.snapshot(&mut self.rows, full, &mut snapshot.keyed)?;
        snapshot.spilled.extend(self.index.spilled(&mut [&mut self.rows], &snapshot.keyed)?);
        self.index.release(|slot| self.rows.occupied(slot));
        Ok(snapshot)
    }
}

impl SlotColumns for Copies {
    fn fields(&self) -> Vec<FieldRef> {
        [self.count.fields(), self.position.fields()].concat()
    }

    fn reset(&mut self, slot: u32) {
        self.count.reset(slot);
        self.position.reset(slot);
    }

    fn read(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        Ok([self.count.read(slots)?, self.position.read(slots)?].concat())
    }

    fn write(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<()> {
        let [count, position] = columns else {
            return Err(Error::internal("rows of OVER have a count and a position"));
        };
        self.count.write(slots, std::slice::from_ref(count))?;
        self.position.write(slots, std::slice::from_ref(position))
    }

    fn memory(&self) -> usize {
        self.count.memory() + self.position.memory()
    }
}

#[cfg(test)]
mod tests;
