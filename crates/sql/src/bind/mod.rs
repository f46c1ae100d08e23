//! From syntax to logical plans: names are resolved, types derived, and what does not fit is refused with its place.
//!
//! The order within a SELECT: FROM, WHERE, GROUP BY with aggregates, HAVING, OVER, QUALIFY, the select list, DISTINCT; then
//! ORDER BY and LIMIT of the query around it. Each step wraps the relation of the step before.
//!
//! Inside expressions three placeholders stand for values that are not columns yet: `$agg(i)`, `$over(i)` and
//! `$subquery(i, ...)`; the step that computes them replaces them by columns. `$outer(i)` is a column of the query around a
//! subquery; [`subquery`] turns it into a join. None of them survives binding.

mod aggregate;
mod decorrelate;
mod expr;
mod expr_call;
mod from;
mod group_window;
mod literal;
mod over;
pub(crate) mod placeholder;
mod query;
mod row_pattern;
mod row_pattern_scope;
mod scope;
mod select;
pub(crate) mod set_operation;
mod subquery;
mod subquery_value;
pub(crate) mod table;
mod temporal_join;
mod unnest;
mod unpivot;
mod window;

use std::cell::RefCell;

use flott_connector::Registry;
use flott_expr::PlanContext;
use flott_sql_parser::{Position, position_of};
use flott_types::{Error, Result};
use sqlparser::ast::{
    Expr as Ast, Ident, Join, ObjectName, Query, Select, SelectItem, SetExpr, TableFactor, ValueWithSpan,
};

use crate::catalog::Catalogs;
use crate::logical::Rel;
pub(crate) use placeholder::Placeholder;
pub(crate) use scope::Scope;

/// What a query is bound against.
pub struct Binder<'a> {
    pub(crate) catalogs: &'a Catalogs,
    pub(crate) connectors: &'a Registry,
    pub(crate) context: &'a PlanContext,
    /// Common table expressions in sight, innermost last.
    ctes: RefCell<Vec<(String, Rel)>>,
    /// Views being expanded, to refuse one that contains itself.
    views: RefCell<Vec<String>>,
    /// Inside a view: the catalog and database it was made in.
    namespace: RefCell<Option<(String, String)>>,
}

impl<'a> Binder<'a> {
    /// A binder for one statement.
    pub fn new(catalogs: &'a Catalogs, connectors: &'a Registry, context: &'a PlanContext) -> Self {
        Binder {
            catalogs,
            connectors,
            context,
            ctes: RefCell::default(),
            views: RefCell::default(),
            namespace: RefCell::default(),
        }
    }

    /// Binds a query that stands by itself.
    pub fn bind(&self, query: &Query) -> Result<Rel> {
        let mut rel = self.query(query, None)?;
        select::unique_names(&mut rel.fields);
        Ok(rel)
    }
}

/// A node of the syntax tree that knows where it stands.
pub(crate) trait Place {
    /// Line and column, if it has words of its own.
    fn place(&self) -> Option<Position>;
}

impl Place for Ident {
    fn place(&self) -> Option<Position> {
        (self.span.start.line > 0).then(|| self.span.into())
    }
}

impl<T: Place> Place for Box<T> {
    fn place(&self) -> Option<Position> {
        self.as_ref().place()
    }
}

macro_rules! place_by_span {
    ($($node:ty),*) => {
        $(impl Place for $node {
            fn place(&self) -> Option<Position> {
                position_of(self)
            }
        })*
    };
}

place_by_span!(Ast, Join, ObjectName, Query, Select, SelectItem, SetExpr, TableFactor, ValueWithSpan);

/// A wrong statement, with the place of the node that is wrong.
pub(crate) fn wrong(message: impl Into<String>, node: &impl Place) -> Error {
    located(Error::invalid(message), node.place())
}

/// Something of Flink's that is not built, with its place.
pub(crate) fn unsupported(message: impl Into<String>, node: &impl Place) -> Error {
    located(Error::unsupported(message), node.place())
}

/// Adds the place of a node to an error that has none yet.
pub(crate) fn at<T>(result: Result<T>, node: &impl Place) -> Result<T> {
    result.map_err(|error| located(error, node.place()))
}

fn located(error: Error, position: Option<Position>) -> Error {
    match position {
        Some(position) if !error.message().contains(" at line ") => {
            Error::new(error.kind(), format!("{} at {position}", error.message()))
        }
        _ => error,
    }
}
