//! The connector `datagen`: rows made up, for trying things out and for load.
//!
//! The rows of a table are numbered from 0. Every value is a function of the seed, the column and the row's number, so that
//! the table is the same at every parallelism and after every restart; a split is every n-th row, and its position is the next
//! number. The seed is drawn when the job starts and travels with the splits; the option `seed` (ours, not Flink's) sets
//! it. DATE and TIME are the present, and timestamps the present less a random time up to `max-past`, as in
//! Flink: these alone differ from run to run.
//!
//! Columns are made one at a time in typed loops.

mod connector;
mod field;
mod generate;
mod random;
mod source;

pub use connector::DatagenConnector;
