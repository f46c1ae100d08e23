//! Graphs of operators: before chaining ([`StreamGraph`]) and after ([`JobGraph`]).

use std::collections::BTreeMap;

use flott_types::key_group::default_max_parallelism;
use flott_types::{Error, OperatorUid, Result, VertexId};
use serde::{Deserialize, Serialize};

use crate::outline::Outline;
use crate::{OperatorSpec, PLAN_VERSION, Schema};

/// A node of the stream graph by position.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

/// An operator in the graph.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// What the author of the job requested beyond the defaults.
    #[serde(default, skip_serializing_if = "Wishes::is_none")]
    pub wishes: Wishes,
    /// Where its rows come from.
    #[serde(default, skip_serializing_if = "Lineage::is_unknown")]
    pub lineage: Lineage,
}

/// Where the rows of an operator come from, regardless of column names. Programs have none.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// A hash of everything that it and its inputs compute: it changes as soon as any of that changes.
    #[serde(default)]
    pub whole: String,
    /// For each input, the names of its columns in state: derived from what they mean, so that columns are
    /// found again after they are renamed or moved.
    #[serde(default)]
    pub columns: Vec<Vec<String>>,
}

impl Lineage {
    /// Whether nothing is known of it.
    pub fn is_unknown(&self) -> bool {
        *self == Lineage::default()
    }

    /// The schema of an input, with the names used in state.
    fn in_state(&self, input: usize, mut schema: Schema) -> Schema {
        let names = self.columns.get(input).map_or(&[][..], Vec::as_slice);
        schema.columns.iter_mut().zip(names).for_each(|(column, name)| column.name.clone_from(name));
        schema
    }
}

/// What the author of a job may request for an operator.
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wishes {
    /// The neighbours that it is chained with.
    #[serde(default)]
    pub chaining: Chaining,
    /// The number of key groups; `None` is the job's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_parallelism: Option<u32>,
    /// The slot sharing group; `None` is that of its inputs, or `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_sharing_group: Option<String>,
    /// How long its output may be held back for larger batches, in milliseconds; -1 until a batch is full or
    /// the input is dry; `None` is the job's (`execution.buffer-timeout`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer_timeout: Option<i64>,
}

impl Wishes {
    /// Whether nothing is requested.
    pub fn is_none(&self) -> bool {
        *self == Wishes::default()
    }
}

/// The neighbours that an operator is chained with.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chaining {
    /// With those upstream and downstream.
    #[default]
    Always,
    /// Only with those downstream.
    Head,
    /// With none.
    Never,
}

/// How rows are spread over the subtasks of the receiving operator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exchange {
    /// Subtask i to subtask i; the only one that chains.
    Forward,
    /// By key group of these columns of the sender's output; for records, by the hash of the key that they
    /// carry.
    Hash(Vec<usize>),
    /// Round robin over all.
    Rebalance,
    /// Round robin over a part of the receivers: the subtasks of each side are spread evenly over those of
    /// the other.
    Rescale,
    /// Each record to the receiver whose number it carries.
    Custom,
    /// Every row to every subtask.
    Broadcast,
    /// All rows to the first subtask.
    Global,
}

impl Exchange {
    /// Whether the barrier of a checkpoint may overtake rows on it, as in Flink. What is under way then may be
    /// spread anew over another number of receivers, and reaches them at different times. So not where order
    /// is expected that only the place of the subtasks gives (forward, rescale), nor where all receivers are to
    /// have seen the same at a checkpoint (broadcast), nor where a program alone knows who receives what.
    pub fn can_be_overtaken(&self) -> bool {
        match self {
            Exchange::Hash(_) | Exchange::Rebalance | Exchange::Global => true,
            Exchange::Forward | Exchange::Rescale | Exchange::Broadcast | Exchange::Custom => false,
        }
    }

    /// Flink's name for it in plans.
    pub fn ship_strategy(&self) -> &'static str {
        match self {
            Exchange::Forward => "FORWARD",
            Exchange::Hash(_) => "HASH",
            Exchange::Rebalance => "REBALANCE",
            Exchange::Rescale => "RESCALE",
            Exchange::Custom => "CUSTOM",
            Exchange::Broadcast => "BROADCAST",
            Exchange::Global => "GLOBAL",
        }
    }
}

/// A stream from one node to an input of another.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// Which input of the receiver (0 for the left of a join; all edges of a union are input 0).
    pub input: usize,
    /// How rows are spread.
    pub exchange: Exchange,
    /// The side output of the sender that is received; `None` is its main output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// Operators and the streams between them; nodes are in topological order.
#[derive(Clone, Default, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamGraph {
    /// The operators.
    pub nodes: Vec<Node>,
    /// The streams.
    pub edges: Vec<Edge>,
}

/// An operator within a vertex.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainedNode {
    /// The operator.
    pub node: Node,
    /// The operator of the same vertex that feeds it by direct calls, by position; `None` for the head.
    pub parent: Option<usize>,
    /// The parent's side output that it is fed from; `None` is the main output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The schemas of its inputs, with the names of [`Lineage::columns`].
    pub inputs: Vec<Schema>,
}

/// A chain (in general a tree) of operators that runs as one task per subtask. The first one is the head.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Vertices of one group share slots; `None` is the group `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot_sharing_group: Option<String>,
}

/// A stream between two vertices.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// The side output of the sender that is received; `None` is its main output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// A job as it is submitted, stored and deployed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// For a program: the outline that every process that runs it must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outline: Option<Outline>,
}

