//! Materialized tables.

use super::{CreateTable, Expr, ObjectName, PartitionValue, QueryText, SqlOption};
use crate::error::Position;

/// `CREATE [OR ALTER] MATERIALIZED TABLE name .. [FRESHNESS = INTERVAL ..] [REFRESH_MODE = ..] AS query`
#[derive(Clone, PartialEq, Debug)]
pub struct CreateMaterializedTable {
    /// CREATE OR ALTER: if it is there, it gets a new query.
    pub or_alter: bool,
    /// What it shares with CREATE TABLE AS.
    pub table: CreateTable,
    /// FRESHNESS
    pub freshness: Option<Expr>,
    /// REFRESH_MODE
    pub refresh_mode: Option<RefreshMode>,
}

/// How a materialized table follows its query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefreshMode {
    /// CONTINUOUS: by a job that goes on.
    Continuous,
    /// FULL: by jobs that write all of it again.
    Full,
}

/// `ALTER MATERIALIZED TABLE name ..`
#[derive(Clone, PartialEq, Debug)]
pub struct AlterMaterializedTable {
    /// The position of ALTER.
    pub position: Position,
    /// Which one.
    pub name: ObjectName,
    /// What becomes of it.
    pub operation: AlterMaterializedTableOperation,
}

/// What ALTER MATERIALIZED TABLE does.
#[derive(Clone, PartialEq, Debug)]
pub enum AlterMaterializedTableOperation {
    /// SUSPEND
    Suspend,
    /// RESUME [WITH (..)]
    Resume {
        /// WITH: hints for the table as a sink.
        options: Vec<SqlOption>,
    },
    /// REFRESH [PARTITION (..)]
    Refresh {
        /// PARTITION
        partition: Vec<PartitionValue>,
    },
    /// AS query
    As(QueryText),
}
