//! A function of all records of a subtask, called once, at the end.
//!
//! Until then the records are kept here as state: a row for each, `(key group, position) -> record`; a
//! snapshot writes those that are new since the last one. They have no key; they are distributed evenly over
//! the subtask's key groups, so that a restore at another parallelism distributes them over its subtasks.
//! After that, their order is unspecified.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, UInt16Array};
use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use flott_batch::{Batch, Record};
use flott_operator::{Context, Operator};
use flott_state::{KeyedDelta, OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Error, KeyGroupRange, Result};

use flott_function::output::Collector;
use flott_function::output::OutputBuffer;
use flott_values::ColumnCodec;

/// `map_partition`: all records of a subtask, once there are no more.
pub struct MapPartition<T, U, F> {
    function: F,
    values: Vec<T>,
    buffer: OutputBuffer<U>,
    /// Set while the operator is open.
    columns: Option<Columns<T>>,
    /// How many of the values are in the last snapshot.
    persisted: usize,
    /// The next snapshot has to contain everything: after a restore positions are counted from zero, and
    /// values are released at the end.
    rewrite: bool,
}

struct Columns<T> {
    codec: ColumnCodec<T>,
    key_groups: KeyGroupRange,
}

/// The name of the state.
const PARTITION: &str = "partition";

impl<T, U: Record, F> MapPartition<T, U, F> {
    /// Calls the function.
    pub fn new(function: F) -> Self {
        MapPartition {
            function,
            values: Vec::new(),
            buffer: OutputBuffer::default(),
            columns: None,
            persisted: 0,
            rewrite: false,
        }
    }
}

impl<T: Record> Columns<T> {
    /// The rows of the values from a position on.
    fn rows(&self, values: &[T], from: usize) -> Result<(RecordBatch, Vec<u16>)> {
        let failed = |error| Error::internal("the records of a partition").with_source(error);
        let KeyGroupRange { first, last } = self.key_groups;
        let groups = usize::from(last - first) + 1;
        let group = |position: usize| first + (position % groups) as u16;
        let key_groups: Vec<u16> = (from..values.len()).map(group).collect();
        let value = self.codec.encode(&values[from..])?;
        let fields: Vec<FieldRef> = vec![
            Arc::new(Field::new("group", DataType::UInt16, false)),
            Arc::new(Field::new("position", DataType::Int64, false)),
            Arc::new(Field::clone(self.codec.field()).with_nullable(true)),
        ];
        let rows = RecordBatch::try_new(
            Arc::new(Schema::new(fields)),
            vec![
                Arc::new(UInt16Array::from(key_groups.clone())),
                Arc::new(Int64Array::from_iter_values((from..values.len()).map(|at| at as i64))),
                value,
            ],
        );
        Ok((rows.map_err(failed)?, key_groups))
    }
}

