//! What process table functions keep: their states and timers.

use std::sync::atomic::{AtomicBool, Ordering};

use flott::Result;
use flott::datastream::ValueState;
use flott::sql::process::{
    Column, OpenContext, ProcessTableFunction, Row, TableArgument, TableContext, Timer, process_table,
};

use crate::Shell;
use crate::process::shell;

/// Counts rows; fails once, when it has seen some.
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
        self.sum.update(context, |sum| *sum += amount);
        if let Some(time) = context.time() {
            context.register_named_timer("all", time + 60_000)?;
        }
        Ok(())
    }

    fn on_timer(&mut self, _: &Timer, context: &mut TableContext<'_, i64>) -> Result<()> {
        let sum = self.sum.get_or_default(context);
        context.collect(sum);
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

#[test]
fn state_and_timers_survive_a_failure() {
    let mut shell = Shell::new();
    let failing = process_table(Failing::default()).table(TableArgument::set("input"));
    shell.0.create_temporary_system_function("failing", failing).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    let row = |v: i64| format!("{},{v},2024-01-01 00:00:{:02}\n", v % 7, v / 100);
    std::fs::write(&path, (0..5_000).map(row).collect::<String>()).unwrap();
    let script = format!(
        "SET 'parallelism.default' = '2'; SET 'table.exec.batch-size' = '10'; SET 'execution.checkpointing.interval' = '5 ms';
         SET 'restart-strategy.type' = 'fixed-delay'; SET 'restart-strategy.fixed-delay.delay' = '0 ms';
         SET 'restart-strategy.fixed-delay.attempts' = '5';
         CREATE TEMPORARY TABLE rows_of (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (
             'connector' = 'filesystem', 'path' = '{}', 'format' = 'csv');
         SELECT * FROM failing(input => TABLE rows_of PARTITION BY k, on_time => DESCRIPTOR(ts))",
        path.display()
    );
    let rows = shell.ask(&script).unwrap();
    let sum = |k: i64| (0..5_000).filter(|v| v % 7 == k).sum::<i64>();
    assert!(FAILED.load(Ordering::SeqCst));
    assert_eq!(rows.len(), 7, "{rows:?}");
    for (k, row) in (0..7).zip(&rows) {
        assert!(row.starts_with(&format!("{k}|{}|", sum(k))), "{row}");
    }
}
