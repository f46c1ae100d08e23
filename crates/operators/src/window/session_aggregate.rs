//! Windowed GROUP BY over sessions.
//!
//! A session is a row of its key's state: an identity (the time of its first row, which never leaves the
//! session), its bounds and accumulators. States nested in accumulators (distinct values) are kept by
//! session. The rows of a batch are first assigned to sessions one by one, which creates, extends and
//! connects sessions; then the batch is added to the accumulators at once; then those of connected sessions
//! are merged.
//!
//! A row whose own session would already have ended is late: it is dropped and counted. A row that touches an
//! open session belongs to that session.
//!
//! Cost of a record: interning its key, checking the key's few open sessions, one loop per call. Cost of a
//! session: one probe by its key's slot and its identity.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, UInt32Array};
use arrow::datatypes::{Int64Type, SchemaRef};
use flott_batch::bytes::runs;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_operator::windows::{Ends, Progress, Session, Sessions, TimeWindow, count_late};
use flott_operator::{Context, Operator};
use flott_plan::WindowKind;
use flott_state::{
    GroupedRows, OperatorSnapshot, PrimitiveColumn, RestoredState, RowColumn, SharedIndex, StateColumn,
};
use flott_types::{CheckpointId, Error, FastMap, Result, Timestamp, Watermark};

use super::aggregate::{Parts, key_fields};
use super::columns::WindowColumns;
use crate::BuildContext;
use crate::accumulate::{Aggregates, Keys, MergeInto, Rows};
use crate::support::{Millis, Zone, columns_of, record_batch};

/// The name of the state in snapshots.
const TABLE: &str = "sessions";
/// Marks the number of a session that was opened by this batch and has no entry yet.
const NEW: u32 = 1 << 31;

type Bounds = PrimitiveColumn<Int64Type>;

/// The operator.
pub(crate) struct SessionAggregate {
    schema: SchemaRef,
    keys: Vec<usize>,
    gap: i64,
    /// `None` in processing time.
    time_column: Option<usize>,
    zone: Zone,
    columns: WindowColumns,
    index: SharedIndex,
    /// window_start, window_end, accumulators.
    table: RowColumn<GroupedRows<(Bounds, Bounds, Aggregates)>>,
    batch_bytes: usize,
    /// By key: its open sessions, identified by their entries in the table.
    sessions: Vec<Sessions>,
    /// When to check which session. An extended session is found at its old end and scheduled again.
    due: Ends,
    /// By session: its time in `due`.
    due_at: Vec<i64>,
    progress: Progress,
    batch: u32,
    /// By key: the last batch that had rows of it.
    touched_in: Vec<u32>,
}

/// The rows of a batch and the sessions that they are in.
#[derive(Default)]
struct Assigned {
    rows: Vec<u32>,
    sessions: Vec<u32>,
    /// The rows that opened a session, by its number.
    opened: Vec<u32>,
    /// Sessions that were merged into others.
    absorbed: FastMap<u32, u32>,
    late: usize,
}

impl Assigned {
    /// The session that a session has become.
    fn survivor(&self, mut session: u32) -> u32 {
        while let Some(into) = self.absorbed.get(&session) {
            session = *into;
        }
        session
    }
}

impl SessionAggregate {
    pub fn new(parts: &Parts<'_>, context: &BuildContext) -> Result<Self> {
        let WindowKind::Session { gap } = parts.window.kind else {
            return Err(Error::internal("not a session"));
        };
        if parts.input_updates {
            return Err(Error::unsupported("SESSION windows over an input with retractions"));
        }
        let schema = arrow_type::schema(parts.node.node.schema.iter());
        let zone = Zone::new(parts.window.zone.as_deref())?;
        let table_keys = Keys {
            fields: key_fields(parts.node, parts.keys, &["session"])?,
            partition_columns: parts.keys.len(),
            max_parallelism: context.max_parallelism,
            streaming: context.streaming,
            functions: context.functions.clone(),
        };
        let aggregates = Aggregates::new(parts.calls, false, &table_keys)?;
        let values = (Bounds::new("window_start", 0), Bounds::new("window_end", 0), aggregates);
        let (keys, identity) = table_keys.fields.split_at(parts.keys.len());
        let table = RowColumn::new(TABLE, GroupedRows::new(identity, None, values)?);
        let mut index = SharedIndex::new(keys, keys.len(), context.max_parallelism)?;
        index.count_with(context.table_memory())?;
        Ok(SessionAggregate {
            columns: WindowColumns::new(&schema, parts.window_columns, zone)?,
            schema,
            keys: parts.keys.to_vec(),
            gap,
            time_column: parts.window.event_time.then_some(parts.window.time_column),
            zone,
            batch_bytes: context.batch_bytes,
            index,
            table,
            sessions: Vec::new(),
            due: Ends::default(),
            due_at: Vec::new(),
            progress: Progress::default(),
            batch: 0,
            touched_in: Vec::new(),
        })
    }

