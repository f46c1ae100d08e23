//! The JobManager, asked through its messages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use flott_checkpoint::JobStatus;
use flott_checkpoint::resources::TaskManagerInfo;
use flott_cluster::client_messages::{ClientAnswer, ClientRequest, DispatcherGateway};
use flott_cluster::{JobInfo, JobMetrics, VertexMetrics};
use flott_plan::{JobGraph, JobVertex};
use flott_types::{Clock, JobId, Timestamp, VertexId};
use parking_lot::Mutex;

use crate::operations::Operations;
use crate::request::{Answered, Refusal, Request};
use crate::sql::Gateway;

/// What handlers ask.
pub(crate) struct Cluster {
    pub gateway: Arc<dyn DispatcherGateway>,
    pub configuration: BTreeMap<String, String>,
    pub clock: Arc<dyn Clock>,
    pub operations: Mutex<Operations>,
    /// Set by who ends the cluster; without it that cannot be done here.
    pub ending: Option<Arc<AtomicBool>>,
    /// Whether it is what has been, and nothing can be changed.
    pub is_history: bool,
    /// Of a process that plans SQL.
    pub sql: Option<Gateway>,
}

/// A job at one moment.
pub(crate) struct Job {
    pub id: JobId,
    pub info: JobInfo,
    pub graph: JobGraph,
    pub now: Timestamp,
}

impl Cluster {
    /// Asks the JobManager.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub fn call(&self, request: ClientRequest) -> Answered<ClientAnswer> {
        let answer = self.gateway.call(request);
        answer.map_err(|error| Refusal { status: 503, message: error.to_string() })
    }

    /// All jobs, oldest first.
    pub fn jobs(&self) -> Answered<Vec<(JobId, String, JobStatus)>> {
        match self.call(ClientRequest::Jobs)? {
            ClientAnswer::Jobs(jobs) => Ok(jobs),
            other => Err(unexpected(&other)),
        }
    }

    pub fn task_managers(&self) -> Answered<Vec<TaskManagerInfo>> {
        match self.call(ClientRequest::TaskManagers)? {
            ClientAnswer::TaskManagers(members) => Ok(members),
            other => Err(unexpected(&other)),
        }
    }

    /// What is known of a job at this moment.
    pub fn info(&self, job: JobId) -> Answered<JobInfo> {
        match self.call(ClientRequest::Info { job, seen: 0, timeout_millis: 0 })? {
            ClientAnswer::Info(_, info) => Ok(*info),
            ClientAnswer::Unknown => Err(Refusal::not_found(format!("Job {job} not found"))),
            other => Err(unexpected(&other)),
        }
    }

    /// The job that a request names.
    pub fn job(&self, request: &Request) -> Answered<Job> {
        let job = request.job()?;
        let info = self.info(job)?;
        let graph = match self.call(ClientRequest::Plan { job })? {
            ClientAnswer::Plan(graph) => *graph,
            ClientAnswer::Unknown => return Err(Refusal::not_found(format!("Job {job} not found"))),
            other => return Err(unexpected(&other)),
        };
        Ok(Job { id: job, info, graph, now: self.clock.now() })
    }

    pub fn metrics(&self, job: JobId) -> Answered<JobMetrics> {
        match self.call(ClientRequest::Metrics { job })? {
            ClientAnswer::Metrics(metrics) => Ok(metrics),
            ClientAnswer::Unknown => Ok(JobMetrics::default()),
            other => Err(unexpected(&other)),
        }
    }

    /// The metrics of one vertex; none of its tasks has any before it runs.
    pub fn vertex_metrics(&self, job: JobId, vertex: &JobVertex) -> Answered<VertexMetrics> {
        let metrics = self.metrics(job)?.vertices.into_iter().find(|metrics| metrics.id == vertex.id);
        Ok(metrics.unwrap_or_else(|| VertexMetrics {
            id: vertex.id,
            name: vertex.name.clone(),
            parallelism: vertex.parallelism,
            tasks: Vec::new(),
        }))
    }
}

impl Job {
    /// The vertex that a request names.
    pub fn vertex(&self, request: &Request) -> Answered<&JobVertex> {
        let id = request.vertex()?;
        let vertex = self.graph.vertices.iter().find(|vertex| vertex.id == id);
        vertex.ok_or_else(|| Refusal::not_found(format!("JobVertex {} not found", vertex_id(id))))
    }
}

/// A vertex's id as Flink writes one: 32 hexadecimal digits.
pub(crate) fn vertex_id(id: VertexId) -> String {
    format!("{:032x}", id.0)
}

/// An answer that does not belong to the question.
pub(crate) fn unexpected(answer: &ClientAnswer) -> Refusal {
    tracing::error!(?answer, "the JobManager sent the wrong kind of answer");
    Refusal { status: 500, message: "the JobManager sent the wrong kind of answer".to_owned() }
}
