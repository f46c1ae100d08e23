//! `latency`: measures the latency of rows, and prints it when the input ends.
//!
//! The latency of a row is the clock's time when the sink gets it, minus the time in one of its columns
//! (`column`, a TIMESTAMP that is read as UTC, or a TIMESTAMP_LTZ): the time of an event from a rate-limited
//! source, or the end of a window. Rows that arrive before that time (from a window that the end of the input
//! cut short) have no latency and are counted separately. Each subtask prints a line: `latency> 1000 rows,
//! p50 1 ms, p99 3 ms, max 12 ms, 7 early`.
//!
//! The clock has milliseconds, so the distribution is kept exactly, with a count for each. It costs a
//! subtraction and a comparison per row, and a lookup if the latency differs from the previous row's. It is
//! not state: after a restart the measurement starts over.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Decimal128Type, TimestampMicrosecondType};
use flott_batch::{Batch, ChangeBatch};
use flott_connector::{
    AnyOption, Changelog, Connector, Manual, Options, Payload, Prepared, Required, Sink, SinkContext,
    SinkWriter, TableContext, TableOption,
};
use flott_plan::{SinkSpec, TableSpec};
use flott_types::{CheckpointId, Clock, Error, Result, Timestamp, TypeKind};

const COLUMN: TableOption<String, Required> =
    TableOption::text("column", "the column of type TIMESTAMP or TIMESTAMP_LTZ from which rows are measured")
        .required();

/// The connector `latency`.
#[derive(Debug, Default)]
pub struct LatencyConnector;

impl Connector for LatencyConnector {
    fn name(&self) -> &'static str {
        "latency"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&COLUMN];
        Manual {
            summary: "Measures the latency of rows, and prints it when the input ends.",
            details: "\
A sink that Flink does not have.
The latency of a row is its time of arrival minus the time in its column.
Each subtask prints a line: `latency> 1000 rows, p50 1 ms, p99 3 ms, max 12 ms, 7 early`.
Rows that arrive before their time have no latency and are counted separately.

It accepts every kind of change.
After a restart the measurement starts over.",
            example: "CREATE TABLE measured (id BIGINT, made TIMESTAMP(3)) WITH (
  'connector' = 'latency',
  'column' = 'made'
);",
            options: OPTIONS,
        }
    }

    fn sink(&self, spec: &SinkSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        let name = options.get(&COLUMN)?;
        let found = spec.table.schema.iter().position(|(column, ty)| {
            column == name && matches!(ty.kind, TypeKind::Timestamp(_) | TypeKind::TimestampLtz(_))
        });
        let column =
            found.ok_or_else(|| options.wrong(&COLUMN, "a column of type TIMESTAMP or TIMESTAMP_LTZ"))?;
        Ok(Arc::new(Latency { column }))
    }

    fn sink_changelog(&self, _: &TableSpec, _: &Options<'_>) -> Result<Changelog> {
        Ok(Changelog::Retract)
    }
}

struct Latency {
    column: usize,
}

impl Sink for Latency {
    fn writer(&self, context: SinkContext, _restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        let several = context.parallelism > 1;
        let number = if several { format!(":{}", context.subtask.0 + 1) } else { String::new() };
        Ok(Box::new(LatencyWriter {
            prefix: format!("latency{number}> "),
            column: self.column,
            clock: context.clock,
            distribution: Some(Distribution::default()),
        }))
    }
}

struct LatencyWriter {
    prefix: String,
    column: usize,
    clock: Arc<dyn Clock>,
    /// Until it is printed.
    distribution: Option<Distribution>,
}

impl SinkWriter for LatencyWriter {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let Batch::Changes(batch) = batch else {
            return Err(Error::internal("the sink latency got values instead of columns"));
        };
        let now = self.clock.now();
        let millis = millis(&batch, self.column)?;
        let Some(distribution) = &mut self.distribution else {
            return Err(Error::internal("the sink latency got rows after the end of its input"));
        };
        match batch.selection() {
            None => distribution.add((0..batch.physical_rows()).filter_map(millis), now),
            Some(selection) => distribution.add(selection.set_indices().filter_map(millis), now),
        }
        Ok(())
    }

    fn prepare_commit(&mut self, _checkpoint: CheckpointId, end: bool) -> Result<Prepared> {
        if let Some(line) = self.report(end) {
            println!("{line}");
        }
        Ok(Prepared::default())
    }
}

impl LatencyWriter {
    /// The line to print once at the end: the sink is called when the input has ended, and again with the
    /// last checkpoint.
    fn report(&mut self, end: bool) -> Option<String> {
        let distribution = self.distribution.take_if(|_| end)?;
        Some(format!("{}{}", self.prefix, distribution.text()))
    }
}

/// The time in a row's column, in milliseconds.
fn millis(batch: &ChangeBatch, column: usize) -> Result<impl Fn(usize) -> Option<Timestamp>> {
    let column = batch.columns().column(column);
    let nulls = column.nulls();
    let (micros, nanos) =
        (column.as_primitive_opt::<TimestampMicrosecondType>(), column.as_primitive_opt::<Decimal128Type>());
    if micros.is_none() && nanos.is_none() {
        return Err(Error::internal("the sink latency got a column that is not a timestamp"));
    }
    let millis = move |row: usize| match micros {
        Some(micros) => micros.value(row).div_euclid(1_000),
        None => nanos.map_or(0, |nanos| nanos.value(row).div_euclid(1_000_000) as i64),
    };
    Ok(move |row| nulls.is_none_or(|nulls| nulls.is_valid(row)).then(|| millis(row)))
}

