//! Tables in a program: streams become tables, tables become streams, and one job runs both.
//!
//! ```
//! use flott::prelude::*;
//! use flott::table::{Schema, StreamTableEnvironment};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Order {
//!     product: String,
//!     amount: u32,
//! }
//!
//! # fn main() -> Result<()> {
//! let env = StreamExecutionEnvironment::new();
//! # env.set_parallelism(1);
//! let tables = StreamTableEnvironment::new(&env)?;
//! let orders = env.from_collection([("tea", 3), ("cake", 4), ("tea", 1)]);
//! let orders = orders.map(|(product, amount): (String, u32)| Order { product, amount });
//! tables.create_temporary_view("orders", &orders)?;
//! let large = tables.sql_query("SELECT UPPER(product), amount FROM orders WHERE amount > 1")?;
//! // The rest of the program is one of streams again.
//! let large = large.to_data_stream::<(String, u32)>()?.map(|(product, amount)| format!("{amount} {product}"));
//! let large: Vec<String> = large.execute_and_collect("orders")?.collect::<Result<_>>()?;
//! assert_eq!(large, ["3 TEA", "4 CAKE"]);
//! # Ok(())
//! # }
//! ```
//!
//! The planner turns a table into operators, and they become a part of the program's graph: there is one job,
//! with one checkpoint for both parts.

mod columns;
mod connector;
mod expression;
mod functions;
mod joins;
mod over;
mod relation;
mod relational;
mod result;
mod schema;
mod statement_set;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flott_batch::{Record, RowKind};
use flott_connector::options::SCAN_PARALLELISM;
use flott_connector::{Changelog, Registry};
use flott_datastream::planned::{PlannedStream, ReadAs, RowStream, STREAM, STREAM_CONNECTOR, Tables};
use flott_datastream::{DataStream, JobClient, StreamExecutionEnvironment};
use flott_operators::{SETTINGS, SqlOperators};
use flott_plan::{OperatorSpec, TableSpec};
use flott_sql::catalog::ObjectPath;
use flott_sql::session::{Outcome, PlannedPart, Session};
use flott_sql_parser::ast::{Insert, Statement};
use flott_sql_parser::parse_statement;
use flott_types::{Error, Result, SystemClock};
use parking_lot::Mutex;

use self::connector::{BOUNDED, CHANGES, OUT, Streams, changelog_text, read_only};
pub use self::expression::{
    Expression, SortKey, and, array, call, col, count_rows, if_then_else, lit, map, not, null_of, or, row,
};
pub use self::over::{Over, OverWindow};
pub use self::relation::Table;
pub use self::relational::{GroupedTable, OverWindowedTable};
pub use self::result::TableResult;
pub use self::schema::Schema;
pub use self::statement_set::StatementSet;
pub use self::window::{
    Cumulate, GroupWindow, SessionWindow, Slide, Tumble, WindowGroupedTable, WindowedTable,
};
use crate::sql::cores;
pub use flott_sql_parser::ast::TimeUnit;

/// The tables of a program (`StreamTableEnvironment`). Clones share them.
#[derive(Clone)]
pub struct StreamTableEnvironment {
    environment: StreamExecutionEnvironment,
    tables: Tables,
    operators: Arc<SqlOperators>,
    state: Arc<Mutex<State>>,
}

struct State {
    session: Session,
    /// The streams that are tables, by the numbers that their tables' options have: a table that is dropped,
    /// and whose name another has got, is still read by what was made of it.
    streams: BTreeMap<String, RowStream>,
    /// The names that tables of streams have got.
    unnamed: BTreeSet<String>,
    /// How many streams have got a number.
    numbers: u64,
    /// How many tables have got a name as views.
    named: u64,
}

impl StreamTableEnvironment {
    /// The tables of the program of this environment, with the built-in connectors and functions. The
    /// environment's settings are those of the tables too.
    ///
    /// # Errors
    /// If the configuration names a store of catalogs that cannot be opened.
    pub fn new(environment: &StreamExecutionEnvironment) -> Result<Self> {
        StreamTableEnvironment::with_connectors(environment, crate::connectors::builtin())
    }

    /// The same with these connectors.
    ///
    /// # Errors
    /// As [`StreamTableEnvironment::new`].
    pub fn with_connectors(
        environment: &StreamExecutionEnvironment,
        mut connectors: Registry,
    ) -> Result<Self> {
        connectors.register(Arc::new(Streams));
        let (registry, functions) = (Arc::new(connectors), crate::functions::builtin());
        let operators = Arc::new(SqlOperators::new(functions.clone()));
        let configuration = environment.configuration();
        let store = crate::sql::catalog_store(&configuration)?;
        let clock = Arc::new(SystemClock::new());
        let mut session = Session::new(registry.clone(), functions, configuration, clock, cores());
        if let Some(store) = store {
            session = session.with_catalog_store(store)?;
        }
        let streams = BTreeMap::new();
        Ok(StreamTableEnvironment {
            environment: environment.clone(),
            tables: Tables { operators: operators.clone(), registry },
            operators,
            state: Arc::new(Mutex::new(State {
                session,
                streams,
                unnamed: BTreeSet::new(),
                numbers: 0,
                named: 0,
            })),
        })
    }

