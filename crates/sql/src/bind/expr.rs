//! Expressions: syntax to typed trees.

use std::cell::RefCell;

use flott_expr::{IntervalUnit, bind};
use flott_plan::{AggregateCall, Expr, Literal};
use flott_sql_parser::encoding;
use flott_types::{Result, TypeKind};
use sqlparser::ast::{
    AccessExpr, BinaryOperator, CaseWhen, Expr as Ast, Ident, NamedWindowDefinition, Subscript,
    UnaryOperator, ValueWithSpan,
};

use super::over::OverCall;
use super::subquery::Subquery;
use super::{Binder, Scope, at, unsupported, wrong};

/// Binds expressions against a scope. What cannot be computed row by row is collected on the way.
pub(crate) struct ExprBinder<'a, 's> {
    pub binder: &'s Binder<'a>,
    pub scope: &'s Scope<'s>,
    /// Aggregates found, when they are allowed here.
    pub aggregates: Option<RefCell<Vec<BoundAggregate>>>,
    /// Functions with OVER found, when they are allowed here.
    pub overs: Option<RefCell<Vec<OverCall>>>,
    /// Subqueries found, when they are allowed here.
    pub subqueries: Option<RefCell<Vec<Subquery>>>,
    /// The SELECT has GROUP BY: each of its aggregates has at least one row.
    pub grouped: bool,
    /// WINDOW w AS (...)
    pub windows: &'s [NamedWindowDefinition],
    /// In ORDER BY: the items of the select list by name, which hide columns.
    pub aliases: RefCell<Vec<(String, Expr)>>,
}

/// An aggregate whose arguments are expressions still.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct BoundAggregate {
    /// The call; `args` and `filter` are not set.
    pub call: AggregateCall,
    /// The arguments over the scope.
    pub args: Vec<Expr>,
    /// FILTER (WHERE ...)
    pub filter: Option<Expr>,
}

impl<'a, 's> ExprBinder<'a, 's> {
    /// A binder of expressions in which aggregates, OVER and subqueries have no place.
    pub fn scalar(binder: &'s Binder<'a>, scope: &'s Scope<'s>) -> Self {
        ExprBinder {
            binder,
            scope,
            aggregates: None,
            overs: None,
            subqueries: None,
            grouped: true,
            windows: &[],
            aliases: RefCell::default(),
        }
    }

    /// Subqueries are allowed.
    #[must_use]
    pub fn with_subqueries(self) -> Self {
        ExprBinder { subqueries: Some(RefCell::default()), ..self }
    }

    /// Binds an expression that must be a BOOLEAN.
    pub fn condition(&self, ast: &Ast) -> Result<Expr> {
        let expr = self.bind(ast)?;
        match expr.ty().kind {
            TypeKind::Boolean => Ok(expr),
            TypeKind::Null => at(bind::cast(expr, TypeKind::Boolean.nullable(), false), ast),
            _ => Err(wrong(format!("a condition must be a BOOLEAN; this one is of type {}", expr.ty()), ast)),
        }
    }

