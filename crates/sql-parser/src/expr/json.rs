//! The JSON functions, whose clauses are words.

use sqlparser::ast::{Expr, Function, FunctionArgumentClause, FunctionArguments, ObjectName};

use super::call::unnamed;
use crate::encoding::{JsonClause, function};
use crate::error::{ParseError, Result};
use crate::parser::Parser;

impl Parser<'_> {
    pub(super) fn json_call(&mut self, name: &str) -> Result<Expr> {
        let mut call = function(ObjectName::from(vec![self.next().ident()]), vec![], vec![]);
        self.expect_sign("(")?;
        let mut clauses = vec![];
        if !self.is_sign(")") {
            match name {
                "JSON_VALUE" | "JSON_QUERY" | "JSON_EXISTS" => {
                    self.json_args(&mut call, Self::expr)?;
                    self.path_clauses(name, &mut clauses)?;
                }
                "JSON_OBJECT" | "JSON_OBJECTAGG" => {
                    if !self.is_null_clause() {
                        self.key_values(&mut call)?;
                    }
                    self.null_clause(&mut clauses);
                }
                _ => {
                    if !self.is_null_clause() {
                        self.json_args(&mut call, Self::expr)?;
                    }
                    if self.is_word("ORDER") {
                        let order = FunctionArgumentClause::OrderBy(self.order_by()?);
                        if let FunctionArguments::List(list) = &mut call.args {
                            list.clauses.push(order);
                        }
                    }
                    self.null_clause(&mut clauses);
                }
            }
        }
        let end = self.expect_sign(")")?.span;
        if let FunctionArguments::List(list) = &mut call.args {
            list.args.extend(clauses.into_iter().map(|clause| clause.encode(end)));
        }
        self.call_suffix(&mut call)?;
        Ok(Expr::Function(call))
    }

    fn json_args(&mut self, call: &mut Function, item: impl FnMut(&mut Self) -> Result<Expr>) -> Result<()> {
        let args = self.commas(item)?;
        if let FunctionArguments::List(list) = &mut call.args {
            list.args.extend(args.into_iter().map(unnamed));
        }
        self.no_format()
    }

    fn no_format(&self) -> Result<()> {
        match self.is_word("FORMAT") {
            true => {
                Err(ParseError::unsupported("FORMAT JSON is not supported: write JSON('..')", self.span()))
            }
            false => Ok(()),
        }
    }

    /// `[KEY] k VALUE v`, `k : v`
    fn key_values(&mut self, call: &mut Function) -> Result<()> {
        loop {
            if self.is_word("KEY") && !self.peek_at(1).is_word("VALUE") && !self.peek_at(1).is_sign(":") {
                self.next();
            }
            let key = self.expr()?;
            if !self.eat_sign(":") {
                self.expect("VALUE")?;
            }
            let value = self.expr()?;
            self.no_format()?;
            if let FunctionArguments::List(list) = &mut call.args {
                list.args.extend([unnamed(key), unnamed(value)]);
            }
            if !self.eat_sign(",") {
                return Ok(());
            }
        }
    }

    fn is_null_clause(&self) -> bool {
        self.are_words(&["NULL", "ON", "NULL"]) || self.are_words(&["ABSENT", "ON", "NULL"])
    }

    fn null_clause(&mut self, clauses: &mut Vec<JsonClause>) {
        for word in ["NULL", "ABSENT"] {
            if self.eat_all(&[word, "ON", "NULL"]) {
                clauses.push(JsonClause::OnNull(word));
            }
        }
    }

    /// RETURNING, WRAPPER, ON EMPTY, ON ERROR: behind the path.
    fn path_clauses(&mut self, name: &str, clauses: &mut Vec<JsonClause>) -> Result<()> {
        if name != "JSON_EXISTS" && self.eat("RETURNING") {
            clauses.push(JsonClause::Returning(self.cast_type()?));
        }
        if name == "JSON_QUERY" {
            self.wrapper(clauses)?;
        }
        let (mut empty, mut error) = (false, false);
        while !self.is_sign(")") {
            let span = self.span();
            let behavior = self.behavior(name)?;
            self.expect("ON")?;
            let on_empty = name != "JSON_EXISTS" && self.eat("EMPTY");
            if !on_empty {
                self.expect("ERROR")?;
            }
            let twice = std::mem::replace(if on_empty { &mut empty } else { &mut error }, true);
            if twice || (on_empty && error) {
                return Err(ParseError::new("One ON EMPTY and one ON ERROR at most, in this order", span));
            }
            clauses.push(match (behavior, on_empty) {
                (Ok(word), true) => JsonClause::OnEmpty(word),
                (Ok(word), false) => JsonClause::OnError(word),
                (Err(default), true) => JsonClause::DefaultOnEmpty(default),
                (Err(default), false) => JsonClause::DefaultOnError(default),
            });
        }
        Ok(())
    }

    /// A word, or the expression behind DEFAULT.
    fn behavior(&mut self, name: &str) -> Result<Result<&'static str, Expr>> {
        match name {
            "JSON_VALUE" => {
                if self.eat("DEFAULT") {
                    return self.expr().map(Err);
                }
                self.eat_any(&["NULL", "ERROR"])
            }
            "JSON_QUERY" if self.eat_all(&["EMPTY", "OBJECT"]) => Some("EMPTY OBJECT"),
            "JSON_QUERY" if self.is_word("EMPTY") => {
                self.next();
                self.eat("ARRAY");
                Some("EMPTY ARRAY")
            }
            "JSON_QUERY" => self.eat_any(&["NULL", "ERROR"]),
            _ => self.eat_any(&["TRUE", "FALSE", "UNKNOWN", "ERROR"]),
        }
        .map(Ok)
        .ok_or_else(|| {
            self.unexpected(match name {
                "JSON_VALUE" => "RETURNING, NULL, ERROR, DEFAULT or `)`",
                "JSON_QUERY" => "RETURNING, WITH WRAPPER, NULL, ERROR, EMPTY ARRAY, EMPTY OBJECT or `)`",
                _ => "TRUE, FALSE, UNKNOWN, ERROR or `)`",
            })
        })
    }

    fn wrapper(&mut self, clauses: &mut Vec<JsonClause>) -> Result<()> {
        let wrapper = if self.eat("WITHOUT") {
            "WITHOUT"
        } else if self.eat("WITH") {
            self.eat_any(&["CONDITIONAL", "UNCONDITIONAL"]).unwrap_or("UNCONDITIONAL")
        } else {
            return Ok(());
        };
        self.eat("ARRAY");
        self.expect("WRAPPER")?;
        clauses.push(JsonClause::Wrapper(wrapper));
        Ok(())
    }
}
