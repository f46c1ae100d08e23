//! Operators that a planner made, as nodes of a program's graph.
//!
//! They stay what they are: data, which the factory of the program's [`Tables`] turns into operators. Only
//! sources and sinks become parts of the program, because a cluster that runs programs knows no connectors.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_connector::{Boundedness, Sink, Source, TableContext};
use flott_plan::{Exchange, Lineage, Node, NodeId, OperatorSpec, StreamGraph, TableSpec};
use flott_types::{Error, Result};

use super::{Graph, NodeKind, Settings, Transformation, Upstream, parallelism, uids};
use crate::program::{CONNECTOR, MakeOperator, NODE, PROGRAM, ProgramNode, Tables};

/// An operator that a planner made.
#[derive(Clone)]
pub(crate) struct Planned {
    pub spec: OperatorSpec,
    pub lineage: Lineage,
    end: End,
    /// What the planner's session had set, as far as operators read it when they run.
    settings: Arc<BTreeMap<String, String>>,
}

impl Planned {
    /// The uid that a user gave to the state of a process table function.
    pub(super) fn users_uid(&self) -> Option<&str> {
        match &self.spec {
            OperatorSpec::ProcessTable(spec) if spec.tables.iter().any(|table| table.partition.is_some()) => {
                Some(&spec.uid)
            }
            _ => None,
        }
    }
}

/// Whether it is where a table is read or written.
#[derive(Clone)]
enum End {
    Source(Arc<dyn Source>),
    Sink(Arc<dyn Sink>),
    Neither,
}

/// How a node of a plan is met in the program.
pub(crate) enum Met {
    /// It is an operator of the planner.
    AsPlanned,
    /// It reads a stream of the program: this operator turns its values into the rows.
    Reads { upstreams: Vec<Upstream>, operator: MakeOperator, beside: bool },
    /// It writes to a stream of the program.
    Writes,
}

impl Transformation {
    /// Whether it ends by itself, as far as it depends on it.
    pub(super) fn is_bounded(&self) -> bool {
        let bounded = |source: &Arc<dyn Source>| source.boundedness() == Boundedness::Bounded;
        match &self.kind {
            NodeKind::Source(source) => bounded(source),
            NodeKind::Planned(planned) => match &planned.end {
                End::Source(source) => bounded(source),
                End::Sink(_) | End::Neither => true,
            },
            NodeKind::Operator(_) | NodeKind::Sink(_) | NodeKind::Collect => true,
        }
    }
}

impl Graph {
    /// A graph with the same nodes, to which others may be added and which runs only those.
    pub fn fork(&self) -> Graph {
        let nodes = self.nodes.lock().clone();
        let executed = nodes.len();
        Graph {
            nodes: Arc::new(parking_lot::Mutex::new(nodes)),
            fault: self.fault.clone(),
            executed: Arc::new(parking_lot::Mutex::new(executed)),
            tables: Arc::new(parking_lot::Mutex::new(self.tables.lock().clone())),
        }
    }

    /// How many subtasks the operator would have that reads these first.
    pub fn parallelism_behind(&self, upstreams: &[Upstream], settings: &Settings) -> Result<u32> {
        let nodes = self.nodes.lock();
        // None is executed.
        let all = parallelism(&nodes, &vec![false; nodes.len()], settings)?;
        Ok(match upstreams.first() {
            Some(first) if first.exchange == Exchange::Forward => all[first.node],
            _ => settings.parallelism,
        })
    }

    /// A name of the stream that these feed, the same in the next start of the program.
    pub fn identity(&self, upstreams: &[Upstream]) -> String {
        uids::identity(&self.nodes.lock(), upstreams)
    }

    /// Whether all sources upstream of these end by themselves.
    pub fn ends(&self, upstreams: &[Upstream]) -> bool {
        let nodes = self.nodes.lock();
        let mut above = vec![false; nodes.len()];
        upstreams.iter().for_each(|upstream| above[upstream.node] = true);
        for at in (0..nodes.len()).rev().filter(|at| above[*at]).collect::<Vec<_>>() {
            nodes[at].inputs.iter().flatten().for_each(|upstream| above[upstream.node] = true);
        }
        nodes.iter().zip(above).all(|(node, above)| !above || node.is_bounded())
    }

