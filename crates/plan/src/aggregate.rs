//! Calls of aggregate functions.

use flott_types::LogicalType;
use serde::{Deserialize, Serialize};

/// One aggregate of a GROUP BY or window aggregation.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AggregateCall {
    /// The canonical upper-case name: `COUNT`, `SUM`, `AVG`, `MIN`, `MAX`, `LISTAGG`, ...
    pub function: String,
    /// The input columns it takes; empty for COUNT(*).
    pub args: Vec<usize>,
    /// The types of the arguments.
    pub arg_types: Vec<LogicalType>,
    /// Each distinct combination of arguments counts once.
    #[serde(default)]
    pub distinct: bool,
    /// A BOOLEAN input column: only rows where it is TRUE count.
    #[serde(default)]
    pub filter: Option<usize>,
    /// The result type.
    pub ty: LogicalType,
    /// The name of the result column.
    pub name: String,
}
