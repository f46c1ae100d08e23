//! Whether tasks are at rest.

use std::sync::Arc;

use flott_checkpoint::{Attempt, TaskId};
use flott_runtime::connect::{Sender, SenderContext};
use flott_runtime::gate::Gate;
use flott_runtime::{ChannelKey, Connector, LocalConnector};
use flott_types::{JobId, Result};
use parking_lot::Mutex;

/// The channels of the process, and the gates of all its tasks.
#[derive(Default)]
pub(crate) struct Gates {
    channels: LocalConnector,
    gates: Mutex<Vec<Arc<Gate>>>,
}

impl Gates {
    /// If all tasks wait with nothing to do: the numbers of their waits. Two looks with the same answer say that no task
    /// has done anything in between.
    pub fn at_rest(&self) -> Option<Vec<u64>> {
        let mut gates = self.gates.lock();
        gates.retain(|gate| !gate.is_closed());
        gates.iter().map(|gate| gate.idle()).collect()
    }

    /// Lets all tasks look at the clock.
    pub fn wake(&self) {
        self.gates.lock().iter().for_each(|gate| gate.wake());
    }
}

impl Connector for Gates {
    fn register(&self, channels: &[ChannelKey], gate: &Arc<Gate>) {
        self.gates.lock().push(gate.clone());
        self.channels.register(channels, gate);
    }

    fn connect(&self, channel: ChannelKey, context: &SenderContext) -> Result<Box<dyn Sender>> {
        self.channels.connect(channel, context)
    }

    fn unregister(&self, job: JobId, attempt: Attempt, task: TaskId) {
        self.channels.unregister(job, attempt, task);
    }
}
