//! The Table API: what is made of two tables, or of a table and a table function.

use std::sync::Arc;

use flott_sql_parser::Position;
use flott_sql_parser::ast::{
    ExprKind, Join, JoinConstraint, JoinKind, QueryBody, Relation, RelationKind, SetOperation, SetOperations,
    SetOperator, TableAlias,
};
use flott_types::{Error, Result};

use super::expression::ident;
use super::relational::{all_columns, query, select};
use super::{Expression, Table};

impl Table {
    /// A table of the same program.
    fn check_same(&self, other: &Table, within: &str) -> Result<()> {
        match Arc::ptr_eq(&self.tables.state, &other.tables.state) {
            true => Ok(()),
            false => Err(Error::invalid(format!("{within}: the other table is one of another environment"))),
        }
    }

    fn joined(
        &self,
        relation: Relation,
        kind: JoinKind,
        condition: Option<Expression>,
        within: &str,
    ) -> Result<Table> {
        let condition = condition.map_or_else(|| Ok(Expression::from(true).expr), |on| on.unnamed(within))?;
        let mut joined = select(all_columns(), self.relation()?);
        let join = Join { relation, kind, constraint: JoinConstraint::On(condition) };
        joined.from.iter_mut().for_each(|from| from.joins.push(join.clone()));
        self.bind(joined, within)
    }

    fn join_table(&self, right: &Table, kind: JoinKind, on: Expression, within: &str) -> Result<Table> {
        self.check_same(right, within)?;
        let own = self.names();
        if let Some(both) = right.names().into_iter().find(|name| own.contains(name)) {
            return Err(Error::invalid(format!(
                "{within}: both tables have a column '{both}'; rename it in one (rename_columns)"
            )));
        }
        self.joined(right.relation()?, kind, Some(on), within)
    }

    /// Joins rows for which the condition holds. The columns of both tables must have different names.
    ///
    /// # Errors
    /// If they have the same, or the condition is wrong.
    pub fn join(&self, right: &Table, on: impl Into<Expression>) -> Result<Table> {
        self.join_table(right, JoinKind::Inner, on.into(), "join")
    }

    /// As [`Table::join`]; rows of this table without a match stay, with NULL.
    ///
    /// # Errors
    /// As [`Table::join`].
    pub fn left_outer_join(&self, right: &Table, on: impl Into<Expression>) -> Result<Table> {
        self.join_table(right, JoinKind::Left, on.into(), "left_outer_join")
    }

    /// As [`Table::join`]; rows of the other table without a match stay, with NULL.
    ///
    /// # Errors
    /// As [`Table::join`].
    pub fn right_outer_join(&self, right: &Table, on: impl Into<Expression>) -> Result<Table> {
        self.join_table(right, JoinKind::Right, on.into(), "right_outer_join")
    }

    /// As [`Table::join`]; rows of both tables without a match stay, with NULL.
    ///
    /// # Errors
    /// As [`Table::join`].
    pub fn full_outer_join(&self, right: &Table, on: impl Into<Expression>) -> Result<Table> {
        self.join_table(right, JoinKind::Full, on.into(), "full_outer_join")
    }

    /// Joins each row with the rows that a table function makes of it; [`Expression::alias_all`] names their columns.
    ///
    /// # Errors
    /// If it is no call of a table function.
    pub fn join_lateral(&self, function: impl Into<Expression>) -> Result<Table> {
        self.lateral(&function.into(), JoinKind::Inner, "join_lateral")
    }

    /// As [`Table::join_lateral`]; rows of which the function makes none stay, with NULL.
    ///
    /// # Errors
    /// As [`Table::join_lateral`].
    pub fn left_outer_join_lateral(&self, function: impl Into<Expression>) -> Result<Table> {
        self.lateral(&function.into(), JoinKind::Left, "left_outer_join_lateral")
    }

    fn lateral(&self, function: &Expression, kind: JoinKind, within: &str) -> Result<Table> {
        let ExprKind::Call(call) = &function.checked(within)?.kind else {
            return Err(Error::invalid(format!("{within}: {function} is no call of a function")));
        };
        let lateral =
            RelationKind::Function { lateral: true, name: call.name.clone(), args: call.args.clone() };
        let mut relation = Relation::new(Position::START, lateral);
        if !function.names.is_empty() {
            let columns = function.names.iter().map(|name| ident(name)).collect();
            relation.alias = Some(TableAlias { name: ident("T"), columns });
        }
        self.joined(relation, kind, None, within)
    }

    fn set(&self, op: SetOperator, all: bool, right: &Table, within: &str) -> Result<Table> {
        self.check_same(right, within)?;
        let side = |table: &Table| {
            Ok::<_, Error>(QueryBody::Select(Box::new(select(all_columns(), table.relation()?))))
        };
        let set =
            SetOperations { first: side(self)?, rest: vec![SetOperation { op, all, right: side(right)? }] };
        self.tables.bind(query(QueryBody::Set(Box::new(set))), within)
    }

    /// The rows of both, equal ones once.
    ///
    /// # Errors
    /// If the tables have different columns; so do all set operations.
    pub fn union(&self, right: &Table) -> Result<Table> {
        self.set(SetOperator::Union, false, right, "union")
    }

    /// The rows of both.
    ///
    /// # Errors
    /// As [`Table::union`].
    pub fn union_all(&self, right: &Table) -> Result<Table> {
        self.set(SetOperator::Union, true, right, "union_all")
    }

    /// The rows that both have, equal ones once.
    ///
    /// # Errors
    /// As [`Table::union`].
    pub fn intersect(&self, right: &Table) -> Result<Table> {
        self.set(SetOperator::Intersect, false, right, "intersect")
    }

    /// The rows that both have, as often as both have them.
    ///
    /// # Errors
    /// As [`Table::union`].
    pub fn intersect_all(&self, right: &Table) -> Result<Table> {
        self.set(SetOperator::Intersect, true, right, "intersect_all")
    }

    /// The rows that the other has not, equal ones once.
    ///
    /// # Errors
    /// As [`Table::union`].
    pub fn minus(&self, right: &Table) -> Result<Table> {
        self.set(SetOperator::Except, false, right, "minus")
    }

    /// The rows, less often by as often as the other has them.
    ///
    /// # Errors
    /// As [`Table::union`].
    pub fn minus_all(&self, right: &Table) -> Result<Table> {
        self.set(SetOperator::Except, true, right, "minus_all")
    }
}
