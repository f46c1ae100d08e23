//! Patterns: what is looked for, and what happens after a match.

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

    pub(crate) fn takes_more(&self, count: u32) -> bool {
        self.max.is_none_or(|max| count < max)
    }
}

/// AFTER MATCH SKIP: which runs a match ends, and which of their matches are not reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Skip {
    /// Those that began with its first row, or before.
    ToNextRow,
    /// Those that began with one of its rows, or before.
    PastLastRow,
    /// Those that began before the first row of this variable.
    ToFirst(usize),
    /// Those that began before the last row of this variable.
    ToLast(usize),
}

/// A pattern: variables one after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    pub(crate) variables: Vec<Variable>,
    pub(crate) within: Option<i64>,
    pub(crate) skip: Skip,
}

impl Pattern {
    /// `within`: the last row of a match is less than this long after its first row, in the unit of the rows'
    /// times.
    pub fn new(variables: Vec<Variable>, within: Option<i64>, skip: Skip) -> Self {
        Pattern { variables, within, skip }
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
