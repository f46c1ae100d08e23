//! Futures on a tokio runtime, and how their results come back to the task.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Weak};

use flott_types::panics::panic_text;
use flott_types::{Error, Result, Waker};
use futures::FutureExt;
use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::AbortHandle;

/// The shared runtime of functions that do not bring their own. The first operator that needs it starts it,
/// the last one shuts it down.
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
pub(super) struct Executor {
    handle: Handle,
    _shared: Option<Arc<Shared>>,
}

impl Executor {
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

    /// Starts an attempt of a request; its outcome goes to `done`.
    pub fn spawn<O: Send + 'static>(
        &self,
        done: &Arc<Completions<O>>,
        number: u64,
        attempt: u32,
        future: impl Future<Output = Result<Vec<O>>> + Send + 'static,
    ) -> Running {
        let mut delivery = Delivery { done: done.clone(), number, attempt, delivered: false };
        let task = async move {
            let outcome = AssertUnwindSafe(future).catch_unwind().await.unwrap_or_else(|panic| {
                let text = panic_text(&*panic);
                Err(Error::internal(format!("the asynchronous function panicked: {text}")))
            });
            delivery.deliver(outcome);
        };
        Running(self.handle.spawn(task).abort_handle())
    }
}

/// A future in flight. Dropping this drops it.
pub(super) struct Running(AbortHandle);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The outcome of an attempt of a request.
pub(super) struct Completion<O> {
    pub number: u64,
    pub attempt: u32,
    pub outcome: Result<Vec<O>>,
}

/// Finished requests that the task has not taken; at most as many as are in flight.
pub(super) struct Completions<O> {
    done: Mutex<Vec<Completion<O>>>,
    waker: Waker,
}

impl<O> Completions<O> {
    pub fn new(waker: Waker) -> Arc<Self> {
        Arc::new(Completions { done: Mutex::default(), waker })
    }

    /// Takes them all.
    pub fn take(&self) -> Vec<Completion<O>> {
        std::mem::take(&mut *self.done.lock())
    }

    fn push(&self, completion: Completion<O>) {
        let first = {
            let mut done = self.done.lock();
            done.push(completion);
            done.len() == 1
        };
        if first {
            self.waker.wake();
        }
    }
}

/// Reports the outcome of an attempt to the task, even if the runtime drops it.
struct Delivery<O> {
    done: Arc<Completions<O>>,
    number: u64,
    attempt: u32,
    delivered: bool,
}

impl<O> Delivery<O> {
    fn deliver(&mut self, outcome: Result<Vec<O>>) {
        self.delivered = true;
        self.done.push(Completion { number: self.number, attempt: self.attempt, outcome });
    }
}

impl<O> Drop for Delivery<O> {
    fn drop(&mut self) {
        if !self.delivered {
            self.deliver(Err(Error::external(
                "the runtime of the asynchronous function was shut down during a request",
            )));
        }
    }
}
