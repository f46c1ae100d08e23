//! The graph that a program describes, before it becomes a plan.

mod planned;
mod shown;
mod uids;

use std::sync::Arc;

use flott_batch::codec::RecordsReader;
use flott_connector::{Sink, Source};
use flott_plan::{Exchange, JobGraph, Node, NodeId, OperatorSpec, Schema, SinkSpec, SourceSpec};
use flott_plan::{Lineage, Outline, OutlineEdge, OutlineOperator, StreamGraph, TableSpec, Wishes};
use flott_types::{Error, OperatorUid, Result};
use parking_lot::Mutex;

use self::planned::of_program;
pub(crate) use self::planned::{Met, Planned};
use self::uids::{nameless, uids};
use crate::program::{
    CONNECTOR, MakeOperator, NODE, Outputs, PROGRAM, Program, ProgramNode, RUNNING_PROGRAM, Sends, Tables,
};

/// What a node of the graph is.
#[derive(Clone)]
pub(crate) enum NodeKind {
    Source(Arc<dyn Source>),
    Operator(MakeOperator),
    Sink(Arc<dyn Sink>),
    Collect,
    /// A planner made it.
    Planned(Box<Planned>),
}

/// Where an input of a node comes from.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    pub node: usize,
    pub exchange: Exchange,
    pub tag: Option<String>,
}

/// A node of the graph.
#[derive(Clone)]
pub(crate) struct Transformation {
    pub name: String,
    /// What it does, for people.
    pub description: Option<String>,
    /// The kind of operator, independent of its name: a part of its default uid.
    pub shape: &'static str,
    /// It may have state.
    pub stateful: bool,
    pub uid: Option<String>,
    pub parallelism: Option<u32>,
    /// The node has as many subtasks as its only input.
    pub beside_input: bool,
    /// Whoever reads it by [`Exchange::Forward`] must have as many subtasks: its records are where their keys
    /// belong.
    pub stays: bool,
    /// The node cannot have more subtasks (an iterator that cannot be split, a window over everything).
    pub fixed: bool,
    pub wishes: Wishes,
    pub kind: NodeKind,
    /// Its outputs that somebody reads.
    pub outputs: Outputs,
    /// It sends columns, these, and not values.
    pub columns: Option<Schema>,
    /// For each input, the streams that feed it.
    pub inputs: Vec<Vec<Upstream>>,
}

/// The graph, shared by the environment and its streams.
#[derive(Clone, Default)]
pub(crate) struct Graph {
    nodes: Arc<Mutex<Vec<Transformation>>>,
    /// The first error while the graph was described; reported when it is executed.
    fault: Arc<Mutex<Option<Error>>>,
    /// How many nodes existed at the last execution: they are executed again only if something new needs
    /// them.
    executed: Arc<Mutex<usize>>,
    /// What runs the parts that a planner made.
    tables: Arc<Mutex<Option<Tables>>>,
}

impl Transformation {
    /// A node of this kind, which is also its initial name.
    fn new(shape: &'static str, kind: NodeKind, inputs: Vec<Vec<Upstream>>) -> Self {
        Transformation {
            name: shape.to_owned(),
            description: None,
            shape,
            stateful: false,
            uid: None,
            parallelism: None,
            beside_input: false,
            stays: false,
            fixed: false,
            wishes: Wishes::default(),
            kind,
            outputs: Outputs::default(),
            columns: None,
            inputs,
        }
    }
}

impl Graph {
    /// A node of this kind, which is also its initial name.
    pub fn add(&self, shape: &'static str, kind: NodeKind, inputs: Vec<Vec<Upstream>>) -> usize {
        let mut nodes = self.nodes.lock();
        nodes.push(Transformation::new(shape, kind, inputs));
        nodes.len() - 1
    }

    pub fn change(&self, node: usize, change: impl FnOnce(&mut Transformation)) {
        change(&mut self.nodes.lock()[node]);
    }

    /// Its output consists of records of this type.
    pub fn sends(&self, from: &Upstream, records: RecordsReader) {
        self.change(from.node, |node| {
            node.outputs.insert(from.tag.clone(), records);
        });
    }

