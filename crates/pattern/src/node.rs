//! Patterns of SQL that are more than variables one after the other.

use crate::automaton::Test;
use crate::sequence::{Contiguity, Stage, Times};

/// A row pattern. Variables are numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// One row.
    Variable(u32),
    /// One after the other.
    Sequence(Vec<Node>),
    /// One of them; of several that match the same rows the first one.
    Choice(Vec<Node>),
    /// Several times.
    Repeat {
        /// What is repeated.
        node: Box<Node>,
        /// At least so often.
        min: u32,
        /// At most so often; `None` is without limit.
        max: Option<u32>,
        /// What follows takes no row with which another round could begin.
        greedy: bool,
    },
}

impl Node {
    /// Nodes one after the other, in every order.
    pub fn permute(nodes: &[Node]) -> Node {
        fn orders(left: &[Node]) -> Vec<Vec<Node>> {
            if left.is_empty() {
                return vec![Vec::new()];
            }
            let first = |at: usize| {
                let mut rest = left.to_vec();
                let node = rest.remove(at);
                orders(&rest).into_iter().map(move |mut order| {
                    order.insert(0, node.clone());
                    order
                })
            };
            (0..left.len()).flat_map(first).collect()
        }
        Node::Choice(orders(nodes).into_iter().map(Node::Sequence).collect())
    }

    /// Its stages. `variables` gets the variable of each.
    pub(crate) fn stages(&self, variables: &mut Vec<u32>) -> Vec<Stage> {
        match self {
            Node::Variable(variable) => {
                let number = numbered(*variable, variables);
                vec![Stage::new(number, Contiguity::Strict, Test::Holds(*variable))]
            }
            Node::Sequence(nodes) => nodes.iter().flat_map(|node| node.stages(variables)).collect(),
            Node::Choice(nodes) => {
                let number = numbered(u32::MAX, variables);
                let choices = nodes.iter().map(|node| node.stages(variables)).collect();
                vec![Stage::choice(number, Contiguity::Strict, choices)]
            }
            Node::Repeat { node, min, max, greedy } => {
                let mut stage = match node.stages(variables) {
                    mut one if one.len() == 1 && one[0].is_plain() => one.remove(0),
                    several => Stage::group(numbered(u32::MAX, variables), Contiguity::Strict, several),
                };
                let least = (*min).max(1);
                stage.times = match max {
                    Some(1) => Times::Once,
                    Some(max) => Times::Between(least, *max),
                    None => Times::AtLeast(least),
                };
                stage.inner = Contiguity::Strict;
                stage.optional = *min == 0;
                stage.greedy = *greedy && Some(*min) != *max && (*min, *max) != (0, Some(1));
                vec![stage]
            }
        }
    }
}

fn numbered(variable: u32, variables: &mut Vec<u32>) -> u32 {
    variables.push(variable);
    variables.len() as u32 - 1
}
