//! ML_PREDICT: each row with what a model answers to some of its columns.
//!
//! A model is asked as a table is looked up: it becomes a table of which the columns that go in are the keys, and ML_PREDICT an inner lookup
//! join with it.

use std::sync::Arc;

use flott_expr::bind;
use flott_plan::{Expr, JoinKind};
use flott_sql_parser::ast::{Argument, ArgumentValue, Relation};
use flott_types::config::parse_duration;
use flott_types::{Error, Result, TypeKind};

use super::changelog::Pairs;
use super::expr::ExprBinder;
use super::placeholder::conjunction;
use super::window::{by_name, table_of};
use super::{Binder, Scope, at, select, wrong};
use crate::catalog::Table;
use crate::logical::{Field, LookupHint, Rel, RelNode, Scan};

/// The parameters.
const PARAMETERS: [&str; 5] = ["INPUT", "MODEL", "ARGS", "CONFIG", "UID"];

impl Binder<'_> {
    /// `ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(c, ...) [, MAP['async', 'true', ...]])`
    pub(super) fn predict(&self, args: &[Argument], node: &Relation) -> Result<Rel> {
        const NAME: &str = "ML_PREDICT";
        let args = by_name(NAME, &PARAMETERS, args, node)?;
        let lacks = |name: &str| wrong(format!("{NAME} lacks its argument {name}"), node);
        let data = args[0].ok_or_else(|| lacks("INPUT"))?;
        let table = table_of(data)
            .ok_or_else(|| wrong(format!("the argument INPUT of {NAME} is TABLE t or a query"), data))?;
        if !table.partition_by.is_empty() || !table.order_by.is_empty() {
            return Err(wrong("Only tables with set semantics may be partitioned", data));
        }
        let left = self.table_argument(&table)?;
        let Some(ArgumentValue::Model(_, name)) = args[1] else {
            return Err(args[1].map_or_else(
                || lacks("MODEL"),
                |other| wrong(format!("the argument MODEL of {NAME} is MODEL m"), other),
            ));
        };
        let path = at(self.qualify(&name.parts()), name)?;
        let Some(model) = self.catalogs.model(&path)? else {
            return Err(wrong(format!("Object '{name}' not found: there is no such model"), name));
        };
        if !model.options.contains_key("provider") {
            return Err(wrong(
                format!(
                    "Unable to create a model provider for model '{}': Model options do not contain an option key \
                     'provider' for discovering a provider.",
                    path.plain()
                ),
                name,
            ));
        }
        let Some(ArgumentValue::Descriptor(_, columns)) = args[2] else {
            return Err(args[2].map_or_else(
                || lacks("ARGS"),
                |other| wrong(format!("the argument ARGS of {NAME} is a DESCRIPTOR of columns"), other),
            ));
        };
        if columns.len() != model.input.len() {
            let (given, wanted) = (columns.len(), model.input.len());
            return Err(wrong(
                format!("Number of descriptor columns ({given}) does not match model input size ({wanted})."),
                node,
            ));
        }
        let hint = args[3].map(|config| self.predict_config(config)).transpose()?;

        // The model as a table.
        let width = left.fields.len();
        let all = model.input.iter().chain(&model.output);
        let fields: Vec<Field> =
            all.clone().map(|column| Field::new(column.name.clone(), column.ty.clone())).collect();
        let mut tests = Vec::with_capacity(columns.len());
        for (position, (column, wanted)) in columns.iter().zip(&model.input).enumerate() {
            let Some(index) = left.fields.iter().position(|field| field.name == column.value) else {
                let known: Vec<&str> = left.fields.iter().map(|field| field.name.as_str()).collect();
                return Err(wrong(
                    format!(
                        "Descriptor column '{}' not found in table columns. Available columns: {}.",
                        column.value,
                        known.join(", ")
                    ),
                    column,
                ));
            };
            let ty = &left.fields[index].ty;
            if !bind::assignable(ty, &wanted.ty) {
                return Err(wrong(
                    format!(
                        "Descriptor column '{}' type {} cannot be assigned to model input type {} at position \
                         {position}.",
                        column.value, ty.kind, wanted.ty.kind
                    ),
                    column,
                ));
            }
            let given = bind::convert(left.column(index), wanted.ty.clone());
            let key = Expr::column(width + position, wanted.ty.clone());
            tests.push(Expr::call("=", vec![given, key], TypeKind::Boolean.nullable()));
        }
        let table = Table {
            columns: all.cloned().collect(),
            options: model.options.clone(),
            comment: model.comment.clone(),
            ..Table::default()
        };
        let scan = Scan {
            path,
            table: Arc::new(table),
            projection: (0..fields.len()).collect(),
            paths: Vec::new(),
            projects_fields: false,
            metadata: Vec::new(),
            limit: None,
            errors: None,
            model: true,
        };
        let right = Rel::new(RelNode::Scan(scan), fields);
        let of_right = right.fields.iter().cloned();
        let fields: Vec<Field> = left.fields.iter().cloned().chain(of_right).collect();
        let join = RelNode::LookupJoin {
            left: Box::new(left),
            right: Box::new(right),
            kind: JoinKind::Inner,
            condition: conjunction(tests),
            hint,
        };
        let joined = Rel::new(join, fields);
        // What goes in is there already.
        let out = (0..width).chain(width + model.input.len()..joined.fields.len());
        let exprs = out.map(|index| (joined.column(index), joined.fields[index].name.clone())).collect();
        let mut rel = joined.project(exprs);
        select::unique_names(&mut rel.fields);
        Ok(rel)
    }

    /// The pairs of CONFIG: how requests are made. Other keys are Flink's to pass over.
    fn predict_config(&self, config: &ArgumentValue) -> Result<LookupHint> {
        let ArgumentValue::Expr(expr) = config else {
            return Err(wrong("the argument CONFIG is a MAP of constant texts", config));
        };
        let scope = Scope::of(None, Vec::new(), None);
        let bound = ExprBinder::scalar(self, &scope).bind(expr)?;
        let pairs = match self.text_pairs(&bound)? {
            Pairs::Constant(pairs) => pairs,
            Pairs::Null => Vec::new(),
            Pairs::Unknown => {
                return Err(wrong(
                    "the argument CONFIG is a MAP of constant texts, MAP['async', 'true', ...]",
                    expr,
                ));
            }
        };
        at(requests(&pairs), expr)
    }
}

