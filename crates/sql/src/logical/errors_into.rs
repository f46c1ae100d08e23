//! Where records go that cannot be read, once the table is bound.

use flott_plan::{Expr, SinkSpec};

/// ERRORS INTO: the table that takes the records that cannot be read.
#[derive(Clone, PartialEq, Debug)]
pub struct ErrorsInto {
    /// The table.
    pub sink: SinkSpec,
    /// Each of its columns: what it takes, over `flott_plan::errors_schema`, and its name.
    pub columns: Vec<(Expr, String)>,
}
