//! A session with tables to plan against, and its answers as text.
#![expect(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::sync::Arc;

use expect_test::Expect;
use flott_connector::catalog::InMemoryCatalogFactory;
use flott_connector::lookup::{Lookup, LookupContext, LookupTable, ModelProvider};
use flott_connector::options::{SCAN_PARALLELISM, SINK_PARALLELISM};
use flott_connector::{
    AnyOption, Boundedness, Changelog, Connector, EnumeratorContext, Manual, Options, Payload, ReaderContext,
    Registry, Sink, SinkContext, SinkWriter, Source, SourceReader, SplitEnumerator, TableContext,
    TableOption, WithDefault,
};
use flott_plan::{JobGraph, LookupSpec, Schema, SinkSpec, SourceSpec, TableSpec};
use flott_sql::session::{Answer, MaterializedStep, Outcome, PlannedJob, Session};
use flott_sql_parser::{parse_script, split_script};
use flott_types::clock::ManualClock;
use flott_types::{Configuration, Error, ErrorKind, LogicalType, Result, TypeKind};

/// Tables that most tests plan against.
const TABLES: &str = "
    CREATE TABLE t (a INT, b STRING, c BIGINT, d DOUBLE) WITH ('connector' = 'rows');
    CREATE TABLE u (a INT, x STRING NOT NULL, y DECIMAL(10, 2)) WITH ('connector' = 'rows');
    CREATE TABLE bid (auction BIGINT, price INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
      WITH ('connector' = 'rows');
    CREATE TABLE ups (id INT PRIMARY KEY NOT ENFORCED, v STRING, n BIGINT)
      WITH ('connector' = 'rows', 'changelog' = 'upsert');
    CREATE TABLE cdc (id INT, v STRING) WITH ('connector' = 'rows', 'changelog' = 'retract');
    CREATE TABLE log (a INT, n BIGINT) WITH ('connector' = 'rows');
    CREATE TABLE mirror (a INT, n BIGINT) WITH ('connector' = 'rows', 'changelog' = 'retract');
";

/// A session that answers in text.
pub struct Shell {
    session: Session,
}

impl Shell {
    /// A session without tables.
    pub fn new() -> Self {
        let mut connectors = Registry::default();
        connectors.register(Arc::new(Rows));
        connectors.register(Arc::new(Nothing));
        connectors.register_model(Arc::new(Oracle));
        connectors.register_catalog(Arc::new(InMemoryCatalogFactory));
        let clock = Arc::new(ManualClock::new(0));
        Shell {
            session: Session::new(
                Arc::new(connectors),
                flott_functions::builtin(),
                Configuration::default(),
                clock,
                1,
            ),
        }
    }

    /// A session with tables, where all operators run once.
    pub fn with_tables() -> Self {
        let mut shell = Shell::new();
        assert_eq!(shell.run(TABLES), "");
        shell
    }

    /// Runs a script statement by statement; gives what each answers. A mistake does not stop it.
    pub fn run(&mut self, script: &str) -> String {
        split_script(script).iter().map(|statement| self.statement(statement.text)).collect()
    }

    /// Runs a script; gives each statement and what it answers. Places in errors are within the statement.
    pub fn dialog(&mut self, script: &str) -> String {
        split_script(script)
            .iter()
            .map(|statement| format!("> {}\n{}", statement.text, self.statement(statement.text)))
            .collect()
    }

    /// The operators of a query, an INSERT or a statement set.
    pub fn plan(&mut self, statement: &str) -> String {
        self.explain("EXPLAIN", statement)
    }

    /// The operators with the changes they emit.
    pub fn changelog(&mut self, statement: &str) -> String {
        self.explain("EXPLAIN CHANGELOG_MODE", statement)
    }

    fn explain(&mut self, explain: &str, statement: &str) -> String {
        let text = self.statement(&format!("{explain} {statement}"));
        let physical = text.split_once("== Optimized Physical Plan ==\n");
        match physical.and_then(|(_, plan)| plan.split_once("\n== Optimized Execution Plan ==\n")) {
            Some((physical, _)) => physical.trim_end().to_owned() + "\n",
            None => text,
        }
    }

    /// The job that a query or INSERT becomes.
    pub fn job(&mut self, statement: &str) -> JobGraph {
        let parsed = parse_script(statement).expect("a statement that parses");
        match self.session.execute(&parsed[0]).expect("a statement that can be planned") {
            Outcome::Query(job) | Outcome::Insert(job) => job.graph,
            other => panic!("expected a job, not {other:?}"),
        }
    }

    /// The same; the message, if it is refused.
    pub fn try_job(&mut self, statement: &str) -> std::result::Result<JobGraph, String> {
        let parsed = parse_script(statement).map_err(|error| error.to_string())?;
        match self.session.execute(&parsed[0]).map_err(|error| error.to_string())? {
            Outcome::Query(job) | Outcome::Insert(job) => Ok(job.graph),
            other => panic!("expected a job, not {other:?}"),
        }
    }

    /// The result type of an expression over `from`.
    pub fn type_of(&mut self, expr: &str, from: &str) -> String {
        let from = if from.is_empty() { String::new() } else { format!(" FROM {from}") };
        let text = self.statement(&format!("SELECT {expr} AS r{from}"));
        match text.split_once(": r ") {
            Some((_, ty)) => ty.trim_end().to_owned(),
            None => text.trim_end().to_owned(),
        }
    }

    fn statement(&mut self, text: &str) -> String {
        let parsed = match parse_script(text) {
            Ok(parsed) => parsed,
            Err(error) => return format!("syntax: {error}\n"),
        };
        parsed
            .iter()
            .map(|statement| match self.session.execute(statement) {
                Ok(outcome) => show(&outcome),
                Err(error) => {
                    let kind = match error.kind() {
                        ErrorKind::Invalid => "invalid",
                        ErrorKind::Unsupported => "unsupported",
                        ErrorKind::Data => "data",
                        _ => "unexpected kind of error",
                    };
                    format!("{kind}: {error}\n")
                }
            })
            .collect()
    }
}

fn show(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done => String::new(),
        Outcome::Table(answer) => table(answer),
        Outcome::Query(job) => {
            let changes = if job.updates { "updating" } else { "append-only" };
            format!("{changes}: {}\n", columns(&job.schema))
        }
        Outcome::Insert(job) => inserted(job),
        Outcome::Materialized(work) => match &work.step {
            MaterializedStep::Start { job, .. } => format!("START {}: {}", job.graph.name, inserted(job)),
            MaterializedStep::Suspend { .. } => "SUSPEND\n".to_owned(),
            MaterializedStep::Drop { .. } => "DROP\n".to_owned(),
        },
        Outcome::CompilePlan(kept) => {
            format!(
                "PLAN '{}' OF {} operators INTO {}\n",
                kept.path,
                kept.plan.graph.nodes.len(),
                kept.plan.targets.join(", ")
            )
        }
        other => format!("{other:?}\n"),
    }
}

