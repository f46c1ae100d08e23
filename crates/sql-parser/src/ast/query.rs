//! Queries.

use super::{Expr, Hint, Ident, NamedWindow, OrderItem, TableWithJoins};
use crate::error::Position;

/// `[WITH ..] body [ORDER BY ..] [LIMIT ..] [OFFSET ..]`
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    /// Where it starts.
    pub position: Position,
    /// WITH
    pub with: Option<With>,
    /// What computes the rows.
    pub body: QueryBody,
    /// ORDER BY
    pub order_by: Vec<OrderItem>,
    /// LIMIT, or FETCH FIRST .. ROWS ONLY
    pub limit: Option<u64>,
    /// OFFSET
    pub offset: Option<u64>,
}

/// WITH
#[derive(Clone, PartialEq, Debug)]
pub struct With {
    /// RECURSIVE
    pub recursive: bool,
    /// The common table expressions, at least one.
    pub tables: Vec<Cte>,
}

/// `name [(columns)] AS (query)`
#[derive(Clone, PartialEq, Debug)]
pub struct Cte {
    /// Its name.
    pub name: Ident,
    /// New names of its columns; empty: the query's own.
    pub columns: Vec<Ident>,
    /// Its meaning.
    pub query: Box<Query>,
}

/// What computes the rows of a query.
#[derive(Clone, PartialEq, Debug)]
pub enum QueryBody {
    /// SELECT; `TABLE t` is `SELECT * FROM t`.
    Select(Box<Select>),
    /// VALUES
    Values(Values),
    /// A query in parentheses.
    Query(Box<Query>),
    /// UNION, EXCEPT and INTERSECT in a row.
    Set(Box<SetOperations>),
}

/// `a UNION b EXCEPT c`: set operations of one precedence, from left to right.
#[derive(Clone, PartialEq, Debug)]
pub struct SetOperations {
    /// The leftmost query.
    pub first: QueryBody,
    /// What it is combined with, at least one.
    pub rest: Vec<SetOperation>,
}

/// `UNION [ALL] b`
#[derive(Clone, PartialEq, Debug)]
pub struct SetOperation {
    /// Which.
    pub op: SetOperator,
    /// ALL: duplicates stay.
    pub all: bool,
    /// The right side.
    pub right: QueryBody,
}

/// What a set operation does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are the key words")]
pub enum SetOperator {
    Union,
    Except,
    Intersect,
}

impl SetOperator {
    /// The key word.
    pub fn as_str(self) -> &'static str {
        match self {
            SetOperator::Union => "UNION",
            SetOperator::Except => "EXCEPT",
            SetOperator::Intersect => "INTERSECT",
        }
    }
}

/// VALUES
#[derive(Clone, PartialEq, Debug)]
pub struct Values {
    /// Where it starts.
    pub position: Position,
    /// The rows, at least one.
    pub rows: Vec<Vec<Expr>>,
}

/// SELECT
#[derive(Clone, PartialEq, Debug)]
pub struct Select {
    /// Where it starts.
    pub position: Position,
    /// Behind SELECT.
    pub hints: Vec<Hint>,
    /// DISTINCT
    pub distinct: bool,
    /// The select list, at least one.
    pub items: Vec<SelectItem>,
    /// FROM
    pub from: Vec<TableWithJoins>,
    /// WHERE
    pub condition: Option<Expr>,
    /// GROUP BY; empty: none.
    pub group_by: Vec<GroupItem>,
    /// GROUP BY DISTINCT: of grouping sets that are equal there is one.
    pub group_distinct: bool,
    /// HAVING
    pub having: Option<Expr>,
    /// WINDOW
    pub windows: Vec<NamedWindow>,
    /// QUALIFY
    pub qualify: Option<Expr>,
}

/// An item of the select list.
#[derive(Clone, PartialEq, Debug)]
pub enum SelectItem {
    /// `expr [[AS] alias]`
    Expr {
        /// The value.
        expr: Expr,
        /// Its name.
        alias: Option<Ident>,
    },
    /// `*`
    Wildcard(Position),
    /// `t.*`, `t.row.*`: at least one name.
    QualifiedWildcard(Vec<Ident>),
}

/// An item of GROUP BY.
#[derive(Clone, PartialEq, Debug)]
pub enum GroupItem {
    /// A key; `(a, b)` and `()` are rows.
    Expr(Expr),
    /// `GROUPING SETS (..)`
    Sets(Position, Vec<Vec<GroupItem>>),
    /// `ROLLUP (..)`
    Rollup(Position, Vec<Vec<GroupItem>>),
    /// `CUBE (..)`
    Cube(Position, Vec<Vec<GroupItem>>),
}

impl GroupItem {
    /// Where it starts.
    pub fn position(&self) -> Position {
        match self {
            GroupItem::Expr(expr) => expr.position,
            GroupItem::Sets(position, _) | GroupItem::Rollup(position, _) | GroupItem::Cube(position, _) => {
                *position
            }
        }
    }
}

impl QueryBody {
    /// Where it starts.
    pub fn position(&self) -> Position {
        match self {
            QueryBody::Select(select) => select.position,
            QueryBody::Values(values) => values.position,
            QueryBody::Query(query) => query.position,
            QueryBody::Set(set) => set.first.position(),
        }
    }
}

impl SelectItem {
    /// Where it starts.
    pub fn position(&self) -> Position {
        match self {
            SelectItem::Expr { expr, .. } => expr.position,
            SelectItem::Wildcard(position) => *position,
            SelectItem::QualifiedWildcard(names) => names.first().map_or(Position::START, |n| n.position),
        }
    }
}
