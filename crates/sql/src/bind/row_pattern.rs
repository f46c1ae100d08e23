//! MATCH_RECOGNIZE: the clauses.
//!
//! Within MEASURES and DEFINE a name refers to rows of a match: see [`super::row_pattern_scope`].

use std::cell::RefCell;

use flott_plan::{
    Expr, Literal, PatternCondition, PatternReference, PatternShape, PatternSkip, PatternSpec, PatternValue,
    PatternVariable, SortKey,
};
use flott_sql_parser::ast::{
    AfterMatch, Expr as Ast, ExprKind, Ident, MatchRecognize, Pattern, Relation, RowsPerMatch, Subset,
};
use flott_types::{Result, TypeKind};

use super::expr::ExprBinder;
use super::query::sort_key;
use super::row_pattern_scope::{PatternNames, PatternScope};
use super::row_pattern_shape::{Shapes, in_a_row, refuse_extended};
use super::{Binder, Scope, unsupported, wrong};
use crate::logical::{Field, Rel, RelNode, TimeAttribute};

impl Binder<'_> {
    /// `table MATCH_RECOGNIZE (...)`, without its alias.
    pub(super) fn match_recognize(
        &self,
        clause: &MatchRecognize,
        outer: Option<&Scope<'_>>,
        relation: &Relation,
    ) -> Result<Rel> {
        if clause.rows_per_match == Some(RowsPerMatch::All) {
            return Err(unsupported("ALL ROWS PER MATCH", relation));
        }
        let (rel, scope) = self.relation(&clause.table, outer)?;
        let partition = clause
            .partition_by
            .iter()
            .map(|key| self.column_of(&scope, key, "PARTITION BY of MATCH_RECOGNIZE takes columns"))
            .collect::<Result<Vec<usize>>>()?;
        let (time_column, order) = self.pattern_order(clause, &rel, &scope, relation)?;
        if !self.context.extended_patterns {
            super::at(refuse_extended(&clause.pattern), relation)?;
        }
        let (variables, shape) = super::at(variables_and_shape(&clause.pattern), relation)?;
        let mut names = PatternNames::new(variables, time_column);
        match &shape {
            None => names.check(relation)?,
            Some(shape) => check_shape(shape, relation)?,
        }
        for Subset { name, members } in &clause.subsets {
            let members =
                members.iter().map(|member| names.variable(member)).collect::<Result<Vec<usize>>>()?;
            names.add_subset(name, members)?;
        }
        // Arguments of aggregates that are not columns are computed before the pattern.
        let columns = RefCell::new(rel.columns());
        let bind = |defined: Option<usize>, ast: &Ast, condition: bool| {
            let references = RefCell::default();
            let pattern = PatternScope::new(&names, defined, &references, &columns);
            let scope =
                Scope { relations: Vec::new(), pattern: Some(&pattern), parent: None, ..scope.clone() };
            let binder = ExprBinder::scalar(self, &scope);
            let expr = if condition { binder.condition(ast)? } else { binder.bind(ast)? };
            Ok::<_, flott_types::Error>((expr, references.into_inner()))
        };
        let mut conditions = vec![None; names.variables().len()];
        for definition in &clause.define {
            // As in Flink, a definition of a variable that the pattern does not contain is ignored.
            if let Ok(variable) = names.variable(&definition.variable) {
                let (condition, references) = bind(Some(variable), &definition.condition, true)?;
                conditions[variable] = Some(condition_of(variable, condition, references));
            }
        }
        let mut references: Vec<PatternReference> = Vec::new();
        let mut measures = Vec::with_capacity(clause.measures.len());
        let mut fields: Vec<Field> = partition.iter().map(|key| rel.fields[*key].clone()).collect();
        for measure in &clause.measures {
            if fields.iter().any(|field| field.name == measure.name.value) {
                let message = format!("Columns ambiguously defined: {{{}}}", measure.name.value);
                return Err(wrong(message, &measure.name));
            }
            let (expr, read) = bind(None, &measure.expr, false)?;
            let mut field = Field::new(measure.name.value.clone(), expr.ty().clone());
            field.time = time_of(&measure.expr);
            field.shown = field.time;
            fields.push(field);
            measures.push(moved(expr, &read, &mut references));
        }
        if measures.is_empty() {
            return Err(wrong("MATCH_RECOGNIZE needs MEASURES: the columns of a match", relation));
        }
        let skip = match &clause.after_match {
            None | Some(AfterMatch::ToNextRow) => PatternSkip::ToNextRow,
            Some(AfterMatch::PastLastRow) => PatternSkip::PastLastRow,
            Some(AfterMatch::ToFirst(variable)) => PatternSkip::ToFirst(names.variable(variable)?),
            Some(AfterMatch::ToLast(variable)) => PatternSkip::ToLast(names.variable(variable)?),
        };
        let within = clause
            .within
            .as_ref()
            .map(|within| self.within(within))
            .transpose()?
            .filter(|within| *within > 0);
        let conditions = names.into_variables().into_iter().zip(conditions);
        let variables = conditions.map(|(variable, condition)| PatternVariable { condition, ..variable });
        let spec = PatternSpec {
            partition,
            time_column,
            order,
            variables: variables.collect(),
            shape,
            skip,
            within,
            references,
            measures,
        };
        let columns = columns.into_inner();
        let input = match columns.len() > rel.fields.len() {
            true => {
                let name =
                    |at: usize| rel.fields.get(at).map_or(format!("$p{at}"), |field| field.name.clone());
                let named = columns.into_iter().enumerate().map(|(at, column)| (column, name(at))).collect();
                rel.project(named)
            }
            false => rel,
        };
        Ok(Rel::new(RelNode::Match { input: Box::new(input), spec }, fields))
    }

    /// The column that an expression refers to.
    fn column_of(&self, scope: &Scope<'_>, ast: &Ast, message: &str) -> Result<usize> {
        match ExprBinder::scalar(self, scope).bind(ast)? {
            Expr::Column { index, .. } => Ok(index),
            _ => Err(wrong(message, ast)),
        }
    }

    /// The event-time column (`None` in processing time), and the keys after it.
    fn pattern_order(
        &self,
        clause: &MatchRecognize,
        rel: &Rel,
        scope: &Scope<'_>,
        relation: &Relation,
    ) -> Result<(Option<usize>, Vec<SortKey>)> {
        let mut keys = Vec::with_capacity(clause.order_by.len());
        for item in &clause.order_by {
            let column = self.column_of(scope, &item.expr, "ORDER BY of MATCH_RECOGNIZE takes columns")?;
            keys.push(sort_key(column, item));
        }
        let Some((first, rest)) = keys.split_first() else {
            return Err(wrong("You must specify either rowtime or proctime for order by", relation));
        };
        let Some(time) = rel.fields[first.column].time else {
            let message = "You must specify either rowtime or proctime for order by as the first one";
            return Err(wrong(message, &clause.order_by[0].expr));
        };
        if first.descending {
            let message = "Primary sort order of a streaming table must be ascending on time";
            return Err(wrong(message, &clause.order_by[0].expr));
        }
        let time_column = (time == TimeAttribute::Event).then_some(first.column);
        if time_column.is_none() && !rest.is_empty() {
            let message =
                "after a processing time, further columns have no effect in ORDER BY of MATCH_RECOGNIZE";
            return Err(wrong(message, &clause.order_by[1].expr));
        }
        Ok((time_column, rest.to_vec()))
    }

    fn within(&self, ast: &Ast) -> Result<i64> {
        let bound = ExprBinder::scalar(self, &Scope::default()).bind(ast)?;
        match flott_expr::fold(bound, self.context)? {
            Expr::Literal { value: Literal::Integer(millis), ty }
                if ty.kind == TypeKind::IntervalDaySecond && millis >= 0 =>
            {
                Ok(millis)
            }
            _ => Err(wrong(
                "Only constant intervals with millisecond resolution are supported as time constraints of patterns",
                ast,
            )),
        }
    }
}

