//! The receiving ends of the channels from other processes.

use std::sync::{Arc, OnceLock, Weak};

use flott_checkpoint::{Attempt, TaskId};
use flott_runtime::ChannelKey;
use flott_runtime::connect::InputChannel;
use flott_runtime::inlet::Inlet;
use flott_types::{FastMap, JobId, Waker};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::connection::Connection;
use super::frames::Frame;

/// All of them.
pub(super) struct Receiving {
    channels: Mutex<FastMap<ChannelKey, Channel>>,
    runtime: Handle,
}

/// Of a channel, who has come so far: the receiver, the sender, or both.
#[derive(Default)]
struct Channel {
    receiver: Option<Arc<Receiver>>,
    sender: Option<Remote>,
}

/// The sender of a channel, seen from here.
#[derive(Clone)]
struct Remote {
    connection: Arc<Connection>,
    channel: u32,
}

/// The receiving end of a channel.
pub(super) struct Receiver {
    inlet: Inlet,
    /// What the sender may have under way.
    credit: usize,
    remote: OnceLock<Remote>,
}

impl Receiver {
    /// A frame has arrived.
    pub fn arrived(&self, element: Vec<u8>) {
        self.inlet.push(element);
        self.serve();
    }

    /// The connection is broken.
    pub fn break_off(&self, why: &Arc<str>) {
        self.inlet.break_off(why);
        self.serve();
    }

    fn serve(&self) {
        let taken = self.inlet.serve();
        if let Some(remote) = self.remote.get().filter(|_| taken > 0) {
            remote.send(Frame::Credit(remote.channel, taken as u64));
        }
    }

    /// There is a sender.
    fn begin(&self, remote: &Remote) {
        if self.remote.set(remote.clone()).is_ok() {
            remote.send(Frame::Credit(remote.channel, self.credit as u64));
        }
    }
}

impl Remote {
    fn send(&self, frame: Frame) {
        // What breaks it off tells the channel, too.
        let _ = self.connection.send(frame);
    }
}

impl Receiving {
    pub fn new(runtime: Handle) -> Self {
        Receiving { channels: Mutex::default(), runtime }
    }

    /// A task that will read a channel is there.
    pub fn register(&self, channel: &InputChannel, credit: usize, inlet: impl FnOnce(Waker) -> Inlet) {
        let receiver = Arc::new_cyclic(|receiver: &Weak<Receiver>| {
            let (runtime, receiver) = (self.runtime.clone(), receiver.clone());
            let waker = Waker::new(move || {
                if let Some(receiver) = receiver.upgrade() {
                    // Not on the thread of the task, which has better things to do.
                    runtime.spawn(async move { receiver.serve() });
                }
            });
            Receiver { inlet: inlet(waker), credit, remote: OnceLock::new() }
        });
        let mut channels = self.channels.lock();
        let entry = channels.entry(channel.key).or_default();
        entry.receiver = Some(receiver.clone());
        let sender = entry.sender.clone();
        drop(channels);
        if let Some(remote) = sender {
            remote.connection.attach(remote.channel, receiver.clone());
            receiver.begin(&remote);
        }
    }

    /// A task that will write a channel is there.
    pub fn opened(&self, key: ChannelKey, connection: &Arc<Connection>, channel: u32) {
        let remote = Remote { connection: connection.clone(), channel };
        let mut channels = self.channels.lock();
        let entry = channels.entry(key).or_default();
        entry.sender = Some(remote.clone());
        let receiver = entry.receiver.clone();
        drop(channels);
        if let Some(receiver) = receiver {
            connection.attach(channel, receiver.clone());
            receiver.begin(&remote);
        }
    }

    /// The task that wrote a channel has ended, or is lost.
    pub fn left(&self, key: &ChannelKey, connection: &Arc<Connection>, channel: u32) {
        let mut channels = self.channels.lock();
        let Some(entry) = channels.get_mut(key) else { return };
        let same = |remote: &Remote| remote.channel == channel && Arc::ptr_eq(&remote.connection, connection);
        if !entry.sender.as_ref().is_some_and(same) {
            return;
        }
        entry.sender = None;
        if entry.receiver.is_none() {
            channels.remove(key);
        }
    }

    /// The task that reads these channels has ended.
    pub fn unregister(&self, job: JobId, attempt: Attempt, task: TaskId) {
        let mut channels = self.channels.lock();
        let of_task = |key: &ChannelKey, channel: &mut Channel| {
            (key.job, key.attempt, key.to) == (job, attempt, task) && channel.receiver.is_some()
        };
        let ended: Vec<_> = channels.extract_if(of_task).collect();
        drop(channels);
        for (_, channel) in ended {
            if let Some(receiver) = channel.receiver {
                receiver.inlet.close();
            }
            if let Some(remote) = channel.sender {
                remote.send(Frame::Closed(remote.channel));
            }
        }
    }
}
