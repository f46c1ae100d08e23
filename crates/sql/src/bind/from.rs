//! FROM: tables, subqueries, table functions, joins.

use flott_expr::bind;
use flott_plan::{Expr, JoinKind, Literal};
use flott_sql_parser::ast::{
    Expr as Ast, ExprKind, Join, JoinConstraint, JoinKind as AstJoinKind, Query, Relation, RelationKind,
    TableAlias, TableWithJoins,
};
use flott_types::{Result, TypeKind};

use super::expr::ExprBinder;
use super::placeholder::conjunction;
use super::query::rename;
use super::temporal_join;
use super::unnest::is_unnest;
use super::{Binder, Scope, at, unsupported, wrong};
use crate::logical::{Field, Rel, RelNode};

impl Binder<'_> {
    /// The relation of a FROM clause, and the names that it introduces.
    pub(crate) fn from<'p>(
        &self,
        from: &[TableWithJoins],
        outer: Option<&'p Scope<'p>>,
    ) -> Result<(Rel, Scope<'p>)> {
        let mut joined: Option<(Rel, Scope<'p>)> = None;
        for item in from {
            if let Some((left, left_scope)) = joined.take_if(|_| is_unnest(&item.relation)) {
                let left = self.unnest(left, left_scope, &item.relation, JoinKind::Inner)?;
                joined = Some(self.joins(left, &item.joins, outer)?);
                continue;
            }
            if let Some((left, left_scope)) = joined.take_if(|_| lateral(&item.relation).is_some()) {
                let left = self.lateral((left, left_scope), &item.relation, JoinKind::Inner, None)?;
                joined = Some(self.joins(left, &item.joins, outer)?);
                continue;
            }
            if let Some((time, table)) = temporal_join::version(&item.relation)
                && let Some(left) = joined.take()
            {
                let join = Join {
                    kind: AstJoinKind::Inner,
                    relation: item.relation.clone(),
                    constraint: JoinConstraint::None,
                };
                let left = self.temporal_join(left, (time, &table), &join, outer)?;
                joined = Some(self.joins(left, &item.joins, outer)?);
                continue;
            }
            let (rel, scope) = self.table_with_joins(item, outer)?;
            joined = Some(match joined {
                None => (rel, scope),
                Some((left, left_scope)) => {
                    distinct_names(&left_scope, &scope, &item.relation)?;
                    (left.join(rel, JoinKind::Inner, None), left_scope.beside(scope))
                }
            });
        }
        Ok(joined.unwrap_or_else(|| {
            // A SELECT without FROM computes a single row.
            let ty = TypeKind::Int.not_null();
            let row = vec![Expr::literal(Literal::Integer(0), ty.clone())];
            let rel = Rel::new(RelNode::Values(vec![row]), vec![Field::new("ZERO", ty)]);
            (rel, Scope { parent: outer, ..Scope::default() })
        }))
    }

    fn table_with_joins<'p>(
        &self,
        item: &TableWithJoins,
        outer: Option<&'p Scope<'p>>,
    ) -> Result<(Rel, Scope<'p>)> {
        self.joins(self.relation(&item.relation, outer)?, &item.joins, outer)
    }

    fn joins<'p>(
        &self,
        (mut rel, mut scope): (Rel, Scope<'p>),
        joins: &[Join],
        outer: Option<&'p Scope<'p>>,
    ) -> Result<(Rel, Scope<'p>)> {
        for join in joins {
            (rel, scope) = self.join(rel, scope, join, outer)?;
        }
        Ok((rel, scope))
    }

    fn join<'p>(
        &self,
        left: Rel,
        left_scope: Scope<'p>,
        join: &Join,
        outer: Option<&'p Scope<'p>>,
    ) -> Result<(Rel, Scope<'p>)> {
        if let Some((time, table)) = temporal_join::version(&join.relation) {
            return self.temporal_join((left, left_scope), (time, &table), join, outer);
        }
        let constraint = &join.constraint;
        let kind = match join.kind {
            AstJoinKind::Inner | AstJoinKind::Cross => JoinKind::Inner,
            AstJoinKind::Left => JoinKind::Left,
            AstJoinKind::Right => JoinKind::Right,
            AstJoinKind::Full => JoinKind::Full,
        };
        if is_unnest(&join.relation) {
            return self.join_unnest(left, left_scope, kind, constraint, join);
        }
        if lateral(&join.relation).is_some() {
            let on = match constraint {
                JoinConstraint::None => None,
                JoinConstraint::On(on) => Some(on),
                _ => return Err(wrong("JOIN LATERAL takes ON", join)),
            };
            return self.lateral((left, left_scope), &join.relation, kind, on);
        }
        let (right, right_scope) = self.relation(&join.relation, outer)?;
        distinct_names(&left_scope, &right_scope, &join.relation)?;
        let width = left.fields.len();
        // The scope of ON has the columns of both sides; then with the types that the join gives them.
        let mut scope = left_scope.clone().beside(right_scope.clone());
        let condition = match constraint {
            JoinConstraint::On(on) => {
                if !is_plain(on) {
                    if kind != JoinKind::Inner {
                        return Err(unsupported("a subquery in ON of an outer join", on));
                    }
                    let rel = left.join(right, kind, None);
                    scope.fields.clone_from(&rel.fields);
                    let rel = self.filter(rel, &scope, on)?;
                    // The values of subqueries come after the columns of both sides, and have no names.
                    scope.fields.clone_from(&rel.fields);
                    return Ok((rel, scope));
                }
                Some(ExprBinder::scalar(self, &scope).condition(on)?)
            }
            JoinConstraint::None => None,
            JoinConstraint::Using(_) | JoinConstraint::Natural => {
                let names = using_names(constraint, &left_scope, &right_scope);
                let make = |left: Rel, right: Rel, condition| left.join(right, kind, condition);
                return self.join_using((left, left_scope), (right, right_scope), kind, &names, join, &make);
            }
        };
        let rel = left.join(right, kind, condition);
        debug_assert!(rel.fields.len() >= width);
        scope.fields.clone_from(&rel.fields);
        Ok((rel, scope))
    }

    /// A subquery that can see the preceding tables of FROM.
    fn lateral<'p>(
        &self,
        (left, left_scope): (Rel, Scope<'p>),
        relation: &Relation,
        kind: JoinKind,
        on: Option<&Ast>,
    ) -> Result<(Rel, Scope<'p>)> {
        let Some((subquery, alias)) = lateral(relation) else {
            return Err(unsupported("this form of LATERAL", relation));
        };
        if !matches!(kind, JoinKind::Inner | JoinKind::Left) {
            return Err(wrong(
                "LATERAL is only allowed on the right of CROSS JOIN, INNER JOIN or LEFT JOIN",
                relation,
            ));
        }
        let rel = self.query(subquery, Some(&left_scope))?;
        let (rel, right_scope) = aliased(rel, alias, None, None)?;
        distinct_names(&left_scope, &right_scope, relation)?;
        let mut scope = left_scope.beside(right_scope);
        let condition = match on {
            Some(on) if !is_plain(on) => return Err(unsupported("a subquery in ON of JOIN LATERAL", on)),
            Some(on) => Some(ExprBinder::scalar(self, &scope).condition(on)?),
            None => None,
        };
        let rel = at(self.join_lateral(left, rel, kind, condition), relation)?;
        scope.fields.clone_from(&rel.fields);
        Ok((rel, scope))
    }

    /// JOIN ... USING: the named columns appear once, first.
    pub(super) fn join_using<'p>(
        &self,
        (left, left_scope): (Rel, Scope<'p>),
        (right, right_scope): (Rel, Scope<'p>),
        kind: JoinKind,
        names: &[String],
        join: &Join,
        make: &dyn Fn(Rel, Rel, Option<Expr>) -> Rel,
    ) -> Result<(Rel, Scope<'p>)> {
        let width = left.fields.len();
        let find = |scope: &Scope<'_>, name: &str| {
            let mut found = scope.visible.iter().copied().filter(|column| scope.fields[*column].name == name);
            match (found.next(), found.next()) {
                (Some(column), None) => Ok(column),
                (None, _) => Err(wrong(format!("Column '{name}' of USING not found on both sides"), join)),
                _ => Err(wrong(format!("Column '{name}' of USING is ambiguous"), join)),
            }
        };
        let mut pairs = Vec::with_capacity(names.len());
        let mut tests = Vec::with_capacity(names.len());
        for name in names {
            let (l, r) = (find(&left_scope, name)?, find(&right_scope, name)?);
            let args = vec![left_scope.column(l), super::placeholder::shift(right_scope.column(r), width)];
            tests.push(at(bind::call("=", args, self.context), join)?);
            pairs.push((l, width + r));
        }
        let mut scope = left_scope.beside(right_scope);
        let rel = make(left, right, conjunction(tests));
        scope.fields.clone_from(&rel.fields);
        // The common columns: from the side that is never NULL, or from either.
        let mut columns: Vec<(Expr, String)> =
            rel.columns().into_iter().zip(rel.fields.iter().map(|field| field.name.clone())).collect();
        let mut common = Vec::with_capacity(pairs.len());
        for (l, r) in &pairs {
            common.push(match kind {
                JoinKind::Right => *r,
                JoinKind::Full => {
                    let args = vec![rel.column(*l), rel.column(*r)];
                    let name = rel.fields[*l].name.clone();
                    columns.push((at(bind::call("COALESCE", args, self.context), join)?, name));
                    columns.len() - 1
                }
                _ => *l,
            });
        }
        let merged: Vec<usize> = pairs.iter().flat_map(|(l, r)| [*l, *r]).collect();
        let rest = scope.visible.iter().copied().filter(|column| !merged.contains(column));
        scope.visible = common.into_iter().chain(rest.collect::<Vec<_>>()).collect();
        let rel = if columns.len() > rel.fields.len() { rel.project(columns) } else { rel };
        scope.fields.clone_from(&rel.fields);
        Ok((rel, scope))
    }

    /// One table, subquery or table function, with the hints for it.
    pub(super) fn relation<'p>(
        &self,
        relation: &Relation,
        outer: Option<&'p Scope<'p>>,
    ) -> Result<(Rel, Scope<'p>)> {
        let (rel, mut scope) = self.unhinted(relation, outer)?;
        Ok((self.hinted(rel, &mut scope), scope))
    }

    fn unhinted<'p>(&self, relation: &Relation, outer: Option<&'p Scope<'p>>) -> Result<(Rel, Scope<'p>)> {
        if relation.sample.is_some() {
            return Err(unsupported("TABLESAMPLE", relation));
        }
        let alias = relation.alias.as_ref();
        let rel = match &relation.kind {
            RelationKind::Table(table) if table.as_of.is_some() => {
                return Err(unsupported(
                    "FOR SYSTEM_TIME AS OF of a table that no other is joined with",
                    relation,
                ));
            }
            RelationKind::Table(table) => {
                let (own_name, rel) = self.named_relation(&table.name.parts(), &table.hints, &table.name)?;
                let rel = self.with_errors(rel, table)?;
                let (rel, mut scope) = aliased(rel, alias, Some(&own_name), outer)?;
                if alias.is_none()
                    && let Ok(path) = self.qualify(&table.name.parts())
                {
                    scope.tables.push((own_name, path));
                }
                return Ok((rel, scope));
            }
            // LATERAL on the first table of FROM has nothing to its left.
            RelationKind::Derived { lateral: _, query } => self.query(query, outer)?,
            RelationKind::Function { lateral, name, args } => match self.user_function(name)? {
                Some(function) if function.process().is_some() => {
                    self.process_table(&function, name, args, relation)?
                }
                None if !lateral => self.table_function(name, args, relation)?,
                Some(_) | None => return self.unnest_alone(relation, outer),
            },
            RelationKind::Nested(joined) => match alias {
                None => return self.table_with_joins(joined, outer),
                Some(_) => return Err(unsupported("an alias after a join in parentheses", relation)),
            },
            RelationKind::Unnest { .. } => return self.unnest_alone(relation, outer),
            RelationKind::MatchRecognize(clause) => self.match_recognize(clause, outer, relation)?,
            RelationKind::Pivot(_) => return Err(unsupported("PIVOT", relation)),
            RelationKind::Unpivot(clause) => {
                let (rel, scope) = self.relation(&clause.table, outer)?;
                self.unpivot(rel, &scope, clause)?
            }
        };
        aliased(rel, alias, None, outer)
    }
}

