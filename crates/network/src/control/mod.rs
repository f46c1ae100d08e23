//! The messages between a JobManager and its TaskManagers, over gRPC.
//!
//! A TaskManager opens one stream in both directions (`/flott.Cluster/Session`). Its first message introduces
//! it, the first answer says which JobManager this is; from then on, both send the messages of
//! `flott_cluster::messages`, encoded by `flott_cluster::codec`. gRPC brings what a long-lived connection
//! needs (HTTP/2, flow control, keep-alive, TLS); the messages are not Protocol Buffers, because nobody else
//! speaks them, and a second description of each would have to be kept in step.
//!
//! The end of a stream ends the session that was begun on it: the JobManager learns that the TaskManager is
//! gone, and the TaskManager that the JobManager is, as soon as the operating system knows. Silence of the
//! other side is up to the heartbeats among the messages.

mod client;
mod hello;
mod raw;
mod server;

pub use self::client::{ControlClient, Ending, Joining};
pub use self::hello::{Accepted, Hello};
pub use self::server::{ControlOptions, ControlServer};

/// The path of the stream.
const SESSION: &str = "/flott.Cluster/Session";
/// A message may be long: a plan, the state that a task starts from, collected rows.
const LONGEST: usize = 1 << 30;
