//! Functions that wait for external systems.

use std::future::Future;

use flott_batch::Record;
use flott_types::{Error, Result};

use crate::life_cycle;

/// A function that sends requests to an external system, with many in flight at a time. See
/// `DataStream::async_map`.
///
/// Its futures run on a tokio runtime. A closure that returns a future is such a function too.
///
/// ```
/// # use flott_datastream::*;
/// /// Finds the name of a user.
/// #[derive(Clone)]
/// struct Names { client: Client }
/// # #[derive(Clone)] struct Client;
/// # impl Client { async fn name(&self, id: u64) -> Result<String> { Ok(id.to_string()) } }
///
/// impl AsyncFunction<u64> for Names {
///     type Out = String;
///     async fn invoke(&self, id: u64) -> Result<Vec<String>> {
///         Ok(vec![self.client.name(id).await?])
///     }
///     fn timeout(&self, id: u64) -> Result<Vec<String>> {
///         Ok(vec![format!("user {id}")])
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an asynchronous function of `{I}`",
    label = "neither implements `AsyncFunction<{I}>` nor is a closure that returns a future of `Result<Vec<_>>`",
    note = "write `|record| async move {{ Ok(vec![...]) }}`, or `impl AsyncFunction<{I}> for {Self}`"
)]
pub trait AsyncFunction<I>: Send + Sync + 'static {
    /// The type of its output.
    type Out: Record;

    life_cycle!(shared);

    /// Requests the values for a record: any number of them. After a failure of the job it may be called
    /// again for the same record.
    ///
    /// # Errors
    /// An error fails the task, unless the request is retried.
    fn invoke(&self, input: I) -> impl Future<Output = Result<Vec<Self::Out>>> + Send;

    /// The values for a record whose request has timed out. Its future is dropped.
    ///
    /// # Errors
    /// An error fails the task; this is the default.
    fn timeout(&self, input: I) -> Result<Vec<Self::Out>> {
        let _ = input;
        Err(Error::external(
            "an asynchronous request has timed out; allow it more time, or implement `AsyncFunction::timeout`",
        ))
    }
}

impl<I, O, F, A> AsyncFunction<I> for F
where
    F: Fn(I) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Vec<O>>> + Send,
    O: Record,
{
    type Out = O;

    fn invoke(&self, input: I) -> impl Future<Output = Result<Vec<O>>> + Send {
        self(input)
    }
}