fn inserted(job: &PlannedJob) -> String {
    format!("INSERT INTO {}\n", job.targets.join(", "))
}

fn columns(schema: &Schema) -> String {
    schema
        .columns
        .iter()
        .map(|column| format!("{} {}", column.name, column.ty))
        .collect::<Vec<_>>()
        .join(", ")
}

fn table(answer: &Answer) -> String {
    let row = |row: &Vec<Option<String>>| {
        let cells: Vec<&str> = row.iter().map(|cell| cell.as_deref().unwrap_or("-")).collect();
        cells.join(" | ").trim_end().to_owned() + "\n"
    };
    answer.rows.iter().map(row).collect()
}

/// Compares a text with its snapshot.
pub fn check(actual: impl AsRef<str>, expected: Expect) {
    expected.assert_eq(actual.as_ref());
}

/// A connector that plans and never runs: `'changelog'` says which changes its tables have, `'fields'` whether fields of ROWs are read by
/// themselves.
struct Rows;

const CHANGELOG: TableOption<Changelog, WithDefault> = TableOption::word(
    "changelog",
    &[("insert", Changelog::InsertOnly), ("upsert", Changelog::Upsert), ("retract", Changelog::Retract)],
    "which changes the table has",
)
.or("insert");
const FIELDS: TableOption<bool, WithDefault> =
    TableOption::flag("fields", "whether fields of ROWs are read by themselves").or("false");
const ROWS: TableOption<u32> =
    TableOption::parsed("rows", "number", "a number of rows", |text| text.parse().ok(), "how many rows");

impl Connector for Rows {
    fn name(&self) -> &'static str {
        "rows"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] =
            &[&CHANGELOG, &FIELDS, &ROWS, &SCAN_PARALLELISM, &SINK_PARALLELISM];
        Manual { options: OPTIONS, ..Manual::default() }
    }

    fn source(&self, _: &SourceSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        options.get(&ROWS)?;
        Ok(Arc::new(Never))
    }

    fn sink(&self, _: &SinkSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        options.get(&ROWS)?;
        Ok(Arc::new(Never))
    }

    fn lookup(
        &self,
        _: &LookupSpec,
        options: &Options<'_>,
        _: &TableContext,
    ) -> Result<Arc<dyn LookupTable>> {
        options.get(&ROWS)?;
        Ok(Arc::new(Never))
    }

    fn readable_metadata(&self, _: &TableSpec, _: &Options<'_>) -> Vec<(String, LogicalType)> {
        vec![
            ("offset".to_owned(), TypeKind::BigInt.not_null()),
            ("timestamp".to_owned(), TypeKind::TimestampLtz(3).not_null()),
        ]
    }

    fn reports_errors(&self) -> bool {
        true
    }

    fn projects_fields(&self, _: &TableSpec, options: &Options<'_>) -> bool {
        options.get(&FIELDS).unwrap_or(false)
    }

    fn source_changelog(&self, _: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        options.get(&CHANGELOG)
    }

    fn sink_changelog(&self, _: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        options.get(&CHANGELOG)
    }
}

/// A connector that can neither be read nor written.
struct Nothing;

impl Connector for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }
}

/// A provider of models that are planned with and not asked.
struct Oracle;

const KEY: TableOption<String> = TableOption::text("api-key", "a secret");
const MODEL: TableOption<String> = TableOption::text("model", "a name");

impl ModelProvider for Oracle {
    fn name(&self) -> &'static str {
        "oracle"
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&KEY, &MODEL];
        Manual { options: OPTIONS, ..Manual::default() }
    }

    fn predict(&self, _: &LookupSpec, _: &Options<'_>) -> Result<Arc<dyn LookupTable>> {
        Ok(Arc::new(Never))
    }
}

struct Never;

fn never() -> Error {
    Error::internal("these tables are planned against and not run")
}

impl LookupTable for Never {
    fn lookup(&self, _: LookupContext) -> Result<Lookup> {
        Err(Error::unsupported("a job"))
    }

    fn is_async(&self) -> bool {
        true
    }
}

impl Source for Never {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Unbounded
    }

    fn enumerator(
        &self,
        _restored: Option<&Payload>,
        _context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        Err(never())
    }

    fn reader(&self, _context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Err(never())
    }
}

impl Sink for Never {
    fn writer(&self, _context: SinkContext, _restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Err(never())
    }
}
