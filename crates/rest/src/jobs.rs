//! What is told of jobs as a whole.

use flott_checkpoint::JobStatus;
use flott_cluster::{ExceptionEntry, JobInfo};
use flott_plan::{JobEdge, JobVertex};
use flott_types::{JobId, Timestamp};
use serde_json::{Map, Value, json};

use crate::cluster::{Cluster, Job, vertex_id};
use crate::request::{Answer, Answered, Refusal, Request};
use crate::tasks::{self, ENDPOINT, Io, Task, duration, task_manager_id};

/// Every state of a job.
const STATES: [JobStatus; 10] = [
    JobStatus::Initializing,
    JobStatus::Created,
    JobStatus::Running,
    JobStatus::Failing,
    JobStatus::Failed,
    JobStatus::Cancelling,
    JobStatus::Canceled,
    JobStatus::Finished,
    JobStatus::Restarting,
    JobStatus::Suspended,
];

pub(crate) fn ids(cluster: &Cluster, _: &Request) -> Answered {
    let jobs = cluster.jobs()?;
    let jobs: Vec<_> = jobs
        .iter()
        .map(|(id, _, status)| json!({ "id": id.to_string(), "status": status.to_string() }))
        .collect();
    Ok(Answer::Ok(json!({ "jobs": jobs })))
}

pub(crate) fn overview(cluster: &Cluster, _: &Request) -> Answered {
    let mut jobs = Vec::new();
    for (id, name, _) in cluster.jobs()? {
        // One that is forgotten in between is left out.
        let Ok(info) = cluster.info(id) else { continue };
        jobs.push(one_of_many(id, &name, &info, cluster.clock.now()));
    }
    Ok(Answer::Ok(json!({ "jobs": jobs })))
}

pub(crate) fn one_of_many(id: JobId, name: &str, info: &JobInfo, now: Timestamp) -> Value {
    let Ago { start, end, duration } = Ago::of(info, now);
    let mut counts: Map<String, Value> = [
        "created",
        "scheduled",
        "deploying",
        "initializing",
        "running",
        "canceling",
        "finished",
        "canceled",
        "failed",
        "reconciling",
    ]
    .into_iter()
    .map(|state| {
        let is = |of: &&flott_checkpoint::ExecutionState| of.to_string().eq_ignore_ascii_case(state);
        (state.to_owned(), info.tasks.values().filter(is).count().into())
    })
    .collect();
    counts.insert("total".to_owned(), info.tasks.len().into());
    let entered = info.executions.values().filter_map(|execution| execution.entered.last());
    let changes = info.timestamps.iter().map(|(_, at)| *at).chain(entered.map(|(_, at)| *at));
    json!({
        "jid": id.to_string(),
        "name": name,
        "jobType": kind(info),
        "schedulerType": scheduler(info),
        "start-time": start,
        "end-time": end,
        "duration": duration,
        "state": info.status.to_string(),
        "last-modification": changes.max().unwrap_or(start),
        "tasks": counts,
        "pending-operators": 0,
    })
}

fn kind(info: &JobInfo) -> &'static str {
    if info.is_batch { "BATCH" } else { "STREAMING" }
}

/// Whether its parallelism follows the slots.
fn scheduler(info: &JobInfo) -> &'static str {
    if info.requirements.is_empty() { "Default" } else { "Adaptive" }
}

/// When a job began and ended, -1 before its end, and how long it took or has taken.
pub(crate) struct Ago {
    pub start: Timestamp,
    pub end: Timestamp,
    pub duration: i64,
}

impl Ago {
    pub fn of(info: &JobInfo, now: Timestamp) -> Self {
        let (start, end) = span(info);
        Ago { start, end, duration: duration(start, end, now) }
    }
}

/// When the job began and ended; -1 before its end.
fn span(info: &JobInfo) -> (Timestamp, Timestamp) {
    let start = info.timestamps.first().map_or(-1, |(_, at)| *at);
    let end = info.timestamps.last().filter(|(status, _)| status.is_globally_terminal());
    (start, end.map_or(-1, |(_, at)| *at))
}

