//! Tables that find rows by their primary key get no -U, and what they hold in the end is the result.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use flott::batch::{Batch, RowKind, pretty};
use flott::connector::{
    Changelog, Connector, Manual, Options, Payload, Sink, SinkContext, SinkWriter, TableContext,
};
use flott::plan::{SinkSpec, TableSpec};
use flott::sql::{Environment, Outcome, parse_script};
use flott::types::Configuration;
use flott::types::{LogicalType, Result};
use parking_lot::Mutex;

/// The changes that tables got, by name.
type Changes = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

/// A connector that keeps what is written: `keeper` takes all changes, `upserts` finds rows by the primary key.
struct Keeper {
    changelog: Changelog,
    changes: Changes,
}

impl Connector for Keeper {
    fn name(&self) -> &'static str {
        match self.changelog {
            Changelog::Upsert => "upserts",
            Changelog::InsertOnly | Changelog::Retract => "keeper",
        }
    }

    fn manual(&self) -> Manual {
        Manual::default()
    }

    fn sink(&self, spec: &SinkSpec, _: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        let types = spec.table.schema.columns.iter().map(|column| column.ty.clone()).collect();
        let name = spec.table.name.rsplit('.').next().unwrap_or_default().to_owned();
        Ok(Arc::new(Kept { name, types, changes: Arc::clone(&self.changes) }))
    }

    fn sink_changelog(&self, _: &TableSpec, _: &Options<'_>) -> Result<Changelog> {
        Ok(self.changelog)
    }
}

#[derive(Clone)]
struct Kept {
    name: String,
    types: Vec<LogicalType>,
    changes: Changes,
}

impl Sink for Kept {
    fn writer(&self, _: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(self.clone()))
    }
}

impl SinkWriter for Kept {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let Batch::Changes(batch) = batch else { return Ok(()) };
        let rows = pretty::print(&batch, &self.types);
        let mut changes = self.changes.lock();
        changes.entry(self.name.clone()).or_default().extend(rows.lines().map(str::to_owned));
        Ok(())
    }
}

/// A session with the tables that keep what is written.
fn environment(changes: &Changes) -> Environment {
    let mut registry = flott::connectors::builtin();
    for changelog in [Changelog::Upsert, Changelog::Retract] {
        registry.register(Arc::new(Keeper { changelog, changes: Arc::clone(changes) }));
    }
    Environment::new(registry, Configuration::default()).unwrap()
}

/// Runs a script of INSERTs. Gives the changes that tables got.
fn run(script: &str) -> std::result::Result<BTreeMap<String, Vec<String>>, String> {
    let changes = Changes::default();
    let mut environment = environment(&changes);
    for statement in parse_script(script).unwrap() {
        let outcome = environment.session.execute(&statement).map_err(|error| error.to_string())?;
        if let Outcome::Insert(job) = outcome {
            let client = environment.cluster.submit(&job.graph).map_err(|error| error.to_string())?;
            client.wait().map_err(|error| error.to_string())?;
        }
    }
    drop(environment);
    let changes = changes.lock().clone();
    Ok(changes)
}

/// What the last statement of a script says.
fn explain(script: &str) -> String {
    let mut environment = environment(&Changes::default());
    let mut said = String::new();
    for statement in parse_script(script).unwrap() {
        if let Outcome::Table(answer) = environment.session.execute(&statement).unwrap() {
            said = answer.rows.into_iter().flatten().flatten().collect();
        }
    }
    said
}

fn count(changes: &[String], kind: RowKind) -> usize {
    changes.iter().filter(|change| change.starts_with(kind.symbol())).count()
}

/// What is left of a changelog, by row.
fn left(changes: &[String]) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for change in changes {
        let (kind, row) = change.split_once(' ').unwrap();
        if kind == "+I" || kind == "+U" {
            rows.push(row.to_owned());
        } else {
            let at = rows.iter().position(|known| known == row).unwrap();
            rows.remove(at);
        }
    }
    rows.sort();
    rows
}

/// What is left of upserts: the last row of each key, which is the first column.
fn last(changes: &[String]) -> Vec<String> {
    let mut rows: BTreeMap<&str, &str> = BTreeMap::new();
    for change in changes {
        let (kind, row) = change.split_once(' ').unwrap();
        let key = row.split(' ').next().unwrap();
        if kind == "+I" || kind == "+U" {
            rows.insert(key, row);
        } else {
            assert!(rows.remove(key).is_some(), "a row is deleted that is not there: {change}");
        }
    }
    let mut rows: Vec<String> = rows.into_values().map(str::to_owned).collect();
    rows.sort();
    rows
}

