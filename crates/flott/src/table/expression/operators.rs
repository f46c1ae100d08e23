//! Operators: those of Rust, comparisons, and what SQL writes as words between operands.

use flott_sql_parser::Position;
use flott_sql_parser::ast::{Access, BinaryOp, ExprKind, Ident, IsTest, QueryBody, SelectItem, UnaryOp};

use super::{Expression, ident};
use crate::table::Table;
use crate::table::relational::{query, select};

impl Expression {
    fn binary(&self, op: BinaryOp, right: &Expression) -> Self {
        let last = (op, right.expr.clone());
        let kind = match &self.expr.kind {
            // `a + b + c` is wide and not deep.
            ExprKind::Binary { first, rest } if rest.iter().all(|(other, _)| *other == op) => {
                ExprKind::Binary { first: first.clone(), rest: rest.iter().cloned().chain([last]).collect() }
            }
            _ => ExprKind::Binary { first: self.boxed(), rest: vec![last] },
        };
        Expression::of(&[self, right], kind)
    }

    fn unary(&self, op: UnaryOp) -> Self {
        Expression::of(&[self], ExprKind::Unary { op, operand: self.boxed() })
    }

    pub(super) fn all_of(parts: Vec<Expression>, is_and: bool) -> Self {
        let references: Vec<&Expression> = parts.iter().collect();
        let mut operands = Vec::with_capacity(parts.len());
        for part in &parts {
            match &part.expr.kind {
                ExprKind::And(inner) if is_and => operands.extend(inner.iter().cloned()),
                ExprKind::Or(inner) if !is_and => operands.extend(inner.iter().cloned()),
                _ => operands.push(part.expr.clone()),
            }
        }
        match operands.len() {
            0 => Expression::from(is_and),
            1 => parts.into_iter().next().unwrap_or_else(|| Expression::from(is_and)),
            _ => {
                let kind = if is_and { ExprKind::And(operands) } else { ExprKind::Or(operands) };
                Expression::of(&references, kind)
            }
        }
    }

    /// Both hold.
    #[must_use]
    pub fn and(&self, other: impl Into<Expression>) -> Self {
        Expression::all_of(vec![self.clone(), other.into()], true)
    }

    /// One holds at least.
    #[must_use]
    pub fn or(&self, other: impl Into<Expression>) -> Self {
        Expression::all_of(vec![self.clone(), other.into()], false)
    }

    /// `low <= this AND this <= high`
    #[must_use]
    pub fn between(&self, low: impl Into<Expression>, high: impl Into<Expression>) -> Self {
        self.within(&low.into(), &high.into(), false)
    }

    /// `this < low OR high < this`
    #[must_use]
    pub fn not_between(&self, low: impl Into<Expression>, high: impl Into<Expression>) -> Self {
        self.within(&low.into(), &high.into(), true)
    }

    fn within(&self, low: &Expression, high: &Expression, negated: bool) -> Self {
        Expression::of(
            &[self, low, high],
            ExprKind::Between {
                operand: self.boxed(),
                low: low.boxed(),
                high: high.boxed(),
                negated,
                symmetric: false,
            },
        )
    }

    /// It is one of these.
    #[must_use]
    pub fn in_list<E: Into<Expression>>(&self, list: impl IntoIterator<Item = E>) -> Self {
        let list: Vec<Expression> = list.into_iter().map(Into::into).collect();
        if list.is_empty() {
            return self.clone().wrong("an empty list".to_owned());
        }
        let parts: Vec<&Expression> = std::iter::once(self).chain(&list).collect();
        let items = list.iter().map(|item| item.expr.clone()).collect();
        Expression::of(&parts, ExprKind::InList { operand: self.boxed(), list: items, negated: false })
    }

    /// The table has it, in its one column.
    #[must_use]
    pub fn in_table(&self, table: &Table) -> Self {
        match table.relation() {
            Ok(relation) => {
                let all = select(vec![SelectItem::Wildcard(Position::START)], relation);
                let query = Box::new(query(QueryBody::Select(Box::new(all))));
                Expression::of(&[self], ExprKind::InQuery { operand: self.boxed(), query, negated: false })
            }
            Err(error) => self.clone().wrong(error.to_string()),
        }
    }

