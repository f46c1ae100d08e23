//! The graph as people and tools see it.

use flott_plan::OperatorSpec;
use flott_types::Result;
use serde_json::{Value, json};

use super::{Graph, NodeKind, Settings, Upstream, parallelism};

impl Graph {
    /// The operators of the next execution as JSON, in the form of Flink's `getExecutionPlan`.
    pub fn shown(&self, settings: &Settings) -> Result<String> {
        let nodes = self.nodes.lock();
        let needed = self.needed(&nodes);
        let parallelism = parallelism(&nodes, &needed, settings)?;
        let predecessor = |upstream: &Upstream| json!({ "id": upstream.node + 1, "ship_strategy": upstream.exchange.ship_strategy(), "side": "second" });
        let shown = |at: usize| {
            let node = &nodes[at];
            let (prefix, pact) = match &node.kind {
                NodeKind::Source(_) => ("Source: ", "Data Source"),
                NodeKind::Operator(_) => ("", "Operator"),
                NodeKind::Sink(_) | NodeKind::Collect => ("Sink: ", "Data Sink"),
                NodeKind::Planned(planned) => match &planned.spec {
                    OperatorSpec::Source(_) | OperatorSpec::Values { .. } => ("Source: ", "Data Source"),
                    OperatorSpec::Sink(_) => ("Sink: ", "Data Sink"),
                    _ => ("", "Operator"),
                },
            };
            let name = format!("{prefix}{}", node.name);
            let mut shown = json!({
                "id": at + 1,
                "type": name,
                "pact": pact,
                "contents": node.description.as_ref().unwrap_or(&name),
                "parallelism": parallelism[at],
            });
            let predecessors: Vec<Value> = node.inputs.iter().flatten().map(predecessor).collect();
            if !predecessors.is_empty() {
                shown["predecessors"] = predecessors.into();
            }
            shown
        };
        let nodes: Vec<Value> = (0..nodes.len()).filter(|at| needed[*at]).map(shown).collect();
        Ok(format!("{:#}", json!({ "nodes": nodes })))
    }
}
