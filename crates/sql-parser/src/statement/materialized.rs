//! Materialized tables.

use crate::ast::{
    AlterMaterializedTable, AlterMaterializedTableOperation, CreateMaterializedTable, RefreshMode, Replace,
    Statement,
};
use crate::error::{ParseError, Position, Result};
use crate::parser::Parser;

impl Parser<'_> {
    /// Behind `CREATE [OR ALTER]`. A job starts where its sources start, which is all of START_MODE.
    pub(super) fn create_materialized_table(
        &mut self,
        position: Position,
        or_alter: bool,
    ) -> Result<Statement> {
        self.expect_all(&["MATERIALIZED", "TABLE"])?;
        let mut table = self.table_clauses(position, false, false, Replace::Never)?;
        if self.eat("START_MODE") {
            self.expect_sign("=")?;
            self.expect("FROM_BEGINNING")?;
        }
        let freshness = match self.eat("FRESHNESS") {
            true => {
                self.expect_sign("=")?;
                Some(self.expr()?)
            }
            false => None,
        };
        let refresh_mode = match self.eat("REFRESH_MODE") {
            true => {
                self.expect_sign("=")?;
                Some(match self.expect_any(&["CONTINUOUS", "FULL"])? {
                    "FULL" => RefreshMode::Full,
                    _ => RefreshMode::Continuous,
                })
            }
            false => None,
        };
        self.expect("AS")?;
        table.query = Some(self.query_text()?);
        let create = CreateMaterializedTable { or_alter, table, freshness, refresh_mode };
        Ok(Statement::CreateMaterializedTable(Box::new(create)))
    }

    /// Behind ALTER.
    pub(super) fn alter_materialized_table(&mut self, position: Position) -> Result<Statement> {
        self.expect_all(&["MATERIALIZED", "TABLE"])?;
        let name = self.object_name()?;
        let operation = match self.expect_any(&["SUSPEND", "RESUME", "REFRESH", "AS"])? {
            "SUSPEND" => AlterMaterializedTableOperation::Suspend,
            "RESUME" => AlterMaterializedTableOperation::Resume { options: self.with_options()? },
            "REFRESH" => {
                let partition = if self.is_word("PARTITION") { self.partition()? } else { vec![] };
                if let Some(open) = partition.iter().find(|column| column.value.is_none()) {
                    let message = format!("PARTITION names no value of '{}'", open.column.value);
                    return Err(ParseError::new(message, open.column.position));
                }
                AlterMaterializedTableOperation::Refresh { partition }
            }
            _ => AlterMaterializedTableOperation::As(self.query_text()?),
        };
        Ok(Statement::AlterMaterializedTable(Box::new(AlterMaterializedTable { position, name, operation })))
    }
}
