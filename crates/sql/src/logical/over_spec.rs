//! The window of an OVER clause, once it is bound.

use flott_plan::SortKey;

/// The window of an OVER clause.
#[derive(Clone, PartialEq, Debug)]
pub struct OverSpec {
    /// PARTITION BY
    pub partition: Vec<usize>,
    /// ORDER BY
    pub order: Vec<SortKey>,
    /// ROWS rather than RANGE.
    pub rows: bool,
    /// How far back: rows or milliseconds, forward if negative; `None` is UNBOUNDED PRECEDING.
    pub preceding: Option<i64>,
    /// How far ahead: back if negative; 0 is CURRENT ROW, `None` is UNBOUNDED FOLLOWING.
    pub following: Option<i64>,
}
