//! Asynchronous requests to systems outside (`AsyncWaitOperator` of Flink).
//!
//! The operator is synchronous as all are: it spawns futures on a tokio runtime (`requests`), goes on, and is woken when some are done.
//! `queue` decides in which order results leave, `alarms` when a request has taken too long or is made again; both by the task's
//! clock, so that a test can move it.
//!
//! Bounds: at most the capacity of requests under way or done and not put out; beside them the rest of one batch, during which the
//! operator says that it is full and the task brings no more (the operator is at the head of its task, so that nobody before
//! it in the task can go on). The task never waits in here: messages and checkpoints are taken at any time.
//!
//! A snapshot holds the records whose results have not left; a restored operator asks for them anew, before anything else.

mod alarms;
mod operator;
mod options;
mod queue;
mod requests;
#[cfg(test)]
mod tests;

pub use operator::AsyncWait;
pub use options::{AsyncOptions, AsyncRetry};
