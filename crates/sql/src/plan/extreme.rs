//! A join of rows with the largest or smallest value of windows over the same rows: most rows certainly do not have it,
//! and need not be exchanged and kept.
//!
//! What must hold, so that a subtask can tell from the rows that it has seen (`OperatorSpec::LocalWindowExtreme`):
//!
//! * the join is an inner one, and its rows only append;
//! * a key of it compares a column of the rows with MAX or MIN of the same column, over windows without further keys;
//! * the condition says how far the end of the window is from the time of the row;
//! * all rows that are joined are among those that are aggregated: both sides come from one operator, whose rows and
//!   watermarks they see in the same order, and the filters of the windows' side are among those of the rows' side.

use flott_expr::Functions;
use flott_plan::{
    AggregatePhase, Edge, Expr, JoinKind, Lineage, Node, NodeId, OperatorSpec, StreamGraph, WindowExtreme,
    WindowKind, WindowSpec, Wishes,
};
use flott_types::{OperatorUid, TypeKind};

use crate::bind::placeholder::conjuncts;
use crate::changelog::Mode;
use crate::join_bound::distance;
use crate::optimize::is_deterministic;

/// A row that belongs to more windows is not looked at.
const WINDOWS: i64 = 64;

/// Drops rows before joins with extremes. `modes` are those of the nodes.
pub(super) fn drop_others(graph: &mut StreamGraph, functions: &Functions, modes: &mut Vec<Mode>) {
    let found = graph.edges.iter().enumerate().filter_map(|(at, edge)| {
        let spec = extreme(graph, functions, edge)?;
        Some((at, spec))
    });
    for (edge, spec) in found.collect::<Vec<_>>() {
        if let Some(at) = put_on(graph, edge, spec) {
            modes.insert(at.0 as usize, Mode::Rows { updates: false, before: false, deletes: false });
        }
    }
}

fn put_on(graph: &mut StreamGraph, edge: usize, spec: WindowExtreme) -> Option<NodeId> {
    let (from, to, input) = graph.edges.get(edge).map(|edge| (edge.from, edge.to, edge.input))?;
    let (sender, join) = (graph.nodes.get(from.0 as usize)?, graph.nodes.get(to.0 as usize)?);
    let uid = format!("LocalWindowExtreme-{input}-{}", join.uid.0);
    let function = if spec.smallest { "MIN" } else { "MAX" };
    let value = &sender.schema.columns.get(spec.value)?.name;
    let node = Node {
        name: format!("LocalWindowExtreme(select=[{function}({value})])"),
        lineage: Lineage { whole: uid.clone(), columns: Vec::new() },
        uid: OperatorUid(uid),
        spec: OperatorSpec::LocalWindowExtreme(spec),
        schema: sender.schema.clone(),
        parallelism: sender.parallelism,
        wishes: Wishes::default(),
    };
    graph.insert(edge, node)
}

/// What the rows of an edge are to have to be joined at all.
fn extreme(graph: &StreamGraph, functions: &Functions, edge: &Edge) -> Option<WindowExtreme> {
    let OperatorSpec::Join {
        kind: JoinKind::Inner,
        left_keys,
        right_keys,
        null_safe,
        condition: Some(condition),
        rows,
        ..
    } = &node(graph, edge.to)?.spec
    else {
        return None;
    };
    let own = edge.input;
    if edge.tag.is_some() || !rows.get(own)?.only_appends() {
        return None;
    }
    let other = input_of(graph, edge.to, 1 - own)?;
    let width = node(graph, input_of(graph, edge.to, 0)?)?.schema.len();
    let keys = [left_keys, right_keys];
    let operands = conjuncts(condition.clone());
    let pairs = keys[own].iter().zip(keys[1 - own]).zip(null_safe);
    let mut pairs = pairs.filter(|(_, null_safe)| !**null_safe).map(|(pair, _)| pair);
    pairs.find_map(|(value, extreme)| {
        let windows = Windows::of(graph, other, *extreme)?;
        // Times of the rows and ends of the windows are on either side.
        let is_end = |column: usize| windows.bound(graph, other, column).is_some();
        let found = distance(&operands, width, |left, right| {
            let [rows, windows] = if own == 0 { [left, right] } else { [right, left] };
            is_timestamp(graph, edge.from, rows) && is_end(windows)
        })?;
        let (time, end, after) = match own {
            0 => (found.left, found.right, [found.lower, found.upper]),
            _ => (found.right, found.left, [found.upper.checked_neg()?, found.lower.checked_neg()?]),
        };
        let to_end = windows.bound(graph, other, end)?;
        let ends = [after[0].checked_add(to_end)?, after[1].checked_add(to_end)?];
        let rows = Origin::of(graph, functions, edge.from, &[*value, time])?;
        let aggregated = Origin::of(graph, functions, windows.input, &windows.reads())?;
        let spec = WindowSpec { time_column: time, ..windows.window.clone() };
        rows.is_among(&aggregated).then_some(WindowExtreme {
            value: *value,
            smallest: windows.smallest,
            window: spec,
            ends,
        })
    })
}

/// MAX or MIN over windows.
struct Windows<'g> {
    window: &'g WindowSpec,
    smallest: bool,
    value: usize,
    /// The aggregation, and what its rows come from.
    aggregation: NodeId,
    input: NodeId,
    /// How many columns precede the bounds of the window.
    results: usize,
    bounds: [bool; 3],
}

