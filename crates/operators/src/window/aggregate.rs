//! Windowed GROUP BY over aligned windows (TUMBLE, HOP, CUMULATE), by slices; in one phase, or the second of
//! two.
//!
//! A row is added to the accumulators of its key and slice. When time has passed the end of a window, the
//! window fires: HOP temporarily adds up the slices of each key; CUMULATE merges what has fired into the
//! window's first slice, so that each slice is added only once. Windows fire in the order of their ends,
//! before the watermark is forwarded; a key without rows in a window emits nothing.
//!
//! Groups that do not fit into memory leave it, and come back with a row or when their next window fires: window
//! by window, in parts.
//!
//! A row whose windows have all fired is late: it is dropped and counted. One whose slice has fired in some
//! windows but not in all counts for the remaining ones.
//!
//! Cost of a record: finding its slice by a division, interning key and slice, one loop per call. Cost per
//! window and key: one merge for each slice (HOP), and gathering the results as columns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, UInt32Array};
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type, SchemaRef};
use flott_batch::bytes::runs;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_operator::windows::{Progress, Slicing, count_late};
use flott_operator::{Context, Operator};
use flott_plan::{AggregateCall, AggregatePhase, ChainedNode, WindowKind, WindowSpec};
use flott_state::{KeyedTable, OperatorSnapshot, RestoredState, SlotColumns};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};

use super::columns::WindowColumns;
use crate::BuildContext;
use crate::accumulate::{Aggregates, Keys, Rows, unique_fields};
use crate::support::{Millis, Zone, columns_of, record_batch};

/// The name of the table in snapshots.
const TABLE: &str = "slices";

/// What a window aggregation is built from.
pub(crate) struct Parts<'a> {
    pub node: &'a ChainedNode,
    pub window: &'a WindowSpec,
    pub keys: &'a [usize],
    pub calls: &'a [AggregateCall],
    pub attached: Option<(usize, usize)>,
    pub window_columns: [bool; 3],
    pub input_updates: bool,
}

/// The fields of these input columns, and some more.
pub(super) fn key_fields(node: &ChainedNode, keys: &[usize], more: &[&str]) -> Result<Vec<FieldRef>> {
    let input = arrow_type::schema(crate::build::input(node, 0)?.iter());
    let field = |key: &usize| {
        let known = input.fields().get(*key).cloned();
        known.ok_or_else(|| Error::internal(format!("there is no key column {key}")))
    };
    let mut fields = keys.iter().map(field).collect::<Result<Vec<_>>>()?;
    fields.extend(more.iter().map(|name| Arc::new(Field::new(*name, DataType::Int64, true))));
    Ok(unique_fields(&fields))
}

/// Where the slice of a row comes from.
enum Assign {
    /// Its time attribute.
    EventTime(usize),
    /// Its time of arrival.
    ProcessingTime,
    /// It already has a window: a column with its end, and for a session one with its start.
    Attached { start: Option<usize>, end: usize },
    /// The local phase determined it: the last column.
    Partial(usize),
}

/// The slice to which a row is added and the window that it waits for; or neither, and whether that is
/// because it is late.
type Target = Result<(i64, i64), bool>;

/// The operator.
pub(crate) struct WindowAggregate {
    schema: SchemaRef,
    keys: Vec<usize>,
    assign: Assign,
    event_time: bool,
    zone: Zone,
    /// `None` if each row already has its one window.
    slicing: Option<Slicing>,
    /// To find the starts of windows.
    shape: Option<Slicing>,
    columns: WindowColumns,
    table: KeyedTable<Aggregates>,
    batch_bytes: usize,
    /// The slices that may have groups, and as long as all groups are in memory, the groups of each.
    slices: BTreeMap<i64, Vec<u32>>,
    /// Groups may have left memory.
    spilled: bool,
    /// The ends of the windows that will fire.
    due: BTreeSet<i64>,
    progress: Progress,
    slots: Vec<u32>,
}

