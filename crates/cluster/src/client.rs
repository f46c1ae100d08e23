//! A job's client. It communicates with the JobManager only by messages ([`crate::client_messages`]).

use std::sync::Arc;
use std::time::Duration;

use flott_checkpoint::JobStatus;
use flott_runtime::Failure;
use flott_types::{Clock, Error, JobId, Result, SystemClock};
use parking_lot::Mutex;

use crate::client_messages::{
    ClientAnswer, ClientRequest, ClientTrigger, DispatcherGateway, JobDescription, unexpected,
};
use crate::metrics::JobMetrics;
use crate::restored::Beginning;
use crate::result_stream::{ResultStream, Results};
use crate::status::JobInfo;

/// A call waits no longer than this; then it is made again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A submitted job. Dropping the client leaves the job alone.
#[derive(Clone)]
pub struct JobClient {
    gateway: Arc<dyn DispatcherGateway>,
    job: JobId,
    name: Arc<str>,
    beginning: Arc<Beginning>,
    results: Option<Arc<Results>>,
    savepoint_dir: Option<String>,
    /// The last known status, for when the JobManager no longer knows the job.
    known: Arc<Mutex<(u64, JobInfo)>>,
    /// Why nothing newer is known.
    lost: Arc<Mutex<Option<Failure>>>,
}

impl JobClient {
    /// `gateway` leads to the JobManager that runs it.
    pub(crate) fn new(gateway: Arc<dyn DispatcherGateway>, of: JobDescription) -> Self {
        let JobDescription { job, name, beginning, results, savepoint_dir, info } = of;
        let results = results.map(|schema| Arc::new(Results::new(gateway.clone(), job, schema)));
        JobClient {
            gateway,
            job,
            name: name.into(),
            beginning: Arc::new(beginning),
            results,
            savepoint_dir,
            known: Arc::new(Mutex::new((0, info))),
            lost: Arc::default(),
        }
    }

    /// The job.
    pub fn job_id(&self) -> JobId {
        self.job
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it continued from.
    pub fn beginning(&self) -> &Beginning {
        &self.beginning
    }

    /// Its state.
    pub fn status(&self) -> JobStatus {
        self.info().status
    }

    /// All that is known of it.
    pub fn info(&self) -> JobInfo {
        self.newer(0, Duration::ZERO).1
    }

    /// What is known of it as soon as that is newer than `seen`, or after this long.
    fn newer(&self, seen: u64, timeout: Duration) -> (u64, JobInfo) {
        let timeout_millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let asked = self.gateway.call(ClientRequest::Info { job: self.job, seen, timeout_millis });
        let why = match asked {
            Ok(ClientAnswer::Info(version, info)) => {
                *self.known.lock() = (version, (*info).clone());
                *self.lost.lock() = None;
                return (version, *info);
            }
            Ok(other) => unexpected(&other),
            Err(error) => error,
        };
        // Of a job that has ended nothing new is expected.
        if !self.known.lock().1.status.is_terminal() {
            self.lost.lock().get_or_insert_with(|| Failure::new(&why, 0));
        }
        self.known.lock().clone()
    }

    /// Why nothing is known of the job any more, although it has not ended as far as is known: the JobManager
    /// cannot be reached, or is another one that does not know it.
    pub fn lost(&self) -> Option<Error> {
        self.lost.lock().as_ref().map(Failure::to_error)
    }

    /// Waits until something holds, at most this long, or until the job is [lost](JobClient::lost); returns
    /// whether it does.
    pub fn wait_until(&self, timeout: Duration, mut holds: impl FnMut(&JobInfo) -> bool) -> bool {
        let clock = SystemClock::new();
        let mut seen = 0;
        loop {
            let left = timeout.saturating_sub(Duration::from_nanos(clock.nanos()));
            let (version, info) = self.newer(seen, left.min(PATIENCE));
            if holds(&info) {
                return true;
            }
            if left.is_zero() || self.lost.lock().is_some() {
                return false;
            }
            if version == seen && left > PATIENCE {
                continue;
            }
            seen = version;
        }
    }

    /// Waits for the end of the job, at most this long; `None` if it has not ended by then.
    pub fn wait_for(&self, timeout: Duration) -> Option<JobStatus> {
        let mut status = None;
        let ended = self.wait_until(timeout, |job| status.insert(job.status).is_terminal());
        status.filter(|_| ended)
    }

    /// Waits for the end of the job.
    ///
    /// # Errors
    /// Why it failed; or that it was cancelled, or is [lost](JobClient::lost).
    pub fn wait(&self) -> Result<()> {
        while self.wait_for(Duration::from_secs(3_600)).is_none() {
            if let Some(error) = self.lost() {
                return Err(error);
            }
        }
        let info = self.info();
        match (info.status, info.failure) {
            (JobStatus::Finished, _) => Ok(()),
            (_, Some(failure)) => Err(failure.to_error()),
            _ => Err(Error::cancelled()),
        }
    }

    /// Asks the job to stop at once. Nothing happens when it has ended.
    pub fn cancel(&self) {
        if let Err(error) = self.try_cancel() {
            tracing::warn!(job = %self.job, %error, "the job could not be cancelled");
        }
    }

    /// The same, for who has to know whether the job has heard.
    ///
    /// # Errors
    /// If the cluster cannot be reached, or does not let this client do so.
    pub fn try_cancel(&self) -> Result<()> {
        self.gateway.call(ClientRequest::Cancel { job: self.job }).map(|_| ())
    }

    /// Takes a savepoint, waits for it, and answers where it lies. `None` is
    /// `execution.checkpointing.savepoint-dir`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn trigger_savepoint(&self, target: Option<&str>) -> Result<String> {
        let target = self.target(target)?;
        self.trigger(ClientTrigger::Savepoint { target })?.wait()
    }