/// The subquery after LATERAL.
fn lateral(relation: &Relation) -> Option<(&Query, Option<&TableAlias>)> {
    match &relation.kind {
        RelationKind::Derived { lateral: true, query } if relation.sample.is_none() => {
            Some((query, relation.alias.as_ref()))
        }
        _ => None,
    }
}

/// Refuses two relations of FROM with the same name.
pub(super) fn distinct_names(left: &Scope<'_>, right: &Scope<'_>, node: &Relation) -> Result<()> {
    match right.relations.iter().find(|(name, _)| left.relation(name).is_some()) {
        Some((name, _)) => {
            Err(wrong(format!("Duplicate relation name '{name}' in FROM clause: give one an alias"), node))
        }
        None => Ok(()),
    }
}

/// The columns of USING, or of a natural join.
pub(super) fn using_names(constraint: &JoinConstraint, left: &Scope<'_>, right: &Scope<'_>) -> Vec<String> {
    if let JoinConstraint::Using(columns) = constraint {
        return columns.iter().map(|column| column.value.clone()).collect();
    }
    let right: Vec<&str> = right.visible.iter().map(|column| right.fields[*column].name.as_str()).collect();
    let names = left.visible.iter().map(|column| left.fields[*column].name.clone());
    names.filter(|name| right.contains(&name.as_str())).collect()
}

/// Gives a relation its name in the scope.
fn aliased<'p>(
    rel: Rel,
    alias: Option<&TableAlias>,
    name: Option<&str>,
    outer: Option<&'p Scope<'p>>,
) -> Result<(Rel, Scope<'p>)> {
    let Some(alias) = alias else {
        let scope = Scope::of(name, rel.fields.clone(), outer);
        return Ok((rel, scope));
    };
    let rel = rename(rel, &alias.columns)?;
    let scope = Scope::of(Some(&alias.name.value), rel.fields.clone(), outer);
    Ok((rel, scope))
}

/// Whether an expression's own operators contain no subquery.
pub(super) fn is_plain(ast: &Ast) -> bool {
    match &ast.kind {
        ExprKind::Exists(_)
        | ExprKind::InQuery { .. }
        | ExprKind::Subquery(_)
        | ExprKind::Quantified { .. } => false,
        ExprKind::Binary { .. } | ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Unary { .. } => {
            ast.children().into_iter().all(is_plain)
        }
        _ => true,
    }
}
