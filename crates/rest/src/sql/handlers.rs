//! Which request does what with sessions.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::operation::Operation;
use super::{Gateway, Session};
use crate::cluster::Cluster;
use crate::request::{Answer, Answered, Refusal, Request};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct OpenRequest {
    session_name: Option<String>,
    #[serde(default)]
    properties: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StatementRequest {
    statement: String,
    execution_timeout: Option<i64>,
    #[serde(default)]
    execution_config: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompleteRequest {
    statement: String,
    position: usize,
}

pub(crate) fn info(_: &Cluster, _: &Request) -> Answered {
    Ok(Answer::Ok(json!({ "productName": "Flott", "version": env!("CARGO_PKG_VERSION") })))
}

fn gateway(cluster: &Cluster) -> Answered<&Gateway> {
    cluster
        .sql
        .as_ref()
        .ok_or_else(|| Refusal::not_found("This process plans no SQL: there are no sessions."))
}

fn found(cluster: &Cluster, request: &Request) -> Answered<Arc<Session>> {
    let handle = request.handle("sessionhandle")?;
    gateway(cluster)?.session(handle).ok_or_else(|| no_session(handle))
}

fn no_session(handle: u128) -> Refusal {
    Refusal::not_found(format!("Session '{}' does not exist.", shown(handle)))
}

fn operation(cluster: &Cluster, request: &Request) -> Answered<Arc<Operation>> {
    let session = found(cluster, request)?;
    let handle = request.handle("operationhandle")?;
    session.operation(handle).ok_or_else(|| no_operation(handle))
}

fn no_operation(handle: u128) -> Refusal {
    Refusal::not_found(format!("Can not find the submitted operation in the session: '{}'.", shown(handle)))
}

/// As a UUID, which is what Flink's clients expect.
fn shown(handle: u128) -> String {
    let digits = format!("{handle:032x}");
    let part = |from, to| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

pub(crate) fn open(cluster: &Cluster, request: &Request) -> Answered {
    let asked: OpenRequest = request.body()?;
    let handle = gateway(cluster)?.open(asked.session_name, &asked.properties)?;
    Ok(Answer::Ok(json!({ "sessionHandle": shown(handle) })))
}

pub(crate) fn session(cluster: &Cluster, request: &Request) -> Answered {
    let session = found(cluster, request)?;
    let properties = session.sql.lock().properties();
    let properties: BTreeMap<_, _> = properties
        .iter()
        .map(|(key, value)| (key, flott_types::config::secrets::shown(key, value)))
        .collect();
    Ok(Answer::Ok(json!({ "properties": properties, "sessionName": session.name })))
}

pub(crate) fn close(cluster: &Cluster, request: &Request) -> Answered {
    let handle = request.handle("sessionhandle")?;
    match gateway(cluster)?.close(handle) {
        true => Ok(Answer::Ok(json!({ "status": "CLOSED" }))),
        false => Err(no_session(handle)),
    }
}

pub(crate) fn heartbeat(cluster: &Cluster, request: &Request) -> Answered {
    found(cluster, request)?;
    Ok(Answer::Ok(json!({})))
}

/// Executes a statement that changes the session, and answers when it has.
pub(crate) fn configure(cluster: &Cluster, request: &Request) -> Answered {
    let asked: StatementRequest = read_statement(request)?;
    let session = found(cluster, request)?;
    let handle = session.execute(&asked.statement);
    let ended = session.operation(handle).map(|operation| operation.page(0));
    session.close_operation(handle);
    match ended {
        Some(Err(error)) => Err(error.into()),
        _ => Ok(Answer::Ok(json!({}))),
    }
}

fn read_statement(request: &Request) -> Answered<StatementRequest> {
    let asked: StatementRequest = request.body()?;
    if asked.execution_timeout.is_some_and(|timeout| timeout > 0) {
        return Err(Refusal::bad("'executionTimeout' is not supported: cancel the operation."));
    }
    if !asked.execution_config.is_empty() {
        return Err(Refusal::bad("'executionConfig' is not supported: execute SET before the statement."));
    }
    Ok(asked)
}

pub(crate) fn execute(cluster: &Cluster, request: &Request) -> Answered {
    let asked = read_statement(request)?;
    let handle = found(cluster, request)?.execute(&asked.statement);
    Ok(Answer::Ok(json!({ "operationHandle": shown(handle) })))
}

pub(crate) fn complete(cluster: &Cluster, request: &Request) -> Answered {
    let asked: CompleteRequest = request.body()?;
    let session = found(cluster, request)?;
    let candidates = session.sql.lock().complete(&asked.statement, asked.position);
    Ok(Answer::Ok(json!({ "candidates": candidates })))
}

pub(crate) fn status(cluster: &Cluster, request: &Request) -> Answered {
    Ok(Answer::Ok(json!({ "status": operation(cluster, request)?.status() })))
}

pub(crate) fn cancel(cluster: &Cluster, request: &Request) -> Answered {
    let operation = operation(cluster, request)?;
    operation.cancel();
    Ok(Answer::Ok(json!({ "status": operation.status() })))
}

pub(crate) fn close_operation(cluster: &Cluster, request: &Request) -> Answered {
    let session = found(cluster, request)?;
    let handle = request.handle("operationhandle")?;
    match session.close_operation(handle) {
        true => Ok(Answer::Ok(json!({ "status": "CLOSED" }))),
        false => Err(no_operation(handle)),
    }
}

pub(crate) fn result(cluster: &Cluster, request: &Request) -> Answered {
    const FORMAT: &str = "PLAIN_TEXT";
    if request.query.get("rowFormat").map(String::as_str) != Some(FORMAT) {
        return Err(Refusal::bad(format!("Values are told as text: ask with ?rowFormat={FORMAT}.")));
    }
    let operation = operation(cluster, request)?;
    let token = request.token()?;
    let page = operation.page(token)?.ok_or_else(|| {
        Refusal::bad(format!("Page {token} is neither the next page of the result nor the last one."))
    })?;
    let (session, of) = (request.handle("sessionhandle")?, request.handle("operationhandle")?);
    let mut answer = json!({
        "resultType": if page.data.is_some() { "PAYLOAD" } else { "EOS" },
        "isQueryResult": page.is_query,
        "jobID": page.job,
        "resultKind": "SUCCESS_WITH_CONTENT",
        "results": { "columns": page.columns, "rowFormat": FORMAT, "data": page.data.as_ref().unwrap_or(&json!([])) },
        "nextResultUri": Value::Null,
    });
    if page.data.is_some() {
        let path = format!("/sessions/{}/operations/{}/result", shown(session), shown(of));
        answer["nextResultUri"] = format!("/v1{path}/{}?rowFormat={FORMAT}", token + 1).into();
    }
    Ok(Answer::Ok(answer))
}
