//! How messages travel. Within a process they go through channels; another transport implements the same two traits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use flott_checkpoint::TaskId;
use flott_runtime::TaskMetricsReport;
use flott_types::JobId;
use parking_lot::Mutex;

use crate::messages::{ToJobManager, ToTaskManager};

/// The way to a TaskManager.
pub trait TaskManagerGateway: Send + Sync {
    /// Sends a message, without waiting. Says whether it will be delivered as far as can be known: one that cannot ends the session.
    fn send(&self, message: ToTaskManager) -> bool;

    /// The metrics of a job's tasks.
    fn metrics(&self, job: JobId) -> Vec<(TaskId, TaskMetricsReport)>;
}

/// The way to the JobManager.
pub trait JobManagerGateway: Send + Sync {
    /// Sends a message, without waiting. Says whether it will be delivered as far as can be known: one that cannot ends the session.
    fn send(&self, message: ToJobManager) -> bool;
}

/// A connection within a process, which can be cut: for tests of what happens then.
///
/// What is sent while it is cut is lost and nobody is told, as when packets are dropped. When it is whole again, whoever has lost something
/// is told so once, instead of having the next message delivered: as a connection of a network breaks that has lost something.
#[derive(Clone, Default, Debug)]
pub(crate) struct Wire(Arc<WireState>);

#[derive(Default, Debug)]
struct WireState {
    cut: AtomicBool,
    /// In either direction.
    lost: [AtomicBool; 2],
}

impl Wire {
    pub(crate) fn cut(&self, cut: bool) {
        self.0.cut.store(cut, Ordering::SeqCst);
    }

    fn is_cut(&self) -> bool {
        self.0.cut.load(Ordering::SeqCst)
    }

    fn carry(&self, direction: usize, send: impl FnOnce() -> bool) -> bool {
        let Some(lost) = self.0.lost.get(direction) else { return send() };
        if self.is_cut() {
            lost.store(true, Ordering::SeqCst);
            return true;
        }
        !lost.swap(false, Ordering::SeqCst) && send()
    }
}

/// A TaskManager at the other end of a wire.
pub(crate) struct WiredTaskManager(pub(crate) Wire, pub(crate) Arc<dyn TaskManagerGateway>);

impl TaskManagerGateway for WiredTaskManager {
    fn send(&self, message: ToTaskManager) -> bool {
        self.0.carry(0, || self.1.send(message))
    }

    fn metrics(&self, job: JobId) -> Vec<(TaskId, TaskMetricsReport)> {
        if self.0.is_cut() { Vec::new() } else { self.1.metrics(job) }
    }
}

/// The JobManager at the other end of a wire.
pub(crate) struct WiredJobManager(pub(crate) Wire, pub(crate) Arc<dyn JobManagerGateway>);

impl JobManagerGateway for WiredJobManager {
    fn send(&self, message: ToJobManager) -> bool {
        self.0.carry(1, || self.1.send(message))
    }
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
