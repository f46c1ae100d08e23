//! EXPLAIN: the logical plan, then the operators, each above its inputs.

use std::fmt::Write;

use flott_plan::{Exchange, NodeId, OperatorSpec, Schema, StreamGraph};
use flott_sql_parser::ast::ExplainDetail;
use serde::Serialize;

use super::describe;
use crate::changelog::Mode;
use crate::logical::{Rel, RelNode};

/// The text of EXPLAIN. `modes` tells for each node which changes it emits.
pub fn explain(roots: &[Rel], graph: &StreamGraph, modes: &[Mode], details: &[ExplainDetail]) -> String {
    let has = |detail| details.contains(&detail);
    let mut text = String::from("== Abstract Syntax Tree ==\n");
    for root in roots {
        logical(root, 0, &mut text);
    }
    let advice = has(ExplainDetail::PlanAdvice);
    let with_advice = if advice { " With Advice" } else { "" };
    let _ = write!(text, "\n== Optimized Physical Plan{with_advice} ==\n");
    operators(graph, modes, has(ExplainDetail::ChangelogMode), &mut text);
    if advice {
        text.push_str("\nNo available advice...\n");
    }
    text.push_str("\n== Optimized Execution Plan ==\n");
    operators(graph, modes, false, &mut text);
    if has(ExplainDetail::JsonExecutionPlan) {
        let _ = write!(text, "\n== Physical Execution Plan ==\n{}\n", json(graph));
    }
    text
}

/// The operators, each above its inputs.
fn operators(graph: &StreamGraph, modes: &[Mode], changelog_mode: bool, text: &mut String) {
    let is_input = |id: NodeId| graph.edges.iter().any(|edge| edge.from == id);
    for id in (0..graph.nodes.len() as u32).map(NodeId).filter(|id| !is_input(*id)) {
        physical(graph, modes, changelog_mode, id, None, 0, text);
    }
}

/// The operators in the form of Flink's JSON.
fn json(graph: &StreamGraph) -> String {
    #[derive(Serialize)]
    struct Plan {
        nodes: Vec<PlanNode>,
    }
    #[derive(Serialize)]
    struct PlanNode {
        id: u32,
        r#type: String,
        pact: &'static str,
        contents: String,
        parallelism: u32,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        predecessors: Vec<Predecessor>,
    }
    #[derive(Serialize)]
    struct Predecessor {
        id: u32,
        ship_strategy: &'static str,
        side: &'static str,
    }
    let nodes = graph.nodes.iter().zip(1..).map(|(node, id)| {
        let inputs: Vec<_> = graph.edges.iter().filter(|edge| edge.to.0 + 1 == id).collect();
        let pact = match (&node.spec, inputs.is_empty()) {
            (OperatorSpec::Sink(_), _) => "Data Sink",
            (_, true) => "Data Source",
            (_, false) => "Operator",
        };
        let two_sided = inputs.iter().any(|edge| edge.input > 0);
        let predecessors = inputs.iter().map(|edge| Predecessor {
            id: edge.from.0 + 1,
            ship_strategy: edge.exchange.ship_strategy(),
            side: if two_sided && edge.input == 0 { "first" } else { "second" },
        });
        let kind = super::kind_of(&node.name);
        PlanNode {
            id,
            r#type: format!("{kind}[{id}]"),
            pact,
            contents: format!("[{id}]:{}", node.name),
            parallelism: node.parallelism,
            predecessors: predecessors.collect(),
        }
    });
    serde_json::to_string_pretty(&Plan { nodes: nodes.collect() }).unwrap_or_default()
}

fn physical(
    graph: &StreamGraph,
    modes: &[Mode],
    changelog_mode: bool,
    id: NodeId,
    exchange: Option<(&Exchange, &Schema)>,
    depth: usize,
    text: &mut String,
) {
    let mut depth = depth;
    let mode = modes.get(id.0 as usize).filter(|_| changelog_mode);
    let mode = mode.map(|mode| format!(", changelogMode=[{mode}]")).unwrap_or_default();
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
        Some(open) if open.ends_with('(') => format!("{open}{})", mode.trim_start_matches(", ")),
        Some(open) => format!("{open}{mode})"),
        None => node.name.clone(),
    };
    line(depth, &shown, text);
    for edge in graph.edges.iter().filter(|edge| edge.to == id) {
        let schema = graph.nodes[edge.from.0 as usize].output(edge.tag.as_deref());
        physical(graph, modes, changelog_mode, edge.from, Some((&edge.exchange, &schema)), depth + 1, text);
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
        RelNode::LookupJoin { kind, condition, .. } => {
            let condition = condition.as_ref().map_or("true".to_owned(), |c| describe::expr(c, &input));
            let kind = format!("{kind:?}").to_lowercase();
            format!("LogicalLookupJoin(condition=[{condition}], joinType=[{kind}])")
        }
        RelNode::Union(_) => "LogicalUnion(all=[true])".to_owned(),
        RelNode::Expand { projections, .. } => {
            let sets: Vec<String> = projections.iter().map(|exprs| format!("{{{}}}", list(exprs))).collect();
            format!("LogicalExpand(projects=[{}])", sets.join(", "))
        }
        RelNode::TopN { partition, order, from, to, rank, .. } => {
            format!("Logical{}", describe::top_n(partition, order, *from, *to, *rank, &input))
        }
        RelNode::Unnest { collection, ordinality, keep_empty, condition, .. } => {
            let shown = describe::of_elements(condition.as_ref(), rel, input.len());
            format!("Logical{}", describe::unnest((collection, *ordinality, *keep_empty), shown, &input))
        }
        RelNode::ToChangelog { codes, .. } => {
            format!("Logical{}", describe::to_changelog(codes, &rel.fields[0].name))
        }
        RelNode::FromChangelog { column, codes, .. } => {
            format!("Logical{}", describe::from_changelog(*column, codes, &input))
        }
        RelNode::AsyncCall { function, args, .. } => format!("LogicalAsyncCall({function}({}))", list(args)),
        RelNode::ProcessTable { inputs, spec } => {
            format!("Logical{}", super::process_table::describe(spec, inputs, rel))
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