/// The number of rows by latency.
#[derive(Default)]
struct Distribution {
    /// By milliseconds.
    counts: BTreeMap<i64, u64>,
    rows: u64,
    /// Rows that arrived before their time.
    early: u64,
}

impl Distribution {
    /// Rows that arrive now. Consecutive rows mostly have the same latency, and are counted together.
    fn add(&mut self, times: impl Iterator<Item = Timestamp>, now: Timestamp) {
        let (mut current, mut count) = (0, 0);
        for time in times {
            let latency = now - time;
            if latency != current {
                self.count(current, count);
                (current, count) = (latency, 0);
            }
            count += 1;
        }
        self.count(current, count);
    }

    fn count(&mut self, latency: i64, rows: u64) {
        if rows == 0 {
            return;
        }
        if latency < 0 {
            self.early += rows;
        } else {
            *self.counts.entry(latency).or_default() += rows;
            self.rows += rows;
        }
    }

    /// The smallest latency that this percentage of rows do not exceed.
    fn percentile(&self, percent: u64) -> Option<i64> {
        let wanted = (self.rows * percent).div_ceil(100).max(1);
        let mut seen = 0;
        self.counts.iter().find_map(|(latency, rows)| {
            seen += rows;
            (seen >= wanted).then_some(*latency)
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{} rows", self.rows);
        for (name, percent) in [("p50", 50), ("p99", 99), ("max", 100)] {
            if let Some(latency) = self.percentile(percent) {
                let _ = write!(text, ", {name} {latency} ms");
            }
        }
        let _ = write!(text, ", {} early", self.early);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use flott_batch::pretty;
    use flott_connector::conformance::{SinkUnderTest, check_sink};
    use flott_plan::Schema;
    use flott_types::clock::ManualClock;

    use super::*;

    fn spec(column: &str) -> SinkSpec {
        SinkSpec {
            table: TableSpec {
                name: "c.d.t".to_owned(),
                connector: "latency".to_owned(),
                options: BTreeMap::from([("column".to_owned(), column.to_owned())]),
                schema: Schema::new([
                    ("a", TypeKind::Int.nullable()),
                    ("at", TypeKind::Timestamp(3).nullable()),
                ]),
                partition_keys: Vec::new(),
                primary_key: Vec::new(),
            },
            metadata: Schema::default(),
            overwrite: false,
            static_partition: BTreeMap::new(),
            drop_update_before: false,
        }
    }

    fn table() -> TableContext {
        TableContext { batch: false, zone: "UTC".to_owned(), configuration: Default::default() }
    }

    #[test]
    fn percentiles_are_exact() {
        let mut distribution = Distribution::default();
        distribution.add((1..=200).map(|latency| 1_000 - latency), 1_000);
        assert_eq!(distribution.text(), "200 rows, p50 100 ms, p99 198 ms, max 200 ms, 0 early");
    }

    #[test]
    fn early_rows_are_counted_separately() {
        let mut distribution = Distribution::default();
        distribution.add([7, 7, 12, 5].into_iter(), 10);
        assert_eq!(distribution.text(), "3 rows, p50 3 ms, p99 5 ms, max 5 ms, 1 early");
        assert_eq!(Distribution::default().text(), "0 rows, 0 early");
    }

    fn writer() -> LatencyWriter {
        LatencyWriter {
            prefix: "latency> ".to_owned(),
            column: 1,
            clock: Arc::new(ManualClock::new(1_010)),
            distribution: Some(Distribution::default()),
        }
    }

    #[test]
    fn selected_rows_are_measured_and_the_end_is_reported_once() {
        let types = [TypeKind::Int.nullable(), TypeKind::Timestamp(3).nullable()];
        let text = "+I 1 1970-01-01T00:00:01.000\n+I 2 NULL\n+I 3 1970-01-01T00:00:01.004\n+I 4 1970-01-01T00:00:00.500";
        let batch = pretty::parse(text, &types).unwrap();
        let mut writer = writer();
        writer.write(Batch::Changes(batch.select(&[true, true, true, false].into_iter().collect()))).unwrap();
        assert_eq!(writer.report(false), None);
        let line = "latency> 2 rows, p50 6 ms, p99 10 ms, max 10 ms, 0 early";
        assert_eq!(writer.report(true).as_deref(), Some(line));
        assert_eq!(writer.report(true), None);
    }

    #[test]
    fn the_column_must_hold_times() {
        let mut registry = flott_connector::Registry::default();
        registry.register(Arc::new(LatencyConnector));
        assert!(registry.sink(&spec("at"), &table()).is_ok());
        for column in ["a", "other"] {
            let error = registry.sink(&spec(column), &table()).err().unwrap();
            assert!(error.to_string().contains("a column of type TIMESTAMP"), "{error}");
        }
    }

    /// Its output is not rows.
    struct Measured(Arc<dyn Sink>);

    impl SinkUnderTest for Measured {
        fn sink(&self) -> Result<Arc<dyn Sink>> {
            Ok(self.0.clone())
        }

        fn batch(&self, number: usize) -> Batch {
            let types = [TypeKind::Int.nullable(), TypeKind::Timestamp(3).nullable()];
            let rows = format!("+I {number} 1970-01-01T00:00:01.000\n-D {number} NULL");
            Batch::Changes(pretty::parse(&rows, &types).unwrap())
        }

        fn rows(&self, _: usize) -> Vec<String> {
            Vec::new()
        }

        fn visible(&self) -> Result<Vec<String>> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn the_sink_holds_the_rules() {
        let mut registry = flott_connector::Registry::default();
        registry.register(Arc::new(LatencyConnector));
        let sink = registry.sink(&spec("at"), &table()).unwrap();
        check_sink(&|| Box::new(Measured(sink.clone()))).unwrap();
    }
}
