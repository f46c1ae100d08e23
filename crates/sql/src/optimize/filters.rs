//! Filters move towards the sources and into the conditions of joins. They stop at watermarks (a dropped row
//! would not advance event time), aggregations, Top-N, OVER and window table functions.

use flott_expr::{Determinism, Functions};
use flott_plan::{Expr, JoinKind};

use crate::bind::placeholder::{conjunction, conjuncts, substitute};
use crate::disjunction::{factored, implied};
use crate::logical::{Rel, RelNode};
use crate::plan::limits::{MAX_MERGED_HEIGHT, MAX_MERGED_SIZE};

pub(super) fn push_down(rel: Rel, functions: &Functions) -> Rel {
    push(rel, Vec::new(), functions)
}

/// The relation with these conditions over its columns, applied as low as possible.
fn push(rel: Rel, mut conditions: Vec<Expr>, functions: &Functions) -> Rel {
    let Rel { node, fields } = rel;
    match node {
        RelNode::Filter { input, condition } => {
            let mut all = factored(condition, functions);
            all.append(&mut conditions);
            push(*input, all, functions)
        }
        RelNode::Project { input, exprs } => {
            let (through, stay): (Vec<Expr>, Vec<Expr>) = conditions.into_iter().partition(|condition| {
                let mut columns = Vec::new();
                condition.collect_columns(&mut columns);
                columns.iter().all(|column| is_deterministic(&exprs[*column], functions))
                    && stays_small(condition, &columns, &exprs)
            });
            let through = through.into_iter().map(|condition| substitute(condition, &exprs)).collect();
            let input = Box::new(push(*input, through, functions));
            keep(Rel::new(RelNode::Project { input, exprs }, fields), stay)
        }
        RelNode::Union(inputs) => {
            let inputs = inputs.into_iter().map(|input| push(input, conditions.clone(), functions)).collect();
            Rel::new(RelNode::Union(inputs), fields)
        }
        RelNode::Unnest { input, collection, ordinality, keep_empty, condition } => {
            let width = input.fields.len();
            let (below, stay) =
                conditions.into_iter().partition(|condition| side(condition, width, functions) == Side::Left);
            let input = Box::new(push(*input, below, functions));
            keep(
                Rel::new(RelNode::Unnest { input, collection, ordinality, keep_empty, condition }, fields),
                stay,
            )
        }
        RelNode::AsyncCall { input, function, args, table, kind } => {
            let width = input.fields.len();
            let (below, stay) =
                conditions.into_iter().partition(|condition| side(condition, width, functions) == Side::Left);
            let input = Box::new(push(*input, below, functions));
            keep(Rel::new(RelNode::AsyncCall { input, function, args, table, kind }, fields), stay)
        }
        RelNode::Join { left, right, kind, condition } => {
            let join = Rel::new(RelNode::Join { left, right, kind, condition }, fields);
            push_into_join(join, conditions, functions)
        }
        RelNode::LookupJoin { left, right, kind, condition, hint } => {
            let width = left.fields.len();
            // Conditions on the left side alone save lookups; the rest applies to what was found.
            let (mut below, above): (Vec<Expr>, Vec<Expr>) =
                conditions.into_iter().partition(|condition| side(condition, width, functions) == Side::Left);
            let on = condition.into_iter().flat_map(conjuncts);
            let (on, stay) = match kind {
                JoinKind::Inner => {
                    let (of_left, mut on): (Vec<Expr>, Vec<Expr>) =
                        on.partition(|condition| side(condition, width, functions) == Side::Left);
                    below.extend(of_left);
                    on.extend(above);
                    (on, Vec::new())
                }
                _ => (on.collect(), above),
            };
            let left = Box::new(push(*left, below, functions));
            let condition = conjunction(on);
            keep(Rel::new(RelNode::LookupJoin { left, right, kind, condition, hint }, fields), stay)
        }
        node => {
            let rel = Rel::new(node, fields).map_inputs(&mut |input| push_down(input, functions));
            keep(rel, conditions)
        }
    }
}

