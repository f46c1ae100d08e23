//! Operands: literals, names, parentheses, constructors, and functions with special syntax.

use super::node;
use crate::ast::{Access, BinaryOp, Call, Case, CaseBranch, Expr, ExprKind, ObjectName};
use crate::error::{ParseError, Result};
use crate::keywords::{is_reserved, is_reserved_function};
use crate::lexer::Kind;
use crate::parser::Parser;

/// Functions that are called without parentheses too.
const WITHOUT_PARENTHESES: [&str; 13] = [
    "CURRENT_CATALOG",
    "CURRENT_DATE",
    "CURRENT_PATH",
    "CURRENT_ROLE",
    "CURRENT_SCHEMA",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "SESSION_USER",
    "SYSTEM_USER",
    "USER",
];

/// The functions with a grammar of their own, by their name before a parenthesis.
fn special_form<'p>(word: &str) -> Option<fn(&mut Parser<'p>) -> Result<Expr>> {
    Some(match word {
        "CAST" => |p| p.special(|p| p.cast(false)),
        "TRY_CAST" => |p| p.special(|p| p.cast(true)),
        "EXISTS" => |p| p.special(|p| p.query().map(ExprKind::Exists)),
        "ROW" => |p| p.special(Parser::row),
        "EXTRACT" => |p| p.special(Parser::extract),
        "FLOOR" => |p| p.special(|p| p.rounding(true)),
        "CEIL" | "CEILING" => |p| p.special(|p| p.rounding(false)),
        "POSITION" => |p| p.special(Parser::position_in),
        "SUBSTRING" => |p| p.special(Parser::substring),
        "OVERLAY" => |p| p.special(Parser::overlay),
        "TRIM" => |p| p.special(Parser::trim),
        "TIMESTAMPADD" => |p| p.special(|p| p.timestamp_arithmetic(false)),
        "TIMESTAMPDIFF" => |p| p.special(|p| p.timestamp_arithmetic(true)),
        "JSON_VALUE" | "JSON_QUERY" | "JSON_EXISTS" | "JSON_OBJECT" | "JSON_ARRAY" | "JSON_OBJECTAGG"
        | "JSON_ARRAYAGG" => Parser::json_call,
        _ => return None,
    })
}

