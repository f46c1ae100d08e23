//! A session: catalogs, configuration, and the execution of statements.
//!
//! A statement either changes the session, or returns information about it, or becomes a job that the caller
//! runs: see [`Outcome`].

mod alter;
mod create;
mod describe;
mod describe_function;
mod drop;
mod function;
mod function_names;
mod like;
mod manage;
mod materialized;
mod model;
mod program;
mod query;
mod settings;
mod show;
mod stack;

use std::sync::Arc;

use flott_connector::Registry;
use flott_expr::{Functions, PlanContext};
use flott_plan::{JobGraph, Schema};
use flott_sql_parser::ast::{
    Describe, DescribeTarget, ObjectName, ParsedStatement, ShellCommand, Show, ShowTarget, Statement,
    StopJob, Text, Use,
};
use flott_types::{Clock, Configuration, Error, LogicalType, Result, TypeKind};

use self::query::Planned;
use crate::bind::over::SEVERAL_OVERS;
use crate::bind::row_pattern_shape::EXTENDED_PATTERNS;
use crate::catalog::{CatalogDescription, CatalogStore, Catalogs, NamedCatalog, ObjectPath};
use crate::compiled::CompiledPlan;
pub use materialized::{MaterializedStep, MaterializedWork};
pub use program::{BoundTable, PlannedPart};

/// The result of a statement.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It changed the session.
    Done,
    /// A table as the answer: SHOW, DESCRIBE, EXPLAIN.
    Table(Answer),
    /// A query whose rows the caller wants.
    Query(Box<PlannedJob>),
    /// INSERT: a job that writes to tables.
    Insert(Box<PlannedJob>),
    /// EXPLAIN RESTORE: what the job would restore from a snapshot, which the caller can read.
    ExplainRestore {
        /// Where the snapshot is.
        path: String,
        /// The job.
        job: Box<PlannedJob>,
    },
    /// COMPILE PLAN: the caller writes the plan, and runs it if requested.
    CompilePlan(Box<PlanToKeep>),
    /// `EXECUTE PLAN 'path'`: the caller reads the plan; [`Session::job_of`] turns it into a job.
    ExecutePlan(String),
    /// What becomes of a materialized table's jobs, which the caller runs.
    Materialized(Box<MaterializedWork>),
    /// SHOW JOBS; the caller knows the jobs.
    ShowJobs,
    /// DESCRIBE JOB
    DescribeJob(Text),
    /// STOP JOB
    StopJob(StopJob),
    /// A command of the shell.
    Shell(ShellCommand),
}

/// A small table of strings.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// The columns.
    pub columns: Vec<(String, LogicalType)>,
    /// The rows; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Answer {
    /// One column of strings.
    pub fn list(name: &str, values: impl IntoIterator<Item = String>) -> Self {
        let rows = values.into_iter().map(|value| vec![Some(value)]).collect();
        Answer { columns: vec![(name.to_owned(), TypeKind::STRING.nullable())], rows }
    }
}

/// A job, ready to be submitted.
#[derive(Clone, Debug)]
pub struct PlannedJob {
    /// What runs.
    pub graph: JobGraph,
    /// The columns of a query.
    pub schema: Schema,
    /// Whether the result of a query contains updates.
    pub updates: bool,
    /// The tables that an INSERT writes to.
    pub targets: Vec<String>,
}

/// A compiled plan, and where to write it.
#[derive(Clone, PartialEq, Debug)]
pub struct PlanToKeep {
    /// The file.
    pub path: String,
    /// Whether an existing file is left alone.
    pub keep_existing: bool,
    /// Whether an existing file is replaced.
    pub overwrite: bool,
    /// Whether the plan is also run; if an existing plan is kept, that one is run instead.
    pub execute: bool,
    /// The plan.
    pub plan: CompiledPlan,
}

