//! The one place where threads are made, so that they have names and can be counted: a job that has ended has given
//! all of its threads back.

use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use flott_types::{Error, Result};
use parking_lot::{Condvar, Mutex};

/// Makes threads and counts those that run. Cloning shares the count.
#[derive(Clone, Default, Debug)]
pub struct Threads(Arc<Shared>);

#[derive(Default, Debug)]
struct Shared {
    running: Mutex<usize>,
    changed: Condvar,
}

/// Counts a thread out, also when it panics.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.running.lock() -= 1;
        self.0.changed.notify_all();
    }
}

impl Threads {
    /// Starts a thread.
    ///
    /// # Errors
    /// If the operating system gives none.
    pub fn spawn<F: FnOnce() + Send + 'static>(&self, name: &str, run: F) -> Result<JoinHandle<()>> {
        *self.0.running.lock() += 1;
        let running = Running(self.0.clone());
        let body = move || {
            let _running = running;
            run();
        };
        Builder::new()
            // Names come from SQL, which may hold anything; a thread's name may not.
            .name(name.replace('\0', " "))
            .spawn(body)
            .map_err(|error| Error::external(format!("cannot start the thread '{name}'")).with_source(error))
    }

    /// How many of them run.
    pub fn running(&self) -> usize {
        *self.0.running.lock()
    }

    /// Waits until at most `count` of them run; says whether that came to be within the time.
    pub fn wait_until(&self, count: usize, timeout: Duration) -> bool {
        let mut running = self.0.running.lock();
        !self.0.changed.wait_while_for(&mut running, |running| *running > count, timeout).timed_out()
    }
}
