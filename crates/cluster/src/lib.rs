//! JobManager and TaskManagers.
//!
//! | component | what it does |
//! |---|---|
//! | [`JobManager`] | takes jobs (dispatcher), gives them slots (resource manager), runs a job master for each |
//! | job master | drives one job: executes what the state machines of `flott_checkpoint` decide, hands out splits |
//! | [`TaskManager`] | has slots; runs tasks of `flott_runtime`, passes messages on |
//! | [`LocalCluster`] | both in one process |
//!
//! Who is there, who has which slot and who is lost is decided by [`flott_checkpoint::resources`].
//!
//! They exchange plain messages ([`messages`]) through a transport ([`transport`]); within a process that is
//! a channel. A job is deployed from its serialised plan, also within one process: there is no second way to
//! run one.
//!
//! Why a thread and a mailbox for each job: all decisions about one job are taken in one order, without
//! locks; and a job whose storage hangs does not hold up another.

// A variant that is added later is looked at where it matters (in tests a catch-all is a failure that shows).
#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

mod archive;
mod beginning;
mod client;
pub mod client_messages;
mod cluster_client;
pub mod codec;
pub mod collected;
mod collecting;
mod dispatcher;
mod enumerators;
mod global_commits;
mod held;
pub mod high_availability;
pub mod history;
mod identity;
pub mod inspection;
mod job_manager;
mod job_master;
mod leaving;
mod local;
pub mod messages;
mod metrics;
mod options;
pub mod programs;
mod questions;
mod resource_manager;
mod restored;
mod result_stream;
mod results;
pub mod scaling;
mod snapshots;
mod status;
mod storage;
mod submission;
mod takeover;
mod task_manager;
pub mod transport;
mod unique;
mod watermark_alignment;
mod worker;

pub use archive::Archive;
pub use beginning::LATEST;
pub use client::{JobClient, PendingAnswer};
pub use cluster_client::ClusterClient;
pub use flott_checkpoint::JobStatus;
pub use flott_checkpoint::resources::{Config as Liveness, LeaderId};
pub use identity::Identity;
pub use job_manager::{JobManager, JobManagerServices};
pub use local::{LocalCluster, LocalClusterOptions};
pub use messages::TaskManagerId;
pub use metrics::{JobMetrics, VertexMetrics};
pub use options::{checkpointing, liveness};
pub use restored::{BeganFrom, Beginning, RestorePoint};
pub use result_stream::{NextRows, ResultStream};
pub use snapshots::Snapshots;
pub use status::{
    CheckpointRecord, CheckpointStats, CheckpointStatus, ExceptionEntry, JobInfo, TaskExecution,
};
pub use storage::{Begun, Destination, End, Origin, Outcome, Place, Start, Storage};
pub use task_manager::{TaskManager, TaskManagerOptions};
