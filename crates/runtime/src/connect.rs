//! How channels of tasks are connected. The exchange within a process is here; [`crate::piped`] sends
//! elements as bytes, as a network does, and `flott_network` through one. All implement [`Exchanges`] and
//! [`Sender`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::codec::RecordsReader;
use flott_checkpoint::resources::TaskManagerId;
use flott_checkpoint::{Attempt, TaskId};
use flott_types::{Clock, Error, FastMap, JobId, Result, Waker};
use parking_lot::{Condvar, Mutex};
use serde::{Deserialize, Serialize};

use crate::gate::{CancelFlag, Element, Gate};
use crate::{ChannelKey, TaskMetrics};

/// The sending end of one channel.
pub trait Sender: Send {
    /// Sends an element; waits while there is no room.
    ///
    /// # Errors
    /// If the sending task is cancelled in the meantime.
    fn send(&mut self, element: Element) -> Result<()>;

    /// Whether there is room to begin with more. If not, this waker is called when there is. Asked only by
    /// tasks of a job in which barriers may overtake.
    ///
    /// # Errors
    /// If the channel is broken.
    fn has_room(&mut self, waker: &Waker) -> Result<bool>;

    /// Sends an element whether there is room or not: what precedes a barrier that overtakes.
    ///
    /// # Errors
    /// If the channel is broken.
    fn force(&mut self, element: Element) -> Result<()>;
}

/// What a sender needs to know of the task that sends.
#[derive(Clone)]
pub struct SenderContext {
    /// Set when the task has to end.
    pub cancel: Arc<CancelFlag>,
    /// Where waiting is counted.
    pub metrics: Arc<TaskMetrics>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Barriers may overtake: the task asks for room before it begins, and waits only at twice the limits.
    pub overtakes: bool,
}

/// The receiving end of a channel.
#[derive(Clone, Copy, Debug)]
pub struct InputChannel {
    /// The channel.
    pub key: ChannelKey,
    /// How its records are read from bytes, if it carries records.
    pub records: Option<RecordsReader>,
}

/// A TaskManager, and the tasks of an attempt that it runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Home {
    /// Which.
    pub task_manager: TaskManagerId,
    /// Where others reach it for its channels; `None` if it is reached within the process.
    pub address: Option<String>,
    /// The tasks.
    pub tasks: Vec<TaskId>,
}

/// Connects the ends of channels.
pub trait Exchanges: Send + Sync {
    /// Says where the tasks of an attempt are, before any of them is registered or connected.
    fn place(&self, _job: JobId, _attempt: Attempt, _homes: &[Home]) {}

    /// The job is over: nobody connects to tasks of it any more.
    fn forget(&self, _job: JobId) {}

    /// Registers a task's gate, with its channels in the order of the gate.
    ///
    /// # Errors
    /// If the process lacks the resources.
    fn register(&self, channels: &[InputChannel], gate: &Arc<Gate>) -> Result<()>;

    /// The sending end of a channel. Waits until the receiver exists.
    ///
    /// # Errors
    /// If the sender is cancelled in the meantime.
    fn connect(&self, channel: ChannelKey, context: &SenderContext) -> Result<Box<dyn Sender>>;

    /// Unregisters a task's gate.
    fn unregister(&self, job: JobId, attempt: Attempt, task: TaskId);
}

/// Channels within the process: the sender puts batches into the receiver's gate, by pointer.
#[derive(Default)]
pub struct LocalExchanges {
    gates: Mutex<FastMap<ChannelKey, (Arc<Gate>, usize)>>,
    changed: Condvar,
}

impl fmt::Debug for LocalExchanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalExchanges({} channels)", self.gates.lock().len())
    }
}

struct LocalSender {
    gate: Arc<Gate>,
    channel: usize,
    context: SenderContext,
}

impl Sender for LocalSender {
    fn send(&mut self, element: Element) -> Result<()> {
        let SenderContext { cancel, metrics, clock, .. } = &self.context;
        let waited = self.gate.send(self.channel, element, cancel, &**clock)?;
        if waited > 0 {
            metrics.back_pressured.add(waited);
        }
        Ok(())
    }

    fn has_room(&mut self, waker: &Waker) -> Result<bool> {
        Ok(self.gate.has_room(self.channel, waker))
    }

    fn force(&mut self, element: Element) -> Result<()> {
        self.gate.force(self.channel, element);
        Ok(())
    }
}

impl Exchanges for LocalExchanges {
    fn register(&self, channels: &[InputChannel], gate: &Arc<Gate>) -> Result<()> {
        let mut gates = self.gates.lock();
        for (index, channel) in channels.iter().enumerate() {
            gates.insert(channel.key, (gate.clone(), index));
        }
        self.changed.notify_all();
        Ok(())
    }

    fn connect(&self, channel: ChannelKey, context: &SenderContext) -> Result<Box<dyn Sender>> {
        let mut gates = self.gates.lock();
        loop {
            if let Some((gate, index)) = gates.get(&channel) {
                let sender = LocalSender { gate: gate.clone(), channel: *index, context: context.clone() };
                return Ok(Box::new(sender));
            }
            if context.cancel.is_set() {
                return Err(Error::cancelled());
            }
            self.changed.wait_for(&mut gates, Duration::from_millis(50));
        }
    }

    fn unregister(&self, job: JobId, attempt: Attempt, task: TaskId) {
        self.gates.lock().retain(|key, _| (key.job, key.attempt, key.to) != (job, attempt, task));
    }
}
