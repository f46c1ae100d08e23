//! The requests of one writer, on their own thread.

use std::collections::BTreeSet;
use std::sync::Arc;

use flott_types::{Error, Result, Waker};
use parking_lot::{Condvar, Mutex};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::options::AsyncSinkOptions;

/// What the task and the requests share.
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    waker: Waker,
}

#[derive(Default)]
struct State {
    /// The numbers of the batches that are not acknowledged.
    outstanding: BTreeSet<u64>,
    failure: Option<Error>,
    /// The writer is gone: nobody waits any more.
    closed: bool,
}

impl Shared {
    /// How many batches are not acknowledged.
    pub(crate) fn outstanding(&self) -> usize {
        self.state.lock().outstanding.len()
    }

    /// Why a request has failed; it is told once.
    pub(crate) fn check(&self) -> Result<()> {
        self.state.lock().failure.take().map_or(Ok(()), Err)
    }

    /// Waits until all batches with lower numbers are acknowledged.
    pub(crate) fn wait_for(&self, below: u64) -> Result<()> {
        let mut state = self.state.lock();
        loop {
            if let Some(failure) = state.failure.take() {
                return Err(failure);
            }
            if state.outstanding.first().is_none_or(|first| *first >= below) {
                return Ok(());
            }
            // What is abandoned is not acknowledged: a snapshot that says so would lose it.
            if state.closed {
                return Err(Error::cancelled());
            }
            self.changed.wait(&mut state);
        }
    }

    fn ended(&self, number: u64, result: Result<()>) {
        let mut state = self.state.lock();
        match result {
            Ok(()) => {
                state.outstanding.remove(&number);
            }
            Err(error) => {
                state.failure.get_or_insert(error);
            }
        }
        drop(state);
        self.changed.notify_all();
        self.waker.wake();
    }
}

/// The way to the thread. When it is dropped, requests that are under way are abandoned.
pub(crate) struct Requests<T> {
    pub(crate) shared: Arc<Shared>,
    batches: UnboundedSender<(u64, Vec<T>)>,
    next: u64,
}

impl<T: Send + 'static> Requests<T> {
    /// Starts the thread.
    pub(crate) fn start<F, A>(send: F, options: AsyncSinkOptions, waker: Waker) -> Result<Self>
    where
        F: Fn(Vec<T>) -> A + Clone + Send + Sync + 'static,
        A: Future<Output = Result<Vec<T>>> + Send + 'static,
    {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), waker });
        let (batches, receiver) = unbounded_channel();
        let own = shared.clone();
        let no_thread = |error| Error::external("an asynchronous sink gets no thread").with_source(error);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let run = move || runtime.block_on(serve(send, options, receiver, own));
        std::thread::Builder::new().name("async-sink".to_owned()).spawn(run).map_err(no_thread)?;
        Ok(Requests { shared, batches, next: 0 })
    }

    /// Sends a batch as soon as it is its turn.
    pub(crate) fn send(&mut self, batch: Vec<T>) {
        self.shared.state.lock().outstanding.insert(self.next);
        if self.batches.send((self.next, batch)).is_err() {
            self.shared
                .ended(self.next, Err(Error::internal("the thread of an asynchronous sink has ended")));
        }
        self.next += 1;
    }

    /// The number of the next batch.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }
}

impl<T> Drop for Requests<T> {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.changed.notify_all();
    }
}

/// Until the writer is gone. Leaving drops the runtime, and with it what is under way.
async fn serve<T, F, A>(
    send: F,
    options: AsyncSinkOptions,
    mut batches: UnboundedReceiver<(u64, Vec<T>)>,
    shared: Arc<Shared>,
) where
    T: Send + 'static,
    F: Fn(Vec<T>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<Vec<T>>> + Send + 'static,
{
    let turns = Arc::new(Semaphore::new(options.max_in_flight));
    while let Some((number, batch)) = batches.recv().await {
        // Nobody closes the semaphore.
        let turn = turns.clone().acquire_owned().await;
        let (send, options, shared) = (send.clone(), options.clone(), shared.clone());
        tokio::spawn(async move {
            // The function is the program's own, and may panic.
            let sent = tokio::spawn(async move { send_all(&send, &options, batch).await }).await;
            drop(turn);
            let panicked = |_| Err(Error::internal("the function that sends batches panicked"));
            shared.ended(number, sent.unwrap_or_else(panicked));
        });
    }
}

/// Sends values until all are acknowledged.
async fn send_all<T, F, A>(send: &F, options: &AsyncSinkOptions, batch: Vec<T>) -> Result<()>
where
    F: Fn(Vec<T>) -> A,
    A: Future<Output = Result<Vec<T>>>,
{
    let mut rest = batch;
    let mut attempts = 0;
    loop {
        rest = send(rest).await?;
        attempts += 1;
        if rest.is_empty() {
            return Ok(());
        }
        if options.max_attempts.is_some_and(|most| attempts >= most) {
            return Err(Error::external(format!(
                "{} values were sent {attempts} times, and were not accepted",
                rest.len()
            )));
        }
        tokio::time::sleep(options.delay(attempts)).await;
    }
}
