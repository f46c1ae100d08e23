//! `ROW_NUMBER() = 1` over a join, by the key of the join: rows that are not the first need not be joined.

use flott_plan::{Edge, Expr, JoinKind, NodeId, OperatorSpec, SortKey, StreamGraph};

/// Tells joins of which only the first row of each key is wanted.
pub(super) fn only_first_ones(graph: &mut StreamGraph) {
    for node in 0..graph.nodes.len() {
        if let Some((join, order)) = join_below(graph, NodeId(node as u32))
            && let OperatorSpec::Join { first_by, .. } = &mut graph.nodes[join.0 as usize].spec
        {
            *first_by = order;
        }
    }
}

/// The join of which a node needs the first rows, and by which order of its columns.
fn join_below(graph: &StreamGraph, node: NodeId) -> Option<(NodeId, Vec<SortKey>)> {
    let OperatorSpec::TopN {
        partition, order, from, to, input_updates: false, ttl, window_end: None, ..
    } = &graph.nodes[node.0 as usize].spec
    else {
        return None;
    };
    if *from > 1 || *to != Some(1) || *ttl > 0 || order.is_empty() {
        return None;
    }
    let (mut partition, mut order) = (partition.clone(), order.clone());
    let mut below = only_input(graph, node)?;
    loop {
        match &graph.nodes[below.0 as usize].spec {
            // A filter might take away the first row.
            OperatorSpec::Calc { condition: None, projection } => {
                let column = |column: usize| match projection.get(column) {
                    Some(Expr::Column { index, .. }) => Some(*index),
                    _ => None,
                };
                partition = partition.into_iter().map(column).collect::<Option<_>>()?;
                for key in &mut order {
                    key.column = column(key.column)?;
                }
                below = only_input(graph, below)?;
            }
            OperatorSpec::Join {
                kind: JoinKind::Inner,
                left_keys,
                right_keys,
                ttl,
                right_ttl,
                bound: None,
                rows,
                ..
            } => {
                let kept = *ttl <= 0 && right_ttl.is_none_or(|ttl| ttl <= 0);
                let width = graph.nodes[input_of(graph, below, 0)?.0 as usize].schema.len();
                // Of each key of the join one of both columns is a key of the partition, and there is no other.
                let keys = left_keys.iter().zip(right_keys).map(|(left, right)| [*left, right + width]);
                let keys: Vec<[usize; 2]> = keys.collect();
                let whole = !keys.is_empty()
                    && keys.iter().all(|key| key.iter().any(|column| partition.contains(column)))
                    && partition.iter().all(|column| keys.iter().any(|key| key.contains(column)));
                let appends = rows.iter().all(|rows| rows.only_appends());
                return (kept && whole && appends).then_some((below, order));
            }
            _ => return None,
        }
    }
}

/// The only input of a node, if that has no other receiver.
fn only_input(graph: &StreamGraph, node: NodeId) -> Option<NodeId> {
    let mut edges = graph.edges.iter().filter(|edge| edge.to == node);
    let (Some(edge), None) = (edges.next(), edges.next()) else { return None };
    let receivers = |from: NodeId| graph.edges.iter().filter(move |edge| edge.from == from).count();
    (edge.tag.is_none() && receivers(edge.from) == 1).then_some(edge.from)
}

fn input_of(graph: &StreamGraph, node: NodeId, input: usize) -> Option<NodeId> {
    let is = |edge: &&Edge| edge.to == node && edge.input == input;
    graph.edges.iter().find(is).map(|edge| edge.from)
}
