//! The hint LOOKUP.

use flott_plan::LookupRetry;

/// The hint LOOKUP.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LookupHint {
    /// The name of the table in FROM.
    pub table: String,
    /// Whether results may be emitted in an order other than that of the rows.
    pub unordered: Option<bool>,
    /// How many requests may be in flight.
    pub capacity: Option<usize>,
    /// How long a request may take, in milliseconds.
    pub timeout: Option<i64>,
    /// When to retry a key without rows.
    pub retry: Option<LookupRetry>,
    /// Whether rows with the same key go to the same subtask.
    pub shuffle: bool,
}
