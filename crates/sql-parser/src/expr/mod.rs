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
//!
//! Binary operators of one precedence in a row become one node, whatever their number. The others take what
//! is left of them as their operand, so that each of them in a row is a level.

pub(crate) mod binding;
mod call;
mod json;
mod literal;
mod predicate;
mod prefix;
mod special;
mod window;

use binding::{AND, COMPARE, IN, IS, NOT, OR, SIGN, binary};

use crate::ast::{BinaryOp, Expr, ExprKind, UnaryOp};
use crate::error::{ParseError, Position, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

/// Operators between two operands, or after one.
enum Operator {
    Binary(BinaryOp),
    And,
    Or,
    Is,
    Between,
    Like,
    Similar,
    In,
}

fn node(position: Position, kind: ExprKind) -> Expr {
    Expr { position, kind }
}

/// The binary operators of one precedence that have been read in a row.
#[derive(Default)]
struct Chain {
    binds: u8,
    /// There is another operator than `||` among them.
    mixed: bool,
    /// `||` that do not count yet: a chain of them alone may be joined in any order, and so is not high.
    texts: u32,
}

impl Chain {
    /// Adds an operator; gives by how much the chain becomes higher.
    fn add(&mut self, op: BinaryOp, binds: u8) -> u32 {
        if self.binds != binds {
            *self = Chain { binds, ..Chain::default() };
        }
        self.texts += 1;
        self.mixed |= op != BinaryOp::Concat;
        if self.mixed { std::mem::take(&mut self.texts) } else { 0 }
    }
}

impl Parser<'_> {
    /// An expression.
    pub(crate) fn expr(&mut self) -> Result<Expr> {
        self.operators(0)
    }

    /// Operands and operators that bind tighter than the given precedence.
    fn operators(&mut self, outer: u8) -> Result<Expr> {
        self.nested(|p| p.operators_within(outer))
    }

    fn operators_within(&mut self, outer: u8) -> Result<Expr> {
        let mut left = self.operand()?;
        let mut levels = 0;
        let mut chain = Chain::default();
        while let Some((operator, negated, binds)) = self.operator() {
            if binds <= outer {
                break;
            }
            if !matches!(operator, Operator::Binary(_)) {
                chain = Chain::default();
            }
            left = match operator {
                Operator::And => self.logical(left, "AND", binds)?,
                Operator::Or => self.logical(left, "OR", binds)?,
                Operator::Binary(op) => {
                    let goes_on = chain.binds == binds;
                    self.operators_in_a_row(chain.add(op, binds))?;
                    self.binary(left, op, binds, goes_on)?
                }
                operator => {
                    self.enter()?;
                    levels += 1;
                    self.predicate(left, operator, negated)?
                }
            };
        }
        self.leave(levels);
        self.foreign_operator()?;
        Ok(left)
    }

    fn predicate(&mut self, left: Expr, operator: Operator, negated: bool) -> Result<Expr> {
        if let Operator::Is = operator {
            return self.is_test(left);
        }
        self.next();
        if negated {
            self.next();
        }
        match operator {
            Operator::Between => self.between(left, negated),
            Operator::Like => self.like(left, negated, false),
            Operator::Similar => self.like(left, negated, true),
            _ => self.in_list(left, negated),
        }
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
        Err(match unsupported {
            true => ParseError::unsupported(message, word.position),
            false => ParseError::new(message, word.position),
        })
    }

    /// The operator here, whether NOT precedes it, and how tightly it binds. Consumes nothing.
    fn operator(&self) -> Option<(Operator, bool, u8)> {
        let token = self.peek();
        if token.kind == Kind::Sign {
            let op = match token.value.as_str() {
                "=" => BinaryOp::Eq,
                "<>" => BinaryOp::NotEq,
                "<" => BinaryOp::Lt,
                "<=" => BinaryOp::LtEq,
                ">" => BinaryOp::Gt,
                ">=" => BinaryOp::GtEq,
                "+" => BinaryOp::Plus,
                "-" => BinaryOp::Minus,
                "*" => BinaryOp::Multiply,
                "/" => BinaryOp::Divide,
                "%" => BinaryOp::Modulo,
                "||" => BinaryOp::Concat,
                _ => return None,
            };
            return Some((Operator::Binary(op), false, binary(op)));
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
            "OR" => (Operator::Or, OR),
            "AND" => (Operator::And, AND),
            "IS" if self.peek_at(1).is_word("DISTINCT") => (Operator::Is, COMPARE),
            "IS" if self.peek_at(1).is_word("NOT") && self.peek_at(2).is_word("DISTINCT") => {
                (Operator::Is, COMPARE)
            }
            "IS" => (Operator::Is, IS),
            "OVERLAPS" => (Operator::Binary(BinaryOp::Overlaps), COMPARE),
            _ => return None,
        };
        (token.kind == Kind::Word).then_some((operator, negated, binds))
    }

    /// A chain of AND or of OR.
    fn logical(&mut self, left: Expr, word: &str, binds: u8) -> Result<Expr> {
        let position = left.position;
        let mut operands = vec![left];
        while self.eat(word) {
            operands.push(self.operators(binds)?);
        }
        let kind = if word == "AND" { ExprKind::And(operands) } else { ExprKind::Or(operands) };
        Ok(node(position, kind))
    }

    /// An operator with its right side; it continues the chain of `left`, or begins one.
    fn binary(&mut self, left: Expr, op: BinaryOp, binds: u8, goes_on: bool) -> Result<Expr> {
        self.next();
        let position = left.position;
        if binds == COMPARE
            && let Some(quantifier) = self.quantifier()
        {
            self.next();
            let (left, right) = (Box::new(left), Box::new(self.operand()?));
            return Ok(node(position, ExprKind::Quantified { left, op, all: quantifier == "ALL", right }));
        }
        let right = self.operators(binds)?;
        Ok(match left {
            Expr { kind: ExprKind::Binary { first, mut rest }, .. } if goes_on => {
                rest.push((op, right));
                node(position, ExprKind::Binary { first, rest })
            }
            left => node(position, ExprKind::Binary { first: Box::new(left), rest: vec![(op, right)] }),
        })
    }

    fn quantifier(&self) -> Option<&'static str> {
        let word = ["ANY", "SOME", "ALL"].into_iter().find(|word| self.is_word(word))?;
        self.peek_at(1).is_sign("(").then_some(word)
    }

    /// The operands of operators, with their signs and NOTs.
    fn operand(&mut self) -> Result<Expr> {
        let position = self.position();
        let op = match self.peek() {
            token if token.is_sign("-") => UnaryOp::Minus,
            token if token.is_sign("+") => UnaryOp::Plus,
            token if token.is_word("NOT") => UnaryOp::Not,
            _ => {
                let expr = self.primary()?;
                return self.accesses(expr);
            }
        };
        self.next();
        let operand = Box::new(self.operators(if op == UnaryOp::Not { NOT } else { SIGN })?);
        Ok(node(position, ExprKind::Unary { op, operand }))
    }
}
