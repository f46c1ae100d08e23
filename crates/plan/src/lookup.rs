//! Tables that are looked up, and joins with them.

use serde::{Deserialize, Serialize};

use crate::expr::Expr;
use crate::{JoinKind, TableSpec};

/// A table that is looked up: rows by key.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupSpec {
    /// The table.
    pub table: TableSpec,
    /// The columns by which rows are found, by position in the table's schema.
    pub keys: Vec<usize>,
    /// The columns to produce of the rows found, by position in the table's schema.
    pub projection: Vec<usize>,
    /// It is a model that is asked: its input columns are the keys, and its provider's name is the connector's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub model: bool,
    /// It is a function of a program that answers later, by the name that plans call it by: the keys are its arguments, NULL among them,
    /// and requests are made again after errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
}

/// Each row of a stream with the rows that a table has of its keys when it comes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupJoinSpec {
    /// INNER or LEFT
    pub kind: JoinKind,
    /// What is looked up: by which columns of the table, and which of its columns are read.
    pub lookup: LookupSpec,
    /// For each key of the lookup what it is equal to.
    pub keys: Vec<LookupKey>,
    /// What is made of the columns read; all of them as they are if there are none.
    #[serde(default)]
    pub projection: Vec<Expr>,
    /// A row of the left for which this is not TRUE is not looked up: it has no partners. Over left columns.
    #[serde(default)]
    pub left_condition: Option<Expr>,
    /// A further condition over left columns, then the columns read of the table.
    #[serde(default)]
    pub condition: Option<Expr>,
    /// How requests are made of a table that answers later.
    pub requests: LookupRequests,
}

/// What the key of a lookup is equal to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookupKey {
    /// A column of the left.
    Column(usize),
    /// The same for all rows.
    Constant(Expr),
}

/// How requests are made of a table that is looked up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupRequests {
    /// Results leave in the order of the rows.
    pub ordered: bool,
    /// So many may be under way in a subtask.
    pub capacity: usize,
    /// One that takes longer than this, in milliseconds, with all its attempts, ends the job; 0 is no limit.
    pub timeout: i64,
    /// Keys without rows are asked for again.
    #[serde(default)]
    pub retry: Option<LookupRetry>,
    /// A request is for so many rows at most; without it for those of a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
}

/// When a key without rows is asked for again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupRetry {
    /// The pause before, in milliseconds.
    pub delay: i64,
    /// At most so often.
    pub attempts: u32,
}