    fn times(&mut self, batch: &ChangeBatch, now: Timestamp) -> Result<Vec<i64>> {
        let Some(column) = self.time_column else {
            return Ok(vec![self.zone.local(now); batch.physical_rows()]);
        };
        let times = Millis::required(batch.column(column))?;
        Ok((0..batch.physical_rows()).map(|row| self.zone.local(times.get(row))).collect())
    }

    fn has_passed(&self, end: i64) -> bool {
        self.progress.has_reached(self.zone.trigger(end - 1))
    }

    /// The keys of a batch's rows, each once.
    fn touch(&mut self, keys: &[u32]) -> Vec<u32> {
        self.batch = self.batch.wrapping_add(1).max(1);
        self.touched_in.resize(self.index.slots_end().max(self.touched_in.len()), 0);
        let (batch, touched_in) = (self.batch, &mut self.touched_in);
        let first = |key: &u32| std::mem::replace(&mut touched_in[*key as usize], batch) != batch;
        keys.iter().copied().filter(first).collect()
    }

    /// Assigns each row to a session of its key.
    fn assign(&mut self, keys: &[u32], times: &[i64]) -> Assigned {
        let mut assigned = Assigned::default();
        for (row, (key, time)) in keys.iter().zip(times).enumerate() {
            if let Some(session) = self.sessions[*key as usize].extend_only(*time, self.gap) {
                assigned.rows.push(row as u32);
                assigned.sessions.push(session);
                continue;
            }
            let id = NEW | assigned.opened.len() as u32;
            let sessions = &self.sessions[*key as usize];
            let placement = sessions.place(*time, self.gap, id, |other| other & NEW == 0);
            if placement.new && self.has_passed(placement.session.window.end) {
                assigned.late += 1;
                continue;
            }
            if placement.new {
                assigned.opened.push(row as u32);
            }
            self.sessions[*key as usize].put(&placement);
            assigned.absorbed.extend(placement.absorbed.iter().map(|gone| (*gone, placement.session.id)));
            assigned.rows.push(row as u32);
            assigned.sessions.push(placement.session.id);
        }
        assigned
    }

    /// Creates the entries of the sessions that a batch opened; returns them by the sessions' numbers.
    fn open_sessions(&mut self, assigned: &Assigned, keys: &[u32], times: &[i64]) -> Result<Vec<u32>> {
        let surviving = |number: &usize| !assigned.absorbed.contains_key(&(NEW | *number as u32));
        let surviving: Vec<usize> = (0..assigned.opened.len()).filter(surviving).collect();
        let rows: Vec<u32> = surviving.iter().map(|number| assigned.opened[*number]).collect();
        let keys: Vec<u32> = rows.iter().map(|row| keys[*row as usize]).collect();
        let times = Int64Array::from_iter_values(rows.iter().map(|row| times[*row as usize]));
        let mut slots = Vec::new();
        self.table.intern(&keys, &[Arc::new(times)], &mut slots, |_, _| ())?;
        self.due_at.resize(self.table.entries_end(), i64::MAX);
        let mut by_number = vec![0; assigned.opened.len()];
        surviving.iter().zip(slots).for_each(|(number, slot)| by_number[*number] = slot);
        Ok(by_number)
    }

    /// Updates entries, bounds and timers of the sessions of these keys.
    fn settle(&mut self, keys: &[u32], by_number: &[u32]) {
        for key in keys {
            for session in self.sessions[*key as usize].iter_mut() {
                let opened = session.id & NEW != 0;
                if opened {
                    session.id = by_number[(session.id & !NEW) as usize];
                    self.due_at[session.id as usize] = session.window.end;
                    self.due.push(session.window.end, session.id);
                }
                let (starts, ends, _) = self.table.values_mut();
                let at = session.id as usize;
                let TimeWindow { start, end } = session.window;
                if opened || starts.values()[at] != start || ends.values()[at] != end {
                    (starts.values_mut()[at], ends.values_mut()[at]) = (start, end);
                    self.table.mark(session.id);
                }
            }
        }
    }

    /// Merges the accumulators of existing sessions that have become part of others.
    fn merge(&mut self, assigned: &Assigned, slot_of: impl Fn(u32) -> u32) -> Result<()> {
        let mut from: Vec<u32> = assigned.absorbed.keys().copied().filter(|id| id & NEW == 0).collect();
        if from.is_empty() {
            return Ok(());
        }
        from.sort_unstable();
        let to: Vec<u32> = from.iter().map(|id| slot_of(*id)).collect();
        self.table.values_mut().2.merge(&from, &to, MergeInto::Groups)?;
        self.index.freed().extend(from.iter().filter_map(|slot| self.table.remove(*slot)));
        Ok(())
    }

