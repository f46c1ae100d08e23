//! A column of a relation.

use flott_connector::catalog::TimeAttribute;
use flott_plan::WindowSpec;
use flott_types::{LogicalType, TypeKind};

/// A column of a relation.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: LogicalType,
    /// Whether it is a time attribute.
    pub time: Option<TimeAttribute>,
    /// Whether it is a bound of the window that its row belongs to.
    pub window: Option<WindowBound>,
    /// How long a join or an aggregation keeps the rows of the relation that it belongs to, in milliseconds, if the hint STATE_TTL of the
    /// SELECT that reads it says so.
    pub state_ttl: Option<i64>,
}

/// Which bound of a window a column is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WindowBound {
    /// window_start
    Start,
    /// window_end
    End,
    /// window_time
    Time,
}

impl Field {
    /// An ordinary column.
    pub fn new(name: impl Into<String>, ty: LogicalType) -> Self {
        Field { name: name.into(), ty, time: None, window: None, state_ttl: None }
    }

    /// The same column after a window. Event time continues in the window's own columns.
    #[must_use]
    pub fn windowed(&self, window: &WindowSpec) -> Self {
        let time = self.time.filter(|time| window.event_time && *time == TimeAttribute::Processing);
        Field { time, window: None, ..self.clone() }
    }
}

/// How long the rows with these columns are kept as state, if they are all of one relation that a hint names.
pub fn state_ttl(fields: &[Field]) -> Option<i64> {
    let ttl = fields.first()?.state_ttl;
    ttl.filter(|_| fields.iter().all(|field| field.state_ttl == ttl))
}

/// Whether a type can carry a time attribute.
pub fn is_time_attribute_type(ty: &LogicalType) -> bool {
    matches!(ty.kind, TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) if p <= 3)
}