/// Many small batches of the same keys.
const ROWS: &str = "
    SET 'parallelism.default' = '2';
    CREATE TABLE rows_in (k BIGINT, v INT) WITH ('connector' = 'datagen', 'number-of-rows' = '20000',
        'fields.k.kind' = 'sequence', 'fields.k.start' = '0', 'fields.k.end' = '19999', 'fields.v.min' = '1', 'fields.v.max' = '1');
    CREATE TABLE all_changes (k BIGINT, n BIGINT) WITH ('connector' = 'keeper');
    CREATE TABLE last_rows (k BIGINT, n BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'upserts');";

#[test]
fn a_table_with_the_key_of_an_aggregation_gets_half_of_its_updates() {
    for query in [
        "SELECT MOD(k, 7) AS k, COUNT(*) AS n FROM rows_in GROUP BY MOD(k, 7)",
        "SELECT k, n FROM (SELECT k, n, ROW_NUMBER() OVER (PARTITION BY k ORDER BY n DESC) AS rn
         FROM (SELECT MOD(k, 7) AS k, k AS n FROM rows_in)) WHERE rn = 1",
        "SELECT k, n FROM (SELECT MOD(k, 7) AS k, COUNT(*) AS n FROM rows_in GROUP BY MOD(k, 7)) WHERE MOD(n, 2) = 1 OR n > 1000",
    ] {
        let all = run(&format!("{ROWS} INSERT INTO all_changes {query};")).unwrap();
        let upserts = run(&format!("{ROWS} INSERT INTO last_rows {query};")).unwrap();
        let (all, upserts) = (&all["all_changes"], &upserts["last_rows"]);
        assert_eq!(last(upserts), left(all), "{query}");
        assert_eq!(last(upserts).len(), 7);
        let updates = count(all, RowKind::UpdateAfter);
        assert!(updates > 0, "{query} has no updates in {} changes", all.len());
        assert_eq!(count(all, RowKind::UpdateBefore), updates);
        assert_eq!(count(upserts, RowKind::UpdateBefore), 0, "{query}");
    }
}

/// Rows of both sides are found by their keys, and so are those of the join: neither it nor what it reads says twice what
/// changed.
#[test]
fn a_join_of_rows_with_unique_keys_hands_on_half_of_their_updates() {
    let counts = "SELECT MOD(k, 7) AS k, COUNT(*) AS n FROM rows_in GROUP BY MOD(k, 7)";
    let sums = "SELECT MOD(k, 9) AS k, SUM(v) AS n FROM rows_in GROUP BY MOD(k, 9)";
    for kind in ["JOIN", "LEFT JOIN"] {
        let query = format!("SELECT a.k, a.n + b.n FROM ({counts}) a {kind} ({sums}) b ON a.k = b.k");
        let all = run(&format!("{ROWS} INSERT INTO all_changes {query};")).unwrap();
        let upserts = run(&format!("{ROWS} INSERT INTO last_rows {query};")).unwrap();
        let (all, upserts) = (&all["all_changes"], &upserts["last_rows"]);
        assert_eq!(last(upserts), left(all), "{query}");
        assert_eq!(last(upserts).len(), 7);
        assert_eq!(count(upserts, RowKind::UpdateBefore), 0, "{query}");
        let plan = explain(&format!("{ROWS} EXPLAIN CHANGELOG_MODE INSERT INTO last_rows {query};"));
        assert!(plan.contains("UA") && !plan.contains("UB"), "{plan}");
    }
}

