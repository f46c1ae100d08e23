//! IS, BETWEEN, LIKE, SIMILAR TO, IN: operators that are more than a sign between two operands.

use super::binding::{COMPARE, IN};
use super::node;
use crate::ast::{Expr, ExprKind, IsTest, JsonItem};
use crate::error::{ParseError, Result};
use crate::parser::Parser;

impl Parser<'_> {
    pub(super) fn is_test(&mut self, operand: Expr) -> Result<Expr> {
        let at = self.position();
        self.expect("IS")?;
        let negated = self.eat("NOT");
        let position = operand.position;
        if self.eat_all(&["DISTINCT", "FROM"]) {
            let (left, right) = (Box::new(operand), Box::new(self.operators(COMPARE)?));
            return Ok(node(position, ExprKind::IsDistinct { left, right, negated }));
        }
        for what in ["EMPTY", "A"] {
            if self.is_word(what) {
                return Err(ParseError::unsupported(format!("IS {what} of multisets is not supported"), at));
            }
        }
        const TESTS: [(&str, IsTest); 5] = [
            ("NULL", IsTest::Null),
            ("TRUE", IsTest::True),
            ("FALSE", IsTest::False),
            ("UNKNOWN", IsTest::Unknown),
            ("JSON", IsTest::Json(JsonItem::Value)),
        ];
        let Some((_, mut test)) = TESTS.into_iter().find(|(word, _)| self.eat(word)) else {
            return Err(self.unexpected("NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM or JSON behind IS"));
        };
        if let IsTest::Json(item) = &mut test {
            *item = match self.eat_any(&["VALUE", "OBJECT", "ARRAY", "SCALAR"]) {
                Some("OBJECT") => JsonItem::Object,
                Some("ARRAY") => JsonItem::Array,
                Some("SCALAR") => JsonItem::Scalar,
                _ => JsonItem::Value,
            };
        }
        Ok(node(position, ExprKind::Is { operand: Box::new(operand), test, negated }))
    }

    pub(super) fn between(&mut self, operand: Expr, negated: bool) -> Result<Expr> {
        let symmetric = self.eat("SYMMETRIC");
        if !symmetric {
            self.eat("ASYMMETRIC");
        }
        let low = Box::new(self.operators(IN)?);
        self.expect("AND")?;
        let high = Box::new(self.operators(IN)?);
        let position = operand.position;
        let kind = ExprKind::Between { operand: Box::new(operand), low, high, negated, symmetric };
        Ok(node(position, kind))
    }

    pub(super) fn like(&mut self, operand: Expr, negated: bool, similar: bool) -> Result<Expr> {
        if similar {
            self.expect("TO")?;
        }
        let pattern = Box::new(self.operators(IN)?);
        let escape = if self.eat("ESCAPE") { Some(Box::new(self.text()?)) } else { None };
        let position = operand.position;
        let kind = ExprKind::Like { operand: Box::new(operand), pattern, escape, similar, negated };
        Ok(node(position, kind))
    }

    pub(super) fn in_list(&mut self, operand: Expr, negated: bool) -> Result<Expr> {
        let position = operand.position;
        let operand = Box::new(operand);
        self.expect_sign("(")?;
        let mut list = self.expressions_or_query()?;
        self.expect_sign(")")?;
        let kind = match list.pop() {
            Some(Expr { kind: ExprKind::Subquery(query), .. }) if list.is_empty() => {
                ExprKind::InQuery { operand, query, negated }
            }
            last => {
                list.extend(last);
                ExprKind::InList { operand, list, negated }
            }
        };
        Ok(node(position, kind))
    }
}
