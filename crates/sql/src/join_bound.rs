//! Joins whose condition bounds the distance in event time of matching rows.
//!
//! * Interval joins: `r.ts BETWEEN l.ts - a AND l.ts + b` over event-time attributes of both sides, in any
//!   form that bounds their difference from below and above; `=` does both.
//! * Window joins: both sides have the same windows, and their starts and ends are equal.

use flott_plan::{Expr, JoinBound, JoinKind, Literal};
use flott_types::TypeKind;

use crate::bind::placeholder::conjuncts;
use crate::logical::{Rel, TimeAttribute, WindowBound};
use crate::optimize::window_of;

/// The bound of a join with this condition, over left columns, then right columns. Semi and anti joins within
/// an interval are regular joins, as in Flink.
pub(crate) fn of(left: &Rel, right: &Rel, kind: JoinKind, condition: Option<&Expr>) -> Option<JoinBound> {
    let operands: Vec<Expr> = conjuncts(condition?.clone());
    let joins = !matches!(kind, JoinKind::Semi | JoinKind::Anti);
    windows(left, right, &operands).or_else(|| interval(left, right, &operands).filter(|_| joins))
}

/// `l.window_start = r.window_start AND l.window_end = r.window_end`
fn windows(left: &Rel, right: &Rel, operands: &[Expr]) -> Option<JoinBound> {
    let width = left.fields.len();
    let equal = |bound: WindowBound| {
        operands.iter().find_map(|operand| {
            let (a, b) = columns_of(operand, &["="])?;
            let (a, b) = if a < b { (a, b) } else { (b, a) };
            let is = |rel: &Rel, column: usize| rel.fields.get(column)?.window.filter(|own| *own == bound);
            (a < width && b >= width && is(left, a).is_some() && is(right, b - width).is_some())
                .then(|| (a, b - width))
        })
    };
    equal(WindowBound::Start)?;
    let (left_time, right_time) = equal(WindowBound::End)?;
    let (l, r) = (window_of(left)?, window_of(right)?);
    if l.kind != r.kind || !l.ends_in_event_time() || !r.ends_in_event_time() {
        return None;
    }
    Some(JoinBound { left_time, right_time, lower: 0, upper: 0, windows: true })
}

fn interval(left: &Rel, right: &Rel, operands: &[Expr]) -> Option<JoinBound> {
    let is_event = |rel: &Rel, column: usize| rel.fields[column].time == Some(TimeAttribute::Event);
    let found = distance(operands, left.fields.len(), |a, b| is_event(left, a) && is_event(right, b))?;
    Some(JoinBound {
        left_time: found.left,
        right_time: found.right,
        lower: found.lower,
        upper: found.upper,
        windows: false,
    })
}

/// How far a time of the right side is from one of the left, at least and at most, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Distance {
    pub left: usize,
    pub right: usize,
    pub lower: i64,
    pub upper: i64,
}

/// The distance between the first pair of times (a column of the left, one of the right) that is accepted, as far as
/// these conditions bound it from below and above. The left has `width` columns.
pub(crate) fn distance(
    operands: &[Expr],
    width: usize,
    accepts: impl Fn(usize, usize) -> bool,
) -> Option<Distance> {
    // right time - left time, for one pair of columns.
    let mut found: Option<(usize, usize)> = None;
    let (mut lower, mut upper) = (None, None);
    for operand in operands {
        let Expr::Call { function, args, .. } = operand else { continue };
        let [a, b] = args.as_slice() else { continue };
        let (Some((a, plus_a)), Some((b, plus_b))) = (shifted(a), shifted(b)) else { continue };
        // a + plus_a <op> b + plus_b, turned around so that b is a column of the right side.
        let (a, b, distance, op) = match (a < width, b < width) {
            (true, false) => (a, b - width, plus_a.checked_sub(plus_b)?, function.as_str()),
            (false, true) => (b, a - width, plus_b.checked_sub(plus_a)?, turned(function)?),
            _ => continue,
        };
        if !accepts(a, b) || found.is_some_and(|pair| pair != (a, b)) {
            continue;
        }
        // left <op> right - distance... : right - left >= distance for left <= right.
        let (low, high) = match op {
            "=" => (Some(distance), Some(distance)),
            "<=" => (Some(distance), None),
            "<" => (Some(distance.checked_add(1)?), None),
            ">=" => (None, Some(distance)),
            ">" => (None, Some(distance.checked_sub(1)?)),
            _ => continue,
        };
        found = Some((a, b));
        lower = lower.max(low);
        upper = match (upper, high) {
            (Some(a), Some(b)) => Some(std::cmp::min::<i64>(a, b)),
            (a, b) => a.or(b),
        };
    }
    let (left, right) = found?;
    Some(Distance { left, right, lower: lower?, upper: upper? })
}

fn turned(op: &str) -> Option<&'static str> {
    Some(match op {
        "=" => "=",
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        _ => return None,
    })
}

/// The columns, if the expression compares two columns.
fn columns_of(expr: &Expr, operators: &[&str]) -> Option<(usize, usize)> {
    match expr {
        Expr::Call { function, args, .. } if operators.contains(&function.as_str()) => {
            match args.as_slice() {
                [Expr::Column { index: a, .. }, Expr::Column { index: b, .. }] => Some((*a, *b)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A column, plus or minus constant intervals (milliseconds).
fn shifted(expr: &Expr) -> Option<(usize, i64)> {
    match expr {
        Expr::Column { index, .. } => Some((*index, 0)),
        Expr::Call { function, args, .. } => match (function.as_str(), args.as_slice()) {
            ("+", [base, by]) => {
                let ((column, plus), by) = (shifted(base)?, millis(by)?);
                Some((column, plus.checked_add(by)?))
            }
            ("-", [base, by]) => {
                let ((column, plus), by) = (shifted(base)?, millis(by)?);
                Some((column, plus.checked_sub(by)?))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A constant interval of days to seconds.
fn millis(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal { value: Literal::Integer(value), ty }
            if matches!(ty.kind, TypeKind::IntervalDaySecond) =>
        {
            Some(*value)
        }
        _ => None,
    }
}
