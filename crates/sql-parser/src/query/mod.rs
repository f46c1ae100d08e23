//! Queries: WITH, set operations, ORDER BY, LIMIT.

mod hint;
mod pattern;
mod pivot;
mod relation;
mod select;
mod set;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Cte, Expr, Fetch, GroupByExpr, Ident, LimitClause, Offset, OffsetRows, OrderBy, OrderByKind, Query,
    Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableAlias,
    TableAliasColumnDef, TableFactor, Value, WildcardAdditionalOptions, With,
};

use crate::ast::QueryText;
use crate::error::{ParseError, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

impl Parser<'_> {
    /// Whether a query starts here.
    pub(crate) fn is_query(&self) -> bool {
        self.peek().is_any_word(&["SELECT", "WITH", "VALUES"])
            || (self.is_word("TABLE") && matches!(self.peek_at(1).kind, Kind::Word | Kind::Quoted))
    }

    /// Whether a query in parentheses goes on here.
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
        self.nested(|p| {
            let with = p.with()?;
            let body = p.set_operations(0)?;
            p.query_tail(with, body)
        })
    }

    /// What follows a query in parentheses that turned out to be the first part of another one.
    pub(crate) fn query_from(&mut self, left: Box<Query>) -> Result<Box<Query>> {
        self.nested(|p| {
            let body = p.more_set_operations(SetExpr::Query(left), 0)?;
            p.query_tail(None, body)
        })
    }

    fn query_tail(&mut self, with: Option<With>, body: SetExpr) -> Result<Box<Query>> {
        let order_by = match self.is_word("ORDER") {
            true => Some(OrderBy { kind: OrderByKind::Expressions(self.order_by()?), interpolate: None }),
            false => None,
        };
        let limit = self.limit()?;
        let offset = self.offset()?;
        let fetch = self.fetch()?;
        if let (Some(_), Some(fetch)) = (&limit, &fetch) {
            let at = fetch.1;
            return Err(ParseError::new("LIMIT and FETCH say the same: write one of them", at));
        }
        let limit_clause = match (limit, offset) {
            (None, None) => None,
            (limit, offset) => Some(LimitClause::LimitOffset { limit, offset, limit_by: vec![] }),
        };
        if self.is_word("FOR") {
            return Err(
                self.unexpected("the end of the query (FOR SYSTEM_TIME AS OF stands behind a table's name)")
            );
        }
        Ok(Box::new(Query {
            with,
            body: Box::new(body),
            order_by,
            limit_clause,
            fetch: fetch.map(|(fetch, _)| fetch),
            locks: vec![],
            for_clause: None,
            settings: None,
            format_clause: None,
            pipe_operators: vec![],
        }))
    }

    fn with(&mut self) -> Result<Option<With>> {
        let with_token = self.peek().attached();
        if !self.eat("WITH") {
            return Ok(None);
        }
        let recursive = self.eat("RECURSIVE");
        let cte_tables = self.commas(|p| {
            let name = p.ident()?;
            let columns = if p.is_sign("(") { p.parenthesised(Self::ident)? } else { vec![] };
            p.expect("AS")?;
            p.expect_sign("(")?;
            let query = p.query()?;
            let closing_paren_token = p.expect_sign(")")?.attached();
            Ok(Cte {
                alias: alias(name, columns, false),
                query,
                from: None,
                materialized: None,
                closing_paren_token,
            })
        })?;
        Ok(Some(With { with_token, recursive, cte_tables }))
    }

    fn limit(&mut self) -> Result<Option<Expr>> {
        if !self.eat("LIMIT") || self.eat("ALL") {
            return Ok(None);
        }
        let limit = self.row_count()?;
        if self.is_sign(",") {
            return Err(self.unexpected("LIMIT count OFFSET start"));
        }
        Ok(Some(limit))
    }

    fn offset(&mut self) -> Result<Option<Offset>> {
        if !self.eat("OFFSET") {
            return Ok(None);
        }
        let value = self.row_count()?;
        let rows = match self.eat_any(&["ROWS", "ROW"]) {
            Some("ROWS") => OffsetRows::Rows,
            Some(_) => OffsetRows::Row,
            None => OffsetRows::None,
        };
        Ok(Some(Offset { value, rows }))
    }

    fn fetch(&mut self) -> Result<Option<(Fetch, sqlparser::tokenizer::Span)>> {
        let span = self.span();
        if !self.eat("FETCH") {
            return Ok(None);
        }
        self.expect_any(&["FIRST", "NEXT"])?;
        let quantity = Some(self.row_count()?);
        self.expect_any(&["ROWS", "ROW"])?;
        self.expect("ONLY")?;
        Ok(Some((Fetch { with_ties: false, percent: false, quantity }, span)))
    }

    fn row_count(&mut self) -> Result<Expr> {
        let span = self.span();
        let count = self.unsigned()?;
        Ok(Expr::Value(Value::Number(count.to_string(), false).with_span(span)))
    }
}

fn alias(name: Ident, columns: Vec<Ident>, explicit: bool) -> TableAlias {
    let columns = columns.into_iter().map(|name| TableAliasColumnDef { name, data_type: None }).collect();
    TableAlias { explicit, name, columns, at: None }
}

fn wildcard(token: AttachedToken) -> WildcardAdditionalOptions {
    WildcardAdditionalOptions { wildcard_token: token, ..WildcardAdditionalOptions::default() }
}

fn qualified_wildcard(prefix: Vec<Ident>, token: AttachedToken) -> SelectItem {
    let prefix = SelectItemQualifiedWildcardKind::ObjectName(prefix.into());
    SelectItem::QualifiedWildcard(prefix, wildcard(token))
}

/// A SELECT of nothing, to be filled in.
fn empty_select(select_token: AttachedToken) -> Select {
    Select {
        select_token,
        optimizer_hints: vec![],
        distinct: None,
        select_modifiers: None,
        top_before_distinct: false,
        top: None,
        projection: vec![],
        exclude: None,
        into: None,
        from: vec![],
        lateral_views: vec![],
        prewhere: None,
        selection: None,
        connect_by: vec![],
        group_by: GroupByExpr::Expressions(vec![], vec![]),
        cluster_by: vec![],
        distribute_by: vec![],
        sort_by: vec![],
        having: None,
        named_window: vec![],
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    }
}

/// `(query) [AS alias]` as a table.
fn derived(lateral: bool, subquery: Box<Query>) -> TableFactor {
    TableFactor::Derived { lateral, subquery, alias: None, sample: None }
}
