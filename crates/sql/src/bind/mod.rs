//! Binds syntax to logical plans: resolves names, derives types, and reports errors with their position.
//!
//! The order within a SELECT: FROM, WHERE, GROUP BY with aggregates, HAVING, OVER, QUALIFY, the select list,
//! DISTINCT; then ORDER BY and LIMIT of the enclosing query. Each step wraps the relation of the previous
//! step.
//!
//! Inside expressions three placeholders stand for values that are not columns yet: `$agg(i)`, `$over(i)` and
//! `$subquery(i, ...)`; the step that computes them replaces them with columns. `$outer(i)` is a column of a
//! subquery's outer query; [`subquery`] turns it into a join. None of them survives binding.

mod aggregate;
mod changelog;
mod decorrelate;
pub(crate) mod errors;
mod expr;
mod expr_call;
mod from;
mod group_window;
mod hints;
mod literal;
mod lookup_hint;
pub(crate) mod over;
pub(crate) mod placeholder;
mod predict;
mod process_table;
mod query;
mod row_pattern;
mod row_pattern_scope;
pub(crate) mod row_pattern_shape;
mod scope;
mod select;
pub(crate) mod set_operation;
mod subquery;
mod subquery_value;
pub(crate) mod table;
mod temporal_join;
mod unnest;
mod unpivot;
mod user_aggregate;
mod user_arguments;
mod window;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;

use flott_connector::Registry;
use flott_expr::PlanContext;
use flott_expr::user::UserFunction;
use flott_plan::Expr;
use flott_sql_parser::Position;
use flott_sql_parser::ast::{
    ArgumentValue, Expr as Ast, GroupItem, Hint, Ident, Join, ObjectName, Query, QueryBody, Relation, Select,
    SelectItem, Text,
};
use flott_types::{Error, Result};

use self::hints::OpenHints;
use crate::catalog::Catalogs;
use crate::logical::{Field, Rel};
use crate::user_function::resolve;
pub(crate) use placeholder::Placeholder;
pub(crate) use scope::Scope;

/// What a query is bound against.
pub struct Binder<'a> {
    pub(crate) catalogs: &'a Catalogs,
    pub(crate) connectors: &'a Registry,
    pub(crate) context: &'a PlanContext,
    /// The visible common table expressions, innermost last.
    ctes: RefCell<Vec<(String, Rel)>>,
    /// The views being expanded, to refuse one that contains itself.
    views: RefCell<Vec<String>>,
    /// Inside a view: the catalog and database in which it was created.
    namespace: RefCell<Option<(String, String)>>,
    /// The hints of the SELECTs being bound, innermost last.
    hints: RefCell<Vec<OpenHints>>,
    /// How many expression nodes have been copied.
    copied: Cell<usize>,
    /// How many relations were inserted for the names of views and common table expressions, or were copied.
    expanded: Cell<usize>,
    /// How many levels of queries and expressions are open, including those of views.
    levels: Cell<usize>,
}

/// How many levels of queries and expressions may be open. The parser bounds each text; this bounds views
/// within views.
const MAX_LEVELS: usize = 250;
/// How many levels a query counts as.
const QUERY_LEVELS: usize = 8;

