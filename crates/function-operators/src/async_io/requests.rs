//! Futures on a tokio runtime, and how their results come back to the task.

use std::future::Future;
use std::sync::Arc;

use flott_runtime::executor::{Executor, caught};
use flott_types::{Error, Result, Waker};
use parking_lot::Mutex;
use tokio::task::AbortHandle;

/// Starts an attempt of a request; its outcome goes to `done`.
pub(super) fn spawn<O: Send + 'static>(
    executor: &Executor,
    done: &Arc<Completions<O>>,
    number: u64,
    attempt: u32,
    future: impl Future<Output = Result<Vec<O>>> + Send + 'static,
) -> Running {
    let mut delivery = Delivery { done: done.clone(), number, attempt, delivered: false };
    let task = async move {
        let outcome = caught(future).await;
        delivery.deliver(outcome);
    };
    Running(executor.handle().spawn(task).abort_handle())
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
