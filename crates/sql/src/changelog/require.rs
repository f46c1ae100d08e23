//! Top-down: whose `-U` is needed.

use flott_plan::{Expr, JoinRows, NodeId, OperatorSpec, ProcessTableSpec, ProcessedTable, StreamGraph};

use super::{Kinds, Relation};

/// What a sink wants of updates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asked {
    /// Both halves.
    Both,
    /// `+U` is enough, `-U` does no harm.
    After,
    /// `+U`; rows are found by a key, and `-U` must not come.
    OnlyAfter,
    /// Rows are found by a key that is not that of the updates: both halves are made, so that a row that leaves a key is
    /// deleted, and the sink drops the `-U` of those that stay.
    Unkeyed,
}

/// What consumers need.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Required {
    /// For each node, whether somebody needs the `-U` of its updates.
    pub before: Vec<bool>,
    /// For each node, whether somebody needs all columns of what is deleted, and not the key alone.
    pub full_deletes: Vec<bool>,
    /// Edges on which `-U` is to be dropped: the sender emits it for others, or cannot do without.
    pub drops: Vec<usize>,
    /// Sinks that get `-U` and must not.
    pub dropping_sinks: Vec<NodeId>,
}

/// Finds out what is needed of each node. `asked` tells of the nodes without consumers what they want.
pub(crate) fn require(
    graph: &StreamGraph,
    relations: &[Relation],
    asked: impl Fn(NodeId) -> Asked,
) -> Required {
    // A side output has changes of its own, and they are all insertions.
    let inputs =
        |node: usize| graph.edges.iter().filter(move |edge| edge.to.0 as usize == node && edge.tag.is_none());
    let kinds =
        |node: NodeId| relations.get(node.0 as usize).map_or(Kinds::INSERTS, |relation| relation.kinds);
    // Inputs stand before those who read them.
    let mut able = vec![true; graph.nodes.len()];
    for (at, node) in graph.nodes.iter().enumerate() {
        let all = inputs(at).all(|edge| able[edge.from.0 as usize] || !kinds(edge.from).updates);
        able[at] = match &node.spec {
            OperatorSpec::Calc { condition: Some(condition), .. } => {
                let mut updated = inputs(at).filter(|edge| kinds(edge.from).updates);
                all && updated.all(|edge| relations[edge.from.0 as usize].keys.cover(&columns(condition)))
            }
            // A row that is replaced is found by its key, if it stays under one key of the join.
            OperatorSpec::Join { left_keys, right_keys, rows, .. } => {
                inputs(at).filter(|edge| kinds(edge.from).updates).all(|edge| {
                    let (on, rows) = match edge.input {
                        0 => (left_keys, &rows[0]),
                        _ => (right_keys, &rows[1]),
                    };
                    let known = matches!(rows, JoinRows::Unique(_));
                    known && relations[edge.from.0 as usize].keys.only_one_covers(on)
                })
            }
            spec => !passes_updates(spec) || all,
        };
    }
    let none = vec![false; graph.nodes.len()];
    let mut required = Required { before: none.clone(), full_deletes: none, ..Required::default() };
    for (at, node) in graph.nodes.iter().enumerate().rev() {
        for edge in inputs(at) {
            let from = edge.from.0 as usize;
            required.full_deletes[from] |= match &node.spec {
                OperatorSpec::Sink(_) => asked(NodeId(at as u32)) != Asked::OnlyAfter,
                OperatorSpec::Calc { condition: Some(condition), .. } => {
                    required.full_deletes[at] || !relations[from].keys.cover(&columns(condition))
                }
                OperatorSpec::ProcessTable(spec) => processed(spec, edge.input)
                    .is_none_or(|table| table.requires_full_delete || needs_before(table, &relations[from])),
                spec if passes_updates(spec) => required.full_deletes[at],
                _ => true,
            };
            if !kinds(edge.from).updates {
                continue;
            }
            let needs = match &node.spec {
                OperatorSpec::Sink(_) | OperatorSpec::Collect => {
                    matches!(asked(NodeId(at as u32)), Asked::Both | Asked::Unkeyed) || !able[from]
                }
                OperatorSpec::Join { .. } => required.before[at] || !able[at] || !able[from],
                // The last row of a key says it all.
                OperatorSpec::ChangelogNormalize { .. } => !able[from],
                OperatorSpec::ProcessTable(spec) => {
                    !able[from]
                        || processed(spec, edge.input)
                            .is_none_or(|table| needs_before(table, &relations[from]))
                }
                spec if passes_updates(spec) => required.before[at],
                _ => true,
            };
            required.before[from] |= needs;
        }
    }
    for (at, node) in graph.nodes.iter().enumerate() {
        let edges = graph.edges.iter().enumerate();
        for (number, edge) in edges.filter(|(_, edge)| edge.to.0 as usize == at && edge.tag.is_none()) {
            let from = edge.from.0 as usize;
            let emits = required.before[from] || relations[from].always_before;
            if !emits || !kinds(edge.from).updates {
                continue;
            }
            match &node.spec {
                OperatorSpec::Sink(_)
                    if required.before[from]
                        && matches!(asked(NodeId(at as u32)), Asked::OnlyAfter | Asked::Unkeyed) =>
                {
                    required.dropping_sinks.push(NodeId(at as u32));
                }
                OperatorSpec::Sink(_) | OperatorSpec::Collect if !required.before[from] => {
                    required.drops.push(number);
                }
                OperatorSpec::ProcessTable(spec)
                    if able[from]
                        && processed(spec, edge.input)
                            .is_some_and(|table| !needs_before(table, &relations[from])) =>
                {
                    required.drops.push(number);
                }
                spec if passes_updates(spec) && !required.before[at] => required.drops.push(number),
                _ => (),
            }
        }
    }
    required
}

