//! Values returned to the program.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use flott_batch::codec::RecordsReader;
use flott_batch::{Batch, Record};
use flott_cluster::{NextRows, ResultStream};
use flott_plan::Exchange;
use flott_types::{Error, Result};
use futures_core::Stream;

use crate::graph::{NodeKind, Upstream};
use crate::job::JobClient;
use crate::stream::DataStream;

/// The values of a stream, as they arrive. Dropping it cancels the job.
pub struct Collected<T> {
    client: JobClient,
    results: ResultStream,
    ready: VecDeque<T>,
    ended: bool,
}

impl<T: Record> DataStream<T> {
    /// Runs the job and returns the values of this stream to the program.
    ///
    /// They come through an iterator or, for async code, a stream ([`Collected::into_stream`]). With
    /// checkpoints, a value is returned when the checkpoint that contains it has completed, and so never
    /// twice.
    ///
    /// # Errors
    /// If the program or its configuration is wrong. Later errors are items of the iterator.
    pub fn execute_and_collect(&self, name: &str) -> Result<Collected<T>> {
        let node = self.shared.graph.add("Collect", NodeKind::Collect, self.inputs());
        if let [Upstream { exchange: Exchange::Forward, .. }] = &self.upstreams[..] {
            // The output of one subtask is collected in order.
            self.shared.graph.change(node, |node| node.beside_input = true);
        }
        let submitted = self.environment().execute_async(name);
        // Regardless of the outcome: a later execution must not collect for nobody.
        self.shared.graph.executed();
        let client = submitted?;
        let results = client.results().ok_or_else(|| Error::internal("the job collects nothing"))?;
        let results = results.of_records(RecordsReader::of::<T>());
        Ok(Collected { client, results, ready: VecDeque::new(), ended: false })
    }
}

impl<T> Collected<T> {
    /// The job.
    pub fn job(&self) -> &JobClient {
        &self.client
    }
}

impl<T: Record> Collected<T> {
    /// The next value, waiting at most this long; `None` if none has arrived by then, or the stream has
    /// ended.
    ///
    /// # Errors
    /// Why the job has failed.
    pub fn next_within(&mut self, timeout: Duration) -> Result<Option<T>> {
        if let Some(value) = self.ready.pop_front() {
            return Ok(Some(value));
        }
        if self.ended {
            return Ok(None);
        }
        let next = self.results.next_batch_within(timeout)?;
        self.take(next)
    }

    fn take(&mut self, next: NextRows<Batch>) -> Result<Option<T>> {
        match next {
            NextRows::Rows(batch) => self.ready.extend(batch.into_records::<T>()?.values),
            NextRows::NotYet => {}
            NextRows::End => self.ended = true,
        }
        Ok(self.ready.pop_front())
    }

    /// The same values as a stream for async code; no thread waits for them.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # use futures::StreamExt;
    /// # async fn sum() -> Result<i64> {
    /// # let env = StreamExecutionEnvironment::new();
    /// let mut numbers = env.from_sequence(1, 100).execute_and_collect("numbers")?.into_stream();
    /// let mut sum = 0;
    /// while let Some(number) = numbers.next().await {
    ///     sum += number?;
    /// }
    /// # Ok(sum)
    /// # }
    /// # assert_eq!(futures::executor::block_on(sum())?, 5_050);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn into_stream(self) -> CollectedStream<T> {
        CollectedStream(self)
    }
}

/// The values of a stream, as they arrive, for async code. Dropping it cancels the job.
pub struct CollectedStream<T>(Collected<T>);

impl<T> CollectedStream<T> {
    /// The job.
    pub fn job(&self) -> &JobClient {
        self.0.job()
    }
}

/// It has no pointers into itself.
impl<T> Unpin for CollectedStream<T> {}

impl<T: Record> Stream for CollectedStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<T>>> {
        let collected = &mut self.0;
        loop {
            if let Some(value) = collected.ready.pop_front() {
                return Poll::Ready(Some(Ok(value)));
            }
            if collected.ended {
                return Poll::Ready(None);
            }
            let next =
                ready!(collected.results.poll_next_batch(context)).and_then(|next| collected.take(next));
            match next {
                Ok(Some(value)) => return Poll::Ready(Some(Ok(value))),
                Ok(None) => {}
                Err(error) => {
                    collected.ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl<T: Record> Iterator for Collected<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        loop {
            match self.next_within(Duration::from_secs(3_600)) {
                Ok(Some(value)) => return Some(Ok(value)),
                Ok(None) if self.ended => return None,
                Ok(None) => {}
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<T> Drop for Collected<T> {
    fn drop(&mut self) {
        self.client.cancel();
    }
}
