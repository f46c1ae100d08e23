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
        Field { name: name.into(), ty, time: None, window: None }
    }

    /// The same column after a window. Event time continues in the window's own columns.
    #[must_use]
    pub fn windowed(&self, window: &WindowSpec) -> Self {
        let time = self.time.filter(|time| window.event_time && *time == TimeAttribute::Processing);
        Field { time, window: None, ..self.clone() }
    }
}

/// Whether a type can carry a time attribute.
pub fn is_time_attribute_type(ty: &LogicalType) -> bool {
    matches!(ty.kind, TypeKind::Timestamp(p) | TypeKind::TimestampLtz(p) if p <= 3)
}
