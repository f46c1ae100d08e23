//! Work that waits for external systems, on its own thread.

use std::sync::mpsc::{Receiver, TryRecvError, channel};

use flott_types::{Error, Result, Waker};

/// One piece of work at a time that goes on elsewhere: a listing, a question to a broker. When it is done the
/// waker is called, and [`Background::take`] has what came of it. Dropping it leaves the work to itself.
///
/// ```
/// use flott_connector::Background;
/// use flott_types::Waker;
///
/// let mut work = Background::new("a listing", Waker::default());
/// work.start(|| Ok(6 * 7)).unwrap();
/// let result = loop {
///     if let Some(result) = work.take() {
///         break result;
///     }
///     std::thread::yield_now();
/// };
/// assert_eq!(result.unwrap(), 42);
/// ```
#[derive(Debug)]
pub struct Background<T> {
    name: &'static str,
    waker: Waker,
    under_way: Option<Receiver<Result<T>>>,
}

impl<T: Send + 'static> Background<T> {
    /// Nothing is in progress. The name is that of the thread, and of the work in errors.
    pub fn new(name: &'static str, waker: Waker) -> Self {
        Background { name, waker, under_way: None }
    }

    /// Whether work is in progress, or its result was not taken yet.
    pub fn is_busy(&self) -> bool {
        self.under_way.is_some()
    }

    /// Begins a piece of work. One that is in progress is forgotten.
    ///
    /// # Errors
    /// If there is no thread for it.
    pub fn start(&mut self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<()> {
        let (done, receiver) = channel();
        let waker = self.waker.clone();
        let run = move || {
            // Whoever wanted it may have gone. A panic drops the sender, and is told by `take`.
            let wakes = WakeOnDrop(waker);
            let _ = done.send(work());
            drop(done);
            drop(wakes);
        };
        std::thread::Builder::new().name(self.name.to_owned()).spawn(run).map_err(|error| {
            Error::external(format!("cannot start the thread of {}", self.name)).with_source(error)
        })?;
        self.under_way = Some(receiver);
        Ok(())
    }

    /// What came of the work, once.
    pub fn take(&mut self) -> Option<Result<T>> {
        let result = match self.under_way.as_ref()?.try_recv() {
            Ok(result) => result,
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => Err(Error::internal(format!("{} panicked", self.name))),
        };
        self.under_way = None;
        Some(result)
    }
}

/// Wakes also when the work panics.
struct WakeOnDrop(Waker);

impl Drop for WakeOnDrop {
    fn drop(&mut self) {
        self.0.wake();
    }
}
