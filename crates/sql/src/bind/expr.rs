//! Binds expressions: turns syntax into typed trees.

use std::cell::RefCell;

use flott_expr::{IntervalUnit, bind, literal_text};
use flott_plan::{AggregateCall, Expr, Literal};
use flott_sql_parser::ast::{
    Access, BinaryOp, Case, Expr as Ast, ExprKind, Ident, IntervalQualifier, IsTest, JsonItem,
    Literal as AstLiteral, NamedWindow, Text, UnaryOp,
};
use flott_types::{Error, LogicalType, Result, TypeKind};

use super::over::OverCall;
use super::subquery::Subquery;
use super::{Binder, Scope, at, unsupported, wrong};
use crate::plan::limits::check_type;

/// Binds expressions against a scope. Whatever cannot be computed row by row is collected along the way.
pub(crate) struct ExprBinder<'a, 's> {
    pub binder: &'s Binder<'a>,
    pub scope: &'s Scope<'s>,
    /// The aggregates that were found, if they are allowed here.
    pub aggregates: Option<RefCell<Vec<BoundAggregate>>>,
    /// The functions with OVER that were found, if they are allowed here.
    pub overs: Option<RefCell<Vec<OverCall>>>,
    /// The subqueries that were found, if they are allowed here.
    pub subqueries: Option<RefCell<Vec<Subquery>>>,
    /// The SELECT has GROUP BY: each of its aggregates has at least one row.
    pub grouped: bool,
    /// WINDOW w AS (...)
    pub windows: &'s [NamedWindow],
    /// In ORDER BY: the items of the select list by name; they hide columns.
    pub aliases: RefCell<Vec<(String, Expr)>>,
}

