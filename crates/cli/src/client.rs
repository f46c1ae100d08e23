//! Executes statements: changes the session, runs jobs, writes results.

use std::io::{BufWriter, Write};
use std::time::Duration;

use chrono_tz::Tz;
use flott::batch::RowKind;
use flott::cluster::{JobClient, NextRows};
use flott::plan::Schema;
use flott::sql::ast::{ParsedStatement, ShellCommand, StopJob};
use flott::sql::{Answer, Environment, Outcome, PlannedJob};
use flott::types::TypeKind;
use flott::{Error, ErrorKind, Result};

use crate::args::OutputMode;
use crate::output::{self, broken};
use crate::progress::Progress;
use crate::signals::Signals;

/// How often a waiting client looks at its signals.
const TICK: Duration = Duration::from_millis(50);

/// What to do after a statement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Go on.
    Continue,
    /// QUIT
    Quit,
}

/// A session with its output.
pub(crate) struct Client {
    pub environment: Environment,
    pub signals: Signals,
    pub mode: Option<OutputMode>,
    pub quiet: bool,
    /// Jobs that run in the background.
    pub jobs: Vec<JobClient>,
}

impl Client {
    /// Executes a statement and writes what comes of it.
    pub fn execute(&mut self, statement: &ParsedStatement) -> Result<Next> {
        match self.environment.session.execute(statement)? {
            Outcome::Done => self.say("[INFO] Execute statement succeeded."),
            Outcome::Table(answer) => self.answer(&answer)?,
            Outcome::Query(job) => self.query(&job)?,
            Outcome::Insert(job) => self.insert(&job)?,
            Outcome::ShowJobs => self.show_jobs()?,
            Outcome::StopJob(stop) => self.stop_job(&stop)?,
            Outcome::Shell(ShellCommand::Quit) => return Ok(Next::Quit),
            Outcome::Shell(ShellCommand::Clear) => eprint!("\x1b[2J\x1b[H"),
            Outcome::Shell(ShellCommand::Help) => eprintln!("{HELP}"),
        }
        Ok(Next::Continue)
    }

