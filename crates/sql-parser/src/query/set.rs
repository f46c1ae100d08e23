//! UNION, EXCEPT, INTERSECT, and what they combine: SELECT, VALUES, TABLE.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    Parens, Select, SelectItem, SetExpr, SetOperator, SetQuantifier, TableWithJoins, Values,
};

use super::{empty_select, relation, wildcard};
use crate::error::{ParseError, Result};
use crate::parser::Parser;

/// So many set operations in a row make a tree deeper than what walks it can bear.
const MAX_SET_OPERATIONS: usize = 300;

impl Parser<'_> {
    /// UNION and EXCEPT bind less than INTERSECT; all go left to right.
    pub(super) fn set_operations(&mut self, outer: u8) -> Result<SetExpr> {
        let left = self.query_term()?;
        self.more_set_operations(left, outer)
    }

    pub(super) fn more_set_operations(&mut self, mut left: SetExpr, outer: u8) -> Result<SetExpr> {
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
            left = SetExpr::SetOperation { op, set_quantifier, left: Box::new(left), right };
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
            Ok(Parens { opening_token, content, closing_token })
        })?;
        Ok(Values { explicit_row: false, value_keyword: false, rows })
    }

    /// `TABLE t` is `SELECT * FROM t`.
    fn explicit_table(&mut self) -> Result<Select> {
        let token = self.next().attached();
        let name = self.object_name()?;
        let relation = relation::named_table(name);
        Ok(Select {
            projection: vec![SelectItem::Wildcard(wildcard(token.clone()))],
            from: vec![TableWithJoins { relation, joins: vec![] }],
            ..empty_select(token)
        })
    }
}
