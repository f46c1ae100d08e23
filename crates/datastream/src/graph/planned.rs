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
}

/// Whether it is where a table is read or written.
#[derive(Clone)]
enum End {
    Source(Arc<dyn Source>),
    Sink(Arc<dyn Sink>),
    Neither,
}

/// What all parts that a planner made have in common.
#[derive(Clone)]
pub(super) struct PlannedParts {
    pub tables: Tables,
    /// What the planner's session has set, as far as operators read it.
    pub configuration: BTreeMap<String, String>,
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
            planned: Arc::new(parking_lot::Mutex::new(self.planned.lock().clone())),
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

    /// Adds the operators of a plan; for each that writes to a stream, in their order, where its rows come from.
    ///
    /// # Errors
    /// If the plan's tables cannot be read or written, or tables of another environment are here already.
    pub fn attach(
        &self,
        plan: &StreamGraph,
        configuration: BTreeMap<String, String>,
        (tables, context): (&Tables, &TableContext),
        met: impl Fn(&Node) -> Result<Met>,
    ) -> Result<Vec<Upstream>> {
        self.join(tables, configuration)?;
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
            let added = match met(node)? {
                Met::Writes => {
                    streams.extend(inputs.into_iter().flatten().next());
                    places.push(None);
                    continue;
                }
                Met::Reads { upstreams, operator, beside } => {
                    let added = self.add("To Rows", NodeKind::Operator(operator), vec![upstreams]);
                    self.change(added, |own| {
                        own.beside_input = beside;
                        own.columns = Some(node.schema.clone());
                    });
                    added
                }
                Met::AsPlanned => {
                    let planned = planned(node, tables, context)?;
                    let added = self.add("Planned", NodeKind::Planned(Box::new(planned)), inputs);
                    self.change(added, |own| {
                        own.uid = Some(node.uid.0.clone());
                        own.wishes = node.wishes.clone();
                        own.parallelism = Some(node.parallelism);
                        own.beside_input = beside;
                        own.stateful = may_have_state(&node.spec);
                        own.columns = Some(node.schema.clone());
                    });
                    added
                }
            };
            self.change(added, |own| own.name.clone_from(&node.name));
            places.push(Some(added));
        }
        Ok(streams)
    }

    fn join(&self, tables: &Tables, configuration: BTreeMap<String, String>) -> Result<()> {
        let mut planned = self.planned.lock();
        if let Some(there) = &*planned
            && !Arc::ptr_eq(&there.tables.registry, &tables.registry)
        {
            return Err(Error::invalid(
                "an environment has the tables of one table environment, and these are of another",
            ));
        }
        *planned = Some(PlannedParts { tables: tables.clone(), configuration });
        Ok(())
    }
}

fn planned(node: &Node, tables: &Tables, context: &TableContext) -> Result<Planned> {
    let end = match &node.spec {
        OperatorSpec::Source(spec) => End::Source(tables.registry.source(spec, context)?),
        OperatorSpec::Sink(spec) => End::Sink(tables.registry.sink(spec, context)?),
        _ => End::Neither,
    };
    Ok(Planned { spec: node.spec.clone(), lineage: node.lineage.clone(), end })
}

/// Whether another operator could be taken for it, and its state with it.
fn may_have_state(spec: &OperatorSpec) -> bool {
    !matches!(
        spec,
        OperatorSpec::Calc { .. }
            | OperatorSpec::Expand { .. }
            | OperatorSpec::Unnest { .. }
            | OperatorSpec::Union
            | OperatorSpec::Values { .. }
            | OperatorSpec::DropUpdateBefore
            | OperatorSpec::ToChangelog { .. }
            | OperatorSpec::FromChangelog { .. }
    )
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
