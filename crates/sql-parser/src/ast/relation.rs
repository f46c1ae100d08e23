//! The items of FROM.

use super::{Argument, Expr, Hint, Ident, MatchRecognize, ObjectName, Query, Text};
use crate::error::Position;

/// A table and what is joined to it, from left to right.
#[derive(Clone, PartialEq, Debug)]
pub struct TableWithJoins {
    /// The first table.
    pub relation: Relation,
    /// What is joined.
    pub joins: Vec<Join>,
}

/// `[LEFT] JOIN table ON ..`
#[derive(Clone, PartialEq, Debug)]
pub struct Join {
    /// The right side.
    pub relation: Relation,
    /// Which rows stay without a match.
    pub kind: JoinKind,
    /// What must hold.
    pub constraint: JoinConstraint,
}

/// Which rows a join keeps without a match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum JoinKind {
    Inner,
    Left,
    Right,
    Full,
    Cross,
}

/// What must hold for rows to be joined.
#[derive(Clone, PartialEq, Debug)]
pub enum JoinConstraint {
    /// Nothing: CROSS JOIN.
    None,
    /// ON
    On(Expr),
    /// USING
    Using(Vec<Ident>),
    /// NATURAL
    Natural,
}

/// A table of FROM.
#[derive(Clone, PartialEq, Debug)]
pub struct Relation {
    /// Where it starts.
    pub position: Position,
    /// What it is.
    pub kind: RelationKind,
    /// `[AS] name [(columns)]`
    pub alias: Option<TableAlias>,
    /// TABLESAMPLE
    pub sample: Option<Box<TableSample>>,
}

/// What a table of FROM is.
#[derive(Clone, PartialEq, Debug)]
pub enum RelationKind {
    /// A table by name.
    Table(Box<NamedTable>),
    /// `[LATERAL] (query)`
    Derived {
        /// It sees the tables before it.
        lateral: bool,
        /// The query.
        query: Box<Query>,
    },
    /// `f(..)`, `TABLE(f(..))`, `LATERAL TABLE(f(..))`
    Function {
        /// It sees the tables before it.
        lateral: bool,
        /// The function.
        name: ObjectName,
        /// Its arguments.
        args: Vec<Argument>,
    },
    /// `UNNEST(..) [WITH ORDINALITY]`
    Unnest {
        /// What is unnested, at least one.
        collections: Vec<Expr>,
        /// WITH ORDINALITY
        ordinality: bool,
    },
    /// `(a JOIN b ..)`
    Nested(Box<TableWithJoins>),
    /// PIVOT
    Pivot(Box<Pivot>),
    /// UNPIVOT
    Unpivot(Box<Unpivot>),
    /// MATCH_RECOGNIZE
    MatchRecognize(Box<MatchRecognize>),
}

/// `name [/*+ hints */] [ERRORS INTO name [/*+ hints */]] [FOR SYSTEM_TIME AS OF time]`
#[derive(Clone, PartialEq, Debug)]
pub struct NamedTable {
    /// The table's name.
    pub name: ObjectName,
    /// Behind it.
    pub hints: Vec<Hint>,
    /// Where records go that cannot be read.
    pub errors: Option<ErrorsInto>,
    /// FOR SYSTEM_TIME AS OF
    pub as_of: Option<Expr>,
}

/// `ERRORS INTO name [/*+ hints */]`
#[derive(Clone, PartialEq, Debug)]
pub struct ErrorsInto {
    /// The table's name.
    pub table: ObjectName,
    /// Behind it.
    pub hints: Vec<Hint>,
}

/// `name [(columns)]`
#[derive(Clone, PartialEq, Debug)]
pub struct TableAlias {
    /// The name.
    pub name: Ident,
    /// New names of the columns; empty: their own.
    pub columns: Vec<Ident>,
}

/// `TABLESAMPLE {BERNOULLI | SYSTEM} (n) [REPEATABLE (seed)]`
#[derive(Clone, PartialEq, Debug)]
pub struct TableSample {
    /// BERNOULLI, and not SYSTEM.
    pub bernoulli: bool,
    /// How many percent.
    pub percent: Expr,
    /// REPEATABLE
    pub seed: Option<u64>,
}

/// `table PIVOT (agg [AS a], .. FOR column IN (value [AS b], ..))`
#[derive(Clone, PartialEq, Debug)]
pub struct Pivot {
    /// What is pivoted.
    pub table: Relation,
    /// What is computed.
    pub aggregates: Vec<(Expr, Option<Ident>)>,
    /// FOR
    pub columns: Vec<Ident>,
    /// IN
    pub values: Vec<(Expr, Option<Ident>)>,
}

/// `table UNPIVOT [INCLUDE | EXCLUDE NULLS] (value FOR name IN (column [AS 'text'], ..))`
#[derive(Clone, PartialEq, Debug)]
pub struct Unpivot {
    /// What is unpivoted.
    pub table: Relation,
    /// INCLUDE NULLS (true), EXCLUDE NULLS (false)
    pub include_nulls: Option<bool>,
    /// The columns that take the values, at least one.
    pub values: Vec<Ident>,
    /// The column that takes the names.
    pub name: Ident,
    /// The columns that become rows.
    pub columns: Vec<UnpivotColumn>,
}

/// `column [AS 'text']`, `(a, b) AS 'text'`
#[derive(Clone, PartialEq, Debug)]
pub struct UnpivotColumn {
    /// The columns, as many as there are values.
    pub columns: Vec<Ident>,
    /// What the row is named.
    pub label: Option<Text>,
}

impl Relation {
    /// A relation without alias.
    pub fn new(position: Position, kind: RelationKind) -> Self {
        Relation { position, kind, alias: None, sample: None }
    }
}
