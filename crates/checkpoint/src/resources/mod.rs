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
//! - **A session is all or nothing.** It is identified by the leader (which JobManager) and a number that
//!   the TaskManager increases each time it starts over, with no tasks left from before. Every message
//!   carries the session, and messages of another session are ignored. Within a session nothing is lost: a
//!   message that cannot be delivered ends it ([`Event::Gone`], [`membership::Event::Unreachable`]). So
//!   neither side ever has to ask what the other has received.
//! - **A slot has one owner.** The slots of an ended session no longer exist, and those of the next are
//!   announced when the tasks of the previous one have ended; slots of tasks that do not end are not
//!   announced.
//! - **Silence ends a session on both sides.** A TaskManager that hears nothing for `heartbeat.timeout`
//!   stops its own tasks, so tasks that were declared lost do not run forever.
//! - **A job gets all slots that it needs, or none.** Two jobs that each hold half of what they need would
//!   wait for each other. Jobs are served in the order of their requests, but one that has to wait does not
//!   block smaller ones.
//! - **Nobody waits in vain.** Once the cluster has had time to assemble, a job that needs more slots than
//!   the cluster has is informed at once. [`crate::execution`] decides what follows, and how long a job waits
//!   otherwise.
//!
//! **A JobManager that was suspended declares nobody dead.** If the state machine is called much later than
//! requested (a closed laptop, a stopped process), that time does not count: nobody could have been heard.

mod free;
mod holding;
mod machine;
pub mod membership;

use flott_types::{JobId, Timestamp};
use serde::{Deserialize, Serialize};

pub use machine::{Action, Event, Resources};
pub use membership::Membership;

use crate::{Attempt, TaskId};

/// A TaskManager.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskManagerId(pub u32);

/// A registered TaskManager at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TaskManagerInfo {
    /// Which.
    pub id: TaskManagerId,
    /// How many slots it has.
    pub slots: u32,
    /// How many of them no job has.
    pub free: u32,
    /// When it was last heard from.
    pub heard_at: Timestamp,
}

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
    /// `resourcemanager.standalone.start-up-time`: this long after its start a cluster may still get
    /// TaskManagers, and nobody is told that there will never be enough slots.
    pub start_up_time: i64,
    /// `cluster.registration.initial-timeout`: a TaskManager that gets no answer registers again after this
    /// long, and then after twice as long.
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
