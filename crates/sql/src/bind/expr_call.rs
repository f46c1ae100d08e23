//! Calls of functions by name, and the forms with key words of their own.

use flott_expr::{aggregate, bind};
use flott_plan::{AggregateCall, Expr, Literal};
use flott_sql_parser::encoding::{self, JsonBehavior, JsonCall, JsonItem, JsonWrapper};
use flott_types::{Error, LogicalType, Result, TypeKind};
use sqlparser::ast::{
    CeilFloorKind, DuplicateTreatment, Expr as Ast, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, NullTreatment, TrimWhereField,
};

use super::expr::{BoundAggregate, ExprBinder};
use super::placeholder::Placeholder;
use super::{at, unsupported, wrong};

impl ExprBinder<'_, '_> {
    /// Forms of syntax that are calls: functions, EXTRACT, TRIM, FLOOR ... TO, and so on.
    pub fn special_form(&self, ast: &Ast) -> Result<Expr> {
        match ast {
            Ast::Function(function) => self.function(function, ast),
            Ast::Extract { field, expr, .. } => {
                self.call("EXTRACT", vec![word(&field.to_string()), self.bind(expr)?], ast)
            }
            Ast::Ceil { expr, field } => self.round("CEIL", expr, field, ast),
            Ast::Floor { expr, field } => self.round("FLOOR", expr, field, ast),
            Ast::Position { expr, r#in } => {
                self.call("POSITION", vec![self.bind(expr)?, self.bind(r#in)?], ast)
            }
            Ast::Substring { expr, substring_from, substring_for, .. } => {
                let mut args = vec![self.bind(expr)?];
                for part in [substring_from, substring_for].into_iter().flatten() {
                    args.push(self.bind(part)?);
                }
                self.call("SUBSTRING", args, ast)
            }
            Ast::Trim { trim_where, trim_what, expr, trim_characters: None } => {
                let side = match trim_where {
                    Some(TrimWhereField::Leading) => "LEADING",
                    Some(TrimWhereField::Trailing) => "TRAILING",
                    Some(TrimWhereField::Both) | None => "BOTH",
                };
                let what = match trim_what {
                    Some(what) => self.bind(what)?,
                    None => word(" "),
                };
                self.call("TRIM", vec![word(side), what, self.bind(expr)?], ast)
            }
            Ast::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let mut args = vec![self.bind(expr)?, self.bind(overlay_what)?, self.bind(overlay_from)?];
                if let Some(length) = overlay_for {
                    args.push(self.bind(length)?);
                }
                self.call("OVERLAY", args, ast)
            }
            other => Err(unsupported(format!("the expression {other}"), ast)),
        }
    }

    fn round(&self, name: &str, expr: &Ast, kind: &CeilFloorKind, ast: &Ast) -> Result<Expr> {
        let value = self.bind(expr)?;
        match kind {
            CeilFloorKind::DateTimeField(sqlparser::ast::DateTimeField::NoDateTime) => {
                self.call(name, vec![value], ast)
            }
            CeilFloorKind::DateTimeField(unit) => self.call(name, vec![value, word(&unit.to_string())], ast),
            CeilFloorKind::Scale(_) => {
                Err(wrong(format!("{name} takes one number, or a time and a unit"), ast))
            }
        }
    }

    fn function(&self, function: &Function, ast: &Ast) -> Result<Expr> {
        if let Some(is_json) = encoding::decode_is_json(ast) {
            let name = match is_json.item {
                JsonItem::Value => "IS JSON VALUE",
                JsonItem::Object => "IS JSON OBJECT",
                JsonItem::Array => "IS JSON ARRAY",
                JsonItem::Scalar => "IS JSON SCALAR",
            };
            let test = self.call(name, vec![self.bind(is_json.expr)?], ast)?;
            return self.negate_if(is_json.negated, test, ast);
        }
        if let Some(pattern) = self.scope.pattern
            && let Some(bound) = self.final_or_running(pattern, ast)?
        {
            return Ok(bound);
        }
        if encoding::decode_multiset(ast).is_some() {
            return Err(unsupported("the MULTISET constructor", ast));
        }
        let Some(name) = encoding::single_name(&function.name) else {
            return Err(wrong(format!("there is no function '{}'", function.name), ast));
        };
        if name.value.starts_with('$') {
            return Err(wrong(
                format!("{} has no place here", name.value.trim_start_matches('$').to_uppercase()),
                ast,
            ));
        }
        if let (FunctionArguments::None, None) = (&function.args, &function.over)
            && let Ok(column) = self.scope.resolve(std::slice::from_ref(name))
        {
            // USER and its like without parentheses are columns where a table has them.
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
        if function.filter.is_some() || !function.within_group.is_empty() || function.null_treatment.is_some()
        {
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
        let args = match (name.as_str(), args.as_slice()) {
            ("TIMESTAMPADD" | "TIMESTAMPDIFF", [unit, rest @ ..]) => {
                let Some(field) = encoding::time_unit(unit) else {
                    return Err(wrong(format!("the first argument of {name} is a unit such as DAY"), ast));
                };
                let mut bound = vec![word(&field.to_string())];
                for arg in rest {
                    bound.push(self.bind(arg)?);
                }
                bound
            }
            _ => args.into_iter().map(|arg| self.bind(arg)).collect::<Result<_>>()?,
        };
        self.call(&name, args, ast)
    }

    /// The arguments of a call that has only plain ones; `*` is no argument. Also whether DISTINCT was said.
    pub fn arguments<'f>(
        &self,
        name: &str,
        function: &'f Function,
        ast: &Ast,
    ) -> Result<(Vec<&'f Ast>, bool)> {
        let list = match &function.args {
            FunctionArguments::None => return Ok((Vec::new(), false)),
            FunctionArguments::Subquery(_) => return Err(wrong(format!("{name} takes no query"), ast)),
            FunctionArguments::List(list) => list,
        };
        if let Some(clause) = list.clauses.first() {
            return Err(unsupported(format!("'{clause}' in a call of {name}"), ast));
        }
        let mut args = Vec::with_capacity(list.args.len());
        for arg in &list.args {
            match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(arg)) => args.push(arg),
                FunctionArg::Unnamed(FunctionArgExpr::Wildcard)
                    if name == "COUNT" && list.args.len() == 1 => {}
                other => return Err(unsupported(format!("the argument '{other}' in a call of {name}"), ast)),
            }
        }
        Ok((args, list.duplicate_treatment == Some(DuplicateTreatment::Distinct)))
    }

    /// An aggregate call; becomes a placeholder.
    fn aggregate_function(&self, name: &str, function: &Function, ast: &Ast) -> Result<Expr> {
        let Some(aggregates) = &self.aggregates else {
            return Err(wrong(format!("the aggregate {name} has no place here"), ast));
        };
        let bound = self.bound_aggregate(name, function, ast)?;
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

    /// The call of an aggregate with its arguments over the scope. Aggregates inside of its arguments are refused.
    pub fn bound_aggregate(&self, name: &str, function: &Function, ast: &Ast) -> Result<BoundAggregate> {
        if !function.within_group.is_empty() {
            return Err(unsupported("WITHIN GROUP", ast));
        }
        let ignores_nulls = function.null_treatment == Some(NullTreatment::IgnoreNulls);
        if ignores_nulls && name != "ARRAY_AGG" {
            return Err(unsupported(format!("{name} with IGNORE NULLS"), ast));
        }
        let inner = ExprBinder::scalar(self.binder, self.scope);
        let mut filter = function.filter.as_deref().map(|filter| inner.condition(filter)).transpose()?;
        let mut canonical = aggregate::canonical(name);
        let (args, distinct) = if matches!(name, "JSON_OBJECTAGG" | "JSON_ARRAYAGG") {
            let Some(json) = encoding::decode_json(function) else {
                return Err(wrong(format!("{name} does not take these arguments"), ast));
            };
            // What becomes of NULL is part of the function that the operator computes.
            match json.absent_on_null {
                Some(true) => canonical.push_str("_ABSENT_ON_NULL"),
                Some(false) => canonical.push_str("_NULL_ON_NULL"),
                None => {}
            }
            (json.args, false)
        } else {
            self.arguments(name, function, ast)?
        };
        let args = args.into_iter().map(|arg| inner.bind(arg)).collect::<Result<Vec<_>>>()?;
        if let (true, Some(value)) = (ignores_nulls, args.first()) {
            // The NULLs are filtered out.
            let present = self.call("IS NOT NULL", vec![value.clone()], ast)?;
            filter = Some(match filter {
                Some(filter) => self.call("AND", vec![filter, present], ast)?,
                None => present,
            });
        }
        let types: Vec<LogicalType> = args.iter().map(|arg| arg.ty().clone()).collect();
        if types.iter().any(|ty| ty.kind == TypeKind::Null) {
            return Err(wrong(format!("Illegal use of 'NULL' in {name}: write CAST(NULL AS <type>)"), ast));
        }
        let ty = match name {
            "GROUPING" | "GROUPING_ID" | "GROUP_ID" => TypeKind::BigInt.not_null(),
            _ => at(aggregate::infer(name, &types, distinct, self.grouped), ast)?,
        };
        // MIN and MAX do not change by DISTINCT.
        let distinct = distinct && !matches!(name, "MIN" | "MAX");
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

    /// The arguments of the JSON functions, whose clauses become trailing constants; `None` for other functions.
    fn json_arguments(&self, name: &str, function: &Function, ast: &Ast) -> Result<Option<Vec<Expr>>> {
        if !matches!(name, "JSON_VALUE" | "JSON_QUERY" | "JSON_EXISTS" | "JSON_OBJECT" | "JSON_ARRAY") {
            return Ok(None);
        }
        let Some(json) = encoding::decode_json(function) else {
            return Err(wrong(format!("{name} does not take these arguments"), ast));
        };
        let mut args = json.args.iter().map(|arg| self.bind(arg)).collect::<Result<Vec<_>>>()?;
        match name {
            "JSON_VALUE" => self.json_value(&json, &mut args)?,
            "JSON_QUERY" => {
                let wrapper = match json.wrapper {
                    None | Some(JsonWrapper::Without) => "WITHOUT",
                    Some(JsonWrapper::Conditional) => "CONDITIONAL",
                    Some(JsonWrapper::Unconditional) => "UNCONDITIONAL",
                };
                args.push(word(wrapper));
                args.push(word(behavior(json.on_empty, "NULL")));
                args.push(word(behavior(json.on_error, "NULL")));
                if let Some(returning) = json.returning {
                    args.push(null_of(returning));
                }
            }
            "JSON_EXISTS" => args.push(word(behavior(json.on_error, "FALSE"))),
            _ => {
                let default_absent = name == "JSON_ARRAY";
                let absent = json.absent_on_null.unwrap_or(default_absent);
                args.insert(0, word(if absent { "ABSENT" } else { "NULL" }));
            }
        }
        Ok(Some(args))
    }

    /// JSON_VALUE(json, path, on empty, default, on error, default [, NULL of the type returned]).
    fn json_value(&self, json: &JsonCall<'_>, args: &mut Vec<Expr>) -> Result<()> {
        for on in [json.on_empty, json.on_error] {
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

/// A key word as an argument.
pub(crate) fn word(text: &str) -> Expr {
    let length = text.chars().count() as u32;
    Expr::literal(Literal::String(text.to_owned()), TypeKind::Char(length).not_null())
}

/// A type as an argument: a NULL of that type.
fn null_of(ty: LogicalType) -> Expr {
    Expr::literal(Literal::Null, ty.with_nullable(true))
}

fn behavior(given: Option<JsonBehavior<'_>>, default: &'static str) -> &'static str {
    match given {
        None => default,
        Some(JsonBehavior::Null) => "NULL",
        Some(JsonBehavior::Error) => "ERROR",
        Some(JsonBehavior::EmptyArray) => "EMPTY ARRAY",
        Some(JsonBehavior::EmptyObject) => "EMPTY OBJECT",
        Some(JsonBehavior::True) => "TRUE",
        Some(JsonBehavior::False) => "FALSE",
        Some(JsonBehavior::Unknown) => "UNKNOWN",
        Some(JsonBehavior::Default(_)) => "DEFAULT",
    }
}

/// A wrong statement without a node to point at.
pub(crate) fn refuse(message: impl Into<String>) -> Error {
    Error::invalid(message)
}
