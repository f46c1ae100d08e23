//! What stands in FROM: tables, functions, subqueries, joins.

use sqlparser::ast::{
    FunctionArguments, Join, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableFactor, TableSample,
    TableSampleKind, TableSampleMethod, TableSampleModifier, TableSampleQuantity, TableSampleSeed,
    TableSampleSeedModifier, TableVersion, TableWithJoins, Value,
};

use super::{alias, derived};
use crate::encoding::hint_expr;
use crate::error::{ParseError, Result};
use crate::lexer::Kind;
use crate::parser::Parser;

/// A table by its name.
pub(super) fn named_table(name: ObjectName) -> TableFactor {
    TableFactor::Table {
        name,
        alias: None,
        args: None,
        with_hints: vec![],
        version: None,
        with_ordinality: false,
        partitions: vec![],
        json_path: None,
        sample: None,
        index_hints: vec![],
    }
}

impl Parser<'_> {
    /// A table and what is joined to it.
    pub(super) fn table_with_joins(&mut self) -> Result<TableWithJoins> {
        let relation = self.table_factor()?;
        let joins = self.joins()?;
        Ok(TableWithJoins { relation, joins })
    }

    fn joins(&mut self) -> Result<Vec<Join>> {
        let mut joins = vec![];
        while let Some(join) = self.join()? {
            joins.push(join);
        }
        Ok(joins)
    }

    fn join(&mut self) -> Result<Option<Join>> {
        let span = self.span();
        if self.eat_all(&["CROSS", "JOIN"]) {
            let relation = self.table_factor()?;
            let join_operator = JoinOperator::CrossJoin(JoinConstraint::None);
            return Ok(Some(Join { relation, global: false, join_operator }));
        }
        let natural = self.eat("NATURAL");
        let kind = self.eat_any(&["INNER", "LEFT", "RIGHT", "FULL"]);
        if matches!(kind, Some("LEFT" | "RIGHT" | "FULL")) {
            self.eat("OUTER");
        }
        if !self.eat("JOIN") {
            return match kind {
                None if !natural => Ok(None),
                _ => {
                    Err(self.unexpected("JOIN; a semi or anti join is written with [NOT] EXISTS or [NOT] IN"))
                }
            };
        }
        let relation = self.table_factor()?;
        let constraint = if natural {
            JoinConstraint::Natural
        } else if self.eat("ON") {
            JoinConstraint::On(self.expr()?)
        } else if self.eat("USING") {
            JoinConstraint::Using(
                self.parenthesised(|p| p.ident().map(|column| ObjectName::from(vec![column])))?,
            )
        } else {
            let message = "A join needs a condition (ON, USING or NATURAL); write CROSS JOIN for all pairs";
            return Err(ParseError::new(message, span));
        };
        let join_operator = match kind {
            None => JoinOperator::Join(constraint),
            Some("LEFT") => JoinOperator::LeftOuter(constraint),
            Some("RIGHT") => JoinOperator::RightOuter(constraint),
            Some("FULL") => JoinOperator::FullOuter(constraint),
            Some(_) => JoinOperator::Inner(constraint),
        };
        Ok(Some(Join { relation, global: false, join_operator }))
    }

    fn table_factor(&mut self) -> Result<TableFactor> {
        self.nested(|p| {
            let mut factor = p.bare_factor()?;
            if p.is_word("MATCH_RECOGNIZE") {
                factor = p.match_recognize(factor)?;
            }
            // As in Calcite's grammar, one of each at most.
            for _ in 0..2 {
                if p.is_pivot() {
                    factor = p.pivot(factor)?;
                }
            }
            let span = p.span();
            if let Some(alias) = p.table_alias()? {
                set_alias(&mut factor, alias).map_err(|message| ParseError::new(message, span))?;
            }
            if p.is_word("MATCH_RECOGNIZE") {
                let message =
                    "MATCH_RECOGNIZE stands right behind the table, the alias behind its closing parenthesis";
                return Err(ParseError::new(message, p.span()));
            }
            p.sample(&mut factor)?;
            Ok(factor)
        })
    }

    /// A table without what may follow it.
    fn bare_factor(&mut self) -> Result<TableFactor> {
        let lateral = self.eat("LATERAL");
        if self.is_word("TABLE") && self.peek_at(1).is_sign("(") {
            self.next();
            self.expect_sign("(")?;
            let factor = self.table_function(lateral)?;
            self.expect_sign(")")?;
            return Ok(factor);
        }
        if self.is_word("UNNEST") {
            return self.unnest();
        }
        if self.is_sign("(") {
            return self.parenthesised_factor(lateral);
        }
        if self.is_function() {
            return self.table_function(lateral);
        }
        if lateral {
            return Err(self.unexpected("a table function or a subquery behind LATERAL"));
        }
        let mut factor = named_table(self.object_name()?);
        if let TableFactor::Table { with_hints, version, .. } = &mut factor {
            *with_hints = self.hints()?.into_iter().map(hint_expr).collect();
            if self.eat("FOR") {
                self.expect_all(&["SYSTEM_TIME", "AS", "OF"])?;
                *version = Some(TableVersion::ForSystemTimeAsOf(self.expr()?));
            }
        }
        Ok(factor)
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

    fn table_function(&mut self, lateral: bool) -> Result<TableFactor> {
        let span = self.span();
        let name = self.object_name()?;
        let call = self.plain_call(name)?;
        let args = match call.args {
            FunctionArguments::List(list)
                if list.duplicate_treatment.is_none() && list.clauses.is_empty() =>
            {
                list.args
            }
            FunctionArguments::None => vec![],
            _ => {
                return Err(ParseError::new("A table function takes neither DISTINCT nor ORDER BY", span));
            }
        };
        if self.is_word("OVER") || self.is_word("FILTER") {
            return Err(self.unexpected("a table function without OVER and FILTER"));
        }
        Ok(TableFactor::Function { lateral, name: call.name, args, with_ordinality: false, alias: None })
    }

    fn unnest(&mut self) -> Result<TableFactor> {
        self.expect("UNNEST")?;
        let array_exprs = self.parenthesised(Self::expr)?;
        let with_ordinality = self.eat_all(&["WITH", "ORDINALITY"]);
        Ok(TableFactor::UNNEST {
            alias: None,
            array_exprs,
            with_offset: false,
            with_offset_alias: None,
            with_ordinality,
        })
    }

    /// `(query)`, `(a JOIN b ..)`, `(t)`
    fn parenthesised_factor(&mut self, lateral: bool) -> Result<TableFactor> {
        self.expect_sign("(")?;
        if self.is_query() && !(self.is_word("TABLE") && self.peek_at(1).is_sign("(")) {
            let query = self.query()?;
            self.expect_sign(")")?;
            return Ok(derived(lateral, query));
        }
        let inner = self.table_with_joins()?;
        let factor = match inner {
            // `((SELECT ..) UNION ..)`: what looked like a table was the query's first half.
            TableWithJoins {
                relation: TableFactor::Derived { subquery, alias: None, sample: None, .. },
                joins,
            } if joins.is_empty() => {
                let query = if self.continues_query() { self.query_from(subquery)? } else { subquery };
                derived(lateral, query)
            }
            TableWithJoins { relation, joins } if joins.is_empty() => relation,
            join => TableFactor::NestedJoin { table_with_joins: Box::new(join), alias: None },
        };
        self.expect_sign(")")?;
        Ok(factor)
    }

    /// `[AS] name [(columns)]`, if it comes next.
    pub(super) fn table_alias(&mut self) -> Result<Option<TableAlias>> {
        let explicit = self.eat("AS");
        if !explicit && (!self.is_ident() || self.is_pivot()) {
            return Ok(None);
        }
        if self.are_words(&["ASOF", "JOIN"]) {
            return Err(ParseError::unsupported("ASOF JOIN is not supported", self.span()));
        }
        let name = self.ident()?;
        let columns = if self.is_sign("(") { self.parenthesised(Self::ident)? } else { vec![] };
        Ok(Some(alias(name, columns, explicit)))
    }

    /// `TABLESAMPLE {BERNOULLI | SYSTEM} (n) [REPEATABLE (seed)]`, if it comes next.
    fn sample(&mut self, factor: &mut TableFactor) -> Result<()> {
        let span = self.span();
        if !self.eat("TABLESAMPLE") {
            return Ok(());
        }
        let name = match self.expect_any(&["BERNOULLI", "SYSTEM"])? {
            "BERNOULLI" => TableSampleMethod::Bernoulli,
            _ => TableSampleMethod::System,
        };
        self.expect_sign("(")?;
        let value = self.expr()?;
        self.expect_sign(")")?;
        let seed = if self.eat("REPEATABLE") {
            self.expect_sign("(")?;
            let seed_span = self.span();
            let value = Value::Number(self.unsigned()?.to_string(), false).with_span(seed_span);
            self.expect_sign(")")?;
            Some(TableSampleSeed { modifier: TableSampleSeedModifier::Repeatable, value })
        } else {
            None
        };
        let sampled = TableSample {
            modifier: TableSampleModifier::TableSample,
            name: Some(name),
            quantity: Some(TableSampleQuantity { parenthesized: true, value, unit: None }),
            seed,
            bucket: None,
            offset: None,
        };
        match factor {
            TableFactor::Table { sample, .. } | TableFactor::Derived { sample, .. } => {
                *sample = Some(TableSampleKind::AfterTableAlias(Box::new(sampled)));
                Ok(())
            }
            _ => Err(ParseError::new("TABLESAMPLE stands behind a table or a subquery", span)),
        }
    }
}

/// Gives the alias to what has none.
fn set_alias(factor: &mut TableFactor, new: TableAlias) -> Result<(), String> {
    match factor {
        TableFactor::Table { alias, .. }
        | TableFactor::Derived { alias, .. }
        | TableFactor::Function { alias, .. }
        | TableFactor::UNNEST { alias, .. }
        | TableFactor::NestedJoin { alias, .. }
        | TableFactor::Pivot { alias, .. }
        | TableFactor::Unpivot { alias, .. }
        | TableFactor::MatchRecognize { alias, .. } => match alias {
            Some(old) => Err(format!("It has an alias already: `{}`", old.name.value)),
            None => {
                *alias = Some(new);
                Ok(())
            }
        },
        _ => Err("No alias may stand here".to_owned()),
    }
}
