//! Threads for requests that block: one for each that is under way, kept for the next.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use flott_types::{Error, Result};
use parking_lot::{Condvar, Mutex};

type Job = Box<dyn FnOnce(&Shared) + Send>;

/// The threads. Dropping this ends those that wait; one that is in the middle of a request ends with it, and nobody waits for it.
pub(crate) struct Workers {
    shared: Arc<Shared>,
}

/// What the threads share.
#[derive(Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// There is a job, or it is over.
    changed: Condvar,
    /// It is over.
    closing: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    idle: usize,
    closed: bool,
}

impl Shared {
    /// Waits; returns whether the work goes on after that.
    pub fn pause(&self, time: Duration) -> bool {
        let mut state = self.state.lock();
        if !state.closed {
            self.closing.wait_for(&mut state, time);
        }
        !state.closed
    }

    fn run(&self) {
        let mut state = self.state.lock();
        loop {
            if state.closed {
                return;
            }
            match state.jobs.pop_front() {
                Some(job) => {
                    drop(state);
                    job(self);
                    state = self.state.lock();
                }
                None => {
                    state.idle += 1;
                    self.changed.wait(&mut state);
                    state.idle -= 1;
                }
            }
        }
    }
}

impl Workers {
    pub fn new() -> Self {
        Workers { shared: Arc::default() }
    }

    /// Runs a job on a thread that has nothing to do, or on a new one.
    pub fn run(&self, job: impl FnOnce(&Shared) + Send + 'static) -> Result<()> {
        let mut state = self.shared.state.lock();
        state.jobs.push_back(Box::new(job));
        if state.jobs.len() > state.idle {
            let shared = self.shared.clone();
            std::thread::Builder::new()
                .name("model".to_owned())
                .spawn(move || shared.run())
                .map_err(|error| Error::external("cannot start a thread for a request").with_source(error))?;
        }
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.closed = true;
        state.jobs.clear();
        drop(state);
        self.shared.changed.notify_all();
        self.shared.closing.notify_all();
    }
}
