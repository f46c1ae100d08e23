//! Compiled plans, modules, models, and statements that change rows or gather statistics.

use super::{ColumnDef, Ident, ObjectName, PartitionValue, SqlOption, Statement, Text};
use crate::error::Position;

/// `COMPILE [AND EXECUTE] PLAN 'path' [IF NOT EXISTS] FOR {INSERT .. | STATEMENT SET BEGIN .. END}`
#[derive(Clone, PartialEq, Debug)]
pub struct CompilePlan {
    /// Where COMPILE is.
    pub position: Position,
    /// The file that the plan is written to.
    pub path: Text,
    /// IF NOT EXISTS: a plan that is there is left alone, and is the one that AND EXECUTE runs.
    pub if_not_exists: bool,
    /// AND EXECUTE
    pub execute: bool,
    /// An INSERT or a statement set.
    pub statement: Box<Statement>,
}

/// `LOAD MODULE name [WITH (..)]`
#[derive(Clone, PartialEq, Debug)]
pub struct LoadModule {
    /// Its name.
    pub name: Ident,
    /// WITH
    pub options: Vec<SqlOption>,
}

/// A statement that changes the rows of a table.
#[derive(Clone, PartialEq, Debug)]
pub struct ChangeRows {
    /// Which statement.
    pub kind: RowChange,
    /// The table.
    pub table: ObjectName,
}

/// How rows are changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RowChange {
    /// TRUNCATE TABLE
    Truncate,
    /// DELETE FROM
    Delete,
    /// UPDATE .. SET
    Update,
}

/// `ANALYZE TABLE name [PARTITION (..)] COMPUTE STATISTICS [FOR {COLUMNS .. | ALL COLUMNS}]`
#[derive(Clone, PartialEq, Debug)]
pub struct AnalyzeTable {
    /// The table.
    pub table: ObjectName,
    /// PARTITION (..)
    pub partition: Vec<PartitionValue>,
    /// FOR COLUMNS; ALL COLUMNS are none here.
    pub columns: Vec<Ident>,
}

/// `CALL procedure(..)`
#[derive(Clone, PartialEq, Debug)]
pub struct CallProcedure {
    /// Where CALL is.
    pub position: Position,
    /// The procedure.
    pub procedure: ObjectName,
}

/// `CREATE [TEMPORARY] MODEL [IF NOT EXISTS] name [INPUT (..) OUTPUT (..)] [COMMENT ..] [WITH (..)]`
#[derive(Clone, PartialEq, Debug)]
pub struct CreateModel {
    /// Where CREATE is.
    pub position: Position,
    /// TEMPORARY
    pub temporary: bool,
    /// IF NOT EXISTS
    pub if_not_exists: bool,
    /// Its name.
    pub name: ObjectName,
    /// INPUT
    pub input: Vec<ColumnDef>,
    /// OUTPUT
    pub output: Vec<ColumnDef>,
    /// COMMENT
    pub comment: Option<Text>,
    /// WITH
    pub options: Vec<SqlOption>,
}

/// `ALTER MODEL [IF EXISTS] name ..`
#[derive(Clone, PartialEq, Debug)]
pub struct AlterModel {
    /// IF EXISTS
    pub if_exists: bool,
    /// Its name.
    pub name: ObjectName,
    /// What is changed.
    pub operation: AlterModelOperation,
}

/// What ALTER MODEL changes.
#[derive(Clone, PartialEq, Debug)]
pub enum AlterModelOperation {
    /// SET ('k' = 'v')
    Set(Vec<SqlOption>),
    /// RESET ('k')
    Reset(Vec<Text>),
    /// RENAME TO
    Rename(ObjectName),
}
