//! JobManager and TaskManagers as processes of their own: how their messages and their channels cross a
//! network.
//!
//! ```text
//!   client ──HTTP──> JobManager <──gRPC: one stream for each TaskManager──> TaskManager
//!                                                                            │    ▲
//!                                                     TCP: frames, credits   ▼    │   one for each pair
//!                                                                           TaskManager
//! ```
//!
//! Nothing is decided here. Who belongs to the cluster, which slots a job gets and when somebody counts as
//! lost is what the state machines of `flott_checkpoint` say, whose messages are those of
//! `flott_cluster::messages`; the simulation that proves them loses, delays and cuts. This crate is one more
//! carrier of the same messages:
//!
//! | module | carries |
//! |---|---|
//! | [`control`] | the messages between JobManager and TaskManagers, over gRPC |
//! | [`exchange`] | the channels between tasks, over TCP connections of their own |
//! | [`client`] | the messages of clients, over the JobManager's REST server |
//! | [`tls`] | both sides' certificates |
//! | [`find`] | says where the JobManager is |
//! | [`process`] | puts a JobManager's or TaskManager's parts together |
//! | [`standby`] | a JobManager that leads when no other one does |
//!
//! Invariants:
//!
//! - **Within a session nothing is lost.** A stream delivers in order, or it ends; its end ends the session
//!   on both sides. A message of a session that was begun on an earlier stream is refused.
//! - **A process of another version is refused** before it says anything else, and both versions are named:
//!   messages and frames are read by the code that wrote them.
//! - **A channel without credit holds up no other.** A frame is sent within its channel's credit, so that
//!   whoever reads a connection never waits for a task.
//! - **A channel within a process stays a pointer.**
//!
//! Costs: a batch that crosses is written once (arrow's IPC, behind its header), and read once into the
//! columns; per batch there is one frame, and a credit comes back for what the receiving task has taken.

// A variant that is added later is looked at where it matters (in tests a catch-all is a failure that shows).
#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

pub mod client;
pub mod control;
pub mod exchange;
pub mod find;
pub mod options;
pub mod process;
pub mod standby;
pub mod tls;

/// The version that processes of a cluster must share.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