impl<'g> Windows<'g> {
    /// The aggregation that computes a column.
    fn of(graph: &'g StreamGraph, id: NodeId, column: usize) -> Option<Self> {
        let (aggregation, column) = place(graph, id, column)?;
        let spec = |id: NodeId| match &node(graph, id)?.spec {
            OperatorSpec::WindowAggregate {
                window,
                keys,
                aggregates,
                phase,
                attached: None,
                window_columns,
                input_updates: false,
            } if keys.is_empty() => Some((window, aggregates, *phase, *window_columns)),
            _ => None,
        };
        let (window, aggregates, phase, bounds) = spec(aggregation)?;
        let call = aggregates.get(column)?;
        let plain = call.filter.is_none() && matches!(call.function.as_str(), "MAX" | "MIN");
        let few = match window.kind {
            WindowKind::Tumble { .. } => true,
            WindowKind::Hop { size, slide, .. } => size / slide.max(1) < WINDOWS && slide <= size,
            WindowKind::Cumulate { size, step, .. } => size / step.max(1) < WINDOWS,
            WindowKind::Session { .. } => false,
        };
        let [value] = call.args.as_slice() else { return None };
        let exact = matches!(
            call.arg_types.first()?.kind,
            TypeKind::TinyInt | TypeKind::SmallInt | TypeKind::Int | TypeKind::BigInt | TypeKind::Decimal(..)
        );
        if !(plain && few && exact && window.ends_in_event_time() && window.zone.is_none()) {
            return None;
        }
        let mut input = input_of(graph, aggregation, 0)?;
        if phase == AggregatePhase::Global {
            input = input_of(graph, input, 0)?;
        }
        let smallest = call.function == "MIN";
        let results = aggregates.len();
        Some(Windows { window, smallest, value: *value, aggregation, input, results, bounds })
    }

    fn reads(&self) -> [usize; 2] {
        [self.value, self.window.time_column]
    }

    /// How long after the time in a column of `id` the window ends, if that is a bound of it.
    fn bound(&self, graph: &StreamGraph, id: NodeId, column: usize) -> Option<i64> {
        let (aggregation, column) = place(graph, id, column)?;
        let at = column.checked_sub(self.results).filter(|_| aggregation == self.aggregation)?;
        let bound = (0..3).filter(|bound| self.bounds[*bound]).nth(at)?;
        match (bound, &self.window.kind) {
            (0, WindowKind::Tumble { size, .. } | WindowKind::Hop { size, .. }) => Some(*size),
            (1, _) => Some(0),
            (2, _) => Some(1),
            _ => None,
        }
    }
}

/// Where some columns come from: an operator, its columns, and which of its rows are left.
struct Origin {
    node: NodeId,
    columns: Vec<usize>,
    conditions: Vec<Expr>,
}

impl Origin {
    fn of(graph: &StreamGraph, functions: &Functions, mut id: NodeId, columns: &[usize]) -> Option<Self> {
        let mut columns = columns.to_vec();
        let mut conditions: Vec<Expr> = Vec::new();
        while let OperatorSpec::Calc { condition, projection } = &node(graph, id)?.spec {
            let through = |column: &mut usize| match projection.get(*column) {
                Some(Expr::Column { index, .. }) => {
                    *column = *index;
                    true
                }
                _ => false,
            };
            if !columns.iter_mut().all(through) {
                return None;
            }
            for condition in &mut conditions {
                *condition = moved(condition, projection)?;
            }
            conditions.extend(condition.iter().cloned().flat_map(conjuncts));
            id = input_of(graph, id, 0)?;
        }
        let stable = conditions.iter().all(|condition| is_deterministic(condition, functions));
        stable.then_some(Origin { node: id, columns, conditions })
    }

    /// Whether these rows are among the others, with the same columns.
    fn is_among(&self, others: &Origin) -> bool {
        self.node == others.node
            && self.columns == others.columns
            && others.conditions.iter().all(|condition| self.conditions.contains(condition))
    }
}

/// A condition over the output of a projection that only moves the columns it reads, over the input.
fn moved(condition: &Expr, projection: &[Expr]) -> Option<Expr> {
    let mut reads = Vec::new();
    condition.collect_columns(&mut reads);
    let plain = |column: &usize| matches!(projection.get(*column), Some(Expr::Column { .. }));
    reads.iter().all(plain).then(|| crate::bind::placeholder::substitute(condition.clone(), projection))
}

/// The operator below projections that computes a column, and which of its columns it is. What filters leave is among
/// what it computes.
fn place(graph: &StreamGraph, mut id: NodeId, mut column: usize) -> Option<(NodeId, usize)> {
    while let OperatorSpec::Calc { projection, .. } = &node(graph, id)?.spec {
        let Some(Expr::Column { index, .. }) = projection.get(column) else { return None };
        column = *index;
        id = input_of(graph, id, 0)?;
    }
    Some((id, column))
}

fn is_timestamp(graph: &StreamGraph, id: NodeId, column: usize) -> bool {
    let ty = node(graph, id).and_then(|node| node.schema.columns.get(column)).map(|column| &column.ty);
    ty.is_some_and(|ty| matches!(ty.kind, TypeKind::Timestamp(3)))
}

fn node(graph: &StreamGraph, id: NodeId) -> Option<&Node> {
    graph.nodes.get(id.0 as usize)
}

fn input_of(graph: &StreamGraph, id: NodeId, input: usize) -> Option<NodeId> {
    let is = |edge: &&Edge| edge.to == id && edge.input == input && edge.tag.is_none();
    graph.edges.iter().find(is).map(|edge| edge.from)
}