    /// Stops the job with a savepoint and waits for its end. With `drain` its inputs end first, as if they
    /// had come to their ends: windows fire.
    ///
    /// # Errors
    /// Why there is none; the job goes on then. Or, if the job failed when the savepoint was complete already
    /// (a sink could not commit), where it lies: the job is restarted from it, or has failed.
    pub fn stop_with_savepoint(&self, target: Option<&str>, drain: bool) -> Result<String> {
        self.begin_stop_with_savepoint(target, drain)?.wait()
    }

    /// As [`JobClient::stop_with_savepoint`], for who has other things to look at while it waits.
    ///
    /// # Errors
    /// If there is no folder to write to.
    pub fn begin_stop_with_savepoint(&self, target: Option<&str>, drain: bool) -> Result<PendingAnswer> {
        let target = self.target(target)?;
        self.trigger(ClientTrigger::Stop { target, drain })
    }

    /// Takes a checkpoint now and waits for it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn trigger_checkpoint(&self, full: bool) -> Result<String> {
        self.trigger(ClientTrigger::Checkpoint { full })?.wait()
    }

    /// The rows that the job collects; `None` if it collects none.
    pub fn results(&self) -> Option<ResultStream> {
        Some(ResultStream::new(self.results.clone()?))
    }

    /// The metrics at this moment.
    pub fn metrics(&self) -> JobMetrics {
        match self.gateway.call(ClientRequest::Metrics { job: self.job }) {
            Ok(ClientAnswer::Metrics(metrics)) => metrics,
            Ok(ClientAnswer::Unknown) => JobMetrics::default(),
            Ok(other) => {
                tracing::error!(error = %unexpected(&other), "a job's metrics cannot be requested");
                JobMetrics::default()
            }
            Err(error) => {
                tracing::warn!(job = %self.job, %error, "the JobManager does not answer");
                JobMetrics::default()
            }
        }
    }

    fn target(&self, target: Option<&str>) -> Result<String> {
        target.map(str::to_owned).or_else(|| self.savepoint_dir.clone()).ok_or_else(|| {
            Error::invalid(
                "a savepoint needs a folder: name one, or set 'execution.checkpointing.savepoint-dir'",
            )
        })
    }

    fn trigger(&self, what: ClientTrigger) -> Result<PendingAnswer> {
        let answer = self.gateway.call(ClientRequest::Trigger { job: self.job, what })?;
        if let ClientAnswer::Triggered(trigger) = answer {
            return Ok(PendingAnswer { gateway: self.gateway.clone(), trigger });
        }
        Err(if matches!(answer, ClientAnswer::Unknown) { ended() } else { unexpected(&answer) })
    }
}

/// The answer to a request that was made of a job: where its snapshot lies.
pub struct PendingAnswer {
    gateway: Arc<dyn DispatcherGateway>,
    trigger: u64,
}

impl PendingAnswer {
    /// The answer, if it comes within the time. It comes once.
    pub fn wait_for(&self, timeout: Duration) -> Option<Result<String>> {
        let timeout_millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        match self.gateway.call(ClientRequest::Triggered { trigger: self.trigger, timeout_millis }) {
            Ok(ClientAnswer::NotYet) => None,
            Ok(ClientAnswer::Snapshot(answer)) => Some(answer.map_err(|failure| failure.to_error())),
            Ok(ClientAnswer::Unknown) => Some(Err(ended())),
            Ok(other) => Some(Err(unexpected(&other))),
            Err(error) => Some(Err(error)),
        }
    }

    fn wait(self) -> Result<String> {
        loop {
            if let Some(answer) = self.wait_for(PATIENCE) {
                return answer;
            }
        }
    }
}

fn ended() -> Error {
    Error::invalid("the job has ended")
}