impl WindowAggregate {
    pub fn new(parts: &Parts<'_>, phase: AggregatePhase, context: &BuildContext) -> Result<Self> {
        let schema = arrow_type::schema(parts.node.node.schema.iter());
        let zone = Zone::new(parts.window.zone.as_deref())?;
        let session = matches!(parts.window.kind, WindowKind::Session { .. });
        let shape = if session { None } else { Some(Slicing::new(&parts.window.kind)?) };
        let assign = match (phase, parts.attached) {
            (AggregatePhase::Global, _) => {
                let inputs = crate::build::input(parts.node, 0)?.len();
                Assign::Partial(inputs.checked_sub(1).ok_or_else(|| Error::internal("no slice end"))?)
            }
            (_, Some((start, end))) => Assign::Attached { start: session.then_some(start), end },
            _ if parts.window.event_time => Assign::EventTime(parts.window.time_column),
            _ => Assign::ProcessingTime,
        };
        let keys = match phase {
            AggregatePhase::Global => (0..parts.keys.len()).collect(),
            _ => parts.keys.to_vec(),
        };
        let namespace: &[&str] = if session { &["window_start", "window_end"] } else { &["slice_end"] };
        let table_keys = Keys {
            fields: key_fields(parts.node, &keys, namespace)?,
            partition_columns: keys.len(),
            max_parallelism: context.max_parallelism,
            streaming: context.streaming,
            functions: context.functions.clone(),
        };
        let aggregates = Aggregates::new(parts.calls, parts.input_updates, &table_keys)?;
        Ok(WindowAggregate {
            columns: WindowColumns::new(&schema, parts.window_columns, zone)?,
            schema,
            batch_bytes: context.batch_bytes,
            table: KeyedTable::new(
                TABLE,
                &table_keys.fields,
                keys.len(),
                context.max_parallelism,
                aggregates,
            )?
            .with_spilling_until_wanted(context.table_memory())?,
            keys,
            slicing: shape.filter(|_| parts.attached.is_none()),
            shape,
            assign,
            event_time: parts.window.event_time,
            zone,
            slices: BTreeMap::new(),
            spilled: false,
            due: BTreeSet::new(),
            progress: Progress::default(),
            slots: Vec::new(),
        })
    }

    /// The slice of each row.
    fn slice_ends(&mut self, batch: &ChangeBatch, now: Timestamp) -> Result<Vec<i64>> {
        let rows = batch.physical_rows();
        match self.assign {
            Assign::EventTime(column) => {
                let times = Millis::required(batch.column(column))?;
                let Some(slicing) = self.slicing else { return Err(Error::internal("no slices")) };
                Ok((0..rows).map(|row| slicing.slice_end(self.zone.local(times.get(row)))).collect())
            }
            Assign::ProcessingTime => {
                let Some(slicing) = self.slicing else { return Err(Error::internal("no slices")) };
                Ok(vec![slicing.slice_end(self.zone.local(now)); rows])
            }
            Assign::Attached { end, .. } => {
                let ends = Millis::required(batch.column(end))?;
                Ok((0..rows).map(|row| ends.get(row)).collect())
            }
            Assign::Partial(column) => {
                let ends = batch.column(column).as_primitive_opt::<Int64Type>();
                let ends = ends.ok_or_else(|| Error::internal("a slice end is a BIGINT"))?;
                Ok(ends.values().to_vec())
            }
        }
    }

    fn has_fired(&self, window_end: i64) -> bool {
        self.progress.has_reached(self.zone.trigger(window_end - 1))
    }

    /// Decides what to do with a row of a slice.
    fn target(&self, slice: i64) -> Target {
        let Some(slicing) = self.slicing else {
            return if self.has_fired(slice) { Err(true) } else { Ok((slice, slice)) };
        };
        let (first, last) = (slicing.first_window(slice), slicing.last_window(slice));
        if first > last {
            return Err(false);
        }
        if !self.has_fired(first) {
            return Ok((slice, first));
        }
        if self.has_fired(last) {
            return Err(true);
        }
        let mut window = first;
        while self.has_fired(window) {
            window = slicing.next_window(window);
        }
        Ok((slicing.accumulating_slice(slice).unwrap_or(slice), window))
    }

