//! MATCH_RECOGNIZE as plain data.

use flott_types::LogicalType;
use serde::{Deserialize, Serialize};

use crate::{AggregateCall, Expr, SortKey};

/// Finds row patterns in each partition. Output: the partition columns, then the measures, one row a match.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternSpec {
    /// PARTITION BY
    pub partition: Vec<usize>,
    /// The event time that rows are ordered by; `None` in processing time (arrival order).
    pub time_column: Option<usize>,
    /// How rows of one time are ordered.
    #[serde(default)]
    pub order: Vec<SortKey>,
    /// The variables; in the order of the pattern, if it has no shape.
    pub variables: Vec<PatternVariable>,
    /// How the variables follow each other; `None` is one after the other, with their own quantifiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<PatternShape>,
    /// AFTER MATCH SKIP
    pub skip: PatternSkip,
    /// WITHIN: the last row of a match is less than this many milliseconds after its first row.
    #[serde(default)]
    pub within: Option<i64>,
    /// What the measures read.
    pub references: Vec<PatternReference>,
    /// MEASURES: expressions over `references`.
    pub measures: Vec<Expr>,
}

impl PatternSpec {
    /// The measures and conditions, over the input or over references.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        let conditions = self.variables.iter().filter_map(|variable| variable.condition.as_ref());
        self.measures.iter().chain(conditions.map(|condition| match condition {
            PatternCondition::Row(condition) | PatternCondition::Path { condition, .. } => condition,
        }))
    }

    /// The same, to be changed.
    pub fn exprs_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let conditions = self.variables.iter_mut().filter_map(|variable| variable.condition.as_mut());
        self.measures.iter_mut().chain(conditions.map(|condition| match condition {
            PatternCondition::Row(condition) | PatternCondition::Path { condition, .. } => condition,
        }))
    }

    /// Calls back with each place that names an input column.
    pub fn columns_mut(&mut self, each: &mut impl FnMut(&mut usize)) {
        self.partition.iter_mut().for_each(&mut *each);
        self.time_column.iter_mut().for_each(&mut *each);
        self.order.iter_mut().for_each(|key| each(&mut key.column));
        self.references.iter_mut().for_each(|reference| reference.columns_mut(each));
        for condition in self.variables.iter_mut().flat_map(|variable| &mut variable.condition) {
            match condition {
                PatternCondition::Path { references, .. } => {
                    references.iter_mut().for_each(|reference| reference.columns_mut(each));
                }
                PatternCondition::Row(condition) => {
                    let whole = condition.clone();
                    *condition = whole.transform(&mut |node| match node {
                        Expr::Column { mut index, ty } => {
                            each(&mut index);
                            Expr::Column { index, ty }
                        }
                        other => other,
                    });
                }
            }
        }
    }
}

impl PatternReference {
    fn columns_mut(&mut self, each: &mut impl FnMut(&mut usize)) {
        match &mut self.value {
            PatternValue::First { column, .. } | PatternValue::Last { column, .. } => each(column),
            PatternValue::Aggregate(call) => call.args.iter_mut().chain(&mut call.filter).for_each(each),
            PatternValue::Classifier => {}
        }
    }
}

/// A pattern with groups, choices or permutations. Variables are meant by their positions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PatternShape {
    /// One row.
    Variable(usize),
    /// One after the other.
    Sequence(Vec<PatternShape>),
    /// One of them.
    Choice(Vec<PatternShape>),
    /// PERMUTE: these variables in any order.
    Permute(Vec<usize>),
    /// A quantifier.
    Repeat {
        /// What is repeated.
        shape: Box<PatternShape>,
        /// At least so often.
        min: u32,
        /// At most so often; `None` is without limit.
        max: Option<u32>,
        /// As often as possible, rather than as little.
        greedy: bool,
    },
}

impl PatternShape {
    /// Whether it matches zero rows.
    pub fn may_be_empty(&self) -> bool {
        match self {
            PatternShape::Variable(_) | PatternShape::Permute(_) => false,
            PatternShape::Sequence(parts) => parts.iter().all(PatternShape::may_be_empty),
            PatternShape::Choice(parts) => parts.iter().any(PatternShape::may_be_empty),
            PatternShape::Repeat { shape, min, .. } => *min == 0 || shape.may_be_empty(),
        }
    }

    /// Whether something is repeated that matches zero rows.
    pub fn repeats_nothing(&self) -> bool {
        match self {
            PatternShape::Variable(_) | PatternShape::Permute(_) => false,
            PatternShape::Sequence(parts) | PatternShape::Choice(parts) => {
                parts.iter().any(PatternShape::repeats_nothing)
            }
            PatternShape::Repeat { shape, max, .. } => {
                (*max != Some(1) && shape.may_be_empty()) || shape.repeats_nothing()
            }
        }
    }

    /// Whether it may end with something greedy: such a pattern could not know when it has ended.
    pub fn has_greedy_end(&self) -> bool {
        match self {
            PatternShape::Variable(_) | PatternShape::Permute(_) => false,
            PatternShape::Sequence(parts) => {
                let after = parts.iter().rposition(|part| !part.may_be_empty()).unwrap_or(0);
                parts[after..].iter().any(PatternShape::has_greedy_end)
            }
            PatternShape::Choice(parts) => parts.iter().any(PatternShape::has_greedy_end),
            PatternShape::Repeat { shape, min, max, greedy } => {
                let holds = *greedy && Some(*min) != *max && (*min, *max) != (0, Some(1));
                holds || shape.has_greedy_end()
            }
        }
    }
}

/// A variable with its quantifier and its condition.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternVariable {
    /// Its name.
    pub name: String,
    /// At least this many rows.
    pub min: u32,
    /// At most this many rows; `None` is without limit.
    pub max: Option<u32>,
    /// As many rows as possible, rather than as few.
    pub greedy: bool,
    /// DEFINE; `None` is TRUE.
    #[serde(default)]
    pub condition: Option<PatternCondition>,
}

/// Whether a row may be a variable.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PatternCondition {
    /// The row alone decides: an expression over the input.
    Row(Expr),
    /// The rows that were matched before decide too.
    Path {
        /// What the condition reads; the row itself counts as the last one of the variable.
        references: Vec<PatternReference>,
        /// An expression over `references`.
        condition: Expr,
    },
}

/// A value taken from the rows of some variables.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternReference {
    /// Whose rows count, by position, ascending.
    pub variables: Vec<usize>,
    /// What is taken of them.
    pub value: PatternValue,
    /// Its type.
    pub ty: LogicalType,
}

/// What is taken of rows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PatternValue {
    /// A column of the row at an offset from the first one; NULL where there is none.
    First {
        /// The input column.
        column: usize,
        /// 0 is the first row.
        offset: u64,
    },
    /// A column of the row at an offset back from the last one; NULL where there is none.
    Last {
        /// The input column.
        column: usize,
        /// 0 is the last row.
        offset: u64,
    },
    /// An aggregate over them.
    Aggregate(AggregateCall),
    /// The name of the variable of the last row.
    Classifier,
}

/// AFTER MATCH SKIP
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternSkip {
    /// TO NEXT ROW
    ToNextRow,
    /// PAST LAST ROW
    PastLastRow,
    /// TO FIRST of a variable, by position
    ToFirst(usize),
    /// TO LAST of a variable, by position
    ToLast(usize),
}
