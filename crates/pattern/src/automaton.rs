//! What a pattern is compiled to: states, and edges that a row may follow.

use serde::{Deserialize, Serialize};

use crate::skip::Skip;

/// A condition of an edge, over conditions that the caller knows by number.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Test {
    /// Every row passes.
    Always,
    /// The condition of this number holds.
    Holds(u32),
    /// The other one does not pass.
    Not(Box<Test>),
    /// Both pass; the second is not asked if the first does not.
    Both(Box<Test>, Box<Test>),
}

impl Test {
    /// The rows that do not pass this one.
    pub(crate) fn negated(&self) -> Self {
        Test::Not(Box::new(self.clone()))
    }

    /// The rows that pass this one, and then another.
    pub(crate) fn and(&self, other: Test) -> Self {
        match self {
            Test::Always => other,
            _ => Test::Both(Box::new(self.clone()), Box::new(other)),
        }
    }
}

/// What a row does on an edge.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Action {
    /// It becomes part of the match.
    Take,
    /// It is passed over.
    Ignore,
    /// Nothing yet: it is tried on the edges of the target.
    Proceed,
}

/// An edge to another state.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Edge {
    pub action: Action,
    pub target: u32,
    pub test: Test,
}

/// What it means to be in a state.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    /// Something is still to come.
    Normal,
    /// A match.
    Final,
    /// What must not come has come.
    Stop,
    /// A match once its time is over.
    Pending,
}

/// A state.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct State {
    pub kind: Kind,
    /// The stage whose rows are taken here.
    pub stage: u32,
    pub edges: Vec<Edge>,
    /// How long it may take until the next row is taken.
    pub gap: Option<i64>,
}

/// A compiled pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Automaton {
    pub(crate) states: Vec<State>,
    pub(crate) start: u32,
    pub(crate) within: Option<i64>,
    pub(crate) skip: Skip,
    /// Whether a match without a row to skip to is an error.
    pub(crate) misses_fail: bool,
    /// Whether any state limits the time to the next row.
    pub(crate) has_gaps: bool,
}

/// Says whether state was written by the same pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Shape(pub(crate) u64);

impl Automaton {
    /// Its shape: states and edges, but not what the conditions are.
    pub fn shape(&self) -> Shape {
        // FNV-1a over the printed form: stable between versions of the compiler, as a hasher's result is not.
        let text = format!("{:?} {:?} {:?}", self.states, self.start, self.within);
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Shape(text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
    }

    /// Whether matches and partial matches can end because time passes.
    pub fn has_deadlines(&self) -> bool {
        self.within.is_some() || self.has_gaps
    }

    pub(crate) fn state(&self, number: u32) -> &State {
        &self.states[number as usize]
    }

    /// Whether a row can be proceeded with forever.
    pub(crate) fn has_empty_loop(&self) -> bool {
        /// Depth first; a state that is met again while it is being visited closes a loop.
        fn visit(automaton: &Automaton, state: u32, visited: &mut [u8]) -> bool {
            match visited[state as usize] {
                1 => return true,
                2 => return false,
                _ => visited[state as usize] = 1,
            }
            let edges = automaton.state(state).edges.iter();
            let closed = edges
                .filter(|edge| edge.action == Action::Proceed)
                .any(|edge| visit(automaton, edge.target, visited));
            visited[state as usize] = 2;
            closed
        }
        let mut visited = vec![0; self.states.len()];
        (0..self.states.len() as u32).any(|state| visit(self, state, &mut visited))
    }
}