/// An aggregate whose arguments are still expressions.
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
    /// A binder of expressions that may not contain aggregates, OVER or subqueries.
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

    /// Allows subqueries.
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

    /// The same, where NULL without a type is none.
    pub fn typed_condition(&self, ast: &Ast) -> Result<Expr> {
        match &ast.kind {
            ExprKind::Literal(AstLiteral::Null) => Err(illegal_null(ast)),
            _ => self.condition(ast),
        }
    }

    /// Binds an expression. It is entered once for every level of the tree, so cases that need more stack are
    /// separate methods.
    pub fn bind(&self, ast: &Ast) -> Result<Expr> {
        self.binder.enter(1, ast)?;
        let bound = self.bind_kind(ast);
        self.binder.leave(1);
        bound
    }

    fn bind_kind(&self, ast: &Ast) -> Result<Expr> {
        match &ast.kind {
            ExprKind::Name(parts) => self.name(parts, ast),
            ExprKind::Literal(literal) => self.literal(literal, ast),
            ExprKind::Access { root, path } => self.access(root, path),
            ExprKind::Unary { op, operand } => self.unary(*op, operand, ast),
            ExprKind::Binary { first, rest } => self.binary(first, rest, ast),
            ExprKind::And(operands) => self.call_over("AND", operands, ast),
            ExprKind::Or(operands) => self.call_over("OR", operands, ast),
            ExprKind::Quantified { left, op, all, right } => self.quantified(left, *op, right, *all, ast),
            ExprKind::Is { operand, test, negated } => self.is_test(operand, *test, *negated, ast),
            ExprKind::IsDistinct { left, right, negated } => {
                let name = if *negated { "IS NOT DISTINCT FROM" } else { "IS DISTINCT FROM" };
                self.call_over(name, [&**left, right], ast)
            }
            ExprKind::Between { operand, low, high, negated, symmetric } => {
                self.between([operand, low, high], *negated, *symmetric, ast)
            }
            ExprKind::Like { operand, pattern, escape, similar, negated } => {
                self.like([operand, pattern], escape.as_deref(), *similar, *negated, ast)
            }
            ExprKind::InList { operand, list, negated } => {
                let name = if *negated { "NOT IN" } else { "IN" };
                self.call_over(name, std::iter::once(&**operand).chain(list), ast)
            }
            ExprKind::InQuery { operand, query, negated } => self.in_subquery(operand, query, *negated, ast),
            ExprKind::Exists(query) => self.exists_subquery(query, ast),
            ExprKind::Subquery(query) => self.scalar_subquery(query, ast),
            ExprKind::Case(case) => self.case(case, ast),
            ExprKind::Cast { operand, ty, interval, is_try } => {
                self.cast(operand, ty, interval.as_deref(), *is_try, ast)
            }
            ExprKind::Row(fields) => self.call_over("ROW", fields, ast),
            ExprKind::Array(elements) => self.call_over("ARRAY", elements, ast),
            ExprKind::Map(entries) => {
                self.call_over("MAP", entries.iter().flat_map(|(key, value)| [key, value]), ast)
            }
            ExprKind::Multiset(_) => Err(unsupported("the MULTISET constructor", ast)),
            _ => self.special_form(ast),
        }
    }

    /// A function or operator over expressions.
    pub fn call_over<'e>(
        &self,
        name: &str,
        operands: impl IntoIterator<Item = &'e Ast>,
        ast: &Ast,
    ) -> Result<Expr> {
        let args = operands.into_iter().map(|operand| self.bind(operand)).collect::<Result<_>>()?;
        self.call(name, args, ast)
    }

    /// A function or operator over bound arguments.
    pub fn call(&self, name: &str, args: Vec<Expr>, ast: &Ast) -> Result<Expr> {
        if args.iter().any(is_bare_null) && TYPED.binary_search(&name).is_ok() {
            return Err(illegal_null(ast));
        }
        let call = at(bind::call(name, args, self.binder.context), ast)?;
        at(check_type(call.ty()), ast)?;
        Ok(call)
    }

    pub fn negate_if(&self, negated: bool, expr: Expr, ast: &Ast) -> Result<Expr> {
        if negated { self.call("NOT", vec![expr], ast) } else { Ok(expr) }
    }

    fn name(&self, parts: &[Ident], ast: &Ast) -> Result<Expr> {
        let [name] = parts else { return self.scope.resolve(parts) };
        if let Some((_, item)) = self.aliases.borrow().iter().find(|(alias, _)| *alias == name.value) {
            return Ok(item.clone());
        }
        let found = self.scope.resolve(parts);
        // CURRENT_DATE and similar functions have no parentheses, unless there is a column with that name.
        if found.is_err() && !name.quoted && is_niladic(&name.value) {
            return self.call(&name.value.to_ascii_uppercase(), Vec::new(), ast);
        }
        found
    }

    fn access(&self, root: &Ast, path: &[Access]) -> Result<Expr> {
        let mut expr = self.bind(root)?;
        for step in path {
            expr = match step {
                Access::Field(name) => super::scope::fields_of(expr, std::slice::from_ref(name))?,
                Access::Element(index) => self.element(expr, index)?,
            };
        }
        Ok(expr)
    }

    fn element(&self, expr: Expr, index: &Ast) -> Result<Expr> {
        let position = self.bind(index)?;
        if let (TypeKind::Array(_), Expr::Literal { value: Literal::Integer(at @ ..1), .. }) =
            (&expr.ty().kind, &position)
        {
            let message = format!("Array element access needs an index starting at 1 but was {at}");
            return Err(wrong(message, index));
        }
        self.call("ITEM", vec![expr, position], index)
    }

    fn unary(&self, op: UnaryOp, operand: &Ast, ast: &Ast) -> Result<Expr> {
        // A sign before a literal belongs to it: -2147483648 is an INT, -9223372036854775808 a BIGINT.
        if op == UnaryOp::Minus
            && let Some(literal) = self.negative_literal(operand)?
        {
            return Ok(literal);
        }
        self.call_over(op.as_str(), [operand], ast)
    }

    /// Operators of one precedence, from left to right.
    fn binary(&self, first: &Ast, rest: &[(BinaryOp, Ast)], ast: &Ast) -> Result<Expr> {
        let mut left = self.bind(first)?;
        if rest.len() >= BALANCE && rest.iter().all(|(op, _)| *op == BinaryOp::Concat) {
            let right = rest.iter().map(|(_, right)| self.bind(right));
            let texts = std::iter::once(Ok(left)).chain(right).collect::<Result<Vec<_>>>()?;
            return self.concatenation(texts, ast);
        }
        for (op, right) in rest {
            left = self.call(op.as_str(), vec![left, self.bind(right)?], ast)?;
        }
        Ok(left)
    }

    /// Many concatenated strings as a balanced tree: the order of concatenation does not matter, and the tree
    /// stays shallow.
    fn concatenation(&self, mut texts: Vec<Expr>, ast: &Ast) -> Result<Expr> {
        while texts.len() > 1 {
            let mut halved = Vec::with_capacity(texts.len().div_ceil(2));
            let mut rest = texts.into_iter();
            while let Some(left) = rest.next() {
                halved.push(match rest.next() {
                    Some(right) => self.call(BinaryOp::Concat.as_str(), vec![left, right], ast)?,
                    None => left,
                });
            }
            texts = halved;
        }
        Ok(texts.pop().unwrap_or_else(|| literal_text::string("")))
    }

    fn is_test(&self, operand: &Ast, test: IsTest, negated: bool, ast: &Ast) -> Result<Expr> {
        let (positive, negative) = match test {
            IsTest::Unknown => {
                let name = if negated { "IS NOT NULL" } else { "IS NULL" };
                return self.call(name, vec![self.typed_condition(operand)?], ast);
            }
            IsTest::Json(item) => {
                let name = match item {
                    JsonItem::Value => "IS JSON VALUE",
                    JsonItem::Object => "IS JSON OBJECT",
                    JsonItem::Array => "IS JSON ARRAY",
                    JsonItem::Scalar => "IS JSON SCALAR",
                };
                return self.negate_if(negated, self.call_over(name, [operand], ast)?, ast);
            }
            IsTest::Null => ("IS NULL", "IS NOT NULL"),
            IsTest::True => ("IS TRUE", "IS NOT TRUE"),
            IsTest::False => ("IS FALSE", "IS NOT FALSE"),
        };
        self.call_over(if negated { negative } else { positive }, [operand], ast)
    }

    fn between(&self, parts: [&Ast; 3], negated: bool, symmetric: bool, ast: &Ast) -> Result<Expr> {
        let [value, low, high] = parts.map(|part| self.bind(part));
        let (value, low, high) = (value?, low?, high?);
        self.binder.copies(&value, if symmetric { 3 } else { 1 }, ast)?;
        if !symmetric {
            return self.negate_if(negated, self.within(value, low, high, ast)?, ast);
        }
        self.binder.copies(&low, 1, ast)?;
        self.binder.copies(&high, 1, ast)?;
        let in_order = self.within(value.clone(), low.clone(), high.clone(), ast)?;
        let in_order = self.negate_if(negated, in_order, ast)?;
        let swapped = self.negate_if(negated, self.within(value, high, low, ast)?, ast)?;
        self.call(if negated { "AND" } else { "OR" }, vec![in_order, swapped], ast)
    }

    fn within(&self, value: Expr, low: Expr, high: Expr, ast: &Ast) -> Result<Expr> {
        let above = self.call(">=", vec![value.clone(), low], ast)?;
        let below = self.call("<=", vec![value, high], ast)?;
        self.call("AND", vec![above, below], ast)
    }

    fn like(
        &self,
        operands: [&Ast; 2],
        escape: Option<&Text>,
        similar: bool,
        negated: bool,
        ast: &Ast,
    ) -> Result<Expr> {
        let mut args = operands.into_iter().map(|operand| self.bind(operand)).collect::<Result<Vec<_>>>()?;
        args.extend(escape.map(|escape| literal_text::string(escape.value.as_str())));
        let like = self.call(if similar { "SIMILAR TO" } else { "LIKE" }, args, ast)?;
        self.negate_if(negated, like, ast)
    }

    fn cast(
        &self,
        operand: &Ast,
        ty: &LogicalType,
        interval: Option<&IntervalQualifier>,
        is_try: bool,
        ast: &Ast,
    ) -> Result<Expr> {
        let operand = self.bind(operand)?;
        let single = interval.filter(|units| units.last.is_none());
        let unit = single.and_then(|units| IntervalUnit::parse(units.first.as_str()));
        match unit.filter(|_| operand.ty().kind.is_numeric()) {
            Some(unit) => at(bind::interval_of(operand, unit, self.binder.context), ast),
            None => {
                let bound = at(bind::cast(operand, ty.clone(), is_try), ast)?;
                // What is cast is no time attribute any more, even if its type stays.
                Ok(match bound {
                    Expr::Column { index, ref ty } if self.scope.fields[index].time.is_some() => {
                        let ty = ty.clone();
                        Expr::Cast { input: Box::new(bound), ty, is_try }
                    }
                    other => other,
                })
            }
        }
    }

    fn case(&self, case: &Case, ast: &Ast) -> Result<Expr> {
        let operand = case.operand.as_ref().map(|operand| self.bind(operand)).transpose()?;
        let mut branches = Vec::with_capacity(case.branches.len());
        for branch in &case.branches {
            let mut conditions = Vec::with_capacity(branch.conditions.len());
            for condition in &branch.conditions {
                conditions.push(self.bind(condition)?);
            }
            let result = self.bind(&branch.result)?;
            self.binder.copies(&result, conditions.len() - 1, ast)?;
            branches.extend(conditions.into_iter().map(|condition| (condition, result.clone())));
        }
        if let Some(operand) = &operand {
            self.binder.copies(operand, branches.len() - 1, ast)?;
        }
        let otherwise = case.otherwise.as_ref().map(|otherwise| self.bind(otherwise)).transpose()?;
        at(bind::case(operand, branches, otherwise, self.binder.context), ast)
    }
}

