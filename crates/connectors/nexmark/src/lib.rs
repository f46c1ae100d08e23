//! The connector `nexmark`: the events of the Nexmark benchmark, made up as fast as they can be read.
//!
//! `benchmarks/generator.md` says what event number n looks like; this crate is that page in Rust, with the names used there. Every
//! random number is a function of seed, field and event number ([`Stream`]), so that a field which nobody reads costs nothing, and the
//! events are the same at every parallelism and after every restart. A split is every n-th block of 1000 events; its position is
//! the next event.
//!
//! The source takes part in the projection of fields within ROWs: a query that reads `bid.price` gets a column of prices and
//! nothing else of the bid is made. Columns are filled one at a time, in typed loops over runs of events of one kind (46 bids by default):
//! within a run all bids choose from the same auctions and people, so the loops have nothing to decide. Text is copied out of tables made once, into
//! buffers whose size was added up before.
//!
//! [`Generator`] has the fields one by one as well, for programs that want the events without the engine.

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
