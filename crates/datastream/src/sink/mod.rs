//! Sinks of values.
//!
//! Each implements [`Consumes<T>`](flott_connector::Consumes): it takes batches of `Records<T>`. One's own sink is written against
//! [`flott_connector`], whose header shows how.
//!
//! | sink | writes |
//! |---|---|
//! | [`PrintSink`] | a line for each value, to standard output or standard error |
//! | [`FileSink`] | files, exactly once |
//! | [`FunctionSink`] | what a function does with each value; at least once |
//! | [`DiscardingSink`] | nothing |

mod discarding;
mod file;
mod function;
mod print;

pub use discarding::DiscardingSink;
pub use file::FileSink;
pub use function::FunctionSink;
pub use print::PrintSink;
