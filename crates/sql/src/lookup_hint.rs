//! What the hint LOOKUP says.

use flott_plan::LookupRetry;

/// The hint LOOKUP.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LookupHint {
    /// The name of the table in FROM.
    pub table: String,
    /// Whether results may leave in another order than the rows.
    pub unordered: Option<bool>,
    /// How many requests may be under way.
    pub capacity: Option<usize>,
    /// How long a request may take, in milliseconds.
    pub timeout: Option<i64>,
    /// When a key without rows is asked for again.
    pub retry: Option<LookupRetry>,
    /// Rows of one key come to one subtask.
    pub shuffle: bool,
}
