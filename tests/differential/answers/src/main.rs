//! Answers scripts as the driver of the real Flink does: one process for thousands of them.
//!
//! A line on standard input is the path of a script. A line on standard output is its answer: the path, and columns and rows
//! (their kind first) of the last statement, or what was refused and why. Each script has a session of its own; they run one
//! after the other, so that their jobs do not take time from each other.

use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use chrono_tz::Tz;
use flott::batch::text;
use flott::cluster::NextRows;
use flott::sql::{Environment, Outcome, PlannedJob, split_script};
use flott::{Error, ErrorKind, Result};
use serde_json::{Value, json};

const TICK: Duration = Duration::from_millis(100);
/// A query that gives no rows for so many ticks has no end, or none that is worth waiting for.
const PATIENCE: u32 = 600;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    for path in std::io::stdin().lock().lines() {
        let path = path?;
        let script = std::fs::read_to_string(&path)?;
        let mut answer = match catch_unwind(AssertUnwindSafe(|| answer(&script))) {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => json!({ "error": error.message() }),
            Err(_) => json!({ "error": "panic", "panic": true }),
        };
        if let Value::Object(fields) = &mut answer {
            fields.insert("path".to_owned(), Value::String(path));
        }
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(script: &str) -> Result<Value> {
    let mut environment = Environment::local()?;
    let mut last = json!({ "error": "no result" });
    for statement in split_script(script) {
        match environment.session.execute(&statement.parse()?)? {
            Outcome::Query(job) => last = rows(&environment, &job)?,
            Outcome::Insert(job) => environment.cluster.submit(&job.graph)?.wait()?,
            Outcome::Materialized(work) => drop(environment.materialize(*work)?),
            Outcome::Table(table) => {
                let columns: Vec<_> =
                    table.columns.iter().map(|(name, ty)| [name.clone(), ty.to_string()]).collect();
                let rows: Vec<Value> = table.rows.into_iter().map(|row| change("+I", row)).collect();
                last = json!({ "columns": columns, "rows": rows });
            }
            _ => {}
        }
    }
    Ok(last)
}

fn rows(environment: &Environment, planned: &PlannedJob) -> Result<Value> {
    let zone = environment.session.configuration().get("table.local-time-zone");
    let zone: Tz = zone.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC);
    let schema = &planned.schema;
    let columns: Vec<_> = schema.iter().map(|(name, ty)| [name.to_owned(), ty.to_string()]).collect();
    let job = environment.cluster.submit(&planned.graph)?;
    let results = job.results().ok_or_else(|| Error::internal("the query collects no rows"))?;
    let mut idle = 0;
    let mut rows = Vec::new();
    loop {
        match results.next_within(TICK) {
            Ok(NextRows::Rows(batch)) => {
                let batch = batch.compact()?;
                for row in 0..batch.physical_rows() {
                    let cells = schema.columns.iter().enumerate();
                    let cells = cells
                        .map(|(at, column)| text::cell(batch.column(at).as_ref(), row, &column.ty, zone));
                    rows.push(change(batch.kind(row).symbol(), cells.collect()));
                }
            }
            Ok(NextRows::NotYet) if idle == PATIENCE => {
                job.cancel();
                return Err(Error::new(ErrorKind::External, "no end"));
            }
            Ok(NextRows::NotYet) => idle += 1,
            Ok(NextRows::End) => break,
            // The job knows better than its result why it failed.
            Err(error) => return Err(job.wait().err().unwrap_or(error)),
        }
    }
    job.wait()?;
    Ok(json!({ "columns": columns, "rows": rows }))
}

/// A row: its kind, and the cells.
fn change(kind: &str, cells: Vec<Option<String>>) -> Value {
    let kind = std::iter::once(Some(kind.to_owned()));
    json!(kind.chain(cells).collect::<Vec<_>>())
}
