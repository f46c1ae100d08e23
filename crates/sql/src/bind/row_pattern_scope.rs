//! What names and functions mean within MATCH_RECOGNIZE.
//!
//! `A.price` is the price of the last row of A so far, `price` that of the last row overall; FIRST and LAST
//! look further, and aggregates see all rows of a variable. Each becomes a [`PatternReference`], and the
//! expression reads it as a column.

use std::cell::RefCell;

use flott_expr::aggregate;
use flott_pattern::{Pattern, Skip, Variable};
use flott_plan::{AggregateCall, Expr, Literal, PatternReference, PatternValue, PatternVariable};
use flott_sql_parser::ast::{Call, Expr as Ast, ExprKind, Ident, Relation};
use flott_types::{LogicalType, Result, TypeKind};

use super::expr::ExprBinder;
use super::{Scope, at, unsupported, unsupported_but, wrong};
use crate::logical::Field;

/// The variables of a pattern and their unions.
#[derive(Debug)]
pub(super) struct PatternNames {
    variables: Vec<PatternVariable>,
    places: Vec<Ident>,
    subsets: Vec<(String, Vec<usize>)>,
    time_column: Option<usize>,
}

/// The names that an expression can see.
#[derive(Debug)]
pub(crate) struct PatternScope<'p> {
    names: &'p PatternNames,
    /// In a DEFINE: the variable that the current row is tested for.
    defined: Option<usize>,
    /// Inside FIRST and LAST.
    navigation: Option<Navigation>,
    references: &'p RefCell<Vec<PatternReference>>,
    /// The columns of the input, then computed ones.
    columns: &'p RefCell<Vec<Expr>>,
}

#[derive(Clone, Copy, Debug)]
struct Navigation {
    first: bool,
    offset: u64,
}

impl PatternNames {
    pub fn new(variables: Vec<(Ident, PatternVariable)>, time_column: Option<usize>) -> Self {
        let (places, variables) = variables.into_iter().unzip();
        PatternNames { variables, places, subsets: Vec::new(), time_column }
    }

    pub fn variables(&self) -> &[PatternVariable] {
        &self.variables
    }

    pub fn into_variables(self) -> Vec<PatternVariable> {
        self.variables
    }

    /// Refuses what neither Flink's matcher nor ours supports.
    pub fn check(&self, relation: &Relation) -> Result<()> {
        let quantified =
            |variable: &PatternVariable| Variable::new(variable.min, variable.max, variable.greedy);
        let quantifiers: Vec<Variable> = self.variables.iter().map(quantified).collect();
        for (index, variable) in self.variables.iter().enumerate() {
            if self.variables[..index].iter().any(|other| other.name == variable.name) {
                return Err(wrong("Pattern variables must be unique", &self.places[index]));
            }
            if quantifiers[index].is_optional() && index > 0 && quantifiers[index - 1].holds_back() {
                let message = "Optional pattern cannot be preceded by greedy pattern";
                return Err(wrong(message, &self.places[index]));
            }
        }
        let pattern = Pattern::new(quantifiers, None, Skip::ToNextRow);
        if pattern.matches_nothing() {
            let message = "Patterns that can produce empty matches are not supported. There must be at least one \
                           non-optional state";
            return Err(wrong(message, relation));
        }
        match pattern.greedy_end() {
            Some(last) => Err(wrong(
                "Greedy quantifiers are not allowed as the last element of a Pattern yet. Finish your pattern with \
                 either a simple variable or reluctant quantifier",
                &self.places[last],
            )),
            None => Ok(()),
        }
    }

    /// The position of a variable.
    pub fn variable(&self, name: &Ident) -> Result<usize> {
        let found = self.variables.iter().position(|variable| variable.name == name.value);
        found.ok_or_else(|| wrong(format!("Unknown pattern '{}'", name.value), name))
    }

    pub fn add_subset(&mut self, name: &Ident, mut members: Vec<usize>) -> Result<()> {
        if self.variable(name).is_ok() || self.subsets.iter().any(|(known, _)| *known == name.value) {
            return Err(wrong(format!("Pattern variable '{}' has already been defined", name.value), name));
        }
        members.sort_unstable();
        members.dedup();
        self.subsets.push((name.value.clone(), members));
        Ok(())
    }
}

