//! Queries: WITH, set operations, ORDER BY, LIMIT.

mod hint;
mod pattern;
mod pivot;
mod relation;
mod select;
mod set;

use crate::ast::{Cte, Query, QueryBody, QueryText, With};
use crate::error::{ParseError, Position, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

impl Parser<'_> {
    /// Whether a query starts here.
    pub(crate) fn is_query(&self) -> bool {
        self.peek().is_any_word(&["SELECT", "WITH", "VALUES"])
            || (self.is_word("TABLE") && matches!(self.peek_at(1).kind, Kind::Word | Kind::Quoted))
    }

    /// Whether a query in parentheses continues here.
    pub(crate) fn continues_query(&self) -> bool {
        self.peek().is_any_word(&["UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH"])
    }

    /// A query with its source text.
    pub(crate) fn query_text(&mut self) -> Result<QueryText> {
        let (mark, position) = (self.mark(), self.position());
        let query = self.query()?;
        Ok(QueryText { query, text: self.text_since(mark), position })
    }

    /// `[WITH ..] body [ORDER BY ..] [LIMIT ..]`
    pub(crate) fn query(&mut self) -> Result<Box<Query>> {
        self.nested_query(|p| {
            let position = p.position();
            let with = p.with()?;
            let body = p.set_operations(0)?;
            p.query_tail(position, with, body)
        })
    }

    /// The rest of a query whose first part is in parentheses.
    pub(crate) fn query_from(&mut self, left: Box<Query>) -> Result<Box<Query>> {
        self.nested_query(|p| {
            let position = left.position;
            let body = p.more_set_operations(QueryBody::Query(left), 0)?;
            p.query_tail(position, None, body)
        })
    }

    fn query_tail(&mut self, position: Position, with: Option<With>, body: QueryBody) -> Result<Box<Query>> {
        let order_by = if self.is_word("ORDER") { self.order_by()? } else { vec![] };
        let limit = self.limit()?;
        let offset = self.offset()?;
        let at = self.position();
        let fetch = self.fetch()?;
        if limit.is_some() && fetch.is_some() {
            return Err(ParseError::new("LIMIT and FETCH mean the same: write one of them", at));
        }
        if self.is_word("FOR") {
            return Err(
                self.unexpected("the end of the query (FOR SYSTEM_TIME AS OF comes after a table's name)")
            );
        }
        Ok(Box::new(Query { position, with, body, order_by, limit: limit.or(fetch), offset }))
    }

    fn with(&mut self) -> Result<Option<With>> {
        if !self.eat("WITH") {
            return Ok(None);
        }
        let recursive = self.eat("RECURSIVE");
        let tables = self.commas(|p| {
            let name = p.ident()?;
            let columns = if p.is_sign("(") { p.parenthesised(Self::ident)? } else { vec![] };
            p.expect("AS")?;
            p.expect_sign("(")?;
            let query = p.query()?;
            p.expect_sign(")")?;
            Ok(Cte { name, columns, query })
        })?;
        Ok(Some(With { recursive, tables }))
    }

    fn limit(&mut self) -> Result<Option<u64>> {
        if !self.eat("LIMIT") || self.eat("ALL") {
            return Ok(None);
        }
        let limit = self.row_count()?;
        if self.is_sign(",") {
            return Err(self.unexpected("LIMIT count OFFSET start"));
        }
        Ok(Some(limit))
    }

    fn offset(&mut self) -> Result<Option<u64>> {
        if !self.eat("OFFSET") {
            return Ok(None);
        }
        let offset = self.row_count()?;
        self.eat_any(&["ROWS", "ROW"]);
        Ok(Some(offset))
    }

    /// `FETCH FIRST n ROWS ONLY`, if it comes next.
    fn fetch(&mut self) -> Result<Option<u64>> {
        if !self.eat("FETCH") {
            return Ok(None);
        }
        self.expect_any(&["FIRST", "NEXT"])?;
        let count = self.row_count()?;
        self.expect_any(&["ROWS", "ROW"])?;
        self.expect("ONLY")?;
        Ok(Some(count))
    }

    /// A number of rows: no larger than a BIGINT.
    fn row_count(&mut self) -> Result<u64> {
        let position = self.position();
        let count = self.unsigned()?;
        match i64::try_from(count) {
            Ok(_) => Ok(count),
            Err(_) => Err(ParseError::new(format!("expected a number of rows, not '{count}'"), position)),
        }
    }
}
