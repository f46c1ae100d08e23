//! INSERT: jobs in the background, and waiting for them.

use std::io::IsTerminal;
use std::time::Duration;

use chrono::TimeZone;
use chrono_tz::Tz;
use flott::cluster::{JobClient, JobStatus};
use flott::plan::{JobGraph, OperatorSpec};
use flott::restore::RESTORE_PATH;
use flott::sql::ast::{StopJob, Text};
use flott::sql::{Answer, MaterializedWork, PlannedJob};
use flott::types::{JobId, TypeKind};
use flott::{Error, ErrorKind};

use crate::client::{Client, TICK};
use crate::progress::Progress;
use crate::restore;
use crate::stop::{Result, Stop};

impl Client {
    /// Starts a job that writes to tables; waits for it when `table.dml-sync` says so.
    pub(crate) fn insert(&mut self, planned: PlannedJob) -> Result<()> {
        let mut graph = planned.graph;
        if let Some(wanted) = self.restore.take() {
            graph.configuration.insert(RESTORE_PATH.to_owned(), wanted);
        }
        let job = self.environment.cluster.submit(&graph)?;
        restore::tell(&job, self.console);
        self.console.info(&format!("Job ID: {}", job.job_id()));
        let quiet = prints(&graph) && std::io::stdout().is_terminal();
        let job = Background { job, quiet, attempt: None };
        if self.environment.session.configuration().flag("table.dml-sync", false)? {
            if self.wait(vec![job])? {
                self.console.info("Complete execution of the SQL update statement.");
            }
            return Ok(());
        }
        self.jobs.push(job);
        Ok(())
    }

    /// Does what a statement says about a materialized table; its job goes on in the background.
    pub(crate) fn materialize(&mut self, work: MaterializedWork) -> Result<()> {
        match self.environment.materialize(work)? {
            Some(job) => {
                restore::tell(&job, self.console);
                self.console.info(&format!("Job ID: {}", job.job_id()));
                self.jobs.push(Background { job, quiet: false, attempt: None });
            }
            None => self.console.info("Execute statement succeeded."),
        }
        Ok(())
    }

    /// Waits for the jobs in the background.
    pub(crate) fn wait_for_jobs(&mut self) -> Result<()> {
        let jobs = std::mem::take(&mut self.jobs);
        self.wait(jobs).map(|_| ())
    }

    /// Waits for jobs; returns whether all finished. Ctrl-C cancels them. On SIGTERM the cluster shuts down
    /// and suspends them: they can be continued from their last checkpoints.
    fn wait(&self, mut jobs: Vec<Background>) -> Result<bool> {
        let alone = jobs.len() == 1;
        let mut progress = Progress::new(self.console);
        let (mut failed, mut complete, mut cancelled) = (None, true, false);
        while let Some(first) = jobs.first() {
            first.job.wait_for(TICK);
            if let Some(error) = first.job.lost() {
                progress.clear();
                return Err(error.into());
            }
            if self.signals.terminated() {
                progress.clear();
                return Err(Stop::Terminated);
            }
            if self.signals.interrupted() {
                if cancelled {
                    break;
                }
                cancelled = true;
                jobs.iter().for_each(|job| job.job.cancel());
            }
            for job in &mut jobs {
                if let Some(text) = job.restart() {
                    progress.clear();
                    self.console.warn(&text);
                }
            }
            let ended: Vec<Background> = jobs.extract_if(.., |job| job.job.status().is_terminal()).collect();
            for job in ended {
                progress.clear();
                complete &= job.job.status() == JobStatus::Finished;
                match self.ended(&job) {
                    Err(stop) if alone => failed = Some(stop),
                    Err(stop) => {
                        stop.tell(self.console);
                        failed = Some(Stop::Told);
                    }
                    Ok(()) => {}
                }
            }
            if let Some(first) = jobs.first().filter(|job| !job.quiet) {
                progress.tick(&first.job);
            }
        }
        progress.clear();
        match failed {
            Some(stop) => Err(stop),
            None if cancelled && !self.interactive => Err(Stop::Interrupted),
            None => Ok(complete),
        }
    }

    /// Reports how a job ended.
    fn ended(&self, job: &Background) -> Result<()> {
        let client = &job.job;
        match client.wait() {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::Cancelled => {
                self.console.info(&format!("Job {} was cancelled.", client.job_id()));
                Ok(())
            }
            Err(error) => {
                self.tell_history(client);
                Err(Stop::from(error).at(&format!("job '{}'", client.name())))
            }
        }
    }