/// How many expression nodes a statement may copy. BETWEEN computes its operand twice, CASE computes it for
/// every branch: nested, they would double the tree at each level.
const MAX_COPIES: usize = 200_000;
/// How many relations a named one may consist of: a common table expression that joins the previous one with
/// itself doubles the plan at each level.
const MAX_NAMED: usize = 25_000;
/// How many relations may be inserted for names in total. Relations that are written out are not limited.
const MAX_EXPANDED: usize = 300_000;

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
            hints: RefCell::default(),
            copied: Cell::new(0),
            expanded: Cell::new(0),
            levels: Cell::new(0),
        }
    }

    /// Binds a top-level query.
    pub fn bind(&self, query: &Query) -> Result<Rel> {
        if let (Some(1..), None) = (query.offset, query.limit) {
            return Err(wrong(
                "OFFSET without LIMIT or FETCH is not supported, as in Flink: add LIMIT",
                query,
            ));
        }
        let mut rel = self.query(query, None)?;
        select::unique_names(&mut rel.fields);
        Ok(rel)
    }

    /// Refuses a query with two columns of one name, which cannot be those of a view.
    pub fn distinct_names(&self, query: &Query) -> Result<()> {
        let fields = self.query(query, None)?.fields;
        let is_repeated = |(at, field): &(usize, &Field)| fields[..*at].iter().any(|f| f.name == field.name);
        match fields.iter().enumerate().find(is_repeated) {
            Some((_, field)) => {
                let message = format!("A column with the same name `{}` has been defined", field.name);
                Err(wrong(message, query))
            }
            None => Ok(()),
        }
    }

    /// Counts a relation that is inserted for a name, or used in two places.
    fn expand(&self, rel: &Rel) -> Result<()> {
        let size = rel.size();
        self.expanded.set(self.expanded.get() + size);
        let (number, bound) = match size > MAX_NAMED {
            true => (size, MAX_NAMED),
            false => (self.expanded.get(), MAX_EXPANDED),
        };
        match number > bound {
            true => Err(Error::unsupported(format!(
                "a query of more than {bound} relations, with views and common table expressions expanded wherever they are \
                 named, is not supported"
            ))),
            false => Ok(()),
        }
    }

    /// The function of a user that a name means.
    pub(crate) fn user_function(&self, name: &ObjectName) -> Result<Option<Arc<UserFunction>>> {
        let qualify = |parts: &[String]| self.qualify(parts);
        let found =
            resolve((&self.context.functions, self.context.limits), self.catalogs, &name.parts(), qualify)?;
        found.map(|found| at(found.function(), name)).transpose()
    }

    /// Goes this many levels deeper; [`Binder::leave`] goes back.
    fn enter(&self, levels: usize, node: &impl Place) -> Result<()> {
        self.levels.set(self.levels.get() + levels);
        match self.levels.get() > MAX_LEVELS {
            true => Err(unsupported(
                format!("a query of more than {MAX_LEVELS} levels, including those of views"),
                node,
            )),
            false => Ok(()),
        }
    }

    fn leave(&self, levels: usize) {
        self.levels.set(self.levels.get() - levels);
    }

    /// Notes that an expression will be copied this many times; refuses growth beyond all bounds.
    fn copies(&self, expr: &Expr, times: usize, node: &impl Place) -> Result<()> {
        let copied = self.copied.get().saturating_add(expr.size().saturating_mul(times));
        self.copied.set(copied);
        match copied > MAX_COPIES {
            true => Err(unsupported_but(
                "an expression that is computed this often",
                "name its parts in a subquery",
                node,
            )),
            false => Ok(()),
        }
    }
}

/// A node of the syntax tree that knows its position.
pub(crate) trait Place {
    /// Line and column.
    fn place(&self) -> Position;
}

impl<T: Place> Place for Box<T> {
    fn place(&self) -> Position {
        self.as_ref().place()
    }
}

macro_rules! place_by_field {
    ($($node:ty),*) => {
        $(impl Place for $node {
            fn place(&self) -> Position {
                self.position
            }
        })*
    };
}

macro_rules! place_by_method {
    ($($node:ty),*) => {
        $(impl Place for $node {
            fn place(&self) -> Position {
                self.position()
            }
        })*
    };
}

place_by_field!(Ast, Hint, Ident, Query, Relation, Select, Text);
place_by_method!(ArgumentValue, GroupItem, ObjectName, QueryBody, SelectItem);

impl Place for Join {
    fn place(&self) -> Position {
        self.relation.position
    }
}

/// The error for an invalid statement, with the position of the offending node.
pub(crate) fn wrong(message: impl Into<String>, node: &impl Place) -> Error {
    located(Error::invalid(message), node.place())
}

/// The error for something of Flink's that is not implemented, by its name, with its position.
pub(crate) fn unsupported(what: impl fmt::Display, node: &impl Place) -> Error {
    located(Error::unsupported(format!("{what} is not supported")), node.place())
}

/// The same, with what to write instead.
pub(crate) fn unsupported_but(what: impl fmt::Display, instead: &str, node: &impl Place) -> Error {
    located(Error::unsupported(format!("{what} is not supported: {instead}")), node.place())
}

/// Adds the position of a node to an error that has none yet.
pub(crate) fn at<T>(result: Result<T>, node: &impl Place) -> Result<T> {
    result.map_err(|error| located(error, node.place()))
}

fn located(error: Error, position: Position) -> Error {
    match error.message().contains(" at line ") {
        true => error,
        false => Error::new(error.kind(), format!("{} at {position}", error.message())),
    }
}