/// Variables in the order in which they are written, each with its name.
type Variables = Vec<(Ident, PatternVariable)>;

/// The variables of a pattern, and its shape if they are not simply one after the other.
fn variables_and_shape(pattern: &Pattern) -> Result<(Variables, Option<PatternShape>)> {
    if let Some(variables) = in_a_row(pattern)? {
        return Ok((variables, None));
    }
    let mut shapes = Shapes::default();
    let shape = shapes.shape(pattern, true)?;
    Ok((shapes.variables, Some(shape)))
}

/// Refuses what the machine under it does not do.
fn check_shape(shape: &PatternShape, relation: &Relation) -> Result<()> {
    if shape.may_be_empty() {
        let message = "Patterns that can produce empty matches are not supported. There must be at least one \
                       non-optional state";
        return Err(wrong(message, relation));
    }
    if shape.repeats_nothing() {
        let message = "a group that repeats must have a part that is not optional";
        return Err(wrong(message, relation));
    }
    if shape.has_greedy_end() {
        let message = "Greedy quantifiers are not allowed as the last element of a Pattern yet. Finish your \
                       pattern with either a simple variable or reluctant quantifier";
        return Err(wrong(message, relation));
    }
    Ok(())
}

/// A condition that reads nothing but the row itself is over the input.
fn condition_of(variable: usize, condition: Expr, references: Vec<PatternReference>) -> PatternCondition {
    let itself = |reference: &PatternReference| match reference.value {
        PatternValue::Last { column, offset: 0 } if reference.variables.contains(&variable) => {
            Some(Expr::column(column, reference.ty.clone()))
        }
        _ => None,
    };
    match references.iter().map(itself).collect::<Option<Vec<Expr>>>() {
        Some(row) => PatternCondition::Row(super::placeholder::substitute(condition, &row)),
        None => PatternCondition::Path { references, condition },
    }
}

/// The expression rewritten over `all`, to which the references that it reads are added.
fn moved(expr: Expr, read: &[PatternReference], all: &mut Vec<PatternReference>) -> Expr {
    let mut place = |reference: &PatternReference| match all.iter().position(|known| known == reference) {
        Some(place) => place,
        None => {
            all.push(reference.clone());
            all.len() - 1
        }
    };
    let places: Vec<Expr> =
        read.iter().map(|reference| Expr::column(place(reference), reference.ty.clone())).collect();
    super::placeholder::substitute(expr, &places)
}

/// The time attribute of a measure: MATCH_ROWTIME() and MATCH_PROCTIME() are time attributes of the output.
fn time_of(measure: &Ast) -> Option<TimeAttribute> {
    let ExprKind::Call(call) = &measure.kind else { return None };
    match call.name.single()?.value.to_ascii_uppercase().as_str() {
        "MATCH_ROWTIME" => Some(TimeAttribute::Event),
        "MATCH_PROCTIME" => Some(TimeAttribute::Processing),
        _ => None,
    }
}