    /// The same tables over an environment that runs only what is added to it.
    fn fork(&self) -> Self {
        StreamTableEnvironment { environment: self.environment.fork(), ..self.clone() }
    }

    /// A stream as a table, with a column for each field of its type. Rows are only inserted.
    ///
    /// # Errors
    /// If a part of the type has no column.
    pub fn from_data_stream<T: Record>(&self, stream: &DataStream<T>) -> Result<Table> {
        self.from_data_stream_with(stream, &Schema::new())
    }

    /// A stream as a table with these columns.
    ///
    /// ```
    /// # use flott::prelude::*;
    /// # use flott::table::{Schema, StreamTableEnvironment};
    /// # let env = StreamExecutionEnvironment::new();
    /// # env.set_parallelism(1);
    /// # let tables = StreamTableEnvironment::new(&env)?;
    /// let clicks = env.from_collection([("ann", 1_000_i64), ("bob", 2_000), ("ann", 61_000)]);
    /// let clicks = clicks.assign_timestamps_and_watermarks(
    ///     WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|click: &(String, i64), _| click.1),
    /// );
    /// let schema = Schema::new()
    ///     .column_by_metadata("rowtime", "TIMESTAMP_LTZ(3)", "rowtime")
    ///     .watermark("rowtime", "SOURCE_WATERMARK()");
    /// let clicks = tables.from_data_stream_with(&clicks, &schema)?;
    /// let counts = tables.sql_query(&format!(
    ///     "SELECT COUNT(*) FROM TUMBLE(TABLE {clicks}, DESCRIPTOR(rowtime), INTERVAL '1' MINUTE) GROUP BY window_start, window_end"
    /// ))?;
    /// let counts = counts.to_data_stream::<i64>()?.execute_and_collect("clicks")?;
    /// assert_eq!(counts.collect::<Result<Vec<_>>>()?, [2, 1]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If the type has no such columns.
    pub fn from_data_stream_with<T: Record>(&self, stream: &DataStream<T>, schema: &Schema) -> Result<Table> {
        self.unnamed(stream.to_rows()?, schema, Changelog::InsertOnly)
    }

    /// A stream of changes as a table that is updated: `+I`, `-U`, `+U` and `-D`.
    ///
    /// # Errors
    /// If a part of the type has no column.
    pub fn from_changelog_stream<T: Record>(&self, stream: &DataStream<(RowKind, T)>) -> Result<Table> {
        self.unnamed(stream.to_changes()?, &Schema::new(), Changelog::Retract)
    }

    /// A stream of changes as a table with these columns. In a stream of upserts the last row of each primary
    /// key counts, which the schema must name; it has no `-U`.
    ///
    /// # Errors
    /// If the type has no such columns.
    pub fn from_changelog_stream_with<T: Record>(
        &self,
        stream: &DataStream<(RowKind, T)>,
        schema: &Schema,
        changes: Changelog,
    ) -> Result<Table> {
        self.unnamed(stream.to_changes()?, schema, changes)
    }

    /// A stream as a table of this name.
    ///
    /// # Errors
    /// If the name is taken, or a part of the type has no column.
    pub fn create_temporary_view<T: Record>(&self, name: &str, stream: &DataStream<T>) -> Result<()> {
        self.create_temporary_view_with(name, stream, &Schema::new())
    }

    /// A stream as a table of this name with these columns.
    ///
    /// # Errors
    /// If the name is taken, or the type has no such columns.
    pub fn create_temporary_view_with<T: Record>(
        &self,
        name: &str,
        stream: &DataStream<T>,
        schema: &Schema,
    ) -> Result<()> {
        let path = self.path(name)?;
        self.register(&path, stream.to_rows()?, schema, Changelog::InsertOnly)
    }

    /// A table as a view of this name.
    ///
    /// # Errors
    /// If the name is taken.
    pub fn create_temporary_view_of(&self, name: &str, table: &Table) -> Result<()> {
        let path = self.path(name)?;
        self.state.lock().session.create_temporary_view(&path, &table.bound)
    }