    /// The factory of an operator, and the previous node.
    #[cfg(test)]
    pub fn operator(&self, node: usize) -> (MakeOperator, usize) {
        match &self.nodes.lock()[node] {
            Transformation { kind: NodeKind::Operator(factory), inputs, .. } => {
                (factory.clone(), inputs[0][0].node)
            }
            other => panic!("{} is no operator", other.name),
        }
    }

    /// Whether two graphs are one.
    pub fn is(&self, other: &Graph) -> bool {
        Arc::ptr_eq(&self.nodes, &other.nodes)
    }

    /// Makes the execution fail with this error. The first error wins.
    pub fn fail(&self, error: Error) {
        self.fault.lock().get_or_insert(error);
    }

    /// Whether everything has been executed before.
    pub fn is_empty(&self) -> bool {
        self.nodes.lock().len() == *self.executed.lock()
    }

    /// Marks all nodes as executed.
    pub fn executed(&self) {
        *self.executed.lock() = self.nodes.lock().len();
    }

    /// The nodes of an execution: the new ones, and those that they need.
    fn needed(&self, nodes: &[Transformation]) -> Vec<bool> {
        let executed = *self.executed.lock();
        let mut needed: Vec<bool> = (0..nodes.len()).map(|at| at >= executed).collect();
        for at in (0..nodes.len()).rev() {
            if needed[at] {
                nodes[at].inputs.iter().flatten().for_each(|upstream| needed[upstream.node] = true);
            }
        }
        needed
    }

    /// Whether all sources end by themselves.
    pub fn is_bounded(&self) -> bool {
        let nodes = self.nodes.lock();
        let needed = self.needed(&nodes);
        nodes.iter().zip(needed).all(|(node, needed)| !needed || node.is_bounded())
    }

    /// The plan and the code that belongs to it.
    pub fn build(&self, program: &str, settings: &Settings) -> Result<(JobGraph, Program)> {
        if let Some(fault) = self.fault.lock().take() {
            return Err(fault);
        }
        let nodes = self.nodes.lock();
        let mut graph = StreamGraph::default();
        let mut code = Vec::with_capacity(nodes.len());
        let sends = nodes.iter().map(|node| match node.columns {
            Some(_) => Sends::Columns,
            None => Sends::Records(node.outputs.clone()),
        });
        let sends = sends.collect();
        let needed = self.needed(&nodes);
        let mut uids = uids(&nodes, &needed)?;
        let nameless = nameless(&nodes, &needed);
        if settings.outlives && !nameless.is_empty() {
            tracing::warn!(
                job = settings.name,
                operators = nameless.join(", "),
                "these operators have state and no uid: give each one `.uid(\"...\")`, so that its state is found again when the \
                 program has changed"
            );
        }
        let collects =
            |(node, needed): &(&Transformation, &bool)| **needed && matches!(node.kind, NodeKind::Collect);
        if nodes.iter().zip(&needed).filter(collects).count() > 1 {
            return Err(Error::invalid(
                "a job has one stream that the program collects, and this one has several; unite them, or write the others to \
                 sinks",
            ));
        }
        let parallelism = parallelism(&nodes, &needed, settings)?;
        let mut ids = vec![NodeId(0); nodes.len()];
        let mut outline = Outline::default();
        for (at, node) in nodes.iter().enumerate() {
            let (spec, part) = spec(program, at, node);
            code.push(part);
            if !needed[at] {
                continue;
            }
            outline.operators.insert(at as u32, outlined(node, &uids[at]));
            ids[at] = graph.add(Node {
                uid: std::mem::replace(&mut uids[at], OperatorUid(String::new())),
                name: node.name.clone(),
                spec,
                schema: node.columns.clone().unwrap_or_default(),
                parallelism: parallelism[at],
                wishes: node.wishes.clone(),
                lineage: match &node.kind {
                    NodeKind::Planned(planned) => planned.lineage.clone(),
                    _ => Lineage::default(),
                },
            });
            for (input, upstreams) in node.inputs.iter().enumerate() {
                for Upstream { node: from, exchange, tag } in upstreams {
                    graph.connect(ids[*from], ids[at], input, exchange.clone());
                    if let Some(edge) = graph.edges.last_mut() {
                        edge.tag = tag.clone();
                    }
                }
            }
        }
        let mut configuration = settings.configuration.clone();
        configuration.extend(planned::settings(&nodes, &needed)?);
        let tables = self.tables.lock().clone();
        if tables.is_some() {
            configuration.insert(RUNNING_PROGRAM.to_owned(), program.to_owned());
        }
        let mut plan = graph.into_job_graph(
            &settings.name,
            configuration,
            settings.max_parallelism,
            settings.chaining,
        )?;
        plan.outline = Some(outline.clone());
        Ok((plan, Program::new(code, sends, outline, tables)))
    }
}