fn processed(spec: &ProcessTableSpec, input: usize) -> Option<&ProcessedTable> {
    spec.tables.get(input)
}

/// Whether a function needs `-U` of a table: unless rows are identified by what it is partitioned by.
pub(crate) fn needs_before(table: &ProcessedTable, relation: &Relation) -> bool {
    let keyed = |partition: &Vec<usize>| !partition.is_empty() && relation.keys.has(partition);
    table.requires_update_before || !table.partition.as_ref().is_some_and(keyed)
}

/// Whether an operator hands the updates of its inputs on.
pub(crate) fn passes_updates(spec: &OperatorSpec) -> bool {
    match spec {
        OperatorSpec::Calc { .. }
        | OperatorSpec::WatermarkAssigner(_)
        | OperatorSpec::DropUpdateBefore
        | OperatorSpec::Expand { .. }
        | OperatorSpec::Unnest { .. }
        | OperatorSpec::LookupJoin(_)
        | OperatorSpec::Union => true,
        OperatorSpec::Source(_)
        | OperatorSpec::Values { .. }
        | OperatorSpec::GroupAggregate { .. }
        | OperatorSpec::WindowTableFunction { .. }
        | OperatorSpec::WindowAggregate { .. }
        | OperatorSpec::Join { .. }
        | OperatorSpec::TemporalJoin(_)
        | OperatorSpec::TopN { .. }
        | OperatorSpec::LocalTopN { .. }
        | OperatorSpec::LocalWindowExtreme(_)
        | OperatorSpec::OverAggregate { .. }
        | OperatorSpec::UpdatingOver { .. }
        | OperatorSpec::BatchRows
        | OperatorSpec::BatchOver { .. }
        | OperatorSpec::TemporalSort { .. }
        | OperatorSpec::MatchRecognize(_)
        | OperatorSpec::ChangelogNormalize { .. }
        | OperatorSpec::SinkMaterializer { .. }
        | OperatorSpec::ToChangelog { .. }
        | OperatorSpec::ProcessTable(_)
        | OperatorSpec::FromChangelog { .. }
        | OperatorSpec::Sink(_)
        | OperatorSpec::Collect
        | OperatorSpec::Function { .. } => false,
    }
}

fn columns(expr: &Expr) -> Vec<usize> {
    let mut columns = Vec::new();
    expr.collect_columns(&mut columns);
    columns
}
