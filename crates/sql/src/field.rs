//! A column of a relation.

use flott_connector::catalog::TimeAttribute;
use flott_plan::{AggregateCall, Expr, Literal, WindowSpec};
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
    /// Whether DESCRIBE calls it one. Flink's types keep the mark through functions and joins, behind which no rows are in its order.
    pub shown: Option<TimeAttribute>,
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
        Field { name: name.into(), ty, time: None, shown: None, window: None, state_ttl: None }
    }

    /// A time attribute.
    pub fn timed(name: impl Into<String>, ty: LogicalType, time: Option<TimeAttribute>) -> Self {
        Field { time, shown: time, ..Field::new(name, ty) }
    }

    /// The result of a function of columns of `input`, or an aggregate of them.
    pub fn computed(name: impl Into<String>, expr: &Expr, input: &[Field]) -> Self {
        Field { shown: shown(expr, input), ..Field::new(name, expr.ty().clone()) }
    }

    /// The result of an aggregate function.
    pub fn aggregated(call: &AggregateCall, input: &[Field]) -> Self {
        let argument = call.args.first().and_then(|column| input.get(*column));
        let same = argument.filter(|argument| argument.ty.kind == call.ty.kind);
        Field { shown: same.and_then(|same| same.shown), ..Field::new(call.name.clone(), call.ty.clone()) }
    }

    /// The same column after a window. Event time continues in the window's own columns.
    #[must_use]
    pub fn windowed(&self, window: &WindowSpec) -> Self {
        let time = self.time.filter(|time| window.event_time && *time == TimeAttribute::Processing);
        Field { time, window: None, ..self.clone() }
    }
}

/// The mark of the first operand of the result's type; a cast takes it away.
fn shown(expr: &Expr, input: &[Field]) -> Option<TimeAttribute> {
    if !is_time_attribute_type(expr.ty()) {
        return None;
    }
    let first = match expr {
        Expr::Column { index, .. } => return input.get(*index)?.shown,
        Expr::Call { function, .. } if function == "PROCTIME" => return Some(TimeAttribute::Processing),
        Expr::Call { args, .. } => args.iter().find(|arg| arg.ty().kind == expr.ty().kind)?,
        Expr::Case { branches, otherwise, .. } => {
            let results = branches.iter().map(|(_, then)| then).chain([&**otherwise]);
            results
                .into_iter()
                .find(|result| !matches!(result, Expr::Literal { value: Literal::Null, .. }))?
        }
        _ => return None,
    };
    shown(first, input)
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