    /// Binds an expression.
    pub fn bind(&self, ast: &Ast) -> Result<Expr> {
        let both =
            |left: &Ast, right: &Ast| Ok::<_, flott_types::Error>(vec![self.bind(left)?, self.bind(right)?]);
        match ast {
            Ast::Identifier(name) => self.identifier(name),
            Ast::CompoundIdentifier(parts) => self.scope.resolve(parts),
            Ast::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain),
            Ast::Nested(inner) => self.bind(inner),
            Ast::Value(value) => self.value(value),
            Ast::Prefixed { .. } | Ast::TypedString(_) | Ast::Interval(_) => self.typed_literal(ast),
            Ast::Cast { .. } => {
                let Some(cast) = encoding::decode_cast(ast) else {
                    return Err(unsupported("this form of CAST", ast));
                };
                let operand = self.bind(cast.expr)?;
                let unit = cast.unit.and_then(|unit| IntervalUnit::parse(&unit.to_string()));
                match unit.filter(|_| operand.ty().kind.is_numeric()) {
                    Some(unit) => at(bind::interval_of(operand, unit, self.binder.context), ast),
                    None => at(bind::cast(operand, cast.ty, cast.is_try), ast),
                }
            }
            Ast::UnaryOp { op, expr } => self.unary(op, expr, ast),
            Ast::BinaryOp { left, op, right } => {
                let Some(name) = binary_operator(op) else {
                    return Err(wrong(format!("there is no operator '{op}'"), ast));
                };
                self.call(name, both(left, right)?, ast)
            }
            Ast::IsNull(e) => self.call("IS NULL", vec![self.bind(e)?], ast),
            Ast::IsNotNull(e) => self.call("IS NOT NULL", vec![self.bind(e)?], ast),
            Ast::IsTrue(e) => self.call("IS TRUE", vec![self.bind(e)?], ast),
            Ast::IsNotTrue(e) => self.call("IS NOT TRUE", vec![self.bind(e)?], ast),
            Ast::IsFalse(e) => self.call("IS FALSE", vec![self.bind(e)?], ast),
            Ast::IsNotFalse(e) => self.call("IS NOT FALSE", vec![self.bind(e)?], ast),
            Ast::IsUnknown(e) => self.call("IS NULL", vec![self.condition(e)?], ast),
            Ast::IsNotUnknown(e) => self.call("IS NOT NULL", vec![self.condition(e)?], ast),
            Ast::IsDistinctFrom(a, b) => self.compare("IS DISTINCT FROM", a, b, ast),
            Ast::IsNotDistinctFrom(a, b) => self.compare("IS NOT DISTINCT FROM", a, b, ast),
            Ast::Between { expr, negated, low, high } => {
                let value = self.bind(expr)?;
                let above = self.call(">=", vec![value.clone(), self.bind(low)?], ast)?;
                let below = self.call("<=", vec![value, self.bind(high)?], ast)?;
                let between = self.call("AND", vec![above, below], ast)?;
                self.negate_if(*negated, between, ast)
            }
            Ast::InList { expr, list, negated } => self.in_list(expr, list, *negated, ast),
            Ast::Like { negated, any: false, expr, pattern, escape_char } => {
                self.like("LIKE", *negated, expr, pattern, escape_char.as_ref(), ast)
            }
            Ast::SimilarTo { negated, expr, pattern, escape_char } => {
                self.like("SIMILAR TO", *negated, expr, pattern, escape_char.as_ref(), ast)
            }
            Ast::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), ast)
            }
            Ast::Tuple(_) => {
                let fields = encoding::decode_row(ast).unwrap_or_default();
                let fields = fields.iter().map(|field| self.bind(field)).collect::<Result<Vec<_>>>()?;
                self.call("ROW", fields, ast)
            }
            Ast::Array(array) => {
                let elements =
                    array.elem.iter().map(|element| self.bind(element)).collect::<Result<Vec<_>>>()?;
                self.call("ARRAY", elements, ast)
            }
            Ast::Map(map) => {
                let mut entries = Vec::with_capacity(2 * map.entries.len());
                for entry in &map.entries {
                    entries.push(self.bind(&entry.key)?);
                    entries.push(self.bind(&entry.value)?);
                }
                self.call("MAP", entries, ast)
            }
            Ast::Subquery(query) => self.scalar_subquery(query, ast),
            Ast::Exists { subquery, negated } => self.exists_subquery(subquery, *negated, ast),
            Ast::InSubquery { expr, subquery, negated } => self.in_subquery(expr, subquery, *negated, ast),
            Ast::AnyOp { left, compare_op, right, .. } => {
                self.quantified(left, compare_op, right, false, ast)
            }
            Ast::AllOp { left, compare_op, right } => self.quantified(left, compare_op, right, true, ast),
            Ast::GroupingSets(_) | Ast::Cube(_) | Ast::Rollup(_) => {
                Err(wrong("GROUPING SETS, CUBE and ROLLUP stand in GROUP BY only", ast))
            }
            _ => self.special_form(ast),
        }
    }

    /// A function or operator over bound arguments.
    pub fn call(&self, name: &str, args: Vec<Expr>, ast: &Ast) -> Result<Expr> {
        at(bind::call(name, args, self.binder.context), ast)
    }

    pub fn negate_if(&self, negated: bool, expr: Expr, ast: &Ast) -> Result<Expr> {
        if negated { self.call("NOT", vec![expr], ast) } else { Ok(expr) }
    }

    fn identifier(&self, name: &Ident) -> Result<Expr> {
        if let Some((_, item)) = self.aliases.borrow().iter().find(|(alias, _)| *alias == name.value) {
            return Ok(item.clone());
        }
        let parts = std::slice::from_ref(name);
        let found = self.scope.resolve(parts);
        // CURRENT_DATE and its like are functions without parentheses, unless a column has that name.
        if found.is_err() && name.quote_style.is_none() && is_niladic(&name.value) {
            return self.call(&name.value.to_ascii_uppercase(), Vec::new(), &Ast::Identifier(name.clone()));
        }
        found
    }

    fn access(&self, root: &Ast, chain: &[AccessExpr]) -> Result<Expr> {
        let mut expr = self.bind(root)?;
        for access in chain {
            expr = match access {
                AccessExpr::Dot(Ast::Identifier(name)) => {
                    super::scope::fields_of(expr, std::slice::from_ref(name))?
                }
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    let index_expr = self.bind(index)?;
                    if let (TypeKind::Array(_), Expr::Literal { value: Literal::Integer(at @ ..1), .. }) =
                        (&expr.ty().kind, &index_expr)
                    {
                        let message =
                            format!("Array element access needs an index starting at 1 but was {at}");
                        return Err(wrong(message, index));
                    }
                    self.call("ITEM", vec![expr, index_expr], index)?
                }
                _ => return Err(unsupported("this form of access to an element or field", root)),
            };
        }
        Ok(expr)
    }

    fn unary(&self, op: &UnaryOperator, operand: &Ast, ast: &Ast) -> Result<Expr> {
        let name = match op {
            UnaryOperator::Not => "NOT",
            // A sign before a literal belongs to it: -2147483648 is an INT, -9223372036854775808 a BIGINT.
            UnaryOperator::Minus => {
                if let Ast::Value(value) = operand
                    && let Some(literal) = self.negative_literal(value)?
                {
                    return Ok(literal);
                }
                "-"
            }
            UnaryOperator::Plus => "+",
            other => return Err(wrong(format!("there is no operator '{other}'"), ast)),
        };
        self.call(name, vec![self.bind(operand)?], ast)
    }

    fn compare(&self, name: &str, left: &Ast, right: &Ast, ast: &Ast) -> Result<Expr> {
        self.call(name, vec![self.bind(left)?, self.bind(right)?], ast)
    }

    fn in_list(&self, value: &Ast, list: &[Ast], negated: bool, ast: &Ast) -> Result<Expr> {
        let mut args = vec![self.bind(value)?];
        for item in list {
            args.push(self.bind(item)?);
        }
        self.call(if negated { "NOT IN" } else { "IN" }, args, ast)
    }

    fn like(
        &self,
        name: &str,
        negated: bool,
        value: &Ast,
        pattern: &Ast,
        escape: Option<&ValueWithSpan>,
        ast: &Ast,
    ) -> Result<Expr> {
        let mut args = vec![self.bind(value)?, self.bind(pattern)?];
        if let Some(escape) = escape {
            args.push(self.value(escape)?);
        }
        let like = self.call(name, args, ast)?;
        self.negate_if(negated, like, ast)
    }

    fn case(
        &self,
        operand: Option<&Ast>,
        conditions: &[CaseWhen],
        otherwise: Option<&Ast>,
        ast: &Ast,
    ) -> Result<Expr> {
        let operand = operand.map(|operand| self.bind(operand)).transpose()?;
        let mut branches = Vec::with_capacity(conditions.len());
        for CaseWhen { condition, result } in conditions {
            branches.push((self.bind(condition)?, self.bind(result)?));
        }
        let otherwise = otherwise.map(|otherwise| self.bind(otherwise)).transpose()?;
        at(bind::case(operand, branches, otherwise, self.binder.context), ast)
    }
}

fn binary_operator(op: &BinaryOperator) -> Option<&'static str> {
    Some(match op {
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::StringConcat => "||",
        BinaryOperator::Gt => ">",
        BinaryOperator::Lt => "<",
        BinaryOperator::GtEq => ">=",
        BinaryOperator::LtEq => "<=",
        BinaryOperator::Eq => "=",
        BinaryOperator::NotEq => "<>",
        BinaryOperator::And => "AND",
        BinaryOperator::Or => "OR",
        BinaryOperator::Overlaps => "OVERLAPS",
        _ => return None,
    })
}

/// Functions that SQL writes without parentheses.
fn is_niladic(name: &str) -> bool {
    const NAMES: [&str; 8] = [
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "CURRENT_CATALOG",
        "CURRENT_USER",
        "PI",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}
