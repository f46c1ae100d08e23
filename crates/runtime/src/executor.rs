//! Where the futures of functions run: one tokio runtime for all that bring none. The first operator that needs it starts it, the last one
//! shuts it down.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use flott_types::panics::panic_text;
use flott_types::{Error, Result};
use futures::FutureExt;
use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

static SHARED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());

struct Shared(Option<Runtime>);

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // Closing an operator does not wait for blocked futures.
            runtime.shutdown_background();
        }
    }
}

/// Where futures run.
#[derive(Clone)]
pub struct Executor {
    handle: Handle,
    _shared: Option<Arc<Shared>>,
}

impl Executor {
    /// The runtime that is given, or the shared one.
    ///
    /// # Errors
    /// If the process gets no threads.
    pub fn new(own: Option<&Handle>) -> Result<Self> {
        if let Some(handle) = own {
            return Ok(Executor { handle: handle.clone(), _shared: None });
        }
        let mut known = SHARED.lock();
        let shared = match known.upgrade() {
            Some(shared) => shared,
            None => {
                let runtime = Builder::new_multi_thread().thread_name("async-functions").enable_all().build();
                let no_threads =
                    |error| Error::external("no threads for asynchronous functions").with_source(error);
                let shared = Arc::new(Shared(Some(runtime.map_err(no_threads)?)));
                *known = Arc::downgrade(&shared);
                shared
            }
        };
        let handle = shared.0.as_ref().map(|runtime| runtime.handle().clone());
        let handle = handle.ok_or_else(|| Error::internal("a runtime that is shut down"))?;
        Ok(Executor { handle, _shared: Some(shared) })
    }

    /// The runtime.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs what a call gives. After an error it is called again, at most so often, each time after this pause.
    pub fn run<T, F>(
        &self,
        retries: u32,
        pause: Duration,
        call: impl Fn() -> Result<F> + Send + 'static,
    ) -> InFlight<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send,
    {
        let all = async move {
            let mut left = retries;
            loop {
                let outcome = match call() {
                    Ok(future) => future.await,
                    Err(error) => Err(error),
                };
                if outcome.is_ok() || left == 0 {
                    return outcome;
                }
                left -= 1;
                tokio::time::sleep(pause).await;
            }
        };
        InFlight(self.handle.spawn(caught(all)))
    }
}

/// The future with its panic as an error.
pub fn caught<T>(future: impl Future<Output = Result<T>>) -> impl Future<Output = Result<T>> {
    AssertUnwindSafe(future).catch_unwind().map(|outcome| {
        outcome.unwrap_or_else(|panic| {
            let text = panic_text(&*panic);
            Err(Error::internal(format!("the asynchronous function panicked: {text}")))
        })
    })
}

/// A future that runs. Dropping this drops it.
pub struct InFlight<T>(JoinHandle<Result<T>>);

impl<T> Future for InFlight<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        self.0.poll_unpin(context).map(|outcome| {
            outcome.unwrap_or_else(|_| {
                Err(Error::external(
                    "the runtime of the asynchronous function was shut down during a request",
                ))
            })
        })
    }
}

impl<T> Drop for InFlight<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
