//! Values on their way from a reader's own thread to the task.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flott_connector::Waker;
use flott_types::{Error, Result};
use parking_lot::{Condvar, Mutex};

/// How long a blocked thread waits before it checks whether it is still wanted.
pub(crate) const STOP_CHECK: Duration = Duration::from_millis(100);

/// Holds a batch. The thread that fills it waits while it is full; the task is woken when it was empty.
pub(crate) struct Inbox<T> {
    state: Mutex<State<T>>,
    room: Condvar,
    full: usize,
}

struct State<T> {
    values: Vec<T>,
    end: Option<Result<()>>,
    /// Wakes the task that found nothing.
    waiting: Option<Waker>,
}

/// What a task finds.
pub(crate) enum Taken<T> {
    /// These, at least one.
    Values(Vec<T>),
    /// Nothing yet; the task is woken when there is something.
    Nothing,
    /// Nothing, and nothing follows.
    Ended,
}

impl<T> Inbox<T> {
    /// An inbox with this capacity.
    pub fn new(full: usize) -> Self {
        let state = State { values: Vec::new(), end: None, waiting: None };
        Inbox { state: Mutex::new(state), room: Condvar::new(), full: full.max(1) }
    }

    /// Puts in a value when there is room. Returns whether more are wanted; the value is stored in either
    /// case.
    pub fn put(&self, value: T, wanted: &Wanted) -> bool {
        let mut state = self.state.lock();
        while state.values.len() >= self.full && wanted.still() {
            self.room.wait_for(&mut state, STOP_CHECK);
        }
        state.values.push(value);
        if let Some(waker) = state.waiting.take() {
            drop(state);
            waker.wake();
        }
        wanted.still()
    }

    /// Ends the values, with the error that ended them if there was one.
    pub fn end(&self, end: Result<()>) {
        let mut state = self.state.lock();
        state.end.get_or_insert(end);
        if let Some(waker) = state.waiting.take() {
            drop(state);
            waker.wake();
        }
    }

    /// Takes the available values.
    ///
    /// # Errors
    /// The thread's error, once everything before it is taken.
    pub fn take(&self, waker: &Waker) -> Result<Taken<T>> {
        let mut state = self.state.lock();
        if !state.values.is_empty() {
            let capacity = state.values.len();
            let values = std::mem::replace(&mut state.values, Vec::with_capacity(capacity));
            drop(state);
            self.room.notify_all();
            return Ok(Taken::Values(values));
        }
        match &mut state.end {
            None => {
                state.waiting = Some(waker.clone());
                Ok(Taken::Nothing)
            }
            Some(end) => std::mem::replace(end, Ok(())).map(|()| Taken::Ended),
        }
    }
}

/// Whether a thread's values are still wanted: until the reader's half is dropped.
#[derive(Clone)]
pub(crate) struct Wanted(Arc<AtomicBool>);

/// The reader's half of [`Wanted`].
pub(crate) struct Wants(Arc<AtomicBool>);

impl Wanted {
    /// The two halves.
    pub fn new() -> (Wants, Wanted) {
        let wanted = Arc::new(AtomicBool::new(true));
        (Wants(wanted.clone()), Wanted(wanted))
    }

    /// Whether they still are.
    pub fn still(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Wants {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Starts a reader's own thread.
pub(crate) fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> Result<()> {
    let started = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    let failed = |error| Error::external(format!("cannot start the thread of {name}")).with_source(error);
    started.map(drop).map_err(failed)
}
