//! JobManager and TaskManagers.
//!
//! | component | what it does |
//! |---|---|
//! | [`JobManager`] | takes jobs (dispatcher), gives them slots (resource manager), runs a job master for each |
//! | job master | drives one job: executes what the state machines of `flott_checkpoint` decide, hands out splits |
//! | [`TaskManager`] | has slots; runs tasks of `flott_runtime`, passes messages on |
//! | [`LocalCluster`] | both in one process |
//!
//! They exchange plain messages ([`messages`]) through a transport ([`transport`]); within a process that is a channel. A job is
//! deployed from its serialised plan, also within one process: there is no second way to run one.
//!
//! Why a thread and a mailbox for each job: all decisions about one job are taken in one order, without locks; and a job whose
//! storage hangs does not hold up another.

mod alignment;
mod client;
mod enumerators;
mod job_manager;
mod job_master;
mod local;
pub mod messages;
mod metrics;
mod options;
mod results;
mod slots;
mod snapshots;
mod status;
mod storage;
mod task_manager;
pub mod transport;
mod worker;

pub use client::{JobClient, PendingAnswer, ResultStream};
pub use flott_checkpoint::JobStatus;
pub use job_manager::{JobManager, JobManagerServices};
pub use local::{LocalCluster, LocalClusterOptions};
pub use metrics::{JobMetrics, VertexMetrics};
pub use results::NextRows;
pub use snapshots::Snapshots;
pub use status::{CheckpointRecord, CheckpointStats, CheckpointStatus, ExceptionEntry, JobInfo};
pub use storage::{Destination, Place, Storage};
pub use task_manager::TaskManager;
