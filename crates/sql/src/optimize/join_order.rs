//! The order of inner joins.
//!
//! `FROM a, b, c WHERE a.x = c.x AND c.y = b.y`, read from left to right, joins all of `a` with all of `b`.
//! So inner joins are decomposed into their relations and conditions, and reassembled such that each relation
//! is added when an equality links it to those before. Sizes are not known here, so otherwise the order is
//! that of FROM, with one exception: in a batch query, relations with a filter of their own come first,
//! because the rows that pass it are carried through all later joins.
//!
//! In a stream, an order without cross products is left as written, because the state of its joins is
//! identified by what they join. Joins that compare times or windows are left too, because they are interval
//! or window joins only between the relations between which they are written.

use flott_expr::PlanContext;
use flott_plan::{Expr, JoinKind};

use super::filters::is_deterministic;
use crate::bind::placeholder::{conjunction, conjuncts, shift};
use crate::logical::{Rel, RelNode};

pub(super) fn order_joins(rel: Rel, context: &PlanContext) -> Rel {
    if !is_inner(&rel) {
        return rel.map_inputs(&mut |input| order_joins(input, context));
    }
    let rel = inputs_only(rel, context);
    let crosses = cross_products(&rel);
    let filters_first = !context.streaming;
    if (crosses == 0 && !filters_first) || compares_times(&rel) {
        return rel;
    }
    let mut joins = Joins { filters_first, ..Joins::default() };
    let fields = rel.fields.clone();
    joins.decompose(rel.clone(), context);
    let (ordered, left_over) = joins.reassemble();
    let as_written = ordered.columns.iter().copied().eq(0..fields.len());
    if left_over > crosses || (left_over == crosses && !filters_first) || as_written {
        return rel;
    }
    let mut places = vec![0; fields.len()];
    for (place, column) in ordered.columns.iter().enumerate() {
        places[*column] = place;
    }
    let names = fields.iter().map(|field| field.name.clone());
    let columns = places.into_iter().map(|place| ordered.rel.column(place)).zip(names).collect();
    Rel { fields, ..ordered.rel.project(columns) }
}

/// Leaves the joins as they are, and optimises their inputs.
fn inputs_only(rel: Rel, context: &PlanContext) -> Rel {
    rel.map_inputs(&mut |input| match is_inner(&input) {
        true => inputs_only(input, context),
        false => order_joins(input, context),
    })
}

fn is_inner(rel: &Rel) -> bool {
    matches!(rel.node, RelNode::Join { kind: JoinKind::Inner, .. })
}

/// Whether a relation has a filter of its own.
fn is_filtered(rel: &Rel) -> bool {
    match &rel.node {
        RelNode::Filter { .. } | RelNode::Join { kind: JoinKind::Semi, .. } => true,
        RelNode::Project { input, .. } => is_filtered(input),
        _ => false,
    }
}

/// How many of these inner joins have no equality between their sides.
fn cross_products(rel: &Rel) -> usize {
    let RelNode::Join { left, right, kind: JoinKind::Inner, condition } = &rel.node else { return 0 };
    let width = left.fields.len();
    let linked = condition.iter().flat_map(|condition| conjuncts(condition.clone())).any(|condition| {
        sides(&condition).is_some_and(|(a, b)| {
            let left_only = |columns: &[usize]| columns.iter().all(|column| *column < width);
            let right_only = |columns: &[usize]| columns.iter().all(|column| *column >= width);
            (left_only(&a) && right_only(&b)) || (left_only(&b) && right_only(&a))
        })
    });
    usize::from(!linked) + cross_products(left) + cross_products(right)
}

/// Whether a condition of these inner joins reads a time attribute or the bound of a window.
fn compares_times(rel: &Rel) -> bool {
    let RelNode::Join { left, right, kind: JoinKind::Inner, condition } = &rel.node else { return false };
    let mut columns = Vec::new();
    condition.iter().for_each(|condition| condition.collect_columns(&mut columns));
    let field = |column: usize| left.fields.iter().chain(&right.fields).nth(column);
    columns.into_iter().filter_map(field).any(|field| field.time.is_some() || field.window.is_some())
        || compares_times(left)
        || compares_times(right)
}

