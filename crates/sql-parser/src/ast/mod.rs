//! The syntax tree of Flink's SQL: statements, queries ([`Query`]), items of FROM ([`Relation`]) and
//! expressions ([`Expr`]).
//!
//! Every node that an error may point at knows where it starts in the script. Queries and expressions print
//! as SQL that parses back to the same tree.

mod call;
mod catalog;
mod display;
pub use display::Validated;
mod expr;
mod hint;
mod literal;
mod manage;
mod materialized;
mod name;
mod pattern;
mod query;
mod relation;
mod table;

pub use call::*;
pub use catalog::*;
pub use expr::*;
pub use hint::*;
pub use literal::*;
pub use manage::*;
pub use materialized::*;
pub use name::*;
pub use pattern::*;
pub use query::*;
pub use relation::*;
pub use table::*;

use crate::error::Position;

/// One statement of a script.
#[derive(Clone, PartialEq, Debug)]
pub struct ParsedStatement {
    /// What it says.
    pub statement: Statement,
    /// Its own source text, without the semicolon.
    pub text: String,
    /// Where it starts in the script.
    pub position: Position,
}

/// A string literal with its place.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Text {
    /// The characters, escapes resolved.
    pub value: String,
    /// Where the literal starts.
    pub position: Position,
}

/// One `'key' = 'value'` of WITH, SET and the like.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct SqlOption {
    /// The key.
    pub key: Text,
    /// The value.
    pub value: Text,
}

/// A query together with its source text (views keep it).
#[derive(Clone, PartialEq, Debug)]
pub struct QueryText {
    /// The parsed query. Its spans are in the coordinates of the script it was parsed from.
    pub query: Box<Query>,
    /// Its source text.
    pub text: String,
    /// Where it starts.
    pub position: Position,
}

/// A statement of Flink's SQL, or a command of its shell.
#[derive(Clone, PartialEq, Debug)]
pub enum Statement {
    /// SELECT, VALUES, WITH .. SELECT, TABLE t
    Query(Box<Query>),
    /// CREATE TABLE, CREATE TABLE .. AS, CREATE OR REPLACE TABLE .. AS, REPLACE TABLE .. AS
    CreateTable(Box<CreateTable>),
    /// CREATE MATERIALIZED TABLE
    CreateMaterializedTable(Box<CreateMaterializedTable>),
    /// ALTER MATERIALIZED TABLE
    AlterMaterializedTable(Box<AlterMaterializedTable>),
    /// DROP MATERIALIZED TABLE
    DropMaterializedTable(DropRelation),
    /// DROP TABLE
    DropTable(DropRelation),
    /// ALTER TABLE
    AlterTable(AlterTable),
    /// CREATE VIEW
    CreateView(CreateView),
    /// DROP VIEW
    DropView(DropRelation),
    /// ALTER VIEW
    AlterView(AlterView),
    /// CREATE DATABASE
    CreateDatabase(CreateDatabase),
    /// DROP DATABASE
    DropDatabase(DropDatabase),
    /// ALTER DATABASE .. SET (..)
    AlterDatabase(AlterDatabase),
    /// CREATE CATALOG
    CreateCatalog(CreateCatalog),
    /// DROP CATALOG
    DropCatalog(DropCatalog),
    /// ALTER CATALOG
    AlterCatalog(AlterCatalog),
    /// CREATE FUNCTION
    CreateFunction(CreateFunction),
    /// ALTER FUNCTION
    AlterFunction(AlterFunction),
    /// DROP FUNCTION
    DropFunction(DropFunction),
    /// CREATE MODEL
    CreateModel(CreateModel),
    /// ALTER MODEL
    AlterModel(AlterModel),
    /// DROP MODEL
    DropModel(DropRelation),
    /// LOAD MODULE
    LoadModule(LoadModule),
    /// UNLOAD MODULE
    UnloadModule(Ident),
    /// TRUNCATE TABLE, DELETE, UPDATE
    ChangeRows(ChangeRows),
    /// ANALYZE TABLE
    AnalyzeTable(AnalyzeTable),
    /// CALL
    Call(CallProcedure),
    /// INSERT, and EXECUTE INSERT
    Insert(Box<Insert>),
    /// EXECUTE STATEMENT SET BEGIN .. END, and BEGIN STATEMENT SET; .. END;
    StatementSet(StatementSet),
    /// COMPILE PLAN, COMPILE AND EXECUTE PLAN
    CompilePlan(CompilePlan),
    /// `EXECUTE PLAN 'path'`
    ExecutePlan(Text),
    /// EXPLAIN
    Explain(Explain),
    /// DESCRIBE, DESC
    Describe(Describe),
    /// SHOW
    Show(Show),
    /// USE
    Use(Use),
    /// `SET 'key' = 'value'`; without key and value it lists what is set.
    Set(Option<SqlOption>),
    /// `RESET 'key'`; without key it resets everything.
    Reset(Option<Text>),
    /// STOP JOB
    StopJob(StopJob),
    /// HELP, CLEAR, QUIT, EXIT
    Shell(ShellCommand),
    /// A statement that Flink knows and Flott does not: to be refused by its name.
    Unsupported(Unsupported),
}

