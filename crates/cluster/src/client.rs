//! What the client of a job can do with it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::task::{Context, Poll};
use std::time::Duration;

use flott_batch::{Batch, ChangeBatch};
use flott_checkpoint::JobStatus;
use flott_checkpoint::coordinator::Request;
use flott_plan::Schema;
use flott_types::{Error, JobId, Result};

use crate::job_manager::JobManager;
use crate::job_master::JobMessage;
use crate::metrics::JobMetrics;
use crate::restored::Beginning;
use crate::results::{NextRows, ResultStore};
use crate::status::{JobInfo, JobShared};
use crate::transport::Mailbox;

/// A submitted job. Dropping the client leaves the job alone.
#[derive(Clone)]
pub struct JobClient {
    pub(crate) manager: Arc<JobManager>,
    pub(crate) shared: Arc<JobShared>,
    pub(crate) mailbox: Arc<Mailbox<JobMessage>>,
    pub(crate) results: Option<(Arc<ResultStore>, Schema)>,
    pub(crate) savepoint_dir: Option<String>,
}

impl JobClient {
    /// The job.
    pub fn job_id(&self) -> JobId {
        self.shared.job
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// What it went on from.
    pub fn beginning(&self) -> &Beginning {
        &self.shared.beginning
    }

    /// Its state.
    pub fn status(&self) -> JobStatus {
        self.shared.lock().status
    }

    /// All that is known of it.
    pub fn info(&self) -> JobInfo {
        self.shared.lock().clone()
    }

    /// Waits until something holds, at most so long; says whether it does.
    pub fn wait_until(&self, timeout: Duration, holds: impl FnMut(&JobInfo) -> bool) -> bool {
        self.shared.wait(timeout, holds)
    }

    /// Waits for the end of the job, at most so long; `None` if it has not ended by then.
    pub fn wait_for(&self, timeout: Duration) -> Option<JobStatus> {
        self.shared.wait(timeout, |job| job.status.is_terminal()).then(|| self.status())
    }

    /// Waits for the end of the job.
    ///
    /// # Errors
    /// Why it failed; or that it was cancelled.
    pub fn wait(&self) -> Result<()> {
        while self.wait_for(Duration::from_secs(3_600)).is_none() {}
        let info = self.info();
        match (info.status, info.failure) {
            (JobStatus::Finished, _) => Ok(()),
            (_, Some(failure)) => Err(failure.to_error()),
            _ => Err(Error::cancelled()),
        }
    }

    /// Asks the job to stop at once. Nothing happens when it has ended.
    pub fn cancel(&self) {
        self.mailbox.send(JobMessage::Cancel);
    }

    /// Takes a savepoint, waits for it, and answers where it lies. `None` is `execution.checkpointing.savepoint-dir`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn trigger_savepoint(&self, target: Option<&str>) -> Result<String> {
        let target = self.target(target)?;
        self.request(Request::Savepoint { target })
    }

    /// Stops the job with a savepoint and waits for its end. With `drain` its inputs end first, as if they had come to their
    /// ends: windows fire.
    ///
    /// # Errors
    /// Why there is none; the job goes on then. Or, if the job failed when the savepoint was complete already (a sink could not
    /// commit), where it lies: the job is restarted from it, or has failed.
    pub fn stop_with_savepoint(&self, target: Option<&str>, drain: bool) -> Result<String> {
        self.begin_stop_with_savepoint(target, drain)?.wait()
    }

    /// As [`JobClient::stop_with_savepoint`], for who has other things to look at while it waits.
    ///
    /// # Errors
    /// If there is no folder to write to.
    pub fn begin_stop_with_savepoint(&self, target: Option<&str>, drain: bool) -> Result<PendingAnswer> {
        let target = self.target(target)?;
        Ok(self.ask(Request::StopWithSavepoint { target, drain }))
    }

