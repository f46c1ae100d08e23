//! Process table functions.

use serde::{Deserialize, Serialize};

use crate::SortKey;
use crate::expr::Expr;

/// A function of a program that takes tables, with state and timers. Output: of each table that is taken as a set the columns of its
/// partition, or all of its columns where they pass through; what the function gives; then the time, if a table has one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessTableSpec {
    /// The name that plans call the function by.
    pub function: String,
    /// What state is found by.
    pub uid: String,
    /// The tables, in the order of the inputs.
    pub tables: Vec<ProcessedTable>,
    /// The constants, in the order of their parameters, of the parameters' types.
    pub arguments: Vec<Expr>,
    /// States that say nothing of it and were not written for this long are dropped (milliseconds); 0 never.
    #[serde(default)]
    pub ttl: i64,
}

/// A table as an argument.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProcessedTable {
    /// What the query calls its columns: by these names the function finds them.
    pub columns: Vec<String>,
    /// PARTITION BY, if it is taken as a set.
    #[serde(default)]
    pub partition: Option<Vec<usize>>,
    /// ORDER BY: rows come in this order, when the watermark has passed them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<SortKey>,
    /// The event time of its rows.
    #[serde(default)]
    pub time: Option<usize>,
    /// All of its columns are in the output.
    #[serde(default)]
    pub passes_columns: bool,
    /// It may be updated.
    #[serde(default)]
    pub takes_updates: bool,
    /// It stands for no table: the function takes constants alone, and is called once.
    #[serde(default)]
    pub nothing: bool,
}
