//! Queries: WITH, set operations, ORDER BY, LIMIT.

mod hint;
mod pattern;
mod pivot;
mod relation;
mod select;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Cte, Expr, Fetch, GroupByExpr, Ident, LimitClause, Offset, OffsetRows, OrderBy, OrderByKind, Parens,
    Query, Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator,
    SetQuantifier, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins, Value, Values,
    WildcardAdditionalOptions, With,
};

use crate::ast::QueryText;
use crate::error::{ParseError, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

/// So many set operations in a row make a tree deeper than what walks it can bear.
const MAX_SET_OPERATIONS: usize = 300;

impl Parser<'_> {
    /// Whether a query starts here.
    pub(crate) fn is_query(&self) -> bool {
        self.peek().is_any_word(&["SELECT", "WITH", "VALUES"])
            || (self.is_word("TABLE") && matches!(self.peek_at(1).kind, Kind::Word | Kind::Quoted))
    }

    /// Whether a query in parentheses goes on here.
    pub(crate) fn continues_query(&self) -> bool {
        self.peek().is_any_word(&[
            "UNION",
            "INTERSECT",
            "EXCEPT",
            "ORDER",
            "LIMIT",
            "OFFSET",
            "FETCH",
        ])
    }

    /// A query with its source text.
    pub(crate) fn query_text(&mut self) -> Result<QueryText> {
        let (mark, position) = (self.mark(), self.position());
        let query = self.query()?;
        Ok(QueryText {
            query,
            text: self.text_since(mark),
            position,
        })
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
            true => Some(OrderBy {
                kind: OrderByKind::Expressions(self.order_by()?),
                interpolate: None,
            }),
            false => None,
        };
        let limit = self.limit()?;
        let offset = self.offset()?;
        let fetch = self.fetch()?;
        if let (Some(_), Some(fetch)) = (&limit, &fetch) {
            let at = fetch.1;
            return Err(ParseError::new(
                "LIMIT and FETCH say the same: write one of them",
                at,
            ));
        }
        let limit_clause = match (limit, offset) {
            (None, None) => None,
            (limit, offset) => Some(LimitClause::LimitOffset {
                limit,
                offset,
                limit_by: vec![],
            }),
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
            let columns = if p.is_sign("(") {
                p.parenthesised(Self::ident)?
            } else {
                vec![]
            };
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
        Ok(Some(With {
            with_token,
            recursive,
            cte_tables,
        }))
    }

    /// UNION and EXCEPT bind less than INTERSECT; all go left to right.
    fn set_operations(&mut self, outer: u8) -> Result<SetExpr> {
        let left = self.query_term()?;
        self.more_set_operations(left, outer)
    }

    fn more_set_operations(&mut self, mut left: SetExpr, outer: u8) -> Result<SetExpr> {
        for _ in 0..MAX_SET_OPERATIONS {
            let (op, binds) = match self.peek() {
                token if token.is_word("UNION") => (SetOperator::Union, 1),
                token if token.is_word("EXCEPT") => (SetOperator::Except, 1),
                token if token.is_word("INTERSECT") => (SetOperator::Intersect, 2),
                _ => return Ok(left),
            };
            if binds <= outer {
                return Ok(left);
            }
            self.next();
            let set_quantifier = match self.eat_any(&["ALL", "DISTINCT"]) {
                Some("ALL") => SetQuantifier::All,
                Some(_) => SetQuantifier::Distinct,
                None => SetQuantifier::None,
            };
            let right = Box::new(self.set_operations(binds)?);
            left = SetExpr::SetOperation {
                op,
                set_quantifier,
                left: Box::new(left),
                right,
            };
        }
        let message =
            format!("More than {MAX_SET_OPERATIONS} set operations in a row: group some of them in a view");
        Err(ParseError::new(message, self.span()))
    }

    fn query_term(&mut self) -> Result<SetExpr> {
        if self.eat_sign("(") {
            let query = self.query()?;
            self.expect_sign(")")?;
            return Ok(SetExpr::Query(query));
        }
        match self.peek() {
            token if token.is_word("SELECT") => Ok(SetExpr::Select(Box::new(self.select()?))),
            token if token.is_word("VALUES") => self.values().map(SetExpr::Values),
            token if token.is_word("TABLE") => Ok(SetExpr::Select(Box::new(self.explicit_table()?))),
            _ => Err(self.unexpected("SELECT, VALUES, TABLE or a query in parentheses")),
        }
    }

    fn values(&mut self) -> Result<Values> {
        self.expect("VALUES")?;
        let rows = self.commas(|p| {
            if p.is_word("ROW") && p.peek_at(1).is_sign("(") {
                p.next();
            }
            if !p.is_sign("(") {
                let content = vec![p.expr()?];
                return Ok(Parens {
                    opening_token: AttachedToken::empty(),
                    content,
                    closing_token: AttachedToken::empty(),
                });
            }
            let opening_token = p.expect_sign("(")?.attached();
            let content = p.commas(Self::expr)?;
            let closing_token = p.expect_sign(")")?.attached();
            Ok(Parens {
                opening_token,
                content,
                closing_token,
            })
        })?;
        Ok(Values {
            explicit_row: false,
            value_keyword: false,
            rows,
        })
    }

    /// `TABLE t` is `SELECT * FROM t`.
    fn explicit_table(&mut self) -> Result<Select> {
        let token = self.next().attached();
        let name = self.object_name()?;
        let relation = relation::named_table(name);
        Ok(Select {
            projection: vec![SelectItem::Wildcard(wildcard(token.clone()))],
            from: vec![TableWithJoins {
                relation,
                joins: vec![],
            }],
            ..empty_select(token)
        })
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
        Ok(Some((
            Fetch {
                with_ties: false,
                percent: false,
                quantity,
            },
            span,
        )))
    }

    fn row_count(&mut self) -> Result<Expr> {
        let span = self.span();
        let count = self.unsigned()?;
        Ok(Expr::Value(
            Value::Number(count.to_string(), false).with_span(span),
        ))
    }
}

fn alias(name: Ident, columns: Vec<Ident>, explicit: bool) -> TableAlias {
    let columns = columns
        .into_iter()
        .map(|name| TableAliasColumnDef {
            name,
            data_type: None,
        })
        .collect();
    TableAlias {
        explicit,
        name,
        columns,
        at: None,
    }
}

fn wildcard(token: AttachedToken) -> WildcardAdditionalOptions {
    WildcardAdditionalOptions {
        wildcard_token: token,
        ..WildcardAdditionalOptions::default()
    }
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
    TableFactor::Derived {
        lateral,
        subquery,
        alias: None,
        sample: None,
    }
}
