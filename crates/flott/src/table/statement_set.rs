//! Several INSERTs as one job, or as a part of the program's.

use flott_datastream::JobClient;
use flott_sql_parser::ast::{Insert, Statement};
use flott_sql_parser::parse_statement;
use flott_types::{Error, Result};

use super::{StreamTableEnvironment, Table};

/// INSERTs that share what they have in common.
pub struct StatementSet {
    pub(super) tables: StreamTableEnvironment,
    inserts: Vec<Insert>,
}

impl StatementSet {
    pub(super) fn new(tables: StreamTableEnvironment) -> Self {
        StatementSet { tables, inserts: Vec::new() }
    }

    /// Adds an INSERT.
    ///
    /// # Errors
    /// If it is another statement.
    pub fn add_insert_sql(&mut self, statement: &str) -> Result<&mut Self> {
        match parse_statement(statement)?.statement {
            Statement::Insert(insert) => self.inserts.push(*insert),
            _ => return Err(Error::invalid("a statement set takes INSERT INTO statements")),
        }
        Ok(self)
    }

    /// Adds the rows of a table, which go to the table of this name.
    ///
    /// # Errors
    /// If the table cannot be named in a statement.
    pub fn add_insert(&mut self, target: &str, table: &Table) -> Result<&mut Self> {
        let (target, source) = (self.tables.path(target)?, self.tables.named(table)?);
        self.add_insert_sql(&format!("INSERT INTO {target} SELECT * FROM {source}"))
    }

    /// Makes the INSERTs a part of the program's job, which
    /// [`execute`](flott_datastream::StreamExecutionEnvironment::execute) runs, and empties the set.
    ///
    /// # Errors
    /// If one of them is wrong.
    pub fn attach_as_data_stream(&mut self) -> Result<()> {
        self.tables.attach_inserts(&self.inserts)?;
        self.inserts.clear();
        Ok(())
    }

    /// Runs the INSERTs as a job of their own, and empties the set.
    ///
    /// # Errors
    /// If one of them is wrong.
    pub fn execute(&mut self) -> Result<JobClient> {
        let client = self.tables.run_inserts(&self.inserts)?;
        self.inserts.clear();
        Ok(client)
    }
}
