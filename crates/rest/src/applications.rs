//! Applications. In Flink one may have several jobs; here every job is an application of its own, of the same id.

use flott_checkpoint::JobStatus;
use flott_types::JobId;
use serde_json::{Map, Value, json};

use crate::cluster::Cluster;
use crate::jobs::{self, Ago};
use crate::request::{Answer, Answered, Request};

pub(crate) fn overview(cluster: &Cluster, _: &Request) -> Answered {
    let mut applications = Vec::new();
    for (id, name, _) in cluster.jobs()? {
        // One that is forgotten in between is left out.
        let Ok(info) = cluster.info(id) else { continue };
        let mut application = one(id, &name, info.status, Ago::of(&info, cluster.clock.now()));
        application["jobs"] = json!({ info.status.to_string(): 1 });
        applications.push(application);
    }
    Ok(Answer::Ok(json!({ "applications": applications })))
}

pub(crate) fn application(cluster: &Cluster, request: &Request) -> Answered {
    let id = request.application()?;
    let info = cluster.info(id)?;
    let name = cluster.jobs()?.into_iter().find(|(of, ..)| *of == id).map(|(_, name, _)| name);
    let name = name.unwrap_or_default();
    let now = cluster.clock.now();
    let mut application = one(id, &name, info.status, Ago::of(&info, now));
    let timestamps: Map<String, Value> = STATES
        .iter()
        .map(|state| {
            let entered = info.timestamps.iter().rev().find(|(status, _)| status_of(*status) == *state);
            ((*state).to_owned(), entered.map_or(0, |(_, at)| *at).into())
        })
        .collect();
    application["timestamps"] = timestamps.into();
    application["jobs"] = json!([jobs::one_of_many(id, &name, &info, now)]);
    Ok(Answer::Ok(application))
}

fn one(id: JobId, name: &str, status: JobStatus, ago: Ago) -> Value {
    json!({
        "id": id.to_string(),
        "name": name,
        "status": status_of(status),
        "start-time": ago.start,
        "end-time": ago.end,
        "duration": ago.duration,
    })
}

/// Every state of an application.
const STATES: [&str; 7] = ["CREATED", "RUNNING", "FINISHED", "FAILING", "FAILED", "CANCELING", "CANCELED"];

/// What an application is whose one job is in a state.
fn status_of(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Initializing | JobStatus::Created => "CREATED",
        JobStatus::Running | JobStatus::Restarting | JobStatus::Suspended => "RUNNING",
        JobStatus::Failing => "FAILING",
        JobStatus::Failed => "FAILED",
        JobStatus::Cancelling => "CANCELING",
        JobStatus::Canceled => "CANCELED",
        JobStatus::Finished => "FINISHED",
    }
}
