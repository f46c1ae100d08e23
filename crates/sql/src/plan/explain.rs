//! EXPLAIN: the logical plan, then the operators, each above its inputs.

use std::fmt::Write;

use flott_plan::{Exchange, NodeId, Schema, StreamGraph};

use super::describe;
use crate::logical::{Rel, RelNode};

/// The text of EXPLAIN. `updates` tells for each node whether it emits updates; with `changelog_mode` that is shown.
pub fn explain(roots: &[Rel], graph: &StreamGraph, updates: &[bool], changelog_mode: bool) -> String {
    let mut text = String::from("== Abstract Syntax Tree ==\n");
    for root in roots {
        logical(root, 0, &mut text);
    }
    text.push_str("\n== Optimized Execution Plan ==\n");
    let is_input = |id: NodeId| graph.edges.iter().any(|edge| edge.from == id);
    for id in (0..graph.nodes.len() as u32).map(NodeId).filter(|id| !is_input(*id)) {
        physical(graph, updates, changelog_mode, id, None, 0, &mut text);
    }
    text
}

fn physical(
    graph: &StreamGraph,
    updates: &[bool],
    changelog_mode: bool,
    id: NodeId,
    exchange: Option<(&Exchange, &Schema)>,
    depth: usize,
    text: &mut String,
) {
    let mut depth = depth;
    let mode = match (changelog_mode, updates.get(id.0 as usize)) {
        (true, Some(true)) => ", changelogMode=[I,UB,UA,D]",
        (true, _) => ", changelogMode=[I]",
        _ => "",
    };
    if let Some((exchange, schema)) = exchange {
        let kind = match exchange {
            Exchange::Forward => None,
            Exchange::Hash(keys) => {
                let keys: Vec<&str> = keys.iter().map(|key| schema.columns[*key].name.as_str()).collect();
                Some(format!("hash[{}]", keys.join(", ")))
            }
            Exchange::Rebalance => Some("rebalance".to_owned()),
            Exchange::Rescale => Some("rescale".to_owned()),
            Exchange::Custom => Some("custom".to_owned()),
            Exchange::Broadcast => Some("broadcast".to_owned()),
            Exchange::Global => Some("single".to_owned()),
        };
        if let Some(kind) = kind {
            line(depth, &format!("Exchange(distribution=[{kind}]{mode})"), text);
            depth += 1;
        }
    }
    let node = &graph.nodes[id.0 as usize];
    let shown = match node.name.strip_suffix(')') {
        Some(open) => format!("{open}{mode})"),
        None => node.name.clone(),
    };
    line(depth, &shown, text);
    for edge in graph.edges.iter().filter(|edge| edge.to == id) {
        let schema = &graph.nodes[edge.from.0 as usize].schema;
        physical(graph, updates, changelog_mode, edge.from, Some((&edge.exchange, schema)), depth + 1, text);
    }
}

fn line(depth: usize, shown: &str, text: &mut String) {
    let lead = if depth == 0 { String::new() } else { format!("{}+- ", "   ".repeat(depth - 1)) };
    let _ = writeln!(text, "{lead}{shown}");
}

fn logical(rel: &Rel, depth: usize, text: &mut String) {
    let inputs = rel.inputs();
    let input: Schema =
        Schema { columns: inputs.iter().flat_map(|input| super::schema_of(input).columns).collect() };
    let list = |exprs: &[flott_plan::Expr]| {
        exprs.iter().map(|e| describe::expr(e, &input)).collect::<Vec<_>>().join(", ")
    };
    let shown = match &rel.node {
        RelNode::Scan(scan) => {
            format!("LogicalTableScan(table=[[{}]])", scan.path.plain().replace('.', ", "))
        }
        RelNode::Values(rows) => format!("LogicalValues(tuples=[{} rows])", rows.len()),
        RelNode::Project { exprs, .. } => {
            let items: Vec<String> = exprs
                .iter()
                .zip(&rel.fields)
                .map(|(expr, field)| format!("{}=[{}]", field.name, describe::expr(expr, &input)))
                .collect();
            format!("LogicalProject({})", items.join(", "))
        }
        RelNode::Filter { condition, .. } => {
            format!("LogicalFilter(condition=[{}])", describe::expr(condition, &input))
        }
        RelNode::Watermark { column, expr, .. } => format!(
            "LogicalWatermarkAssigner(rowtime=[{}], watermark=[{}])",
            input.columns[*column].name,
            describe::expr(expr, &input)
        ),
        RelNode::WindowTvf { window, .. } => format!("LogicalTableFunctionScan(window=[{:?}])", window.kind),
        RelNode::Aggregate { keys, calls, .. } => {
            format!("Logical{}", describe::group_aggregate("Aggregate", keys, calls, &input))
        }
        RelNode::WindowAggregate { keys, calls, window, .. } => {
            format!("Logical{}", describe::window_aggregate("WindowAggregate", window, keys, calls, &input))
        }
        RelNode::Join { kind, condition, .. } => {
            let condition = condition.as_ref().map_or("true".to_owned(), |c| describe::expr(c, &input));
            format!("LogicalJoin(condition=[{condition}], joinType=[{}])", format!("{kind:?}").to_lowercase())
        }
        RelNode::TemporalJoin { kind, condition, .. } => {
            let condition = condition.as_ref().map_or("true".to_owned(), |c| describe::expr(c, &input));
            let kind = format!("{kind:?}").to_lowercase();
            format!("LogicalTemporalJoin(condition=[{condition}], joinType=[{kind}])")
        }
        RelNode::Union(_) => "LogicalUnion(all=[true])".to_owned(),
        RelNode::Expand { projections, .. } => {
            let sets: Vec<String> = projections.iter().map(|exprs| format!("{{{}}}", list(exprs))).collect();
            format!("LogicalExpand(projects=[{}])", sets.join(", "))
        }
        RelNode::TopN { partition, order, from, to, rank, .. } => {
            format!("Logical{}", describe::top_n(partition, order, *from, *to, *rank, &input))
        }
        RelNode::Unnest { collection, ordinality, keep_empty, .. } => {
            format!("Logical{}", describe::unnest(collection, *ordinality, *keep_empty, &input))
        }
        RelNode::ToChangelog { codes, .. } => {
            format!("Logical{}", describe::to_changelog(codes, &rel.fields[0].name))
        }
        RelNode::FromChangelog { column, codes, .. } => {
            format!("Logical{}", describe::from_changelog(*column, codes, &input))
        }
        RelNode::TemporalSort { order, .. } => format!("Logical{}", describe::sort(order, &input)),
        RelNode::Match { spec, .. } => {
            format!("Logical{}", super::row_pattern::describe(spec, &input, &rel.fields))
        }
        RelNode::Over { spec, calls, .. } => format!("Logical{}", describe::over(spec, calls, &input)),
    };
    line(depth, &shown, text);
    for input in inputs {
        logical(input, depth + 1, text);
    }
}
