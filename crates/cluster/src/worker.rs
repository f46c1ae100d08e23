//! A thread that does in order what may block, so that the job master need not wait for it.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use flott_runtime::{Thread, Threads};
use flott_types::Result;

type Work<T> = Box<dyn FnOnce(&mut T) + Send>;

/// The thread, with what it works on, and the way to it. When this is dropped the thread does what it was
/// told, and ends; nobody waits for it, unless with [`Worker::finish`].
pub(crate) struct Worker<T> {
    work: Sender<Work<T>>,
    thread: Thread,
}

/// The end of a worker.
pub(crate) struct Finishing(Thread);

impl<T: Send + 'static> Worker<T> {
    pub(crate) fn start(name: &str, threads: &Threads, mut on: T) -> Result<Self> {
        let (work, received) = channel::<Work<T>>();
        let thread = threads.spawn(name, move || received.into_iter().for_each(|work| work(&mut on)))?;
        Ok(Worker { work, thread })
    }

    pub(crate) fn run(&self, work: impl FnOnce(&mut T) + Send + 'static) {
        if self.work.send(Box::new(work)).is_err() {
            tracing::error!("a thread of a job has died");
        }
    }

    /// There will be no more work.
    pub(crate) fn finish(self) -> Finishing {
        Finishing(self.thread)
    }
}

impl Finishing {
    /// Waits until everything is done, at most this long; returns whether it is.
    pub(crate) fn wait_for(&self, timeout: Duration) -> bool {
        self.0.wait_for(timeout)
    }

    /// The current work hangs: nobody waits for it any more.
    pub(crate) fn abandon(self) {
        self.0.abandon();
    }
}