/// The state of one user's work: the objects that exist and the settings.
pub struct Session {
    pub(crate) catalogs: Catalogs,
    pub(crate) configuration: Configuration,
    pub(crate) initial: Configuration,
    pub(crate) connectors: Arc<Registry>,
    pub(crate) functions: Functions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cores: u32,
    pub(crate) modules: manage::Modules,
    /// Where the definitions of catalogs are stored beyond the session.
    pub(crate) store: Option<Box<dyn CatalogStore>>,
}

impl Session {
    /// A new session with the available connectors and functions, and its initial configuration. `cores` is
    /// the default parallelism.
    pub fn new(
        connectors: Arc<Registry>,
        functions: Functions,
        configuration: Configuration,
        clock: Arc<dyn Clock>,
        cores: u32,
    ) -> Self {
        let initial = configuration.clone();
        Session {
            catalogs: Catalogs::default(),
            configuration,
            initial,
            connectors,
            functions,
            clock,
            cores: cores.max(1),
            modules: manage::Modules::default(),
            store: None,
        }
    }

    /// The session with the catalogs of a store, which also stores those that are created from now on.
    ///
    /// # Errors
    /// If the store cannot be read or one of its catalogs cannot be opened.
    pub fn with_catalog_store(mut self, store: Box<dyn CatalogStore>) -> Result<Self> {
        for (name, CatalogDescription { options, comment }) in store.catalogs()? {
            let opened = self.connectors.catalog(&name, &options);
            let catalog =
                opened.map_err(|error| error.context(format!("catalog '{name}' of the catalog store")))?;
            self.catalogs.catalogs.insert(name, NamedCatalog { catalog, comment, options });
        }
        self.store = Some(store);
        Ok(self)
    }

    /// The current configuration.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The objects that exist.
    pub fn catalogs(&self) -> &Catalogs {
        &self.catalogs
    }

    /// Executes a statement.
    ///
    /// # Errors
    /// What is wrong with it, with line and column; what Flink supports but is not implemented here is
    /// refused by name.
    pub fn execute(&mut self, parsed: &ParsedStatement) -> Result<Outcome> {
        stack::deep(|| self.run(parsed))
    }

    fn run(&mut self, parsed: &ParsedStatement) -> Result<Outcome> {
        let done = |result: Result<()>| result.map(|()| Outcome::Done);
        match &parsed.statement {
            Statement::Query(query) => self.query(query),
            Statement::Insert(insert) => self.insert(std::slice::from_ref(insert.as_ref())),
            Statement::StatementSet(set) => self.insert(&set.inserts),
            Statement::Explain(explain) => self.explain(explain),
            Statement::CompilePlan(compile) => self.compile(compile),
            Statement::ExecutePlan(path) => Ok(Outcome::ExecutePlan(path.value.clone())),
            Statement::LoadModule(load) => done(self.modules.load(load)),
            Statement::UnloadModule(name) => done(self.modules.unload(name)),
            Statement::ChangeRows(change) => Err(self.change_rows(change)),
            Statement::AnalyzeTable(analyze) => done(self.analyze(analyze)),
            Statement::Call(call) => Err(self.call(call)),
            Statement::CreateModel(create) => done(self.create_model(create)),
            Statement::AlterModel(alter) => done(self.alter_model(alter)),
            Statement::DropModel(drop) => done(self.drop_model(drop)),
            Statement::CreateTable(create) => self.create_table(create),
            Statement::CreateMaterializedTable(create) => self.create_materialized(create),
            Statement::AlterMaterializedTable(alter) => self.alter_materialized(alter),
            Statement::DropMaterializedTable(drop) => self.drop_materialized(drop),
            Statement::CreateView(create) => done(self.create_view(create)),
            Statement::CreateDatabase(create) => done(self.create_database(create)),
            Statement::CreateCatalog(create) => done(self.create_catalog(create)),
            Statement::DropTable(drop) => done(self.drop_relation(drop, false)),
            Statement::DropView(drop) => done(self.drop_relation(drop, true)),
            Statement::DropDatabase(drop) => done(self.drop_database(drop)),
            Statement::DropCatalog(drop) => done(self.drop_catalog(drop)),
            Statement::AlterTable(alter) => done(self.alter_table(alter)),
            Statement::AlterView(alter) => done(self.alter_view(alter)),
            Statement::AlterDatabase(alter) => done(self.alter_database(alter)),
            Statement::AlterCatalog(alter) => done(self.alter_catalog(alter)),
            Statement::CreateFunction(create) => self.create_function(create),
            Statement::AlterFunction(alter) => self.alter_function(alter),
            Statement::DropFunction(drop) => self.drop_function(drop),
            Statement::Describe(Describe { target: DescribeTarget::Job(job), .. }) => {
                Ok(Outcome::DescribeJob(job.clone()))
            }
            Statement::Describe(describe) => self.describe(describe).map(Outcome::Table),
            Statement::Show(Show { target: ShowTarget::Jobs, .. }) => Ok(Outcome::ShowJobs),
            Statement::Show(show) => self.show(show).map(Outcome::Table),
            Statement::Use(target) => done(self.use_target(target)),
            Statement::Set(option) => self.set(option.as_ref()),
            Statement::Reset(key) => {
                self.reset(key.as_ref().map(|key| key.value.as_str()));
                Ok(Outcome::Done)
            }
            Statement::StopJob(stop) => Ok(Outcome::StopJob(stop.clone())),
            Statement::Shell(command) => Ok(Outcome::Shell(*command)),
            Statement::Unsupported(statement) => Err(Error::unsupported(format!(
                "{} is not supported, at {}",
                statement.name, statement.position
            ))),
        }
    }

