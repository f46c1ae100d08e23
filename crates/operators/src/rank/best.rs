//! The first row of each partition of an input that only appends: `ROW_NUMBER() = 1`, first and last row of a key.
//!
//! A row that was passed by a better one never comes back, so a single row is kept for each partition, with the
//! encoding of its sort key in memory; there is no list that is sorted. Only the best row of a batch is compared
//! with it. The columns of rows are not encoded ([`KeptRows`]): those of a row that is replaced before anybody
//! asks for it were never copied.
//!
//! Cost of a record: interning its partition, encoding its sort key, one comparison of bytes. Per partition and
//! batch: a gather for each column of the output.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::SchemaRef;
use arrow::row::{RowConverter, Rows, SortField};
use flott_batch::{Batch, ChangeBatch, RowKind, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, SortKey};
use flott_state::{BinaryColumn, KeptRows, KeyedTable, OperatorSnapshot, RestoredState, SlotColumns};
use flott_types::{CheckpointId, Error, Result, Timestamp};

use super::ranked::{TABLE, sort_options};
use super::{Parts, earlier};
use crate::BuildContext;
use crate::keyed_columns::KeyedColumns;
use crate::support::{Changelog, columns_of, kernel};

/// The operator.
pub(crate) struct Best {
    schema: SchemaRef,
    columns: KeyedColumns,
    table: KeyedTable<KeptRows>,
    order: Vec<SortKey>,
    sorter: RowConverter,
    /// By slot: the sort key of the row.
    sorted: BinaryColumn,
    /// Of rows that sort equal the last one counts.
    latest_first: bool,
    output_rank: bool,
    emit_update_before: bool,
    batch_bytes: usize,
    slots: Vec<u32>,
    batch: u32,
    /// By slot: the batch that touched it last, and its number among the touched partitions.
    touched_in: Vec<(u32, u32)>,
}

/// A partition that a batch touched.
struct Touched {
    slot: u32,
    /// Whether it has a row from before the batch.
    known: bool,
    /// The best row of the batch.
    best: u32,
}

impl Best {
    pub fn new(node: &ChainedNode, parts: &Parts<'_>, context: &BuildContext) -> Result<Self> {
        let input = crate::build::input(node, 0)?;
        let columns = KeyedColumns::new(input, parts.partition, &[])?;
        let (keys, rest) = columns.fields();
        let kept = KeptRows::new(rest.to_vec());
        let mut table = KeyedTable::new(TABLE, keys, keys.len(), context.max_parallelism, kept)?;
        table.set_batch_bytes(context.batch_bytes);
        let fields = arrow_type::schema(input.iter());
        Ok(Best {
            schema: arrow_type::schema(node.node.schema.iter()),
            table: table.with_ttl(parts.ttl).with_spilling(context.table_memory())?,
            columns,
            order: parts.order.to_vec(),
            sorter: sorter(&fields, parts.order)?,
            sorted: BinaryColumn::new("sorted"),
            latest_first: parts.latest_first(input),
            output_rank: parts.output_rank,
            emit_update_before: parts.emit_update_before,
            batch_bytes: context.batch_bytes,
            slots: Vec::new(),
            batch: 0,
            touched_in: Vec::new(),
        })
    }

    /// The sort keys of rows.
    fn sort_keys(&self, columns: &[ArrayRef]) -> Result<Rows> {
        let keys: Vec<ArrayRef> = self.order.iter().map(|key| columns[key.column].clone()).collect();
        self.sorter.convert_columns(&keys).map_err(kernel)
    }

    /// Encodes the sort keys of stored rows.
    fn sort(&mut self, slots: &[u32]) -> Result<()> {
        for run in self.table.runs(slots) {
            let sorted = self.sort_keys(&self.rows_of(run)?)?;
            for (slot, row) in run.iter().zip(&sorted) {
                self.sorted.set(*slot, Some(row.as_ref()));
            }
        }
        Ok(())
    }

    /// Lets keys leave memory if the table holds too much.
    fn make_room(&mut self) -> Result<()> {
        self.table.make_room_beside(|| self.sorted.memory())
    }

    /// The partitions of a batch in the order in which it first touches them, each with its best row.
    fn touched(&mut self, sorted: &Rows, fresh: &[u32], now: Timestamp) -> Vec<Touched> {
        self.batch = self.batch.wrapping_add(1).max(1);
        self.touched_in.resize(self.table.slots_end().max(self.touched_in.len()), (0, 0));
        let mut touched: Vec<Touched> = Vec::new();
        for (row, slot) in self.slots.iter().enumerate() {
            let (in_batch, at) = &mut self.touched_in[*slot as usize];
            if std::mem::replace(in_batch, self.batch) != self.batch {
                *at = touched.len() as u32;
                let known = fresh.binary_search(slot).is_err() && !self.table.is_expired(*slot, now);
                touched.push(Touched { slot: *slot, known, best: row as u32 });
                continue;
            }
            let best = &mut touched[*at as usize].best;
            if wins(sorted.row(row).as_ref(), sorted.row(*best as usize).as_ref(), self.latest_first) {
                *best = row as u32;
            }
        }
        touched
    }

    /// The stored rows of slots, as they arrived.
    fn rows_of(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        self.columns.reassemble(self.table.values().read(slots)?, || self.table.keys_of(slots))
    }

