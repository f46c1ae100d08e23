//! Asynchronous requests that an operator waits for without blocking its task: which results may be emitted,
//! and when something is due. Pure; the operator starts requests and reports what became of them.
//!
//! [`Queue`] decides in which order results are emitted, [`Waiting`] holds input that has no room in it yet,
//! [`Alarms`] tell when a request times out or is retried.

mod alarms;
mod queue;
mod waiting;

pub use alarms::{Alarm, Alarms};
pub use queue::{Control, Queue, Ready, Request, Work};
pub use waiting::{Next, Waiting};
