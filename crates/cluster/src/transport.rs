//! How messages travel. Within a process they go through channels; another transport implements the same two
//! traits.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use parking_lot::Mutex;

use crate::messages::{Session, ToJobManager, ToTaskManager};

/// The way to a TaskManager.
pub trait TaskManagerGateway: Send + Sync {
    /// Sends a message, without waiting. Says whether it will be delivered as far as can be known: one that
    /// cannot ends the session.
    fn send(&self, message: ToTaskManager) -> bool;

    /// Where other TaskManagers reach it for the channels between tasks; `None` if it is in this process.
    fn address(&self) -> Option<&str> {
        None
    }
}

/// The way to the JobManager.
pub trait JobManagerGateway: Send + Sync {
    /// Sends a message, without waiting. Says whether it will be delivered as far as can be known: one that
    /// cannot ends the session.
    fn send(&self, message: ToJobManager) -> bool;
}

/// A connection within a process, which can be cut: for tests of what happens then.
///
/// Messages sent while it is cut are silently lost, as when packets are dropped. Once something was lost it
/// is broken, and carries nothing until the TaskManager begins another session: so does a connection of a
/// network.
#[derive(Clone, Default, Debug)]
pub(crate) struct Wire(Arc<Mutex<WireState>>);

#[derive(Default, Debug)]
struct WireState {
    cut: bool,
    broken: bool,
    /// The session that the TaskManager has begun.
    session: Option<Session>,
}

impl Wire {
    pub(crate) fn cut(&self, cut: bool) {
        self.0.lock().cut = cut;
    }

    /// `begins` is the session that the message begins.
    fn carry(&self, begins: Option<Session>, send: impl FnOnce() -> bool) -> bool {
        {
            let mut state = self.0.lock();
            if state.cut {
                state.broken = true;
                return true;
            }
            if begins.is_some() && begins != state.session {
                state.session = begins;
                state.broken = false;
            }
            if state.broken {
                return false;
            }
        }
        send()
    }
}

/// A TaskManager at the other end of a wire.
pub(crate) struct WiredTaskManager(pub(crate) Wire, pub(crate) Arc<dyn TaskManagerGateway>);

impl TaskManagerGateway for WiredTaskManager {
    fn send(&self, message: ToTaskManager) -> bool {
        self.0.carry(None, || self.1.send(message))
    }
}

/// The JobManager at the other end of a wire.
pub(crate) struct WiredJobManager(pub(crate) Wire, pub(crate) Arc<dyn JobManagerGateway>);

impl JobManagerGateway for WiredJobManager {
    fn send(&self, message: ToJobManager) -> bool {
        let begins = match &message {
            ToJobManager::Register { session, .. } => Some(*session),
            ToJobManager::Heartbeat { .. }
            | ToJobManager::Report { .. }
            | ToJobManager::Collected(..)
            | ToJobManager::Answer { .. }
            | ToJobManager::Abandoned { .. }
            | ToJobManager::Worker { .. }
            | ToJobManager::Returned { .. } => None,
        };
        self.0.carry(begins, || self.1.send(message))
    }
}

/// The sending end of a mailbox.
pub(crate) struct Mailbox<T>(Mutex<Sender<T>>);

impl<T> Mailbox<T> {
    pub(crate) fn new() -> (Self, Receiver<T>) {
        let (sender, receiver) = channel();
        (Mailbox(Mutex::new(sender)), receiver)
    }

    /// Returns whether there is a receiver.
    pub(crate) fn send(&self, message: T) -> bool {
        self.0.lock().send(message).is_ok()
    }
}