impl StreamGraph {
    /// Adds an operator.
    pub fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// Adds a stream.
    pub fn connect(&mut self, from: NodeId, to: NodeId, input: usize, exchange: Exchange) {
        self.edges.push(Edge { from, to, input, exchange, tag: None });
    }

    /// Adds a stream of a side output; `None` is the output proper.
    pub fn connect_side(
        &mut self,
        from: NodeId,
        tag: Option<&str>,
        to: NodeId,
        input: usize,
        exchange: Exchange,
    ) {
        self.edges.push(Edge { from, to, input, exchange, tag: tag.map(str::to_owned) });
    }

    /// Puts an operator into a stream, before its receiver; the nodes from there on move by one.
    pub fn insert(&mut self, edge: usize, node: Node) -> Option<NodeId> {
        let Edge { from, to, tag, .. } = self.edges.get_mut(edge).map(|edge| {
            let whole = edge.clone();
            edge.tag = None;
            whole
        })?;
        let moved = |id: NodeId| if id.0 >= to.0 { NodeId(id.0 + 1) } else { id };
        for edge in &mut self.edges {
            (edge.from, edge.to) = (moved(edge.from), moved(edge.to));
        }
        self.edges.get_mut(edge)?.from = to;
        self.nodes.insert(to.0 as usize, node);
        self.edges.push(Edge { from, to, input: 0, exchange: Exchange::Forward, tag });
        Some(to)
    }

    /// Chains operators into vertices: a forward edge between operators of equal parallelism, where the
    /// receiver has no other input, becomes a direct call. `max_parallelism` of 0 computes Flink's default
    /// for each vertex.
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
                let schema = self.nodes[edge.from.0 as usize].output(edge.tag.as_deref());
                schemas[edge.input] = node.lineage.in_state(edge.input, schema);
            }
            let parent = match inputs.as_slice() {
                [edge] if chaining && edge.exchange == Exchange::Forward => {
                    let from = &self.nodes[edge.from.0 as usize];
                    let (vertex, operator) = places[edge.from.0 as usize];
                    let wanted =
                        from.wishes.chaining != Chaining::Never && node.wishes.chaining == Chaining::Always;
                    let group = &node.wishes.slot_sharing_group;
                    let together = vertices[vertex].parallelism == node.parallelism
                        && (group.is_none() || *group == vertices[vertex].slot_sharing_group)
                        && node
                            .wishes
                            .max_parallelism
                            .is_none_or(|own| own == vertices[vertex].max_parallelism);
                    (wanted && together).then_some((vertex, operator))
                }
                _ => None,
            };
            let chained = ChainedNode {
                node: node.clone(),
                parent: parent.map(|(_, operator)| operator),
                tag: parent.and_then(|_| inputs.first()).and_then(|edge| edge.tag.clone()),
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
            // As in Flink: the group of the inputs, if they share one.
            let mut groups =
                inputs.iter().map(|edge| &vertices[places[edge.from.0 as usize].0].slot_sharing_group);
            let inherited = match groups.next() {
                Some(first) if groups.all(|group| group == first) => first.clone(),
                _ => None,
            };
            let group =
                node.wishes.slot_sharing_group.clone().or(inherited).filter(|group| group != "default");
            for edge in inputs {
                let (from, from_operator) = places[edge.from.0 as usize];
                // Rows of a forward edge whose ends differ in parallelism are spread evenly.
                let differ = vertices[from].parallelism != node.parallelism;
                let exchange = match edge.exchange == Exchange::Forward && differ {
                    true => Exchange::Rebalance,
                    false => edge.exchange.clone(),
                };
                let from = VertexId(from as u32);
                let (input, tag) = (edge.input, edge.tag.clone());
                job_edges.push(JobEdge { from, from_operator, to: vertex, input, exchange, tag });
            }
            vertices.push(JobVertex {
                id: vertex,
                name: node.name.clone(),
                operators: vec![chained],
                parallelism: node.parallelism,
                max_parallelism: match node.wishes.max_parallelism.unwrap_or(max_parallelism) {
                    0 => default_max_parallelism(node.parallelism),
                    set => set,
                },
                slot_sharing_group: group,
            });
            places.push((vertex.0 as usize, 0));
        }
        for vertex in &vertices {
            if vertex.parallelism == 0 || vertex.parallelism > vertex.max_parallelism {
                return Err(Error::invalid(format!(
                    "parallelism {} of '{}' is not between 1 and the maximum parallelism {}, the number of key groups: set \
                     another parallelism, or a higher 'pipeline.max-parallelism' (a job that continues from a snapshot keeps \
                     the number that it began with)",
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
            outline: None,
        })
    }
}

impl JobGraph {
    /// The slots that the job needs: for each vertex the slot of its first subtask, and the total. Vertices
    /// of one slot sharing group share slots, subtask by subtask; each group has its own slots.
    pub fn slots(&self) -> (Vec<u32>, u32) {
        let mut widths: BTreeMap<Option<&str>, u32> = BTreeMap::new();
        for vertex in &self.vertices {
            let width = widths.entry(vertex.slot_sharing_group.as_deref()).or_default();
            *width = vertex.parallelism.max(*width);
        }
        let mut total = 0;
        let mut starts = BTreeMap::new();
        for (group, width) in widths {
            starts.insert(group, total);
            total += width;
        }
        let start =
            |vertex: &JobVertex| starts.get(&vertex.slot_sharing_group.as_deref()).copied().unwrap_or(0);
        (self.vertices.iter().map(start).collect(), total)
    }

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
