//! For tests of programs: a real cluster, with a clock that stands still until the test advances it.
//!
//! - [`Harness`] tests a function or a piece of a pipeline: push records and watermarks, advance the clock,
//!   take a snapshot, continue from it at another parallelism, and look at the output.
//! - [`MiniCluster`] tests whole jobs: environments, sources and sinks that the test controls
//!   ([`TestSource`], [`TestSink`]), checkpoints on request, and failures at chosen points ([`Fault`]).
//!
//! **The real runtime is under test**, with its threads, exchanges and checkpoints, not an imitation of it.
//! A test is deterministic nevertheless, because the cluster comes to rest after each step
//! ([`MiniCluster::settle`]): every record has been processed, and every timer that is due has fired, before
//! the test looks. The cluster is at rest when every task waits with empty queues, no message is in flight,
//! and no checkpoint is being taken; each task counts its waits, so checking twice shows that none has moved
//! in between. Work on threads outside the runtime (a request of an async function, a socket) is not waited
//! for.
//!
//! In a debug build, a step of a job with two tasks takes about half a millisecond, and starting the job
//! about 15.

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
