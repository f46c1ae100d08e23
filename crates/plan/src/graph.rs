//! Graphs of operators: before chaining ([`StreamGraph`]) and after ([`JobGraph`]).

use std::collections::BTreeMap;

use flott_types::key_group::default_max_parallelism;
use flott_types::{Error, OperatorUid, Result, VertexId};
use serde::{Deserialize, Serialize};

use crate::{OperatorSpec, PLAN_VERSION, Schema};

/// A node of the stream graph by position.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

/// An operator in the graph.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Node {
    /// The name its state is found by.
    pub uid: OperatorUid,
    /// What a person reads: `GroupAggregate(groupBy=[k], select=[k, COUNT(*)])`.
    pub name: String,
    /// What it does.
    pub spec: OperatorSpec,
    /// The columns of its output.
    pub schema: Schema,
    /// How many subtasks.
    pub parallelism: u32,
}

/// How rows are spread over the subtasks of the receiving operator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exchange {
    /// Subtask i to subtask i; the only one that chains.
    Forward,
    /// By key group of these columns of the sender's output.
    Hash(Vec<usize>),
    /// Round robin over all.
    Rebalance,
    /// Every row to every subtask.
    Broadcast,
    /// All rows to the first subtask.
    Global,
}

/// A stream from one node to an input of another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Edge {
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// Which input of the receiver (0 for the left of a join; all edges of a union are input 0).
    pub input: usize,
    /// How rows are spread.
    pub exchange: Exchange,
}

/// Operators and the streams between them; nodes stand in topological order.
#[derive(Clone, Default, PartialEq, Debug, Serialize, Deserialize)]
pub struct StreamGraph {
    /// The operators.
    pub nodes: Vec<Node>,
    /// The streams.
    pub edges: Vec<Edge>,
}

/// An operator within a vertex.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ChainedNode {
    /// The operator.
    pub node: Node,
    /// The operator of the same vertex that feeds it by direct calls, by position; `None` for the head.
    pub parent: Option<usize>,
    /// The schemas of its inputs.
    pub inputs: Vec<Schema>,
}

/// A chain (in general a tree) of operators that runs as one task per subtask. The first one is the head.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JobVertex {
    /// The vertex's id: its position in the job graph.
    pub id: VertexId,
    /// The names of its operators, joined by ` -> `.
    pub name: String,
    /// The operators, parents before children.
    pub operators: Vec<ChainedNode>,
    /// How many subtasks.
    pub parallelism: u32,
    /// The number of key groups.
    pub max_parallelism: u32,
}

/// A stream between two vertices.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct JobEdge {
    /// The sending vertex.
    pub from: VertexId,
    /// The sending operator's position in the vertex.
    pub from_operator: usize,
    /// The receiving vertex; its head receives.
    pub to: VertexId,
    /// Which input of the head.
    pub input: usize,
    /// How rows are spread.
    pub exchange: Exchange,
}

/// A job as it is submitted, stored and deployed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct JobGraph {
    /// The format's version, [`PLAN_VERSION`].
    pub version: u32,
    /// The job's name.
    pub name: String,
    /// The vertices in topological order.
    pub vertices: Vec<JobVertex>,
    /// The streams between them.
    pub edges: Vec<JobEdge>,
    /// The configuration of the job, Flink's keys.
    pub configuration: BTreeMap<String, String>,
}

impl StreamGraph {
    /// Adds an operator.
    pub fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// Adds a stream.
    pub fn connect(&mut self, from: NodeId, to: NodeId, input: usize, exchange: Exchange) {
        self.edges.push(Edge { from, to, input, exchange });
    }

    /// Chains operators into vertices: a forward edge between operators of equal parallelism, where the receiver has
    /// no other input, becomes a direct call. `max_parallelism` of 0 computes Flink's default for each vertex.
    pub fn into_job_graph(
        self,
        name: &str,
        configuration: BTreeMap<String, String>,
        max_parallelism: u32,
        chaining: bool,
    ) -> Result<JobGraph> {
        let inputs_of = |id: NodeId| self.edges.iter().filter(move |edge| edge.to == id);
        let mut vertices: Vec<JobVertex> = Vec::new();
        // Where each node went: vertex and position in it.
        let mut places: Vec<(usize, usize)> = Vec::new();
        let mut job_edges = Vec::new();
        for (position, node) in self.nodes.iter().enumerate() {
            let id = NodeId(position as u32);
            let inputs: Vec<&Edge> = inputs_of(id).collect();
            let count = inputs.iter().map(|edge| edge.input + 1).max().unwrap_or(0);
            let mut schemas = vec![Schema::default(); count];
            for edge in &inputs {
                if edge.from.0 >= id.0 {
                    return Err(Error::internal("nodes of the stream graph are not in topological order"));
                }
                schemas[edge.input] = self.nodes[edge.from.0 as usize].schema.clone();
            }
            let parent = match inputs.as_slice() {
                [edge] if chaining && edge.exchange == Exchange::Forward => {
                    let (vertex, operator) = places[edge.from.0 as usize];
                    (vertices[vertex].parallelism == node.parallelism).then_some((vertex, operator))
                }
                _ => None,
            };
            let chained = ChainedNode {
                node: node.clone(),
                parent: parent.map(|(_, operator)| operator),
                inputs: schemas,
            };
            if let Some((vertex, _)) = parent {
                let chain = &mut vertices[vertex];
                chain.name = format!("{} -> {}", chain.name, node.name);
                chain.operators.push(chained);
                places.push((vertex, chain.operators.len() - 1));
                continue;
            }
            let vertex = VertexId(vertices.len() as u32);
            for edge in inputs {
                let (from, from_operator) = places[edge.from.0 as usize];
                let exchange = match edge.exchange {
                    // Rows of a forward edge whose ends differ in parallelism are spread evenly.
                    Exchange::Forward if vertices[from].parallelism != node.parallelism => {
                        Exchange::Rebalance
                    }
                    ref exchange => exchange.clone(),
                };
                let from = VertexId(from as u32);
                job_edges.push(JobEdge { from, from_operator, to: vertex, input: edge.input, exchange });
            }
            vertices.push(JobVertex {
                id: vertex,
                name: node.name.clone(),
                operators: vec![chained],
                parallelism: node.parallelism,
                max_parallelism: match max_parallelism {
                    0 => default_max_parallelism(node.parallelism),
                    set => set,
                },
            });
            places.push((vertex.0 as usize, 0));
        }
        for vertex in &vertices {
            if vertex.parallelism == 0 || vertex.parallelism > vertex.max_parallelism {
                return Err(Error::invalid(format!(
                    "parallelism {} of '{}' is not between 1 and the maximum parallelism {}",
                    vertex.parallelism, vertex.name, vertex.max_parallelism
                )));
            }
        }
        Ok(JobGraph {
            version: PLAN_VERSION,
            name: name.to_owned(),
            vertices,
            edges: job_edges,
            configuration,
        })
    }
}

impl JobGraph {
    /// The serialised form.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|error| Error::internal("cannot write the plan").with_source(error))
    }

    /// Reads the serialised form; refuses other versions.
    pub fn from_json(json: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let read = |error| Error::invalid("cannot read the plan").with_source(error);
        let Versioned { version } = serde_json::from_str(json).map_err(read)?;
        if version != PLAN_VERSION {
            return Err(Error::unsupported(format!(
                "the plan has version {version}; this build reads version {PLAN_VERSION}"
            )));
        }
        serde_json::from_str(json).map_err(read)
    }
}
