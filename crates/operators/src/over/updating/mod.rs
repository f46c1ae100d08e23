//! OVER ordered by something other than time: a row that arrives between others changes the results of those
//! after it.
//!
//! All rows of a key are kept. For each batch, the results of the touched keys are computed before and after
//! it, as in a batch query ([`CompleteOver`]), and the differences are sent. Rows of equal order stay in the
//! order of arrival.
//!
//! Cost: of a key and batch, two sorts of the key's rows and two passes over them, however many rows of it the batch has.

use arrow::array::{ArrayRef, UInt32Array, new_empty_array};
use arrow::compute::take;
use arrow::datatypes::{FieldRef, Int64Type, SchemaRef};
use flott_batch::bytes::RowBytes;
use flott_batch::{Batch, ChangeBatch, RowKind, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::ChainedNode;
use flott_state::{
    KeyedMap, MapSpec, NO_SLOT, OperatorSnapshot, PrimitiveColumn, RestoredState, SlotColumns, prefixed,
};
use flott_types::{CheckpointId, Error, FastMap, Result, Timestamp};

use super::complete::{CompleteOver, CompleteParts};
use super::expiry;
use crate::BuildContext;
use crate::accumulate::unique_fields;
use crate::support::{Changelog, Equality, columns_of, kernel};

/// The name of the table in snapshots.
const TABLE: &str = "rows";

/// The operator.
pub(crate) struct UpdatingOver {
    schema: SchemaRef,
    partition: Vec<usize>,
    over: CompleteOver,
    map: KeyedMap<Copies>,
    /// Where the next row that is not there yet stands among its equals.
    next: i64,
    keys: Vec<u32>,
    entries: Vec<u32>,
    batch_bytes: usize,
}

/// How often a row is there, and where it stands among rows of equal order.
struct Copies {
    count: PrimitiveColumn<Int64Type>,
    position: PrimitiveColumn<Int64Type>,
}

/// The rows of some keys with their results, and where each is.
struct Computed {
    columns: Vec<ArrayRef>,
    /// By row: its entry, and the how-many-th copy of it this is.
    copies: Vec<(u32, u32)>,
}

impl UpdatingOver {
    pub fn new(
        node: &ChainedNode,
        parts: &CompleteParts<'_>,
        ttl: i64,
        context: &BuildContext,
    ) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let fields = arrow_type::schema(input.iter());
        let key_fields: Vec<FieldRef> =
            parts.partition.iter().map(|key| fields.fields()[*key].clone()).collect();
        let spec = MapSpec {
            name: TABLE,
            keys: &unique_fields(&key_fields),
            partition_columns: parts.partition.len(),
            rows: &prefixed("row.", &unique_fields(fields.fields())),
            order: None,
            max_parallelism: context.max_parallelism,
        };
        let copies = Copies {
            count: PrimitiveColumn::new("$count", 0),
            position: PrimitiveColumn::new("$position", 0),
        };
        Ok(UpdatingOver {
            schema: arrow_type::schema(node.node.schema.iter()),
            partition: parts.partition.to_vec(),
            over: CompleteOver::new(input, parts, context)?,
            map: KeyedMap::new(&spec, copies)?.with_ttl(ttl),
            next: 0,
            keys: Vec::new(),
            entries: Vec::new(),
            batch_bytes: context.batch_bytes,
        })
    }

    /// Halves a batch until the rows of the keys that a part touches fit into one batch.
    fn process_in_parts(&mut self, batch: &ChangeBatch, context: &mut Context<'_>) -> Result<()> {
        let rows = batch.physical_rows();
        let keys: Vec<ArrayRef> = self.partition.iter().map(|key| batch.column(*key).clone()).collect();
        expiry::forget_expired(&mut self.map, &keys, rows, context.now)?;
        self.map.lookup_keys(&keys, rows, &mut self.keys)?;
        let known = distinct(&self.keys);
        let entries = known.iter().flat_map(|key| self.map.entries_of(*key));
        let bytes: usize = entries.map(|entry| self.map.bytes_of(entry)).sum();
        let new = RowBytes::new(batch.columns().columns()).of_range(0, rows);
        if rows > 1 && (known.len() > 1 || self.keys.contains(&NO_SLOT)) && bytes + new > self.batch_bytes {
            let half = rows / 2;
            self.process_in_parts(&batch.slice(0, half), context)?;
            return self.process_in_parts(&batch.slice(half, rows - half), context);
        }
        self.process_part(batch, &keys, context)
    }

    fn process_part(
        &mut self,
        batch: &ChangeBatch,
        keys: &[ArrayRef],
        context: &mut Context<'_>,
    ) -> Result<()> {
        self.map.intern_keys(keys, batch.physical_rows(), &mut self.keys, |_, _| ())?;
        let touched = distinct(&self.keys);
        let before = self.compute(&touched)?;
        self.apply(batch)?;
        let after = self.compute(&touched)?;
        let unused: Vec<u32> = {
            let count = self.map.values().count.values();
            let mut unused = std::mem::take(&mut self.entries);
            unused.retain(|entry| count[*entry as usize] == 0);
            unused.sort_unstable();
            unused.dedup();
            unused
        };
        unused.into_iter().for_each(|entry| self.map.remove(entry));
        expiry::touch(&mut self.map, &touched, context.now);

        let changes = self.difference(&before, &after);
        if !changes.is_empty() {
            let changes = changes.build(&self.schema, &[&before.columns, &after.columns])?;
            context.output.emit(Batch::Changes(changes))?;
        }
        self.expire(batch.physical_rows(), context)
    }

    /// Takes a batch in. The rows' entries stay in `entries`, those that are gone too.
    fn apply(&mut self, batch: &ChangeBatch) -> Result<()> {
        let mut new = Vec::new();
        self.map
            .intern(&self.keys, batch.columns().columns(), &mut self.entries, |entry, _| new.push(entry))?;
        let copies = self.map.values_mut();
        for entry in new {
            copies.position.values_mut()[entry as usize] = self.next;
            self.next += 1;
        }
        let counts = copies.count.values_mut();
        for (row, entry) in self.entries.iter().enumerate() {
            let count = &mut counts[*entry as usize];
            // What takes away a row that is not there, for it has expired, is ignored.
            *count = if batch.kind(row).is_addition() { *count + 1 } else { (*count - 1).max(0) };
        }
        self.entries.iter().for_each(|entry| self.map.mark(*entry));
        Ok(())
    }

    /// The rows of keys with their results.
    fn compute(&self, keys: &[u32]) -> Result<Computed> {
        let Copies { count, position } = self.map.values();
        let (counts, positions) = (count.values(), position.values());
        let mut entries: Vec<u32> = keys.iter().flat_map(|key| self.map.entries_of(*key)).collect();
        entries.retain(|entry| counts[*entry as usize] > 0);
        entries.sort_unstable_by_key(|entry| positions[*entry as usize]);
        let (mut copies, mut rows) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
        for (at, entry) in entries.iter().enumerate() {
            let count = u32::try_from(counts[*entry as usize]).unwrap_or(u32::MAX);
            copies.extend((0..count).map(|copy| (*entry, copy)));
            rows.extend(std::iter::repeat_n(at as u32, count as usize));
        }
        let mut columns = self.map.rows_of(&entries)?;
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

    /// What became of rows and of their results.
    fn difference(&self, before: &Computed, after: &Computed) -> Changelog {
        let width = self.schema.fields().len() - self.over.calls();
        let same = Equality::new(&before.columns[width..], &after.columns[width..]);
        let mut known: FastMap<(u32, u32), usize> =
            before.copies.iter().enumerate().map(|(row, copy)| (*copy, row)).collect();
        let mut changes = Changelog::default();
        let mut new = Vec::new();
        for (row, copy) in after.copies.iter().enumerate() {
            match known.remove(copy) {
                // With a time to live an unchanged result is sent too, so that state downstream lives on.
                Some(old) if !self.map.expires() && same.equal(old, row) => (),
                Some(old) => new.push((Some(old), row)),
                None => new.push((None, row)),
            }
        }
        let gone = before.copies.iter().enumerate().filter(|(_, copy)| known.contains_key(*copy));
        gone.for_each(|(row, _)| changes.push(RowKind::Delete, 0, row));
        for (old, row) in new {
            match old {
                Some(old) => {
                    changes.push(RowKind::UpdateBefore, 0, old);
                    changes.push(RowKind::UpdateAfter, 1, row);
                }
                None => changes.push(RowKind::Insert, 1, row),
            }
        }
        changes
    }

    fn expire(&mut self, rows: usize, context: &mut Context<'_>) -> Result<()> {
        let none = |_: &[ArrayRef], number| Ok(vec![false; number]);
        let next = expiry::expire(&mut self.map, context.now, rows, none)?;
        next.into_iter().for_each(|at| context.schedule(at));
        Ok(())
    }
}

/// The slots of keys, each once.
fn distinct(keys: &[u32]) -> Vec<u32> {
    let mut keys: Vec<u32> = keys.iter().copied().filter(|key| *key != NO_SLOT).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

impl Operator for UpdatingOver {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.map.restore(&mut restored)?;
        let positions = self.map.values().position.values();
        self.next = self.map.live().map(|entry| positions[entry as usize] + 1).max().unwrap_or_default();
        self.expire(0, context)
    }

    fn processing_time(&mut self, _: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.expire(0, context)
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        self.process_in_parts(&columns_of(batch)?.compact()?, context)
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        snapshot.keyed.extend(self.map.snapshot(full)?);
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
