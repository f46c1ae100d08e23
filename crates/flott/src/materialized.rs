//! The jobs of materialized tables: one that goes on, or one at each tick of a clock that writes all of the table again.
//!
//! What runs is noted in the table's catalog. A job that goes on is the cluster's; the clock of a table in full refresh mode is
//! this session's, and stops with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use flott_cluster::{ClusterClient, JobClient};
use flott_connector::catalog::{Freshness, MaterializedStatus, ObjectPath};
use flott_plan::JobGraph;
use flott_sql::session::{MaterializedStep, MaterializedWork};
use flott_types::{Clock, Error, Result, SystemClock};

use crate::restore::RESTORE_PATH;
use crate::sql::Environment;

/// The clocks of the tables in full refresh mode that this session refreshes. Dropping one stops it.
#[derive(Default)]
pub(crate) struct Refreshes(BTreeMap<ObjectPath, Sender<()>>);

impl Environment {
    /// Does what a statement says about a materialized table. Gives the job that it started.
    ///
    /// # Errors
    /// What keeps a job from starting or from stopping: the table is what it was.
    pub fn materialize(&mut self, work: MaterializedWork) -> Result<Option<JobClient>> {
        let MaterializedWork { path, step } = work;
        match step {
            MaterializedStep::Start { job, every: Some(every), .. } => {
                let stop = keep_fresh(&path, self.cluster.clone(), job.graph, every)?;
                self.refreshes.0.insert(path.clone(), stop);
                self.session.materialized_is(&path, MaterializedStatus::Activated { job: None })?;
                Ok(None)
            }
            MaterializedStep::Start { job, from, replaces, before, every: None } => {
                let stopped = replaces.map(|job| self.stopped(&job)).transpose()?;
                let mut graph = job.graph;
                if let Some(savepoint) = from {
                    graph.configuration.insert(RESTORE_PATH.to_owned(), savepoint);
                }
                match self.cluster.submit(&graph) {
                    Ok(job) => {
                        let status = MaterializedStatus::Activated { job: Some(job.job_id().to_string()) };
                        self.session.materialized_is(&path, status)?;
                        Ok(Some(job))
                    }
                    Err(error) => {
                        self.session.materialized_failed(&path, before)?;
                        if let Some(savepoint) = stopped {
                            self.session
                                .materialized_is(&path, MaterializedStatus::Suspended { savepoint })?;
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
                self.refreshes.0.remove(&path);
                self.session.materialized_is(&path, MaterializedStatus::Suspended { savepoint })?;
                Ok(None)
            }
            MaterializedStep::Refresh { job } => self.cluster.submit(&job.graph).map(Some),
            MaterializedStep::Drop { job } => {
                if let Some(running) = job.map(|job| self.running(&job)).transpose()?.flatten() {
                    running.try_cancel()?;
                }
                self.refreshes.0.remove(&path);
                self.session.materialized_dropped(&path)?;
                Ok(None)
            }
        }
    }

    /// Stops a job with a savepoint, which is where the next one starts from.
    fn stopped(&self, job: &str) -> Result<Option<String>> {
        match self.running(job)? {
            Some(running) => running.stop_with_savepoint(None, false).map(Some),
            None => Err(Error::invalid(format!(
                "the job {job} of the materialized table does not run: there is nothing to take a savepoint of. DROP and CREATE \
                 the table, or ALTER it to follow the query again"
            ))),
        }
    }

    fn running(&self, job: &str) -> Result<Option<JobClient>> {
        let id = job.parse().map_err(|_| Error::internal(format!("'{job}' is no id of a job")))?;
        let client = self.cluster.client(id)?;
        Ok(client.filter(|client| !client.status().is_terminal()))
    }
}

/// Starts the clock of a table: at each of its ticks a job writes the table again, one after the other.
fn keep_fresh(
    path: &ObjectPath,
    cluster: ClusterClient,
    graph: JobGraph,
    every: Freshness,
) -> Result<Sender<()>> {
    let period = every.count.saturating_mul(every.unit.seconds()).saturating_mul(1_000);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (sender, stop) = channel();
    let table = path.clone();
    let refresh = move || {
        loop {
            let left = period - u64::try_from(clock.now()).unwrap_or(0) % period;
            match stop.recv_timeout(Duration::from_millis(left)) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
            if let Err(error) = cluster.submit(&graph).and_then(|job| job.wait()) {
                tracing::error!(%error, "the materialized table {table} could not be refreshed; it is tried again at the next tick");
            }
        }
    };
    let name = format!("refresh {path}");
    let started = thread::Builder::new().name(name).spawn(refresh);
    started.map_err(|error| Error::external(format!("there is no thread to refresh {path}: {error}")))?;
    Ok(sender)
}
