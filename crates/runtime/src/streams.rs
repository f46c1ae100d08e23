//! The streams into a vertex, by the names under which a snapshot finds them again.

use flott_checkpoint::manifest::{Checksum, InFlightChannel, InputEdge, InputStream, Spread, StreamShape};
use flott_plan::{Exchange, JobEdge, JobGraph, Node, Schema};
use flott_types::VertexId;

use crate::TaskDeployment;

/// The streams into a vertex of a job.
pub fn input_edges(graph: &JobGraph, vertex: VertexId) -> Vec<InputEdge> {
    let edges = (0..).zip(&graph.edges).filter(|(_, edge)| edge.to == vertex);
    named(edges.filter_map(|(at, edge)| {
        let from = graph.vertices.get(edge.from.0 as usize)?;
        Some((at, edge, &from.operators.get(edge.from_operator)?.node, from.parallelism))
    }))
}

/// What is known of each channel into a task, in the order in which its gate numbers them.
pub(crate) fn input_channels(deployment: &TaskDeployment) -> Vec<InFlightChannel> {
    let inputs = deployment.inputs.iter();
    let edges = named(inputs.map(|input| (input.edge, &input.plan, &input.sender.node, input.parallelism)));
    let of = |edge: u32| edges.iter().find(|known| known.edge == edge);
    let channels = deployment.input_channels().into_iter();
    channels
        .filter_map(|(key, _)| {
            let InputEdge { stream, senders, shape, .. } = of(key.edge)?.clone();
            Some(InFlightChannel { stream, sender: key.from.subtask.0, senders, shape: Some(shape) })
        })
        .collect()
}

/// Edges with their position in the plan, the operator that sends, and how many subtasks it has.
fn named<'a>(edges: impl Iterator<Item = (u32, &'a JobEdge, &'a Node, u32)>) -> Vec<InputEdge> {
    let mut all: Vec<InputEdge> = Vec::new();
    for (edge, plan, from, senders) in edges {
        let mut stream =
            InputStream { from: from.uid.clone(), tag: plan.tag.clone(), input: plan.input as u32, nth: 0 };
        while all.iter().any(|other| other.stream == stream) {
            stream.nth += 1;
        }
        let shape = StreamShape { spread: spread(&plan.exchange), columns: columns(&from.schema) };
        all.push(InputEdge { edge, stream, senders, shape });
    }
    all
}

/// Changes with the name or the type of a column, or with their order.
fn columns(schema: &Schema) -> Checksum {
    let columns: Vec<String> = schema.iter().map(|(name, ty)| format!("{name:?} {ty}")).collect();
    Checksum::of(columns.join(", ").as_bytes())
}

fn spread(exchange: &Exchange) -> Spread {
    match exchange {
        Exchange::Hash(columns) => Spread::ByKey(columns.clone()),
        Exchange::Rebalance => Spread::Any,
        Exchange::Global => Spread::First,
        Exchange::Forward | Exchange::Rescale | Exchange::Broadcast | Exchange::Custom => Spread::Never,
    }
}
