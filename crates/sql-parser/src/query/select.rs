//! SELECT.

use sqlparser::ast::{Distinct, Expr, GroupByExpr, Select, SelectItem};

use super::{empty_select, qualified_wildcard, wildcard};
use crate::encoding::optimizer_hint;
use crate::error::{ParseError, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

impl Parser<'_> {
    pub(super) fn select(&mut self) -> Result<Select> {
        let mut select = empty_select(self.peek().attached());
        self.expect("SELECT")?;
        select.optimizer_hints = self.hints()?.into_iter().map(optimizer_hint).collect();
        if self.is_word("STREAM") {
            return Err(ParseError::new("Leave out STREAM: every query over a stream is one", self.span()));
        }
        select.distinct = match self.eat_any(&["DISTINCT", "ALL"]) {
            Some("DISTINCT") => Some(Distinct::Distinct),
            _ => None,
        };
        select.projection = self.commas(Self::select_item)?;
        if self.is_word("INTO") {
            return Err(self.unexpected("FROM; to write into a table put INSERT INTO before SELECT"));
        }
        if self.eat("FROM") {
            select.from = self.commas(Self::table_with_joins)?;
        }
        if self.eat("WHERE") {
            select.selection = Some(self.expr()?);
        }
        if self.eat_all(&["GROUP", "BY"]) {
            select.group_by = GroupByExpr::Expressions(self.group_by()?, vec![]);
        }
        if self.eat("HAVING") {
            select.having = Some(self.expr()?);
        }
        select.named_window = self.named_windows()?;
        if self.eat("QUALIFY") {
            select.qualify = Some(self.expr()?);
            select.window_before_qualify = !select.named_window.is_empty();
        }
        Ok(select)
    }

    /// `*`, `t.*`, `expr [[AS] alias]`
    fn select_item(&mut self) -> Result<SelectItem> {
        if self.is_sign("*") {
            return Ok(SelectItem::Wildcard(wildcard(self.next().attached())));
        }
        if let Some(dots) = self.qualified_wildcard() {
            let mut prefix = vec![];
            for _ in 0..dots {
                prefix.push(self.ident()?);
                self.expect_sign(".")?;
            }
            return Ok(qualified_wildcard(prefix, self.next().attached()));
        }
        let expr = self.expr()?;
        if self.is_sign(".") {
            return Err(ParseError::unsupported(
                "`.*` behind an expression is not supported: name the fields",
                self.span(),
            ));
        }
        if self.eat("AS") || self.is_ident() {
            return Ok(SelectItem::ExprWithAlias { expr, alias: self.ident()? });
        }
        Ok(SelectItem::UnnamedExpr(expr))
    }

    /// How many names stand before `.*`, if that is what comes.
    fn qualified_wildcard(&self) -> Option<usize> {
        let mut names = 0;
        while matches!(self.peek_at(2 * names).kind, Kind::Word | Kind::Quoted)
            && self.peek_at(2 * names + 1).is_sign(".")
        {
            names += 1;
            if self.peek_at(2 * names).is_sign("*") {
                return Some(names);
            }
        }
        None
    }

    fn group_by(&mut self) -> Result<Vec<Expr>> {
        let quantified = self.is_word("DISTINCT") || self.is_word("ALL");
        if quantified {
            return Err(self.unexpected("the expressions to group by"));
        }
        self.commas(Self::grouping)
    }

    /// An expression, `()`, ROLLUP, CUBE or GROUPING SETS.
    fn grouping(&mut self) -> Result<Expr> {
        self.nested(|p| {
            if p.eat_all(&["GROUPING", "SETS"]) {
                return p.parenthesised(Self::grouping_set).map(Expr::GroupingSets);
            }
            for (word, form) in [("ROLLUP", Expr::Rollup as fn(Vec<Vec<Expr>>) -> Expr), ("CUBE", Expr::Cube)]
            {
                if p.is_word(word) && p.peek_at(1).is_sign("(") {
                    p.next();
                    return p.parenthesised(Self::grouping_set).map(form);
                }
            }
            if p.is_sign("(") && p.peek_at(1).is_sign(")") {
                p.next();
                p.next();
                return Ok(Expr::Tuple(vec![]));
            }
            p.expr()
        })
    }

    /// One set: `(a, b)`, `a`, `()`; a ROLLUP or CUBE inside GROUPING SETS is a set with that one element.
    fn grouping_set(&mut self) -> Result<Vec<Expr>> {
        Ok(match self.grouping()? {
            Expr::Tuple(columns) => columns,
            Expr::Nested(column) => vec![*column],
            column => vec![column],
        })
    }
}
