//! What process table functions keep: their states and timers.

use std::sync::atomic::{AtomicBool, Ordering};

use flott::Result;
use flott::batch::pretty;
use flott::cluster::ResultStream;
use flott::datastream::ValueState;
use flott::sql::Outcome;
use flott::sql::process::{
    Column, OpenContext, ProcessTableFunction, Row, TableArgument, TableContext, Timer, process_table,
};
use flott::types::LogicalType;

use crate::Shell;
use crate::process::shell;

/// Sums up the rows of a key, and takes the sum back when none has come for a minute; fails once, at a certain row.
#[derive(Clone, Default)]
struct Failing {
    amount: Column<i64>,
    sum: ValueState<i64>,
}

static FAILED: AtomicBool = AtomicBool::new(false);

impl ProcessTableFunction for Failing {
    type Out = i64;

    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        self.amount = context.column("input", "v")?;
        self.sum = context.value_state("sum")?;
        Ok(())
    }

    fn eval(&mut self, row: &Row<'_>, context: &mut TableContext<'_, i64>) -> Result<()> {
        let amount = row.get(self.amount)?;
        if amount == 3_333 && !FAILED.swap(true, Ordering::SeqCst) {
            return Err(flott::Error::external("a service is down"));
        }
        let sum = self.sum.update(context, |sum| {
            *sum += amount;
            *sum
        });
        context.collect(sum);
        if let Some(time) = context.time() {
            context.register_named_timer("all", time + 60_000)?;
        }
        Ok(())
    }

    fn on_timer(&mut self, _: &Timer, context: &mut TableContext<'_, i64>) -> Result<()> {
        let sum = self.sum.get_or_default(context);
        context.collect(-sum);
        context.clear_all();
        Ok(())
    }
}

/// Has a state with a name that its operator uses.
#[derive(Clone, Default)]
struct Misnamed;

impl ProcessTableFunction for Misnamed {
    type Out = i64;

    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        let _: ValueState<i64> = context.value_state("timers")?;
        Ok(())
    }

    fn eval(&mut self, _: &Row<'_>, _: &mut TableContext<'_, i64>) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_state_cannot_have_a_name_of_the_operators_own() {
    let (mut shell, _folder) = shell();
    let misnamed = process_table(Misnamed).table(TableArgument::set("input"));
    shell.0.create_temporary_system_function("misnamed", misnamed).unwrap();
    let error = shell.ask("SELECT * FROM misnamed(TABLE names PARTITION BY name)").unwrap_err();
    assert!(error.contains("state 'timers' has a name that the operator uses itself"), "{error}");
}

/// Reads rows until so many of them are as wanted.
fn until(
    results: &ResultStream,
    types: &[LogicalType],
    count: usize,
    wanted: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.len() < count {
        let batch = results.next_rows().unwrap().unwrap();
        let text = pretty::print(&batch, types);
        seen.extend(text.lines().filter(|line| wanted(line)).map(str::to_owned));
    }
    seen.sort();
    seen
}

#[test]
fn state_and_timers_survive_a_failure() {
    let mut shell = Shell::new();
    let failing = process_table(Failing::default()).table(TableArgument::set("input")).columns(["sum"]);
    shell.0.create_temporary_system_function("failing", failing).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, rows: String| std::fs::write(folder.path().join(name), rows).unwrap();
    let row = |v: i64| format!("{},{v},2024-01-01 00:00:{:02}\n", v % 7, v / 10);
    write("1.csv", (0..70).map(row).collect());
    shell
        .ask(&format!(
            "SET 'parallelism.default' = '2'; SET 'table.exec.batch-size' = '10'; SET 'execution.checkpointing.interval' = '10 ms';
             SET 'restart-strategy.type' = 'fixed-delay'; SET 'restart-strategy.fixed-delay.delay' = '0 ms';
             SET 'restart-strategy.fixed-delay.attempts' = '5';
             CREATE TEMPORARY TABLE rows_of (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (
                 'connector' = 'filesystem', 'path' = '{}', 'format' = 'csv', 'source.monitor-interval' = '20 ms')",
            folder.path().display()
        ))
        .unwrap();
    let query =
        "SELECT k, `sum` FROM failing(input => TABLE rows_of PARTITION BY k, on_time => DESCRIPTOR(ts))";
    let query = flott::sql::parse_script(query).unwrap();
    let Outcome::Query(job) = shell.0.session.execute(&query[0]).unwrap() else { unreachable!() };
    let client = shell.0.cluster.submit(&job.graph).unwrap();
    let (results, types): (_, Vec<_>) =
        (client.results().unwrap(), job.schema.columns.iter().map(|column| column.ty.clone()).collect());
    until(&results, &types, 70, |_| true);
    // A checkpoint that began after these rows.
    let before = client.info().checkpoints.completed;
    let minute = std::time::Duration::from_secs(60);
    assert!(client.wait_until(minute, |info| info.checkpoints.completed >= before + 2));
    // A row of another key, at which the function fails; with it the time comes at which the timers of the first rows are due.
    write("2.csv", "8,3333,2024-01-01 00:10:00\n".to_owned());
    let sum = |k: i64| (0..70).filter(|v| v % 7 == k).sum::<i64>();
    let expected: Vec<String> = (0..7).map(|k| format!("+I {k} -{}", sum(k))).collect();
    assert_eq!(until(&results, &types, 7, |line| line.contains('-')), expected);
    assert!(FAILED.load(Ordering::SeqCst));
    let checkpoints = client.info().checkpoints;
    assert_eq!(checkpoints.restored, 1);
    client.cancel();
}
