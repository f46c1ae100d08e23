//! What follows from the changes that consumers need: who leaves out the `-U` of its updates.

use flott_plan::{Exchange, Lineage, Node, NodeId, OperatorSpec, StreamGraph, Wishes};
use flott_types::{Error, OperatorUid, Result};

use super::{Planner, Stream};
use crate::changelog::{Asked, Input, Mode, Relation, derive, passes_updates, require};

impl Planner<'_> {
    /// What an operator makes of the changes and keys of its inputs.
    pub(super) fn relation(&self, spec: &OperatorSpec, inputs: &[(usize, &Stream, &Exchange)]) -> Relation {
        let inputs = inputs.iter().map(|(_, stream, exchange)| Input {
            relation: &stream.relation,
            exchange,
            width: stream.schema.len(),
        });
        derive(spec, &inputs.collect::<Vec<_>>(), self.options.streaming)
    }

    /// Refuses updates where they cannot be taken.
    pub(super) fn insert_only(&self, stream: &Stream, consumer: &str) -> Result<()> {
        if !stream.updates() {
            return Ok(());
        }
        let kinds = stream.relation.kinds.beyond_inserts();
        let node = &self.graph.nodes[self.origin(stream.id).0 as usize].name;
        Err(Error::invalid(format!(
            "{consumer} doesn't support consuming {kinds} changes which is produced by node {node}"
        )))
    }

    /// The operator that makes the updates that a stream has.
    fn origin(&self, mut node: NodeId) -> NodeId {
        let updated = |node: NodeId| !self.relations[node.0 as usize].kinds.is_insert_only();
        while passes_updates(&self.graph.nodes[node.0 as usize].spec) {
            let mut inputs = self.graph.edges.iter().filter(|edge| edge.to == node);
            match inputs.find(|edge| updated(edge.from)) {
                Some(edge) => node = edge.from,
                None => break,
            }
        }
        node
    }

    /// Leaves out what nobody needs, once all operators are planned. Gives what each of them emits.
    pub(super) fn leave_out_update_before(&mut self) -> Result<Vec<Mode>> {
        let Planner { graph, relations, asked, emissions, .. } = self;
        let required = require(graph, relations, |node| asked.get(&node).copied().unwrap_or(Asked::Both));
        for (node, needed) in graph.nodes.iter_mut().zip(&required.before) {
            if let Some(emit) = node.spec.update_before() {
                *emit = *needed;
            }
        }
        for (node, emissions) in emissions.iter() {
            let at = node.0 as usize;
            let (Some(node), Some(relation)) = (graph.nodes.get_mut(at), relations.get_mut(at)) else {
                continue;
            };
            if let OperatorSpec::ProcessTable(spec) = &mut node.spec {
                spec.output = emissions.chosen(required.before[at], required.full_deletes[at])?;
                relation.always_before = spec.output.update_before;
            }
        }
        for sink in required.dropping_sinks {
            if let OperatorSpec::Sink(spec) = &mut graph.nodes[sink.0 as usize].spec {
                spec.drop_update_before = true;
            }
        }
        let nodes = graph.nodes.iter().zip(relations.iter()).zip(&required.before);
        let mut modes: Vec<Mode> =
            nodes.map(|((node, relation), needed)| mode(&node.spec, relation, *needed)).collect();
        for edge in required.drops {
            if let Some((at, mode)) = drop_on(graph, edge, &modes) {
                modes.insert(at.0 as usize, mode);
            }
        }
        Ok(modes)
    }
}

fn mode(spec: &OperatorSpec, relation: &Relation, needed: bool) -> Mode {
    if matches!(spec, OperatorSpec::Sink(_) | OperatorSpec::Collect) {
        return Mode::Nothing;
    }
    let before = match spec {
        // A source has what it has.
        OperatorSpec::Source(_) => relation.always_before,
        _ => needed || relation.always_before,
    };
    Mode::Rows { updates: relation.kinds.updates, before, deletes: relation.kinds.deletes }
}

/// Drops `-U` on an edge. Gives the new node and what it emits.
fn drop_on(graph: &mut StreamGraph, edge: usize, modes: &[Mode]) -> Option<(NodeId, Mode)> {
    let (from, to) = graph.edges.get(edge).map(|edge| (edge.from, edge.to))?;
    let Mode::Rows { updates, deletes, .. } = *modes.get(from.0 as usize)? else { return None };
    let (sender, receiver) = (graph.nodes.get(from.0 as usize)?, graph.nodes.get(to.0 as usize)?);
    let uid = format!("DropUpdateBefore-{edge}-{}", receiver.uid.0);
    let node = Node {
        lineage: Lineage { whole: uid.clone(), columns: Vec::new() },
        uid: OperatorUid(uid),
        name: "DropUpdateBefore()".to_owned(),
        spec: OperatorSpec::DropUpdateBefore,
        schema: sender.schema.clone(),
        parallelism: sender.parallelism,
        wishes: Wishes::default(),
    };
    let at = graph.insert(edge, node)?;
    Some((at, Mode::Rows { updates, before: false, deletes }))
}