/// How many subtasks each node has. Inputs have smaller numbers.
fn parallelism(nodes: &[Transformation], needed: &[bool], settings: &Settings) -> Result<Vec<u32>> {
    let mut parallelism: Vec<u32> = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let input = node.inputs.first().and_then(|upstreams| upstreams.first());
        let stays =
            |upstream: &Upstream| upstream.exchange == Exchange::Forward && nodes[upstream.node].stays;
        let beside = |upstream: &&Upstream| {
            node.beside_input || (stays(upstream) && node.parallelism.is_none() && !node.fixed)
        };
        let own = match input.filter(beside) {
            Some(upstream) => parallelism[upstream.node],
            None => node.parallelism.unwrap_or(settings.parallelism),
        };
        parallelism.push(own);
        let mut keyed = node.inputs.iter().flatten().filter(|upstream| needed[at] && stays(upstream));
        if let Some(other) = keyed.find(|upstream| parallelism[upstream.node] != own) {
            return Err(Error::invalid(format!(
                "'{}' has {own} subtasks and reads a stream of {} that was reinterpreted as keyed; both must have as many",
                node.name, parallelism[other.node]
            )));
        }
    }
    Ok(parallelism)
}

/// The outline that another process with the same program must match.
fn outlined(node: &Transformation, uid: &OperatorUid) -> OutlineOperator {
    let sends = node
        .outputs
        .iter()
        .map(|(tag, records)| (tag.clone().unwrap_or_default(), records.type_name().to_owned()));
    let reads = (0..).zip(&node.inputs).flat_map(|(input, upstreams)| {
        upstreams.iter().map(move |upstream| OutlineEdge {
            input,
            from: upstream.node as u32,
            tag: upstream.tag.clone().unwrap_or_default(),
            exchange: upstream.exchange.clone(),
        })
    });
    OutlineOperator {
        name: node.name.clone(),
        uid: uid.0.clone(),
        sends: sends.collect(),
        reads: reads.collect(),
    }
}

/// Settings of the whole job.
pub(crate) struct Settings {
    pub name: String,
    pub parallelism: u32,
    pub max_parallelism: u32,
    pub chaining: bool,
    /// The job takes snapshots, or starts from one: its state may be read by another version of the program.
    pub outlives: bool,
    pub configuration: std::collections::BTreeMap<String, String>,
}

fn spec(program: &str, at: usize, node: &Transformation) -> (OperatorSpec, ProgramNode) {
    let table = || TableSpec {
        name: node.name.clone(),
        connector: CONNECTOR.to_owned(),
        options: [(PROGRAM.key().to_owned(), program.to_owned()), (NODE.key().to_owned(), at.to_string())]
            .into(),
        schema: Schema::default(),
        partition_keys: Vec::new(),
        primary_key: Vec::new(),
    };
    match &node.kind {
        NodeKind::Source(source) => {
            let (projection, metadata) = (Vec::new(), Schema::default());
            let spec = SourceSpec {
                table: table(),
                projection,
                paths: Vec::new(),
                metadata,
                limit: None,
                watermark: None,
                errors: false,
            };
            (OperatorSpec::Source(spec), ProgramNode::Source(source.clone()))
        }
        NodeKind::Sink(sink) => {
            let (metadata, static_partition) = (Schema::default(), Default::default());
            let spec = SinkSpec {
                table: table(),
                metadata,
                overwrite: false,
                static_partition,
                drop_update_before: false,
            };
            (OperatorSpec::Sink(spec), ProgramNode::Sink(sink.clone()))
        }
        NodeKind::Operator(factory) => {
            let spec = OperatorSpec::Function { program: program.to_owned(), node: at as u32 };
            (spec, ProgramNode::Operator(factory.clone()))
        }
        NodeKind::Collect => (OperatorSpec::Collect, ProgramNode::Collect),
        NodeKind::Planned(planned) => of_program(planned, program, at),
    }
}