impl Parser<'_> {
    pub(super) fn primary(&mut self) -> Result<Expr> {
        if let Some(literal) = self.literal()? {
            return Ok(literal);
        }
        match self.peek().kind {
            Kind::Quoted => self.name_or_call(),
            Kind::Word => self.word(),
            Kind::Sign if self.is_sign("(") => self.parentheses(),
            _ => Err(self.unexpected("an expression")),
        }
    }

    /// `.field` and `[index]` behind an operand.
    pub(super) fn accesses(&mut self, root: Expr) -> Result<Expr> {
        let mut path = vec![];
        loop {
            if self.eat_sign("[") {
                path.push(Access::Element(self.expr()?));
                self.expect_sign("]")?;
            } else if self.is_sign(".") && !self.peek_at(1).is_sign("*") {
                self.next();
                path.push(Access::Field(self.ident()?));
            } else if path.is_empty() {
                return Ok(root);
            } else {
                return Ok(node(root.position, ExprKind::Access { root: Box::new(root), path }));
            }
        }
    }

    /// `(query)`, `(a)`, `(a, b)`, `(a - b) HOUR`
    fn parentheses(&mut self) -> Result<Expr> {
        let position = self.position();
        self.expect_sign("(")?;
        let mut exprs = self.expressions_or_query()?;
        self.expect_sign(")")?;
        if self.is_interval_unit()
            && let [Expr { kind: ExprKind::Binary { rest, .. }, .. }] = &exprs[..]
            && matches!(rest.last(), Some((BinaryOp::Minus, _)))
        {
            return self.time_difference(exprs.swap_remove(0));
        }
        Ok(match exprs.len() {
            1 => exprs.swap_remove(0),
            _ => node(position, ExprKind::Row(exprs)),
        })
    }

    /// The units behind `(a - b)`.
    fn time_difference(&mut self, minus: Expr) -> Result<Expr> {
        let Expr { position, kind: ExprKind::Binary { first, mut rest } } = minus else { return Ok(minus) };
        let Some((_, right)) = rest.pop() else { return Ok(*first) };
        let left = if rest.is_empty() { *first } else { node(position, ExprKind::Binary { first, rest }) };
        let qualifier = Box::new(self.interval_qualifier()?);
        Ok(node(position, ExprKind::TimeDifference { operands: Box::new([left, right]), qualifier }))
    }

    /// Inside parentheses: a query (then it is the only one), or expressions.
    pub(super) fn expressions_or_query(&mut self) -> Result<Vec<Expr>> {
        let position = self.position();
        if self.is_query() {
            return Ok(vec![node(position, ExprKind::Subquery(self.query()?))]);
        }
        let mut exprs = self.commas(Self::expr)?;
        // `((SELECT ..) UNION (SELECT ..))`: what looked like an expression was the query's first half.
        if matches!(exprs[..], [Expr { kind: ExprKind::Subquery(_), .. }])
            && self.continues_query()
            && let Some(Expr { kind: ExprKind::Subquery(left), .. }) = exprs.pop()
        {
            exprs.push(node(position, ExprKind::Subquery(self.query_from(left)?)));
        }
        Ok(exprs)
    }

    /// Operands that begin with a word. Each form is a separate method, so that the levels below need little
    /// stack.
    fn word(&mut self) -> Result<Expr> {
        let word = self.peek().value.to_ascii_uppercase();
        if self.peek_at(1).is_sign("(")
            && let Some(form) = special_form(&word)
        {
            return form(self);
        }
        if self.peek_at(1).is_sign("[") {
            match word.as_str() {
                "ARRAY" => return self.array(),
                "MAP" => return self.map(),
                "MULTISET" => return self.multiset(),
                _ => {}
            }
        }
        if word == "CASE" {
            return self.case();
        }
        if self.is_measure() {
            return self.measured();
        }
        if let Some(error) = self.reserved_word(&word) {
            return Err(error);
        }
        match WITHOUT_PARENTHESES.contains(&word.as_str()) && !self.peek_at(1).is_sign("(") {
            true => Ok(self.without_parentheses()),
            false => self.name_or_call(),
        }
    }

    /// What is wrong with a word that begins no expression.
    fn reserved_word(&self, word: &str) -> Option<ParseError> {
        let parenthesis = self.peek_at(1).is_sign("(");
        if matches!(word, "ARRAY" | "MAP" | "MULTISET")
            && parenthesis
            && self.peek_at(2).is_any_word(&["SELECT", "WITH", "VALUES"])
        {
            let message = format!("{word}(query) is not supported: write {word}_AGG or {word}[..]");
            return Some(ParseError::unsupported(message, self.position()));
        }
        let function = WITHOUT_PARENTHESES.contains(&word) || (parenthesis && is_reserved_function(word));
        (is_reserved(word) && !function).then(|| self.reserved("an expression"))
    }

    fn without_parentheses(&mut self) -> Expr {
        let position = self.position();
        let name = ObjectName(vec![self.next().ident()]);
        node(position, ExprKind::Call(Box::new(Call { parentheses: false, ..Call::new(name) })))
    }

    /// Whether `FINAL x` or `RUNNING x` comes next.
    fn is_measure(&self) -> bool {
        (self.is_word("FINAL") || self.is_word("RUNNING"))
            && self.peek_at(1).kind == Kind::Word
            && (self.peek_at(2).is_sign("(") || self.peek_at(2).is_sign("."))
    }

    fn measured(&mut self) -> Result<Expr> {
        let token = self.next();
        let inner = Box::new(self.nested(Self::primary)?);
        let kind = if token.is_word("FINAL") { ExprKind::Final(inner) } else { ExprKind::Running(inner) };
        Ok(node(token.position, kind))
    }

    fn array(&mut self) -> Result<Expr> {
        let position = self.next().position;
        Ok(node(position, ExprKind::Array(self.bracketed()?)))
    }

    fn multiset(&mut self) -> Result<Expr> {
        let position = self.next().position;
        Ok(node(position, ExprKind::Multiset(self.bracketed()?)))
    }

    /// `a`, `a.b`, `f(..)`, `db.f(..)`
    fn name_or_call(&mut self) -> Result<Expr> {
        let first = self.next();
        let mut parts = vec![first.ident()];
        while self.is_sign(".") && !self.peek_at(1).is_sign("*") {
            self.next();
            // Behind a dot a function may have a reserved name, a field may not.
            let is_function = self.peek().kind == Kind::Word && self.peek_at(1).is_sign("(");
            parts.push(if is_function { self.next().ident() } else { self.ident()? });
        }
        if self.is_sign("(") {
            return self.call(ObjectName(parts));
        }
        Ok(node(first.position, ExprKind::Name(parts)))
    }

    fn bracketed(&mut self) -> Result<Vec<Expr>> {
        self.expect_sign("[")?;
        let elements = if self.is_sign("]") { vec![] } else { self.commas(Self::expr)? };
        self.expect_sign("]")?;
        Ok(elements)
    }

    fn map(&mut self) -> Result<Expr> {
        let position = self.next().position;
        let elements = self.bracketed()?;
        if elements.len() % 2 != 0 {
            return Err(ParseError::new(
                "MAP[..] needs a value for every key: MAP['k1', v1, 'k2', v2]",
                position,
            ));
        }
        let mut elements = elements.into_iter();
        let mut entries = vec![];
        while let (Some(key), Some(value)) = (elements.next(), elements.next()) {
            entries.push((key, value));
        }
        Ok(node(position, ExprKind::Map(entries)))
    }

    fn case(&mut self) -> Result<Expr> {
        let position = self.next().position;
        let operand = if self.is_word("WHEN") { None } else { Some(self.expr()?) };
        let mut branches = vec![];
        while self.eat("WHEN") {
            let conditions = if operand.is_some() { self.commas(Self::expr)? } else { vec![self.expr()?] };
            self.expect("THEN")?;
            branches.push(CaseBranch { conditions, result: self.expr()? });
        }
        if branches.is_empty() {
            return Err(self.unexpected("WHEN"));
        }
        let otherwise = if self.eat("ELSE") { Some(self.expr()?) } else { None };
        self.expect("END")?;
        Ok(node(position, ExprKind::Case(Box::new(Case { operand, branches, otherwise }))))
    }
}