    /// All errors of a job, if the user asked for details.
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
        self.jobs.iter().map(|job| &job.job).filter(|job| !job.status().is_terminal())
    }

    /// Reports jobs that ended since the last call.
    pub(crate) fn tell_ended_jobs(&mut self) {
        let ended: Vec<Background> = self.jobs.extract_if(.., |job| job.job.status().is_terminal()).collect();
        for job in ended {
            match self.ended(&job) {
                Err(stop) => stop.tell(self.console),
                Ok(()) if job.job.status() == JobStatus::Finished => {
                    self.console.info(&format!(
                        "Job {} ('{}') has finished.",
                        job.job.job_id(),
                        job.job.name()
                    ));
                }
                Ok(()) => {}
            }
        }
    }

    /// SHOW JOBS, and DESCRIBE JOB of one.
    pub(crate) fn show_jobs(&self, only: Option<&Text>) -> Result<()> {
        let text = TypeKind::STRING.nullable();
        let columns =
            ["job id", "job name", "status", "start time"].map(|name| (name.to_owned(), text.clone()));
        let only = only.map(|job| self.job(job)).transpose()?.map(|job| job.job_id());
        let zone = self.environment.session.configuration().get("table.local-time-zone");
        let zone: Tz = zone.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC);
        let jobs = self
            .environment
            .cluster
            .jobs()?
            .into_iter()
            .filter(|(id, ..)| only.is_none_or(|only| only == *id));
        let row = |(id, name, status): (JobId, String, JobStatus)| {
            let client = self.environment.cluster.client(id)?;
            let started = client.and_then(|job| job.info().timestamps.first().map(|(_, at)| *at));
            let started = started.and_then(|at| zone.timestamp_millis_opt(at).single());
            let started = started.map(|at| at.format("%Y-%m-%dT%H:%M:%S%.3f").to_string());
            Ok(vec![Some(id.to_string()), Some(name), Some(status.to_string()), started])
        };
        self.answer(&Answer { columns: columns.to_vec(), rows: jobs.map(row).collect::<Result<_>>()? })
    }

    /// The job of this id.
    fn job(&self, id: &Text) -> Result<JobClient> {
        let found = match id.value.parse() {
            Ok(id) => self.environment.cluster.client(id)?,
            Err(_) => None,
        };
        found.ok_or_else(|| {
            let text = format!("there is no job '{}', at {}; SHOW JOBS lists them", id.value, id.position);
            Error::invalid(text).into()
        })
    }

    /// STOP JOB
    pub(crate) fn stop_job(&self, stop: &StopJob) -> Result<()> {
        let client = self.job(&stop.job)?;
        if stop.with_savepoint {
            let pending = client.begin_stop_with_savepoint(None, stop.with_drain)?;
            let path = self.until(|| pending.wait_for(TICK))?;
            return match path {
                Some(path) => self.answer(&Answer::list("savepoint path", [path?])),
                None => self.goes_on_stopping(),
            };
        }
        client.try_cancel()?;
        match self.until(|| client.wait_for(TICK))? {
            Some(_) => self.console.info("The specified job is stopped."),
            None => return self.goes_on_stopping(),
        }
        Ok(())
    }

    /// Waits in ticks for something; `None` if Ctrl-C ends the wait in the shell.
    fn until<T>(&self, mut tick: impl FnMut() -> Option<T>) -> Result<Option<T>> {
        loop {
            if let Some(found) = tick() {
                return Ok(Some(found));
            }
            if self.signals.terminated() {
                return Err(Stop::Terminated);
            }
            if self.signals.interrupted() {
                return if self.interactive { Ok(None) } else { Err(Stop::Interrupted) };
            }
        }
    }

    fn goes_on_stopping(&self) -> Result<()> {
        self.console.info("The job is still stopping; SHOW JOBS shows when it has ended.");
        Ok(())
    }
}

/// A job that runs in the background.
pub(crate) struct Background {
    job: JobClient,
    /// Its rows are printed where progress would be shown.
    quiet: bool,
    /// The last attempt that was seen.
    attempt: Option<u64>,
}

impl Background {
    /// Why the job was restarted, if it was since the last call; otherwise the restart would go unnoticed.
    fn restart(&mut self) -> Option<String> {
        let mut told = None;
        let (last, name) = (&mut self.attempt, self.job.name());
        self.job.wait_until(Duration::ZERO, |info| {
            let attempt = u64::from(info.attempt.0);
            if last.replace(attempt).is_some_and(|before| before != 0 && before < attempt) {
                let from = info.checkpoints.restored_from.map(|id| format!("checkpoint {id}"));
                let from = from.unwrap_or_else(|| "the beginning".to_owned());
                let why = info.exceptions.front().map_or("", |entry| entry.failure.message.as_str());
                told = Some(format!("Job '{name}' was restarted from {from}: {why}"));
            }
            true
        });
        told
    }
}

/// Whether a job prints rows.
fn prints(graph: &JobGraph) -> bool {
    let mut operators = graph.vertices.iter().flat_map(|vertex| &vertex.operators);
    operators.any(
        |operator| matches!(&operator.node.spec, OperatorSpec::Sink(sink) if sink.table.connector == "print"),
    )
}
