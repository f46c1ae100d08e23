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
const REMEMBERED: usize = 1_000;

/// What was begun here, by its number.
#[derive(Default)]
pub(crate) struct Operations {
    begun: u64,
    all: BTreeMap<u64, Arc<Operation>>,
}

struct Operation {
    kind: Kind,
    /// Locked while the JobManager is asked, which gives the answer once: who asks for another operation does not wait
    /// for that.
    state: Mutex<State>,
}

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Savepoint(JobId),
    Checkpoint(JobId),
    /// Of a savepoint.
    Disposal,
}

/// How far an operation is.
pub(crate) enum State {
    /// The JobManager knows it by this number.
    Runs(u64),
    /// With a path, if it has one to tell.
    Ended(Result<String, Failure>),
}

impl Operations {
    /// One that has begun. Returns what the client is told.
    pub fn add(&mut self, kind: Kind, state: State) -> Answer {
        let number = self.begun;
        self.begun += 1;
        self.all.insert(number, Arc::new(Operation { kind, state: Mutex::new(state) }));
        while self.all.len() > REMEMBERED {
            self.all.pop_first();
        }
        Answer::Accepted(json!({ "request-id": format!("{number:032x}") }))
    }
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
    begin(cluster, job, ClientTrigger::Savepoint { target }, Kind::Savepoint(job))
}

pub(crate) fn stop(cluster: &Cluster, request: &Request) -> Answered {
    let asked: StopRequest = request.body()?;
    canonical(asked.format_type.as_deref())?;
    no_trigger_id(asked.trigger_id.as_deref())?;
    let (job, target) = target(cluster, request, asked.target_directory, "targetDirectory")?;
    begin(cluster, job, ClientTrigger::Stop { target, drain: asked.drain }, Kind::Savepoint(job))
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
    let job = request.job()?;
    begin(cluster, job, ClientTrigger::Checkpoint { full }, Kind::Checkpoint(job))
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
    Ok(cluster.operations.lock().add(kind, State::Runs(trigger)))
}

pub(crate) fn savepoint_status(cluster: &Cluster, request: &Request) -> Answered {
    ended(cluster, request, Kind::Savepoint(request.job()?), |path| json!({ "location": path }))
}

pub(crate) fn checkpoint_status(cluster: &Cluster, request: &Request) -> Answered {
    let job = request.job()?;
    ended(cluster, request, Kind::Checkpoint(job), |path| {
        let history = cluster.info(job).map(|info| info.checkpoints.history).unwrap_or_default();
        let record = history.iter().find(|record| record.path.as_deref() == Some(path));
        json!({ "checkpointId": record.map(|record| record.id.0) })
    })
}

/// Why an operation has failed.
fn failure_cause(failure: &Failure) -> Value {
    json!({ "failure-cause": { "class": format!("{:?}", failure.kind), "stack-trace": failure.message } })
}

/// How an operation has ended, if it has.
pub(crate) fn ended(
    cluster: &Cluster,
    request: &Request,
    kind: Kind,
    told: impl FnOnce(&str) -> Value,
) -> Answered {
    let number = request.trigger()?;
    let not_found = || {
        let what = match kind {
            Kind::Savepoint(job) => format!("savepoint operation with triggerId={number:032x} for job {job}"),
            Kind::Checkpoint(job) => {
                format!("checkpoint operation with triggerId={number:032x} for job {job}")
            }
            Kind::Disposal => format!("savepoint disposal with triggerId={number:032x}"),
        };
        Refusal::not_found(format!("There is no {what}."))
    };
    let operation = cluster.operations.lock().all.get(&number).cloned();
    let operation = operation.filter(|operation| operation.kind == kind).ok_or_else(not_found)?;
    let mut state = operation.state.lock();
    if let State::Runs(trigger) = *state {
        match cluster.call(ClientRequest::Triggered { trigger, timeout_millis: 0 })? {
            ClientAnswer::NotYet => {}
            ClientAnswer::Snapshot(told) => *state = State::Ended(told),
            ClientAnswer::Unknown => return Err(not_found()),
            other => return Err(unexpected(&other)),
        }
    }
    let State::Ended(result) = &*state else {
        return Ok(Answer::Ok(json!({ "status": { "id": "IN_PROGRESS" }, "operation": null })));
    };
    let result = result.clone();
    // What is told may ask the JobManager once more.
    drop(state);
    let operation = match result {
        Ok(path) => told(&path),
        Err(failure) => failure_cause(&failure),
    };
    Ok(Answer::Ok(json!({ "status": { "id": "COMPLETED" }, "operation": operation })))
}
