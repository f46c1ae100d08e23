//! Function calls by name, and forms with their own keywords.

use std::cell::RefCell;

use flott_expr::user::{FunctionKind, UserFunction};
use flott_expr::{aggregate, bind};
use flott_plan::{AggregateCall, Expr, Literal};
use flott_sql_parser::ast::{
    ArgumentValue, Call, Expr as Ast, ExprKind, JsonBehavior, JsonClauses, JsonWrapper, Quantifier, TimeUnit,
    TrimSide,
};
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::aggregate::{approximate, check_arguments};
use super::expr::{BoundAggregate, ExprBinder};
use super::placeholder::Placeholder;
use super::{at, unsupported, wrong};

impl ExprBinder<'_, '_> {
    /// Special syntax for calls: functions, EXTRACT, TRIM, FLOOR ... TO, and so on.
    pub fn special_form(&self, ast: &Ast) -> Result<Expr> {
        match &ast.kind {
            ExprKind::Call(call) => self.function(call, ast),
            ExprKind::Extract { unit, operand } => {
                self.call("EXTRACT", vec![word(unit.as_str()), self.bind(operand)?], ast)
            }
            ExprKind::Floor { operand, unit } => self.round("FLOOR", operand, *unit, ast),
            ExprKind::Ceil { operand, unit } => self.round("CEIL", operand, *unit, ast),
            ExprKind::Position { operand, text, from } => self.parts("POSITION", &[operand, text], from, ast),
            ExprKind::Substring { operand, from, length } => {
                self.parts("SUBSTRING", &[operand, from], length, ast)
            }
            ExprKind::Overlay { operand, placing, from, length } => {
                self.parts("OVERLAY", &[operand, placing, from], length, ast)
            }
            ExprKind::Trim { side, characters, operand } => {
                let side = side.unwrap_or(TrimSide::Both);
                let characters = match characters {
                    Some(characters) => self.bind(characters)?,
                    None => word(" "),
                };
                self.call("TRIM", vec![word(side.as_str()), characters, self.bind(operand)?], ast)
            }
            ExprKind::TimeDifference { operands, qualifier } => {
                let months = matches!(qualifier.first, TimeUnit::Year | TimeUnit::Quarter | TimeUnit::Month);
                let unit = if months { "MONTH" } else { "SECOND" };
                let args = vec![word(unit), self.bind(&operands[0])?, self.bind(&operands[1])?];
                self.call("$MINUS_DATE", args, ast)
            }
            ExprKind::TimestampArithmetic { difference, unit, args } => {
                let mut bound = vec![word(unit.as_str())];
                for arg in args.iter() {
                    bound.push(self.bind(arg)?);
                }
                self.call(if *difference { "TIMESTAMPDIFF" } else { "TIMESTAMPADD" }, bound, ast)
            }
            ExprKind::Final(_) | ExprKind::Running(_) => match self.scope.pattern {
                Some(pattern) => self.final_or_running(pattern, ast),
                None => {
                    let word = if matches!(ast.kind, ExprKind::Final(_)) { "FINAL" } else { "RUNNING" };
                    Err(wrong(format!("{word} is not allowed here"), ast))
                }
            },
            _ => Err(unsupported(format!("the expression {ast}"), ast)),
        }
    }

    /// A function with an optional last argument.
    fn parts(&self, name: &str, parts: &[&Ast], last: &Option<Box<Ast>>, ast: &Ast) -> Result<Expr> {
        self.call_over(name, parts.iter().copied().chain(last.as_deref()), ast)
    }

    fn round(&self, name: &str, operand: &Ast, unit: Option<TimeUnit>, ast: &Ast) -> Result<Expr> {
        let mut args = vec![self.bind(operand)?];
        args.extend(unit.map(|unit| word(unit.as_str())));
        self.call(name, args, ast)
    }

    fn function(&self, function: &Call, ast: &Ast) -> Result<Expr> {
        if let Some(user) = self.binder.user_function(&function.name)? {
            return self.user_function(&user, function, ast);
        }
        let Some(name) = function.name.single() else {
            return Err(wrong(format!("there is no function '{}'", function.name), ast));
        };
        if !function.parentheses
            && function.over.is_none()
            && let Ok(column) = self.scope.resolve(std::slice::from_ref(name))
        {
            // USER and similar names without parentheses are columns if a table has them.
            return Ok(column);
        }
        let name = name.value.to_ascii_uppercase();
        if let Some(bound) = self.group_window_bound(&name, ast)? {
            return Ok(bound);
        }
        if function.over.is_some() {
            return self.over_function(&name, function, ast);
        }
        if let Some(pattern) = self.scope.pattern
            && let Some(bound) = self.pattern_function(pattern, &name, function, ast)?
        {
            return Ok(bound);
        }
        if aggregate::is_aggregate(&name) {
            return self.aggregate_function(&name, function, ast);
        }
        if function.filter.is_some() || !function.within_group.is_empty() || function.ignore_nulls.is_some() {
            return Err(wrong(
                format!("FILTER, WITHIN GROUP and IGNORE NULLS belong to aggregates; {name} is none"),
                ast,
            ));
        }
        if let Some(args) = self.json_arguments(&name, function, ast)? {
            return self.call(&name, args, ast);
        }
        if matches!(name.as_str(), "GROUPING" | "GROUPING_ID" | "GROUP_ID") {
            return self.aggregate_function(&name, function, ast);
        }
        let (args, distinct) = self.arguments(&name, function, ast)?;
        if distinct {
            return Err(wrong(format!("DISTINCT belongs to aggregates; {name} is none"), ast));
        }
        self.call_over(&name, args, ast)
    }

