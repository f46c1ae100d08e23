//! For tests of programs: everything that happens on a cluster, with a clock that stands still until the test moves it.
//!
//! - [`Harness`] tests a function or a piece of a pipeline: push records and watermarks, move the clock, take a snapshot, continue from it at
//!   another parallelism, and look at what comes out.
//! - [`MiniCluster`] tests whole jobs: environments on it, sources and sinks in the test's hands ([`TestSource`], [`TestSink`]),
//!   checkpoints when the test says so, and failures at chosen points ([`Fault`]).
//!
//! **What runs is the runtime itself**, with its threads, exchanges and checkpoints, not an imitation of it. A test is deterministic all the same,
//! because it lets the cluster come to rest after each step ([`MiniCluster::settle`]): every record is where it ends up and every timer that
//! is due has fired before the test looks. The cluster is at rest when every task waits with nothing in its queues, no message is
//! under way, and no checkpoint is being taken; each task counts its waits, so that looking twice tells that none has moved in
//! between. What works on threads of its own behind the runtime's back (a request of an async function, a socket) is not waited for.
//!
//! A step of a job of two tasks takes about half a millisecond in a debug build, starting one some 15.

mod cluster;
mod fault;
mod gates;
mod harness;
mod sink;
mod source;
mod two_inputs;

pub use cluster::MiniCluster;
pub use fault::{Fault, Faults};
pub use harness::{Harness, Snapshot};
pub use sink::TestSink;
pub use source::TestSource;
pub use two_inputs::TwoInputs;