    /// The columns of the table's key.
    fn table_keys(&self, batch: &ChangeBatch, targets: Vec<i64>) -> Result<Vec<ArrayRef>> {
        let mut keys: Vec<ArrayRef> = self.keys.iter().map(|key| batch.column(*key).clone()).collect();
        if let Assign::Attached { start: Some(start), .. } = self.assign {
            let starts = Millis::new(batch.column(start))?;
            keys.push(Arc::new(Int64Array::from_iter_values((0..targets.len()).map(|row| starts.get(row)))));
        }
        keys.push(Arc::new(Int64Array::from(targets)));
        Ok(keys)
    }

    fn accumulate(&mut self, batch: &ChangeBatch, targets: Vec<i64>) -> Result<()> {
        let rows: Vec<u32> = (0..batch.physical_rows() as u32).collect();
        let keys = self.table_keys(batch, targets.clone())?;
        let mut new = Vec::new();
        self.table.intern(&keys, rows.len(), &mut self.slots, |slot, row| new.push((slot, targets[row])))?;
        self.note_new(&new);
        self.table.mark_all(&self.slots);
        let end = self.table.slots_end();
        let aggregates = self.table.values_mut();
        let columns = batch.columns().columns();
        if let Assign::Partial(slice_end) = self.assign {
            let partial = columns
                .get(self.keys.len()..slice_end)
                .filter(|partial| partial.len() == aggregates.width())
                .ok_or_else(|| Error::internal("the input of a global window aggregate has other columns"))?;
            return aggregates.merge_partial(&self.slots, partial, end);
        }
        let retract: Option<Vec<bool>> = aggregates.row_counts().map(|counts| {
            let kinds = (0..rows.len()).map(|row| !batch.kind(row).is_addition());
            let retract: Vec<bool> = kinds.collect();
            for (slot, retract) in self.slots.iter().zip(&retract) {
                counts[*slot as usize] += if *retract { -1 } else { 1 };
            }
            retract
        });
        let rows = Rows { columns, rows: &rows, slots: &self.slots, retract: retract.as_deref() };
        aggregates.update(&rows)
    }

    /// Notes of new groups to which slice they belong, and when they are wanted.
    fn note_new(&mut self, new: &[(u32, i64)]) {
        let mut last = None;
        for (slot, slice) in new {
            let window = match last {
                Some((known, window)) if known == *slice => window,
                _ => {
                    let window = self.first_open_window(*slice);
                    last = Some((*slice, window));
                    window
                }
            };
            self.table.want(*slot, window);
            let slots = self.slices.entry(*slice).or_default();
            if !self.spilled {
                slots.push(*slot);
            }
        }
    }

    /// The end of the first window of a slice that has not fired.
    fn first_open_window(&self, slice: i64) -> i64 {
        let Some(slicing) = self.slicing else { return slice };
        let (mut window, last) = (slicing.first_window(slice), slicing.last_window(slice));
        while window < last && self.has_fired(window) {
            window = slicing.next_window(window);
        }
        window
    }

    /// Notes of groups that were restored what is noted of new ones.
    fn note_restored(&mut self) -> Result<()> {
        let new = |slot: &u32| self.table.wanted_at(*slot).is_none();
        let slots: Vec<u32> = self.table.live().filter(new).collect();
        let runs: Vec<Vec<u32>> = self.table.runs(&slots).into_iter().map(<[u32]>::to_vec).collect();
        for slots in runs {
            let slices = self.slices_of(&slots)?;
            self.note_new(&slots.into_iter().zip(slices).collect::<Vec<_>>());
        }
        Ok(())
    }

    /// Lets groups leave memory if there are too many.
    fn make_room(&mut self) -> Result<()> {
        self.table.make_room()?;
        if !self.spilled && self.table.has_spilled() {
            self.spilled = true;
            // From now on they would name groups that have left.
            self.slices.values_mut().for_each(|slots| *slots = Vec::new());
        }
        Ok(())
    }

    /// Fires what is due.
    fn fire(&mut self, context: &mut Context<'_>) -> Result<()> {
        while let Some(window) = self.due.first().copied().filter(|window| self.has_fired(*window)) {
            self.due.pop_first();
            match self.spilled {
                false => self.fire_window(window, context)?,
                true => self.fire_in_parts(window, context)?,
            }
        }
        Ok(())
    }