/// The columns that the two sides of an equality read, if both read any.
fn sides(condition: &Expr) -> Option<(Vec<usize>, Vec<usize>)> {
    let Expr::Call { function, args, .. } = condition else { return None };
    if !matches!(function.as_str(), "=" | "IS NOT DISTINCT FROM") {
        return None;
    }
    let [a, b] = args.as_slice() else { return None };
    if a.ty().kind != b.ty().kind {
        return None;
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    a.collect_columns(&mut left);
    b.collect_columns(&mut right);
    (!left.is_empty() && !right.is_empty()).then_some((left, right))
}

/// A relation, and the positions of its columns among the columns of all relations.
struct Part {
    rel: Rel,
    columns: Vec<usize>,
}

struct Condition {
    expr: Expr,
    /// The columns that it reads, among those of all relations.
    reads: Vec<usize>,
    /// The sides, if it is an equality.
    sides: Option<(Vec<usize>, Vec<usize>)>,
    /// Whether it must be applied at the very top, whatever it reads.
    last: bool,
}

/// Inner joins, decomposed.
#[derive(Default)]
struct Joins {
    parts: Vec<Part>,
    conditions: Vec<Condition>,
    width: usize,
    filters_first: bool,
}

impl Joins {
    fn decompose(&mut self, rel: Rel, context: &PlanContext) {
        let first = self.width;
        match rel.node {
            RelNode::Join { left, right, kind: JoinKind::Inner, condition } => {
                self.decompose(*left, context);
                self.decompose(*right, context);
                for expr in condition.into_iter().flat_map(conjuncts) {
                    let last = !is_deterministic(&expr, &context.functions);
                    let expr = shift(expr, first);
                    let mut reads = Vec::new();
                    expr.collect_columns(&mut reads);
                    let sides = sides(&expr);
                    self.conditions.push(Condition { last: last || reads.is_empty(), reads, sides, expr });
                }
            }
            node => {
                self.width += rel.fields.len();
                let rel = Rel::new(node, rel.fields);
                self.parts.push(Part { rel, columns: (first..self.width).collect() });
            }
        }
    }

    /// Reassembles the joins; returns how many cross products that takes.
    fn reassemble(mut self) -> (Part, usize) {
        let mut islands: Vec<Part> = Vec::new();
        let mut parts = std::mem::take(&mut self.parts);
        while !parts.is_empty() {
            let mut island = parts.remove(0);
            while let Some(next) = self.next(&island, &parts) {
                island = self.join(island, parts.remove(next));
            }
            islands.push(island);
        }
        // An equality may read several relations on one side, so islands can be linked to each other.
        let mut crosses = 0;
        let mut all = islands.remove(0);
        while !islands.is_empty() {
            let linked = islands.iter().position(|island| self.linked(&all, island));
            crosses += usize::from(linked.is_none());
            all = self.join(all, islands.remove(linked.unwrap_or(0)));
        }
        (all, crosses)
    }

    /// Which part to join next to the parts already joined.
    fn next(&self, there: &Part, parts: &[Part]) -> Option<usize> {
        let filtered = |part: &&(usize, &Part)| self.filters_first && is_filtered(&part.1.rel);
        let linked: Vec<(usize, &Part)> =
            parts.iter().enumerate().filter(|(_, part)| self.linked(there, part)).collect();
        linked.iter().find(filtered).or(linked.first()).map(|(next, _)| *next)
    }

    fn linked(&self, left: &Part, right: &Part) -> bool {
        let within =
            |columns: &[usize], part: &Part| columns.iter().all(|column| part.columns.contains(column));
        self.conditions.iter().filter(|condition| !condition.last).any(|condition| {
            condition.sides.as_ref().is_some_and(|(a, b)| {
                (within(a, left) && within(b, right)) || (within(b, left) && within(a, right))
            })
        })
    }

    /// Joins two parts under all conditions that can be evaluated then.
    fn join(&mut self, left: Part, right: Part) -> Part {
        let mut columns = left.columns;
        columns.extend(right.columns);
        let all = columns.len() == self.width;
        let mut places = vec![None; self.width];
        for (place, column) in columns.iter().enumerate() {
            places[*column] = Some(place);
        }
        let (now, later) =
            std::mem::take(&mut self.conditions).into_iter().partition(|condition: &Condition| {
                all || (!condition.last && condition.reads.iter().all(|column| places[*column].is_some()))
            });
        self.conditions = later;
        let placed = now.into_iter().map(|condition: Condition| {
            condition.expr.transform(&mut |node| match node {
                Expr::Column { index, ty } => Expr::Column { index: places[index].unwrap_or(index), ty },
                other => other,
            })
        });
        let condition = conjunction(placed.collect::<Vec<_>>());
        Part { rel: left.rel.join(right.rel, JoinKind::Inner, condition), columns }
    }
}
