//! Flott: a stream processor. The crate that applications depend on.
//!
//! ```
//! use flott::sql::{Environment, Outcome};
//!
//! # fn main() -> flott::Result<()> {
//! let mut environment = Environment::local()?;
//! let statement = &flott::sql::parse_script("SELECT 1 + 1 AS two")?[0];
//! let Outcome::Query(job) = environment.session.execute(statement)? else { unreachable!() };
//! let client = environment.cluster.submit(&job.graph)?;
//! let rows = client.results().and_then(|results| results.next_rows().transpose()).transpose()?;
//! assert_eq!(rows.map(|rows| rows.num_rows()), Some(1));
//! # Ok(())
//! # }
//! ```

pub mod connectors;
pub mod restore;
pub mod sql;

pub use flott_batch as batch;
pub use flott_cluster as cluster;
pub use flott_connector as connector;
pub use flott_plan as plan;
pub use flott_types as types;
pub use flott_types::{Error, ErrorKind, Result};
