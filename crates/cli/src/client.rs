//! Executes statements: changes the session, runs jobs, writes results.

use std::io::{BufWriter, Write};
use std::time::Duration;

use chrono_tz::Tz;
use flott::batch::RowKind;
use flott::plan::Schema;
use flott::restore::RestorePoint;
use flott::sql::ast::{ParsedStatement, ShellCommand, Statement};
use flott::sql::{Answer, Environment, Outcome, explain_restore};
use flott::types::config;

use crate::args::OutputMode;
use crate::console::Console;
use crate::jobs::Background;
use crate::output;
use crate::shell::HELP;
use crate::signals::Signals;
use crate::stop::{Result, Stop};

/// How often a waiting client checks for signals.
pub(crate) const TICK: Duration = Duration::from_millis(50);

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
    pub console: Console,
    /// `--output`
    pub mode: Option<OutputMode>,
    /// The shell, not a script: Ctrl-C ends the running statement, not the client.
    pub interactive: bool,
    /// `--restore`, until a job has taken it.
    pub restore: Option<String>,
    /// Jobs that run in the background.
    pub jobs: Vec<Background>,
}

impl Client {
    /// Executes a statement and writes its result.
    pub fn execute(&mut self, statement: &ParsedStatement) -> Result<Next> {
        let outcome = self.environment.session.execute(statement)?;
        if let Statement::Set(Some(option)) = &statement.statement
            && let Some(note) = config::note(&option.key.value)
        {
            self.console.warn(&note);
        }
        match outcome {
            Outcome::Done => self.console.info("Execute statement succeeded."),
            Outcome::Table(answer) => self.answer(&answer)?,
            Outcome::ExplainRestore { path, job } => {
                self.answer(&explain_restore(&RestorePoint::of_path(&job.graph, &path)?))?;
            }
            Outcome::CompilePlan(plan) => match self.environment.keep_plan(&plan)? {
                Some(job) => self.insert(job)?,
                None => self.console.info("Execute statement succeeded."),
            },
            Outcome::ExecutePlan(path) => self.insert(self.environment.kept_plan(&path)?)?,
            Outcome::Query(job) => self.query(&job)?,
            Outcome::Insert(job) => self.insert(*job)?,
            Outcome::Materialized(work) => self.materialize(*work)?,
            Outcome::ShowJobs => self.show_jobs(None)?,
            Outcome::DescribeJob(job) => self.show_jobs(Some(&job))?,
            Outcome::StopJob(stop) => self.stop_job(&stop)?,
            Outcome::Shell(ShellCommand::Quit) => return Ok(Next::Quit),
            Outcome::Shell(ShellCommand::Clear) => {
                if self.interactive {
                    let mut out = std::io::stdout().lock();
                    out.write_all(b"\x1b[2J\x1b[H")?;
                    out.flush()?;
                }
            }
            Outcome::Shell(ShellCommand::Help) => self.console.plain(HELP),
        }
        Ok(Next::Continue)
    }

    /// Ends when a signal says so; Ctrl-C ends scripts only.
    pub fn check_signals(&self) -> Result<()> {
        if self.signals.terminated() {
            return Err(Stop::Terminated);
        }
        match self.signals.interrupted() && !self.interactive {
            true => Err(Stop::Interrupted),
            false => Ok(()),
        }
    }

    /// The mode of results: given on the command line, set in the session, or the client's default.
    pub fn mode(&self) -> OutputMode {
        if let Some(mode) = self.mode {
            return mode;
        }
        let set = self.environment.session.configuration().get("sql-client.execution.result-mode");
        match set.map(str::to_ascii_uppercase).as_deref() {
            Some("TABLE") => OutputMode::Table,
            Some("CHANGELOG") => OutputMode::Changelog,
            None if self.interactive => OutputMode::Table,
            _ => OutputMode::Tableau,
        }
    }

    /// How tables are drawn.
    pub fn style(&self) -> output::Style {
        let set = self.environment.session.configuration();
        let number = |key, default: i64| set.number(key, default).ok().and_then(|n| usize::try_from(n).ok());
        // The client's own key came first.
        let width = set.number("sql-client.display.max-column-width", 30).unwrap_or(30);
        output::Style {
            width: number("table.display.max-column-width", width).unwrap_or(30).max(4),
            null: output::NULL,
            max_rows: number("sql-client.execution.max-table-result.rows", 1_000_000)
                .unwrap_or(1_000_000)
                .max(1),
        }
    }

    /// The session's time zone.
    pub fn zone(&self) -> Tz {
        let set = self.environment.session.configuration().get("table.local-time-zone");
        set.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC)
    }

    /// Whether errors are shown with all details.
    pub fn verbose(&self) -> bool {
        self.environment.session.configuration().flag("sql-client.verbose", false).unwrap_or(false)
    }

    /// Writes a small table. EXPLAIN and SHOW CREATE are text of many lines and are written as they are.
    pub fn answer(&self, answer: &Answer) -> Result<()> {
        let schema = Schema::new(answer.columns.iter().cloned());
        let mode = match self.mode() {
            OutputMode::Tableau | OutputMode::Changelog => OutputMode::Table,
            other => other,
        };
        let mut out = BufWriter::new(std::io::stdout().lock());
        let is_text = answer.rows.iter().flatten().flatten().any(|cell| cell.contains('\n'));
        if mode == OutputMode::Table && is_text {
            for cell in answer.rows.iter().flatten().flatten() {
                writeln!(out, "{}", cell.trim_end())?;
            }
            return Ok(out.flush()?);
        }
        let whole = output::Style { width: usize::MAX / 2, max_rows: usize::MAX / 2, null: "" };
        let mut writer = output::writer(mode, &schema, (false, true), whole);
        writer.start(&mut out)?;
        for row in &answer.rows {
            writer.row(&mut out, RowKind::Insert, row.clone())?;
        }
        Ok(writer.end(&mut out, true)?)
    }
}
