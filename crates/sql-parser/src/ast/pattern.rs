//! MATCH_RECOGNIZE.

use super::{Expr, Ident, OrderItem, Relation};

/// A MATCH_RECOGNIZE clause.
#[derive(Clone, PartialEq, Debug)]
pub struct MatchRecognize {
    /// Its input.
    pub table: Relation,
    /// PARTITION BY
    pub partition_by: Vec<Expr>,
    /// ORDER BY
    pub order_by: Vec<OrderItem>,
    /// MEASURES
    pub measures: Vec<Measure>,
    /// ONE ROW PER MATCH, ALL ROWS PER MATCH
    pub rows_per_match: Option<RowsPerMatch>,
    /// AFTER MATCH SKIP
    pub after_match: Option<AfterMatch>,
    /// PATTERN
    pub pattern: Pattern,
    /// WITHIN
    pub within: Option<Expr>,
    /// SUBSET
    pub subsets: Vec<Subset>,
    /// DEFINE
    pub define: Vec<Definition>,
}

/// `expr AS name`
#[derive(Clone, PartialEq, Debug)]
pub struct Measure {
    /// The columns of a match.
    pub expr: Expr,
    /// Its name.
    pub name: Ident,
}

/// How many rows a match gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum RowsPerMatch {
    One,
    All,
}

/// Where to look for the next match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AfterMatch {
    /// SKIP PAST LAST ROW
    PastLastRow,
    /// SKIP TO NEXT ROW
    ToNextRow,
    /// SKIP TO FIRST a
    ToFirst(Ident),
    /// SKIP TO LAST a, SKIP TO a
    ToLast(Ident),
}

/// `s = (a, b)`: a name for the union of variables.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subset {
    /// The name.
    pub name: Ident,
    /// The variables.
    pub members: Vec<Ident>,
}

/// `a AS condition`
#[derive(Clone, PartialEq, Debug)]
pub struct Definition {
    /// The variable.
    pub variable: Ident,
    /// What its rows are like.
    pub condition: Expr,
}

/// A row pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pattern {
    /// A pattern variable.
    Variable(Ident),
    /// One after the other.
    Concat(Vec<Pattern>),
    /// One of them: `A | B`.
    Alternation(Vec<Pattern>),
    /// In parentheses.
    Group(Box<Pattern>),
    /// `A*`, `A+`, `A?`, `A{n,m}`; not greedy with a `?` behind.
    Repeat {
        /// What is repeated.
        pattern: Box<Pattern>,
        /// At least so often.
        min: u32,
        /// At most so often.
        max: Option<u32>,
        /// As often as possible.
        greedy: bool,
    },
    /// PERMUTE(A, B)
    Permute(Vec<Ident>),
    /// `{- A -}`
    Exclude(Ident),
    /// `^`
    Start,
    /// `$`
    End,
}
