//! What an operand is: literals, names, parentheses, constructors, and functions with a grammar of their own.

use sqlparser::ast::{
    AccessExpr, Array, CaseWhen, Expr, FunctionArguments, Ident, Map, MapEntry, ObjectName, Subscript,
};

use crate::encoding::{encode_final, encode_multiset, function};
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
        let mut access_chain = vec![];
        loop {
            if self.eat_sign("[") {
                let index = self.expr()?;
                self.expect_sign("]")?;
                access_chain.push(AccessExpr::Subscript(Subscript::Index { index }));
            } else if self.is_sign(".") && !self.peek_at(1).is_sign("*") {
                self.next();
                access_chain.push(AccessExpr::Dot(Expr::Identifier(self.ident()?)));
            } else if access_chain.is_empty() {
                return Ok(root);
            } else {
                return Ok(Expr::CompoundFieldAccess { root: Box::new(root), access_chain });
            }
        }
    }

    /// `(query)`, `(a)`, `(a, b)`
    fn parentheses(&mut self) -> Result<Expr> {
        self.expect_sign("(")?;
        let mut exprs = self.expressions_or_query()?;
        self.expect_sign(")")?;
        Ok(match exprs.len() {
            1 => match exprs.swap_remove(0) {
                query @ Expr::Subquery(_) => query,
                expr => Expr::Nested(Box::new(expr)),
            },
            _ => Expr::Tuple(exprs),
        })
    }

    /// Inside parentheses: a query (then it is the only one), or expressions.
    pub(super) fn expressions_or_query(&mut self) -> Result<Vec<Expr>> {
        if self.is_query() {
            return Ok(vec![Expr::Subquery(self.query()?)]);
        }
        let mut exprs = self.commas(Self::expr)?;
        // `((SELECT ..) UNION (SELECT ..))`: what looked like an expression was the query's first half.
        if matches!(exprs[..], [Expr::Subquery(_)])
            && self.continues_query()
            && let Some(Expr::Subquery(left)) = exprs.pop()
        {
            exprs.push(Expr::Subquery(self.query_from(left)?));
        }
        Ok(exprs)
    }

    fn word(&mut self) -> Result<Expr> {
        let token = self.peek().clone();
        let span = token.span;
        let word = token.value.to_ascii_uppercase();
        let next = self.peek_at(1);
        let (parenthesis, bracket) = (next.is_sign("("), next.is_sign("["));
        match word.as_str() {
            "CASE" => self.case(),
            "CAST" | "TRY_CAST" if parenthesis => self.cast(word == "TRY_CAST"),
            "EXISTS" if parenthesis => {
                self.next();
                self.expect_sign("(")?;
                let subquery = self.query()?;
                self.expect_sign(")")?;
                Ok(Expr::Exists { subquery, negated: false })
            }
            "ARRAY" if bracket => {
                self.next();
                Ok(Expr::Array(Array { elem: self.bracketed()?, named: true }))
            }
            "MAP" if bracket => self.map(),
            "MULTISET" if bracket => {
                self.next();
                let elements = self.bracketed()?;
                Ok(encode_multiset(elements, span))
            }
            "ARRAY" | "MAP" | "MULTISET"
                if parenthesis && self.peek_at(2).is_any_word(&["SELECT", "WITH", "VALUES"]) =>
            {
                Err(ParseError::unsupported(
                    format!("{word}(query) is not supported: write {word}_AGG or {word}[..]"),
                    span,
                ))
            }
            "ROW" if parenthesis => {
                self.next();
                self.expect_sign("(")?;
                let fields = if self.is_sign(")") { vec![] } else { self.commas(Self::expr)? };
                self.expect_sign(")")?;
                Ok(Expr::Tuple(fields))
            }
            "EXTRACT" if parenthesis => self.extract(),
            "FLOOR" | "CEIL" | "CEILING" if parenthesis => self.floor_or_ceil(word == "FLOOR"),
            "POSITION" if parenthesis => self.position_of(),
            "SUBSTRING" if parenthesis => self.substring(),
            "OVERLAY" if parenthesis => self.overlay(),
            "TRIM" if parenthesis => self.trim(),
            "TIMESTAMPADD" | "TIMESTAMPDIFF" if parenthesis => self.timestamp_arithmetic(),
            "JSON_VALUE" | "JSON_QUERY" | "JSON_EXISTS" | "JSON_OBJECT" | "JSON_ARRAY" | "JSON_OBJECTAGG"
            | "JSON_ARRAYAGG"
                if parenthesis =>
            {
                self.json_call(&word)
            }
            "FINAL" | "RUNNING"
                if next.kind == Kind::Word
                    && (self.peek_at(2).is_sign("(") || self.peek_at(2).is_sign(".")) =>
            {
                self.next();
                let inner = self.primary()?;
                Ok(encode_final(word == "FINAL", inner, span))
            }
            _ if WITHOUT_PARENTHESES.contains(&word.as_str()) && !parenthesis => {
                self.next();
                let mut call = function(ObjectName::from(vec![token.ident()]), vec![], vec![]);
                call.args = FunctionArguments::None;
                Ok(Expr::Function(call))
            }
            _ if is_reserved(&word)
                && !(parenthesis
                    && (is_reserved_function(&word) || WITHOUT_PARENTHESES.contains(&word.as_str()))) =>
            {
                Err(self.reserved("an expression"))
            }
            _ => self.name_or_call(),
        }
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
            return self.call(ObjectName::from(parts)).map(Expr::Function);
        }
        Ok(match <[Ident; 1]>::try_from(parts) {
            Ok([name]) => Expr::Identifier(name),
            Err(parts) => Expr::CompoundIdentifier(parts),
        })
    }

    fn bracketed(&mut self) -> Result<Vec<Expr>> {
        self.expect_sign("[")?;
        let elements = if self.is_sign("]") { vec![] } else { self.commas(Self::expr)? };
        self.expect_sign("]")?;
        Ok(elements)
    }

    fn map(&mut self) -> Result<Expr> {
        let span = self.next().span;
        let elements = self.bracketed()?;
        if elements.len() % 2 != 0 {
            return Err(ParseError::new(
                "MAP[..] needs a value for every key: MAP['k1', v1, 'k2', v2]",
                span,
            ));
        }
        let mut elements = elements.into_iter();
        let mut entries = vec![];
        while let (Some(key), Some(value)) = (elements.next(), elements.next()) {
            entries.push(MapEntry { key: Box::new(key), value: Box::new(value) });
        }
        Ok(Expr::Map(Map { entries }))
    }

    fn case(&mut self) -> Result<Expr> {
        let case_token = self.next().attached();
        let operand = if self.is_word("WHEN") { None } else { Some(Box::new(self.expr()?)) };
        let mut conditions = vec![];
        while self.eat("WHEN") {
            // `CASE x WHEN 1, 2 THEN ..`: a branch for each.
            let mut whens = if operand.is_some() { self.commas(Self::expr)? } else { vec![self.expr()?] };
            self.expect("THEN")?;
            let start = self.mark();
            let result = self.expr()?;
            let last = whens.pop();
            if !whens.is_empty() {
                self.copies(start, "CASE .. WHEN a, b THEN")?;
            }
            conditions
                .extend(whens.into_iter().map(|condition| CaseWhen { condition, result: result.clone() }));
            conditions.extend(last.map(|condition| CaseWhen { condition, result }));
        }
        if conditions.is_empty() {
            return Err(self.unexpected("WHEN"));
        }
        let else_result = if self.eat("ELSE") { Some(Box::new(self.expr()?)) } else { None };
        let end_token = self.peek().attached();
        self.expect("END")?;
        Ok(Expr::Case { case_token, end_token, operand, conditions, else_result })
    }
}