impl<T, U, F> Operator for MapPartition<T, U, F>
where
    T: Record,
    U: Record,
    F: FnMut(Vec<T>, &mut Collector<'_, U>) + Send,
{
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let columns = Columns { codec: ColumnCodec::<T>::new("value")?, key_groups: context.info.key_groups };
        for rows in restored.take_keyed(PARTITION) {
            let Some((at, field)) = rows.schema_ref().fields().find("value") else {
                return Err(Error::state("the records of a partition have no column 'value'"));
            };
            self.values.extend(columns.codec.decode_stored(field, rows.column(at))?);
        }
        // Earlier versions had each record as JSON in the manifest.
        let unreadable = |error| Error::state("cannot read a record of a partition").with_source(error);
        for entry in restored.take_list(PARTITION) {
            self.values.push(serde_json::from_str(&entry).map_err(unreadable)?);
        }
        self.rewrite = !self.values.is_empty();
        self.columns = Some(columns);
        Ok(())
    }

    fn process(&mut self, _: usize, batch: Batch, _: &mut Context<'_>) -> Result<()> {
        self.values.extend(batch.into_records::<T>()?.values);
        Ok(())
    }

    fn snapshot(&mut self, _: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let columns = self.columns.as_ref().ok_or_else(|| Error::internal("the operator is not open"))?;
        let full = full | self.rewrite;
        let from = if full { 0 } else { self.persisted };
        if from == self.values.len() && !full {
            return Ok(OperatorSnapshot::default());
        }
        let (rows, key_groups) = columns.rows(&self.values, from)?;
        (self.persisted, self.rewrite) = (self.values.len(), false);
        let delta = KeyedDelta {
            name: PARTITION.to_owned(),
            rows,
            key_columns: 2,
            partition_columns: 1,
            key_groups,
            deleted: None,
            full,
        };
        Ok(OperatorSnapshot { keyed: vec![delta], ..OperatorSnapshot::default() })
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        let values = std::mem::take(&mut self.values);
        (self.persisted, self.rewrite) = (0, true);
        (self.function)(values, &mut self.buffer.collector(context.output));
        self.buffer.flush(context.output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Harness, Stored};

    /// Emits their number and their sum.
    fn sums(stored: &Stored, subtask: u32, parallelism: u32) -> Harness {
        let function = |values: Vec<u64>, out: &mut Collector<'_, (usize, u64)>| {
            out.collect((values.len(), values.iter().sum()));
        };
        Harness::restored::<(usize, u64)>(MapPartition::new(function), stored, subtask, parallelism)
    }

    #[test]
    fn records_are_rows_of_a_table_and_only_new_ones_are_written() {
        let mut stored = Stored::default();
        stored.spread(PARTITION);
        let mut task = sums(&stored, 0, 1);
        task.push(0, 0..1_000u64);
        task.snapshot(&mut stored);
        assert_eq!((stored.rows(PARTITION), stored.changes, stored.list(PARTITION).len()), (1_000, 1_000, 0));
        task.push(0, [1_000u64, 1_001]);
        task.snapshot(&mut stored);
        assert_eq!((stored.rows(PARTITION), stored.changes), (1_002, 2));
        task.snapshot(&mut stored);
        assert_eq!(stored.changes, 0);
        task.close();

        let mut halves: Vec<Harness> = (0..2).map(|subtask| sums(&stored, subtask, 2)).collect();
        let out: Vec<String> = halves.iter_mut().flat_map(Harness::finish).collect();
        let parts: Vec<(usize, u64)> = out
            .iter()
            .map(|text| serde_json::from_str(&text.replace('(', "[").replace(')', "]")).unwrap())
            .collect();
        assert_eq!((parts[0].0 + parts[1].0, parts[0].1 + parts[1].1), (1_002, (0..1_002).sum()));
        assert!(parts.iter().all(|(count, _)| *count > 300), "{parts:?}");

        let mut again = sums(&stored, 0, 1);
        again.push(0, [5_000u64]);
        again.snapshot(&mut stored);
        assert_eq!((stored.rows(PARTITION), stored.changes), (1_003, 1_003), "rewritten after a restore");
        again.push(0, [6_000u64]);
        again.snapshot(&mut stored);
        assert_eq!((stored.rows(PARTITION), stored.changes), (1_004, 1));
        assert_eq!(again.finish(), [format!("(1004, {})", (0..1_002).sum::<u64>() + 11_000)]);
        again.snapshot(&mut stored);
        assert_eq!(stored.rows(PARTITION), 0, "what was handed to the function is not state any more");
    }

    #[test]
    fn records_in_the_manifest_of_an_earlier_version_are_read() {
        let mut stored = Stored::default();
        stored.spread(PARTITION);
        stored.set_list(PARTITION, &["1", "2"]);
        let mut task = sums(&stored, 0, 1);
        task.push(0, [3u64]);
        task.snapshot(&mut stored);
        assert_eq!(stored.rows(PARTITION), 3);
        assert_eq!(task.finish(), ["(3, 6)"]);
    }
}