    fn use_target(&mut self, target: &Use) -> Result<()> {
        match target {
            Use::Catalog(name) => {
                self.catalogs.catalog(&name.value)?;
                self.catalogs.current_catalog.clone_from(&name.value);
                // Flink uses the catalog's default database.
                self.catalogs.current_database =
                    self.catalogs.catalog(&name.value)?.catalog.default_database()?;
                Ok(())
            }
            Use::Database(name) => {
                let (catalog, database) = self.database_path(name)?;
                self.catalogs.database(&catalog, &database)?;
                self.catalogs.current_catalog = catalog;
                self.catalogs.current_database = database;
                Ok(())
            }
            Use::Modules(names) => self.modules.set_used(names),
        }
    }

    /// Catalog and database of a name of one or two parts.
    pub(crate) fn database_path(&self, name: &ObjectName) -> Result<(String, String)> {
        match parts(name).as_slice() {
            [database] => Ok((self.catalogs.current_catalog.clone(), database.clone())),
            [catalog, database] => Ok((catalog.clone(), database.clone())),
            _ => Err(Error::invalid(format!("'{name}' is not the name of a database"))),
        }
    }

    /// The full path of a table's or view's name.
    pub(crate) fn path(&self, name: &ObjectName) -> Result<ObjectPath> {
        self.catalogs.qualify(&parts(name))
    }

    pub(crate) fn plan_context(&self) -> Result<PlanContext> {
        Ok(PlanContext {
            time_zone: settings::time_zone(&self.configuration)?,
            query_time: self.clock.now(),
            catalog: self.catalogs.current_catalog.clone(),
            database: self.catalogs.current_database.clone(),
            streaming: settings::streaming(&self.configuration),
            several_overs: self.configuration.flag(SEVERAL_OVERS, false)?,
            extended_patterns: self.configuration.flag(EXTENDED_PATTERNS, false)?,
            functions: self.functions.clone(),
            limits: settings::artifact_limits(&self.configuration)?,
        })
    }
}

/// The parts of a dotted name.
pub(crate) fn parts(name: &ObjectName) -> Vec<String> {
    name.parts()
}
