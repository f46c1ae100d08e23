//! SELECT.

use crate::ast::{ExprKind, GroupItem, Select, SelectItem};
use crate::error::{ParseError, Position, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

/// A SELECT of nothing, to be filled in.
pub(super) fn empty(position: Position) -> Select {
    Select {
        position,
        hints: vec![],
        distinct: false,
        items: vec![],
        from: vec![],
        condition: None,
        group_by: vec![],
        group_distinct: false,
        having: None,
        windows: vec![],
        qualify: None,
    }
}

impl Parser<'_> {
    pub(super) fn select(&mut self) -> Result<Select> {
        let mut select = empty(self.position());
        self.expect("SELECT")?;
        select.hints = self.hints()?;
        if self.is_word("STREAM") {
            return Err(ParseError::new(
                "Leave out STREAM: every query over a stream is one",
                self.position(),
            ));
        }
        select.distinct = self.eat_any(&["DISTINCT", "ALL"]) == Some("DISTINCT");
        select.items = self.commas(Self::select_item)?;
        if self.is_word("INTO") {
            return Err(self.unexpected("FROM; to write to a table put INSERT INTO before SELECT"));
        }
        if self.eat("FROM") {
            select.from = self.from()?;
        }
        if self.eat("WHERE") {
            select.condition = Some(self.expr()?);
        }
        if self.eat_all(&["GROUP", "BY"]) {
            select.group_distinct = self.eat_any(&["DISTINCT", "ALL"]) == Some("DISTINCT");
            select.group_by = self.commas(Self::grouping)?;
        }
        if self.eat("HAVING") {
            select.having = Some(self.expr()?);
        }
        select.windows = self.named_windows()?;
        if self.eat("QUALIFY") {
            select.qualify = Some(self.expr()?);
        }
        Ok(select)
    }

    /// `*`, `t.*`, `expr [[AS] alias]`
    fn select_item(&mut self) -> Result<SelectItem> {
        if self.is_sign("*") {
            return Ok(SelectItem::Wildcard(self.next().position));
        }
        if let Some(dots) = self.qualified_wildcard() {
            let mut prefix = vec![];
            for _ in 0..dots {
                prefix.push(self.ident()?);
                self.expect_sign(".")?;
            }
            self.next();
            return Ok(SelectItem::QualifiedWildcard(prefix));
        }
        let expr = self.expr()?;
        if self.is_sign(".") {
            return Err(ParseError::unsupported(
                "`.*` after an expression is not supported: name the fields",
                self.position(),
            ));
        }
        let alias = if self.eat("AS") || self.is_ident() { Some(self.ident()?) } else { None };
        Ok(SelectItem::Expr { expr, alias })
    }

    /// How many names precede `.*`, if that is what follows.
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

    /// An expression, `()`, ROLLUP, CUBE or GROUPING SETS.
    fn grouping(&mut self) -> Result<GroupItem> {
        self.nested(|p| {
            let position = p.position();
            if p.eat_all(&["GROUPING", "SETS"]) {
                return Ok(GroupItem::Sets(position, p.parenthesised(Self::grouping_set)?));
            }
            if p.is_word("ROLLUP") && p.peek_at(1).is_sign("(") {
                p.next();
                return Ok(GroupItem::Rollup(position, p.parenthesised(Self::grouping_set)?));
            }
            if p.is_word("CUBE") && p.peek_at(1).is_sign("(") {
                p.next();
                return Ok(GroupItem::Cube(position, p.parenthesised(Self::grouping_set)?));
            }
            if p.is_sign("(") && p.peek_at(1).is_sign(")") {
                p.next();
                p.next();
                let kind = ExprKind::Row(vec![]);
                return Ok(GroupItem::Expr(crate::ast::Expr { position, kind }));
            }
            p.expr().map(GroupItem::Expr)
        })
    }

    /// One set: `(a, b)`, `a`, `()`; a ROLLUP or CUBE inside GROUPING SETS is a set with that one element.
    fn grouping_set(&mut self) -> Result<Vec<GroupItem>> {
        Ok(match self.grouping()? {
            GroupItem::Expr(crate::ast::Expr { kind: ExprKind::Row(columns), .. }) => {
                columns.into_iter().map(GroupItem::Expr).collect()
            }
            item => vec![item],
        })
    }
}
