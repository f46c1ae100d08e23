//! SESSION as a table function: the rows of a key are kept until their session ends, and are then emitted
//! with its bounds.
//!
//! Which rows form a session follows from their times alone, so a snapshot contains only the rows. Late rows
//! are dropped and counted, because their session was already emitted. Cost of a record: interning its key,
//! checking the key's few open sessions, encoding the row into state and decoding it again.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::{FieldRef, Int64Type, SchemaRef};
use flott_batch::bytes::runs;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_operator::windows::{Ends, Placement, Progress, Sessions, count_late};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, WindowKind, WindowSpec};
use flott_state::{
    AnyColumn, Arrivals, OperatorSnapshot, PrimitiveColumn, RestoredState, SharedIndex, SlotColumns,
    StateColumn, prefixed,
};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};

use super::columns::WindowColumns;
use crate::BuildContext;
use crate::accumulate::unique_fields;
use crate::support::{Millis, Zone, columns_of, record_batch, take_columns};

/// The name of the table in snapshots.
const TABLE: &str = "rows";

/// The operator.
pub(crate) struct SessionTableFunction {
    schema: SchemaRef,
    partition: Vec<usize>,
    gap: i64,
    time_column: Option<usize>,
    zone: Zone,
    columns: WindowColumns,
    index: SharedIndex,
    /// Local time, and the row.
    rows: Arrivals<(PrimitiveColumn<Int64Type>, AnyColumn)>,
    batch_bytes: usize,
    /// By key.
    sessions: Vec<Sessions>,
    /// By session.
    members: Vec<Members>,
    free: Vec<u32>,
    due: Ends,
    progress: Progress,
}

/// What is kept for a session.
struct Members {
    key: u32,
    /// The entries of its rows.
    rows: Vec<u32>,
    /// Its time in `due`.
    due_at: i64,
}

impl Members {
    /// Ends the session and returns its rows.
    fn leave(&mut self) -> Vec<u32> {
        self.due_at = i64::MAX;
        std::mem::take(&mut self.rows)
    }
}

impl SessionTableFunction {
    pub fn new(
        node: &ChainedNode,
        window: &WindowSpec,
        partition: &[usize],
        context: &BuildContext,
    ) -> Result<Self> {
        let WindowKind::Session { gap } = window.kind else { return Err(Error::internal("not a session")) };
        let input = arrow_type::schema(crate::build::input(node, 0)?.iter());
        let schema = arrow_type::schema(node.node.schema.iter());
        let zone = Zone::new(window.zone.as_deref())?;
        let row = AnyColumn::new(prefixed("row.", &unique_fields(input.fields())))?;
        let keys: Vec<FieldRef> = partition.iter().map(|key| input.fields()[*key].clone()).collect();
        let keys = prefixed("key.", &unique_fields(&keys));
        let mut index = SharedIndex::new(&keys, keys.len(), context.max_parallelism)?;
        index.count_with(context.table_memory())?;
        Ok(SessionTableFunction {
            columns: WindowColumns::new(&schema, [true; 3], zone)?,
            schema,
            partition: partition.to_vec(),
            gap,
            time_column: window.event_time.then_some(window.time_column),
            zone,
            index,
            rows: Arrivals::new(TABLE, "arrival", false, (PrimitiveColumn::new("time", 0), row))?,
            batch_bytes: context.batch_bytes,
            sessions: Vec::new(),
            members: Vec::new(),
            free: Vec::new(),
            due: Ends::default(),
            progress: Progress::default(),
        })
    }

    fn has_passed(&self, end: i64) -> bool {
        self.progress.has_reached(self.zone.trigger(end - 1))
    }

    /// Assigns a row with this time to a session of its key.
    fn place(&mut self, key: u32, time: i64) -> Placement {
        if key as usize >= self.sessions.len() {
            self.sessions.resize_with(key as usize + 1, Sessions::default);
        }
        let id = self.free.last().copied().unwrap_or(self.members.len() as u32);
        self.sessions[key as usize].place(time, self.gap, id, |_| false)
    }

    fn put(&mut self, key: u32, placement: &Placement) {
        let id = placement.session.id as usize;
        if placement.new {
            let end = placement.session.window.end;
            let members = Members { key, rows: Vec::new(), due_at: end };
            match self.free.pop() {
                Some(_) => self.members[id] = members,
                None => self.members.push(members),
            }
            self.due.push(end, placement.session.id);
        }
        self.sessions[key as usize].put(placement);
        for gone in &placement.absorbed {
            let rows = self.members[*gone as usize].leave();
            self.members[id].rows.extend(rows);
            self.free.push(*gone);
        }
    }

