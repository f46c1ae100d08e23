//! Savepoints that nobody needs any more.
//!
//! The answer to the request comes when the savepoint is deleted; how that went is asked for under its number, as in
//! Flink.

use flott_cluster::client_messages::{ClientAnswer, ClientRequest};
use serde::Deserialize;
use serde_json::json;

use crate::cluster::{Cluster, unexpected};
use crate::operations::{Kind, State, ended};
use crate::request::{Answered, Refusal, Request};

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct DisposalRequest {
    savepoint_path: Option<String>,
}

pub(crate) fn dispose(cluster: &Cluster, request: &Request) -> Answered {
    let asked: DisposalRequest = request.body()?;
    let path = asked.savepoint_path.filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| Refusal::bad("Property [savepoint-path] must be provided."))?;
    let result = match cluster.call(ClientRequest::DisposeSavepoint { path: path.clone() })? {
        ClientAnswer::Done => Ok(path),
        ClientAnswer::Refused(failure) => Err(failure),
        other => return Err(unexpected(&other)),
    };
    Ok(cluster.operations.lock().add(Kind::Disposal, State::Ended(result)))
}

pub(crate) fn status(cluster: &Cluster, request: &Request) -> Answered {
    ended(cluster, request, Kind::Disposal, |_| json!({ "failure-cause": null }))
}
