//! `JOIN ... FOR SYSTEM_TIME AS OF`: temporal joins, and lookup joins as of processing time.

use flott_plan::{Expr, JoinKind};
use flott_sql_parser::ast::{
    Expr as Ast, Join, JoinConstraint, JoinKind as AstJoinKind, Relation, RelationKind,
};
use flott_types::Result;

use super::expr::ExprBinder;
use super::from::{distinct_names, is_plain, using_names};
use super::placeholder::conjuncts;
use super::{Binder, Scope, unsupported, wrong};
use crate::changelog::unique_keys;
use crate::logical::{Field, Rel, RelNode, TimeAttribute};

/// The time as of which a table is joined, and the table without that clause.
pub(super) fn version(relation: &Relation) -> Option<(&Ast, Relation)> {
    let RelationKind::Table(table) = &relation.kind else { return None };
    let time = table.as_of.as_ref()?;
    let mut plain = relation.clone();
    if let RelationKind::Table(table) = &mut plain.kind {
        table.as_of = None;
    }
    Some((time, plain))
}

impl Binder<'_> {
    /// Joins a relation with the versions of a table at the times of its rows.
    pub(super) fn temporal_join<'p>(
        &self,
        (left, left_scope): (Rel, Scope<'p>),
        (time, table): (&Ast, &Relation),
        join: &Join,
        outer: Option<&'p Scope<'p>>,
    ) -> Result<(Rel, Scope<'p>)> {
        let kind = match join.kind {
            AstJoinKind::Inner | AstJoinKind::Cross => JoinKind::Inner,
            AstJoinKind::Left => JoinKind::Left,
            _ => {
                let message = "Temporal table join currently only support INNER JOIN and LEFT JOIN";
                return Err(wrong(message, join));
            }
        };
        let left_time = match ExprBinder::scalar(self, &left_scope).bind(time)? {
            Expr::Column { index, .. } => match left.fields[index].time {
                Some(TimeAttribute::Event) => Some(index),
                Some(TimeAttribute::Processing) => {
                    return self.lookup_join((left, left_scope), table, kind, join, outer);
                }
                None => None,
            },
            _ => None,
        };
        let Some(left_time) = left_time else {
            let message = "Temporal table join currently only supports 'FOR SYSTEM_TIME AS OF' left table's time \
                           attribute field";
            return Err(wrong(message, time));
        };
        let (right, right_scope) = self.relation(table, outer)?;
        distinct_names(&left_scope, &right_scope, &join.relation)?;
        let needs = "Event-Time Temporal Table Join requires both primary key and row time attribute in versioned table";
        let times: Vec<usize> = (0..right.fields.len())
            .filter(|column| right.fields[*column].time == Some(TimeAttribute::Event))
            .collect();
        let [right_time] = times[..] else {
            return Err(wrong(format!("{needs}, but no row time attribute can be found"), table));
        };
        let keys = unique_keys(&right);
        if keys.is_empty() {
            return Err(wrong(format!("{needs}, but no primary key can be found"), table));
        }
        let JoinConstraint::On(on) = &join.constraint else {
            return Err(wrong("a temporal join has its condition in ON", join));
        };
        let mut scope = left_scope.beside(right_scope);
        let condition = ExprBinder::scalar(self, &scope).condition(on)?;
        let width = left.fields.len();
        let tests = conjuncts(condition.clone());
        let missing = |column: &&usize| !tests.iter().any(|test| equates(test, width + **column));
        let missing: Option<Vec<&usize>> = keys.iter().map(|key| key.iter().find(missing)).collect();
        if let Some([missing, ..]) = missing.as_deref() {
            let message = format!(
                "Temporal table's primary key must be included in the equivalence condition of temporal join, but '{}' \
                 is not",
                right.fields[**missing].name
            );
            return Err(wrong(message, on));
        }
        let of_right = |field: &Field| {
            let ty = field.ty.clone().with_nullable(field.ty.nullable || kind == JoinKind::Left);
            Field { ty, time: None, window: None, ..field.clone() }
        };
        let fields = left.fields.iter().cloned().chain(right.fields.iter().map(of_right)).collect();
        let node = RelNode::TemporalJoin {
            left: Box::new(left),
            right: Box::new(right),
            kind,
            left_time,
            right_time,
            condition: Some(condition),
        };
        let rel = Rel::new(node, fields);
        scope.fields.clone_from(&rel.fields);
        Ok((rel, scope))
    }
}

impl Binder<'_> {
    /// Joins a relation with the rows that a table has for its keys when its rows arrive.
    fn lookup_join<'p>(
        &self,
        (left, left_scope): (Rel, Scope<'p>),
        table: &Relation,
        kind: JoinKind,
        join: &Join,
        outer: Option<&'p Scope<'p>>,
    ) -> Result<(Rel, Scope<'p>)> {
        let (right, right_scope) = self.relation(table, outer)?;
        distinct_names(&left_scope, &right_scope, &join.relation)?;
        if !is_table(&right) {
            return Err(unsupported(
                "a join as of processing time with anything but a table, or a view of one that only computes and filters",
                table,
            ));
        }
        let hint = right_scope.relations.first().and_then(|(name, _)| self.lookup_hint(name));
        let make = |left: Rel, right: Rel, condition: Option<Expr>| {
            let of_right = |field: &Field| {
                let ty = field.ty.clone().with_nullable(field.ty.nullable || kind == JoinKind::Left);
                Field { ty, time: None, window: None, ..field.clone() }
            };
            // The found rows belong to no window, and as in Flink, neither do the joined rows.
            let of_left = left.fields.iter().map(|field| Field { window: None, ..field.clone() });
            let fields = of_left.chain(right.fields.iter().map(of_right)).collect();
            let (left, right, hint) = (Box::new(left), Box::new(right), hint.clone());
            Rel::new(RelNode::LookupJoin { left, right, kind, condition, hint }, fields)
        };
        let condition = match &join.constraint {
            JoinConstraint::On(on) if !is_plain(on) => {
                return Err(unsupported("a subquery in ON of a lookup join", on));
            }
            JoinConstraint::On(on) => {
                let scope = left_scope.clone().beside(right_scope.clone());
                Some(ExprBinder::scalar(self, &scope).condition(on)?)
            }
            JoinConstraint::None => None,
            JoinConstraint::Using(_) | JoinConstraint::Natural => {
                let names = using_names(&join.constraint, &left_scope, &right_scope);
                return self.join_using((left, left_scope), (right, right_scope), kind, &names, join, &make);
            }
        };
        let mut scope = left_scope.beside(right_scope);
        let rel = make(left, right, condition);
        scope.fields.clone_from(&rel.fields);
        Ok((rel, scope))
    }
}

/// Whether a relation is one table, at most with projections and filters.
fn is_table(rel: &Rel) -> bool {
    match &rel.node {
        RelNode::Scan(_) => true,
        RelNode::Project { input, .. } | RelNode::Filter { input, .. } | RelNode::Watermark { input, .. } => {
            is_table(input)
        }
        _ => false,
    }
}

/// Whether a condition equates a column of the right side with something.
fn equates(condition: &Expr, column: usize) -> bool {
    let Expr::Call { function, args, .. } = condition else { return false };
    let is = |expr: &Expr| matches!(expr, Expr::Column { index, .. } if *index == column);
    matches!(function.as_str(), "=" | "IS NOT DISTINCT FROM") && args.iter().any(is)
}
