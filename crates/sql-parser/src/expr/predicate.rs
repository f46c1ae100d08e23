//! IS, BETWEEN, LIKE, SIMILAR TO, IN: operators that are more than a sign between two operands.

use sqlparser::ast::{BinaryOperator, Expr, Value, ValueWithSpan};

use super::{COMPARE, IN, join};
use crate::encoding::{JsonItem, is_json};
use crate::error::{ParseError, Result};
use crate::parser::Parser;

impl Parser<'_> {
    pub(super) fn is_test(&mut self, expr: Expr) -> Result<Expr> {
        let at = self.span();
        self.expect("IS")?;
        let negated = self.eat("NOT");
        if self.eat_all(&["DISTINCT", "FROM"]) {
            let (left, right) = (Box::new(expr), Box::new(self.operators(COMPARE)?));
            return Ok(match negated {
                true => Expr::IsNotDistinctFrom(left, right),
                false => Expr::IsDistinctFrom(left, right),
            });
        }
        if self.eat("JSON") {
            let item = match self.eat_any(&["VALUE", "OBJECT", "ARRAY", "SCALAR"]) {
                Some("OBJECT") => JsonItem::Object,
                Some("ARRAY") => JsonItem::Array,
                Some("SCALAR") => JsonItem::Scalar,
                _ => JsonItem::Value,
            };
            return Ok(is_json(expr, item, negated, at));
        }
        for what in ["EMPTY", "A"] {
            if self.is_word(what) {
                return Err(ParseError::unsupported(format!("IS {what} of multisets is not supported"), at));
            }
        }
        const TESTS: [&str; 4] = ["NULL", "TRUE", "FALSE", "UNKNOWN"];
        let test = self
            .eat_any(&TESTS)
            .ok_or_else(|| self.unexpected("NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM or JSON behind IS"))?;
        let expr = Box::new(expr);
        Ok(match (test, negated) {
            ("NULL", false) => Expr::IsNull(expr),
            ("NULL", true) => Expr::IsNotNull(expr),
            ("TRUE", false) => Expr::IsTrue(expr),
            ("TRUE", true) => Expr::IsNotTrue(expr),
            ("FALSE", false) => Expr::IsFalse(expr),
            ("FALSE", true) => Expr::IsNotFalse(expr),
            (_, false) => Expr::IsUnknown(expr),
            (_, true) => Expr::IsNotUnknown(expr),
        })
    }

    pub(super) fn between(&mut self, expr: Expr, negated: bool, start: usize) -> Result<Expr> {
        let symmetric = self.eat("SYMMETRIC");
        if !symmetric {
            self.eat("ASYMMETRIC");
        }
        let low = Box::new(self.operators(IN)?);
        self.expect("AND")?;
        let high = Box::new(self.operators(IN)?);
        let expr = Box::new(expr);
        if !symmetric {
            return Ok(Expr::Between { expr, negated, low, high });
        }
        // The bounds in either order, as Calcite rewrites it.
        self.copies(start, "BETWEEN SYMMETRIC")?;
        let swapped = Expr::Between { expr: expr.clone(), negated, low: high.clone(), high: low.clone() };
        let straight = Expr::Between { expr, negated, low, high };
        let op = if negated { BinaryOperator::And } else { BinaryOperator::Or };
        Ok(Expr::Nested(Box::new(join(vec![straight, swapped], &op))))
    }

    /// What is going to stand twice in the tree must be short, or nesting it would double the tree at every level.
    pub(super) fn copies(&self, start: usize, what: &str) -> Result<()> {
        const MOST: usize = 40;
        if self.mark() - start <= MOST {
            return Ok(());
        }
        let message = format!("{what} takes short operands only: name the longer ones in a subquery");
        Err(ParseError::unsupported(message, self.span()))
    }

    pub(super) fn like(&mut self, expr: Expr, negated: bool) -> Result<Expr> {
        let pattern = Box::new(self.operators(IN)?);
        let escape_char = self.escape()?;
        Ok(Expr::Like { negated, any: false, expr: Box::new(expr), pattern, escape_char })
    }

    pub(super) fn similar(&mut self, expr: Expr, negated: bool) -> Result<Expr> {
        self.expect("TO")?;
        let pattern = Box::new(self.operators(IN)?);
        let escape_char = self.escape()?;
        Ok(Expr::SimilarTo { negated, expr: Box::new(expr), pattern, escape_char })
    }

    fn escape(&mut self) -> Result<Option<ValueWithSpan>> {
        if !self.eat("ESCAPE") {
            return Ok(None);
        }
        let span = self.span();
        let text = self.text()?;
        Ok(Some(Value::SingleQuotedString(text.value).with_span(span)))
    }

    pub(super) fn in_list(&mut self, expr: Expr, negated: bool) -> Result<Expr> {
        self.expect_sign("(")?;
        let expr = Box::new(expr);
        if self.is_query() {
            let subquery = self.query()?;
            self.expect_sign(")")?;
            return Ok(Expr::InSubquery { expr, subquery, negated });
        }
        let list = self.expressions_or_query()?;
        self.expect_sign(")")?;
        Ok(match <[Expr; 1]>::try_from(list) {
            Ok([Expr::Subquery(subquery)]) => Expr::InSubquery { expr, subquery, negated },
            Ok(list) => Expr::InList { expr, list: list.into(), negated },
            Err(list) => Expr::InList { expr, list, negated },
        })
    }
}
