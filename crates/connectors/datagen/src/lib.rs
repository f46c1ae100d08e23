//! The connector `datagen`: generated rows, for experiments and load tests.
//!
//! The rows of a table are numbered from 0. Every value is a function of the seed, the column and the row's
//! number, so that the table is the same at every parallelism and after every restart; a split is every n-th
//! row, and its position is the next number. The seed is drawn when the job starts and travels with the
//! splits; the option `seed` (ours, not Flink's) sets it. DATE and TIME are the current ones, and timestamps
//! are the current time minus a random duration up to `max-past`, as in Flink: only these differ from run to
//! run.
//!
//! Columns are generated one at a time in typed loops.

mod connector;
mod field;
mod generate;
mod random;
mod source;

pub use connector::DatagenConnector;
