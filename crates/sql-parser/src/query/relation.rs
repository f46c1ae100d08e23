//! The items of FROM: tables, functions, subqueries, joins.

use crate::ast::{
    ErrorsInto, Join, JoinConstraint, JoinKind, NamedTable, Relation, RelationKind, TableAlias, TableSample,
    TableWithJoins,
};
use crate::error::{ParseError, Position, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

/// So many tables joined in one FROM make a plan deeper than what walks it can bear.
const MAX_TABLES: usize = 200;

impl Parser<'_> {
    /// Behind FROM: tables with commas between them.
    pub(super) fn from(&mut self) -> Result<Vec<TableWithJoins>> {
        let start = self.position();
        let tables = self.commas(Self::table_with_joins)?;
        let count: usize = tables.iter().map(|table| 1 + table.joins.len()).sum();
        match count > MAX_TABLES {
            true => Err(too_many(start)),
            false => Ok(tables),
        }
    }

    /// A table and what is joined to it.
    fn table_with_joins(&mut self) -> Result<TableWithJoins> {
        let relation = self.relation()?;
        let mut joins = vec![];
        while let Some(join) = self.join()? {
            if joins.len() == MAX_TABLES {
                return Err(too_many(join.relation.position));
            }
            joins.push(join);
        }
        Ok(TableWithJoins { relation, joins })
    }

    fn join(&mut self) -> Result<Option<Join>> {
        let position = self.position();
        if self.eat_all(&["CROSS", "JOIN"]) {
            let relation = self.relation()?;
            return Ok(Some(Join { relation, kind: JoinKind::Cross, constraint: JoinConstraint::None }));
        }
        let natural = self.eat("NATURAL");
        let word = self.eat_any(&["INNER", "LEFT", "RIGHT", "FULL"]);
        let kind = match word {
            Some("LEFT") => JoinKind::Left,
            Some("RIGHT") => JoinKind::Right,
            Some("FULL") => JoinKind::Full,
            _ => JoinKind::Inner,
        };
        if kind != JoinKind::Inner {
            self.eat("OUTER");
        }
        if !self.eat("JOIN") {
            return match word {
                None if !natural => Ok(None),
                _ => {
                    Err(self.unexpected("JOIN; a semi or anti join is written with [NOT] EXISTS or [NOT] IN"))
                }
            };
        }
        let relation = self.relation()?;
        let constraint = if natural {
            JoinConstraint::Natural
        } else if self.eat("ON") {
            JoinConstraint::On(self.expr()?)
        } else if self.eat("USING") {
            JoinConstraint::Using(self.parenthesised(Self::ident)?)
        } else {
            let message = "A join needs a condition (ON, USING or NATURAL); write CROSS JOIN for all pairs";
            return Err(ParseError::new(message, position));
        };
        Ok(Some(Join { relation, kind, constraint }))
    }

    fn relation(&mut self) -> Result<Relation> {
        self.nested_relation(|p| {
            let mut relation = p.bare_relation()?;
            if p.is_word("MATCH_RECOGNIZE") {
                relation = p.match_recognize(relation)?;
            }
            // As in Calcite's grammar, one of each at most.
            for _ in 0..2 {
                if p.is_pivot() {
                    relation = p.pivot(relation)?;
                }
            }
            let position = p.position();
            if let Some(alias) = p.table_alias()? {
                if let Some(old) = &relation.alias {
                    let message = format!("It already has an alias: `{}`", old.name.value);
                    return Err(ParseError::new(message, position));
                }
                relation.alias = Some(alias);
            }
            if p.is_word("MATCH_RECOGNIZE") {
                let message =
                    "MATCH_RECOGNIZE comes directly after the table, the alias after its closing parenthesis";
                return Err(ParseError::new(message, p.position()));
            }
            p.sample(&mut relation)?;
            Ok(relation)
        })
    }

    /// A table without what may follow it.
    fn bare_relation(&mut self) -> Result<Relation> {
        let position = self.position();
        let lateral = self.eat("LATERAL");
        if self.is_word("TABLE") && self.peek_at(1).is_sign("(") {
            self.next();
            self.expect_sign("(")?;
            let relation = self.table_function(lateral)?;
            self.expect_sign(")")?;
            return Ok(relation);
        }
        if self.is_word("UNNEST") {
            return self.unnest();
        }
        if self.is_sign("(") {
            return self.parenthesised_relation(lateral);
        }
        if self.is_function() {
            return self.table_function(lateral);
        }
        if lateral {
            return Err(self.unexpected("a table function or a subquery after LATERAL"));
        }
        let name = self.object_name()?;
        let hints = self.hints()?;
        let errors = self.errors_into()?;
        let as_of = match self.eat("FOR") {
            true => {
                self.expect_all(&["SYSTEM_TIME", "AS", "OF"])?;
                Some(self.expr()?)
            }
            false => None,
        };
        let table = Box::new(NamedTable { name, hints, errors, as_of });
        Ok(Relation::new(position, RelationKind::Table(table)))
    }

    /// `ERRORS INTO name`, if it comes next. ERRORS alone is a name as any other.
    fn errors_into(&mut self) -> Result<Option<ErrorsInto>> {
        if !self.eat_all(&["ERRORS", "INTO"]) {
            return Ok(None);
        }
        let table = self.object_name()?;
        Ok(Some(ErrorsInto { table, hints: self.hints()? }))
    }

    /// Whether `f(`, `db.f(` comes next.
    fn is_function(&self) -> bool {
        let mut at = 0;
        while matches!(self.peek_at(at).kind, Kind::Word | Kind::Quoted) && self.peek_at(at + 1).is_sign(".")
        {
            at += 2;
        }
        matches!(self.peek_at(at).kind, Kind::Word | Kind::Quoted) && self.peek_at(at + 1).is_sign("(")
    }

    fn table_function(&mut self, lateral: bool) -> Result<Relation> {
        let position = self.position();
        let name = self.object_name()?;
        let call = *self.plain_call(name)?;
        if call.quantifier.is_some() || !call.order_by.is_empty() {
            return Err(ParseError::new("A table function takes neither DISTINCT nor ORDER BY", position));
        }
        if self.is_word("OVER") || self.is_word("FILTER") {
            return Err(self.unexpected("a table function without OVER and FILTER"));
        }
        let kind = RelationKind::Function { lateral, name: call.name, args: call.args };
        Ok(Relation::new(position, kind))
    }

    fn unnest(&mut self) -> Result<Relation> {
        let position = self.position();
        self.expect("UNNEST")?;
        let collections = self.parenthesised(Self::expr)?;
        let ordinality = self.eat_all(&["WITH", "ORDINALITY"]);
        Ok(Relation::new(position, RelationKind::Unnest { collections, ordinality }))
    }

    /// `(query)`, `(a JOIN b ..)`, `(t)`
    fn parenthesised_relation(&mut self, lateral: bool) -> Result<Relation> {
        self.expect_sign("(")?;
        let position = self.position();
        if self.is_query() && !(self.is_word("TABLE") && self.peek_at(1).is_sign("(")) {
            let query = self.query()?;
            self.expect_sign(")")?;
            return Ok(Relation::new(position, RelationKind::Derived { lateral, query }));
        }
        let inner = self.table_with_joins()?;
        let relation = match inner {
            TableWithJoins { relation, joins } if joins.is_empty() => match relation {
                // `((SELECT ..) UNION ..)`: what looked like a table was the query's first half.
                Relation { kind: RelationKind::Derived { query, .. }, alias: None, sample: None, .. } => {
                    let query = if self.continues_query() { self.query_from(query)? } else { query };
                    Relation::new(position, RelationKind::Derived { lateral, query })
                }
                relation => relation,
            },
            joined => Relation::new(position, RelationKind::Nested(Box::new(joined))),
        };
        self.expect_sign(")")?;
        Ok(relation)
    }

    /// `[AS] name [(columns)]`, if it comes next.
    pub(super) fn table_alias(&mut self) -> Result<Option<TableAlias>> {
        let explicit = self.eat("AS");
        if !explicit && (!self.is_ident() || self.is_pivot()) {
            return Ok(None);
        }
        if self.are_words(&["ASOF", "JOIN"]) {
            return Err(ParseError::unsupported("ASOF JOIN is not supported", self.position()));
        }
        let name = self.ident()?;
        let columns = if self.is_sign("(") { self.parenthesised(Self::ident)? } else { vec![] };
        Ok(Some(TableAlias { name, columns }))
    }

    /// `TABLESAMPLE {BERNOULLI | SYSTEM} (n) [REPEATABLE (seed)]`, if it comes next.
    fn sample(&mut self, relation: &mut Relation) -> Result<()> {
        let position = self.position();
        if !self.eat("TABLESAMPLE") {
            return Ok(());
        }
        let bernoulli = self.expect_any(&["BERNOULLI", "SYSTEM"])? == "BERNOULLI";
        self.expect_sign("(")?;
        let percent = self.expr()?;
        self.expect_sign(")")?;
        let seed = match self.eat("REPEATABLE") {
            true => {
                self.expect_sign("(")?;
                let seed = self.unsigned()?;
                self.expect_sign(")")?;
                Some(seed)
            }
            false => None,
        };
        match relation.kind {
            RelationKind::Table(_) | RelationKind::Derived { .. } => {
                relation.sample = Some(Box::new(TableSample { bernoulli, percent, seed }));
                Ok(())
            }
            _ => Err(ParseError::new("TABLESAMPLE comes after a table or a subquery", position)),
        }
    }
}

fn too_many(position: Position) -> ParseError {
    let message = format!("More than {MAX_TABLES} tables in one FROM: join some of them in a view or WITH");
    ParseError::new(message, position)
}