    /// Takes a checkpoint now and waits for it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn trigger_checkpoint(&self, full: bool) -> Result<String> {
        self.request(Request::Checkpoint { full })
    }

    /// Lets the job master do what it was told, and what the clock says is due; and says whether it expects nothing more then
    /// from its tasks and its storage.
    pub(crate) fn settle(&self) -> bool {
        let (answer, answered) = sync_channel(1);
        // A job that has ended answers nothing.
        let idle = !self.mailbox.send(JobMessage::Look(answer)) || answered.recv().unwrap_or(true);
        idle && self.info().is_quiet()
    }

    /// The rows that the job collects; `None` if it collects none.
    pub fn results(&self) -> Option<ResultStream> {
        let (store, schema) = self.results.clone()?;
        Some(ResultStream { store, schema })
    }

    /// The metrics at this moment.
    pub fn metrics(&self) -> JobMetrics {
        self.manager.metrics(self.job_id())
    }

    fn target(&self, target: Option<&str>) -> Result<String> {
        target.map(str::to_owned).or_else(|| self.savepoint_dir.clone()).ok_or_else(|| {
            Error::invalid(
                "a savepoint needs a folder: name one, or set 'execution.checkpointing.savepoint-dir'",
            )
        })
    }

    fn request(&self, request: Request) -> Result<String> {
        self.ask(request).wait()
    }

    fn ask(&self, request: Request) -> PendingAnswer {
        let (answer, answered) = sync_channel(1);
        let answer = Box::new(move |result| {
            // Nobody waits for it any more: so be it.
            let _ = answer.send(result);
        });
        self.mailbox.send(JobMessage::Request(request, answer));
        PendingAnswer(answered)
    }
}

/// The answer to a request that was made of a job: where its snapshot lies.
#[derive(Debug)]
pub struct PendingAnswer(Receiver<Result<String>>);

impl PendingAnswer {
    /// The answer, if it comes within the time. It comes once.
    pub fn wait_for(&self, timeout: Duration) -> Option<Result<String>> {
        match self.0.recv_timeout(timeout) {
            Ok(answer) => Some(answer),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(ended())),
        }
    }

    fn wait(self) -> Result<String> {
        self.0.recv().unwrap_or_else(|_| Err(ended()))
    }
}

fn ended() -> Error {
    Error::invalid("the job has ended")
}

/// Collected rows as they come. When it is dropped nobody reads them any more, and they are thrown away.
pub struct ResultStream {
    store: Arc<ResultStore>,
    schema: Schema,
}

impl ResultStream {
    /// The columns.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The next rows, waiting at most so long.
    ///
    /// # Errors
    /// Why the result is not complete: the job failed or was cancelled.
    pub fn next_within(&self, timeout: Duration) -> Result<NextRows> {
        Ok(match self.store.next(timeout)? {
            NextRows::Rows(Batch::Changes(rows)) => NextRows::Rows(rows),
            NextRows::Rows(Batch::Records(_)) => {
                return Err(Error::internal("the job collects records, not rows"));
            }
            NextRows::NotYet => NextRows::NotYet,
            NextRows::End => NextRows::End,
        })
    }

    /// The next rows or records, waiting at most so long.
    ///
    /// # Errors
    /// As for [`ResultStream::next_within`].
    pub fn next_batch_within(&self, timeout: Duration) -> Result<NextRows<Batch>> {
        self.store.next(timeout)
    }

    /// The next rows or records, for a task that is woken when there are some. Never [`NextRows::NotYet`].
    ///
    /// # Errors
    /// As for [`ResultStream::next_within`].
    pub fn poll_next_batch(&self, context: &mut Context<'_>) -> Poll<Result<NextRows<Batch>>> {
        self.store.poll_next(context)
    }

    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// As for [`ResultStream::next_within`].
    pub fn next_rows(&self) -> Result<Option<ChangeBatch>> {
        loop {
            match self.next_within(Duration::from_secs(3_600))? {
                NextRows::Rows(rows) => return Ok(Some(rows)),
                NextRows::End => return Ok(None),
                NextRows::NotYet => {}
            }
        }
    }
}

impl Drop for ResultStream {
    fn drop(&mut self) {
        self.store.abandon();
    }
}
