//! Functions of a program in SQL.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod aggregates;
mod asynchronous;
mod catalogs;
mod process;
mod process_changes;
mod process_state;
mod registered;
mod wasm;

use flott::batch::pretty;
use flott::sql::{Environment, Outcome, PlannedJob, parse_script};
use flott::types::Configuration;
use flott::types::Result;

struct Shell(Environment);

impl Shell {
    fn new() -> Self {
        Shell::with(Configuration::default())
    }

    fn with(configuration: Configuration) -> Self {
        let mut environment = Environment::new(flott::connectors::builtin(), configuration).unwrap();
        let tables = "
            SET 'parallelism.default' = '1';
            CREATE VIEW t AS SELECT * FROM (VALUES (1, 'to be or'), (2, CAST(NULL AS STRING)), (3, 'not')) AS v (id, text);";
        for statement in parse_script(tables).unwrap() {
            environment.session.execute(&statement).unwrap();
        }
        Shell(environment)
    }

    /// The rows of the last statement, sorted; or the error.
    fn ask(&mut self, script: &str) -> std::result::Result<Vec<String>, String> {
        let mut rows = self.ask_in_order(script)?;
        rows.sort();
        Ok(rows)
    }

    /// The rows of the last statement; or the error.
    fn ask_in_order(&mut self, script: &str) -> std::result::Result<Vec<String>, String> {
        let mut rows = Vec::new();
        for statement in parse_script(script).unwrap() {
            let outcome = self.0.session.execute(&statement).map_err(|error| error.to_string())?;
            rows = match outcome {
                Outcome::Query(job) => self.run(&job).map_err(|error| error.to_string())?,
                Outcome::Table(answer) => {
                    let cell = |cell: &Option<String>| cell.clone().unwrap_or_default();
                    answer.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|")).collect()
                }
                _ => Vec::new(),
            };
        }
        Ok(rows)
    }

    fn run(&self, job: &PlannedJob) -> Result<Vec<String>> {
        let client = self.0.cluster.submit(&job.graph)?;
        let results = client.results().unwrap();
        let types: Vec<_> = job.schema.columns.iter().map(|column| column.ty.clone()).collect();
        let mut rows = Vec::new();
        while let Some(batch) = results.next_rows()? {
            let text = pretty::print(&batch, &types);
            rows.extend(
                text.lines().map(|line| line.replace("+I ", "").replace(' ', "|").replace("NULL", "")),
            );
        }
        Ok(rows)
    }
}
