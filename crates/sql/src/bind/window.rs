//! The window table functions TUMBLE, HOP, CUMULATE and SESSION.

use flott_expr::fold;
use flott_plan::{Expr, Literal, WindowKind, WindowSpec};
use flott_sql_parser::ast::{
    Argument, ArgumentValue, Expr as Ast, ExprKind, ObjectName, OrderItem, Query, Relation, TableSource,
};
use flott_types::{Result, TypeKind};

use super::expr::ExprBinder;
use super::{Binder, Scope, unsupported, wrong};
use crate::logical::{Field, Rel, RelNode, TimeAttribute, WindowBound};

/// The parameters after table and time column, by name.
fn parameters(function: &str) -> Option<&'static [&'static str]> {
    Some(match function {
        "TUMBLE" => &["DATA", "TIMECOL", "SIZE", "OFFSET"],
        "HOP" => &["DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"],
        "CUMULATE" => &["DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"],
        "SESSION" => &["DATA", "TIMECOL", "GAP"],
        _ => return None,
    })
}

impl Binder<'_> {
    /// `TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)` and similar calls.
    pub(crate) fn table_function(
        &self,
        name: &ObjectName,
        args: &[Argument],
        node: &Relation,
    ) -> Result<Rel> {
        let function = name.to_string().to_ascii_uppercase();
        if let Some(rel) = self.changelog_function(&function, args, node)? {
            return Ok(rel);
        }
        if function == "ML_PREDICT" {
            return self.predict(args, node);
        }
        let Some(names) = parameters(&function) else {
            return Err(unsupported(format!("the table function {name}"), node));
        };
        let args = by_name(&function, names, args, node)?;
        let missing = |name: &str| wrong(format!("{function} lacks its argument {name}"), node);
        let data = args[0].ok_or_else(|| missing("DATA"))?;
        let Some(table) = table_of(data) else {
            return Err(wrong(format!("the first argument of {function} is TABLE t or a query"), data));
        };
        let input = self.table_argument(&table)?;
        if !table.order_by.is_empty() {
            return Err(wrong(format!("{function} takes no ORDER BY"), data));
        }
        let scope = Scope::of(None, input.fields.clone(), None);
        let mut partition = Vec::new();
        for expr in table.partition_by {
            let members = match &expr.kind {
                ExprKind::Row(members) => members.as_slice(),
                _ => std::slice::from_ref(expr),
            };
            for member in members {
                match ExprBinder::scalar(self, &scope).bind(member)? {
                    Expr::Column { index, .. } => partition.push(index),
                    _ => return Err(wrong("PARTITION BY of a window takes columns", member)),
                }
            }
        }
        if !partition.is_empty() && function != "SESSION" {
            return Err(wrong(
                format!("{function} takes no PARTITION BY; group by the columns instead"),
                data,
            ));
        }
        let time_column = self.descriptor(&function, args[1].ok_or_else(|| missing("TIMECOL"))?, &input)?;
        let mut millis = Vec::with_capacity(3);
        for (name, arg) in names[2..].iter().zip(&args[2..]) {
            millis.push(match (arg, *name) {
                (Some(ArgumentValue::Expr(arg)), _) => self.duration(arg, &scope)?,
                (Some(other), _) => {
                    return Err(wrong(format!("expected an INTERVAL of days or less, not {other}"), *other));
                }
                (None, "OFFSET") => 0,
                (None, name) => return Err(missing(name)),
            });
        }
        let kind = window_kind(&function, &millis, node)?;
        if !self.context.streaming && matches!(kind, WindowKind::Session { .. }) {
            return Err(wrong("SESSION windows are not supported in batch mode", node));
        }
        let field = &input.fields[time_column];
        let event_time = match field.time {
            Some(TimeAttribute::Processing) => false,
            Some(TimeAttribute::Event) => true,
            None if !self.context.streaming && field.ty.kind.is_timestamp() => true,
            None => {
                let message = format!(
                    "The window function requires the timecol is a time attribute type, but is {}: declare a WATERMARK for \
                     '{}'",
                    field.ty.kind, field.name
                );
                return Err(wrong(message, node));
            }
        };
        let zone = matches!(field.ty.kind, TypeKind::TimestampLtz(_))
            .then(|| self.context.time_zone.name().to_owned());
        let window = WindowSpec { kind, time_column, event_time, zone };
        let fields = windowed(&input.fields, &window);
        Ok(Rel::new(RelNode::WindowTvf { input: Box::new(input), window, partition }, fields))
    }

    /// The relation of a table argument.
    pub(super) fn table_argument(&self, data: &Data<'_>) -> Result<Rel> {
        match data.table {
            Ok(name) => Ok(self.named_relation(&name.parts(), &[], name)?.1),
            Err(query) => self.query(query, None),
        }
    }

    fn descriptor(&self, function: &str, arg: &ArgumentValue, input: &Rel) -> Result<usize> {
        let ArgumentValue::Descriptor(_, columns) = arg else {
            return Err(wrong(format!("the time column of {function} is given as DESCRIPTOR(column)"), arg));
        };
        let [column] = columns.as_slice() else {
            return Err(wrong(format!("DESCRIPTOR of {function} takes one column"), arg));
        };
        let found = input.fields.iter().position(|field| field.name == column.value);
        found.ok_or_else(|| wrong(format!("Unknown identifier '{}' in DESCRIPTOR", column.value), column))
    }

    /// A constant INTERVAL in milliseconds.
    fn duration(&self, ast: &Ast, scope: &Scope<'_>) -> Result<i64> {
        let expr = fold(ExprBinder::scalar(self, scope).bind(ast)?, self.context)?;
        match expr {
            Expr::Literal { value: Literal::Integer(millis), ty }
                if ty.kind == TypeKind::IntervalDaySecond =>
            {
                Ok(millis)
            }
            other => Err(wrong(
                format!("expected an INTERVAL of days or less, not a value of type {}", other.ty()),
                ast,
            )),
        }
    }
}