    /// Adds the operators of a plan, all or none: those that nobody reads would run with the next job. For each
    /// that writes to a stream, in their order, where its rows come from.
    ///
    /// # Errors
    /// If the plan's tables cannot be read or written, or tables of another environment are here already.
    pub fn attach(
        &self,
        plan: &StreamGraph,
        settings: BTreeMap<String, String>,
        (tables, context): (&Tables, &TableContext),
        met: impl Fn(&Node) -> Result<Met>,
    ) -> Result<Vec<Upstream>> {
        let mut nodes = self.nodes.lock();
        let mut own = self.tables.lock();
        if own.as_ref().is_some_and(|own| !Arc::ptr_eq(&own.registry, &tables.registry)) {
            return Err(Error::invalid(
                "an environment has the tables of one table environment, and these are of another",
            ));
        }
        let settings = Arc::new(settings);
        let before = nodes.len();
        let mut added: Vec<Transformation> = Vec::with_capacity(plan.nodes.len());
        let mut places: Vec<Option<usize>> = Vec::with_capacity(plan.nodes.len());
        let mut streams = Vec::new();
        for (number, node) in plan.nodes.iter().enumerate() {
            let edges = plan.edges.iter().filter(|edge| edge.to == NodeId(number as u32));
            let edges: Vec<&flott_plan::Edge> = edges.collect();
            let count = edges.iter().map(|edge| edge.input + 1).max().unwrap_or(0);
            let mut inputs = vec![Vec::new(); count];
            for edge in &edges {
                let from = places.get(edge.from.0 as usize).copied().flatten();
                let from = from.ok_or_else(|| Error::internal("a plan reads what it has written"))?;
                let (exchange, tag) = (edge.exchange.clone(), edge.tag.clone());
                inputs[edge.input].push(Upstream { node: from, exchange, tag });
            }
            // As in the plan: with its input, or on its own.
            let beside = edges.first().is_some_and(|edge| {
                edge.exchange == Exchange::Forward
                    && plan.nodes[edge.from.0 as usize].parallelism == node.parallelism
            });
            let made = match met(node)? {
                Met::Writes => {
                    streams.extend(inputs.into_iter().flatten().next());
                    places.push(None);
                    continue;
                }
                Met::Reads { upstreams, operator, beside } => {
                    let operator = NodeKind::Operator(operator);
                    let made = Transformation::new("To Rows", operator, vec![upstreams]);
                    Transformation { beside_input: beside, ..made }
                }
                Met::AsPlanned => {
                    let (spec, lineage) = (node.spec.clone(), node.lineage.clone());
                    let end = end(&spec, tables, context)?;
                    let planned = Planned { spec, lineage, end, settings: settings.clone() };
                    Transformation {
                        uid: Some(node.uid.0.clone()),
                        wishes: node.wishes.clone(),
                        parallelism: Some(node.parallelism),
                        beside_input: beside,
                        stateful: node.spec.may_have_state(),
                        ..Transformation::new("Planned", NodeKind::Planned(Box::new(planned)), inputs)
                    }
                }
            };
            places.push(Some(before + added.len()));
            let (name, columns) = (node.name.clone(), Some(node.schema.clone()));
            added.push(Transformation { name, columns, ..made });
        }
        nodes.extend(added);
        own.get_or_insert_with(|| tables.clone());
        Ok(streams)
    }
}

fn end(spec: &OperatorSpec, tables: &Tables, context: &TableContext) -> Result<End> {
    Ok(match spec {
        OperatorSpec::Source(spec) => End::Source(tables.registry.source(spec, context)?),
        OperatorSpec::Sink(spec) => End::Sink(tables.registry.sink(spec, context)?),
        _ => End::Neither,
    })
}

/// What the operators of a planner read of their session's settings. A job has each setting once.
///
/// # Errors
/// If they were planned with different settings.
pub(super) fn settings(nodes: &[Transformation], needed: &[bool]) -> Result<BTreeMap<String, String>> {
    let needed = nodes.iter().zip(needed).filter(|(_, needed)| **needed);
    let mut all = needed.filter_map(|(node, _)| match &node.kind {
        NodeKind::Planned(planned) => Some(&*planned.settings),
        _ => None,
    });
    let Some(first) = all.next() else { return Ok(BTreeMap::new()) };
    for other in all {
        let mut keys = first.keys().chain(other.keys());
        if let Some(key) = keys.find(|key| first.get(*key) != other.get(*key)) {
            let value = |settings: &BTreeMap<String, String>| match settings.get(key) {
                Some(value) => format!("'{value}'"),
                None => "its default".to_owned(),
            };
            return Err(Error::invalid(format!(
                "the tables of a job have one '{key}', and those of this job were planned with {} and {}; execute the \
                 first ones before it is set",
                value(first),
                value(other)
            )));
        }
    }
    Ok(first.clone())
}

/// The operator in the plan of a job, and the code that belongs to it.
pub(super) fn of_program(planned: &Planned, program: &str, at: usize) -> (OperatorSpec, ProgramNode) {
    let number = |table: &mut TableSpec| {
        table.connector = CONNECTOR.to_owned();
        table.options =
            [(PROGRAM.key().to_owned(), program.to_owned()), (NODE.key().to_owned(), at.to_string())].into();
    };
    let mut spec = planned.spec.clone();
    let code = match (&mut spec, &planned.end) {
        (OperatorSpec::Source(spec), End::Source(source)) => {
            number(&mut spec.table);
            ProgramNode::Source(source.clone())
        }
        (OperatorSpec::Sink(spec), End::Sink(sink)) => {
            number(&mut spec.table);
            ProgramNode::Sink(sink.clone())
        }
        _ => ProgramNode::Planned,
    };
    (spec, code)
}