    fn fire(&mut self, context: &mut Context<'_>) -> Result<()> {
        let mut ended = Vec::new();
        let (zone, progress) = (self.zone, self.progress);
        let is_due = |end: i64| progress.has_reached(zone.trigger(end - 1));
        while let Some((end, slots)) = self.due.pop(is_due) {
            for slot in &slots {
                let due_at = &mut self.due_at[*slot as usize];
                if !self.table.is_live(*slot) || *due_at != end {
                    continue;
                }
                let now_ends = self.table.values().1.values()[*slot as usize];
                if now_ends > end {
                    *due_at = now_ends;
                    self.due.push(now_ends, *slot);
                } else {
                    *due_at = i64::MAX;
                    ended.push(*slot);
                }
            }
            self.due.recycle(slots);
        }
        let bytes =
            |at: usize| self.index.bytes_of(self.table.key_of(ended[at])) + self.table.row_bytes(ended[at]);
        let runs = runs(ended.len(), self.batch_bytes, bytes);
        runs.into_iter().try_for_each(|run| self.emit(&ended[run], context))
    }

    /// Emits sessions that have ended, and forgets them.
    fn emit(&mut self, ended: &[u32], context: &mut Context<'_>) -> Result<()> {
        let (starts, ends, aggregates) = self.table.values();
        let bounds =
            |column: &Bounds| ended.iter().map(|slot| column.values()[*slot as usize]).collect::<Vec<_>>();
        let keys: Vec<u32> = ended.iter().map(|slot| self.table.key_of(*slot)).collect();
        let mut columns = self.index.keys_of(&keys)?;
        columns.append(&mut aggregates.values(ended)?);
        self.columns.append(&mut columns, &bounds(starts), &bounds(ends));
        for (slot, key) in ended.iter().zip(keys) {
            self.sessions[key as usize].remove(*slot);
            self.index.freed().extend(self.table.remove(*slot));
        }
        let rows = record_batch(&self.schema, columns, ended.len())?;
        context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))
    }

    fn schedule(&self, context: &mut Context<'_>) {
        if self.time_column.is_none()
            && let Some(end) = self.due.earliest()
        {
            context.schedule(self.zone.trigger(end - 1));
        }
    }

    fn intern(&mut self, columns: &[ArrayRef], rows: usize) -> Result<Vec<u32>> {
        let mut keys = Vec::new();
        self.index.intern(columns, rows, &mut keys)?;
        self.sessions.resize_with(self.index.slots_end().max(self.sessions.len()), Sessions::default);
        Ok(keys)
    }

    /// Forgets the keys that have no sessions.
    fn release(&mut self) {
        self.index.release(|key| self.table.occupied(key));
    }
}

impl Operator for SessionAggregate {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.progress.restore(&mut restored, context.info)?;
        self.index.restore(&mut self.table, &mut restored)?;
        self.sessions.resize_with(self.index.slots_end(), Sessions::default);
        self.due_at.resize(self.table.entries_end(), i64::MAX);
        for slot in self.table.live().collect::<Vec<u32>>() {
            let key = self.table.key_of(slot);
            let (starts, ends, _) = self.table.values();
            let (start, end) = (starts.values()[slot as usize], ends.values()[slot as usize]);
            self.sessions[key as usize].insert(Session { window: TimeWindow::new(start, end), id: slot });
            self.due_at[slot as usize] = end;
            self.due.push(end, slot);
        }
        self.schedule(context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let mut batch = columns_of(batch)?.compact()?;
        if self.time_column.is_none() {
            self.progress.advance(context.now);
            self.fire(context)?;
        }
        let times = self.times(&batch, context.now)?;
        let columns: Vec<ArrayRef> = self.keys.iter().map(|key| batch.column(*key).clone()).collect();
        let keys = self.intern(&columns, times.len())?;
        let assigned = self.assign(&keys, &times);
        count_late(assigned.late, context);
        let by_number = self.open_sessions(&assigned, &keys, &times)?;
        let touched = self.touch(&keys);
        self.settle(&touched, &by_number);

        let slot_of = |session: u32| match assigned.survivor(session) {
            slot if slot & NEW == 0 => slot,
            number => by_number[(number & !NEW) as usize],
        };
        let slots: Vec<u32> = assigned.sessions.iter().map(|session| slot_of(*session)).collect();
        if assigned.late > 0 {
            batch = batch.take(&UInt32Array::from(assigned.rows.clone()))?;
        }
        let rows: Vec<u32> = (0..slots.len() as u32).collect();
        self.table.mark_all(&slots);
        let input = batch.columns().columns();
        let input = Rows { columns: input, rows: &rows, slots: &slots, retract: None };
        self.table.values_mut().2.update(&input)?;
        self.merge(&assigned, slot_of)?;
        self.release();
        self.schedule(context);
        self.index.count(|| self.table.memory())
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        if self.time_column.is_some() && self.progress.advance(watermark.0) {
            self.fire(context)?;
            self.release();
        }
        context.output.watermark(watermark)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        if self.time_column.is_none() {
            self.progress.advance(now);
            self.fire(context)?;
            self.release();
            self.schedule(context);
        }
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        self.index.snapshot(&mut self.table, full, &mut snapshot.keyed)?;
        self.release();
        self.progress.save(&mut snapshot);
        Ok(snapshot)
    }
}
