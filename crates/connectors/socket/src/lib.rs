//! Lines of a TCP connection, for programs and trials.
//!
//! A socket cannot be read again: a failure loses the lines since the last checkpoint. The connection has a thread of its own,
//! so that the task never waits for it.

mod connection;
mod source;

pub use source::SocketTextSource;
