//! Process table functions: functions of a program that take tables and give a table, with state and timers, called in SQL.
//!
//! [`ProcessTableFunction`] is what a user implements, [`process_table`] makes a function of it that a session can register.
//! A function is opened once in each subtask: it resolves the columns that it reads and declares its states, both with their Rust types,
//! so that a row costs a read of typed arrays and an access to typed state and nothing is looked up by name.
//!
//! States are those of functions on keyed streams (`flott_function::state`), over an index whose keys are arrow columns. Timers have
//! names or none ([`timers`]); both are state.
//!
//! The operator is in `flott-operators`; it sees a function as an [`Instance`], which is called per batch.

mod context;
mod definition;
mod function;
mod given;
mod instance;
mod open;
mod row;
pub mod timers;

pub use context::TableContext;
pub use definition::{Factory, ProcessTableDefinition, TableArgument, process_table};
pub use flott_expr::user::ChangelogContext;
pub use flott_plan::ChangelogMode;
pub use function::ProcessTableFunction;
pub use given::Given;
pub use instance::{Core, Instance, TableRows};
pub use open::{Argument, Clear, OpenContext, OpenParts};
pub use row::{Column, Row, Table, Wanted};
pub use timers::Timer;
