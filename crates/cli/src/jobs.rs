//! INSERT: jobs in the background, and waiting for them.

use flott::cluster::{JobClient, JobInfo};
use flott::restore::{LATEST, RESTORE_PATH};
use flott::sql::ast::StopJob;
use flott::sql::{Answer, PlannedJob};
use flott::types::TypeKind;
use flott::{Error, ErrorKind};

use crate::client::{Client, TICK};
use crate::progress::Progress;
use crate::restore;
use crate::stop::{Result, Stop};

impl Client {
    /// Starts a job that writes to tables; waits for it when `table.dml-sync` says so.
    pub(crate) fn insert(&mut self, planned: PlannedJob) -> Result<()> {
        let mut graph = planned.graph;
        let wanted = self.restore.take().or_else(|| graph.configuration.get(RESTORE_PATH).cloned());
        let wanted = wanted.filter(|path| !path.trim().is_empty());
        if let Some(wanted) = &wanted {
            restore::prepare(&mut graph, wanted.trim(), self.console)?;
        }
        let job = self.environment.cluster.submit(&graph)?;
        if wanted.is_some_and(|wanted| wanted.trim() == LATEST) {
            self.from_latest.push((job.job_id(), graph));
        }
        self.console.info(&format!("Job ID: {}", job.job_id()));
        if self.environment.session.configuration().flag("table.dml-sync", false)? {
            if self.wait(&job)? {
                self.console.info("Complete execution of the SQL update statement.");
            }
            return Ok(());
        }
        self.jobs.push(job);
        Ok(())
    }

    /// Waits for the jobs in the background, and answers with the first failure. Ctrl-C cancels them all; SIGTERM leaves them
    /// to the end of the cluster, which suspends them: they can be gone on with from their last checkpoints.
    pub(crate) fn wait_for_jobs(&mut self) -> Result<()> {
        let mut ended = Ok(());
        for job in std::mem::take(&mut self.jobs) {
            if matches!(ended, Err(Stop::Interrupted)) {
                job.cancel();
            }
            match self.wait(&job) {
                Ok(_) => {}
                Err(Stop::Terminated) => return Err(Stop::Terminated),
                Err(stop) if ended.is_ok() => ended = Err(stop),
                Err(stop) => stop.tell(self.console),
            }
        }
        ended
    }

    /// Waits for one job; says whether it came to its end.
    fn wait(&self, job: &JobClient) -> Result<bool> {
        let mut progress = Progress::new(self.console);
        let mut restarts = Restarts::default();
        let mut cancelled = false;
        while job.wait_for(TICK).is_none() {
            if self.signals.terminated() {
                progress.clear();
                return Err(Stop::Terminated);
            }
            if self.signals.interrupted() {
                if cancelled {
                    break;
                }
                cancelled = true;
                job.cancel();
            }
            if let Some(text) = restarts.look(job) {
                progress.clear();
                self.console.warn(&text);
            }
            progress.tick(job);
        }
        progress.clear();
        if cancelled {
            self.console.info(&format!("Job {} was cancelled.", job.job_id()));
            return if self.interactive { Ok(false) } else { Err(Stop::Interrupted) };
        }
        match job.wait() {
            Ok(()) => {
                if let Some((_, graph)) = self.from_latest.iter().find(|(id, _)| *id == job.job_id()) {
                    restore::finished(graph, self.console);
                }
                Ok(true)
            }
            // By STOP JOB, or together with another one.
            Err(error) if error.kind() == ErrorKind::Cancelled => Ok(false),
            Err(error) => {
                self.tell_history(job);
                Err(Stop::from(error).at(&format!("job '{}'", job.name())))
            }
        }
    }

    /// All that went wrong with a job, if the user wants to know.
    pub(crate) fn tell_history(&self, job: &JobClient) {
        if !self.verbose() {
            return;
        }
        for entry in job.info().exceptions.iter().rev() {
            let task = entry.task.map(|task| format!(", task {task}")).unwrap_or_default();
            self.console.plain(&format!("  attempt {}{task}: {}", entry.attempt.0, entry.failure.message));
        }
    }

    /// The jobs that still run.
    pub(crate) fn running_jobs(&self) -> impl Iterator<Item = &JobClient> {
        self.jobs.iter().filter(|job| !job.status().is_terminal())
    }

    /// Tells of jobs that ended since the last call.
    pub(crate) fn tell_ended_jobs(&mut self) {
        let (ended, running) =
            std::mem::take(&mut self.jobs).into_iter().partition(|job| job.status().is_terminal());
        self.jobs = running;
        let ended: Vec<JobClient> = ended;
        for job in ended {
            match job.wait() {
                Err(error) if error.kind() != ErrorKind::Cancelled => {
                    self.tell_history(&job);
                    self.console.error(&format!("Job {} ('{}') failed: {error}", job.job_id(), job.name()));
                }
                _ => self.console.info(&format!(
                    "Job {} ('{}') is {}.",
                    job.job_id(),
                    job.name(),
                    job.status()
                )),
            }
        }
    }

    /// SHOW JOBS
    pub(crate) fn show_jobs(&self) -> Result<()> {
        let text = TypeKind::STRING.nullable();
        let columns = ["job id", "job name", "status"].map(|name| (name.to_owned(), text.clone()));
        let rows = self.environment.cluster.jobs().into_iter();
        let rows =
            rows.map(|(id, name, status)| vec![Some(id.to_string()), Some(name), Some(status.to_string())]);
        self.answer(&Answer { columns: columns.to_vec(), rows: rows.collect() })
    }

    /// STOP JOB
    pub(crate) fn stop_job(&self, stop: &StopJob) -> Result<()> {
        let id = stop.job.value.parse().ok();
        let Some(client) = id.and_then(|id| self.environment.cluster.client(id)) else {
            let text = format!(
                "there is no job '{}', at {}; SHOW JOBS lists them",
                stop.job.value, stop.job.position
            );
            return Err(Error::invalid(text).into());
        };
        if stop.with_savepoint {
            let path = client.stop_with_savepoint(None, stop.with_drain)?;
            return self.answer(&Answer::list("savepoint path", [path]));
        }
        client.cancel();
        self.console.info("The specified job is stopped.");
        Ok(())
    }
}

/// Watches for restarts, which would otherwise happen unseen.
#[derive(Default)]
struct Restarts {
    attempt: Option<u64>,
}

impl Restarts {
    /// What happened, if the job was restarted since the last look.
    fn look(&mut self, job: &JobClient) -> Option<String> {
        let mut told = None;
        let look = |info: &JobInfo| {
            let attempt = u64::from(info.attempt.0);
            if self.attempt.replace(attempt).is_some_and(|before| before != 0 && before < attempt) {
                let from = info.checkpoints.restored_from.map(|id| format!("checkpoint {id}"));
                let from = from.unwrap_or_else(|| "the beginning".to_owned());
                let why = info.exceptions.front().map_or("", |entry| entry.failure.message.as_str());
                told = Some(format!("Job '{}' was restarted from {from}: {why}", job.name()));
            }
            true
        };
        job.wait_until(std::time::Duration::ZERO, look);
        told
    }
}