/// Whether a condition stays reasonably small when the columns that it reads are replaced by expressions.
fn stays_small(condition: &Expr, reads: &[usize], exprs: &[Expr]) -> bool {
    let height = reads.iter().map(|column| exprs[*column].height()).max().unwrap_or(0);
    let size: usize = reads.iter().map(|column| exprs[*column].size()).sum();
    let plain =
        reads.iter().all(|column| matches!(exprs[*column], Expr::Column { .. } | Expr::Literal { .. }));
    plain || (condition.height() + height <= MAX_MERGED_HEIGHT && condition.size() + size <= MAX_MERGED_SIZE)
}

fn push_into_join(rel: Rel, conditions: Vec<Expr>, functions: &Functions) -> Rel {
    let Rel { node: RelNode::Join { left, right, kind, condition }, fields } = rel else {
        return keep(rel, conditions);
    };
    let width = left.fields.len();
    let mut to_left = Vec::new();
    let mut to_right = Vec::new();
    let mut on = Vec::new();
    let mut stay = Vec::new();
    // Conditions from above the join.
    for condition in conditions {
        match side(&condition, width, functions) {
            Side::Left if !matches!(kind, JoinKind::Right | JoinKind::Full) => to_left.push(condition),
            Side::Right if matches!(kind, JoinKind::Inner | JoinKind::Right) => to_right.push(condition),
            _ if kind == JoinKind::Inner => on.push(condition),
            _ => stay.push(condition),
        }
    }
    // Conditions in ON: a condition on one side alone may filter that side, unless its rows must appear
    // anyway.
    for condition in condition.into_iter().flat_map(|condition| factored(condition, functions)) {
        match side(&condition, width, functions) {
            Side::Left if matches!(kind, JoinKind::Inner | JoinKind::Right | JoinKind::Semi) => {
                to_left.push(condition)
            }
            Side::Right if !matches!(kind, JoinKind::Right | JoinKind::Full) => to_right.push(condition),
            _ => on.push(condition),
        }
    }
    // What an OR over both sides implies for one side.
    if kind == JoinKind::Inner {
        for condition in &on {
            to_left.extend(implied(condition, |part| side(part, width, functions) == Side::Left));
            to_right.extend(implied(condition, |part| side(part, width, functions) == Side::Right));
        }
    }
    let to_right = to_right.into_iter().map(|condition| shift_back(condition, width)).collect();
    let left = Box::new(push(*left, to_left, functions));
    let right = Box::new(push(*right, to_right, functions));
    keep(Rel::new(RelNode::Join { left, right, kind, condition: conjunction(on) }, fields), stay)
}

#[derive(PartialEq)]
enum Side {
    Left,
    Right,
    Both,
}

fn side(condition: &Expr, width: usize, functions: &Functions) -> Side {
    let mut columns = Vec::new();
    condition.collect_columns(&mut columns);
    if columns.is_empty() || !is_deterministic(condition, functions) {
        Side::Both
    } else if columns.iter().all(|column| *column < width) {
        Side::Left
    } else if columns.iter().all(|column| *column >= width) {
        Side::Right
    } else {
        Side::Both
    }
}

fn shift_back(condition: Expr, width: usize) -> Expr {
    condition.transform(&mut |node| match node {
        Expr::Column { index, ty } => Expr::Column { index: index - width, ty },
        other => other,
    })
}

fn keep(rel: Rel, conditions: Vec<Expr>) -> Rel {
    match conjunction(conditions) {
        Some(condition) => rel.filter(condition),
        None => rel,
    }
}

/// Whether computing the expression twice gives the same value.
pub(crate) fn is_deterministic(expr: &Expr, functions: &Functions) -> bool {
    let here = match expr {
        Expr::Call { function, .. } => {
            functions.get(function).is_none_or(|function| function.determinism() == Determinism::Always)
        }
        _ => true,
    };
    here && expr.children().into_iter().all(|child| is_deterministic(child, functions))
}