impl<'p> PatternScope<'p> {
    pub(super) fn new(
        names: &'p PatternNames,
        defined: Option<usize>,
        references: &'p RefCell<Vec<PatternReference>>,
        columns: &'p RefCell<Vec<Expr>>,
    ) -> Self {
        PatternScope { names, defined, navigation: None, references, columns }
    }

    /// The rows that a qualifier refers to. As in Flink, DEFINE does not know subsets.
    fn rows_of(&self, name: &str) -> Option<Vec<usize>> {
        if let Some(variable) = self.names.variables.iter().position(|variable| variable.name == name) {
            return Some(vec![variable]);
        }
        let known = self.defined.is_none().then_some(&self.names.subsets)?;
        known.iter().find(|(subset, _)| subset == name).map(|(_, members)| members.clone())
    }

    fn all_rows(&self) -> Vec<usize> {
        (0..self.names.variables.len()).collect()
    }

    /// What a dotted name refers to, and how many of its parts were used.
    pub(super) fn find(&self, scope: &Scope<'_>, parts: &[Ident]) -> Result<Option<(Expr, usize)>> {
        let (rows, name, used) = match parts {
            [variable, column, ..] if self.rows_of(&variable.value).is_some() => {
                (self.rows_of(&variable.value).unwrap_or_default(), column, 2)
            }
            [column, ..] => (self.all_rows(), column, 1),
            [] => return Ok(None),
        };
        let Some(column) = scope.unique(&scope.visible, name)? else { return Ok(None) };
        Ok(Some((self.column(rows, column, &scope.fields[column]), used)))
    }

    /// A column of one row of these variables.
    fn column(&self, variables: Vec<usize>, column: usize, field: &Field) -> Expr {
        let Navigation { first, offset } = self.navigation.unwrap_or(Navigation { first: false, offset: 0 });
        let some = match self.defined {
            Some(defined) => variables.contains(&defined),
            None => self.has_row(&variables),
        };
        let ty = match some && offset == 0 {
            true => field.ty.clone(),
            false => field.ty.clone().with_nullable(true),
        };
        let value = match first {
            true => PatternValue::First { column, offset },
            false => PatternValue::Last { column, offset },
        };
        self.reference(PatternReference { variables, value, ty })
    }

    /// Whether each match has a row of these variables.
    fn has_row(&self, variables: &[usize]) -> bool {
        variables.iter().any(|variable| self.names.variables[*variable].min > 0)
    }

    fn reference(&self, reference: PatternReference) -> Expr {
        let ty = reference.ty.clone();
        let mut references = self.references.borrow_mut();
        let index = match references.iter().position(|known| *known == reference) {
            Some(index) => index,
            None => {
                references.push(reference);
                references.len() - 1
            }
        };
        Expr::column(index, ty)
    }

    /// The rows from which the columns of an expression are taken: those of one variable, or all.
    fn rows_under(&self, asts: &[&Ast]) -> Result<Vec<usize>> {
        let mut found: Option<(String, Vec<usize>)> = None;
        let mut plain = false;
        for ast in asts {
            let mut mixed = false;
            for inner in ast.walk() {
                let ExprKind::Name(parts) = &inner.kind else { continue };
                match &parts[..] {
                    [variable, _, ..] if let Some(rows) = self.rows_of(&variable.value) => {
                        let (known, _) = found.get_or_insert_with(|| (variable.value.clone(), rows));
                        mixed |= *known != variable.value;
                    }
                    _ => plain = true,
                }
            }
            if mixed || (plain && found.is_some()) {
                return Err(wrong(format!("Multiple pattern variables in '{ast}'"), *ast));
            }
        }
        Ok(found.map_or_else(|| self.all_rows(), |(_, rows)| rows))
    }
}

