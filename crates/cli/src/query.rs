//! SELECT: runs the job and writes its rows as they come.

use std::io::{BufWriter, IsTerminal, Write};

use flott::Error;
use flott::cluster::{JobClient, NextRows, ResultStream};
use flott::sql::PlannedJob;

use crate::args::OutputMode;
use crate::client::{Client, TICK};
use crate::output;
use crate::progress::Progress;
use crate::restore;
use crate::shell::view;
use crate::stop::{Result, Stop};

impl Client {
    /// Runs a query to its end, or until the user has seen enough.
    pub(crate) fn query(&self, planned: &PlannedJob) -> Result<()> {
        let job = self.environment.cluster.submit(&planned.graph)?;
        restore::tell(&job, self.console);
        let results = job.results().ok_or_else(|| Error::internal("the query collects no rows"))?;
        let unbounded = !job.info().bounded;
        if self.interactive
            && unbounded
            && self.mode() == OutputMode::Table
            && std::io::stdout().is_terminal()
        {
            return view::show(self, &job, &results, planned);
        }
        let written = self.write_results(&job, &results, planned);
        if written.is_err() {
            job.cancel();
        }
        written
    }

    fn write_results(&self, job: &JobClient, results: &ResultStream, planned: &PlannedJob) -> Result<()> {
        let zone = self.zone();
        let mut out = BufWriter::new(std::io::stdout().lock());
        let set = self.environment.session.configuration();
        let batch = set.get("execution.runtime-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("BATCH"));
        let kind = (planned.updates, batch);
        let mut writer = output::writer(self.mode(), &planned.schema, kind, self.style());
        let mut progress = Progress::new(self.console);
        let unbounded = !job.info().bounded;
        let mut cancelled = false;
        let mut started = false;
        loop {
            let next = results.next_within(TICK);
            // A query that fails at once has no result, not an empty one. Of one without an end the table is
            // shown at once.
            let shown = match &next {
                Ok(NextRows::NotYet) => unbounded,
                Ok(_) => true,
                Err(_) => cancelled,
            };
            if shown && !std::mem::replace(&mut started, true) {
                writer.start(&mut out)?;
            }
            match next {
                Ok(NextRows::Rows(rows)) => {
                    progress.clear();
                    output::write_batch(writer.as_mut(), &mut out, rows, &planned.schema, zone)?;
                }
                Ok(NextRows::NotYet) => {
                    out.flush()?;
                    progress.tick(job);
                }
                Ok(NextRows::End) => break,
                Err(_) if cancelled => break,
                Err(error) => {
                    progress.clear();
                    out.flush()?;
                    return Err(self.failure(job, error));
                }
            }
            if self.signals.terminated() {
                if !started {
                    writer.start(&mut out)?;
                }
                writer.end(&mut out, false)?;
                return Err(Stop::Terminated);
            }
            if self.signals.interrupted() {
                if cancelled {
                    break;
                }
                cancelled = true;
                job.cancel();
            }
        }
        progress.clear();
        if !started {
            writer.start(&mut out)?;
        }
        writer.end(&mut out, !cancelled)?;
        drop(out);
        if !cancelled {
            return Ok(job.wait()?);
        }
        self.console.info("Query terminated.");
        if self.interactive { Ok(()) } else { Err(Stop::Interrupted) }
    }

    /// Why a query failed: the job knows it better than its result.
    pub(crate) fn failure(&self, job: &JobClient, of_result: Error) -> Stop {
        match job.wait() {
            Ok(()) => of_result.into(),
            Err(error) => {
                self.tell_history(job);
                error.into()
            }
        }
    }
}
