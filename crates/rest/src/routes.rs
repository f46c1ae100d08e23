//! Which handler answers which path, and who may ask.

use Method::{Delete, Get, Patch, Post, Put};
use axum::http;

use crate::cluster::Cluster;
use crate::request::{Answer, Answered, Request};
use crate::users::Role;
use crate::{
    applications, checkpoints, disposal, jars, jobs, metrics, operations, overview, processes, requirements,
    sql, vertices,
};

/// Answers a request.
pub(crate) type Handler = fn(&Cluster, &Request) -> Answered<Answer>;

/// How a request asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// Reads.
    Get,
    /// Begins something.
    Post,
    /// Changes something.
    Patch,
    /// Says how something is to be.
    Put,
    /// Ends something.
    Delete,
}

impl Method {
    /// Whether a request of HTTP asks in this way.
    pub(crate) fn is(self, method: &http::Method) -> bool {
        match self {
            // Its head alone is read like the whole.
            Method::Get => matches!(*method, http::Method::GET | http::Method::HEAD),
            Method::Post => *method == http::Method::POST,
            Method::Patch => *method == http::Method::PATCH,
            Method::Put => *method == http::Method::PUT,
            Method::Delete => *method == http::Method::DELETE,
        }
    }
}

/// A path, who may ask it, and who answers it.
#[derive(Clone, Copy)]
pub struct Path {
    /// How it is asked.
    pub method: Method,
    /// The path; parts in braces are variable.
    pub path: &'static str,
    /// What users need to be.
    pub(crate) role: Role,
    /// Without one, it is the one that takes uploads as they come.
    pub(crate) handler: Option<Handler>,
}

/// Something of a job or of the cluster, to look at.
const fn get(path: &'static str, handler: Handler) -> Path {
    Path { method: Method::Get, path, role: Role::Viewer, handler: Some(handler) }
}

/// Something that is done to a job.
const fn operate(method: Method, path: &'static str, handler: Handler) -> Path {
    Path { method, path, role: Role::Operator, handler: Some(handler) }
}

/// Something that is done to the cluster.
const fn administer(method: Method, path: &'static str, handler: Handler) -> Path {
    Path { method, path, role: Role::Admin, handler: Some(handler) }
}

/// Something of an SQL session, which can read and write what the cluster can.
const fn sql(method: Method, path: &'static str, handler: Handler) -> Path {
    Path { method, path, role: Role::Admin, handler: Some(handler) }
}

