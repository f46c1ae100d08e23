//! TUMBLE, HOP and CUMULATE as table functions: each row once for every window that contains it, with the
//! window's columns.
//!
//! Rows whose time attribute is NULL are dropped and counted, as in Flink. Late rows pass: nothing fires
//! here. Cost of a record: a division; for overlapping windows one copy of the row for each.

use arrow::array::UInt32Array;
use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, arrow_type};
use flott_operator::windows::Slicing;
use flott_operator::{Context, Operator};
use flott_plan::{ChainedNode, WindowSpec};
use flott_types::Result;

use super::columns::WindowColumns;
use crate::support::{Millis, Zone, columns_of, record_batch};

/// The operator.
pub(crate) struct WindowTableFunction {
    schema: SchemaRef,
    slicing: Slicing,
    /// `None` in processing time.
    time_column: Option<usize>,
    zone: Zone,
    columns: WindowColumns,
}

impl WindowTableFunction {
    pub fn new(node: &ChainedNode, window: &WindowSpec) -> Result<Self> {
        let schema = arrow_type::schema(node.node.schema.iter());
        let zone = Zone::new(window.zone.as_deref())?;
        Ok(WindowTableFunction {
            slicing: Slicing::new(&window.kind)?,
            time_column: window.event_time.then_some(window.time_column),
            columns: WindowColumns::new(&schema, [true; 3], zone)?,
            zone,
            schema,
        })
    }
}

impl Operator for WindowTableFunction {
    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = columns_of(batch)?.compact()?;
        let times = self.time_column.map(|column| Millis::new(batch.column(column))).transpose()?;
        let (mut rows, mut starts, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        let mut nulls = 0;
        for row in 0..batch.physical_rows() {
            let time = match &times {
                None => context.now,
                Some(times) if times.is_valid(row) => times.get(row),
                Some(_) => {
                    nulls += 1;
                    continue;
                }
            };
            for end in self.slicing.windows(self.slicing.slice_end(self.zone.local(time))) {
                rows.push(row as u32);
                starts.push(self.slicing.start(end));
                ends.push(end);
            }
        }
        if nulls > 0 {
            context.metrics.num_records_in_errors.add(nulls);
        }
        let once = rows.len() == batch.physical_rows()
            && rows.iter().enumerate().all(|(at, row)| at == *row as usize);
        let batch = if once { batch } else { batch.take(&UInt32Array::from(rows))? };
        if batch.is_empty() {
            return Ok(());
        }
        let mut columns = batch.columns().columns().to_vec();
        self.columns.append(&mut columns, &starts, &ends);
        let columns = record_batch(&self.schema, columns, starts.len())?;
        context.output.emit(Batch::Changes(batch.with_columns(columns)))
    }
}

#[cfg(test)]
mod tests {
    use crate::harness::{Harness, node};
    use expect_test::expect;
    use flott_plan::{OperatorSpec, WindowKind, WindowSpec};

    fn function(kind: WindowKind) -> Harness {
        let window = WindowSpec { kind, time_column: 1, event_time: true, zone: None };
        let spec = OperatorSpec::WindowTableFunction { window, partition: vec![0] };
        let output = "INT TIMESTAMP(3) TIMESTAMP(3) TIMESTAMP(3) TIMESTAMP(3)";
        Harness::keyed(node(spec, &["INT TIMESTAMP(3)"], output), &[&[0]])
    }

    #[test]
    fn a_row_is_emitted_once_for_each_window() {
        let mut hop = function(WindowKind::Hop { size: 10_000, slide: 5_000, offset: 0 });
        expect![[r#"
            +I 1 1970-01-01T00:00:07.000 1970-01-01T00:00:00.000 1970-01-01T00:00:10.000 1970-01-01T00:00:09.999
            +I 1 1970-01-01T00:00:07.000 1970-01-01T00:00:05.000 1970-01-01T00:00:15.000 1970-01-01T00:00:14.999
        "#]]
        .assert_eq(&hop.push("+I 1 1970-01-01T00:00:07.000\n+I 2 NULL"));
        assert_eq!(hop.metrics.num_records_in_errors.get(), 1);
        let mut tumble = function(WindowKind::Tumble { size: 10_000, offset: 0 }).upsert();
        expect![[r#"
            -D 1 1970-01-01T00:00:07.000 1970-01-01T00:00:00.000 1970-01-01T00:00:10.000 1970-01-01T00:00:09.999
        "#]]
        .assert_eq(&tumble.push("-D 1 1970-01-01T00:00:07.000"));
    }

    #[test]
    fn the_rows_of_a_session_are_emitted_when_it_ends() {
        let mut session = function(WindowKind::Session { gap: 5_000 });
        let at = |second: u32| format!("1970-01-01T00:00:{second:02}.000");
        let row = |key: u32, second: u32| format!("+I {key} {}\n", at(second));
        assert_eq!(session.push(&[row(1, 20), row(1, 1), row(2, 3), row(1, 11)].concat()), "");
        session.checkpoint(false);
        session.restore(2);
        assert_eq!(session.push(&[row(1, 6), row(1, 16)].concat()), "");
        session.checkpoint(false);
        session.restore(1);
        expect![[r#"
            +I 2 1970-01-01T00:00:03.000 1970-01-01T00:00:03.000 1970-01-01T00:00:08.000 1970-01-01T00:00:07.999
            watermark 8000
        "#]]
        .assert_eq(&session.watermark(8_000));
        session.push(&row(2, 1));
        assert_eq!(session.metrics.num_late_records_dropped.get(), 1);
        let out = session.watermark(i64::MAX);
        let bounds = format!("{} {} 1970-01-01T00:00:24.999", at(1), at(25));
        assert_eq!(out.lines().filter(|line| line.ends_with(&bounds)).count(), 5, "{out}");
        session.checkpoint(false);
        assert!(session.tables().is_empty());
    }
}
