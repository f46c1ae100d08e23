//! UNION, EXCEPT, INTERSECT, and what they combine: SELECT, VALUES, TABLE.

use crate::ast::{
    NamedTable, QueryBody, Relation, RelationKind, Select, SelectItem, SetOperation, SetOperations,
    SetOperator, TableWithJoins, Values,
};
use crate::error::{ParseError, Result};
use crate::parser::Parser;

/// So many set operations in a row make a plan that nothing can run: each of them is an operator.
const MAX_SET_OPERATIONS: usize = 300;

fn binds(op: SetOperator) -> u8 {
    if op == SetOperator::Intersect { 2 } else { 1 }
}

impl Parser<'_> {
    /// UNION and EXCEPT bind less than INTERSECT; all go left to right.
    pub(super) fn set_operations(&mut self, outer: u8) -> Result<QueryBody> {
        let left = self.query_term()?;
        self.more_set_operations(left, outer)
    }

    pub(super) fn more_set_operations(&mut self, mut left: QueryBody, outer: u8) -> Result<QueryBody> {
        const WORDS: [(&str, SetOperator); 3] = [
            ("UNION", SetOperator::Union),
            ("EXCEPT", SetOperator::Except),
            ("INTERSECT", SetOperator::Intersect),
        ];
        for _ in 0..MAX_SET_OPERATIONS {
            let next = WORDS.iter().find(|(word, _)| self.is_word(word));
            let Some((_, op)) = next.filter(|(_, op)| binds(*op) > outer) else { return Ok(left) };
            self.next();
            let all = self.eat_any(&["ALL", "DISTINCT"]) == Some("ALL");
            let right = SetOperation { op: *op, all, right: self.set_operations(binds(*op))? };
            left = match left {
                QueryBody::Set(mut set) if set.rest.first().is_some_and(|r| binds(r.op) == binds(*op)) => {
                    set.rest.push(right);
                    QueryBody::Set(set)
                }
                first => QueryBody::Set(Box::new(SetOperations { first, rest: vec![right] })),
            };
        }
        let message =
            format!("More than {MAX_SET_OPERATIONS} set operations in a row: group some of them in a view");
        Err(ParseError::new(message, self.position()))
    }

    fn query_term(&mut self) -> Result<QueryBody> {
        if self.eat_sign("(") {
            let query = self.query()?;
            self.expect_sign(")")?;
            return Ok(QueryBody::Query(query));
        }
        match self.peek() {
            token if token.is_word("SELECT") => Ok(QueryBody::Select(Box::new(self.select()?))),
            token if token.is_word("VALUES") => self.values().map(QueryBody::Values),
            token if token.is_word("TABLE") => Ok(QueryBody::Select(Box::new(self.explicit_table()?))),
            _ => Err(self.unexpected("SELECT, VALUES, TABLE or a query in parentheses")),
        }
    }

    fn values(&mut self) -> Result<Values> {
        let position = self.position();
        self.expect("VALUES")?;
        let rows = self.commas(|p| {
            if p.is_word("ROW") && p.peek_at(1).is_sign("(") {
                p.next();
            }
            if p.is_sign("(") { p.parenthesised(Self::expr) } else { Ok(vec![p.expr()?]) }
        })?;
        Ok(Values { position, rows })
    }

    /// `TABLE t` is `SELECT * FROM t`.
    fn explicit_table(&mut self) -> Result<Select> {
        let position = self.next().position;
        let name = self.object_name()?;
        let table = NamedTable { name, hints: vec![], errors: None, as_of: None };
        let relation = Relation::new(table.name.position(), RelationKind::Table(Box::new(table)));
        Ok(Select {
            items: vec![SelectItem::Wildcard(position)],
            from: vec![TableWithJoins { relation, joins: vec![] }],
            ..super::select::empty(position)
        })
    }
}