fn requests(pairs: &[(String, String)]) -> Result<LookupHint> {
    let mut hint = LookupHint::default();
    for (key, value) in pairs {
        let unread = |expected: &str| {
            Error::invalid(format!("Could not parse value '{value}' for key '{key}': {expected}"))
        };
        match key.as_str() {
            "async" => match value.to_ascii_lowercase().as_str() {
                "true" => {}
                "false" => {
                    return Err(Error::unsupported(
                        "'async' = 'false' is not supported: no model provider answers in sync mode",
                    ));
                }
                _ => return Err(unread("it is true or false")),
            },
            "output-mode" => {
                hint.unordered = match value.to_ascii_uppercase().as_str() {
                    "ORDERED" => Some(false),
                    "ALLOW_UNORDERED" => Some(true),
                    _ => return Err(unread("it is ORDERED or ALLOW_UNORDERED")),
                };
            }
            "max-concurrent-operations" => {
                let number = value.trim().parse().ok().filter(|number| *number > 0);
                hint.capacity = Some(number.ok_or_else(|| unread("it is a number from 1 on"))?);
            }
            "timeout" => {
                hint.timeout =
                    Some(parse_duration(value).ok_or_else(|| unread("it is a duration, such as '30 s'"))?);
            }
            _ => {}
        }
    }
    Ok(hint)
}
