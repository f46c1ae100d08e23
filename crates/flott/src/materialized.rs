//! The jobs of materialized tables, which follow their queries. What runs is noted in the table's catalog.

use flott_cluster::JobClient;
use flott_connector::catalog::MaterializedStatus;
use flott_sql::session::{MaterializedStep, MaterializedWork};
use flott_types::{Error, Result};

use crate::restore::RESTORE_PATH;
use crate::sql::Environment;

/// Where checkpoints are that outlive their job.
const CHECKPOINTS: &str = "execution.checkpointing.dir";

impl Environment {
    /// Does what a statement says about a materialized table. Gives the job that it started.
    ///
    /// # Errors
    /// What keeps a job from starting or from stopping: the table is what it was.
    pub fn materialize(&mut self, work: MaterializedWork) -> Result<Option<JobClient>> {
        let MaterializedWork { path, step } = work;
        match step {
            MaterializedStep::Start { job, from, replaces, ended, was, before } => {
                let may_start = ended.as_deref().map_or(Ok(()), |job| self.has_ended(job, &path.to_string()));
                let stopped = match may_start.and_then(|()| self.replaced(replaces.as_deref())) {
                    Ok(stopped) => stopped,
                    Err(error) => {
                        self.session.materialized_failed(&path, &was, before)?;
                        return Err(error);
                    }
                };
                let mut graph = job.graph;
                if let Some(savepoint) = from {
                    graph.configuration.insert(RESTORE_PATH.to_owned(), savepoint);
                }
                match self.cluster.submit(&graph) {
                    Ok(job) => {
                        let status = MaterializedStatus::Activated { job: Some(job.job_id().to_string()) };
                        // A job that nobody knows of would write for ever.
                        self.session.materialized_is(&path, &was, status).inspect_err(|_| job.cancel())?;
                        Ok(Some(job))
                    }
                    Err(error) => {
                        self.session.materialized_failed(&path, &was, before)?;
                        if stopped.is_some() {
                            let status = MaterializedStatus::Suspended { savepoint: stopped };
                            self.session.materialized_is(&path, &was, status)?;
                        }
                        Err(error)
                    }
                }
            }
            MaterializedStep::Suspend { job } => {
                let savepoint = match &job {
                    Some(job) => self.stopped(job)?,
                    None => None,
                };
                let status = MaterializedStatus::Suspended { savepoint: savepoint.clone() };
                let was = MaterializedStatus::Activated { job };
                self.session.materialized_is(&path, &was, status).map_err(|error| {
                    let savepoint = savepoint.unwrap_or_default();
                    error.context(format_args!("the job has stopped with the savepoint '{savepoint}'"))
                })?;
                Ok(None)
            }
            MaterializedStep::Drop { job } => {
                if let Some(running) = job.map(|job| self.running(&job)).transpose()?.flatten() {
                    running.try_cancel()?;
                }
                self.session.materialized_dropped(&path)?;
                Ok(None)
            }
        }
    }

    /// Refuses to start another job beside one that runs, and one that does not know how far that has come.
    fn has_ended(&self, job: &str, table: &str) -> Result<()> {
        if self.running(job)?.is_some() {
            return Err(Error::invalid(format!(
                "Materialized table {table} refresh job has already been resumed."
            )));
        }
        if self.session.configuration().get(CHECKPOINTS).is_none() {
            return Err(Error::invalid(format!(
                "the job {job} of the materialized table {table} has ended, and its checkpoints with it, as '{CHECKPOINTS}' is not \
                 set: ALTER MATERIALIZED TABLE .. AS lets it follow the query from the beginning"
            )));
        }
        Ok(())
    }

    /// Stops the job that another one replaces, with a savepoint in case that one cannot start. It may have ended.
    fn replaced(&self, job: Option<&str>) -> Result<Option<String>> {
        match job.map(|job| self.running(job)).transpose()?.flatten() {
            Some(running) => running.stop_with_savepoint(None, false).map(Some),
            None => Ok(None),
        }
    }

    /// Stops a job with a savepoint, which is where the next one starts from.
    fn stopped(&self, job: &str) -> Result<Option<String>> {
        match self.running(job)? {
            Some(running) => running.stop_with_savepoint(None, false).map(Some),
            None => Err(Error::invalid(format!(
                "the job {job} of the materialized table does not run: there is nothing to take a savepoint of. RESUME lets it go \
                 on from its last checkpoint"
            ))),
        }
    }

    fn running(&self, job: &str) -> Result<Option<JobClient>> {
        let id = job.parse().map_err(|_| Error::internal(format!("'{job}' is no id of a job")))?;
        let client = self.cluster.client(id)?;
        Ok(client.filter(|client| !client.status().is_terminal()))
    }
}
