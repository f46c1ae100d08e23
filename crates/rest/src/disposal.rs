//! Savepoints that nobody needs any more.
//!
//! The answer to the request comes when the savepoint is deleted; how that went is asked for under its number, as in
//! Flink.

use std::collections::BTreeMap;

use flott_cluster::client_messages::{ClientAnswer, ClientRequest};
use flott_runtime::Failure;
use serde::Deserialize;
use serde_json::json;

use crate::cluster::{Cluster, unexpected};
use crate::operations::{REMEMBERED, failure_cause};
use crate::request::{Answer, Answered, Refusal, Request};

/// How disposals have ended, by their numbers.
#[derive(Default)]
pub(crate) struct Disposals {
    count: u64,
    ended: BTreeMap<u64, Result<(), Failure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct DisposalRequest {
    savepoint_path: Option<String>,
}

pub(crate) fn dispose(cluster: &Cluster, request: &Request) -> Answered {
    let asked: DisposalRequest = request.body()?;
    let path = asked.savepoint_path.filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| Refusal::bad("Property [savepoint-path] must be provided."))?;
    let result = match cluster.call(ClientRequest::DisposeSavepoint { path })? {
        ClientAnswer::Done => Ok(()),
        ClientAnswer::Refused(failure) => Err(failure),
        other => return Err(unexpected(&other)),
    };
    let mut disposals = cluster.disposals.lock();
    let number = disposals.count;
    disposals.count += 1;
    disposals.ended.insert(number, result);
    while disposals.ended.len() > REMEMBERED {
        disposals.ended.pop_first();
    }
    Ok(Answer::Accepted(json!({ "request-id": format!("{number:032x}") })))
}

pub(crate) fn status(cluster: &Cluster, request: &Request) -> Answered {
    let trigger = request.trigger()?;
    let operation = match cluster.disposals.lock().ended.get(&trigger) {
        Some(Ok(())) => json!({ "failure-cause": null }),
        Some(Err(failure)) => failure_cause(failure),
        None => {
            let message = format!("There is no savepoint disposal with triggerId={trigger:032x}.");
            return Err(Refusal::not_found(message));
        }
    };
    Ok(Answer::Ok(json!({ "status": { "id": "COMPLETED" }, "operation": operation })))
}
