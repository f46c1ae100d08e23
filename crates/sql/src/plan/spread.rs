//! By which columns the rows of a stream are spread over its subtasks.
//!
//! An operator with a key whose rows lie by it already needs no exchange: it is chained to its input. Rows lie by the
//! key groups of the same values, so its state is where an exchange would have it, also after a restore at another
//! parallelism.

use flott_plan::{AggregatePhase, Expr, JoinKind, NodeId, OperatorSpec};

use super::{Planner, Stream};

impl Planner<'_> {
    /// Whether all rows with one key are in one subtask, the one that an exchange by these columns would send them to.
    pub(super) fn lies_by(&self, stream: &Stream, keys: &[usize]) -> bool {
        !keys.is_empty()
            && stream.parallelism == self.options.parallelism
            && self.spreads(stream.id).iter().any(|columns| columns == keys)
    }

    /// Lists of columns of a node's output, by each of which its rows are spread.
    fn spreads(&self, node: NodeId) -> Vec<Vec<usize>> {
        let Some(spec) = self.graph.nodes.get(node.0 as usize).map(|node| &node.spec) else {
            return Vec::new();
        };
        let inputs = || self.graph.edges.iter().filter(|edge| edge.to == node);
        let input = || inputs().map(|edge| self.spreads(edge.from)).next().unwrap_or_default();
        let columns = match spec {
            OperatorSpec::Calc { projection, .. } => {
                let place = |column: &usize| {
                    let is = |expr: &Expr| matches!(expr, Expr::Column { index, .. } if index == column);
                    projection.iter().position(is)
                };
                let moved = |columns: &Vec<usize>| columns.iter().map(place).collect::<Option<Vec<usize>>>();
                input().iter().filter_map(moved).collect()
            }
            OperatorSpec::WatermarkAssigner(_) => input(),
            OperatorSpec::Join { kind, left_keys, right_keys, .. } => {
                let left = inputs().find(|edge| edge.input == 0).map(|edge| edge.from.0 as usize);
                let width =
                    left.and_then(|left| self.graph.nodes.get(left)).map_or(0, |left| left.schema.len());
                let of_right = || right_keys.iter().map(|column| column + width).collect();
                // A side whose rows may be absent has NULL in its keys.
                match kind {
                    JoinKind::Inner => vec![left_keys.clone(), of_right()],
                    JoinKind::Left | JoinKind::Semi | JoinKind::Anti => vec![left_keys.clone()],
                    JoinKind::Right => vec![of_right()],
                    JoinKind::Full => Vec::new(),
                }
            }
            OperatorSpec::TopN { partition, .. } => vec![partition.clone()],
            OperatorSpec::GroupAggregate { keys, phase, .. }
            | OperatorSpec::WindowAggregate { keys, phase, .. }
                if *phase != AggregatePhase::Local =>
            {
                vec![(0..keys.len()).collect()]
            }
            _ => Vec::new(),
        };
        columns.into_iter().filter(|columns| !columns.is_empty()).collect()
    }
}