    /// It fits a pattern with `%` and `_`.
    #[must_use]
    pub fn like(&self, pattern: impl Into<Expression>) -> Self {
        self.fits(&pattern.into(), false)
    }

    /// It fits a regular expression of SQL.
    #[must_use]
    pub fn similar(&self, pattern: impl Into<Expression>) -> Self {
        self.fits(&pattern.into(), true)
    }

    fn fits(&self, pattern: &Expression, similar: bool) -> Self {
        Expression::of(
            &[self, pattern],
            ExprKind::Like {
                operand: self.boxed(),
                pattern: pattern.boxed(),
                escape: None,
                similar,
                negated: false,
            },
        )
    }

    fn is(&self, test: IsTest, negated: bool) -> Self {
        Expression::of(&[self], ExprKind::Is { operand: self.boxed(), test, negated })
    }

    fn access(&self, step: Access, parts: &[&Expression]) -> Self {
        let (root, mut path) = match &self.expr.kind {
            ExprKind::Access { root, path } => (root.clone(), path.clone()),
            _ => (self.boxed(), Vec::new()),
        };
        path.push(step);
        Expression::of(parts, ExprKind::Access { root, path })
    }

    /// A field of a ROW.
    #[must_use]
    pub fn get(&self, field: &str) -> Self {
        let name: Ident = ident(field);
        match &self.expr.kind {
            ExprKind::Name(parts) => {
                let parts = parts.iter().cloned().chain([name]).collect();
                Expression::of(&[self], ExprKind::Name(parts))
            }
            _ => self.access(Access::Field(name), &[self]),
        }
    }

    /// An element: of an ARRAY by its number, from 1 on; of a MAP by its key.
    #[must_use]
    pub fn at(&self, index: impl Into<Expression>) -> Self {
        let index = index.into();
        self.access(Access::Element(index.expr.clone()), &[self, &index])
    }
}

macro_rules! comparisons {
    ($($name:ident $op:ident $sql:literal),*) => {
        impl Expression {
            $(
                #[doc = concat!("`this ", $sql, " other`")]
                #[must_use]
                pub fn $name(&self, other: impl Into<Expression>) -> Self {
                    self.binary(BinaryOp::$op, &other.into())
                }
            )*
        }
    };
}

comparisons!(
    is_equal Eq "=",
    is_not_equal NotEq "<>",
    is_less Lt "<",
    is_less_or_equal LtEq "<=",
    is_greater Gt ">",
    is_greater_or_equal GtEq ">=",
    concat Concat "||"
);

macro_rules! tests {
    ($($name:ident $test:ident $negated:literal $sql:literal),*) => {
        impl Expression {
            $(
                #[doc = concat!("`this IS ", $sql, "`")]
                #[must_use]
                pub fn $name(&self) -> Self {
                    self.is(IsTest::$test, $negated)
                }
            )*
        }
    };
}

tests!(
    is_null Null false "NULL",
    is_not_null Null true "NOT NULL",
    is_true True false "TRUE",
    is_not_true True true "NOT TRUE",
    is_false False false "FALSE",
    is_not_false False true "NOT FALSE"
);

macro_rules! arithmetic {
    ($($trait:ident $method:ident $op:ident),*) => {$(
        impl<T: Into<Expression>> std::ops::$trait<T> for Expression {
            type Output = Expression;

            fn $method(self, right: T) -> Expression {
                self.binary(BinaryOp::$op, &right.into())
            }
        }
    )*};
}

arithmetic!(Add add Plus, Sub sub Minus, Mul mul Multiply, Div div Divide, Rem rem Modulo);

impl std::ops::Neg for Expression {
    type Output = Expression;

    fn neg(self) -> Expression {
        self.unary(UnaryOp::Minus)
    }
}

impl std::ops::Not for Expression {
    type Output = Expression;

    fn not(self) -> Expression {
        self.unary(UnaryOp::Not)
    }
}
