//! A cluster as its clients see it: in this process, or somewhere else.

use std::sync::Arc;

use flott_checkpoint::JobStatus;
use flott_plan::JobGraph;
use flott_types::{JobId, Result};

use crate::client::JobClient;
use crate::client_messages::{ClientAnswer, ClientRequest, DispatcherGateway, unexpected};

/// A cluster. Dropping the client leaves the cluster alone.
#[derive(Clone)]
pub struct ClusterClient {
    gateway: Arc<dyn DispatcherGateway>,
}

impl ClusterClient {
    /// The cluster at the other end.
    pub fn new(gateway: Arc<dyn DispatcherGateway>) -> Self {
        #[cfg(debug_assertions)]
        let gateway: Arc<dyn DispatcherGateway> = Arc::new(crate::client_messages::ThroughBytes(gateway));
        ClusterClient { gateway }
    }

    /// Runs a job.
    ///
    /// # Errors
    /// If the cluster cannot be reached; or if the plan, its configuration, or what it is to be restored from
    /// is wrong. What goes wrong later is the job's failure.
    pub fn submit(&self, graph: &JobGraph) -> Result<JobClient> {
        match self.gateway.call(ClientRequest::Submit { graph: Box::new(graph.clone()) }) {
            Ok(ClientAnswer::Job(job)) => Ok(JobClient::new(self.gateway.clone(), *job)),
            Ok(other) => Err(unexpected(&other)),
            Err(error) => Err(error),
        }
    }

    /// Deletes a savepoint, where the cluster finds it.
    ///
    /// # Errors
    /// If there is none, or the cluster cannot be reached.
    pub fn dispose_savepoint(&self, path: &str) -> Result<()> {
        match self.gateway.call(ClientRequest::DisposeSavepoint { path: path.to_owned() }) {
            Ok(ClientAnswer::Done) => Ok(()),
            Ok(other) => Err(unexpected(&other)),
            Err(error) => Err(error),
        }
    }

    /// The jobs, oldest first.
    ///
    /// # Errors
    /// If the cluster cannot be reached.
    pub fn jobs(&self) -> Result<Vec<(JobId, String, JobStatus)>> {
        match self.gateway.call(ClientRequest::Jobs) {
            Ok(ClientAnswer::Jobs(jobs)) => Ok(jobs),
            Ok(other) => Err(unexpected(&other)),
            Err(error) => Err(error),
        }
    }

    /// A job that was submitted before, if the cluster remembers it. Its client does not get at collected
    /// rows.
    ///
    /// # Errors
    /// If the cluster cannot be reached.
    pub fn client(&self, job: JobId) -> Result<Option<JobClient>> {
        match self.gateway.call(ClientRequest::Job { job }) {
            Ok(ClientAnswer::Job(job)) => Ok(Some(JobClient::new(self.gateway.clone(), *job))),
            Ok(ClientAnswer::Unknown) => Ok(None),
            Ok(other) => Err(unexpected(&other)),
            Err(error) => Err(error),
        }
    }

    /// The way for those that speak in messages.
    pub fn dispatcher(&self) -> Arc<dyn DispatcherGateway> {
        self.gateway.clone()
    }
}
