//! What is kept of jobs that have ended, for the history server ([`crate::history`]): `jobmanager.archive.fs.dir`.
//!
//! A job is one file, named by its id, with what clients are told of it: its state with checkpoints and exceptions,
//! its metrics, its plan. From these the REST interface answers everything, so an archive has no answers of its own,
//! and what a later version tells more is told of older jobs, too. Options of tables, where passwords stand, are in no
//! archive: of an operator only its name is.

use std::collections::BTreeMap;

use flott_plan::{JobGraph, OperatorSpec, Schema};
use flott_storage::{Folder, block_on};
use flott_types::config::secrets::shown;
use flott_types::{Error, JobId, Result, Timestamp};
use serde::{Deserialize, Serialize};

use crate::client_messages::{ClientAnswer, ClientRequest, JobDescription};
use crate::codec;
use crate::metrics::JobMetrics;

/// Where a JobManager keeps them.
pub(crate) const FOLDER: &str = "jobmanager.archive.fs.dir";

/// The folder of a JobManager.
#[derive(Clone, Debug)]
pub struct Archive(Folder);

/// What is kept of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ArchivedJob {
    pub description: JobDescription,
    pub graph: JobGraph,
    pub metrics: JobMetrics,
}

impl Archive {
    /// From a configuration; `None` if it names no folder.
    ///
    /// # Errors
    /// If it can be none.
    pub fn parse(configuration: &BTreeMap<String, String>) -> Result<Option<Self>> {
        let named = configuration.get(FOLDER).map(|url| url.trim()).filter(|url| !url.is_empty());
        let folder = named.map(Folder::create).transpose();
        Ok(folder.map_err(|error| error.context(format_args!("'{FOLDER}'")))?.map(Archive))
    }

    /// Keeps a job. One that was kept before is replaced.
    pub(crate) fn keep(&self, job: &ArchivedJob) -> Result<()> {
        let bytes = codec::encode(job)?;
        block_on(self.0.put(&job.description.job.to_string(), bytes.into()))
    }
}

impl ArchivedJob {
    /// Without what only who runs it needs.
    pub fn new(description: JobDescription, graph: &JobGraph, metrics: JobMetrics) -> Self {
        let mut graph = graph.clone();
        for operator in graph.vertices.iter_mut().flat_map(|vertex| &mut vertex.operators) {
            operator.node.spec = OperatorSpec::Union;
            operator.node.schema = Schema::default();
            operator.inputs.clear();
        }
        for (key, value) in &mut graph.configuration {
            *value = shown(key, value).into_owned();
        }
        ArchivedJob { description, graph, metrics }
    }

    /// As it was written.
    ///
    /// # Errors
    /// If it is of another version, or of another job.
    pub fn read(id: JobId, bytes: &[u8]) -> Result<Self> {
        let job: ArchivedJob = codec::decode(bytes)?;
        if job.description.job != id {
            return Err(Error::external(format!("it is of job {}", job.description.job)));
        }
        Ok(job)
    }

    /// What a client is told of it.
    pub fn answer(&self, request: &ClientRequest) -> ClientAnswer {
        match request {
            ClientRequest::Job { .. } => ClientAnswer::Job(Box::new(self.description.clone())),
            ClientRequest::Plan { .. } => ClientAnswer::Plan(Box::new(self.graph.clone())),
            ClientRequest::Info { .. } => {
                ClientAnswer::Info(u64::MAX, Box::new(self.description.info.clone()))
            }
            ClientRequest::Metrics { .. } => ClientAnswer::Metrics(self.metrics.clone()),
            ClientRequest::Submit { .. }
            | ClientRequest::Jobs
            | ClientRequest::TaskManagers
            | ClientRequest::Inspect { .. }
            | ClientRequest::Require { .. }
            | ClientRequest::Cancel { .. }
            | ClientRequest::Fetch { .. }
            | ClientRequest::AwaitRows { .. }
            | ClientRequest::Abandon { .. }
            | ClientRequest::Trigger { .. }
            | ClientRequest::Triggered { .. }
            | ClientRequest::DisposeSavepoint { .. }
            | ClientRequest::Program(_) => ClientAnswer::Unknown,
        }
    }

    /// When it began and ended.
    pub fn span(&self) -> (Timestamp, Timestamp) {
        let entered = &self.description.info.timestamps;
        let at = |entry: Option<&(_, Timestamp)>| entry.map_or(0, |(_, at)| *at);
        (at(entered.first()), at(entered.last()))
    }
}