    /// With the rank, if it is wanted: it is always the first.
    fn ranked(&self, columns: &[ArrayRef], rows: usize) -> Vec<ArrayRef> {
        let mut columns = columns.to_vec();
        if self.output_rank {
            columns.push(Arc::new(Int64Array::from(vec![1; rows])));
        }
        columns
    }

    /// Keeps rows of a batch that are the best now, and sends what changed.
    fn replace(&mut self, better: &[Touched], batch: &ChangeBatch, context: &mut Context<'_>) -> Result<()> {
        let replaced: Vec<u32> = match self.emit_update_before {
            true => better.iter().filter(|one| one.known).map(|one| one.slot).collect(),
            false => Vec::new(),
        };
        let before = match replaced.is_empty() {
            true => Vec::new(),
            false => self.ranked(&self.rows_of(&replaced)?, replaced.len()),
        };
        let after = self.ranked(batch.columns().columns(), batch.physical_rows());
        let mut changes = Changelog::default();
        let mut places = 0..;
        for one in better {
            match one.known {
                true => {
                    if self.emit_update_before {
                        changes.push(RowKind::UpdateBefore, 1, places.next().unwrap_or_default());
                    }
                    changes.push(RowKind::UpdateAfter, 0, one.best as usize);
                }
                false => changes.push(RowKind::Insert, 0, one.best as usize),
            }
        }
        let (slots, rows): (Vec<u32>, Vec<u32>) = better.iter().map(|one| (one.slot, one.best)).unzip();
        let rest = self.columns.rest(batch.columns().columns());
        self.table.values_mut().set_rows(&slots, &rest, &rows)?;
        self.table.mark_all(&slots);
        slots.iter().for_each(|slot| self.table.touch(*slot, context.now));
        let sources: &[&[ArrayRef]] = if before.is_empty() { &[&after] } else { &[&after, &before] };
        changes.build_in_runs(&self.schema, sources, self.batch_bytes, |rows| {
            context.output.emit(Batch::Changes(rows))
        })
    }

    fn expire(&mut self, rows: usize, context: &mut Context<'_>) -> Result<()> {
        let next = self.table.expire(context.now, rows);
        next.into_iter().for_each(|at| context.schedule(at));
        self.table.values_mut().tidy()
    }
}

/// Whether a row takes the place of another.
#[inline]
pub(super) fn wins(new: &[u8], old: &[u8], latest_first: bool) -> bool {
    if latest_first { new <= old } else { new < old }
}

/// Encodes sort keys of rows of a schema.
pub(crate) fn sorter(fields: &SchemaRef, order: &[SortKey]) -> Result<RowConverter> {
    let field = |key: &SortKey| {
        let known = fields.fields().get(key.column);
        let known = known.ok_or_else(|| Error::internal(format!("there is no column {}", key.column)))?;
        Ok(SortField::new_with_options(known.data_type().clone(), sort_options(key)))
    };
    RowConverter::new(order.iter().map(field).collect::<Result<_>>()?)
        .map_err(|error| Error::unsupported("an order by this type").with_source(error))
}

impl Operator for Best {
    fn restores_in_parts(&self) -> bool {
        true
    }

    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.table.begin(context.now);
        loop {
            let rows = restored.take_keyed(TABLE);
            let rows =
                earlier::first_rows(rows, &self.columns, self.latest_first, |rows| self.sort_keys(rows))
                    .map_err(|error| error.context(format_args!("restored state '{TABLE}'")))?;
            restored.keyed.insert(TABLE.to_owned(), rows);
            self.table.restore(&mut restored)?;
            let slots: Vec<u32> = self.table.live().collect();
            self.sort(&slots)?;
            self.make_room()?;
            if !restored.next_part()? {
                break;
            }
        }
        self.expire(0, context)
    }

    fn processing_time(&mut self, _: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.expire(0, context)
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        if batch.kinds().is_some_and(|kinds| kinds.iter().any(|kind| !kind.is_addition())) {
            return Err(Error::internal("a retraction where only insertions were planned for"));
        }
        let keys = self.columns.keys(batch.columns().columns());
        let rows = batch.physical_rows();
        let mut fresh = Vec::new();
        self.table.intern(&keys, rows, &mut self.slots, |slot, _| fresh.push(slot))?;
        fresh.sort_unstable();
        if !self.table.fetched().is_empty() {
            let fetched = self.table.fetched().to_vec();
            self.sort(&fetched)?;
        }
        let sorted = self.sort_keys(batch.columns().columns())?;
        let mut better = self.touched(&sorted, &fresh, context.now);
        better.retain(|one| {
            let new = sorted.row(one.best as usize);
            let new: &[u8] = new.as_ref();
            let old = self.sorted.get(one.slot).filter(|_| one.known);
            let wins = old.is_none_or(|old| wins(new, old, self.latest_first));
            if wins {
                self.sorted.set(one.slot, Some(new));
            }
            wins
        });
        if !better.is_empty() {
            self.replace(&better, &batch, context)?;
        }
        self.expire(rows, context)?;
        self.make_room()
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        self.table.snapshot_into(full, &mut snapshot)?;
        Ok(snapshot)
    }
}
