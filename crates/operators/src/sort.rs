//! ORDER BY a time attribute: rows are emitted when the watermark has passed them.
//!
//! Late rows are dropped and counted, as in Flink. Without a partition a row is late that is not after the last emitted one, with one
//! a row that the watermark has passed: what happens to the rows of a key does not depend on those of others.
//!
//! Cost of a row: encoding it into state and decoding it when it is due; rows with equal time are sorted by
//! the other keys, as columns.

use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, ChangeBatch, arrow_type};
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, SortKey};
use flott_state::{ListState, OperatorSnapshot, Redistribution, RestoredState, SharedIndex};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};

use crate::BuildContext;
use crate::support::{Pending, TimedRows, insertions, record_batch};

/// How many rows are sent at a time.
const CHUNK: usize = 4096;
/// The name of the state with the time of the last row.
const LAST: &str = "last";

/// The operator.
pub(crate) struct TemporalSort {
    schema: SchemaRef,
    /// The keys after the time.
    order: Vec<SortKey>,
    time_column: usize,
    partition: Vec<usize>,
    /// Those of the partition; without one it is a single key, which has no columns.
    keys: SharedIndex,
    pending: Pending,
    /// The time of the last emitted row.
    last: Timestamp,
}

impl TemporalSort {
    pub fn new(
        node: &ChainedNode,
        order: &[SortKey],
        partition: &[usize],
        context: &BuildContext,
    ) -> Result<Self> {
        let Some((time, order)) = order.split_first().filter(|(time, _)| !time.descending) else {
            return Err(Error::internal("a temporal sort starts with the ascending time attribute"));
        };
        let (pending, keys) = Pending::new(crate::build::input(node, 0)?, partition, time.column, context)?;
        Ok(TemporalSort {
            schema: arrow_type::schema(node.node.schema.iter()),
            order: order.to_vec(),
            partition: partition.to_vec(),
            time_column: time.column,
            keys,
            pending,
            last: i64::MIN,
        })
    }
}

impl Operator for TemporalSort {
    /// Each subtask continues from its own time, if there are as many as then; otherwise from the least: what
    /// another has sent already says nothing about the rows that are under way to this one.
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let lasts: Result<Vec<Timestamp>, _> =
            restored.take_list(LAST).iter().map(|entry| entry.parse()).collect();
        let lasts = lasts
            .map_err(|error| Error::state("the time of the last row cannot be read").with_source(error))?;
        let own = lasts.get(context.info.subtask.index());
        let own = own.filter(|_| lasts.len() == context.info.parallelism as usize);
        self.last = own.copied().or_else(|| lasts.into_iter().min()).unwrap_or(self.last);
        self.pending.restore(&mut self.keys, &mut restored)
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let (batch, time) = (insertions(batch, "a temporal sort")?, Some(self.time_column));
        let rows = TimedRows::new(&batch, time, context.now, &self.partition, &mut self.keys)?;
        let passed = if self.partition.is_empty() { self.last } else { context.watermark.0 };
        self.pending.put(&rows.in_time(|_, time| time <= passed, context)?)
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        while let Some(due) = self.pending.due(&mut self.keys, watermark.0, CHUNK)? {
            self.last = due.times.last().copied().unwrap_or(self.last);
            let TimedRows { columns, times, .. } = due.ordered(&self.order)?;
            let rows = record_batch(&self.schema, columns, times.len())?;
            context.output.emit(Batch::Changes(ChangeBatch::insert_only(rows)))?;
        }
        self.keys.release(|slot| self.pending.occupied(slot));
        context.output.watermark(watermark)
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let mut snapshot = OperatorSnapshot::default();
        self.pending.snapshot(&mut self.keys, full, &mut snapshot.keyed)?;
        self.keys.release(|slot| self.pending.occupied(slot));
        if self.partition.is_empty() {
            snapshot.lists.push(ListState {
                name: LAST.to_owned(),
                redistribution: Redistribution::Union,
                entries: vec![self.last.to_string()],
            });
        }
        Ok(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use crate::harness::{Harness, node};
    use expect_test::expect;
    use flott_plan::{OperatorSpec, SortKey};

    fn key(column: usize, descending: bool) -> SortKey {
        SortKey { column, descending, nulls_first: false }
    }

    const ROWS: &str = "TIMESTAMP(3) INT";

    #[test]
    fn rows_are_emitted_in_order_of_time() {
        let spec = OperatorSpec::TemporalSort { order: vec![key(0, false)], partition: Vec::new() };
        let mut sort = Harness::new(node(spec, &[ROWS], ROWS));
        sort.push("+I 1970-01-01T00:00:03 3\n+I 1970-01-01T00:00:01 1\n+I 1970-01-01T00:00:05 5");
        assert_eq!(sort.push("+I 1970-01-01T00:00:01 2"), "");
        sort.checkpoint(false);
        sort.restore(1);
        expect![[r#"
            +I 1970-01-01T00:00:01.000 1
            +I 1970-01-01T00:00:01.000 2
            +I 1970-01-01T00:00:03.000 3
            watermark 4000
        "#]]
        .assert_eq(&sort.watermark(4000));
        sort.push("+I 1970-01-01T00:00:03 0");
        assert_eq!(sort.metrics.num_late_records_dropped.get(), 1);
        assert_eq!(sort.watermark(i64::MAX), "+I 1970-01-01T00:00:05.000 5\nwatermark MAX\n");
        assert!(sort.checkpoint(false) > 0, "the emitted rows are deleted");
        assert!(sort.tables().is_empty());
    }

    #[test]
    fn which_rows_of_a_key_are_late_does_not_depend_on_other_keys() {
        let spec = OperatorSpec::TemporalSort { order: vec![key(0, false)], partition: vec![1] };
        let mut sort = Harness::new(node(spec, &[ROWS], ROWS));
        sort.push("+I 1970-01-01T00:00:03 3");
        assert_eq!(sort.watermark(5000), "+I 1970-01-01T00:00:03.000 3\nwatermark 5000\n");
        // After all that was emitted, and before the watermark; of this key and of another.
        sort.push("+I 1970-01-01T00:00:04 3\n+I 1970-01-01T00:00:05 4\n+I 1970-01-01T00:00:06 4");
        assert_eq!(sort.metrics.num_late_records_dropped.get(), 2);
        assert_eq!(sort.watermark(i64::MAX), "+I 1970-01-01T00:00:06.000 4\nwatermark MAX\n");
    }

    #[test]
    fn further_keys_order_rows_with_the_same_time() {
        let spec =
            OperatorSpec::TemporalSort { order: vec![key(0, false), key(1, true)], partition: Vec::new() };
        let mut sort = Harness::new(node(spec, &[ROWS], ROWS));
        sort.push("+I 1970-01-01T00:00:01 1\n+I 1970-01-01T00:00:01 NULL\n+I 1970-01-01T00:00:01 3");
        expect![[r#"
            +I 1970-01-01T00:00:01.000 3
            +I 1970-01-01T00:00:01.000 1
            +I 1970-01-01T00:00:01.000 NULL
            watermark 1000
        "#]]
        .assert_eq(&sort.watermark(1000));
    }
}
