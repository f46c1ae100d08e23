//! The JSON functions, whose clauses are words.

use crate::ast::{Argument, Call, Expr, ExprKind, JsonBehavior, JsonClauses, JsonWrapper, ObjectName};
use crate::error::{ParseError, Result};
use crate::parser::Parser;

impl Parser<'_> {
    pub(super) fn json_call(&mut self) -> Result<Expr> {
        let position = self.position();
        let name = &*self.peek().value.to_ascii_uppercase();
        let mut call = Box::new(Call::new(ObjectName(vec![self.next().ident()])));
        let mut clauses = JsonClauses::default();
        self.expect_sign("(")?;
        if !self.is_sign(")") {
            match name {
                "JSON_VALUE" | "JSON_QUERY" | "JSON_EXISTS" => {
                    call.args = self.json_args()?;
                    self.path_clauses(name, &mut clauses)?;
                }
                "JSON_OBJECT" | "JSON_OBJECTAGG" => {
                    if !self.is_null_clause() {
                        call.args = self.key_values()?;
                    }
                    clauses.absent_on_null = self.null_clause();
                }
                _ => {
                    if !self.is_null_clause() {
                        call.args = self.json_args()?;
                    }
                    if self.is_word("ORDER") {
                        call.order_by = self.order_by()?;
                    }
                    clauses.absent_on_null = self.null_clause();
                }
            }
        }
        self.expect_sign(")")?;
        call.json = Some(Box::new(clauses));
        self.call_suffix(&mut call)?;
        Ok(super::node(position, ExprKind::Call(call)))
    }

    fn json_args(&mut self) -> Result<Vec<Argument>> {
        let args = self.commas(Self::expr)?;
        self.no_format()?;
        Ok(args.into_iter().map(Argument::unnamed).collect())
    }

    fn no_format(&self) -> Result<()> {
        match self.is_word("FORMAT") {
            true => Err(ParseError::unsupported(
                "FORMAT JSON is not supported: write JSON('..')",
                self.position(),
            )),
            false => Ok(()),
        }
    }

    /// `[KEY] k VALUE v`, `k : v`
    fn key_values(&mut self) -> Result<Vec<Argument>> {
        let mut args = vec![];
        loop {
            if self.is_word("KEY") && !self.peek_at(1).is_word("VALUE") && !self.peek_at(1).is_sign(":") {
                self.next();
            }
            args.push(Argument::unnamed(self.expr()?));
            if !self.eat_sign(":") {
                self.expect("VALUE")?;
            }
            args.push(Argument::unnamed(self.expr()?));
            self.no_format()?;
            if !self.eat_sign(",") {
                return Ok(args);
            }
        }
    }

    fn is_null_clause(&self) -> bool {
        self.are_words(&["NULL", "ON", "NULL"]) || self.are_words(&["ABSENT", "ON", "NULL"])
    }

    /// Whether NULLs are omitted, if specified.
    fn null_clause(&mut self) -> Option<bool> {
        if self.eat_all(&["NULL", "ON", "NULL"]) {
            Some(false)
        } else if self.eat_all(&["ABSENT", "ON", "NULL"]) {
            Some(true)
        } else {
            None
        }
    }

    /// RETURNING, WRAPPER, ON EMPTY, ON ERROR: behind the path.
    fn path_clauses(&mut self, name: &str, clauses: &mut JsonClauses) -> Result<()> {
        if name != "JSON_EXISTS" && self.eat("RETURNING") {
            clauses.returning = Some(self.cast_type()?);
        }
        if name == "JSON_QUERY" {
            clauses.wrapper = self.wrapper()?;
        }
        while !self.is_sign(")") {
            let position = self.position();
            let behavior = self.behavior(name)?;
            self.expect("ON")?;
            let on_empty = name != "JSON_EXISTS" && self.eat("EMPTY");
            if !on_empty {
                self.expect("ERROR")?;
            }
            if clauses.on_error.is_some() || (on_empty && clauses.on_empty.is_some()) {
                return Err(ParseError::new(
                    "One ON EMPTY and one ON ERROR at most, in this order",
                    position,
                ));
            }
            *(if on_empty { &mut clauses.on_empty } else { &mut clauses.on_error }) = Some(behavior);
        }
        Ok(())
    }

    fn behavior(&mut self, name: &str) -> Result<JsonBehavior> {
        if name == "JSON_VALUE" && self.eat("DEFAULT") {
            return self.expr().map(JsonBehavior::Default);
        }
        if name == "JSON_QUERY" && self.eat("EMPTY") {
            if self.eat("OBJECT") {
                return Ok(JsonBehavior::EmptyObject);
            }
            self.eat("ARRAY");
            return Ok(JsonBehavior::EmptyArray);
        }
        let words: &[(&str, JsonBehavior)] = match name {
            "JSON_VALUE" | "JSON_QUERY" => &[("NULL", JsonBehavior::Null), ("ERROR", JsonBehavior::Error)],
            _ => &[
                ("TRUE", JsonBehavior::True),
                ("FALSE", JsonBehavior::False),
                ("UNKNOWN", JsonBehavior::Unknown),
                ("ERROR", JsonBehavior::Error),
            ],
        };
        match words.iter().find(|(word, _)| self.eat(word)) {
            Some((_, behavior)) => Ok(behavior.clone()),
            None => Err(self.unexpected(match name {
                "JSON_VALUE" => "RETURNING, NULL, ERROR, DEFAULT or `)`",
                "JSON_QUERY" => "RETURNING, WITH WRAPPER, NULL, ERROR, EMPTY ARRAY, EMPTY OBJECT or `)`",
                _ => "TRUE, FALSE, UNKNOWN, ERROR or `)`",
            })),
        }
    }

    fn wrapper(&mut self) -> Result<Option<JsonWrapper>> {
        let wrapper = if self.eat("WITHOUT") {
            JsonWrapper::Without
        } else if self.eat("WITH") {
            match self.eat_any(&["CONDITIONAL", "UNCONDITIONAL"]) {
                Some("CONDITIONAL") => JsonWrapper::Conditional,
                _ => JsonWrapper::Unconditional,
            }
        } else {
            return Ok(None);
        };
        self.eat("ARRAY");
        self.expect("WRAPPER")?;
        Ok(Some(wrapper))
    }
}