/// `INSERT {INTO | OVERWRITE} target [PARTITION (..)] [(columns)] query [ON CONFLICT ..]`
#[derive(Clone, PartialEq, Debug)]
pub struct Insert {
    /// The position of INSERT.
    pub position: Position,
    /// OVERWRITE instead of INTO.
    pub overwrite: bool,
    /// The table written to.
    pub target: ObjectName,
    /// Hints after the target: `/*+ OPTIONS('k' = 'v') */`.
    pub hints: Vec<Hint>,
    /// Static partition: `PARTITION (day = '2020-01-01', hour)`; without value the column is dynamic.
    pub partition: Vec<PartitionValue>,
    /// The columns listed after the target; empty: all.
    pub columns: Vec<Ident>,
    /// What is inserted.
    pub source: Box<Query>,
    /// ON CONFLICT DO ..
    pub on_conflict: Option<OnConflict>,
}

/// What an upsert sink does with conflicting rows (Flink 2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnConflict {
    /// DO NOTHING
    Nothing,
    /// DO ERROR
    Error,
    /// DO DEDUPLICATE
    Deduplicate,
}

/// `column [= literal]` of a PARTITION clause.
#[derive(Clone, PartialEq, Debug)]
pub struct PartitionValue {
    /// The partition column.
    pub column: Ident,
    /// Its constant value.
    pub value: Option<Expr>,
}

/// Several INSERTs that run as one job.
#[derive(Clone, PartialEq, Debug)]
pub struct StatementSet {
    /// Where it starts.
    pub position: Position,
    /// The statements, at least one.
    pub inserts: Vec<Insert>,
}

/// `EXPLAIN [PLAN FOR | detail, .. | RESTORE 'path' FOR] statement`
#[derive(Clone, PartialEq, Debug)]
pub struct Explain {
    /// The position of EXPLAIN.
    pub position: Position,
    /// What to show in addition to the plans.
    pub details: Vec<ExplainDetail>,
    /// Tell instead what the statement would continue with, of the snapshot there.
    pub restore: Option<Text>,
    /// A query, an INSERT or a statement set.
    pub statement: Box<Statement>,
}

/// What EXPLAIN shows in addition to the plans.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExplainDetail {
    /// ESTIMATED_COST
    EstimatedCost,
    /// CHANGELOG_MODE
    ChangelogMode,
    /// JSON_EXECUTION_PLAN
    JsonExecutionPlan,
    /// PLAN_ADVICE
    PlanAdvice,
}

/// `DESCRIBE [CATALOG | DATABASE | FUNCTION | JOB ..] [EXTENDED] name`
#[derive(Clone, PartialEq, Debug)]
pub struct Describe {
    /// The position of DESCRIBE.
    pub position: Position,
    /// What is described.
    pub target: DescribeTarget,
    /// EXTENDED
    pub extended: bool,
}

/// What DESCRIBE describes.
#[derive(Clone, PartialEq, Debug)]
pub enum DescribeTarget {
    /// A table or view.
    Table(ObjectName),
    /// A catalog.
    Catalog(Ident),
    /// A database.
    Database(ObjectName),
    /// A function.
    Function(ObjectName),
    /// A model.
    Model(ObjectName),
    /// A job, by id.
    Job(Text),
}

/// USE
#[derive(Clone, PartialEq, Debug)]
pub enum Use {
    /// USE CATALOG c
    Catalog(Ident),
    /// USE [c.]d
    Database(ObjectName),
    /// USE MODULES a, b
    Modules(Vec<Ident>),
}

/// `STOP JOB 'id' [WITH SAVEPOINT] [WITH DRAIN]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StopJob {
    /// The job's id.
    pub job: Text,
    /// WITH SAVEPOINT
    pub with_savepoint: bool,
    /// WITH DRAIN
    pub with_drain: bool,
}

/// Commands that only an interactive shell understands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShellCommand {
    /// HELP
    Help,
    /// CLEAR
    Clear,
    /// QUIT, EXIT
    Quit,
}

/// A statement that is recognised so that it can be refused by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsupported {
    /// Its name as a user would call it: `CREATE MODEL`, `COMPILE PLAN`.
    pub name: String,
    /// Where it starts.
    pub position: Position,
}
