//! Requests to others that an operator waits for without its task waiting: which may leave, and when something is due. Pure; the
//! operator begins requests and tells what became of them.
//!
//! [`Queue`] decides in which order results leave, [`Waiting`] holds what has no room in it yet, [`Alarms`] say when a request has
//! taken too long or is made again.

mod alarms;
mod queue;
mod waiting;

pub use alarms::{Alarm, Alarms};
pub use queue::{Control, Queue, Ready, Request, Work};
pub use waiting::{Next, Waiting};
