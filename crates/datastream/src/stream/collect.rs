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

use crate::environment::JobToCome;
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
        self.collected();
        let submitted = self.environment().execute_async(name);
        // Regardless of the outcome: a later execution must not collect for nobody.
        self.shared.graph.executed();
        Collected::of(submitted?)
    }

    /// Runs the job and returns the first values of this stream, at most this many; then the job is cancelled,
    /// if it has not ended.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// let numbers = env.from_sequence(1, i64::MAX - 1).map(|n| n * 2);
    /// assert_eq!(numbers.execute_and_collect_limit("doubled", 3)?.len(), 3);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// If the program or its configuration is wrong, or the job fails before it has put out so many.
    pub fn execute_and_collect_limit(&self, name: &str, limit: usize) -> Result<Vec<T>> {
        self.execute_and_collect(name)?.take(limit).collect()
    }

    /// The values of this stream, once the environment has executed its job: next to its sinks, a job has one
    /// stream that the program collects.
    ///
    /// Read them while the job runs: it waits when too many are ahead of the program.
    ///
    /// ```
    /// # use flott_datastream::*;
    /// # let env = StreamExecutionEnvironment::new();
    /// # env.set_parallelism(1);
    /// let numbers = env.from_sequence(1, 4);
    /// numbers.filter(|n| n % 2 == 0).discard();
    /// let odd = numbers.filter(|n| n % 2 == 1).collect_async();
    /// env.execute_async("both")?;
    /// assert_eq!(odd.collect::<Result<Vec<_>>>()?, [1, 3]);
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use = "a job whose values nobody reads waits for ever"]
    pub fn collect_async(&self) -> CollectAsync<T> {
        self.collected();
        let job = JobToCome::default();
        *self.shared.collecting.lock() = Some(job.clone());
        CollectAsync { job, collected: None }
    }

    /// The node that collects.
    fn collected(&self) {
        let node = self.shared.graph.add("Collect", NodeKind::Collect, self.inputs());
        if let [Upstream { exchange: Exchange::Forward, .. }] = &self.upstreams[..] {
            // The output of one subtask is collected in order.
            self.shared.graph.change(node, |node| node.beside_input = true);
        }
    }
}

/// The values of a stream of a job that is executed later; see [`DataStream::collect_async`]. Dropping it
/// cancels the job.
pub struct CollectAsync<T> {
    /// Set by the execution.
    job: JobToCome,
    collected: Option<Collected<T>>,
}

impl<T: Record> CollectAsync<T> {
    /// The values, now that the job runs.
    ///
    /// # Errors
    /// If the environment has not executed the job.
    pub fn collected(mut self) -> Result<Collected<T>> {
        self.begin()?;
        self.collected.take().ok_or_else(|| Error::internal("nothing is collected"))
    }

    fn begin(&mut self) -> Result<&mut Collected<T>> {
        let collected = match self.collected.take() {
            Some(collected) => collected,
            None => {
                let job = self.job.lock().take();
                Collected::of(job.ok_or_else(|| {
                    Error::invalid(
                        "the job of the collected stream is not executed; call `execute_async` before",
                    )
                })?)?
            }
        };
        Ok(self.collected.insert(collected))
    }
}

impl<T: Record> Iterator for CollectAsync<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        match self.begin() {
            Ok(collected) => collected.next(),
            Err(error) => Some(Err(error)),
        }
    }
}

impl<T> Collected<T> {
    /// The job.
    pub fn job(&self) -> &JobClient {
        &self.client
    }
}

impl<T: Record> Collected<T> {
    fn of(client: JobClient) -> Result<Self> {
        let results = client.results().ok_or_else(|| Error::internal("the job collects nothing"))?;
        let results = results.of_records(RecordsReader::of::<T>());
        Ok(Collected { client, results, ready: VecDeque::new(), ended: false })
    }

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