impl ExprBinder<'_, '_> {
    /// A function of MATCH_RECOGNIZE, or an aggregate within it; `None` for others.
    pub(super) fn pattern_function(
        &self,
        pattern: &PatternScope<'_>,
        name: &str,
        function: &Call,
        ast: &Ast,
    ) -> Result<Option<Expr>> {
        Ok(Some(match name {
            "FIRST" | "LAST" => self.navigation(pattern, name, function, ast)?,
            "PREV" => self.previous(pattern, function, ast)?,
            "NEXT" => return Err(unsupported("NEXT in MATCH_RECOGNIZE", ast)),
            "CLASSIFIER" => self.classifier(pattern, function, ast)?,
            "MATCH_NUMBER" => return Err(unsupported("MATCH_NUMBER() in MATCH_RECOGNIZE", ast)),
            "MATCH_ROWTIME" => self.match_rowtime(pattern, function, ast)?,
            "MATCH_PROCTIME" => self.call("PROCTIME", Vec::new(), ast)?,
            _ if aggregate::is_aggregate(name) => self.pattern_aggregate(pattern, name, function, ast)?,
            _ => return Ok(None),
        }))
    }

    /// FINAL and RUNNING.
    pub(super) fn final_or_running(&self, pattern: &PatternScope<'_>, ast: &Ast) -> Result<Expr> {
        match &ast.kind {
            _ if pattern.defined.is_some() => Err(wrong("Cannot use RUNNING/FINAL in DEFINE", ast)),
            ExprKind::Final(inner) => self.bind(inner),
            _ => Err(unsupported("RUNNING in MEASURES", ast)),
        }
    }

    /// `FIRST(x, n)`, `LAST(x, n)`
    fn navigation(&self, pattern: &PatternScope<'_>, name: &str, function: &Call, ast: &Ast) -> Result<Expr> {
        let (args, _) = self.arguments(name, function, ast)?;
        let (value, offset) = match args[..] {
            [value] => (value, 0),
            [value, offset] => (value, self.offset(offset)?),
            _ => return Err(wrong(format!("{name} takes a value and, optionally, an offset"), ast)),
        };
        self.navigated(pattern, value, Navigation { first: name == "FIRST", offset }, ast)
    }

    /// PREV of a column without a variable looks back within the match, as in Flink.
    fn previous(&self, pattern: &PatternScope<'_>, function: &Call, ast: &Ast) -> Result<Expr> {
        let (args, _) = self.arguments("PREV", function, ast)?;
        let (value, offset) = match args[..] {
            [value] if value.as_ident().is_some() => (value, 1),
            [value, offset] if value.as_ident().is_some() => (value, self.offset(offset)?),
            _ => {
                return Err(unsupported_but(
                    "PREV of a variable's row in MATCH_RECOGNIZE",
                    "use LAST(x, n)",
                    ast,
                ));
            }
        };
        self.navigated(pattern, value, Navigation { first: false, offset }, ast)
    }

    fn navigated(
        &self,
        pattern: &PatternScope<'_>,
        value: &Ast,
        navigation: Navigation,
        ast: &Ast,
    ) -> Result<Expr> {
        if pattern.navigation.is_some() {
            return Err(wrong("Cannot nest PREV/NEXT under LAST/FIRST", ast));
        }
        pattern.rows_under(&[value])?;
        let inner = PatternScope { navigation: Some(navigation), ..*pattern };
        let scope = Scope { pattern: Some(&inner), ..self.scope.clone() };
        ExprBinder::scalar(self.binder, &scope).bind(value)
    }

    fn offset(&self, ast: &Ast) -> Result<u64> {
        match flott_expr::fold(self.bind(ast)?, self.binder.context)? {
            Expr::Literal { value: Literal::Integer(offset @ 0..), ty } if ty.kind.is_integer() => {
                Ok(offset as u64)
            }
            _ => Err(wrong("an offset in MATCH_RECOGNIZE is a constant number from 0 on", ast)),
        }
    }