    /// Emits the results in `values` with the keys of `groups`.
    fn emit(&self, groups: &[u32], values: &[u32], window: i64, context: &mut Context<'_>) -> Result<()> {
        let filled = groups.iter().zip(values).filter(|(_, value)| self.table.values().has_rows(**value));
        let (groups, values): (Vec<u32>, Vec<u32>) = filled.map(|(group, value)| (*group, *value)).unzip();
        let bytes = |at: usize| {
            self.table.bytes_of(groups[at]) + SlotColumns::bytes_of(self.table.values(), values[at])
        };
        for run in runs(groups.len(), self.batch_bytes, bytes) {
            self.emit_run(&groups[run.clone()], &values[run], window, context)?;
        }
        Ok(())
    }

    fn emit_run(&self, groups: &[u32], values: &[u32], window: i64, context: &mut Context<'_>) -> Result<()> {
        let mut columns = self.table.keys_of(groups)?;
        let starts = match self.shape {
            Some(shape) => vec![shape.start(window); groups.len()],
            None => columns[self.keys.len()].as_primitive::<Int64Type>().values().to_vec(),
        };
        columns.truncate(self.keys.len());
        columns.append(&mut self.table.values().values(values)?);
        self.columns.append(&mut columns, &starts, &vec![window; groups.len()]);
        let rows = record_batch(&self.schema, columns, groups.len())?;
        context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))
    }

    fn schedule(&self, context: &mut Context<'_>) {
        if !self.event_time
            && let Some(window) = self.due.first()
        {
            context.schedule(self.zone.trigger(window - 1));
        }
    }
}

/// Fields for columns that only need distinct names.
pub(super) fn key_fields_of(columns: &[ArrayRef]) -> Vec<FieldRef> {
    let field = |(at, column): (usize, &ArrayRef)| {
        Arc::new(Field::new(format!("k{at}"), column.data_type().clone(), true))
    };
    columns.iter().enumerate().map(field).collect()
}

impl Operator for WindowAggregate {
    fn restores_in_parts(&self) -> bool {
        true
    }

    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.progress.restore(&mut restored, context.info)?;
        loop {
            self.table.restore(&mut restored)?;
            self.note_restored()?;
            self.make_room()?;
            if !restored.next_part()? {
                break;
            }
        }
        let slices: Vec<i64> = self.slices.keys().copied().collect();
        for slice in slices {
            if let Ok((_, window)) = self.target(slice) {
                self.due.insert(window);
            }
        }
        self.schedule(context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let mut batch = columns_of(batch)?.compact()?;
        if !self.event_time {
            self.progress.advance(context.now);
            self.fire(context)?;
        }
        let mut targets = self.slice_ends(&batch, context.now)?;
        let mut late = 0;
        let mut kept: Vec<u32> = Vec::with_capacity(targets.len());
        let mut last: Option<(i64, Target)> = None;
        for (row, slice) in targets.iter_mut().enumerate() {
            let target = match last {
                Some((known, target)) if known == *slice => target,
                _ => {
                    let target = self.target(*slice);
                    last = Some((*slice, target));
                    target.inspect(|(_, window)| _ = self.due.insert(*window))
                }
            };
            match target {
                Ok((slice_of_row, _)) => {
                    *slice = slice_of_row;
                    kept.push(row as u32);
                }
                Err(is_late) => late += usize::from(is_late),
            }
        }
        count_late(late, context);
        if kept.len() < targets.len() {
            batch = batch.take(&UInt32Array::from(kept.clone()))?;
            targets = kept.iter().map(|row| targets[*row as usize]).collect();
        }
        if !batch.is_empty() {
            self.accumulate(&batch, targets)?;
        }
        self.schedule(context);
        self.make_room()
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        if self.event_time && self.progress.advance(watermark.0) {
            self.fire(context)?;
            self.make_room()?;
        }
        context.output.watermark(watermark)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        if !self.event_time {
            self.progress.advance(now);
            self.fire(context)?;
            self.schedule(context);
        }
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        self.table.snapshot_into(full, &mut snapshot)?;
        self.progress.save(&mut snapshot);
        Ok(snapshot)
    }
}

mod fire;
#[cfg(test)]
mod tests;
