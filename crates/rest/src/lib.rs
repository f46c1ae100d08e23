//! The REST interface of a JobManager: Flink's paths and Flink's JSON.
//!
//! ```text
//! HTTP --server--> Request --routes--> handler --Cluster--> DispatcherGateway
//! ```
//!
//! | module | paths |
//! |---|---|
//! | `overview` | `/overview`, `/config`, `/taskmanagers`, `/jobmanager/config` |
//! | `applications` | `/applications` and below: each job is one |
//! | `jars` | `/jars` and below: programs |
//! | `jobs` | `/jobs`, `/jobs/overview`, `/jobs/{jobid}` and what tells of a job as a whole |
//! | `vertices` | `/jobs/{jobid}/vertices/{vertexid}` and below |
//! | `checkpoints` | `/jobs/{jobid}/checkpoints` and below |
//! | `metrics` | `/jobs/{jobid}/metrics`, `/jobs/{jobid}/vertices/{vertexid}/metrics`, `.../subtasks/metrics` |
//! | `processes` | metrics, threads and logs of the JobManager and of TaskManagers |
//! | `messages` | `/flott/messages`: what `flott sql --cluster` and other clients of Flott say |
//! | `operations` | what changes something: cancel, savepoints, stop, checkpoints |
//! | `sql` | `/sessions` and below: SQL for clients that do not plan |
//! | `pages` | `/` and below it: the dashboard's files |
//!
//! A handler is a plain function from a request to JSON. It asks the JobManager through the messages that any
//! client uses, so that the interface works the same in the JobManager's process and beside it. Handlers wait
//! for answers, so they run on a few threads of their own, and never on those of jobs.
//!
//! What Flink reports and we do not have is 0, as it is in Flink when it has not been measured: bytes, buffers,
//! the parts of the JVM's memory. Paths that are only about a JVM do not exist.
//!
//! Who may ask: whoever has a token of a user (`users`) with the role that a route names (`guard`), if the configuration
//! names users; over TLS if it says so (`tls`). The server listens on loopback unless it is told otherwise. A page in a browser on the same
//! machine can send requests too, so a request that changes something is refused if it comes from a page of
//! another origin, and any request if it asks loopback by another name.

mod applications;
mod checkpoints;
mod cluster;
mod disposal;
mod guard;
mod jars;
mod jobs;
mod leads;
mod messages;
mod metrics;
mod operations;
mod overview;
mod pages;
mod processes;
mod reporters;
mod request;
mod requirements;
mod routes;
mod server;
mod sql;
mod tasks;
mod tls;
mod users;
mod vertices;

pub use leads::Leads;
pub use reporters::Reporters;
pub use routes::PATHS;
pub use server::{Rest, RestOptions};
pub use sql::{Executed, SqlSession, SqlSessions};

/// Whether the server has the dashboard at `/`.
pub fn has_dashboard() -> bool {
    flott_dashboard::is_built()
}