    /// A call of a user's function.
    fn user_function(&self, user: &UserFunction, function: &Call, ast: &Ast) -> Result<Expr> {
        let name = function.name.to_string();
        if matches!(user.kind(), FunctionKind::Table | FunctionKind::AsyncTable | FunctionKind::ProcessTable)
        {
            return Err(wrong(
                format!("{name} is a table function: write LATERAL TABLE({name}(...)) in FROM"),
                ast,
            ));
        }
        if user.kind() == FunctionKind::Aggregate {
            return self.user_aggregate(user, function, ast);
        }
        if function.over.is_some() || function.filter.is_some() || function.ignore_nulls.is_some() {
            return Err(wrong(
                format!("OVER, FILTER and IGNORE NULLS belong to aggregates; {name} is none"),
                ast,
            ));
        }
        let (args, distinct) = self.user_arguments(user, function, ast)?;
        if distinct {
            return Err(wrong(format!("DISTINCT belongs to aggregates; {name} is none"), ast));
        }
        let args = args.into_iter().map(|arg| self.bind(arg)).collect::<Result<_>>()?;
        at(bind::call_of(user, args, self.binder.context), ast)
    }

    /// The arguments of a call that accepts only plain ones; `*` is not an argument. Also whether DISTINCT
    /// was given.
    pub fn arguments<'f>(&self, name: &str, function: &'f Call, ast: &Ast) -> Result<(Vec<&'f Ast>, bool)> {
        if !function.order_by.is_empty() {
            return Err(unsupported(format!("'ORDER BY' in a call of {name}"), ast));
        }
        let mut args = Vec::with_capacity(function.args.len());
        for arg in &function.args {
            let word = match &arg.value {
                ArgumentValue::Expr(value) if arg.name.is_none() => {
                    args.push(value);
                    continue;
                }
                ArgumentValue::Star(_) if name == "COUNT" && function.args.len() == 1 => continue,
                ArgumentValue::Expr(_) | ArgumentValue::Star(_) => {
                    return Err(unsupported(format!("the argument '{arg}' in a call of {name}"), ast));
                }
                ArgumentValue::Table(_) => "TABLE",
                ArgumentValue::Descriptor(..) => "DESCRIPTOR",
                ArgumentValue::Model(..) => "MODEL",
                ArgumentValue::Default(_) => "DEFAULT",
            };
            return Err(wrong(format!("{word} is not allowed here"), &arg.value));
        }
        Ok((args, function.quantifier == Some(Quantifier::Distinct)))
    }

    /// A call of one of Flott's own aggregates.
    fn aggregate_function(&self, name: &str, function: &Call, ast: &Ast) -> Result<Expr> {
        self.aggregate(name, ast, || self.bound_aggregate(name, function, ast))
    }

    /// An aggregate call; becomes a placeholder.
    pub(super) fn aggregate(
        &self,
        name: &str,
        ast: &Ast,
        bound: impl FnOnce() -> Result<BoundAggregate>,
    ) -> Result<Expr> {
        let Some(aggregates) = &self.aggregates else {
            return Err(wrong(format!("the aggregate {name} is not allowed here"), ast));
        };
        let bound = bound()?;
        let mut aggregates = aggregates.borrow_mut();
        let index = match aggregates.iter().position(|known| *known == bound) {
            Some(index) => index,
            None => {
                aggregates.push(bound.clone());
                aggregates.len() - 1
            }
        };
        Ok(Placeholder::Aggregate.expr(index, bound.call.ty))
    }

    /// Binds an aggregate call with its arguments over the scope. Aggregates within its arguments are
    /// refused.
    pub fn bound_aggregate(&self, name: &str, function: &Call, ast: &Ast) -> Result<BoundAggregate> {
        if !function.within_group.is_empty() {
            return Err(unsupported("WITHIN GROUP", ast));
        }
        let ignores_nulls = function.ignore_nulls == Some(true);
        if ignores_nulls && name != "ARRAY_AGG" {
            return Err(unsupported(format!("{name} with IGNORE NULLS"), ast));
        }
        // Subqueries within are joined below the aggregation, with those of the SELECT.
        let held = self.subqueries.as_ref().map(RefCell::take).map(RefCell::new);
        let inner = ExprBinder { subqueries: held, ..ExprBinder::scalar(self.binder, self.scope) };
        let mut filter = function.filter.as_ref().map(|filter| inner.typed_condition(filter)).transpose()?;
        let mut canonical = aggregate::canonical(name);
        let (args, distinct) = if matches!(name, "JSON_OBJECTAGG" | "JSON_ARRAYAGG") {
            // How NULL is handled is part of the function that the operator computes.
            match function.json.as_ref().and_then(|json| json.absent_on_null) {
                Some(true) => canonical.push_str("_ABSENT_ON_NULL"),
                Some(false) => canonical.push_str("_NULL_ON_NULL"),
                None => {}
            }
            (self.arguments(name, function, ast)?.0, false)
        } else {
            self.arguments(name, function, ast)?
        };
        let args = args.into_iter().map(|arg| inner.bind(arg)).collect::<Result<Vec<_>>>()?;
        if let (Some(own), Some(held)) = (&self.subqueries, inner.subqueries) {
            own.replace(held.into_inner());
        }
        if let (true, Some(value)) = (ignores_nulls, args.first()) {
            // The NULLs are filtered out.
            let present = self.call("IS NOT NULL", vec![value.clone()], ast)?;
            filter = Some(match filter {
                Some(filter) => self.call("AND", vec![filter, present], ast)?,
                None => present,
            });
        }
        let types: Vec<LogicalType> = args.iter().map(|arg| arg.ty().clone()).collect();
        check_arguments(name, &args, ast)?;
        let ty = match name {
            "GROUPING" | "GROUPING_ID" | "GROUP_ID" => TypeKind::BigInt.not_null(),
            _ => at(aggregate::infer(name, &types, distinct, self.grouped), ast)?,
        };
        // DISTINCT makes no difference to MIN and MAX.
        let mut distinct = distinct && !matches!(name, "MIN" | "MAX");
        if name == "APPROX_COUNT_DISTINCT" {
            at(approximate(&types, self.binder.context.streaming), ast)?;
            "COUNT".clone_into(&mut canonical);
            distinct = true;
        }
        let call = AggregateCall {
            function: canonical,
            args: Vec::new(),
            arg_types: types,
            distinct,
            filter: None,
            ty,
            name: String::new(),
        };
        Ok(BoundAggregate { call, args, filter })
    }

    /// The arguments of the JSON functions, whose clauses become trailing constants; `None` for other
    /// functions.
    fn json_arguments(&self, name: &str, function: &Call, ast: &Ast) -> Result<Option<Vec<Expr>>> {
        if !matches!(name, "JSON_VALUE" | "JSON_QUERY" | "JSON_EXISTS" | "JSON_OBJECT" | "JSON_ARRAY") {
            return Ok(None);
        }
        let none = JsonClauses::default();
        let json = function.json.as_deref().unwrap_or(&none);
        let (args, _) = self.arguments(name, function, ast)?;
        let mut args = args.into_iter().map(|arg| self.bind(arg)).collect::<Result<Vec<_>>>()?;
        match name {
            "JSON_VALUE" => self.json_value(json, &mut args)?,
            "JSON_QUERY" => {
                args.push(word(json.wrapper.unwrap_or(JsonWrapper::Without).as_str()));
                args.push(word(behavior(&json.on_empty, "NULL")));
                args.push(word(behavior(&json.on_error, "NULL")));
                args.extend(json.returning.clone().map(null_of));
            }
            "JSON_EXISTS" => args.push(word(behavior(&json.on_error, "FALSE"))),
            _ => {
                let default_absent = name == "JSON_ARRAY";
                let absent = json.absent_on_null.unwrap_or(default_absent);
                args.insert(0, word(if absent { "ABSENT" } else { "NULL" }));
            }
        }
        Ok(Some(args))
    }

    /// JSON_VALUE(json, path, on empty, default, on error, default [, NULL of the returned type]).
    fn json_value(&self, json: &JsonClauses, args: &mut Vec<Expr>) -> Result<()> {
        for on in [&json.on_empty, &json.on_error] {
            args.push(word(behavior(on, "NULL")));
            args.push(match on {
                Some(JsonBehavior::Default(value)) => {
                    let value = self.bind(value)?;
                    match &json.returning {
                        Some(ty) => bind::cast(value, ty.clone(), false)?,
                        None => bind::cast(value, TypeKind::STRING.nullable(), false)?,
                    }
                }
                _ => Expr::literal(Literal::Null, TypeKind::Null.nullable()),
            });
        }
        if let Some(returning) = &json.returning {
            args.push(null_of(returning.clone()));
        }
        Ok(())
    }
}

/// A keyword as an argument.
pub(crate) fn word(text: &str) -> Expr {
    let length = text.chars().count() as u32;
    Expr::literal(Literal::String(text.to_owned()), TypeKind::Char(length).not_null())
}

/// A type as an argument: a NULL of that type.
fn null_of(ty: LogicalType) -> Expr {
    Expr::literal(Literal::Null, ty.with_nullable(true))
}

fn behavior(given: &Option<JsonBehavior>, default: &'static str) -> &'static str {
    given.as_ref().map_or(default, JsonBehavior::as_str)
}

/// The error for an invalid statement without a node to point at.
pub(crate) fn refuse(message: impl Into<String>) -> Error {
    Error::invalid(message)
}
