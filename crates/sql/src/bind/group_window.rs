//! The older form of windows: `GROUP BY TUMBLE(ts, INTERVAL '1' HOUR)` with TUMBLE_START and similar
//! functions in the select list. Bound as the window table function of the same kind, whose bounds are hidden
//! columns and become keys.

use flott_expr::fold;
use flott_plan::{Expr, Literal, WindowKind, WindowSpec};
use flott_sql_parser::ast::{Call, Expr as Ast, ExprKind, GroupItem};
use flott_types::{Result, TypeKind};

use super::expr::ExprBinder;
use super::window::windowed;
use super::{Binder, Scope, unsupported, wrong};
use crate::logical::{Rel, RelNode, TimeAttribute};

/// The call, if a key of GROUP BY is a window.
fn group_window(item: &GroupItem) -> Option<(String, &Call, &Ast)> {
    let GroupItem::Expr(ast) = item else { return None };
    let ExprKind::Call(call) = &ast.kind else { return None };
    let name = call.name.single()?.value.to_ascii_uppercase();
    matches!(name.as_str(), "TUMBLE" | "HOP" | "SESSION").then_some((name, call, ast))
}

/// Whether a key of GROUP BY is a window.
pub(super) fn is_group_window(item: &GroupItem) -> bool {
    group_window(item).is_some()
}

/// The window of GROUP BY.
#[derive(Clone, Debug)]
pub(crate) struct GroupWindow {
    /// The position of its window_start; window_end and window_time follow.
    pub first: usize,
    time_column: usize,
    kind: WindowKind,
    event_time: bool,
}

impl Binder<'_> {
    /// Adds window columns to the relation if GROUP BY has a window.
    pub(crate) fn group_window<'p>(
        &self,
        rel: Rel,
        mut scope: Scope<'p>,
        items: &[GroupItem],
    ) -> Result<(Rel, Scope<'p>)> {
        let mut windows = items.iter().filter_map(group_window);
        let Some((name, function, ast)) = windows.next() else { return Ok((rel, scope)) };
        if let Some((_, _, second)) = windows.next() {
            return Err(wrong("GROUP BY takes one window", second));
        }
        let binder = ExprBinder::scalar(self, &scope);
        let (time_column, kind) = binder.window_call(&name, function, ast)?;
        let field = &rel.fields[time_column];
        let event_time = match field.time {
            Some(TimeAttribute::Event) => true,
            Some(TimeAttribute::Processing) => false,
            None if !self.context.streaming && field.ty.kind.is_timestamp() => true,
            None => {
                return Err(wrong("Window aggregate can only be defined over a time attribute column", ast));
            }
        };
        // Sessions are per key: partitioned by the other keys of GROUP BY.
        let mut partition = Vec::new();
        if name == "SESSION" {
            for item in items.iter().filter(|item| !is_group_window(item)) {
                let key = match item {
                    GroupItem::Expr(ast) => Some(binder.bind(ast)?),
                    _ => None,
                };
                match key {
                    Some(Expr::Column { index, .. }) => partition.push(index),
                    _ => {
                        return Err(unsupported(
                            "GROUP BY SESSION(...) with a key that is not a plain column",
                            item,
                        ));
                    }
                }
            }
        }
        let zone = matches!(field.ty.kind, TypeKind::TimestampLtz(_))
            .then(|| self.context.time_zone.name().to_owned());
        let window = WindowSpec { kind: kind.clone(), time_column, event_time, zone };
        let first = rel.fields.len();
        let fields = windowed(&rel.fields, &window);
        let rel = Rel::new(RelNode::WindowTvf { input: Box::new(rel), window, partition }, fields);
        scope.fields.clone_from(&rel.fields);
        scope.group_window = Some(GroupWindow { first, time_column, kind, event_time });
        Ok((rel, scope))
    }
}

impl ExprBinder<'_, '_> {
    /// `TUMBLE_START(...)` and similar functions, in a SELECT that is grouped by a window.
    pub fn group_window_bound(&self, name: &str, ast: &Ast) -> Result<Option<Expr>> {
        let bound = ["TUMBLE_", "HOP_", "SESSION_"].iter().find_map(|window| name.strip_prefix(window));
        let place = match bound {
            Some("START") => 0,
            Some("END") => 1,
            Some("ROWTIME" | "PROCTIME") => 2,
            _ => return Ok(None),
        };
        let Some(group) = &self.scope.group_window else {
            return Err(wrong(format!("{name} needs its window in GROUP BY"), ast));
        };
        let window = name.split('_').next().unwrap_or_default();
        if let ExprKind::Call(call) = &ast.kind
            && self.window_call(window, call, ast)? != (group.time_column, group.kind.clone())
        {
            return Err(wrong(
                format!(
                    "Call to auxiliary group function '{name}' must have matching call to group function '${window}' in \
                     GROUP BY clause"
                ),
                ast,
            ));
        }
        let column = self.scope.column(group.first + place);
        if !self.binder.context.streaming {
            return Ok(Some(column));
        }
        match (bound, group.event_time) {
            (Some("ROWTIME"), false) => {
                Err(wrong("A proctime window cannot provide a rowtime attribute.", ast))
            }
            // A window of event time has no processing time.
            (Some("PROCTIME"), true) => {
                Ok(Some(Expr::literal(Literal::Null, column.ty().kind.clone().nullable())))
            }
            _ => Ok(Some(column)),
        }
    }

    /// The time column and the window of `TUMBLE(ts, INTERVAL ...)` and similar calls.
    fn window_call(&self, name: &str, function: &Call, ast: &Ast) -> Result<(usize, WindowKind)> {
        let (args, _) = self.arguments(name, function, ast)?;
        let Some((time, durations)) = args.split_first() else {
            return Err(wrong(format!("{name} takes a time attribute and INTERVALs"), ast));
        };
        let Expr::Column { index: time_column, .. } = self.bind(time)? else {
            return Err(wrong(
                format!("Window aggregate can only be defined over a time attribute column, in {name}"),
                *time,
            ));
        };
        let mut millis = Vec::with_capacity(2);
        for duration in durations {
            match fold(self.bind(duration)?, self.binder.context)? {
                Expr::Literal { value: Literal::Integer(value), ty }
                    if ty.kind == TypeKind::IntervalDaySecond && value > 0 =>
                {
                    millis.push(value);
                }
                other => {
                    return Err(wrong(
                        format!("expected an INTERVAL above 0, not {}", other.ty()),
                        *duration,
                    ));
                }
            }
        }
        let kind = match (name, millis.as_slice()) {
            ("TUMBLE", [size]) => WindowKind::Tumble { size: *size, offset: 0 },
            ("HOP", [slide, size]) => WindowKind::Hop { size: *size, slide: *slide, offset: 0 },
            ("SESSION", [gap]) => WindowKind::Session { gap: *gap },
            _ => return Err(wrong(format!("{name} takes a time attribute and its INTERVALs"), ast)),
        };
        Ok((time_column, kind))
    }
}
