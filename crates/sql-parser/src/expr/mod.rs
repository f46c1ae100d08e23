//! Expressions: operators by precedence, as Calcite has them.
//!
//! | binds | operators |
//! |---|---|
//! | loosest | OR |
//! | | AND |
//! | | NOT |
//! | | IS NULL, IS TRUE, IS JSON .. |
//! | | = <> < <= > >=, IS DISTINCT FROM, OVERLAPS |
//! | | IN, LIKE, SIMILAR TO, BETWEEN |
//! | | + - |
//! | | * / % \|\| |
//! | tightest | sign |

mod call;
mod json;
mod literal;
mod predicate;
mod prefix;
mod special;
mod window;

pub(crate) use literal::time_unit_of;

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use crate::error::{ParseError, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

const OR: u8 = 10;
const AND: u8 = 20;
const NOT: u8 = 30;
const IS: u8 = 40;
const COMPARE: u8 = 50;
const IN: u8 = 60;
const PLUS: u8 = 70;
const TIMES: u8 = 80;
const SIGN: u8 = 90;

/// So many operators in a row, AND and OR aside, make a tree deeper than what walks it can bear.
const MAX_CHAIN: usize = 500;
/// From so many operands on, chains of AND and OR become balanced trees.
const BALANCE: usize = 32;

/// What stands between two operands.
enum Operator {
    Binary(BinaryOperator),
    Is,
    Between,
    Like,
    Similar,
    In,
}

impl Parser<'_> {
    /// An expression.
    pub(crate) fn expr(&mut self) -> Result<Expr> {
        self.operators(0)
    }

    /// Operands and operators that bind tighter than the given precedence.
    fn operators(&mut self, outer: u8) -> Result<Expr> {
        self.nested(|p| {
            let start = p.mark();
            let mut left = p.operand()?;
            let mut chain = 0;
            while let Some((operator, negated, binds)) = p.operator() {
                if binds <= outer {
                    break;
                }
                chain += 1;
                if chain > MAX_CHAIN {
                    return Err(ParseError::new(
                        format!("More than {MAX_CHAIN} operators in a row: group some of them in a subquery or view"),
                        p.span(),
                    ));
                }
                left = match operator {
                    Operator::Binary(op @ (BinaryOperator::And | BinaryOperator::Or)) => p.logical(left, op, binds)?,
                    Operator::Binary(op) => p.binary(left, op, binds)?,
                    Operator::Is => p.is_test(left)?,
                    operator => {
                        p.next();
                        if negated {
                            p.next();
                        }
                        match operator {
                            Operator::Between => p.between(left, negated, start)?,
                            Operator::Like => p.like(left, negated)?,
                            Operator::Similar => p.similar(left, negated)?,
                            _ => p.in_list(left, negated)?,
                        }
                    }
                };
            }
            p.foreign_operator()?;
            Ok(left)
        })
    }

    /// Names operators of other dialects, and Flink's that are not built, before they are taken for an alias.
    fn foreign_operator(&self) -> Result<()> {
        let ahead = usize::from(self.is_word("NOT"));
        let word = self.peek_at(ahead);
        let next = self.peek_at(ahead + 1);
        let operand = matches!(next.kind, Kind::Text | Kind::Quoted) || next.is_sign("(");
        let (message, unsupported) = if operand && word.is_any_word(&["ILIKE", "RLIKE", "REGEXP"]) {
            ("There is no operator ILIKE, RLIKE or REGEXP: write LOWER(a) LIKE 'b' or REGEXP(a, 'b')", false)
        } else if self.are_words(&["AT", "TIME", "ZONE"]) {
            ("There is no AT TIME ZONE: write CONVERT_TZ(..), or CAST to TIMESTAMP_LTZ", false)
        } else if word.is_any_word(&["MEMBER", "SUBMULTISET"]) && next.is_word("OF") {
            ("MEMBER OF and SUBMULTISET OF are not supported", true)
        } else if self.is_word("MULTISET") && next.is_any_word(&["UNION", "INTERSECT", "EXCEPT"]) {
            ("Set operations on multisets are not supported", true)
        } else {
            return Ok(());
        };
        Err(ParseError { unsupported, ..ParseError::new(message, word.span) })
    }

    /// The operator here, whether NOT stands before it, and how tight it binds. Takes nothing.
    fn operator(&self) -> Option<(Operator, bool, u8)> {
        let token = self.peek();
        if token.kind == Kind::Sign {
            let (op, binds) = match token.value.as_str() {
                "=" => (BinaryOperator::Eq, COMPARE),
                "<>" => (BinaryOperator::NotEq, COMPARE),
                "<" => (BinaryOperator::Lt, COMPARE),
                "<=" => (BinaryOperator::LtEq, COMPARE),
                ">" => (BinaryOperator::Gt, COMPARE),
                ">=" => (BinaryOperator::GtEq, COMPARE),
                "+" => (BinaryOperator::Plus, PLUS),
                "-" => (BinaryOperator::Minus, PLUS),
                "*" => (BinaryOperator::Multiply, TIMES),
                "/" => (BinaryOperator::Divide, TIMES),
                "%" => (BinaryOperator::Modulo, TIMES),
                "||" => (BinaryOperator::StringConcat, TIMES),
                _ => return None,
            };
            return Some((Operator::Binary(op), false, binds));
        }
        if token.kind != Kind::Word {
            return None;
        }
        let negated = token.is_word("NOT");
        let token = if negated { self.peek_at(1) } else { token };
        let (operator, binds) = match token.value.to_ascii_uppercase().as_str() {
            "BETWEEN" => (Operator::Between, IN),
            "LIKE" => (Operator::Like, IN),
            "SIMILAR" => (Operator::Similar, IN),
            "IN" => (Operator::In, IN),
            _ if negated => return None,
            "OR" => (Operator::Binary(BinaryOperator::Or), OR),
            "AND" => (Operator::Binary(BinaryOperator::And), AND),
            "IS" if self.peek_at(1).is_word("DISTINCT") => (Operator::Is, COMPARE),
            "IS" if self.peek_at(1).is_word("NOT") && self.peek_at(2).is_word("DISTINCT") => {
                (Operator::Is, COMPARE)
            }
            "IS" => (Operator::Is, IS),
            "OVERLAPS" => (Operator::Binary(BinaryOperator::Overlaps), COMPARE),
            _ => return None,
        };
        (token.kind == Kind::Word).then_some((operator, negated, binds))
    }

    /// A chain of AND or of OR. Both are associative, so a long chain becomes a balanced tree.
    fn logical(&mut self, left: Expr, op: BinaryOperator, binds: u8) -> Result<Expr> {
        let word = if op == BinaryOperator::And { "AND" } else { "OR" };
        let mut operands = vec![left];
        while self.eat(word) {
            operands.push(self.operators(binds)?);
        }
        Ok(join(operands, &op))
    }

    fn binary(&mut self, left: Expr, op: BinaryOperator, binds: u8) -> Result<Expr> {
        self.next();
        if binds == COMPARE
            && let Some(quantifier) = self.quantifier()
        {
            self.next();
            let right = Box::new(self.operand()?);
            let (left, compare_op) = (Box::new(left), op);
            return Ok(match quantifier {
                "ALL" => Expr::AllOp { left, compare_op, right },
                word => Expr::AnyOp { left, compare_op, right, is_some: word == "SOME" },
            });
        }
        let right = self.operators(binds)?;
        Ok(Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) })
    }

    fn quantifier(&self) -> Option<&'static str> {
        let word = ["ANY", "SOME", "ALL"].into_iter().find(|word| self.is_word(word))?;
        self.peek_at(1).is_sign("(").then_some(word)
    }

    /// What stands left and right of operators, with its signs and NOTs.
    fn operand(&mut self) -> Result<Expr> {
        let op = match self.peek() {
            token if token.is_sign("-") => UnaryOperator::Minus,
            token if token.is_sign("+") => UnaryOperator::Plus,
            token if token.is_word("NOT") => UnaryOperator::Not,
            _ => {
                let expr = self.primary()?;
                return self.accesses(expr);
            }
        };
        self.next();
        let expr = Box::new(self.operators(if op == UnaryOperator::Not { NOT } else { SIGN })?);
        Ok(Expr::UnaryOp { op, expr })
    }
}

/// A tree of one operator over the operands: to the left, or balanced if there are many.
fn join(mut operands: Vec<Expr>, op: &BinaryOperator) -> Expr {
    let pair = |left, right| Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) };
    while operands.len() > BALANCE {
        let mut halved = Vec::with_capacity(operands.len().div_ceil(2));
        let mut rest = operands.into_iter();
        while let Some(left) = rest.next() {
            halved.push(match rest.next() {
                Some(right) => pair(left, right),
                None => left,
            });
        }
        operands = halved;
    }
    let mut operands = operands.into_iter();
    match operands.next() {
        Some(first) => operands.fold(first, pair),
        None => Expr::Tuple(vec![]),
    }
}
