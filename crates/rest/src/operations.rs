//! What changes something. A snapshot takes its time: it is begun under a number, and asked for under that.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_checkpoint::JobStatus;
use flott_cluster::client_messages::{ClientAnswer, ClientRequest, ClientTrigger};
use flott_runtime::Failure;
use flott_types::JobId;
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::{Cluster, unexpected};
use crate::request::{Answer, Answered, Refusal, Request};

/// So many operations that have ended are remembered.
pub(crate) const REMEMBERED: usize = 1_000;

/// Snapshots that were begun here.
#[derive(Default)]
pub(crate) struct Operations(BTreeMap<u64, Arc<Operation>>);

struct Operation {
    job: JobId,
    kind: Kind,
    /// Once it is known. Locked while the JobManager is asked, which gives the answer once: who asks for another
    /// operation does not wait for that.
    result: Mutex<Option<Result<String, Failure>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Savepoint,
    Checkpoint,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SavepointRequest {
    target_directory: Option<String>,
    #[serde(default)]
    cancel_job: bool,
    #[serde(rename = "formatType")]
    format_type: Option<String>,
    #[serde(rename = "triggerId")]
    trigger_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StopRequest {
    target_directory: Option<String>,
    #[serde(default)]
    drain: bool,
    format_type: Option<String>,
    trigger_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CheckpointRequest {
    checkpoint_type: Option<String>,
    trigger_id: Option<String>,
}

pub(crate) fn cancel(cluster: &Cluster, request: &Request) -> Answered {
    let job = request.job()?;
    match request.query.get("mode").map(String::as_str) {
        None | Some("cancel") => {}
        Some("stop") => {
            return Err(Refusal {
                status: 410,
                message: "The termination mode \"stop\" has been removed. Use POST /jobs/{jobid}/stop, which takes a \
                          savepoint."
                    .to_owned(),
            });
        }
        Some(other) => {
            return Err(Refusal::bad(format!(
                "Bad request, could not parse parameters: Cannot resolve query parameter (mode) from value \"{other}\"."
            )));
        }
    }
    let status = cluster.info(job)?.status;
    if status.is_terminal() && status != JobStatus::Canceled {
        return Err(Refusal::conflict(format!(
            "Job cancellation failed because the job has already reached another terminal state ({status})."
        )));
    }
    cluster.call(ClientRequest::Cancel { job })?;
    Ok(Answer::Accepted(json!({})))
}

pub(crate) fn savepoint(cluster: &Cluster, request: &Request) -> Answered {
    let asked: SavepointRequest = request.body()?;
    canonical(asked.format_type.as_deref())?;
    no_trigger_id(asked.trigger_id.as_deref())?;
    let (job, target) = target(cluster, request, asked.target_directory, "target-directory")?;
    if asked.cancel_job {
        return Err(Refusal::bad(
            "'cancel-job' is not supported: POST /jobs/{jobid}/stop takes a savepoint and ends the job with it.",
        ));
    }
    begin(cluster, job, ClientTrigger::Savepoint { target }, Kind::Savepoint)
}

pub(crate) fn stop(cluster: &Cluster, request: &Request) -> Answered {
    let asked: StopRequest = request.body()?;
    canonical(asked.format_type.as_deref())?;
    no_trigger_id(asked.trigger_id.as_deref())?;
    let (job, target) = target(cluster, request, asked.target_directory, "targetDirectory")?;
    begin(cluster, job, ClientTrigger::Stop { target, drain: asked.drain }, Kind::Savepoint)
}

pub(crate) fn checkpoint(cluster: &Cluster, request: &Request) -> Answered {
    let asked: CheckpointRequest = request.body()?;
    no_trigger_id(asked.trigger_id.as_deref())?;
    let full = match asked.checkpoint_type.as_deref() {
        None | Some("CONFIGURED" | "INCREMENTAL") => false,
        Some("FULL") => true,
        Some(other) => {
            return Err(Refusal::bad(format!(
                "Request did not match expected format: checkpointType is CONFIGURED, FULL or INCREMENTAL, and not \
                 {other}."
            )));
        }
    };
    begin(cluster, request.job()?, ClientTrigger::Checkpoint { full }, Kind::Checkpoint)
}

/// Our savepoints have one format, which any version reads.
fn canonical(format: Option<&str>) -> Answered<()> {
    match format {
        None | Some("CANONICAL") => Ok(()),
        Some(other) => Err(Refusal::bad(format!(
            "The savepoint format '{other}' is not supported; the format is CANONICAL."
        ))),
    }
}

/// A retried request under the same id would have to be recognised.
fn no_trigger_id(id: Option<&str>) -> Answered<()> {
    match id {
        None => Ok(()),
        Some(_) => {
            Err(Refusal::bad("'triggerId' is not supported: the answer brings the id of the operation."))
        }
    }
}

/// The folder of a savepoint: that of the request, or that of the job.
fn target(
    cluster: &Cluster,
    request: &Request,
    asked: Option<String>,
    property: &str,
) -> Answered<(JobId, String)> {
    let job = cluster.job(request)?;
    let key = "execution.checkpointing.savepoint-dir";
    match asked.or_else(|| job.graph.configuration.get(key).cloned()) {
        Some(target) => Ok((job.id, target)),
        None => Err(Refusal::bad(format!(
            "Config key [{key}] is not set. Property [{property}] must be provided."
        ))),
    }
}

fn begin(cluster: &Cluster, job: JobId, what: ClientTrigger, kind: Kind) -> Answered {
    let status = cluster.info(job)?.status;
    if status.is_terminal() {
        return Err(Refusal::conflict(format!("The job has ended ({status}).")));
    }
    let trigger = match cluster.call(ClientRequest::Trigger { job, what })? {
        ClientAnswer::Triggered(trigger) => trigger,
        ClientAnswer::Unknown => return Err(Refusal::not_found(format!("Job {job} not found"))),
        other => return Err(unexpected(&other)),
    };
    let mut operations = cluster.operations.lock();
    operations.0.insert(trigger, Arc::new(Operation { job, kind, result: Mutex::default() }));
    while operations.0.len() > REMEMBERED {
        operations.0.pop_first();
    }
    Ok(Answer::Accepted(json!({ "request-id": format!("{trigger:032x}") })))
}

pub(crate) fn savepoint_status(cluster: &Cluster, request: &Request) -> Answered {
    ended(cluster, request, Kind::Savepoint, "savepoint", |_, path| json!({ "location": path }))
}

pub(crate) fn checkpoint_status(cluster: &Cluster, request: &Request) -> Answered {
    ended(cluster, request, Kind::Checkpoint, "checkpoint", |job, path| {
        let history = cluster.info(job).map(|info| info.checkpoints.history).unwrap_or_default();
        let record = history.iter().find(|record| record.path.as_deref() == Some(path));
        json!({ "checkpointId": record.map(|record| record.id.0) })
    })
}

/// Why an operation has failed.
pub(crate) fn failure_cause(failure: &Failure) -> Value {
    json!({ "failure-cause": { "class": format!("{:?}", failure.kind), "stack-trace": failure.message } })
}

/// How an operation has ended, if it has.
fn ended(
    cluster: &Cluster,
    request: &Request,
    kind: Kind,
    name: &str,
    told: impl FnOnce(JobId, &str) -> Value,
) -> Answered {
    let (job, trigger) = (request.job()?, request.trigger()?);
    let not_found = || {
        Refusal::not_found(format!(
            "There is no {name} operation with triggerId={trigger:032x} for job {job}."
        ))
    };
    let operation = cluster.operations.lock().0.get(&trigger).cloned();
    let operation = operation.filter(|operation| operation.job == job && operation.kind == kind);
    let operation = operation.ok_or_else(not_found)?;
    let mut result = operation.result.lock();
    if result.is_none() {
        match cluster.call(ClientRequest::Triggered { trigger, timeout_millis: 0 })? {
            ClientAnswer::NotYet => {
                return Ok(Answer::Ok(json!({ "status": { "id": "IN_PROGRESS" }, "operation": null })));
            }
            ClientAnswer::Snapshot(told) => *result = Some(told),
            ClientAnswer::Unknown => return Err(not_found()),
            other => return Err(unexpected(&other)),
        }
    }
    let known = result.clone();
    drop(result);
    let operation = match known {
        Some(Ok(path)) => told(job, &path),
        Some(Err(failure)) => failure_cause(&failure),
        None => Value::Null,
    };
    Ok(Answer::Ok(json!({ "status": { "id": "COMPLETED" }, "operation": operation })))
}
