//! The client's side of collected rows: fetched by messages, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use flott_batch::codec::RecordsReader;
use flott_batch::{Batch, ChangeBatch};
use flott_plan::Schema;
use flott_types::{Clock, Error, JobId, Result, SystemClock};
use parking_lot::Mutex;

use crate::client_messages::{ClientAnswer, ClientRequest, DispatcherGateway, unexpected};
use crate::collected::{CollectedBatch, Fetched};

/// A call waits no longer than this; then it is made again.
const PATIENCE: Duration = Duration::from_secs(10);

/// What [`ResultStream::next_within`] found.
#[derive(Debug)]
pub enum NextRows<B = ChangeBatch> {
    /// Rows.
    Rows(B),
    /// Nothing within the time.
    NotYet,
    /// There are no more.
    End,
}

/// The rows of a job, as far as its client has come. When it is dropped nobody reads them any more, and they are thrown away.
pub(crate) struct Results {
    gateway: Arc<dyn DispatcherGateway>,
    job: JobId,
    pub(crate) schema: Schema,
    state: Mutex<Arrived>,
    abandoned: AtomicBool,
}

#[derive(Default)]
struct Arrived {
    /// How many batches have come.
    batches: u64,
    /// Those that were not given on, the last first.
    left: Vec<CollectedBatch>,
}

impl Results {
    pub(crate) fn new(gateway: Arc<dyn DispatcherGateway>, job: JobId, schema: Schema) -> Self {
        Results { gateway, job, schema, state: Mutex::default(), abandoned: AtomicBool::new(false) }
    }

    /// The next batch, waiting at most so long.
    fn next(&self, timeout: Duration) -> Result<NextRows<CollectedBatch>> {
        let clock = SystemClock::new();
        let mut state = self.state.lock();
        loop {
            if let Some(batch) = state.left.pop() {
                return Ok(NextRows::Rows(batch));
            }
            let left = timeout.saturating_sub(Duration::from_nanos(clock.nanos()));
            let timeout_millis = u64::try_from(left.min(PATIENCE).as_millis()).unwrap_or(u64::MAX);
            let (job, from) = (self.job, state.batches);
            let answer = self.gateway.call(ClientRequest::Fetch { job, from, timeout_millis })?;
            let ClientAnswer::Fetched(fetched) = answer else { return Err(unexpected(&answer)) };
            match fetched {
                Fetched::Batches(batches) => {
                    state.batches += batches.len() as u64;
                    state.left = batches;
                    state.left.reverse();
                }
                Fetched::NotYet if left > PATIENCE => {}
                Fetched::NotYet => return Ok(NextRows::NotYet),
                Fetched::End => return Ok(NextRows::End),
                Fetched::Failed(reason) => return Err(Error::external(reason)),
            }
        }
    }

    fn abandon(&self) {
        if self.abandoned.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Err(error) = self.gateway.call(ClientRequest::Abandon { job: self.job }) {
            tracing::debug!(job = %self.job, %error, "the JobManager does not hear that nobody reads any more");
        }
    }
}

impl Drop for Results {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// Collected rows as they come. When it is dropped nobody reads them any more, and they are thrown away.
pub struct ResultStream {
    results: Arc<Results>,
    records: Option<RecordsReader>,
}

impl ResultStream {
    pub(crate) fn new(results: Arc<Results>) -> Self {
        ResultStream { results, records: None }
    }

    /// Of a job that collects records, how they are read.
    #[must_use]
    pub fn of_records(mut self, reader: RecordsReader) -> Self {
        self.records = Some(reader);
        self
    }

    /// The columns.
    pub fn schema(&self) -> &Schema {
        &self.results.schema
    }

    /// The next rows, waiting at most so long.
    ///
    /// # Errors
    /// Why the result is not complete: the job failed or was cancelled.
    pub fn next_within(&self, timeout: Duration) -> Result<NextRows> {
        Ok(match self.next_batch_within(timeout)? {
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
        Ok(match self.results.next(timeout)? {
            NextRows::Rows(batch) => NextRows::Rows(batch.into_batch(self.records)?),
            NextRows::NotYet => NextRows::NotYet,
            NextRows::End => NextRows::End,
        })
    }

    /// The next rows or records, for a task that is woken when there are some. Never [`NextRows::NotYet`].
    ///
    /// # Errors
    /// As for [`ResultStream::next_within`].
    pub fn poll_next_batch(&self, context: &mut Context<'_>) -> Poll<Result<NextRows<Batch>>> {
        match self.next_batch_within(Duration::ZERO) {
            Ok(NextRows::NotYet) => {
                let Results { gateway, job, .. } = &*self.results;
                gateway.wake_when_collected(*job, context.waker().clone());
                Poll::Pending
            }
            found => Poll::Ready(found),
        }
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
        self.results.abandon();
    }
}
