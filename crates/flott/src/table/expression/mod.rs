//! Expressions of the Table API: what SQL writes between SELECT and FROM, made with methods.

mod functions;
mod literal;
mod operators;

use std::fmt;

use flott_sql_parser::ast::{Argument, Call, Expr, ExprKind, Ident, Literal, ObjectName, OrderItem};
use flott_sql_parser::{Position, parse_type};
use flott_types::{Error, Result};

pub use self::functions::{and, array, count_rows, if_then_else, map, not, or, row};
pub use self::literal::{lit, null_of};

/// A value of each row, or of many rows: a column, a constant, or what functions make of them.
///
/// Values that are no expressions are constants: `col("price").is_greater(10)`. Operators are Rust's:
/// `col("price") * col("amount") + 1`.
///
/// As text it is SQL. Its names are resolved when a table uses it.
#[derive(Clone, PartialEq, Debug)]
pub struct Expression {
    pub(super) expr: Expr,
    /// The names of its columns, if they are given: more than one only of a table function.
    pub(super) names: Vec<String>,
    /// What is wrong with it, told by whoever uses it.
    pub(super) mistake: Option<String>,
}

/// How a row is sorted by an expression.
#[derive(Clone, PartialEq, Debug)]
pub struct SortKey {
    pub(super) key: Expression,
    pub(super) descending: bool,
}

/// A column; `*` is all of them.
pub fn col(name: &str) -> Expression {
    Expression::new(ExprKind::Name(vec![ident(name)]))
}

/// The result of a function, built in or registered, by its name: `call("REGEXP_REPLACE", [col("a"), lit("x"), lit("y")])`.
pub fn call<E: Into<Expression>>(function: &str, args: impl IntoIterator<Item = E>) -> Expression {
    Expression::call_of(function, args.into_iter().map(Into::into).collect())
}

/// A name that is no keyword, whatever it is.
pub(super) fn ident(name: &str) -> Ident {
    Ident { quoted: true, ..Ident::new(name, Position::START) }
}

/// The name of a function: functions of special forms are known without quotes only.
fn function_name(name: &str) -> ObjectName {
    let plain = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !part.is_empty();
    let part = |part: &str| Ident { quoted: !plain(part), ..Ident::new(part, Position::START) };
    ObjectName(name.split('.').map(part).collect())
}

impl Expression {
    pub(super) fn new(kind: ExprKind) -> Self {
        Expression { expr: Expr { position: Position::START, kind }, names: Vec::new(), mistake: None }
    }

    /// With parts, whose mistakes are its own.
    pub(super) fn of(parts: &[&Expression], kind: ExprKind) -> Self {
        let mistake = parts.iter().find_map(|part| {
            let named = (!part.names.is_empty())
                .then(|| format!("the name {} within an expression", part.names.join(", ")));
            part.mistake.clone().or(named)
        });
        Expression { mistake, ..Expression::new(kind) }
    }

    pub(super) fn boxed(&self) -> Box<Expr> {
        Box::new(self.expr.clone())
    }

    fn call_of(function: &str, args: Vec<Expression>) -> Self {
        let mut call = Call::new(function_name(function));
        call.args = args.iter().map(|arg| Argument::unnamed(arg.expr.clone())).collect();
        Expression::of(&args.iter().collect::<Vec<_>>(), ExprKind::Call(Box::new(call)))
    }

    /// With this mistake, unless it has one already.
    fn wrong(self, mistake: String) -> Self {
        Expression { mistake: self.mistake.or(Some(mistake)), ..self }
    }

    /// The result of a function whose first argument this is: `col("a").call("LPAD", [lit(5), lit("0")])`.
    #[must_use]
    pub fn call<E: Into<Expression>>(&self, function: &str, args: impl IntoIterator<Item = E>) -> Self {
        let args = std::iter::once(self.clone()).chain(args.into_iter().map(Into::into));
        Expression::call_of(function, args.collect())
    }

    /// The name of the column.
    #[must_use]
    pub fn alias(self, name: &str) -> Self {
        self.alias_all([name])
    }

    /// The names of the columns of a table function.
    #[must_use]
    pub fn alias_all<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Expression { names: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// As a value of another type, in SQL's words: `col("a").cast("DECIMAL(10, 2)")`.
    #[must_use]
    pub fn cast(&self, ty: &str) -> Self {
        self.cast_to(ty, false)
    }

    /// As a value of another type, and NULL if it is none.
    #[must_use]
    pub fn try_cast(&self, ty: &str) -> Self {
        self.cast_to(ty, true)
    }

    fn cast_to(&self, ty: &str, is_try: bool) -> Self {
        match parse_type(ty) {
            Ok(parsed) => Expression::of(
                &[self],
                ExprKind::Cast { operand: self.boxed(), ty: Box::new(parsed), interval: None, is_try },
            ),
            Err(error) => self.clone().wrong(format!("the type '{ty}': {error}")),
        }
    }

    /// Sorted upwards.
    pub fn asc(self) -> SortKey {
        SortKey { key: self, descending: false }
    }

    /// Sorted downwards.
    pub fn desc(self) -> SortKey {
        SortKey { key: self, descending: true }
    }

    /// For a query. `within` says what for.
    pub(super) fn checked(&self, within: &str) -> Result<&Expr> {
        match &self.mistake {
            None => Ok(&self.expr),
            Some(mistake) => Err(Error::invalid(format!("{within}: {mistake}"))),
        }
    }

    /// For a clause in which nothing has a name.
    pub(super) fn unnamed(&self, within: &str) -> Result<Expr> {
        match &self.names[..] {
            [] => self.checked(within).cloned(),
            names => Err(Error::invalid(format!(
                "{within}: {} has the name {}, which nobody sees there",
                self.expr,
                names.join(", ")
            ))),
        }
    }

    /// The name, if it is that of a column.
    pub(super) fn as_column(&self) -> Option<&str> {
        self.expr.as_ident().map(|name| name.value.as_str())
    }

    /// The name of the column that it becomes, if it has one.
    pub(super) fn name(&self) -> Option<&str> {
        self.names.first().map(String::as_str).or(self.as_column())
    }

    /// The number as written, if it is a constant one.
    fn as_number(&self) -> Option<&str> {
        match &self.expr.kind {
            ExprKind::Literal(Literal::Number(text)) => Some(text),
            _ => None,
        }
    }
}

impl SortKey {
    pub(super) fn item(&self, within: &str) -> Result<OrderItem> {
        let descending = self.descending.then_some(true);
        Ok(OrderItem { expr: self.key.unnamed(within)?, descending, nulls_first: None })
    }
}

impl From<Expression> for SortKey {
    fn from(key: Expression) -> Self {
        key.asc()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)?;
        match &self.names[..] {
            [] => Ok(()),
            names => write!(f, " AS {}", names.join(", ")),
        }
    }
}