    /// The table or view of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn from_path(&self, name: &str) -> Result<Table> {
        let path = self.path(name)?;
        self.sql_query(&format!("SELECT * FROM {path}"))
    }

    /// A query as a table.
    ///
    /// # Errors
    /// What is wrong with it, with line and column.
    pub fn sql_query(&self, query: &str) -> Result<Table> {
        let bound = self.session(|session| session.bound_table(query))?;
        Ok(Table { tables: self.clone(), bound, sorted: None })
    }

    /// Executes a statement. An INSERT runs as a job of its own, with the streams that it reads; to make it a
    /// part of the program's job, use [`StatementSet::attach_as_data_stream`].
    ///
    /// # Errors
    /// What is wrong with it, with line and column.
    pub fn execute_sql(&self, statement: &str) -> Result<TableResult> {
        let parsed = parse_statement(statement)?;
        let unsupported = |what: &str, instead: &str| {
            Err(Error::unsupported(format!("{what} in a program is not supported; {instead}")))
        };
        match &parsed.statement {
            Statement::Query(_) => {
                return self.sql_query(statement).map(|table| TableResult::Query(Box::new(table)));
            }
            Statement::Insert(insert) => {
                return self.run_inserts(std::slice::from_ref(&**insert)).map(TableResult::Job);
            }
            Statement::StatementSet(set) => return self.run_inserts(&set.inserts).map(TableResult::Job),
            Statement::CreateTable(create) if create.query.is_some() => {
                return unsupported("CREATE TABLE AS", "write CREATE TABLE and INSERT INTO");
            }
            Statement::CreateMaterializedTable(_)
            | Statement::AlterMaterializedTable(_)
            | Statement::DropMaterializedTable(_)
            | Statement::CompilePlan(_)
            | Statement::ExecutePlan(_) => return unsupported("this statement", "run it with `flott sql`"),
            _ => {}
        }
        let outcome = self.session(|session| session.execute(&parsed))?;
        self.operators.set_functions(self.state.lock().session.functions().clone());
        match outcome {
            Outcome::Done => Ok(TableResult::Done),
            Outcome::Table(answer) => Ok(TableResult::Answer(answer)),
            Outcome::ShowJobs | Outcome::DescribeJob(_) | Outcome::StopJob(_) => {
                unsupported("a statement about jobs", "a `JobClient` knows its job")
            }
            Outcome::Query(_)
            | Outcome::Shell(_)
            | Outcome::Insert(_)
            | Outcome::ExplainRestore { .. }
            | Outcome::CompilePlan(_)
            | Outcome::Materialized(_)
            | Outcome::ExecutePlan(_) => unsupported("this statement", "run it with `flott sql`"),
        }
    }

    /// INSERTs that become one job, or a part of the program's.
    pub fn create_statement_set(&self) -> StatementSet {
        StatementSet::new(self.clone())
    }

    /// The rows of a table as a stream, read by the names of the columns (a tuple: by their order). If the
    /// table has event time, that is the records' timestamp, and the watermarks are those of the table.
    ///
    /// # Errors
    /// If rows are updated or deleted; or they cannot be read as the type.
    pub fn to_data_stream<T: Record>(&self, table: &Table) -> Result<DataStream<T>> {
        let read = ReadAs::new(&table.schema(), table.rowtime()?)?;
        Ok(self.stream_of(table, Changelog::InsertOnly)?.values(read))
    }

    /// The changes of a table as a stream.
    ///
    /// ```
    /// # use flott::prelude::*;
    /// # use flott::batch::RowKind;
    /// # use flott::table::StreamTableEnvironment;
    /// # let env = StreamExecutionEnvironment::new();
    /// # env.set_parallelism(1);
    /// # let tables = StreamTableEnvironment::new(&env)?;
    /// tables.create_temporary_view("words", &env.from_collection(["to", "be"].map(String::from)))?;
    /// let counts = tables.sql_query("SELECT f0, COUNT(*) FROM words GROUP BY f0")?;
    /// let changes = counts.to_changelog_stream::<(String, i64)>()?.execute_and_collect("words")?;
    /// let mut changes = changes.collect::<Result<Vec<_>>>()?;
    /// changes.sort();
    /// let insert = |word: &str| (RowKind::Insert, (word.to_owned(), 1));
    /// assert_eq!(changes, [insert("be"), insert("to")]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If rows cannot be read as the type.
    pub fn to_changelog_stream<T: Record>(&self, table: &Table) -> Result<DataStream<(RowKind, T)>> {
        let read = ReadAs::new(&table.schema(), table.rowtime()?)?;
        Ok(self.stream_of(table, Changelog::Retract)?.changes(read))
    }

    /// The session, with the settings that the environment has now.
    fn session<T>(&self, act: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let session = &mut self.state.lock().session;
        let settings = self.environment.configuration();
        if settings.get("execution.runtime-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("AUTOMATIC")) {
            return Err(Error::invalid(
                "'execution.runtime-mode' is AUTOMATIC, which tables do not know; use STREAMING or BATCH",
            ));
        }
        session.follow(&settings);
        act(session)
    }

    fn path(&self, name: &str) -> Result<ObjectPath> {
        self.state.lock().session.path_of(name)
    }

    /// A table under a name that says which stream it is, so that state is found again.
    fn unnamed(&self, stream: RowStream, schema: &Schema, changes: Changelog) -> Result<Table> {
        let name = format!("Unregistered_DataStream_Source_{}", stream.identity());
        let path = {
            let mut state = self.state.lock();
            let object = |name: &str| {
                let path = state.session.path_of("name")?;
                Ok::<_, Error>(ObjectPath { object: name.to_owned(), ..path })
            };
            let (mut path, mut number) = (object(&name)?, 1);
            while state.unnamed.contains(&path.to_string()) {
                number += 1;
                path = object(&format!("{name}_{number}"))?;
            }
            state.unnamed.insert(path.to_string());
            path
        };
        self.register(&path, stream, schema, changes)?;
        self.sql_query(&format!("SELECT * FROM {path}"))
    }

    fn register(
        &self,
        path: &ObjectPath,
        stream: RowStream,
        schema: &Schema,
        changes: Changelog,
    ) -> Result<()> {
        if !stream.is_of(&self.environment) {
            return Err(Error::invalid("the stream is one of another environment"));
        }
        let number = {
            let mut state = self.state.lock();
            state.numbers += 1;
            state.numbers.to_string()
        };
        let options = [
            ("connector".to_owned(), STREAM_CONNECTOR.to_owned()),
            (STREAM.to_owned(), number.clone()),
            (CHANGES.key().to_owned(), changelog_text(changes).to_owned()),
            (BOUNDED.key().to_owned(), stream.is_bounded().to_string()),
            (SCAN_PARALLELISM.key().to_owned(), stream.parallelism()?.to_string()),
        ];
        let table = schema.table(stream.columns(), options.into())?;
        let physical = table
            .columns
            .iter()
            .filter(|column| matches!(column.kind, flott_connector::catalog::TableColumnKind::Physical));
        let physical: Vec<_> = physical.map(|column| (column.name.clone(), column.ty.clone())).collect();
        stream.check(&physical)?;
        self.session(|session| session.create_temporary_table(path, table))?;
        self.state.lock().streams.insert(number, stream);
        Ok(())
    }

    /// The name of a view of the table.
    fn named(&self, table: &Table) -> Result<ObjectPath> {
        let mut state = self.state.lock();
        let name = format!("UnnamedTable${}", state.named);
        state.named += 1;
        let path = ObjectPath { object: name, ..state.session.path_of("name")? };
        state.session.create_temporary_view(&path, &table.bound)?;
        Ok(path)
    }

    fn stream_of(&self, table: &Table, changes: Changelog) -> Result<PlannedStream> {
        let spec = TableSpec {
            name: "Unregistered_DataStream_Sink".to_owned(),
            connector: STREAM_CONNECTOR.to_owned(),
            options: [
                ("connector".to_owned(), STREAM_CONNECTOR.to_owned()),
                (STREAM.to_owned(), OUT.to_owned()),
                (CHANGES.key().to_owned(), changelog_text(changes).to_owned()),
            ]
            .into(),
            schema: table.schema(),
            partition_keys: Vec::new(),
            primary_key: Vec::new(),
        };
        let part = self.session(|session| session.plan_into(&table.bound, spec))?;
        let mut streams = self.attach(&part)?;
        streams.pop().ok_or_else(|| Error::internal("a table that becomes a stream writes to none"))
    }

    fn attach(&self, part: &PlannedPart) -> Result<Vec<PlannedStream>> {
        let streams = self.state.lock().streams.clone();
        let mut settings = part.configuration.clone();
        settings.retain(|key, _| SETTINGS.contains(&key.as_str()));
        self.environment.attach(&part.graph, settings, (&self.tables, &part.context), &streams)
    }

    fn attach_inserts(&self, inserts: &[Insert]) -> Result<Vec<String>> {
        if inserts.is_empty() {
            return Err(Error::invalid("a statement set needs a statement"));
        }
        let part = self.session(|session| session.plan_inserts(inserts))?;
        for node in &part.graph.nodes {
            // Nobody would read it.
            if let OperatorSpec::Sink(spec) = &node.spec
                && spec.table.connector == STREAM_CONNECTOR
            {
                return Err(read_only(&spec.table));
            }
        }
        self.attach(&part)?;
        Ok(part.targets)
    }

    fn run_inserts(&self, inserts: &[Insert]) -> Result<JobClient> {
        let own = self.fork();
        let targets = own.attach_inserts(inserts)?;
        own.environment.execute_async(&format!("insert-into_{}", targets.join(",")))
    }
}
