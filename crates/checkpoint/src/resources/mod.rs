//! The TaskManagers of a cluster, their slots, and who has them.
//!
//! ```mermaid
//! sequenceDiagram
//!     participant T as TaskManager
//!     participant R as resources
//!     participant E as execution of a job
//!     T->>R: Register(number, slots)
//!     R->>T: Welcome(session)
//!     E->>R: Request(needed)
//!     R->>E: Short(what is missing), until there are enough
//!     R->>E: Grant(slots)
//!     loop heartbeat.interval
//!         R->>T: Heartbeat
//!         T->>R: Heartbeat
//!     end
//!     Note over R: nothing heard for heartbeat.timeout
//!     R->>E: Lost(slots)
//!     R->>T: Dismiss(session)
//! ```
//!
//! Two machines: [`Resources`] in the JobManager, [`Membership`] in each TaskManager. Invariants:
//!
//! - **A session is all or nothing.** It is named by the leader (which JobManager) and a number that the TaskManager raises each time it
//!   starts over, with no task left of before. Every message carries the session, and one of another session means nothing. Within a
//!   session nothing is lost: a message that cannot be delivered ends it ([`Event::Gone`], [`membership::Event::Unreachable`]). So neither
//!   side ever has to ask what the other has heard.
//! - **A slot has one owner.** The slots of a session that has ended exist no more, and those of the next are announced when the
//!   tasks of the last have left; those of tasks that do not leave are not announced.
//! - **Silence ends a session on both sides.** A TaskManager that hears nothing for `heartbeat.timeout` stops its tasks by itself, so what
//!   was declared lost does not run on forever.
//! - **A job gets all slots that it needs, or none.** Two jobs that each hold half of what they need would wait for each other. A job that asked
//!   first is served first, but one that has to wait does not keep out those that fit.
//! - **Nobody waits for what cannot come.** Once the cluster has had the time to assemble, a job that needs more slots than the cluster has is
//!   told so at once. What it makes of that, and how long it waits otherwise, is decided in [`crate::execution`].
//!
//! **A JobManager that slept declares nobody dead.** When the machine is called much later than it asked for (a laptop that was closed,
//! a process that was stopped), that time does not count: nobody could have been heard.

mod free;
mod machine;
pub mod membership;

use flott_types::JobId;
use serde::{Deserialize, Serialize};

pub use machine::{Action, Event, Resources};
pub use membership::Membership;

use crate::{Attempt, TaskId};

/// A TaskManager.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskManagerId(pub u32);

/// Which JobManager: a later one has a larger number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeaderId(pub u64);

/// The time between a registration of a TaskManager and its loss.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The JobManager.
    pub leader: LeaderId,
    /// The TaskManager's own count.
    pub number: u64,
}

/// A slot that a job has: somewhere in this TaskManager.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Slot {
    /// The TaskManager.
    pub task_manager: TaskManagerId,
    /// Since when.
    pub session: Session,
}

/// A task that was told to leave and does not: it keeps its slot from everybody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Hanging {
    /// The job.
    pub job: JobId,
    /// The attempt.
    pub attempt: Attempt,
    /// The task.
    pub task: TaskId,
}

/// When somebody counts as lost. Milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// `heartbeat.interval`
    pub heartbeat_interval: i64,
    /// `heartbeat.timeout`
    pub heartbeat_timeout: i64,
    /// `resourcemanager.standalone.start-up-time`: this long after its start a cluster may still get TaskManagers, and nobody is told
    /// that there will never be enough slots.
    pub start_up_time: i64,
    /// `cluster.registration.initial-timeout`: a TaskManager that gets no answer registers again after this long, and then after twice as long.
    pub registration_initial: i64,
    /// `cluster.registration.max-timeout`: but never later than this.
    pub registration_max: i64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            heartbeat_interval: 10_000,
            heartbeat_timeout: 50_000,
            start_up_time: 0,
            registration_initial: 100,
            registration_max: 30_000,
        }
    }
}
