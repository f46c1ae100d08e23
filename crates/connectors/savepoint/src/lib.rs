//! Snapshots of jobs, as data: what is in them, whether they are whole, how two differ, new ones, and the connector
//! `savepoint`, which reads the state of an operator as a table.
//!
//! A snapshot is a checkpoint or a savepoint; both have the same form. The state of an operator is some keyed
//! states, each a table whose columns are named by what they mean, and some lists of entries that belong to
//! no key (positions of sources, what sinks have not committed). Nothing here changes a snapshot: a changed one is a new
//! one ([`SavepointWriter`]).

mod connector;
mod difference;
mod savepoint;
mod source;
mod types;
mod writer;

pub use connector::SavepointConnector;
pub use difference::{Difference, StateDifference, differences};
pub use savepoint::{Checked, ListSummary, OperatorSummary, Savepoint, StateColumn, StateSummary};
pub use writer::SavepointWriter;
