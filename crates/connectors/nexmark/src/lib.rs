//! The connector `nexmark`: the events of the Nexmark benchmark, generated as fast as they are read.
//!
//! `benchmarks/generator.md` defines what event number n looks like; this crate is that page in Rust, with
//! the same names. Every random number is a function of seed, field and event number ([`Stream`]), so a field
//! that nobody reads costs nothing, and the events are the same at every parallelism and after every restart.
//! A split is every n-th block of 1000 events; its position is the next event.
//!
//! The source supports projection push-down into ROWs: a query that reads `bid.price` gets a column of
//! prices, and no other part of the bid is generated. Columns are filled one at a time, in typed loops over
//! runs of events of one kind (46 bids by default): within a run all bids choose from the same auctions and
//! people, so the loops have no branches. Text is copied from tables that are built once, into buffers whose
//! size was computed beforehand.
//!
//! [`Generator`] also offers the fields one by one, for programs that want the events without the engine.

mod batch;
mod choice;
mod columns;
mod config;
mod connector;
mod field;
mod generator;
mod position;
mod price;
mod random;
mod reader;
mod run;
mod source;
mod tables;
mod text;

pub use choice::Choice;
pub use config::Config;
pub use connector::NexmarkConnector;
pub use field::Field;
pub use generator::Generator;
pub use random::Stream;
pub use run::{Kind, Run};
