//! How messages travel. Within a process they go through channels; another transport implements the same two traits.

use std::sync::mpsc::{Receiver, Sender, channel};

use flott_checkpoint::TaskId;
use flott_runtime::TaskMetricsReport;
use flott_types::JobId;
use parking_lot::Mutex;

use crate::messages::{ToJobManager, ToTaskManager};

/// The way to a TaskManager.
pub trait TaskManagerGateway: Send + Sync {
    /// Sends a message. One that cannot be delivered any more is dropped: a TaskManager that is gone is reported as such.
    fn send(&self, message: ToTaskManager);

    /// The metrics of a job's tasks.
    fn metrics(&self, job: JobId) -> Vec<(TaskId, TaskMetricsReport)>;
}

/// The way to the JobManager.
pub trait JobManagerGateway: Send + Sync {
    /// Sends a message.
    fn send(&self, message: ToJobManager);
}

/// The sending end of a mailbox.
pub(crate) struct Mailbox<T>(Mutex<Sender<T>>);

impl<T> Mailbox<T> {
    pub(crate) fn new() -> (Self, Receiver<T>) {
        let (sender, receiver) = channel();
        (Mailbox(Mutex::new(sender)), receiver)
    }

    /// Says whether somebody is there to read it.
    pub(crate) fn send(&self, message: T) -> bool {
        self.0.lock().send(message).is_ok()
    }
}
