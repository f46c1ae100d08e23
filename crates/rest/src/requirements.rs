//! How parallel a job may be: `/jobs/{jobid}/resource-requirements`.

use std::collections::BTreeMap;

use flott_cluster::client_messages::{ClientAnswer, ClientRequest};
use flott_cluster::scaling::{Bounds, Requirements};
use flott_types::VertexId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cluster::{Cluster, unexpected, vertex_id};
use crate::request::{Answer, Answered, Refusal, Request, vertex};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OfVertex {
    parallelism: Parallelism,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parallelism {
    lower_bound: u32,
    upper_bound: u32,
}

pub(crate) fn requirements(cluster: &Cluster, request: &Request) -> Answered {
    let info = cluster.info(request.job()?)?;
    if info.requirements.is_empty() {
        return Err(Refusal::conflict(
            "This job's parallelism does not change while it runs: 'jobmanager.scheduler' is not Adaptive.",
        ));
    }
    let entries = info.requirements.iter().map(|(id, Bounds { lower, upper })| {
        let parallelism = json!({ "lowerBound": lower, "upperBound": upper });
        (vertex_id(*id), json!({ "parallelism": parallelism }))
    });
    Ok(Answer::Ok(Value::Object(entries.collect())))
}

pub(crate) fn require(cluster: &Cluster, request: &Request) -> Answered {
    let job = request.job()?;
    let asked: BTreeMap<String, OfVertex> = request.body()?;
    let entry = |(id, of): (&String, &OfVertex)| -> Answered<(VertexId, Bounds)> {
        let wrong =
            || Refusal::bad(format!("Request did not match expected format: '{id}' is no id of a vertex."));
        let bounds = Bounds { lower: of.parallelism.lower_bound, upper: of.parallelism.upper_bound };
        Ok((vertex(id).ok_or_else(wrong)?, bounds))
    };
    let requirements: Requirements = asked.iter().map(entry).collect::<Answered<_>>()?;
    if requirements.is_empty() {
        return Err(Refusal::bad("Request body does not specify resource requirements."));
    }
    let status = cluster.info(job)?.status;
    if status.is_terminal() {
        return Err(Refusal::conflict(format!("The job has ended ({status}).")));
    }
    match cluster.call(ClientRequest::Require { job, requirements })? {
        ClientAnswer::Done => Ok(Answer::Ok(json!({}))),
        ClientAnswer::Refused(failure) => Err(Refusal::bad(failure.message)),
        ClientAnswer::Unknown => Err(Refusal::not_found(format!("Job {job} not found"))),
        other => Err(unexpected(&other)),
    }
}