/// Another row comes to a rank with the next count; the key of the counts says nothing of that.
#[test]
fn the_second_row_of_a_partition_is_one_row_of_a_join() {
    let counts =
        "SELECT MOD(k, 7) AS k, MOD(k, 35) AS g, COUNT(*) AS n FROM rows_in GROUP BY MOD(k, 7), MOD(k, 35)";
    let second = format!(
        "SELECT k, g, n FROM (SELECT k, g, n, ROW_NUMBER() OVER (PARTITION BY k ORDER BY n DESC, g) AS rn FROM ({counts})) WHERE rn = 2"
    );
    let names = "SELECT MOD(k, 7) AS k, COUNT(*) AS n FROM rows_in GROUP BY MOD(k, 7)";
    let query = format!("SELECT a.k, a.n * 100 + a.g FROM ({second}) a JOIN ({names}) b ON a.k = b.k");
    let all = run(&format!("{ROWS} INSERT INTO all_changes {query};")).unwrap();
    let rows = left(&all["all_changes"]);
    let keys: Vec<&str> = rows.iter().filter_map(|row| row.split(' ').next()).collect();
    assert_eq!(keys, ["0", "1", "2", "3", "4", "5", "6"], "{rows:?}");
    let upserts = run(&format!("{ROWS} INSERT INTO last_rows {query};")).unwrap();
    assert_eq!(last(&upserts["last_rows"]), rows);
}

/// The key of the updates is a part of the primary key, so a row that gets another count leaves its key.
#[test]
fn a_row_that_leaves_its_primary_key_is_deleted() {
    let query = "SELECT MOD(k, 7) AS k, COUNT(*) AS n FROM rows_in GROUP BY MOD(k, 7)";
    let table = "CREATE TABLE pairs (k BIGINT, n BIGINT, PRIMARY KEY (k, n) NOT ENFORCED) WITH ('connector' = 'upserts');";
    for parallelism in [1, 2] {
        let upserts = run(&format!(
            "{ROWS} {table} SET 'parallelism.default' = '{parallelism}'; INSERT INTO pairs {query};"
        ))
        .unwrap();
        let all = run(&format!("{ROWS} INSERT INTO all_changes {query};")).unwrap();
        assert_eq!(left(&upserts["pairs"]), left(&all["all_changes"]));
        assert_eq!(count(&upserts["pairs"], RowKind::UpdateBefore), 0);
        assert!(count(&upserts["pairs"], RowKind::Delete) > 0);
    }
}

/// Counts of five groups, by the count: it changes all the time, and in the end all have the same.
const COUNTS: &str = "SELECT COUNT(*) AS k, g AS n FROM (SELECT MOD(k, 5) AS g, t FROM rows_at) GROUP BY g";

/// Rows with event time.
const ROWS_AT: &str = "
    CREATE TABLE rows_at (k BIGINT, t AS TO_TIMESTAMP_LTZ(k, 3), WATERMARK FOR t AS t) WITH (
        'connector' = 'datagen', 'number-of-rows' = '20000',
        'fields.k.kind' = 'sequence', 'fields.k.start' = '0', 'fields.k.end' = '19999');";

#[test]
fn rows_that_change_by_another_key_become_one_for_each_primary_key() {
    let all = run(&format!("{ROWS} {ROWS_AT} INSERT INTO all_changes {COUNTS};")).unwrap();
    let rows = left(&all["all_changes"]);
    assert_eq!(rows, ["4000 0", "4000 1", "4000 2", "4000 3", "4000 4"]);
    for conflict in ["DEDUPLICATE", "NOTHING"] {
        let insert = format!("{ROWS} {ROWS_AT} INSERT INTO last_rows {COUNTS} ON CONFLICT DO {conflict};");
        let upserts = run(&insert).unwrap();
        // Rows of counts that no group has any more are deleted; of the one that all have, one row is there.
        let last = last(&upserts["last_rows"]);
        assert!(last.len() == 1 && rows.contains(&last[0]), "{conflict}: {last:?}");
        assert_eq!(count(&upserts["last_rows"], RowKind::UpdateBefore), 0);
    }
}

#[test]
fn rows_with_one_primary_key_are_an_error_if_that_is_asked_for() {
    let insert = format!("{ROWS} {ROWS_AT} INSERT INTO last_rows {COUNTS} ON CONFLICT DO ERROR;");
    let failed = run(&insert).unwrap_err();
    assert!(failed.contains("multiple distinct records with the same primary key detected"), "{failed}");
    let counts = "SELECT g AS k, COUNT(*) AS n FROM (SELECT MOD(k, 5) AS g, t FROM rows_at) GROUP BY g";
    let insert = format!("{ROWS} {ROWS_AT} INSERT INTO last_rows {counts} ON CONFLICT DO ERROR;");
    let upserts = run(&insert).unwrap();
    assert_eq!(last(&upserts["last_rows"]), ["0 4000", "1 4000", "2 4000", "3 4000", "4 4000"]);
}
