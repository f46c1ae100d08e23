//! Patterns of SQL: variables one after the other.

use crate::automaton::{Automaton, Test};
use crate::node::Node;
use crate::sequence::{Contiguity, Malformed, Stage, Times};
use crate::skip::Skip;

/// A variable of a pattern with its quantifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Variable {
    pub(crate) min: u32,
    pub(crate) max: Option<u32>,
    pub(crate) greedy: bool,
}

impl Variable {
    /// A variable of `min` to `max` rows; `None` means no limit.
    pub fn new(min: u32, max: Option<u32>, greedy: bool) -> Self {
        Variable { min, max, greedy }
    }

    /// A variable of exactly one row.
    pub fn once() -> Self {
        Variable::new(1, Some(1), false)
    }

    /// Whether it may have no row.
    pub fn is_optional(&self) -> bool {
        self.min == 0
    }

    /// Whether the variable after it may not take rows that this one would take.
    pub fn holds_back(&self) -> bool {
        self.greedy && self.max != Some(self.min) && (self.min, self.max) != (0, Some(1))
    }

    /// The stage of the automaton; `None` if it takes no row.
    fn stage(&self, number: u32) -> Option<Stage> {
        let least = self.min.max(1);
        let times = match self.max {
            Some(0) => return None,
            Some(1) => Times::Once,
            Some(max) => Times::Between(least, max),
            None => Times::AtLeast(least),
        };
        let stage = Stage::new(number, Contiguity::Strict, Test::Holds(number));
        let (optional, greedy) = (self.is_optional(), self.holds_back());
        Some(Stage { times, optional, greedy, inner: Contiguity::Strict, ..stage })
    }
}

/// A pattern: variables one after the other, without rows between.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    variables: Vec<Variable>,
    /// Without one the pattern has no variable that takes a row, and so no match.
    automaton: Option<Automaton>,
    /// The variables of the automaton's stages, if they are not the same.
    stages: Vec<u32>,
    nested: bool,
}

impl Pattern {
    /// `within`: the last row of a match is less than this long after its first row, in the unit of the rows'
    /// times.
    pub fn new(variables: Vec<Variable>, within: Option<i64>, skip: Skip) -> Self {
        let numbered = variables.iter().zip(0..);
        let mut stages: Vec<Stage> =
            numbered.filter_map(|(variable, number)| variable.stage(number)).collect();
        if let Some(last) = stages.last_mut() {
            last.within = within;
        }
        let automaton = Automaton::new(&stages, skip, true).ok();
        Pattern { variables, automaton, stages: Vec::new(), nested: false }
    }

    /// A pattern with groups or choices, over as many variables.
    ///
    /// # Errors
    /// If a group that repeats may be empty, or there is nothing to match.
    pub fn nested(node: &Node, variables: usize, within: Option<i64>, skip: Skip) -> Result<Self, Malformed> {
        let mut of_stages = Vec::new();
        let mut stages = node.stages(&mut of_stages);
        if let Some(last) = stages.last_mut() {
            last.within = within;
        }
        let automaton = Some(Automaton::new(&stages, skip, true)?);
        let variables = vec![Variable::once(); variables];
        Ok(Pattern { variables, automaton, stages: of_stages, nested: true })
    }

    pub(crate) fn stages(&self) -> &[u32] {
        &self.stages
    }

    pub(crate) fn is_nested(&self) -> bool {
        self.nested
    }

    pub(crate) fn automaton(&self) -> Option<&Automaton> {
        self.automaton.as_ref()
    }

    /// How many variables there are.
    pub fn len(&self) -> usize {
        self.variables.len()
    }

    /// Whether there are no variables.
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    /// Whether it would match zero rows.
    pub fn matches_nothing(&self) -> bool {
        self.variables.iter().all(Variable::is_optional)
    }

    /// The variable, if the pattern ends with it and it is greedy: such a pattern could not know when it has
    /// ended.
    pub fn greedy_end(&self) -> Option<usize> {
        let last = self.variables.len().checked_sub(1)?;
        self.variables[last].holds_back().then_some(last)
    }
}
