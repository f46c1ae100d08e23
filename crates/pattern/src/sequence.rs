//! What a pattern consists of, as a program says it: stages one after the other.

use std::fmt;

use crate::automaton::Test;

/// What may stand between a stage and the row before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contiguity {
    /// Nothing (`next`).
    Strict,
    /// Rows that do not match (`followedBy`).
    Relaxed,
    /// Any rows, also those that match (`followedByAny`).
    NonDeterministic,
    /// The stage must not come before the next one (`notFollowedBy`).
    NotFollowedBy,
    /// The stage must not come next (`notNext`).
    NotNext,
}

/// How often a stage comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Times {
    /// Once.
    Once,
    /// From the first to the second number, inclusive.
    Between(u32, u32),
    /// At least this often.
    AtLeast(u32),
}

/// A stage: rows that pass a condition, or a sequence of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stage {
    /// Matched rows refer to the stage by this number; another for each, the stages of groups included.
    pub number: u32,
    /// What its rows are.
    pub condition: Test,
    /// What may be before its first row.
    pub contiguity: Contiguity,
    /// How often it comes.
    pub times: Times,
    /// Whether it may be missing.
    pub optional: bool,
    /// Whether the stage after it may not take rows that this one would take.
    pub greedy: bool,
    /// What may be between its rows.
    pub inner: Contiguity,
    /// With a row that passes this, it is over.
    pub until: Option<Test>,
    /// The whole match takes less than this from its first row to its last.
    pub within: Option<i64>,
    /// It comes less than this after the row before it.
    pub gap: Option<i64>,
    /// The stages of a group.
    pub group: Option<Vec<Stage>>,
    /// Of these sequences one comes, the first one that can.
    pub choices: Vec<Vec<Stage>>,
}

impl Stage {
    /// One row that passes a condition.
    pub fn new(number: u32, contiguity: Contiguity, condition: Test) -> Self {
        Stage {
            number,
            condition,
            contiguity,
            times: Times::Once,
            optional: false,
            greedy: false,
            inner: Contiguity::Relaxed,
            until: None,
            within: None,
            gap: None,
            group: None,
            choices: Vec::new(),
        }
    }

    /// A sequence.
    pub fn group(number: u32, contiguity: Contiguity, stages: Vec<Stage>) -> Self {
        Stage { group: Some(stages), ..Stage::new(number, contiguity, Test::Always) }
    }

    /// One of several sequences. Their first stages must be strict.
    pub fn choice(number: u32, contiguity: Contiguity, choices: Vec<Vec<Stage>>) -> Self {
        Stage { choices, ..Stage::new(number, contiguity, Test::Always) }
    }

    /// Whether it takes rows itself, once.
    pub(crate) fn is_plain(&self) -> bool {
        self.group.is_none() && self.choices.is_empty() && self.times == Times::Once && !self.optional
    }
}

/// Why a pattern cannot be compiled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// There are no stages.
    Empty,
    /// It ends with what must not come, and never ends.
    OpenEnd,
    /// A stage may take longer than the whole.
    GapAboveWhole,
    /// A group that repeats may be empty.
    EmptyLoop,
    /// What must not come is repeated, optional or first.
    Negated,
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Malformed::Empty => "a pattern without stages matches nothing",
            Malformed::OpenEnd => {
                "a pattern that ends with `not_followed_by` needs `within`: otherwise it would never be known that nothing follows"
            }
            Malformed::GapAboveWhole => {
                "the time from one event to the next cannot be longer than the time that the whole pattern has"
            }
            Malformed::EmptyLoop => "a group that repeats must have a part that is not optional",
            Malformed::Negated => {
                "what must not come (`not_next`, `not_followed_by`) cannot be first, optional or repeated"
            }
        })
    }
}