/// The columns after a window: the input's, then window_start, window_end, window_time. The window's time
/// becomes the time attribute.
pub(super) fn windowed(input: &[Field], window: &WindowSpec) -> Vec<Field> {
    let time_ty = input[window.time_column].ty.clone().with_nullable(false);
    let time = if window.event_time { TimeAttribute::Event } else { TimeAttribute::Processing };
    let mut fields: Vec<Field> = input.iter().map(|field| field.windowed(window)).collect();
    let bound = TypeKind::Timestamp(3).not_null();
    let start = Field { window: Some(WindowBound::Start), ..Field::new("window_start", bound.clone()) };
    let end = Field { window: Some(WindowBound::End), ..Field::new("window_end", bound) };
    let time = Field { window: Some(WindowBound::Time), ..Field::timed("window_time", time_ty, Some(time)) };
    fields.extend([start, end, time]);
    fields
}

/// A table argument: its name or query, and how it is partitioned and ordered.
pub(super) struct Data<'a> {
    table: Result<&'a ObjectName, &'a Query>,
    pub partition_by: &'a [Ast],
    pub order_by: &'a [OrderItem],
}

pub(super) fn table_of(arg: &ArgumentValue) -> Option<Data<'_>> {
    match arg {
        ArgumentValue::Table(table) => Some(Data {
            table: match &table.source {
                TableSource::Name(name) => Ok(name),
                TableSource::Query(query) => Err(query),
            },
            partition_by: &table.partition_by,
            order_by: &table.order_by,
        }),
        ArgumentValue::Expr(Ast { kind: ExprKind::Subquery(query), .. }) => {
            Some(Data { table: Err(query), partition_by: &[], order_by: &[] })
        }
        _ => None,
    }
}

/// Arguments in the order of the parameters, given by position or by name.
pub(super) fn by_name<'a>(
    function: &str,
    names: &[&str],
    args: &'a [Argument],
    node: &Relation,
) -> Result<Vec<Option<&'a ArgumentValue>>> {
    let mut found: Vec<Option<&ArgumentValue>> = vec![None; names.len()];
    for (position, arg) in args.iter().enumerate() {
        if let ArgumentValue::Star(_) = arg.value {
            return Err(wrong(format!("'*' is not an argument of {function}"), node));
        }
        let slot = match &arg.name {
            None => Some(position).filter(|position| *position < names.len()),
            Some(name) => names.iter().position(|known| name.value.eq_ignore_ascii_case(known)),
        };
        match slot {
            Some(slot) if found[slot].is_none() => found[slot] = Some(&arg.value),
            _ => {
                let message =
                    format!("{function} takes the arguments {}; '{arg}' is one too many", names.join(", "));
                return Err(wrong(message, node));
            }
        }
    }
    Ok(found)
}

fn window_kind(function: &str, millis: &[i64], node: &Relation) -> Result<WindowKind> {
    let refuse = |rule: &str, got: String| {
        Err(wrong(format!("{function} table function parameters must satisfy {rule}, but got {got}"), node))
    };
    match *millis {
        [size, offset] => {
            if size <= 0 {
                return refuse("size > 0", format!("size {size} ms"));
            }
            if offset.abs() >= size {
                return refuse("abs(offset) < size", format!("size {size} ms and offset {offset} ms."));
            }
            Ok(WindowKind::Tumble { size, offset })
        }
        [small, size, offset] if function == "HOP" => {
            if small <= 0 || size <= 0 {
                return refuse("slide > 0 and size > 0", format!("slide {small} ms and size {size} ms."));
            }
            if offset.abs() >= small.max(size) {
                return refuse("abs(offset) < size", format!("size {size} ms and offset {offset} ms."));
            }
            Ok(WindowKind::Hop { size, slide: small, offset })
        }
        [step, size, offset] => {
            if step <= 0 || size <= 0 {
                return refuse("maxSize > 0 and step > 0", format!("maxSize {size} ms and step {step} ms."));
            }
            if size % step != 0 {
                return refuse(
                    "maxSize must be an integral multiple of step",
                    format!("maxSize {size} ms and step {step} ms."),
                );
            }
            if offset.abs() >= size {
                return refuse("abs(offset) < maxSize", format!("maxSize {size} ms and offset {offset} ms."));
            }
            Ok(WindowKind::Cumulate { size, step, offset })
        }
        [gap] if gap > 0 => Ok(WindowKind::Session { gap }),
        _ => refuse("gap > 0", format!("{millis:?}")),
    }
}
