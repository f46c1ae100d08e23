//! A base for sinks that send requests: to an HTTP service, a search index, a queue (`AsyncSinkBase` in Flink).
//!
//! The user has a function that sends a batch of values and returns those that must be sent again. Everything
//! else is here: batches by size and time, many requests at once, retries with growing delays, back pressure
//! when too much is on its way, and checkpoints.
//!
//! **At least once.** A checkpoint is complete when everything that was written before it has been
//! acknowledged; the task goes on meanwhile. So nothing of the sink is in the checkpoint, and after a failure
//! values since the last one are sent again.
//!
//! **Threads.** Each writer has one thread with a runtime of tokio, on which all its requests run. The task's
//! thread never waits for them.

mod options;
mod requests;
mod writer;

use std::fmt;
use std::marker::PhantomData;

use flott_batch::Record;
use flott_connector::{Consumes, Payload, Sink, SinkContext, SinkWriter};
use flott_types::Result;

pub use options::AsyncSinkOptions;
use writer::AsyncWriter;

/// Sends batches of values with an asynchronous function. See the crate's header.
///
/// ```
/// use flott_connector_async_sink::{AsyncSink, AsyncSinkOptions};
/// use flott_types::Result;
///
/// async fn post(lines: Vec<String>) -> Result<Vec<String>> {
///     // An answer of 429 would say: send these again.
///     Ok(Vec::new())
/// }
///
/// let sink = AsyncSink::new(post, AsyncSinkOptions::default().max_batch_size(100));
/// # let _: AsyncSink<String, _> = sink;
/// ```
pub struct AsyncSink<T, F> {
    send: F,
    options: AsyncSinkOptions,
    of: PhantomData<fn(T)>,
}

impl<T, F, A> AsyncSink<T, F>
where
    T: Record,
    F: Fn(Vec<T>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<Vec<T>>> + Send + 'static,
{
    /// `send` sends a batch and returns the values that have to be sent again: none if all went well. An error
    /// fails the job.
    pub fn new(send: F, options: AsyncSinkOptions) -> Self {
        AsyncSink { send, options, of: PhantomData }
    }
}

impl<T, F> fmt::Debug for AsyncSink<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AsyncSink({:?})", self.options)
    }
}

impl<T, F, A> Sink for AsyncSink<T, F>
where
    T: Record,
    F: Fn(Vec<T>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<Vec<T>>> + Send + 'static,
{
    fn writer(&self, context: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(AsyncWriter::new(self.send.clone(), self.options.clone(), context)?))
    }

    fn check(&self) -> Result<()> {
        self.options.check()
    }
}

impl<T, F, A> Consumes<T> for AsyncSink<T, F>
where
    T: Record,
    F: Fn(Vec<T>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<Vec<T>>> + Send + 'static,
{
}

#[cfg(test)]
mod tests;
