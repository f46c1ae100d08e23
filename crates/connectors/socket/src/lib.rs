//! Lines of a TCP connection, for programs and experiments.
//!
//! A socket cannot be read again: a failure loses the lines since the last checkpoint. The connection has its
//! own thread, so the task never waits for it.

mod connection;
mod source;

pub use source::SocketTextSource;