/// All paths. Each also answers below `/v1`.
pub const PATHS: &[Path] = &[
    get("/overview", overview::overview),
    get("/config", overview::config),
    administer(Delete, "/cluster", overview::end),
    get("/applications/overview", applications::overview),
    get("/applications/{applicationid}", applications::application),
    get("/jobmanager/config", overview::configuration),
    get("/jobmanager/environment", overview::environment),
    administer(Get, "/jobmanager/log", processes::job_manager_log),
    get("/jobmanager/logs", processes::job_manager_logs),
    administer(Get, "/jobmanager/logs/{filename}", processes::job_manager_file),
    get("/jobmanager/metrics", processes::job_manager_metrics),
    administer(Get, "/jobmanager/stdout", processes::job_manager_stdout),
    get("/jobmanager/thread-dump", processes::job_manager_threads),
    get("/taskmanagers", overview::task_managers),
    get("/taskmanagers/metrics", processes::all_task_managers_metrics),
    get("/taskmanagers/{taskmanagerid}", overview::task_manager),
    administer(Get, "/taskmanagers/{taskmanagerid}/log", processes::task_manager_log),
    get("/taskmanagers/{taskmanagerid}/logs", processes::task_manager_logs),
    administer(Get, "/taskmanagers/{taskmanagerid}/logs/{filename}", processes::task_manager_file),
    get("/taskmanagers/{taskmanagerid}/metrics", processes::task_manager_metrics),
    administer(Get, "/taskmanagers/{taskmanagerid}/stdout", processes::task_manager_stdout),
    get("/taskmanagers/{taskmanagerid}/thread-dump", processes::task_manager_threads),
    get("/jars", jars::list),
    Path { method: Post, path: jars::UPLOAD, role: Role::Admin, handler: None },
    administer(Delete, "/jars/{jarid}", jars::delete),
    administer(Post, "/jars/{jarid}/run", jars::run),
    get("/jobs", jobs::ids),
    get("/jobs/metrics", metrics::jobs),
    get("/jobs/overview", jobs::overview),
    get("/jobs/{jobid}", jobs::job),
    operate(Patch, "/jobs/{jobid}", operations::cancel),
    get("/jobs/{jobid}/accumulators", jobs::accumulators),
    get("/jobs/{jobid}/config", jobs::config),
    get("/jobs/{jobid}/exceptions", jobs::exceptions),
    get("/jobs/{jobid}/execution-result", jobs::execution_result),
    get("/jobs/{jobid}/jobmanager/config", overview::configuration),
    get("/jobs/{jobid}/metrics", metrics::job),
    get("/jobs/{jobid}/plan", jobs::plan),
    get("/jobs/{jobid}/resource-requirements", requirements::requirements),
    operate(Put, "/jobs/{jobid}/resource-requirements", requirements::require),
    get("/jobs/{jobid}/status", jobs::status),
    get("/jobs/{jobid}/checkpoints", checkpoints::statistics),
    operate(Post, "/jobs/{jobid}/checkpoints", operations::checkpoint),
    get("/jobs/{jobid}/checkpoints/config", checkpoints::config),
    get("/jobs/{jobid}/checkpoints/details/{checkpointid}", checkpoints::details),
    get("/jobs/{jobid}/checkpoints/details/{checkpointid}/subtasks/{vertexid}", checkpoints::subtasks),
    get("/jobs/{jobid}/checkpoints/{triggerid}", operations::checkpoint_status),
    operate(Post, "/jobs/{jobid}/savepoints", operations::savepoint),
    get("/jobs/{jobid}/savepoints/{triggerid}", operations::savepoint_status),
    operate(Post, "/jobs/{jobid}/stop", operations::stop),
    get("/jobs/{jobid}/vertices/{vertexid}", vertices::vertex),
    get("/jobs/{jobid}/vertices/{vertexid}/accumulators", vertices::accumulators),
    get("/jobs/{jobid}/vertices/{vertexid}/backpressure", vertices::back_pressure),
    get("/jobs/{jobid}/vertices/{vertexid}/metrics", metrics::vertex),
    get("/jobs/{jobid}/vertices/{vertexid}/subtasks/accumulators", vertices::subtask_accumulators),
    get("/jobs/{jobid}/vertices/{vertexid}/subtasks/metrics", metrics::subtasks),
    get("/jobs/{jobid}/vertices/{vertexid}/subtasks/{subtaskindex}", vertices::subtask),
    get("/jobs/{jobid}/vertices/{vertexid}/subtasks/{subtaskindex}/attempts/{attempt}", vertices::attempt),
    get("/jobs/{jobid}/vertices/{vertexid}/subtasks/{subtaskindex}/metrics", metrics::subtask),
    get("/jobs/{jobid}/vertices/{vertexid}/subtasktimes", vertices::times),
    get("/jobs/{jobid}/vertices/{vertexid}/taskmanagers", vertices::task_managers),
    get("/jobs/{jobid}/vertices/{vertexid}/watermarks", vertices::watermarks),
    operate(Post, "/savepoint-disposal", disposal::dispose),
    get("/savepoint-disposal/{triggerid}", disposal::status),
    get("/info", sql::info),
    sql(Post, "/sessions", sql::open),
    sql(Get, "/sessions/{sessionhandle}", sql::session),
    sql(Delete, "/sessions/{sessionhandle}", sql::close),
    sql(Post, "/sessions/{sessionhandle}/complete-statement", sql::complete),
    sql(Post, "/sessions/{sessionhandle}/configure-session", sql::configure),
    sql(Post, "/sessions/{sessionhandle}/heartbeat", sql::heartbeat),
    sql(Post, "/sessions/{sessionhandle}/statements", sql::execute),
    sql(Get, "/sessions/{sessionhandle}/operations/{operationhandle}/status", sql::status),
    sql(Post, "/sessions/{sessionhandle}/operations/{operationhandle}/cancel", sql::cancel),
    sql(Delete, "/sessions/{sessionhandle}/operations/{operationhandle}/close", sql::close_operation),
    sql(Get, "/sessions/{sessionhandle}/operations/{operationhandle}/result/{token}", sql::result),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/rest.md` lists the paths in this order.
    #[test]
    fn every_path_is_documented() {
        let documented = include_str!("../../../docs/rest.md").lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.split(" | ");
            Some((cells.next()?, cells.next()?.strip_prefix('`')?.strip_suffix('`')?))
        });
        let method = |method| match method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Patch => "PATCH",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        };
        let served: Vec<_> = PATHS.iter().map(|path| (method(path.method), path.path)).collect();
        assert_eq!(documented.collect::<Vec<_>>(), served);
    }
}
