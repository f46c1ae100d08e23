//! What a statement answers to a program.

use flott_batch::{Record, RowKind};
use flott_datastream::{Collected, JobClient};
use flott_sql::session::Answer;
use flott_types::{Error, Result};

use super::Table;

/// The answer to a statement.
#[derive(Debug)]
pub enum TableResult {
    /// It changed the session.
    Done,
    /// A small table of texts: SHOW, DESCRIBE, EXPLAIN.
    Answer(Answer),
    /// The job of an INSERT, which runs.
    Job(JobClient),
    /// A query, which runs when its rows are collected.
    Query(Box<Table>),
}

impl TableResult {
    /// Waits for the end of the job of an INSERT.
    ///
    /// # Errors
    /// Why it has failed.
    pub fn wait(&self) -> Result<()> {
        match self {
            TableResult::Job(client) => client.execution_result().map(|_| ()),
            TableResult::Done | TableResult::Answer(_) | TableResult::Query(_) => Ok(()),
        }
    }

    /// Runs a query and returns its changes.
    ///
    /// # Errors
    /// If it is no query, or its rows cannot be read as the type.
    pub fn collect<T: Record>(&self) -> Result<Collected<(RowKind, T)>> {
        match self {
            TableResult::Query(table) => table.execute_and_collect("collect"),
            TableResult::Done | TableResult::Answer(_) | TableResult::Job(_) => {
                Err(Error::invalid("only a query has rows to collect"))
            }
        }
    }
}
