//! A thread that does I/O in order, so that the job master need not wait for it.

use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use flott_runtime::Threads;
use flott_types::Result;

type Work = Box<dyn FnOnce() + Send>;

/// The thread and the way to it. Dropping it waits for what is under way.
pub(crate) struct Worker {
    work: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(crate) fn start(name: &str, threads: &Threads) -> Result<Self> {
        let (work, received) = channel::<Work>();
        let thread = threads.spawn(name, move || received.into_iter().for_each(|work| work()))?;
        Ok(Worker { work: Some(work), thread: Some(thread) })
    }

    pub(crate) fn run(&self, work: impl FnOnce() + Send + 'static) {
        let sent = self.work.as_ref().is_some_and(|sender| sender.send(Box::new(work)).is_ok());
        if !sent {
            tracing::error!("the checkpoint thread of a job has died");
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.work = None;
        if let Some(thread) = self.thread.take() {
            // What panicked there has been printed.
            let _ = thread.join();
        }
    }
}