    /// CLASSIFIER(): the name of the last row's variable.
    fn classifier(&self, pattern: &PatternScope<'_>, function: &Call, ast: &Ast) -> Result<Expr> {
        if !self.binder.context.extended_patterns {
            let instead = super::row_pattern_shape::instead();
            return Err(unsupported_but("CLASSIFIER() in MATCH_RECOGNIZE", &instead, ast));
        }
        if !self.arguments("CLASSIFIER", function, ast)?.0.is_empty() || pattern.navigation.is_some() {
            return Err(wrong("CLASSIFIER() takes no arguments, and is not under FIRST or LAST", ast));
        }
        let (variables, ty) = (pattern.all_rows(), TypeKind::STRING.not_null());
        Ok(pattern.reference(PatternReference { variables, value: PatternValue::Classifier, ty }))
    }

    /// MATCH_ROWTIME(), MATCH_ROWTIME(time): the time of the last row of the match.
    fn match_rowtime(&self, pattern: &PatternScope<'_>, function: &Call, ast: &Ast) -> Result<Expr> {
        let (args, _) = self.arguments("MATCH_ROWTIME", function, ast)?;
        let Some(time) = pattern.names.time_column else {
            return Err(wrong("MATCH_ROWTIME needs a pattern that is ordered by event time", ast));
        };
        let field = &self.scope.fields[time];
        let of_time = match args[..] {
            [] => return Ok(not_null(pattern.column(pattern.all_rows(), time, field))),
            [arg] => self.bind(arg)?,
            _ => return Err(wrong("MATCH_ROWTIME takes the time attribute, or nothing", ast)),
        };
        let last = pattern.column(pattern.all_rows(), time, field);
        match of_time == last {
            true => Ok(last),
            false => Err(wrong("the argument of MATCH_ROWTIME is the time attribute of ORDER BY", ast)),
        }
    }

    /// An aggregate over the rows of a variable.
    fn pattern_aggregate(
        &self,
        pattern: &PatternScope<'_>,
        name: &str,
        function: &Call,
        ast: &Ast,
    ) -> Result<Expr> {
        if function.filter.is_some() || !function.within_group.is_empty() {
            return Err(unsupported(format!("FILTER and WITHIN GROUP with {name} in MATCH_RECOGNIZE"), ast));
        }
        if pattern.navigation.is_some() {
            return Err(wrong("Cannot nest an aggregate under LAST/FIRST", ast));
        }
        let (args, distinct) = self.arguments(name, function, ast)?;
        if distinct {
            return Err(wrong(
                format!("DISTINCT/ALL not allowed with {name} function in MATCH_RECOGNIZE"),
                ast,
            ));
        }
        let variables = pattern.rows_under(&args)?;
        // The arguments are over the rows themselves.
        let all: Vec<usize> = self.scope.visible.clone();
        let names = pattern.names.variables.iter().map(|variable| &variable.name);
        let names = names.chain(pattern.names.subsets.iter().map(|(name, _)| name));
        let rows = Scope {
            relations: names.map(|name| (name.clone(), all.clone())).collect(),
            pattern: None,
            ..self.scope.clone()
        };
        let binder = ExprBinder::scalar(self.binder, &rows);
        let args = args.into_iter().map(|arg| binder.bind(arg)).collect::<Result<Vec<_>>>()?;
        let types: Vec<LogicalType> = args.iter().map(|arg| arg.ty().clone()).collect();
        let some = pattern.defined.is_some_and(|defined| variables.contains(&defined))
            || pattern.defined.is_none() && pattern.has_row(&variables);
        let ty = at(aggregate::infer(name, &types, false, some), ast)?;
        let mut columns = pattern.columns.borrow_mut();
        let mut place = |arg: Expr| match columns.iter().position(|known| *known == arg) {
            Some(place) => place,
            None => {
                columns.push(arg);
                columns.len() - 1
            }
        };
        let call = AggregateCall {
            function: aggregate::canonical(name),
            args: args.into_iter().map(&mut place).collect(),
            arg_types: types,
            distinct: false,
            filter: None,
            ty: ty.clone(),
            name: name.to_owned(),
        };
        Ok(pattern.reference(PatternReference { variables, value: PatternValue::Aggregate(call), ty }))
    }
}

/// The time of a match is never NULL.
fn not_null(expr: Expr) -> Expr {
    match expr {
        Expr::Column { index, ty } => Expr::Column { index, ty: ty.with_nullable(false) },
        other => other,
    }
}
