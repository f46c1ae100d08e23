//! Relations that are known to have no rows, and what is counted of them.
//!
//! An aggregate without keys over a stream gives its first row with the first row of its input. Of an input that is known to have none Flink
//! computes the row when it plans, where it knows the functions: COUNT is 0, the others are NULL.

use flott_plan::{Expr, JoinKind, Literal};

use crate::bind::placeholder::conjuncts;
use crate::logical::{Call, Rel, RelNode};

/// Replaces aggregates over nothing by their row.
pub(super) fn settle(rel: Rel) -> Rel {
    let rel = rel.map_inputs(&mut settle);
    match &rel.node {
        RelNode::Aggregate { input, keys, calls } if keys.is_empty() && is_empty(input) => {
            match calls.iter().map(of_nothing).collect::<Option<Vec<Expr>>>() {
                Some(row) => Rel::new(RelNode::Values(vec![row]), rel.fields),
                None => rel,
            }
        }
        _ => rel,
    }
}

fn of_nothing(call: &Call) -> Option<Expr> {
    let value = match call.function.as_str() {
        "COUNT" | "SUM0" => Literal::Integer(0),
        "SUM" | "MIN" | "MAX" | "AVG" => Literal::Null,
        _ => return None,
    };
    Some(Expr::literal(value, call.ty.clone()))
}

/// Whether it can have no rows, whatever its tables have.
fn is_empty(rel: &Rel) -> bool {
    match &rel.node {
        RelNode::Values(rows) => rows.is_empty(),
        RelNode::Scan(scan) => scan.limit == Some(0),
        RelNode::Filter { input, condition } => never(condition) || is_empty(input),
        RelNode::TopN { input, from, to, .. } => to.is_some_and(|to| to < *from) || is_empty(input),
        RelNode::Aggregate { input, keys, .. } => !keys.is_empty() && is_empty(input),
        RelNode::Join { left, right, kind, condition } => {
            let never = condition.as_ref().is_some_and(never);
            match kind {
                JoinKind::Inner | JoinKind::Semi => never || is_empty(left) || is_empty(right),
                JoinKind::Left | JoinKind::Anti => is_empty(left),
                JoinKind::Right => is_empty(right),
                JoinKind::Full => is_empty(left) && is_empty(right),
            }
        }
        RelNode::TemporalJoin { left: input, .. }
        | RelNode::LookupJoin { left: input, .. }
        | RelNode::Project { input, .. }
        | RelNode::Watermark { input, .. }
        | RelNode::WindowTvf { input, .. }
        | RelNode::Unnest { input, .. }
        | RelNode::AsyncCall { input, .. }
        | RelNode::WindowAggregate { input, .. }
        | RelNode::Expand { input, .. }
        | RelNode::TemporalSort { input, .. }
        | RelNode::Match { input, .. }
        | RelNode::ToChangelog { input, .. }
        | RelNode::FromChangelog { input, .. }
        | RelNode::Over { input, .. } => is_empty(input),
        RelNode::Union(inputs) => inputs.iter().all(is_empty),
        // A function may give rows without any.
        RelNode::ProcessTable { .. } => false,
    }
}

/// Whether a condition is never TRUE.
fn never(condition: &Expr) -> bool {
    let tests = conjuncts(condition.clone());
    let constant =
        |test: &Expr| matches!(test, Expr::Literal { value: Literal::Boolean(false) | Literal::Null, .. });
    tests.iter().any(constant) || tests.iter().enumerate().any(|(at, test)| excludes(test, &tests[..at]))
}

/// Whether a test of a column with a constant excludes another of the same column: `a = 1 AND a = 2`, `a > 1 AND a < 1`.
fn excludes(test: &Expr, others: &[Expr]) -> bool {
    let Some((column, range)) = range_of(test) else { return false };
    let same = others.iter().filter_map(range_of).filter(|(other, _)| *other == column);
    same.into_iter().any(|(_, other)| range.excludes(&other))
}

/// The values of a column for which a comparison with a constant holds.
enum Range<'a> {
    /// One value.
    Is(&'a Literal),
    /// Whole numbers, both ends included.
    Between(i64, i64),
    Null,
}

impl Range<'_> {
    fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Range::Null, Range::Null) => false,
            (Range::Null, _) | (_, Range::Null) => true,
            (Range::Is(a), Range::Is(b)) => a != b,
            (Range::Is(a), Range::Between(low, high)) | (Range::Between(low, high), Range::Is(a)) => {
                matches!(a, Literal::Integer(a) if a < low || a > high)
            }
            (Range::Between(low, high), Range::Between(other_low, other_high)) => {
                low.max(other_low) > high.min(other_high)
            }
        }
    }
}

fn range_of(test: &Expr) -> Option<(usize, Range<'_>)> {
    let Expr::Call { function, args, .. } = test else { return None };
    match (function.as_str(), args.as_slice()) {
        ("IS NULL", [Expr::Column { index, .. }]) => Some((*index, Range::Null)),
        (compare, [Expr::Column { index, .. }, Expr::Literal { value, ty }]) => {
            let number = match value {
                Literal::Integer(number) if ty.kind.is_integer() => Some(*number),
                _ => None,
            };
            let range = match (compare, number) {
                ("=", _) if *value != Literal::Null => Range::Is(value),
                ("<", Some(number)) => Range::Between(i64::MIN, number.checked_sub(1)?),
                ("<=", Some(number)) => Range::Between(i64::MIN, number),
                (">", Some(number)) => Range::Between(number.checked_add(1)?, i64::MAX),
                (">=", Some(number)) => Range::Between(number, i64::MAX),
                _ => return None,
            };
            Some((*index, range))
        }
        _ => None,
    }
}
