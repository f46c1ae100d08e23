//! Flott: a stream processor. The crate that applications depend on.
//!
//! The feature `sql`, on by default, is SQL. A program that uses only streams does without it
//! (`default-features = false`): it compiles and links neither the planner nor SQL's operators, functions and
//! connectors.
//!
//! Programs with streams of their own types ([`datastream`]; what they need is in [`prelude`]):
//!
//! ```
//! use flott::prelude::*;
//!
//! # fn main() -> Result<()> {
//! let env = StreamExecutionEnvironment::new();
//! let counts = env
//!     .from_collection(["to be or", "not to be"].map(String::from))
//!     .flat_map(|line: String, out| line.split(' ').for_each(|word| out.collect((word.to_owned(), 1))))
//!     .key_by_ref(|(word, _)| word)
//!     .sum(|(_, count)| count);
//! let counts = counts.execute_and_collect("words")?.collect::<Result<Vec<_>>>()?;
//! assert!(counts.contains(&("to".to_owned(), 2)));
//! # Ok(())
//! # }
//! ```
//!
//! And SQL ([`sql`]):
//!
//! ```
//! # #[cfg(feature = "sql")]
//! # fn main() -> flott::Result<()> {
//! use flott::sql::{Environment, Outcome};
//!
//! let mut environment = Environment::local()?;
//! let statement = &flott::sql::parse_script("SELECT 1 + 1 AS two")?[0];
//! let Outcome::Query(job) = environment.session.execute(statement)? else { unreachable!() };
//! let client = environment.cluster.submit(&job.graph)?;
//! let rows = client.results().and_then(|results| results.next_rows().transpose()).transpose()?;
//! assert_eq!(rows.map(|rows| rows.num_rows()), Some(1));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "sql"))]
//! # fn main() {}
//! ```

pub mod args;
#[cfg(feature = "sql")]
pub mod completion;
#[cfg(feature = "sql")]
pub mod connectors;
#[cfg(feature = "sql")]
mod functions;
#[cfg(feature = "sql")]
mod gateway;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "sql")]
pub mod manual;
#[cfg(feature = "sql")]
mod materialized;
#[cfg(feature = "sql")]
mod plans;
pub mod prelude;
#[cfg(feature = "sql")]
pub mod processes;
pub mod restore;
#[cfg(feature = "sql")]
pub mod sql;
#[cfg(feature = "sql")]
pub mod table;
/// Snapshots as data.
pub use flott_datastream::snapshots as state;

pub use flott_batch as batch;
pub use flott_cluster as cluster;
pub use flott_connector as connector;
pub use flott_datastream as datastream;
pub use flott_datastream::configuration;
/// What an operator is, for `DataStream::transform`.
pub use flott_operator as operator;
pub use flott_plan as plan;
pub use flott_types as types;
pub use flott_types::{Error, ErrorKind, Result};
/// The library that serialises records.
pub use serde;

/// The programs of the guide compile and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/datastream.md")]
mod guide {}

/// So do those of its further pages.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../docs/programs/async.md")]
    mod asynchronous {}
    #[doc = include_str!("../../../docs/programs/broadcast.md")]
    mod broadcast {}
    #[doc = include_str!("../../../docs/programs/cep.md")]
    mod cep {}
    #[doc = include_str!("../../../docs/programs/deployment.md")]
    mod deployment {}
    #[doc = include_str!("../../../docs/programs/metrics.md")]
    mod metrics {}
    #[doc = include_str!("../../../docs/programs/operator-state.md")]
    mod operator_state {}
    #[doc = include_str!("../../../docs/programs/savepoints.md")]
    mod savepoints {}
    #[cfg(feature = "sql")]
    #[doc = include_str!("../../../docs/programs/sql-functions.md")]
    mod sql_functions {}
    #[doc = include_str!("../../../docs/programs/sources-and-sinks.md")]
    mod sources_and_sinks {}
    #[cfg(feature = "sql")]
    #[doc = include_str!("../../../docs/programs/table-api.md")]
    mod table_api {}
    #[cfg(feature = "sql")]
    #[doc = include_str!("../../../docs/programs/tables.md")]
    mod tables {}
    #[doc = include_str!("../../../docs/programs/testing.md")]
    mod testing {}
}
