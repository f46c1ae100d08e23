//! Asynchronous requests to external systems (`AsyncWaitOperator` in Flink).
//!
//! The operator is synchronous, as all operators are: it spawns futures on a tokio runtime (`requests`),
//! continues, and is woken when some are done. [`flott_operator::requests`] decides in which order results
//! are emitted, and when a request times out or is retried, by the task's clock, so that a test can control it.
//!
//! Bounds: at most the capacity of requests in flight or done but not emitted; in addition the rest of one
//! batch, during which the operator reports that it is full and the task delivers no more (the operator is at
//! the head of its task, so no operator before it can continue). The task never waits in here: messages and
//! checkpoints are handled at any time.
//!
//! A snapshot contains the records whose results have not been emitted; a restored operator sends their
//! requests again, before anything else.

mod operator;
mod options;
mod requests;
#[cfg(test)]
mod tests;

pub use operator::AsyncWait;
pub use options::{AsyncOptions, AsyncRetry};