    fn fire(&mut self, context: &mut Context<'_>) -> Result<()> {
        let (mut entries, mut starts, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        let (zone, progress) = (self.zone, self.progress);
        let is_due = |end: i64| progress.has_reached(zone.trigger(end - 1));
        while let Some((end, ids)) = self.due.pop(is_due) {
            for id in &ids {
                let members = &mut self.members[*id as usize];
                let sessions = &mut self.sessions[members.key as usize];
                let Some(session) = sessions.get(*id).filter(|_| members.due_at == end) else { continue };
                let window = session.window;
                if window.end > end {
                    members.due_at = window.end;
                    self.due.push(window.end, *id);
                    continue;
                }
                sessions.remove(*id);
                let rows = members.leave();
                self.free.push(*id);
                starts.extend(std::iter::repeat_n(window.start, rows.len()));
                ends.extend(std::iter::repeat_n(window.end, rows.len()));
                entries.extend(rows);
            }
            self.due.recycle(ids);
        }
        if entries.is_empty() {
            return Ok(());
        }
        let rows = self.rows.column();
        for run in runs(entries.len(), self.batch_bytes, |at| rows.row_bytes(entries[at])) {
            let mut columns = rows.values().1.read(&entries[run.clone()])?;
            self.columns.append(&mut columns, &starts[run.clone()], &ends[run.clone()]);
            let rows = record_batch(&self.schema, columns, run.len())?;
            context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))?;
        }
        let rows = self.rows.column_mut();
        self.index.freed().extend(entries.into_iter().filter_map(|entry| rows.remove(entry)));
        Ok(())
    }

    /// Forgets the keys that have no rows.
    fn release(&mut self) {
        self.index.release(|key| self.rows.occupied(key));
    }

    fn schedule(&self, context: &mut Context<'_>) {
        if self.time_column.is_none()
            && let Some(end) = self.due.earliest()
        {
            context.schedule(self.zone.trigger(end - 1));
        }
    }
}

impl Operator for SessionTableFunction {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.progress.restore(&mut restored, context.info)?;
        self.index.restore(&mut self.rows, &mut restored)?;
        for entry in self.rows.in_order()? {
            let rows = self.rows.column();
            let (key, time) = (rows.key_of(entry), rows.values().0.values()[entry as usize]);
            let placement = self.place(key, time);
            self.put(key, &placement);
            self.members[placement.session.id as usize].rows.push(entry);
        }
        self.schedule(context);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        if batch.kinds().is_some() {
            return Err(Error::unsupported("SESSION over an input with retractions"));
        }
        if self.time_column.is_none() {
            self.progress.advance(context.now);
            self.fire(context)?;
        }
        let times = self.time_column.map(|column| Millis::new(batch.column(column))).transpose()?;
        let columns: Vec<ArrayRef> = self.partition.iter().map(|key| batch.column(*key).clone()).collect();
        let mut keys = Vec::new();
        self.index.intern(&columns, batch.physical_rows(), &mut keys)?;

        let (mut late, mut nulls) = (0, 0);
        let (mut kept, mut kept_times, mut kept_keys, mut placed) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (row, key) in keys.iter().enumerate() {
            let time = match &times {
                None => context.now,
                Some(times) if times.is_valid(row) => times.get(row),
                Some(_) => {
                    nulls += 1;
                    continue;
                }
            };
            let local = self.zone.local(time);
            let placement = self.place(*key, local);
            if placement.new && self.has_passed(placement.session.window.end) {
                late += 1;
                continue;
            }
            self.put(*key, &placement);
            kept.push(row as u32);
            kept_times.push(local);
            kept_keys.push(*key);
            placed.push((*key, local));
        }
        count_late(late, context);
        if nulls > 0 {
            context.metrics.num_records_in_errors.add(nulls);
        }
        let mut rows: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(kept_times))];
        rows.append(&mut take_columns(batch.columns().columns(), &kept)?);
        let mut entries = Vec::new();
        self.rows.push(&kept_keys, &rows, &mut entries)?;
        // Only now is it known which sessions remain.
        for ((key, time), entry) in placed.into_iter().zip(entries) {
            let session = self.place(key, time).session.id;
            self.members[session as usize].rows.push(entry);
        }
        self.release();
        self.schedule(context);
        self.index.count(|| self.rows.memory())
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
        self.index.snapshot(&mut self.rows, full, &mut snapshot.keyed)?;
        self.release();
        self.progress.save(&mut snapshot);
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use flott_plan::{OperatorSpec, WindowKind, WindowSpec};

    use crate::harness::{Harness, node};

    #[test]
    fn rows_are_emitted_with_their_session_including_those_kept_by_earlier_versions() {
        let window = WindowSpec {
            kind: WindowKind::Session { gap: 2_000 },
            time_column: 1,
            event_time: true,
            zone: None,
        };
        let spec = OperatorSpec::WindowTableFunction { window, partition: vec![0] };
        let input = "INT TIMESTAMP(3)";
        let output = format!("{input} TIMESTAMP(3) TIMESTAMP(3) TIMESTAMP(3)");
        let mut operator = Harness::keyed(node(spec, &[input], &output), &[&[0]]);
        let row = |key: i32, second: i64| format!("+I {key} 1970-01-01T00:00:{second:02}\n");
        operator.push(&[row(1, 1), row(2, 1), row(1, 4)].concat());
        operator.checkpoint(false);
        operator.as_earlier("rows", 1, "arrival");
        operator.restore(2);
        operator.push(&row(1, 2));
        operator.checkpoint(false);
        operator.restore(1);
        expect![[r#"
            +I 2 1970-01-01T00:00:01.000 1970-01-01T00:00:01.000 1970-01-01T00:00:03.000 1970-01-01T00:00:02.999
            +I 1 1970-01-01T00:00:01.000 1970-01-01T00:00:01.000 1970-01-01T00:00:06.000 1970-01-01T00:00:05.999
            +I 1 1970-01-01T00:00:04.000 1970-01-01T00:00:01.000 1970-01-01T00:00:06.000 1970-01-01T00:00:05.999
            +I 1 1970-01-01T00:00:02.000 1970-01-01T00:00:01.000 1970-01-01T00:00:06.000 1970-01-01T00:00:05.999
            watermark MAX
        "#]]
        .assert_eq(&operator.watermark(i64::MAX));
        operator.checkpoint(false);
        assert!(operator.tables().is_empty(), "{:?}", operator.tables());
    }
}
