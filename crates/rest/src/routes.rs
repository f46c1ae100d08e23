//! Which handler answers which path.

use crate::cluster::Cluster;
use crate::request::{Answer, Answered, Request};
use crate::{checkpoints, jobs, metrics, operations, overview, sql, vertices};

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
    /// Ends something.
    Delete,
}

/// A path and who answers it.
#[derive(Clone, Copy)]
pub struct Path {
    /// How it is asked.
    pub method: Method,
    /// The path; parts in braces are variable.
    pub path: &'static str,
    pub(crate) handler: Handler,
}

const fn get(path: &'static str, handler: Handler) -> Path {
    Path { method: Method::Get, path, handler }
}

const fn post(path: &'static str, handler: Handler) -> Path {
    Path { method: Method::Post, path, handler }
}

const fn patch(path: &'static str, handler: Handler) -> Path {
    Path { method: Method::Patch, path, handler }
}

const fn delete(path: &'static str, handler: Handler) -> Path {
    Path { method: Method::Delete, path, handler }
}

/// All paths. Each also answers below `/v1`.
pub const PATHS: &[Path] = &[
    get("/overview", overview::overview),
    get("/config", overview::config),
    get("/jobmanager/config", overview::configuration),
    get("/taskmanagers", overview::task_managers),
    get("/taskmanagers/{taskmanagerid}", overview::task_manager),
    get("/jobs", jobs::ids),
    get("/jobs/overview", jobs::overview),
    get("/jobs/{jobid}", jobs::job),
    patch("/jobs/{jobid}", operations::cancel),
    get("/jobs/{jobid}/accumulators", jobs::accumulators),
    get("/jobs/{jobid}/config", jobs::config),
    get("/jobs/{jobid}/exceptions", jobs::exceptions),
    get("/jobs/{jobid}/execution-result", jobs::execution_result),
    get("/jobs/{jobid}/jobmanager/config", overview::configuration),
    get("/jobs/{jobid}/metrics", metrics::job),
    get("/jobs/{jobid}/plan", jobs::plan),
    get("/jobs/{jobid}/status", jobs::status),
    get("/jobs/{jobid}/checkpoints", checkpoints::statistics),
    post("/jobs/{jobid}/checkpoints", operations::checkpoint),
    get("/jobs/{jobid}/checkpoints/config", checkpoints::config),
    get("/jobs/{jobid}/checkpoints/details/{checkpointid}", checkpoints::details),
    get("/jobs/{jobid}/checkpoints/details/{checkpointid}/subtasks/{vertexid}", checkpoints::subtasks),
    get("/jobs/{jobid}/checkpoints/{triggerid}", operations::checkpoint_status),
    post("/jobs/{jobid}/savepoints", operations::savepoint),
    get("/jobs/{jobid}/savepoints/{triggerid}", operations::savepoint_status),
    post("/jobs/{jobid}/stop", operations::stop),
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
    get("/info", sql::info),
    post("/sessions", sql::open),
    get("/sessions/{sessionhandle}", sql::session),
    delete("/sessions/{sessionhandle}", sql::close),
    post("/sessions/{sessionhandle}/complete-statement", sql::complete),
    post("/sessions/{sessionhandle}/configure-session", sql::configure),
    post("/sessions/{sessionhandle}/heartbeat", sql::heartbeat),
    post("/sessions/{sessionhandle}/statements", sql::execute),
    get("/sessions/{sessionhandle}/operations/{operationhandle}/status", sql::status),
    post("/sessions/{sessionhandle}/operations/{operationhandle}/cancel", sql::cancel),
    delete("/sessions/{sessionhandle}/operations/{operationhandle}/close", sql::close_operation),
    get("/sessions/{sessionhandle}/operations/{operationhandle}/result/{token}", sql::result),
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
            Method::Delete => "DELETE",
        };
        let served: Vec<_> = PATHS.iter().map(|path| (method(path.method), path.path)).collect();
        assert_eq!(documented.collect::<Vec<_>>(), served);
    }
}