pub(crate) fn job(cluster: &Cluster, request: &Request) -> Answered {
    let job = cluster.job(request)?;
    let metrics = cluster.metrics(job.id)?;
    let (start, end) = span(&job.info);
    let entered =
        |status| job.info.timestamps.iter().rev().find(|(at, _)| *at == status).map_or(0, |(_, at)| *at);
    let mut timestamps: Map<String, Value> =
        STATES.into_iter().map(|status| (status.to_string(), entered(status).into())).collect();
    timestamps.insert("RECONCILING".to_owned(), 0.into());
    let all: Vec<_> = job.graph.vertices.iter().map(|vertex| (vertex, job.tasks(vertex))).collect();
    let vertices = all.iter().map(|(vertex, tasks)| {
        let metrics = metrics.vertices.iter().find(|metrics| metrics.id == vertex.id);
        let report = |task: &Task<'_>| {
            let found = metrics?.tasks.iter().find(|(subtask, _)| *subtask == task.subtask);
            found.map(|(_, report)| report)
        };
        let (start, end) = tasks::span(tasks);
        json!({
            "id": vertex_id(vertex.id),
            "slotSharingGroupId": vertex.slot_sharing_group.as_deref().unwrap_or("default"),
            "name": vertex.name,
            "maxParallelism": vertex.max_parallelism,
            "parallelism": vertex.parallelism,
            "status": tasks::vertex_state(tasks).to_string(),
            "start-time": start,
            "end-time": end,
            "duration": duration(start, end, job.now),
            "tasks": tasks::state_counts(tasks.iter()),
            "metrics": Io::sum(tasks.iter().map(|task| Io::of(task, report(task)))).json(),
        })
    });
    let vertices: Vec<_> = vertices.collect();
    let statuses: Vec<_> = all.iter().map(|(_, tasks)| tasks::vertex_state(tasks).to_string()).collect();
    let mut counts = tasks::state_counts([].iter());
    for status in statuses {
        if let Some(count) = counts.get_mut(&status) {
            *count = (count.as_i64().unwrap_or(0) + 1).into();
        }
    }
    Ok(Answer::Ok(json!({
        "jid": job.id.to_string(),
        "application-id": job.id.to_string(),
        "name": job.graph.name,
        "isStoppable": false,
        "state": job.info.status.to_string(),
        "job-type": kind(&job.info),
        "schedulerType": scheduler(&job.info),
        "start-time": start,
        "end-time": end,
        "duration": duration(start, end, job.now),
        "maxParallelism": -1,
        "now": job.now,
        "timestamps": timestamps,
        "vertices": vertices,
        "status-counts": counts,
        "plan": plan_of(&job),
        "pending-operators": 0,
    })))
}

pub(crate) fn plan(cluster: &Cluster, request: &Request) -> Answered {
    Ok(Answer::Ok(json!({ "plan": plan_of(&cluster.job(request)?) })))
}

/// The graph of the job; receivers before senders, as Flink lists them.
fn plan_of(job: &Job) -> Value {
    let nodes: Vec<_> = job.graph.vertices.iter().rev().map(|vertex| node(job, vertex)).collect();
    json!({ "jid": job.id.to_string(), "name": job.graph.name, "type": kind(&job.info), "nodes": nodes })
}

fn node(job: &Job, vertex: &JobVertex) -> Value {
    let mut node = json!({
        "id": vertex_id(vertex.id),
        "operator": "",
        "parallelism": vertex.parallelism,
        "operator_strategy": "",
        "description": description(vertex),
        "optimizer_properties": {},
    });
    let edges = job.graph.edges.iter().filter(|edge| edge.to == vertex.id);
    let inputs: Vec<_> = edges.enumerate().map(|(number, edge)| input(number, edge)).collect();
    if !inputs.is_empty() {
        node["inputs"] = inputs.into();
    }
    node
}

fn input(number: usize, edge: &JobEdge) -> Value {
    json!({
        "id": vertex_id(edge.from),
        "num": number,
        "ship_strategy": edge.exchange.ship_strategy(),
        "exchange": "pipelined_bounded",
    })
}

/// The operators as a tree of HTML lines, which is what Flink's pages show.
fn description(vertex: &JobVertex) -> String {
    let mut lines = String::new();
    for chained in &vertex.operators {
        let mut depth = 0;
        let mut parent = chained.parent;
        while let Some(position) = parent {
            depth += 1;
            parent = vertex.operators.get(position).and_then(|operator| operator.parent);
        }
        let indent = if depth == 0 { String::new() } else { format!("{}+- ", "   ".repeat(depth - 1)) };
        lines.push_str(&format!("{indent}{}<br/>", escaped(&chained.node.name)));
    }
    lines
}

/// Names come from queries: they are text within HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(crate) fn status(cluster: &Cluster, request: &Request) -> Answered {
    let info = cluster.info(request.job()?)?;
    Ok(Answer::Ok(json!({ "status": info.status.to_string() })))
}

pub(crate) fn config(cluster: &Cluster, request: &Request) -> Answered {
    let job = cluster.job(request)?;
    let parallelism = job.graph.vertices.iter().map(|vertex| vertex.parallelism).max().unwrap_or(1);
    let strategy = job.graph.configuration.get("restart-strategy.type");
    Ok(Answer::Ok(json!({
        "jid": job.id.to_string(),
        "name": job.graph.name,
        "execution-config": {
            "restart-strategy": strategy.map_or("Cluster level default restart strategy", String::as_str),
            "job-parallelism": parallelism,
            "object-reuse-mode": true,
            "user-config": {},
        },
    })))
}

