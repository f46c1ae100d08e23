//! INSERT, statement sets, EXPLAIN.

use crate::ast::{Explain, ExplainDetail, Insert, OnConflict, PartitionValue, Statement, StatementSet};
use crate::error::{Position, Result};
use crate::parser::Parser;

impl Parser<'_> {
    pub(super) fn insert(&mut self) -> Result<Insert> {
        let position = self.position();
        self.expect("INSERT")?;
        let overwrite = self.expect_any(&["INTO", "OVERWRITE"])? == "OVERWRITE";
        let target = self.object_name()?;
        let hints = self.hints()?;
        let partition = if self.is_word("PARTITION") { self.partition()? } else { vec![] };
        let is_list = self.is_sign("(")
            && !self.peek_at(1).is_sign("(")
            && !self.peek_at(1).is_any_word(&["SELECT", "WITH", "VALUES", "TABLE"]);
        let columns = if is_list { self.parenthesised(Self::ident)? } else { vec![] };
        let source = self.query()?;
        let on_conflict = match self.eat_all(&["ON", "CONFLICT"]) {
            false => None,
            true => {
                self.expect("DO")?;
                Some(match self.expect_any(&["NOTHING", "ERROR", "DEDUPLICATE"])? {
                    "NOTHING" => OnConflict::Nothing,
                    "ERROR" => OnConflict::Error,
                    _ => OnConflict::Deduplicate,
                })
            }
        };
        Ok(Insert { position, overwrite, target, hints, partition, columns, source, on_conflict })
    }

    /// `PARTITION (a = 'x', b)`
    pub(super) fn partition(&mut self) -> Result<Vec<PartitionValue>> {
        self.expect("PARTITION")?;
        self.parenthesised(|p| {
            let column = p.ident()?;
            let value = if p.eat_sign("=") { Some(p.expr()?) } else { None };
            Ok(PartitionValue { column, value })
        })
    }

    /// `EXECUTE STATEMENT SET BEGIN .. END`, `BEGIN STATEMENT SET; .. END`, `EXECUTE INSERT ..`, `EXECUTE
    /// SELECT ..`
    pub(super) fn execute(&mut self) -> Result<Statement> {
        let position = self.position();
        if self.eat("BEGIN") {
            self.expect_all(&["STATEMENT", "SET"])?;
            self.expect_sign(";")?;
            return self.statement_set(position);
        }
        let execute = self.eat("EXECUTE");
        if self.eat_all(&["STATEMENT", "SET"]) {
            self.expect("BEGIN")?;
            return self.statement_set(position);
        }
        if execute && self.is_word("INSERT") {
            return self.insert().map(|insert| Statement::Insert(Box::new(insert)));
        }
        if execute && self.eat("PLAN") {
            return self.text().map(Statement::ExecutePlan);
        }
        if execute && self.is_query() {
            return self.query().map(Statement::Query);
        }
        Err(self.unexpected("STATEMENT SET, INSERT or PLAN"))
    }

    fn statement_set(&mut self, position: Position) -> Result<Statement> {
        let mut inserts = vec![];
        loop {
            if !self.is_word("INSERT") {
                if !self.eat("END") {
                    return Err(self.unexpected("INSERT or END"));
                }
                return Ok(Statement::StatementSet(StatementSet { position, inserts }));
            }
            inserts.push(self.insert()?);
            self.expect_sign(";")?;
        }
    }

    pub(super) fn explain(&mut self) -> Result<Statement> {
        let position = self.position();
        self.expect("EXPLAIN")?;
        let mut details = vec![];
        let restore = if self.eat("RESTORE") {
            let path = self.text()?;
            self.expect("FOR")?;
            Some(path)
        } else {
            None
        };
        if restore.is_none() && !self.eat_all(&["PLAN", "FOR"]) {
            const DETAILS: [(&str, ExplainDetail); 4] = [
                ("ESTIMATED_COST", ExplainDetail::EstimatedCost),
                ("CHANGELOG_MODE", ExplainDetail::ChangelogMode),
                ("JSON_EXECUTION_PLAN", ExplainDetail::JsonExecutionPlan),
                ("PLAN_ADVICE", ExplainDetail::PlanAdvice),
            ];
            while let Some((_, detail)) = DETAILS.iter().find(|(word, _)| self.eat(word)) {
                if !details.contains(detail) {
                    details.push(*detail);
                }
                if !self.eat_sign(",") {
                    break;
                }
            }
        }
        let statement = if self.is_word("INSERT") {
            Statement::Insert(Box::new(self.insert()?))
        } else if self.is_word("EXECUTE") || self.is_word("STATEMENT") || self.is_word("BEGIN") {
            self.execute()?
        } else if self.is_query() || self.is_sign("(") {
            Statement::Query(self.query()?)
        } else {
            return Err(self.unexpected("PLAN FOR, RESTORE, ESTIMATED_COST, CHANGELOG_MODE, JSON_EXECUTION_PLAN, PLAN_ADVICE, a query, INSERT or STATEMENT SET"));
        };
        Ok(Statement::Explain(Explain { position, details, restore, statement: Box::new(statement) }))
    }
}