/// The operators and functions that a NULL without a type is no operand of: nothing tells its type there.
const TYPED: &[&str] = &[
    "%",
    "*",
    "+",
    "-",
    "/",
    "ACOS",
    "ASIN",
    "ATAN",
    "ATAN2",
    "BITMAP_AND",
    "BITMAP_ANDNOT",
    "BITMAP_CARDINALITY",
    "BITMAP_OR",
    "BITMAP_TO_ARRAY",
    "BITMAP_TO_BYTES",
    "BITMAP_TO_STRING",
    "BITMAP_XOR",
    "COS",
    "COSH",
    "COT",
    "DEGREES",
    "EXP",
    "GREATEST",
    "IF",
    "IS FALSE",
    "IS NOT FALSE",
    "IS NOT TRUE",
    "IS TRUE",
    "JSON_ARRAY",
    "JSON_OBJECT",
    "LEAST",
    "LIKE",
    "LN",
    "LOG",
    "LOG10",
    "LOG2",
    "MOD",
    "OBJECT_OF",
    "OBJECT_UPDATE",
    "POWER",
    "RADIANS",
    "RAND_INTEGER",
    "ROUND",
    "SIMILAR TO",
    "SIN",
    "SINH",
    "SQRT",
    "TAN",
    "TANH",
    "TO_TIMESTAMP_LTZ",
    "TRANSLATE",
    "TRUNCATE",
    "TRY_PARSE_JSON",
];

/// NULL without a type, or a ROW with one.
pub(super) fn is_bare_null(expr: &Expr) -> bool {
    fn is_null(kind: &TypeKind) -> bool {
        *kind == TypeKind::Null
            || kind.fields().is_some_and(|fields| fields.iter().any(|field| is_null(&field.ty.kind)))
    }
    is_null(&expr.ty().kind)
}

pub(super) fn illegal_null(node: &impl super::Place) -> Error {
    wrong("Illegal use of 'NULL': write CAST(NULL AS <type>) to say of which type it is", node)
}

/// From this many operators on, a chain of `||` becomes a balanced tree.
const BALANCE: usize = 32;

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
