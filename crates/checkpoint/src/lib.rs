//! Checkpointing and recovery as pure protocol: `(state, event, now) -> actions`, with no I/O, thread, clock
//! or randomness.
//!
//! | module | decides | driven by |
//! | --- | --- | --- |
//! | [`life`] | when a task reads, finishes and leaves, and which of its operators are called | the task's loop |
//! | [`alignment`] | when a task takes its snapshot | `life` |
//! | [`commit`] | what is asked of committers, when, and what is tried again | a task's sink, the job master |
//! | [`coordinator`] | when checkpoints are taken, complete, subsumed | the job master |
//! | [`execution`] | wait for slots, deploy, drain, recover, end | the job master |
//! | [`resources`] | who is in the cluster, who has which slot, who is lost | the JobManager and the TaskManagers |
//! | [`failover`] | what restarts together | `execution` |
//! | [`restart`] | whether and when | `execution` |
//! | [`manifest`] | what a snapshot is: plain versioned data | the job master and the state store |
//!
//! **The guarantee.** The committed output of a job is that of an undisturbed run, whatever fails, as long
//! as: sources replay from a position; channels keep their order, and lose nothing within an attempt; a sink
//! commits what belongs to a checkpoint when, and only when, it is notified that it (or a later one) is
//! complete, and on restore commits what is pending in the checkpoint; the job master does the same with what
//! is committed once for all subtasks; the manifest is written atomically. `tests/simulation` runs the
//! machines together over thousands of schedules of lost and late messages, of tasks, TaskManagers, writes,
//! commits and JobManagers that fail, and compares.
//!
//! **Why pure.** The hard part of these protocols is the order of events. Here an order is a list of calls:
//! a test needs no runtime, a failing schedule is a seed, and the drivers (which do the I/O) contain no
//! decisions. The price is an indirection: a driver matches on actions instead of making calls.
//!
//! **Time** is passed in as `now` (milliseconds; the same clock in all calls). A driver asks each machine
//! for `next_deadline` after each step, and sends `Tick` by then.

// A variant that is added later is looked at where it matters (in tests a catch-all is a failure that shows).
#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

pub mod alignment;
mod barrier;
pub mod commit;
pub mod coordinator;
pub mod execution;
pub mod failover;
pub mod life;
pub mod manifest;
pub mod resources;
pub mod restart;

pub use barrier::{Attempt, Barrier, CheckpointKind, RequestId, TaskId};
pub use execution::{ExecutionState, JobStatus};