    /// Waits for the jobs in the background. Ctrl-C and SIGTERM cancel them.
    pub fn wait_for_jobs(&mut self) -> Result<()> {
        let mut failed = None;
        for job in std::mem::take(&mut self.jobs) {
            if let Err(error) = self.wait(&job) {
                failed.get_or_insert(error.context(format!("job {}", job.name())));
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn wait(&self, job: &JobClient) -> Result<()> {
        let mut progress = Progress::new(self.quiet);
        let mut cancelled = false;
        while job.wait_for(TICK).is_none() {
            if !cancelled && self.signals.stop_wanted() {
                cancelled = true;
                job.cancel();
            }
            progress.tick(job);
        }
        progress.done();
        match job.wait() {
            Err(error) if error.kind() == ErrorKind::Cancelled && cancelled => {
                self.say(&format!("[INFO] Job {} was cancelled.", job.job_id()));
                Ok(())
            }
            other => other,
        }
    }

    /// The mode of results: asked for on the command line, or set in the session.
    fn mode(&self) -> OutputMode {
        if let Some(mode) = self.mode {
            return mode;
        }
        let set = self.environment.session.configuration().get("sql-client.execution.result-mode");
        match set.map(str::to_ascii_uppercase).as_deref() {
            Some("TABLE") => OutputMode::Table,
            Some("CHANGELOG") => OutputMode::Changelog,
            _ => OutputMode::Tableau,
        }
    }

    fn width(&self) -> usize {
        let set = self.environment.session.configuration();
        let width = set.number("sql-client.display.max-column-width", 30).unwrap_or(30);
        usize::try_from(width).unwrap_or(30).max(4)
    }

    fn zone(&self) -> Tz {
        let set = self.environment.session.configuration().get("table.local-time-zone");
        set.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC)
    }

    fn query(&mut self, planned: &PlannedJob) -> Result<()> {
        let client = self.environment.cluster.submit(&planned.graph)?;
        let Some(results) = client.results() else {
            return Err(Error::internal("the query collects no rows"));
        };
        let zone = self.zone();
        let mut out = BufWriter::new(std::io::stdout().lock());
        let mut writer = output::writer(self.mode(), &planned.schema, planned.updates, self.width());
        let mut progress = Progress::new(self.quiet);
        writer.start(&mut out).map_err(broken)?;
        let mut stopped = false;
        let complete = loop {
            match results.next_within(TICK) {
                Ok(NextRows::Rows(rows)) => {
                    let written = output::write_batch(writer.as_mut(), &mut out, rows, &planned.schema, zone);
                    // Nobody reads standard output any more: the query is of no use.
                    if let Err(error) = written {
                        client.cancel();
                        return Err(error);
                    }
                }
                Ok(NextRows::NotYet) => {
                    out.flush().map_err(broken)?;
                    progress.tick(&client);
                }
                Ok(NextRows::End) => break true,
                Err(_) if stopped => break false,
                Err(error) => {
                    progress.done();
                    out.flush().map_err(broken)?;
                    client.wait()?;
                    return Err(error);
                }
            }
            if !stopped && self.signals.stop_wanted() {
                stopped = true;
                client.cancel();
            }
        };
        progress.done();
        writer.end(&mut out, complete).map_err(broken)?;
        drop(out);
        if stopped {
            self.say("[INFO] Query terminated.");
            return Ok(());
        }
        client.wait()
    }

    fn insert(&mut self, planned: &PlannedJob) -> Result<()> {
        let client = self.environment.cluster.submit(&planned.graph)?;
        self.say(&format!("[INFO] Job ID: {}", client.job_id()));
        if self.environment.session.configuration().flag("table.dml-sync", false)? {
            self.wait(&client)?;
            self.say("[INFO] Complete execution of the SQL update statement.");
            return Ok(());
        }
        self.jobs.push(client);
        Ok(())
    }

    fn show_jobs(&self) -> Result<()> {
        let text = TypeKind::STRING.nullable();
        let columns = ["job id", "job name", "status"].map(|name| (name.to_owned(), text.clone()));
        let rows = self.environment.cluster.jobs().into_iter();
        let rows = rows.map(|(id, name, status)| vec![Some(id.to_string()), Some(name), Some(status.to_string())]);
        self.answer(&Answer { columns: columns.to_vec(), rows: rows.collect() })
    }

    fn stop_job(&self, stop: &StopJob) -> Result<()> {
        let Some(client) = self.environment.cluster.client(stop.job.value.parse()?) else {
            return Err(Error::invalid(format!("there is no job '{}', at {}", stop.job.value, stop.job.position)));
        };
        if stop.with_savepoint {
            let path = client.stop_with_savepoint(None, stop.with_drain)?;
            return self.answer(&Answer::list("savepoint path", [path]));
        }
        client.cancel();
        self.say("[INFO] The specified job is stopped.");
        Ok(())
    }

    /// Writes a small table. EXPLAIN and SHOW CREATE are text of many lines and are written as they are.
    fn answer(&self, answer: &Answer) -> Result<()> {
        let schema = Schema::new(answer.columns.iter().cloned());
        let mode = match self.mode() {
            OutputMode::Tableau | OutputMode::Changelog => OutputMode::Table,
            other => other,
        };
        let mut out = BufWriter::new(std::io::stdout().lock());
        let is_text = answer.rows.iter().flatten().flatten().any(|cell| cell.contains('\n'));
        if mode == OutputMode::Table && is_text {
            for cell in answer.rows.iter().flatten().flatten() {
                writeln!(out, "{cell}").map_err(broken)?;
            }
            return out.flush().map_err(broken);
        }
        let mut writer = output::writer(mode, &schema, false, usize::MAX / 2);
        writer.start(&mut out).map_err(broken)?;
        for row in &answer.rows {
            writer.row(&mut out, RowKind::Insert, row.clone()).map_err(broken)?;
        }
        writer.end(&mut out, true).map_err(broken)
    }

    fn say(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }
}

const HELP: &str = "\
Statements end with a semicolon: SELECT, INSERT INTO, CREATE TABLE, EXPLAIN, SHOW TABLES, DESCRIBE, SET, ...
Ctrl-C cancels a running query. QUIT or EXIT leaves.";
