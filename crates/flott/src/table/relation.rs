//! A table in a program.

use std::fmt;
use std::sync::Arc;

use flott_batch::{Record, RowKind};
use flott_datastream::{Collected, DataStream};
use flott_sql::session::BoundTable;
use flott_sql_parser::ast::Query;
use flott_types::{Error, Result};

use super::StreamTableEnvironment;

/// A table: a query whose names are resolved, over tables, views and streams.
///
/// As text it is the name of a view, so that it can stand in SQL:
///
/// ```
/// # use flott::prelude::*;
/// # use flott::table::StreamTableEnvironment;
/// # let env = StreamExecutionEnvironment::new();
/// # env.set_parallelism(1);
/// # let tables = StreamTableEnvironment::new(&env)?;
/// let numbers = tables.from_data_stream(&env.from_sequence(1, 5))?;
/// let large = tables.sql_query(&format!("SELECT f0 AS n FROM {numbers} WHERE f0 > 3"))?;
/// let large = tables.to_data_stream::<i64>(&large)?.execute_and_collect("large")?;
/// assert_eq!(large.collect::<Result<Vec<_>>>()?, [4, 5]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct Table {
    pub(super) tables: StreamTableEnvironment,
    pub(super) bound: BoundTable,
    /// The query, if it is a sort of which rows may be taken.
    pub(super) sorted: Option<Arc<Query>>,
}

impl Table {
    /// Names and types of its columns.
    pub fn schema(&self) -> flott_plan::Schema {
        self.bound.schema()
    }

    /// Its rows as a stream; see [`StreamTableEnvironment::to_data_stream`].
    ///
    /// # Errors
    /// If rows are updated, or cannot be read as the type.
    pub fn to_data_stream<T: Record>(&self) -> Result<DataStream<T>> {
        self.tables.to_data_stream(self)
    }

    /// Its changes as a stream; see [`StreamTableEnvironment::to_changelog_stream`].
    ///
    /// # Errors
    /// If rows cannot be read as the type.
    pub fn to_changelog_stream<T: Record>(&self) -> Result<DataStream<(RowKind, T)>> {
        self.tables.to_changelog_stream(self)
    }

    /// Runs a job of its own for this table alone and returns its changes to the program.
    ///
    /// # Errors
    /// If rows cannot be read as the type, or the program or its configuration is wrong.
    pub fn execute_and_collect<T: Record>(&self, name: &str) -> Result<Collected<(RowKind, T)>> {
        self.tables.fork().to_changelog_stream(self)?.execute_and_collect(name)
    }

    /// The column that is the records' timestamp.
    pub(super) fn rowtime(&self) -> Result<Option<usize>> {
        match self.bound.rowtimes()[..] {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            ref several => {
                let schema = self.schema();
                let names: Vec<&str> = several.iter().map(|at| schema.columns[*at].name.as_str()).collect();
                Err(Error::invalid(format!(
                    "Found more than one rowtime field: [{}] in the query when converting to a stream. Please select the \
                     rowtime field that should be used as event-time timestamp for the DataStream by casting all other fields \
                     to TIMESTAMP.",
                    names.join(", ")
                )))
            }
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({})", self.bound.text())
    }
}

/// The name of a view of it.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tables.named(self) {
            Ok(path) => path.fmt(f),
            Err(_) => Err(fmt::Error),
        }
    }
}