pub(crate) fn accumulators(cluster: &Cluster, request: &Request) -> Answered {
    let job = request.job()?;
    cluster.info(job)?;
    let metrics = cluster.metrics(job)?;
    let all = metrics.operators().flat_map(|(_, operator)| &operator.accumulators);
    let all: Vec<_> = all.map(crate::vertices::accumulator).collect();
    Ok(Answer::Ok(json!({
        "job-accumulators": [],
        "user-task-accumulators": all,
        "serialized-user-task-accumulators": {},
    })))
}

pub(crate) fn execution_result(cluster: &Cluster, request: &Request) -> Answered {
    let job = cluster.job(request)?;
    let (start, end) = span(&job.info);
    if !job.info.status.is_globally_terminal() {
        return Ok(Answer::Ok(json!({ "status": { "id": "IN_PROGRESS" } })));
    }
    let status = match job.info.status {
        JobStatus::Finished => "SUCCEEDED",
        JobStatus::Canceled => "CANCELED",
        _ => "FAILED",
    };
    let mut result = json!({
        "id": job.id.to_string(),
        "name": job.graph.name,
        "application-id": job.id.to_string(),
        "application-status": status,
        "accumulator-results": {},
        "net-runtime": duration(start, end, job.now),
        "start-time": start,
        "end-time": end,
    });
    if let Some(failure) = &job.info.failure {
        result["failure-cause"] = json!({
            "class": format!("{:?}", failure.kind),
            "stack-trace": failure.message,
        });
    }
    Ok(Answer::Ok(json!({ "status": { "id": "COMPLETED" }, "job-execution-result": result })))
}

pub(crate) fn exceptions(cluster: &Cluster, request: &Request) -> Answered {
    let job = cluster.job(request)?;
    let most = match request.query.get("maxExceptions") {
        None => 20,
        Some(text) => text.parse().map_err(|_| {
            Refusal::bad(format!(
                "Bad request, could not parse parameters: Cannot resolve query parameter (maxExceptions) from value \"{text}\"."
            ))
        })?,
    };
    let all = failures(job.info.exceptions.iter());
    let entry = |(first, others): &(&ExceptionEntry, Vec<&ExceptionEntry>)| {
        let mut entry = exception(&job, first);
        let others = others.iter().rev().map(|other| exception(&job, other));
        entry["concurrentExceptions"] = others.collect::<Vec<_>>().into();
        entry
    };
    let entries: Vec<_> = all.iter().take(most).map(entry).collect();
    let truncated = entries.len() < all.len();
    Ok(Answer::Ok(json!({ "exceptionHistory": { "entries": entries, "truncated": truncated } })))
}

/// What each attempt was ended by, newest first, with the tasks that have failed because of it before the attempt was over.
fn failures<'a>(
    newest_first: impl Iterator<Item = &'a ExceptionEntry>,
) -> Vec<(&'a ExceptionEntry, Vec<&'a ExceptionEntry>)> {
    let mut failures = Vec::new();
    let mut later: Vec<&ExceptionEntry> = Vec::new();
    for entry in newest_first {
        if later.last().is_some_and(|next| next.attempt != entry.attempt) {
            failures.extend(split_oldest(&mut later));
        }
        later.push(entry);
        // What fails the job as a whole stands alone.
        if entry.task.is_none() {
            failures.extend(split_oldest(&mut later));
        }
    }
    failures.extend(split_oldest(&mut later));
    failures
}

fn split_oldest<'a>(
    newest_first: &mut Vec<&'a ExceptionEntry>,
) -> Option<(&'a ExceptionEntry, Vec<&'a ExceptionEntry>)> {
    let oldest = newest_first.pop()?;
    Some((oldest, std::mem::take(newest_first)))
}

fn exception(job: &Job, entry: &ExceptionEntry) -> Value {
    let vertex =
        entry.task.and_then(|task| job.graph.vertices.iter().find(|vertex| vertex.id == task.vertex));
    let name = vertex
        .zip(entry.task)
        .map(|(vertex, task)| format!("{} ({}/{})", vertex.name, task.subtask.0 + 1, vertex.parallelism));
    let execution = entry.task.and_then(|task| job.info.executions.get(&task));
    let home = execution.map(|execution| task_manager_id(execution.task_manager));
    json!({
        "exceptionName": format!("{:?}", entry.failure.kind),
        "stacktrace": entry.failure.message,
        "timestamp": entry.failure.at,
        "failureLabels": {},
        "taskName": name,
        "endpoint": home.as_ref().map(|_| ENDPOINT),
        "taskManagerId": home,
        "concurrentExceptions": [],
    })
}
